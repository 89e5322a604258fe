package demo

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// pack is a package as a repository has it.
type pack struct {
	name, version, arch string
	size                int64 // bytes to fetch
	disk                int64 // bytes on disk
	needs               []string
	programs            []string // names in /usr/bin
	libs                []string // SONAMEs
	base                bool     // installed from the first
}

// recipe is a pack of both families. A name, or a version, is that of rpm and of deb;
// where there are four versions, the last two are of systems with a C library of 2.34 or
// newer.
type recipe struct {
	rpm, deb string
	versions string // old rpm, old deb, new rpm, new deb
	kb, disk int64  // KiB
	needs    string // names as rpm has them, or of deb's own
	programs string
	libs     string
	base     bool
}

// recipes are what the repositories have: what steps ask for, and what that needs.
var recipes = []recipe{
	{rpm: "glibc", deb: "libc6", versions: "2.28-101 2.28-10 2.38-47 2.36-9+deb12u10", kb: 3300, disk: 12900, base: true},
	{rpm: "bash", deb: "bash", versions: "5.0-19 5.0-4 5.2.15-9 5.2.15-2", kb: 1400, disk: 6900, base: true},
	{rpm: "coreutils", deb: "coreutils", versions: "8.32-8 8.30-3 9.4-5 9.1-1", kb: 2800, disk: 16800, base: true},
	{rpm: "systemd", deb: "systemd", versions: "243-62 241-7 255-21 252.38-1", kb: 2900, disk: 14100, base: true},
	{rpm: "zlib", deb: "zlib1g", versions: "1.2.11-23 1:1.2.11.dfsg-1 1.2.13-9 1:1.2.13.dfsg-1", kb: 90, disk: 200, libs: "libz.so.1", base: true},
	{rpm: "openssl-libs", deb: "", versions: "1.1.1f-28 - 3.0.12-4 -", kb: 1500, disk: 4200, base: true},
	{deb: "libssl1.1", versions: "- 1.1.1d-0 - -", kb: 1500, disk: 4100, libs: "libssl.so.1.1 libcrypto.so.1.1", base: true},
	{deb: "libssl3", versions: "- - - 3.0.17-1~deb12u3", kb: 2000, disk: 6100, libs: "libssl.so.3 libcrypto.so.3", base: true},
	{rpm: "dnf", deb: "apt", versions: "4.2.23-4 1.8.2.3 4.16.2-8 2.6.1", kb: 520, disk: 2100, base: true},
	{rpm: "rpm", deb: "dpkg", versions: "4.15.1-32 1.19.8 4.18.2-16 1.21.22", kb: 1100, disk: 3700, base: true},

	{rpm: "libaio", deb: "libaio1", versions: "0.3.112-2 0.3.112-3 0.3.113-9 0.3.113-4", kb: 20, disk: 40, libs: "libaio.so.1"},
	{rpm: "kernel-headers", deb: "linux-libc-dev", versions: "4.19.90-52.22 4.19.249-2 6.6.0-98.0 6.1.158-1", kb: 1900, disk: 6100},
	{rpm: "glibc-devel", deb: "libc6-dev", versions: "2.28-101 2.28-10 2.38-47 2.36-9+deb12u10", kb: 2700, disk: 17500, needs: "kernel-headers linux-libc-dev"},
	{rpm: "binutils", deb: "binutils", versions: "2.34-16 2.31.1-16 2.41-14 2.40-2", kb: 5600, disk: 27800, programs: "as ld objdump"},
	{rpm: "cpp", deb: "cpp", versions: "7.3.0-41 4:8.3.0-1 12.3.1-62 4:12.2.0-3", kb: 9800, disk: 23400, programs: "cpp"},
	{rpm: "gcc", deb: "gcc", versions: "7.3.0-41 4:8.3.0-1 12.3.1-62 4:12.2.0-3", kb: 24300, disk: 68900, needs: "binutils cpp glibc-devel libc6-dev", programs: "gcc cc"},
	{rpm: "libstdc++-devel", deb: "libstdc++-dev", versions: "7.3.0-41 8.3.0-6 12.3.1-62 12.2.0-14", kb: 2100, disk: 17300},
	{rpm: "gcc-c++", deb: "g++", versions: "7.3.0-41 4:8.3.0-1 12.3.1-62 4:12.2.0-3", kb: 9900, disk: 27700, needs: "gcc libstdc++-devel libstdc++-dev", programs: "g++ c++"},
	{rpm: "make", deb: "make", versions: "4.2.1-18 4.2.1-1.2 4.4.1-2 4.3-4.1", kb: 400, disk: 1600, programs: "make"},
	{deb: "dpkg-dev", versions: "- 1.19.8 - 1.21.22", kb: 1300, disk: 2900, needs: "make"},
	{deb: "build-essential", versions: "- 12.6 - 12.9", kb: 8, disk: 21, needs: "gcc g++ make libc6-dev dpkg-dev"},
	{rpm: "perl-Git", deb: "git-man", versions: "2.27.0-21 1:2.20.1-2 2.43.0-8 1:2.39.5-0", kb: 1900, disk: 2200},
	{rpm: "git", deb: "git", versions: "2.27.0-21 1:2.20.1-2 2.43.0-8 1:2.39.5-0", kb: 7200, disk: 38200, needs: "perl-Git git-man", programs: "git"},
	{rpm: "zlib-devel", deb: "zlib1g-dev", versions: "1.2.11-23 1:1.2.11.dfsg-1 1.2.13-9 1:1.2.13.dfsg-1", kb: 900, disk: 1300, needs: "zlib zlib1g"},
	{rpm: "gdb", deb: "gdb", versions: "9.2-8 8.2.1-2 14.1-4 13.1-3", kb: 3900, disk: 11300, programs: "gdb"},
	{rpm: "strace", deb: "strace", versions: "5.6-2 4.26-0.2 6.6-2 6.1-0.1", kb: 1300, disk: 2400, programs: "strace"},
	{rpm: "chrony", deb: "chrony", versions: "3.5-3 3.4-4 4.3-3 4.3-2", kb: 300, disk: 700, programs: "chronyc"},
	{rpm: "nginx", deb: "nginx", versions: "1.16.1-2 1.14.2-2+deb10u5 1.24.0-5 1.22.1-9+deb12u3", kb: 1300, disk: 3900, programs: "/usr/sbin/nginx"},
	{rpm: "keepalived", deb: "keepalived", versions: "2.0.20-19 1:2.0.10-1 2.2.8-3 1:2.2.7-1+b2", kb: 480, disk: 1500, programs: "/usr/sbin/keepalived"},
	{rpm: "golang", deb: "golang-go", versions: "1.15.7-42 2:1.11~1 1.21.4-33 2:1.19~1", kb: 44000, disk: 198000},
	{deb: "libc6-dev-arm64-cross", versions: "- 2.28-10cross1 - 2.36-8cross1", kb: 2100, disk: 15900},
	{deb: "gcc-aarch64-linux-gnu", versions: "- 4:8.3.0-1 - 4:12.2.0-3", kb: 18700, disk: 63200, needs: "binutils", programs: "aarch64-linux-gnu-gcc"},
	{deb: "libc6-dev-amd64-cross", versions: "- 2.28-10cross1 - 2.36-8cross1", kb: 2300, disk: 13900},
	{deb: "gcc-x86-64-linux-gnu", versions: "- 4:8.3.0-1 - 4:12.2.0-3", kb: 19700, disk: 66200, needs: "binutils", programs: "x86_64-linux-gnu-gcc"},
}

