package sysctl

import (
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// Canonical is the dotted form of a key, in which a dot that belongs to a name
// is a slash: net.ipv4.conf.eth0/1.rp_filter. As in sysctl.d(5), the first
// separator of what is written decides which of the two it is written in; a
// path whose first part has a dot, which no kernel has, stays a path.
func Canonical(key string) string {
	p := slashed(key)
	if i := strings.IndexAny(p, "./"); i >= 0 && p[i] == '.' {
		return "/" + p
	}
	return swap(p)
}

// Path is the key's file: /proc/sys/net/ipv4/conf/eth0.1/rp_filter.
func Path(key string) string { return "/proc/sys/" + slashed(key) }

// Check says whether key names one parameter: not a pattern, and nothing that
// leads out of /proc/sys.
func Check(key string) error {
	for _, r := range key {
		if r <= ' ' || r == 0x7f || r == '=' || r == '\\' {
			return lang.Because(nil, "it has the character %q", "含有字符 %q", r)
		}
	}
	if isGlob(key) {
		return lang.Because(nil, "it is a pattern, not the name of one kernel parameter", "这是通配符，而不是某一个内核参数的名称")
	}
	parts := strings.Split(slashed(key), "/")
	if len(parts) < 2 {
		return lang.Because(nil, "it is not the name of a kernel parameter: it has one part", "不是内核参数的名称：只有一段")
	}
	if slices.Contains(parts, "..") || slices.Contains(parts, ".") {
		return lang.Because(nil, "it is not the name of a kernel parameter", "不是内核参数的名称")
	}
	return nil
}

// slashed is the path below /proc/sys, without empty parts.
func slashed(key string) string {
	if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
		key = swap(key)
	}
	parts := strings.Split(key, "/")
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}

func swap(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '/'
		case '/':
			return '.'
		}
		return r
	}, s)
}

func isGlob(s string) bool { return strings.ContainsAny(s, "*?[") }

// Equal says whether two values of a key are the same to the kernel, which
// separates fields with tabs, reads numbers in any base and joins neighbouring
// ports into ranges.
func Equal(key, a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if strings.HasSuffix(Canonical(key), "_reserved_ports") {
		p, ok := ports(a)
		q, also := ports(b)
		if ok && also {
			return slices.Equal(p, q)
		}
	}
	return slices.EqualFunc(x, y, func(a, b string) bool {
		if a == b {
			return true
		}
		c, ok := compare(a, b)
		return ok && c == 0
	})
}

// Raise is the value that has in each field the larger of now and least, which
// is what a key that must not be lowered gets. False: they cannot be compared,
// field by field, as numbers.
func Raise(now, least string) (string, bool) {
	x, y := strings.Fields(now), strings.Fields(least)
	if len(x) != len(y) || len(x) == 0 {
		return "", false
	}
	for i := range x {
		c, ok := compare(x[i], y[i])
		if !ok {
			return "", false
		}
		if c > 0 {
			y[i] = x[i]
		}
	}
	return strings.Join(y, " "), true
}

// compare orders two integers of up to 64 bits, signed or not, as the kernel
// reads them: 0x and 0 say the base.
func compare(a, b string) (int, bool) {
	negA, x, ok := number(a)
	negB, y, also := number(b)
	if !ok || !also {
		return 0, false
	}
	switch {
	case negA && !negB:
		return -1, true
	case !negA && negB:
		return 1, true
	case negA:
		x, y = y, x
	}
	switch {
	case x < y:
		return -1, true
	case x > y:
		return 1, true
	}
	return 0, true
}

func number(s string) (negative bool, magnitude uint64, ok bool) {
	digits, negative := strings.CutPrefix(s, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' || strings.Contains(digits, "_") {
		return false, 0, false
	}
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x"), strings.HasPrefix(digits, "0X"):
		digits, base = digits[2:], 16
	case len(digits) > 1 && digits[0] == '0':
		base = 8
	}
	n, err := strconv.ParseUint(digits, base, 64)
	return negative && n != 0, n, err == nil
}

// ports expands a list such as 8080,9000-9003.
func ports(s string) ([]bool, bool) {
	out := make([]bool, 1<<16)
	for _, item := range strings.Split(strings.TrimSpace(s), ",") {
		if item == "" {
			continue
		}
		from, to, isRange := strings.Cut(item, "-")
		if !isRange {
			to = from
		}
		a, err := strconv.ParseUint(from, 10, 16)
		b, err2 := strconv.ParseUint(to, 10, 16)
		if err != nil || err2 != nil || a > b {
			return nil, false
		}
		for ; a <= b; a++ {
			out[a] = true
		}
	}
	return out, true
}
