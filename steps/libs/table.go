package libs

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// all are the libraries that can be required, which is the default.
var all = []string{"glibc", "libaio", "openssl", "zlib"}

// sonames are the names each of them is found under, any one of which will do.
var sonames = map[string][]string{
	"glibc":   {"libc.so.6"},
	"libaio":  {"libaio.so.1", "libaio.so.1t64"},
	"openssl": {"libssl.so.3", "libssl.so.1.1"},
	"zlib":    {"libz.so.1"},
}

// Requirement is a library that every Go service host is to have.
type Requirement struct {
	Name    string
	Sonames []string // any one of them
	// Packages are what provides it on this family, the likeliest first.
	Packages []string
}

// Requirements are all there are, under the names that the families give them.
// Debian's follow its releases, and so do those made from it, which is told by the
// age of their C library: 2.41 has Debian 13, 2.39 Ubuntu 24.04 (t64), 2.36 Debian
// 12, 2.35 Ubuntu 22.04, and what is older OpenSSL 1.1.
func Requirements(family, libc string) []Requirement {
	packages := map[string][]string{"glibc": {"glibc"}, "libaio": {"libaio"}, "openssl": {"openssl-libs"}, "zlib": {"zlib"}}
	if family == "deb" {
		packages = map[string][]string{"glibc": {"libc6"}, "libaio": {"libaio1t64", "libaio1"}, "openssl": {"libssl3t64", "libssl3", "libssl1.1"}, "zlib": {"zlib1g"}}
		switch minor := minor(libc); {
		case minor == 0 || minor >= 39:
		case minor >= 34:
			packages["openssl"], packages["libaio"] = []string{"libssl3", "libssl3t64"}, []string{"libaio1", "libaio1t64"}
		default:
			packages["openssl"], packages["libaio"] = []string{"libssl1.1"}, []string{"libaio1"}
		}
	}
	out := make([]Requirement, len(all))
	for i, name := range all {
		out[i] = Requirement{name, sonames[name], packages[name]}
	}
	return out
}

// minor reads 36 off 2.36; 0 where it cannot.
func minor(libc string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(libc, "2."))
	return n
}

// known are SONAMEs whose packages follow no rule, or that are wanted so often
// that a tree, whose package manager cannot be asked, should know them.
func known(family, libc, soname string) []string {
	for _, r := range Requirements(family, libc) {
		// Of OpenSSL the two are not one another's.
		if r.Name != "openssl" && slices.Contains(r.Sonames, soname) {
			return r.Packages
		}
	}
	if family == "deb" {
		return map[string][]string{
			"libssl.so.3":      {"libssl3t64", "libssl3"},
			"libcrypto.so.3":   {"libssl3t64", "libssl3"},
			"libssl.so.1.1":    {"libssl1.1"},
			"libcrypto.so.1.1": {"libssl1.1"},
			"libm.so.6":        {"libc6"},
			"libdl.so.2":       {"libc6"},
			"libpthread.so.0":  {"libc6"},
			"librt.so.1":       {"libc6"},
			"libresolv.so.2":   {"libc6"},
			"libstdc++.so.6":   {"libstdc++6"},
			"libgcc_s.so.1":    {"libgcc-s1", "libgcc1"},
			"libgomp.so.1":     {"libgomp1"},
			"libbz2.so.1.0":    {"libbz2-1.0"},
			"libz.so.1":        {"zlib1g"},
			"libtinfo.so.6":    {"libtinfo6"},
			"libtinfo.so.5":    {"libtinfo5"},
			"libudev.so.1":     {"libudev1"},
		}[soname]
	}
	rpm := map[string][]string{
		"libm.so.6":       {"glibc"},
		"libdl.so.2":      {"glibc"},
		"libpthread.so.0": {"glibc"},
		"librt.so.1":      {"glibc"},
		"libresolv.so.2":  {"glibc"},
		"libstdc++.so.6":  {"libstdc++"},
		"libgcc_s.so.1":   {"libgcc"},
		"libgomp.so.1":    {"libgomp"},
		"libtinfo.so.6":   {"ncurses-libs"},
		"libudev.so.1":    {"systemd-libs"},
	}
	// Which OpenSSL it is shows the age of the C library, 2.34 excepted: openEuler
	// 22.03 has 1.1 beside it, others 3.
	if m := minor(libc); m > 34 {
		rpm["libssl.so.3"], rpm["libcrypto.so.3"] = []string{"openssl-libs"}, []string{"openssl-libs"}
	} else if m > 0 && m < 34 {
		rpm["libssl.so.1.1"], rpm["libcrypto.so.1.1"] = []string{"openssl-libs"}, []string{"openssl-libs"}
	}
	return rpm[soname]
}

var (
	digitSo = regexp.MustCompile(`([0-9])\.so\.`)
	debName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$`) // apt removes what is named "vim-"
	plainSo = regexp.MustCompile(`\.so(\.|$)`)
	hyphen  = regexp.MustCompile(`([a-z])-([0-9])`)
)

// named are the packages a SONAME is in by Debian's rule (Policy, 8.1): its letters
// in lower case, with the version appended, and a hyphen between two digits. Many
// packages of names that carry a version (libglib-2.0.so.0, libdb-5.3.so) leave the
// first hyphen out; those that changed with 64-bit time_t end in t64, and those that
// changed with the C++ of GCC 5 in v5.
func named(soname string) []string {
	s := digitSo.ReplaceAllString(soname, "$1-")
	if at := plainSo.FindStringIndex(s); at != nil {
		s = s[:at[0]] + s[at[1]:]
	}
	s = strings.ToLower(strings.ReplaceAll(s, "_", "-"))
	if !strings.Contains(soname, ".so") || !debName.MatchString(s) {
		return nil
	}
	var out []string
	for _, n := range []string{s, hyphen.ReplaceAllString(s, "$1$2")} {
		if !slices.Contains(out, n) {
			out = append(out, n+"t64", n, n+"v5")
		}
	}
	return out
}
