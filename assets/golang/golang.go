// Package golang is the catalogue of Go releases: their archives' digests, what the
// checksum database says of them, with a proof that can be checked without a network,
// and the sites that carry them. It asks nobody and proves nothing: steps/verify does,
// and a release that is not here is found online.
//
//	digests.txt    sha256 of archives, kept by hand, each block with its source in
//	               both languages
//	log.json       made by cmd/releases from the checksum database
//	sources.yaml   sites, kept by hand
//	vendor.yaml    Loongson's own builds for old-world kernels, kept by hand
package golang

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"go/version"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"goxin/assets/lang"
)

//go:embed digests.txt
var digests string

//go:embed log.json
var logged []byte

//go:embed sources.yaml
var sources []byte

//go:embed vendor.yaml
var vendors []byte

// Catalogue is what is known of releases, newest first, and where to get them.
type Catalogue struct {
	Releases []Release
	Sources  []Source
	Vendor   []Vendor
}

// Vendor is a Go that Loongson built for linux/loong64 on old-world kernels.
type Vendor struct {
	Version string // "go1.26.4"
	URL     string // of the archive
	SHA256  string // of it, hexadecimal
	From    lang.Text
}

// Release is one version of Go.
type Release struct {
	Version string    // "go1.26.8"
	Date    time.Time // when its module appeared, some days after its signature at most; zero: not known
	Files   []File
}

// File is one archive of a release, and the module that is made from the same files.
type File struct {
	OS, Arch string // as GOOS and GOARCH; "" of the source
	Source   bool
	SHA256   string    // of the ordinary archive, hexadecimal; "" not known
	From     lang.Text // whom SHA256 is from
	H1       string    // of the module; "" not in log.json
	Proof    string    // of H1, as verify.ParseProof reads it
	Module   int64     // bytes of the module's zip; 0 not known
}

// Source is a site.
type Source struct {
	ID       string
	Name     lang.Text
	Kind     string // "archive": URL/go1.26.8.linux-arm64.tar.gz; "goproxy": URL/golang.org/toolchain/@v/….zip
	URL      string // without a final slash
	Official bool   // of the Go project
	From     string // where that is known from
}

// Entry is one record of log.json.
type Entry struct {
	Version string    `json:"version"`
	OS      string    `json:"os"`
	Arch    string    `json:"arch"`
	Date    time.Time `json:"date"`
	Module  int64     `json:"module"` // bytes
	H1      string    `json:"h1"`
	Proof   string    `json:"proof"`
}

// Load reads what is embedded.
func Load() (*Catalogue, error) {
	c := new(Catalogue)
	var entries []Entry
	if err := json.Unmarshal(logged, &entries); err != nil {
		return nil, fmt.Errorf("log.json: %w", err)
	}
	for _, e := range entries {
		r := c.release(e.Version)
		if r.Date.IsZero() || e.Date.Before(r.Date) {
			r.Date = e.Date
		}
		f := r.file(e.OS, e.Arch)
		f.H1, f.Proof, f.Module = e.H1, e.Proof, e.Module
	}
	if err := c.digests(digests); err != nil {
		return nil, err
	}
	slices.SortFunc(c.Releases, func(a, b Release) int { return version.Compare(b.Version, a.Version) })
	if err := c.vendor(vendors); err != nil {
		return nil, err
	}
	return c, c.sites(sources)
}

func (c *Catalogue) vendor(text []byte) error {
	var raw []struct {
		Version, URL, SHA256 string
		From                 struct{ EN, ZH string }
	}
	if err := yaml.UnmarshalWithOptions(text, &raw, yaml.Strict()); err != nil {
		return fmt.Errorf("vendor.yaml: %w", err)
	}
	for _, v := range raw {
		c.Vendor = append(c.Vendor, Vendor{v.Version, v.URL, v.SHA256, lang.T(v.From.EN, v.From.ZH)})
	}
	slices.SortFunc(c.Vendor, func(a, b Vendor) int { return version.Compare(b.Version, a.Version) })
	return nil
}

