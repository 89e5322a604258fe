package detect

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The keep functions let through what is safe of a kind of file, keeping the
// numbers of its lines where something refers to them.

// eachLine rewrites text line by line.
func eachLine(s string, f func(line string) (string, bool)) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if line, ok := f(strings.TrimRight(line, "\r\n")); ok {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// keepRelease is for files a vendor wrote; a line with what looks like a MAC
// address, a UUID or a serial number in it goes nevertheless.
func keepRelease(s string) string {
	marks := regexp.MustCompile(`(?i)\b([0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b|[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{16}|serial|uuid|s/n|asset`)
	return eachLine(s, func(line string) (string, bool) { return line, !marks.MatchString(line) })
}

// keepCPUInfo drops board names and serial numbers (ARM and Kylin have them).
func keepCPUInfo(s string) string {
	return eachLine(s, func(line string) (string, bool) {
		key, _, _ := strings.Cut(line, ":")
		key = strings.ToLower(strings.TrimSpace(key))
		for _, names := range []string{"serial", "uuid", "asset", "cpuid", "host"} {
			if strings.Contains(key, names) {
				return "", false
			}
		}
		return line, !slices.Contains([]string{"hardware", "machine", "revision"}, key)
	})
}

// keepNumbers is for files of keys, numbers and units.
func keepNumbers(s string) string {
	return eachLine(s, func(line string) (string, bool) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			key, value = "", line
		}
		return line, strings.Trim(value, " \t-0123456789,kB") == "" && strings.IndexFunc(key, func(r rune) bool {
			return r != '_' && r != '(' && r != ')' && (r < '0' || r > 'z')
		}) < 0
	})
}

// keepCapabilities leaves of a process' status what it may do.
func keepCapabilities(s string) string {
	return eachLine(s, func(line string) (string, bool) { return line, strings.HasPrefix(line, "Cap") })
}

// keepSELinux leaves of SELinux' configuration its mode and its policy.
func keepSELinux(s string) string {
	return eachLine(s, func(line string) (string, bool) {
		key, value, _ := strings.Cut(line, "=")
		return line, (key == "SELINUX" || key == "SELINUXTYPE") && isWord(value)
	})
}

// keepSettings is for sysctl and systemd files: assignments of plain values.
func keepSettings(s string) string {
	return eachLine(s, func(line string) (string, bool) {
		text := strings.TrimSpace(line)
		key, value, ok := strings.Cut(text, "=")
		switch {
		case text == "":
			return "", true
		case strings.HasPrefix(text, "[") && isWord(strings.Trim(text, "[]")):
			return text, true
		case text[0] == '#' || text[0] == ';' || !ok:
			return "#", true
		case !isPlainValue(value) || !isSettingKey(strings.TrimSpace(key)):
			return "# left out", true
		}
		return text, true
	})
}

// isSettingKey refuses names of interfaces, hosts and the like inside keys.
func isSettingKey(key string) bool {
	parts := strings.FieldsFunc(strings.TrimPrefix(key, "-"), func(r rune) bool { return r == '.' || r == '/' })
	for i, p := range parts {
		if i > 0 && slices.Contains([]string{"conf", "neigh"}, parts[i-1]) && !slices.Contains([]string{"all", "default", "lo", "*"}, p) {
			return false
		}
		if namesMachine(p) || strings.IndexFunc(p, func(r rune) bool {
			return r != '_' && r != '-' && r != '*' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) >= 0 {
			return false
		}
	}
	return len(parts) > 0
}

// keepLimits is for limits.conf: the domain may be a user of the site.
func keepLimits(s string) string {
	return eachLine(s, func(line string) (string, bool) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
			return "", true
		case fields[0][0] == '#' || len(fields) < 4 || !isWord(fields[2]) || !isPlainValue(fields[3]) && fields[3] != "unlimited":
			return "#", true
		}
		domain := "user"
		if fields[0] == "*" || fields[0] == "root" {
			domain = fields[0]
		}
		kind := fields[1]
		if kind != "soft" && kind != "hard" {
			kind = "-"
		}
		return fmt.Sprintf("%s %s %s %s", domain, kind, fields[2], fields[3]), true
	})
}

// keepProfile keeps the profiles tuned ships; others may be named after a site.
func keepProfile(s string) string {
	profiles := []string{
		"accelerator-performance", "balanced", "desktop", "hpc-compute", "intel-sst", "latency-performance", "network-latency",
		"network-throughput", "optimize-serial-console", "oracle", "powersave", "throughput-performance", "virtual-guest", "virtual-host",
	}
	if name := strings.TrimSpace(s); slices.Contains(profiles, name) {
		return name + "\n"
	}
	return "captured\n"
}

// namesMachine is for parts of parameter names whose values are one machine's.
func namesMachine(name string) bool {
	return slices.Contains([]string{
		"hostname", "domainname", "random", "boot_id", "uuid", "netdev_rss_key", "tcp_fastopen_key",
		"stable_secret", "cad_pid", "ns_last_pid", "core_pattern", "poweroff_cmd", "modprobe", "hotplug", "usermodehelper",
	}, name)
}

// isPlainValue lets through numbers and lower-case words, which neither
// addresses nor paths are.
func isPlainValue(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) > 200 {
		return false
	}
	for _, word := range strings.Fields(s) {
		number := strings.Trim(word, "-0123456789,") == ""
		if !number && !slices.Contains([]string{
			"reno", "cubic", "bbr", "htcp", "fq", "fq_codel", "pfifo_fast", "cake", "core", "yes", "no",
			"true", "false", "infinity", "unlimited",
		}, word) && !isSize(word) {
			return false
		}
	}
	return true
}

// isSize reports a number with a unit (systemd's 64M, 90s, 80%) or a pair of them.
func isSize(s string) bool {
	rest := strings.TrimLeft(s, "0123456789:")
	return len(rest) < len(s) && len(rest) <= 2 && strings.Trim(rest, "KMGTsm%inh") == "" && strings.Count(s, ":") <= 1
}

func isWord(s string) bool {
	return s != "" && len(s) < 32 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz-") == ""
}

// vendorFile reports configuration files that distributions ship in /etc.
func vendorFile(name string) bool {
	return slices.Contains([]string{"99-sysctl.conf", "zz-goxin.conf", "10-default-yama-scope.conf", "50-default.conf", "20-nproc.conf", "90-nproc.conf"}, name)
}

// anonymousName keeps what a file is sorted by: its leading digits.
func anonymousName(name string, n int) string {
	rest := strings.TrimLeft(name, "0123456789")
	prefix := name[:len(name)-len(rest)]
	if prefix == "" {
		prefix = name[:1] // sorts with its letter
	}
	return fmt.Sprintf("%s-captured%d.conf", prefix, n)
}

// plainInterface reports names the kernel or udev made from a slot or a number.
// enx… holds the MAC address; names people give may hold anything.
func plainInterface(name string) bool {
	for _, prefix := range []string{"eth", "eno", "ens", "enp", "wlan", "wlp", "ib", "docker", "virbr", "bond", "team", "br"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return len(rest) < 12 && rest != "" && rest[0] <= '9' && strings.Trim(rest, "0123456789sfdnp") == ""
		}
	}
	return false
}