// group is what dnf calls "@development".
var group = struct {
	id, title string
	members   []string
}{"development", "Development Tools", []string{"gcc", "gcc-c++", "glibc-devel", "make"}}

// newStock are the recipes as this machine's repositories have them.
func (s *sim) newStock() []pack {
	deb := s.facts.Packages.Manager.Value == "apt"
	arch, dist := s.kernel.Machine, ""
	if deb {
		arch = s.debArch()
	} else {
		parts := strings.Split(s.kernel.Release, ".") // …ky10.aarch64
		dist = "." + parts[max(0, len(parts)-2)]
	}
	modern := minor(s.facts.Libc.Version.Value) >= 34
	var out []pack
	for _, r := range recipes {
		name, at := r.rpm, 0
		if deb {
			name, at = r.deb, 1
		}
		if modern {
			at += 2
		}
		version := strings.Fields(r.versions)[at]
		if name == "" || version == "-" {
			continue
		}
		p := pack{
			name: name, version: version + dist, arch: arch, size: r.kb << 10, disk: r.disk << 10,
			programs: strings.Fields(r.programs), libs: strings.Fields(r.libs), base: r.base,
		}
		switch {
		case name == "openssl-libs" && modern:
			p.libs = []string{"libssl.so.3", "libcrypto.so.3"}
		case name == "openssl-libs":
			p.libs = []string{"libssl.so.1.1", "libcrypto.so.1.1"}
		}
		p.needs = strings.Fields(r.needs)
		out = append(out, p)
	}
	has := func(n string) bool { return slices.ContainsFunc(out, func(p pack) bool { return p.name == n }) }
	for i := range out {
		out[i].needs = slices.DeleteFunc(out[i].needs, func(n string) bool { return !has(n) })
	}
	return out
}

