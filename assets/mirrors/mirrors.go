// Package mirrors is the catalogue of package sources: which site a product's
// packages come from, which mirrors repeat it, and whose key signs. It is one YAML
// file; a site can add one of its own in the same form (testdata/site.yaml shows
// it). The package asks nobody: whether a mirror carries a release is for the race
// to find out (steps/race).
package mirrors

import (
	_ "embed"
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
)

//go:embed catalogue.yaml
var embedded []byte

// Catalogue is what is known of products' package sources, the first match first.
type Catalogue struct{ Products []Product }

// Product is where one product's packages come from. Prefixes end in "/".
type Product struct {
	ID string // as Facts.OS.Product: kylin-server, openeuler, …
	// Versions are patterns (path.Match) on the version: Facts.OS.Version, of Kylin
	// server with "-" and the service pack behind it, of UOS with "-" and the edition.
	// Empty: all.
	Versions []string
	Archs    []string // Go names; empty: all
	Vendor   []string // URL prefixes without scheme that are the vendor's
	// Trees are the directories below a prefix that are the vendor's: mirrors of some
	// products share their root with other projects. Empty: everything.
	Trees    []string
	Official string // the vendor's own site, a prefix with its scheme
	HTTP1    bool   // its HTTP/2 is known to stall
	Mirrors  []Mirror
	Keys     []Key
	Gated    bool // the vendor asks for a licence: 401 and 403 mean "not activated"
	// Repos are what to write where a machine has no sources at all. Of a product
	// that For gave they are those of the version, and no {version} is left.
	Repos  []Repo
	Source string // where these facts are from
}

// Mirror is a site that repeats the vendor's.
type Mirror struct {
	ID    string
	Name  lang.Text
	URL   string // a prefix with its scheme, in place of a vendor's
	HTTP1 bool   // its HTTP/2 is known to stall
}

// Key is who signs. Either part may be unknown.
type Key struct {
	Path        string // on the machine: "/etc/pki/rpm-gpg/RPM-GPG-KEY-kylin"
	Fingerprint string // of the primary key, 40 hexadecimal digits
}

// Repo is a repository of the vendor's.
type Repo struct {
	Versions []string // patterns, as a product's
	ID, Name string
	// Path is below a prefix; $releasever and $basearch may stand in it, and
	// {version}, which For fills in.
	Path       string
	Suite      string // deb
	Components []string
}

// Load reads the catalogue that goxin carries.
func Load() (*Catalogue, error) { return parse("catalogue.yaml", embedded) }

// For is the product of this ID whose patterns the version and the architecture
// (Go's name) match: the first.
func (c *Catalogue) For(product, version, goarch string) (Product, bool) {
	for _, p := range c.Products {
		if p.ID != product || !matches(p.Versions, version) || len(p.Archs) > 0 && !slices.Contains(p.Archs, goarch) {
			continue
		}
		var repos []Repo
		for _, r := range p.Repos {
			if matches(r.Versions, version) {
				r.Path = strings.ReplaceAll(r.Path, "{version}", version)
				r.Name = strings.ReplaceAll(r.Name, "{version}", version)
				repos = append(repos, r)
			}
		}
		p.Repos = repos
		return p, true
	}
	return Product{}, false
}

func matches(patterns []string, s string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, _ := path.Match(p, s) // patterns were checked when they were read
		return ok
	})
}

// Owns reports whether what stands at rest, a path below a prefix, is the
// product's own.
func (p Product) Owns(rest string) bool {
	tree, _, _ := strings.Cut(rest, "/")
	return len(p.Trees) == 0 || slices.Contains(p.Trees, tree)
}

// Merge is c with a site's own catalogue before it. A site's product that names
// an official site comes first as it is, and so replaces c's for what it matches.
// One that names none adds its mirrors to c's products of that ID: before the
// others, and in place of those of the same ID.
func (c *Catalogue) Merge(site *Catalogue) *Catalogue {
	out := &Catalogue{}
	for _, s := range site.Products {
		if s.Official != "" {
			out.Products = append(out.Products, s)
		}
	}
	for _, p := range c.Products {
		for _, s := range site.Products {
			if s.Official == "" && s.ID == p.ID {
				p = p.with(s)
			}
		}
		out.Products = append(out.Products, p)
	}
	return out
}

func (p Product) with(site Product) Product {
	mirrors := slices.Clone(site.Mirrors)
	for _, m := range p.Mirrors {
		if !slices.ContainsFunc(site.Mirrors, func(s Mirror) bool { return s.ID == m.ID }) {
			mirrors = append(mirrors, m)
		}
	}
	p.Mirrors = mirrors
	return p
}
