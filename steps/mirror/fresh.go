package mirror

import (
	"fmt"
	"strings"

	"goxin/steps/repo"
)

// fresh makes up the sources of a machine that has none: the vendor's own, as its
// installation would have written them, to be moved like any others. A product
// whose key is not on the machine gets none.
func (l *looker) fresh() {
	key := ""
	for _, k := range l.product.Keys {
		if _, err := l.m.Stat(k.Path); err == nil && k.Path != "" {
			key = k.Path
			break
		}
	}
	if key == "" || len(l.product.Repos) == 0 || l.seen.Manager == "" {
		return
	}
	name, text := "/etc/yum.repos.d/goxin.repo", l.rpmSources(key)
	if l.seen.Manager == "apt" {
		name, text = "/etc/apt/sources.list.d/goxin.list", l.debSources(key)
	}
	f, err := repo.Parse(name, []byte(text))
	if err != nil {
		return
	}
	l.seen.Files = append(l.seen.Files, Source{f.Name, f.Bytes(), 0o644})
	for i, e := range f.Entries() {
		r := Repo{Entry: i, ID: e.ID, Target: -1, Signed: true, URLs: e.URLs}
		l.place(&r, e)
		l.seen.Repos = append(l.seen.Repos, r)
	}
}

func (l *looker) rpmSources(key string) string {
	var b strings.Builder
	for _, r := range l.product.Repos {
		fmt.Fprintf(&b, "[%s]\nname=%s\nbaseurl=%s\nenabled=1\ngpgcheck=1\ngpgkey=file://%s\n\n", r.ID, r.Name, l.scheme(l.product.Official+r.Path), key)
	}
	return b.String()
}

func (l *looker) debSources(key string) string {
	var b strings.Builder
	for _, r := range l.product.Repos {
		fmt.Fprintf(&b, "deb [signed-by=%s] %s %s %s\n", key, l.scheme(l.product.Official+r.Path), r.Suite, strings.Join(r.Components, " "))
	}
	return b.String()
}