func minor(libc string) int {
	n := 0
	_, _ = fmt.Sscanf(libc, "2.%d", &n) // 0 where it is none
	return n
}

func (s *sim) debArch() string {
	switch a := s.facts.Arch.GOARCH.Value; {
	case a == "mips64le":
		return "mips64el"
	case a == "loong64" && s.facts.Kernel.UserWorld.Value == "old":
		return "loongarch64"
	default:
		return a
	}
}

// find is a package of the repositories by its name, or by NAME.ARCH or NAME:ARCH.
func (s *sim) find(name string) (pack, bool) {
	for _, p := range s.stock {
		if name == p.name || name == p.name+"."+p.arch || name == p.name+":"+p.arch {
			return p, true
		}
	}
	return pack{}, false
}

// provider is find, or the package that has a library: "libaio.so.1()(64bit)".
func (s *sim) provider(name string) (pack, bool) {
	if p, ok := s.find(name); ok {
		return p, true
	}
	soname := strings.TrimSuffix(name, "()(64bit)")
	for _, p := range s.stock {
		if slices.Contains(p.libs, soname) {
			return p, true
		}
	}
	return pack{}, false
}

// here is a package that is installed.
type here struct {
	name, arch, version string
	auto                bool // it came along with another
	group               bool // of dnf, which notes it beside the packages
}

// resolve are the packages to install for names, what is needed first.
func (s *sim) resolve(all []here, names []string) []pack {
	var out []pack
	var add func(string)
	add = func(n string) {
		p, ok := s.provider(n)
		if !ok || installed(all, p.name) || slices.ContainsFunc(out, func(o pack) bool { return o.name == p.name }) {
			return
		}
		for _, d := range p.needs {
			add(d)
		}
		out = append(out, p)
	}
	for _, n := range names {
		add(n)
	}
	return out
}

func installed(all []here, name string) bool {
	return slices.ContainsFunc(all, func(h here) bool { return h.name == name && !h.group })
}

// needers are the installed packages that need name and are not among without.
func (s *sim) needers(all []here, name string, without []string) (out []string) {
	for _, h := range all {
		if p, ok := s.find(h.name); ok && slices.Contains(p.needs, name) && !slices.Contains(without, h.name) {
			out = append(out, h.name)
		}
	}
	return out
}

