package mirror

import (
	"strings"

	"goxin/assets/mirrors"
	"goxin/steps/repo"
)

// place is where a repository stands: below a site's prefix, which another site's
// may replace.
type place struct {
	Prefix string // with its scheme: "https://repo.openeuler.org/"
	Rest   string // below it, as it was written: "openEuler-22.03-LTS/OS/$basearch/"
}

// locate finds the prefix of a product's vendor, or of one of its mirrors, in a
// repository's URL; or, for a site that is neither, what a known repository's
// path leaves over.
func locate(p mirrors.Product, vars repo.Vars, url string) (place, bool) {
	bare := noScheme(url)
	scheme := url[:len(url)-len(bare)]
	prefixes := append([]string{noScheme(p.Official)}, p.Vendor...)
	for _, m := range p.Mirrors {
		prefixes = append(prefixes, noScheme(m.URL))
	}
	best := ""
	for _, x := range prefixes {
		if x != "" && len(x) > len(best) && strings.HasPrefix(bare, x) {
			best = x
		}
	}
	if best != "" {
		at := place{scheme + best, bare[len(best):]}
		return at, p.Owns(at.Rest)
	}
	expanded := strings.TrimSuffix(vars.Expand(url), "/")
	for _, r := range p.Repos {
		path := strings.Trim(vars.Expand(r.Path), "/")
		if path != "" && strings.HasSuffix(expanded, "/"+path) {
			return place{strings.TrimSuffix(expanded, path), strings.TrimPrefix(r.Path, "/")}, true
		}
	}
	return place{}, false
}

// noScheme is a URL without what says how to reach it.
func noScheme(url string) string {
	if _, bare, ok := strings.Cut(url, "://"); ok {
		return bare
	}
	return url
}

// known reports whether nothing of a URL is left to be filled in.
func known(url string) bool { return url != "" && !strings.ContainsRune(url, '$') }
