package mirror

import (
	"strings"

	"goxin/assets/lang"
	"goxin/assets/mirrors"
	"goxin/steps/race"
)

// The candidates beside the mirrors of the catalogue.
const (
	siteOfficial = "official"
	sitePresent  = "present"
)

// candidates are the vendor's own site, the catalogue's mirrors, what the
// machine uses now where that is neither, and what was typed. Where one is asked
// for by name, the vendor's is asked with it, to tell how fresh it is.
func (l *looker) candidates() []race.Candidate {
	var out []race.Candidate
	add := func(id string, name lang.Text, prefix string, http1, official bool) {
		s := Site{ID: id, Name: name, Prefix: l.scheme(prefix)}
		s.Plain = s.Prefix != prefix
		l.seen.Sites = append(l.seen.Sites, s)
		out = append(out, race.Candidate{ID: id, Name: name, URLs: l.urls(s), HTTP1: http1, Official: official, Gated: official && l.product.Gated})
	}
	add(siteOfficial, lang.T("the vendor's own", "官方源"), l.product.Official, l.product.HTTP1, true)
	src := l.answers.Source
	for _, m := range l.product.Mirrors {
		if src == sourceFastest || src == m.ID || l.answers.isURL() {
			add(m.ID, m.Name, m.URL, m.HTTP1, false)
		}
	}
	if l.answers.isURL() {
		add(src, lang.Same(noScheme(src)), src, false, false)
	}
	if src == sourceFastest && l.elsewhere() {
		add(sitePresent, lang.T("what is set now", "当前配置的源"), "", false, false)
	}
	return out
}

// elsewhere reports whether some repository stands at no site of the catalogue.
func (l *looker) elsewhere() bool {
	for _, r := range l.seen.vendors() {
		if len(r.URLs) > 0 && !l.catalogued(r.URLs[0]) {
			return true
		}
	}
	return false
}

func (l *looker) catalogued(url string) bool {
	bare := noScheme(url)
	sites := append([]mirrors.Mirror{{URL: l.product.Official}}, l.product.Mirrors...)
	for _, m := range sites {
		if strings.HasPrefix(bare, noScheme(m.URL)) {
			return true
		}
	}
	for _, v := range l.product.Vendor {
		if strings.HasPrefix(bare, v) {
			return true
		}
	}
	return false
}

// scheme is the URL the machine itself can use.
func (l *looker) scheme(url string) string {
	if rest, ok := strings.CutPrefix(url, "https://"); ok && l.seen.Plain {
		return "http://" + rest
	}
	return url
}

// urls are where each target is at a site.
func (l *looker) urls(s Site) []string {
	out := make([]string, len(l.targets))
	for _, r := range l.seen.vendors() {
		url := s.Prefix + r.Rest
		if s.Prefix == "" && len(r.URLs) > 0 {
			url = r.URLs[0]
		}
		out[r.Target] = l.vars.Expand(url)
	}
	return out
}
