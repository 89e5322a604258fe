package clock

import (
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// checkServer judges the name of a time server: a host name or an address, and
// nothing that a configuration file would take for an option or another line.
func checkServer(name string) error {
	bad := func(en, zh string) error {
		return lang.Errorf(nil, "cannot use %q as a time server: "+en, "%q 不能作为时间服务器："+zh, name).
			WithHint("write a host name or an address, such as ntp.example.com, 10.0.0.1 or fd00::1", "请填写主机名或地址，例如 ntp.example.com、10.0.0.1、fd00::1")
	}
	switch {
	case name == "":
		return bad("it is empty", "为空")
	case len(name) > 253:
		return bad("it is longer than a host name can be", "超过主机名的最大长度")
	case strings.ContainsAny(name, " \t\r\n"):
		return bad("it holds a blank; one server each", "含有空白；每项只填一台")
	case strings.Contains(name, "://"), strings.Contains(name, "/"):
		return bad("it is a URL", "这是网址")
	case strings.Contains(name, ":"):
		if !address6(name) {
			return bad("it is no IPv6 address, and a port cannot be given: NTP is UDP 123", "不是 IPv6 地址，且不能带端口：NTP 固定为 UDP 123")
		}
		return nil
	}
	labels := strings.Split(name, ".")
	digits := true
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return bad("a part between its dots is empty, too long, or begins or ends with “-”", "点号之间有一段为空、过长，或以“-”开头或结尾")
		}
		for _, r := range l {
			if r >= '0' && r <= '9' {
				continue
			}
			digits = false
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-') {
				return bad("it holds the character "+strconv.QuoteRune(r), "含有字符 "+strconv.QuoteRune(r))
			}
		}
	}
	if digits && !address4(labels) {
		return bad("it is no IPv4 address", "不是 IPv4 地址")
	}
	return nil
}

func address4(parts []string) bool {
	for _, p := range parts {
		if n, err := strconv.Atoi(p); err != nil || n > 255 || len(p) > 1 && p[0] == '0' {
			return false
		}
	}
	return len(parts) == 4
}

// address6 knows the form of an IPv6 address without a zone: up to eight groups,
// fewer with one "::".
func address6(s string) bool {
	head, tail, gap := strings.Cut(s, "::")
	n, ok := 0, true
	for i, part := range []string{head, tail} {
		if part == "" {
			ok = ok && (gap || i == 1)
			continue
		}
		groups := strings.Split(part, ":")
		for j, g := range groups {
			last := j == len(groups)-1 && (i == 1 || !gap)
			if last && strings.Contains(g, ".") {
				ok = ok && address4(strings.Split(g, "."))
				n += 2
				continue
			}
			_, err := strconv.ParseUint(g, 16, 16)
			ok = ok && err == nil && len(g) <= 4 && g[0] != '+'
			n++
		}
	}
	return ok && (gap && n < 8 || !gap && n == 8)
}
