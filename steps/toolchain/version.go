package toolchain

import (
	"cmp"
	"go/version"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
)

const latest = "latest"

// wish is a version as a person writes it: "latest", a line ("1.26"), or one release
// ("1.26.8", "1.27rc2"). Of both a leading "go" is dropped.
type wish string

var wishes = regexp.MustCompile(`^(go)?1\.[0-9]{1,3}(\.[0-9]{1,3}|(rc|beta)[0-9]{1,2})?$`)

func checkWish(s string) error {
	if s == latest || wishes.MatchString(s) && version.IsValid("go"+strings.TrimPrefix(s, "go")) {
		return nil
	}
	return lang.Errorf(nil, "%q is no version of Go", "%q 不是 Go 版本号", s).
		WithHint("give a release (1.26.8), a line (1.26: its newest) or latest", "请填写具体版本（1.26.8）、版本系列（1.26，取其最新）或 latest")
}

// release is the version that is meant, where it is one release.
func (w wish) release() (string, bool) {
	v := "go" + strings.TrimPrefix(string(w), "go")
	return v, w != latest && v != version.Lang(v)
}

// covers says whether v ("go1.26.8") is what is meant. Lines and latest mean no beta
// and no release candidate.
func (w wish) covers(v string) bool {
	if one, ok := w.release(); ok {
		return v == one
	}
	return stable(v) && (w == latest || version.Lang(v) == "go"+strings.TrimPrefix(string(w), "go"))
}

func stable(v string) bool {
	return version.IsValid(v) && !strings.Contains(v, "rc") && !strings.Contains(v, "beta")
}

// newest are the versions w covers, newest first.
func (w wish) newest(known []string) []string {
	var out []string
	for _, v := range known {
		if w.covers(v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return version.Compare(b, a) })
	return slices.Compact(out)
}

// nearest is the known version that v was likely meant to be: the fewest letters
// away, the newest of those; "" where nothing is near.
func nearest(v string, known []string) string {
	sorted := slices.SortedFunc(slices.Values(known), func(a, b string) int {
		return cmp.Or(cmp.Compare(typos(v, a), typos(v, b)), cmp.Compare(extra(v, a), extra(v, b)), version.Compare(b, a))
	})
	for _, k := range sorted {
		if typos(v, k) <= 2 || version.Lang(k) == version.Lang(v) {
			return k
		}
	}
	return ""
}

// nearestLine is the known line ("1.26") that w was likely meant to be, one letter
// away; "" where there is none.
func nearestLine(w string, known []string) string {
	line, near := "go"+strings.TrimPrefix(w, "go"), ""
	for _, k := range known {
		if l := version.Lang(k); typos(line, l) == 1 && (near == "" || version.Compare(l, near) > 0) {
			near = l
		}
	}
	return strings.TrimPrefix(near, "go")
}

// extra is 0 where b begins a: a digit too many is the commonest slip.
func extra(a, b string) int {
	if strings.HasPrefix(a, b) {
		return 0
	}
	return 1
}

// typos counts the letters to add, drop or change between a and b.
func typos(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}

// bootstrap is the oldest Go that builds v: of 1.N, from 1.22 on, 1.(N-2) rounded
// down to even (go.dev/doc/install/source, "Bootstrap toolchain from source").
func bootstrap(v string) string {
	minor := 0
	for _, c := range strings.TrimPrefix(version.Lang(v), "go1.") {
		minor = minor*10 + int(c-'0')
	}
	switch {
	case minor < 20:
		return "go1.4"
	case minor < 22:
		return "go1.17"
	}
	return "go1." + strconv.Itoa((minor-2)/2*2)
}