// files are what a package puts into the tree, by name: content and mode.
func (s *sim) files(p pack) map[string]string {
	out := map[string]string{}
	for _, n := range p.programs {
		at := "/usr/bin/" + n
		if path.IsAbs(n) {
			at, n = n, path.Base(n)
		}
		out[at] = string(stub{Tool: n, Version: upstream(p.version)}.encode(s.facts.Arch.GOARCH.Value))
	}
	dir := "/usr/lib64/"
	if s.facts.Packages.Manager.Value == "apt" {
		dir = "/usr/lib/"
		if names, err := s.Machine.ReadDir("/usr/lib"); err == nil { // Debian's directory of the architecture
			for _, n := range names {
				if strings.Contains(n, "-linux-gnu") {
					dir = "/usr/lib/" + n + "/"
				}
			}
		}
	}
	for _, l := range p.libs {
		out[dir+l] = string(library(s.facts.Arch.GOARCH.Value, l, s.facts.Kernel.UserWorld.Value == "old"))
	}
	return out
}

// upstream is the part of a version that a program itself tells.
func upstream(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v = rest
	}
	v, _, _ = strings.Cut(v, "-")
	v, _, _ = strings.Cut(v, "+")
	return v
}

// put makes a package's files, take removes them.
func (s *sim) put(p pack) error {
	for name, data := range s.files(p) {
		if err := s.write(name, []byte(data), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (s *sim) take(p pack) {
	for name := range s.files(p) {
		_ = s.Machine.Remove(name) // somebody may have removed it already
	}
}

// fetching is how long so many bytes take at the rate of a good mirror.
func fetching(n int64) time.Duration { return time.Duration(n) * time.Second / (24 << 20) }

// unpacking is how long it takes to write them.
func unpacking(n int64) time.Duration {
	return 80*time.Millisecond + time.Duration(n)*time.Second/(80<<20)
}

// furnish gives the tree what a running machine has and a captured one lacks: the base
// packages, libraries, the vendor's key, what the kernel tells of this boot.
func (s *sim) furnish() error {
	s.stock = s.newStock()
	var all []here
	for _, p := range s.stock {
		if !p.base {
			continue
		}
		all = append(all, here{name: p.name, arch: p.arch, version: p.version})
		if p.name == "glibc" || p.name == "libc6" { // captured as what its name and text tell
			if err := s.wholeLibc(); err != nil {
				return err
			}
			continue
		}
		for name, data := range s.files(p) {
			if s.exists(name) {
				continue
			}
			if err := s.write(name, []byte(data), 0o755); err != nil {
				return err
			}
		}
	}
	if err := s.save(all); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"/proc/sys/kernel/random/boot_id": "5f0b1a52-7c1e-4c0b-9b77-0d3b6f1e4a10\n",
		"/proc/1/stat":                    "1 (systemd) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n",
	} {
		if !s.exists(name) {
			if err := s.write(name, []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	if err := s.people(); err != nil {
		return err
	}
	if err := s.forbidding(); err != nil {
		return err
	}
	if err := s.wired(); err != nil {
		return err
	}
	dirs := []string{"/tmp", "/var/tmp", "/var/log", "/var/lib", "/usr/local", "/root", "/run"}
	if s.deb() {
		dirs = append(dirs, aptLists+"/partial")
	}
	for _, dir := range dirs {
		if err := s.mkdirs(dir); err != nil {
			return err
		}
	}
	return s.boot()
}

// wholeLibc makes the C library an ELF file, which of a captured machine is but a text.
func (s *sim) wholeLibc() error {
	dirs := []string{"/usr/lib64/", "/lib/"}
	names, _ := s.Machine.ReadDir("/usr/lib") // often the same directory
	for _, n := range names {
		if strings.Contains(n, "-linux-gnu") {
			dirs = append(dirs, "/usr/lib/"+n+"/")
		}
	}
	for _, dir := range dirs {
		text, err := s.Machine.ReadFile(dir + "libc.so.6")
		if err != nil || strings.HasPrefix(string(text), "\x7fELF") {
			continue
		}
		whole := library(s.facts.Arch.GOARCH.Value, "libc.so.6", s.facts.Kernel.UserWorld.Value == "old")
		if err := s.write(dir+"libc.so.6", append(whole, text...), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func byName(a, b here) int { return cmp.Compare(a.name, b.name) }
