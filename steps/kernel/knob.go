package kernel

import (
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// Knob is one kernel parameter goxin has an opinion on.
type Knob struct {
	Key string
	// Base is the value in every profile; Web, Database and Build are the
	// values those profiles have instead. "": the profile does not touch it.
	Base, Web, Database, Build string

	// Raise: a profile only ever raises the value; a higher one is kept.
	Raise bool
	// Floor: it is not even lowered when the answers ask for it.
	Floor bool
	// Scales: its value at boot is worked out from the machine or set by the
	// service manager, so that on a machine that is not running nobody can say
	// whether a value would raise or lower it.
	Scales bool

	Why    lang.Text // what gets better, and for whom
	Source lang.Text // where that is said
	Risk   lang.Text // what may get worse
	Note   string    // its comment in the generated file

	MinMemory uint64 // bytes; below it a profile leaves the key alone
	Fields    int    // numbers in the value; 0: one
	Min, Max  int64  // each number of the value, as kernels from 4.19 on take it
	// OldMax is the largest number kernels before Widened take.
	Widened Version
	OldMax  int64
	// Unless gives another key that, when it is not 0, replaces this one.
	Unless string
}

// In is the knob's value in a profile; "" when the profile leaves it alone.
func (k *Knob) In(profile string) string {
	v := ""
	switch profile {
	case "web":
		v = k.Web
	case "database":
		v = k.Database
	case "build":
		v = k.Build
	}
	if v == "" {
		return k.Base
	}
	return v
}

// CheckOn judges a value, which Check has passed, by what kernel v takes.
func (k *Knob) CheckOn(v Version, value string) error {
	if v == (Version{}) || !v.Before(k.Widened) {
		return nil
	}
	for _, f := range strings.Fields(value) {
		if n, err := strconv.ParseInt(f, 10, 64); err == nil && n > k.OldMax {
			return lang.Errorf(nil, "cannot set %s to %s: kernels before %s take at most %d, and this one is %s", "无法把 %s 设为 %s：%s 之前的内核最多取 %d，而本机内核是 %s", k.Key, value, k.Widened, k.OldMax, v).
				WithHint("write at most %d", "请写不超过 %d 的值", k.OldMax)
		}
	}
	return nil
}

// Check judges a value by the knob's shape and bounds.
func (k *Knob) Check(value string) error {
	want := max(k.Fields, 1)
	fields := strings.Fields(value)
	if len(fields) != want {
		return lang.Errorf(nil, "cannot set %s to %q: it takes %d whole number(s), not %d", "无法把 %s 设为 %q：它需要 %d 个整数，而不是 %d 个", k.Key, value, want, len(fields)).
			WithHint("write for example %s", "例如写 %s", k.example())
	}
	for _, f := range fields {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return lang.Errorf(nil, "cannot set %s to %q: %q is not a whole number", "无法把 %s 设为 %q：%q 不是整数", k.Key, value, f).
				WithHint("write for example %s", "例如写 %s", k.example())
		}
		if strconv.FormatInt(n, 10) != f {
			return lang.Errorf(nil, "cannot set %s to %q: write %d; with a leading zero the kernel would read it in base 8", "无法把 %s 设为 %q：请写成 %d；以 0 开头会被内核按八进制解读", k.Key, value, n).
				WithHint("write %d", "请写 %d", n)
		}
		if n < k.Min || n > k.Max {
			return lang.Errorf(nil, "cannot set %s to %q: %d is not between %d and %d", "无法把 %s 设为 %q：%d 不在 %d 到 %d 之间", k.Key, value, n, k.Min, k.Max).
				WithHint("the nearest is %d", "最接近的可用值是 %d", min(max(n, k.Min), k.Max))
		}
	}
	if k.Key == "net.ipv4.ip_local_port_range" {
		low, _ := strconv.ParseInt(fields[0], 10, 64)
		high, _ := strconv.ParseInt(fields[1], 10, 64)
		if high <= low {
			return lang.Errorf(nil, "cannot set %s to %q: the last port is not above the first", "无法把 %s 设为 %q：终止端口必须大于起始端口", k.Key, value).
				WithHint("write for example %s", "例如写 %s", k.example())
		}
	}
	return nil
}

// example is a value that is right: a profile's, or the least.
func (k *Knob) example() string {
	for _, v := range []string{k.Base, k.Web, k.Database, k.Build} {
		if v != "" {
			return v
		}
	}
	return strings.TrimSuffix(strings.Repeat(strconv.FormatInt(k.Min, 10)+" ", max(k.Fields, 1)), " ")
}

// reason is what a person reads about the change: reason, source, risk.
func (k *Knob) reason() lang.Text {
	return lang.F("%s\nSource: %s\nRisk: %s", "%s\n依据：%s\n风险：%s", k.Why, k.Source, k.Risk)
}

// Version is the first two numbers of a kernel release.
type Version struct{ Major, Minor int }

// Before reports whether v is an older kernel than o.
func (v Version) Before(o Version) bool {
	return v.Major < o.Major || v.Major == o.Major && v.Minor < o.Minor
}

func (v Version) String() string { return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) }

// parseRelease reads "4.19.90-52.22.v2207.ky10.aarch64" as 4.19.
func parseRelease(release string) (Version, bool) {
	major, rest, ok := strings.Cut(release, ".")
	if !ok {
		return Version{}, false
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(rest[:end])
	if errA != nil || errB != nil || a < 0 {
		return Version{}, false
	}
	return Version{a, b}, true
}
