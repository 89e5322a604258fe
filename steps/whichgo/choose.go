package whichgo

import (
	"go/version"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/op"
)

// Choice is the toolchain a project wants, of those installed.
type Choice struct {
	// Toolchain is its name, "go1.26.8"; "" where the one in use will do.
	Toolchain string
	// From is the file that says so: a .go-version, go.work or go.mod; "" for none.
	From string
}

// Choose picks for the project of s among the toolchains that are installed; current,
// one of them or another, is in use ("" for none). A .go-version is meant as it is
// written, "1.26" being the newest release of that line; go.work and go.mod ask for at
// least a version, and what is in use is kept where it is new enough.
func Choose(s *Situation, installed []string, current string) (Choice, error) {
	if s.Pin.Path != "" {
		return pinned(s.Pin, installed, current)
	}
	m := s.Module
	if m.Path == "" || m.Ignored || m.Toolchain == "default" {
		return Choice{}, nil
	}
	least := versionOf("go" + m.Go)
	named := versionOf(m.Toolchain)
	if version.Compare(named, least) > 0 {
		least = named
	}
	c := Choice{From: m.Path}
	switch {
	case least == "" || version.Compare(versionOf(current), least) >= 0:
		return c, nil
	case named == least && slices.Contains(installed, m.Toolchain):
		c.Toolchain = m.Toolchain
	default:
		c.Toolchain = oldest(installed, least)
	}
	if c.Toolchain == "" {
		if version.Lang(least) == least {
			least = Release(strings.TrimPrefix(least, "go"))
		}
		return c, notInstalled(m.Path, least, installed)
	}
	return c, nil
}

func pinned(p Pin, installed []string, current string) (Choice, error) {
	c := Choice{From: p.Path}
	if p.Version == "" {
		return c, lang.Errorf(nil, "cannot tell which Go %s asks for", "无法判断 %s 要求哪个 Go 版本", op.Visible(p.Path)).
			WithHint("write one version into it, such as 1.26.8 or 1.26", "文件中请只写一个版本，如 1.26.8 或 1.26")
	}
	want := "go" + p.Version
	switch {
	case slices.Contains(installed, want):
		c.Toolchain = want
	case version.Lang(want) == want:
		c.Toolchain = newestOf(installed, want)
	}
	switch v := versionOf(current); {
	case c.Toolchain == "" && v != want && version.Lang(v) != want:
		return c, notInstalled(p.Path, want, installed)
	case c.Toolchain == current:
		c.Toolchain = ""
	}
	return c, nil
}

func notInstalled(file, want string, installed []string) error {
	e := lang.Errorf(nil, "cannot use %s, which %s asks for: it is not installed", "无法使用 %[2]s 所要求的 %[1]s：尚未安装", op.Visible(want), op.Visible(file))
	v := strings.TrimPrefix(versionOf(want), "go")
	if len(installed) == 0 {
		return e.WithHint("install it: goxin toolchain install %s", "请先安装：goxin toolchain install %s", v)
	}
	return e.WithHint("install it: goxin toolchain install %s (there are %s)", "请先安装：goxin toolchain install %s（现有 %s）", v, strings.Join(sorted(installed), ", "))
}

// sorted are names from old to new.
func sorted(names []string) []string {
	return slices.SortedFunc(slices.Values(names), func(a, b string) int { return version.Compare(versionOf(a), versionOf(b)) })
}

// oldest is the oldest of names that is least or newer; "" where none is.
func oldest(names []string, least string) string {
	for _, n := range sorted(names) {
		if v := versionOf(n); v != "" && version.Compare(v, least) >= 0 {
			return n
		}
	}
	return ""
}

// newestOf is the newest release of the line; a candidate only where there is no
// release.
func newestOf(names []string, line string) string {
	best := ""
	for _, n := range sorted(names) {
		if v := versionOf(n); v != "" && version.Lang(v) == line {
			best = n
		}
	}
	return best
}
