package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// hostMirror is the first Debian archive among the host's own apt sources: the
// one place this machine is known to get packages from.
func hostMirror() (string, error) {
	names, _ := filepath.Glob("/etc/apt/sources.list.d/*")
	sort.Strings(names)
	for _, name := range append([]string{"/etc/apt/sources.list"}, names...) {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		var uris []string
		switch filepath.Ext(name) {
		case ".list":
			uris = oneLineSources(string(b))
		case ".sources":
			uris = deb822Sources(string(b))
		}
		for _, uri := range uris {
			if isDebian(uri) {
				return uri, nil
			}
		}
	}
	return "", errors.New("cannot find a Debian archive in the host's apt sources")
}

// oneLineSources gives the URIs of the binary lines of a sources.list(5).
func oneLineSources(text string) []string {
	var uris []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb")
		if !ok || rest == "" || (rest[0] != ' ' && rest[0] != '\t') {
			continue
		}
		rest = strings.TrimSpace(rest)
		if strings.HasPrefix(rest, "[") {
			_, after, ok := strings.Cut(rest, "]")
			if !ok {
				continue
			}
			rest = after
		}
		if fields := strings.Fields(rest); len(fields) > 1 {
			uris = append(uris, fields[0])
		}
	}
	return uris
}

// deb822Sources gives the URIs of the enabled stanzas of a .sources file, see
// sources.list(5), "deb822-style format".
func deb822Sources(text string) []string {
	var uris, found []string
	types, enabled, field := "", true, ""
	end := func() {
		if enabled && strings.Contains(" "+types+" ", " deb ") {
			uris = append(uris, found...)
		}
		types, enabled, field, found = "", true, "", nil
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case strings.TrimSpace(line) == "":
			end()
			continue
		}
		value := line
		if line[0] != ' ' && line[0] != '\t' {
			name, after, ok := strings.Cut(line, ":")
			if !ok {
				continue
			}
			field, value = strings.ToLower(name), after
		}
		switch field {
		case "types":
			types += " " + strings.TrimSpace(value)
		case "enabled":
			v := strings.ToLower(strings.TrimSpace(value))
			enabled = v != "no" && v != "false" && v != "0"
		case "uris":
			found = append(found, strings.Fields(value)...)
		}
	}
	end()
	return uris
}

// isDebian tells the main archive from third parties' and from the security
// archive, which has no complete suite. Archives are named so by convention:
// the path ends in "debian".
func isDebian(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file") {
		return false
	}
	path := strings.TrimSuffix(u.Path, "/")
	return strings.HasSuffix(path, "/debian") || strings.Contains(path, "/archive/debian/")
}

// aptProxy is the environment that makes other programs use apt's proxy.
func aptProxy(mirror string) []string {
	u, err := url.Parse(mirror)
	if err != nil {
		return nil
	}
	var values struct{ scheme, host, detect string }
	out, err := exec.Command("apt-config", "shell",
		"scheme", "Acquire::"+u.Scheme+"::Proxy",
		"host", "Acquire::"+u.Scheme+"::Proxy::"+u.Hostname(),
		"detect", "Acquire::"+u.Scheme+"::Proxy-Auto-Detect").Output()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, "'")
		switch name {
		case "scheme":
			values.scheme = value
		case "host":
			values.host = value
		case "detect":
			values.detect = value
		}
	}
	proxy := values.host
	if proxy == "" && values.detect != "" {
		if out, err := exec.Command(values.detect, mirror).Output(); err == nil {
			proxy = strings.TrimSpace(string(out))
		}
	}
	if proxy == "" {
		proxy = values.scheme
	}
	switch proxy {
	case "":
		return nil
	case "DIRECT":
		return []string{u.Scheme + "_proxy="}
	}
	return []string{u.Scheme + "_proxy=" + proxy}
}

// tools are the programs lab needs and the Debian packages that bring them.
var tools = [][2]string{
	{"debootstrap", "debootstrap"},
	{"systemd-nspawn", "systemd-container"},
	{"qemu-system-x86_64", "qemu-system-x86"},
	{"qemu-img", "qemu-utils"},
	{"mke2fs", "e2fsprogs"},
	{"ip", "iproute2"},
	{"nft", "nftables"},
	{"unshare", "util-linux"},
	{"nsenter", "util-linux"},
	{"prlimit", "util-linux"},
	{"mount", "mount"},
	{"qemu-aarch64-static", "qemu-user-static"},
	{"gpg", "gnupg"},
	{"dpkg-deb", "dpkg"},
	{"apt-ftparchive", "apt-utils"},
	{"xz", "xz-utils"},
	{"rpmbuild", "rpm"},
	{"rpmsign", "rpm"},
	{"createrepo_c", "createrepo-c"},
	// What the steps' own end-to-end tests run on this machine.
	{"gcc", "gcc"},
	{"aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"},
	{"zsh", "zsh"},
	{"fish", "fish"},
	{"ssh-keygen", "openssh-client"},
	{"direnv", "direnv"},
}

const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// files are what the lab needs that is no program, and the packages that bring them.
var files = [][2]string{
	{debianKeyring, "debian-archive-keyring"},
	{"/usr/aarch64-linux-gnu/include/stdio.h", "libc6-dev-arm64-cross"},
}

// missingPackages are the packages prepare has to install.
func missingPackages() []string {
	var missing []string
	seen := map[string]bool{}
	need := func(pkg string) {
		if !seen[pkg] {
			seen[pkg] = true
			missing = append(missing, pkg)
		}
	}
	for _, t := range tools {
		if _, err := exec.LookPath(t[0]); err != nil {
			need(t[1])
		}
	}
	for _, f := range files {
		if _, err := os.Stat(f[0]); err != nil {
			need(f[1])
		}
	}
	return missing
}

// installTools installs what is missing, after saying so.
func (l *Lab) installTools() error {
	missing := missingPackages()
	if len(missing) == 0 {
		return nil
	}
	l.say("installing with apt-get: %s", strings.Join(missing, " "))
	for _, args := range [][]string{{"update", "-q"}, append([]string{"install", "-q", "-y", "--no-install-recommends"}, missing...)} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot install the lab's tools: apt-get %s: %w\n%s", args[0], err, tail(out))
		}
	}
	if missing := missingPackages(); len(missing) > 0 {
		return fmt.Errorf("cannot find what these packages should have brought: %s", strings.Join(missing, " "))
	}
	return nil
}

// tail is the end of a program's output, for errors.
func tail(out []byte) string {
	const most = 2 << 10
	return strings.TrimSpace(string(out[max(0, len(out)-most):]))
}