func (c *Catalogue) release(v string) *Release {
	i := slices.IndexFunc(c.Releases, func(r Release) bool { return r.Version == v })
	if i < 0 {
		c.Releases = append(c.Releases, Release{Version: v})
		i = len(c.Releases) - 1
	}
	return &c.Releases[i]
}

func (r *Release) file(os, arch string) *File {
	i := slices.IndexFunc(r.Files, func(f File) bool { return f.OS == os && f.Arch == arch })
	if i < 0 {
		r.Files = append(r.Files, File{OS: os, Arch: arch, Source: os == ""})
		i = len(r.Files) - 1
	}
	return &r.Files[i]
}

var digestLine = regexp.MustCompile(`^([0-9a-f]{64})  (go1[0-9a-z.]*?)\.(?:(src)|([a-z0-9]+)-([a-z0-9]+))\.tar\.gz$`)

// digests reads lines as sha256sum writes them; a comment is the source of those
// that follow: "# English | 中文".
func (c *Catalogue) digests(text string) error {
	var from lang.Text
	for n, l := range strings.Split(text, "\n") {
		if said, ok := strings.CutPrefix(l, "# "); ok || l == "" {
			en, zh, both := strings.Cut(said, " | ")
			if ok && (!both || en == "" || zh == "") {
				return fmt.Errorf("digests.txt:%d: a source in both languages is written as %q", n+1, "# English | 中文")
			}
			from = lang.T(en, zh)
			continue
		}
		m := digestLine.FindStringSubmatch(l)
		if m == nil || !version.IsValid(m[2]) {
			return fmt.Errorf("digests.txt:%d: not a digest and the name of an archive", n+1)
		}
		if from.Empty() {
			return fmt.Errorf("digests.txt:%d: it is not said whom the digest is from", n+1)
		}
		f := c.release(m[2]).file(m[4], m[5])
		if f.SHA256 != "" && f.SHA256 != m[1] {
			return fmt.Errorf("digests.txt:%d: two digests of one archive", n+1)
		}
		f.SHA256, f.From = m[1], from
	}
	return nil
}

func (c *Catalogue) sites(text []byte) error {
	var raw []struct {
		ID, Kind, URL, From string
		Official            bool
		Name                struct{ EN, ZH string }
	}
	if err := yaml.UnmarshalWithOptions(text, &raw, yaml.Strict()); err != nil {
		return fmt.Errorf("sources.yaml: %w", err)
	}
	for _, s := range raw {
		c.Sources = append(c.Sources, Source{ID: s.ID, Name: lang.T(s.Name.EN, s.Name.ZH), Kind: s.Kind, URL: s.URL, Official: s.Official, From: s.From})
	}
	return nil
}

// Newest is the newest release of a line ("1.26"; "" any) that is no beta and no
// release candidate.
func (c *Catalogue) Newest(line string) (Release, bool) {
	line = strings.TrimPrefix(line, "go")
	for _, r := range c.Releases {
		if version.IsValid(r.Version) && !strings.ContainsAny(strings.TrimPrefix(r.Version, "go"), "abcdefghijklmnopqrstuvwxyz") &&
			(line == "" || version.Lang(r.Version) == "go"+line) {
			return r, true
		}
	}
	return Release{}, false
}

// Release is the release of a version ("go1.26.8").
func (c *Catalogue) Release(v string) (Release, bool) {
	i := slices.IndexFunc(c.Releases, func(r Release) bool { return r.Version == v })
	if i < 0 {
		return Release{}, false
	}
	return c.Releases[i], true
}

// Find is a release's file for a platform; of OS and architecture "" its source.
func (c *Catalogue) Find(v, os, arch string) (File, bool) {
	r, ok := c.Release(v)
	if !ok {
		return File{}, false
	}
	i := slices.IndexFunc(r.Files, func(f File) bool { return f.OS == os && f.Arch == arch })
	if i < 0 {
		return File{}, false
	}
	return r.Files[i], true
}
