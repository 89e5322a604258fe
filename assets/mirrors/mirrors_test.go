package mirrors

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
)

func load(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTheCatalogueHoldsTogether repeats what the reader checks, and what it leaves
// to people.
func TestTheCatalogueHoldsTogether(t *testing.T) {
	fingerprint := regexp.MustCompile(`^[0-9A-F]{40}$`)
	url := regexp.MustCompile(`^https?://[a-z0-9.:-]+/([a-z0-9._-]+/)*$`)
	names := map[string]lang.Text{}
	for _, p := range load(t).Products {
		if p.Source == "" || p.Official == "" || len(p.Vendor) == 0 {
			t.Errorf("%s: source %q, official %q, vendor %v", p.ID, p.Source, p.Official, p.Vendor)
		}
		if _, bare, _ := strings.Cut(p.Official, "://"); !slices.Contains(p.Vendor, bare) {
			t.Errorf("%s: the official site %s is none of the vendor's prefixes %v", p.ID, p.Official, p.Vendor)
		}
		if !url.MatchString(p.Official) {
			t.Errorf("%s: %s", p.ID, p.Official)
		}
		for _, m := range p.Mirrors {
			if !url.MatchString(m.URL) || m.Name.EN == "" || m.Name.ZH == "" {
				t.Errorf("%s: %+v", p.ID, m)
			}
			if was, ok := names[m.ID]; ok && was != m.Name {
				t.Errorf("%s is called %v and %v", m.ID, was, m.Name)
			}
			names[m.ID] = m.Name
			// A mirror of a whole host also has others' projects.
			if strings.Count(m.URL, "/") == 3 && len(p.Trees) == 0 {
				t.Errorf("%s: %s is a whole host, and no trees say what of it is the vendor's", p.ID, m.URL)
			}
		}
		for _, k := range p.Keys {
			if k.Fingerprint != "" && !fingerprint.MatchString(k.Fingerprint) {
				t.Errorf("%s: fingerprint %q", p.ID, k.Fingerprint)
			}
		}
		for _, r := range p.Repos {
			if !p.Owns(r.Path) {
				t.Errorf("%s: %s is in none of %v", p.ID, r.Path, p.Trees)
			}
		}
	}
}

// TestTheKeysAreThoseThatWereResearched is the list a second time, by hand.
func TestTheKeysAreThoseThatWereResearched(t *testing.T) {
	want := map[string]string{
		"B814 9E68 5286 4585 CE41 143B 41F8 AEBE 7A48 6D9F": "kylin-server",
		"12EA 74AC 9DF4 8D46 C69C A0BE D557 065E B25E 7F66": "openeuler",
		"8AA1 6BF9 F2CA 5244 010D CA96 3B47 7C60 B675 600B": "openeuler",
		"F87D B652 2967 855E 986F 840C 6191 4008 4873 F7C5": "anolis",
		"D1B8 F4D3 241F 015C ACF7 33D3 A8C7 C20C EDF1 B817": "loongnix",
	}
	got := map[string]string{}
	for _, p := range load(t).Products {
		for _, k := range p.Keys {
			if k.Fingerprint != "" {
				got[k.Fingerprint] = p.ID
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d fingerprints, want %d: %v", len(got), len(want), got)
	}
	for f, id := range want {
		if got[strings.ReplaceAll(f, " ", "")] != id {
			t.Errorf("%s is not %s's", f, id)
		}
	}
}

// absent are products that detection knows and the catalogue does not.
var absent = map[string]string{
	"neokylin":  "its repositories are not known from a public source, and the release is out of support",
	"tencentos": "its mirrors are Tencent Cloud's own and differ by region; not researched",
}

func TestEveryProductIsThereOrAbsentForAReason(t *testing.T) {
	files, err := filepath.Glob("../../detect/os*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	emitted := map[string]bool{}
	direct := regexp.MustCompile(`o\.Product = (?:known|r\.product)\("([a-z-]+)"`)
	byID := regexp.MustCompile(`case ((?:"[a-z-]+",? ?)+):\n\s*o\.Product = r\.product\(r\.id,`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range direct.FindAllStringSubmatch(string(b), -1) {
			emitted[m[1]] = true
		}
		for _, m := range byID.FindAllStringSubmatch(string(b), -1) {
			for _, id := range regexp.MustCompile(`[a-z-]+`).FindAllString(m[1], -1) {
				emitted[id] = true
			}
		}
	}
	if len(emitted) < 14 {
		t.Fatalf("found only %v in detect", emitted)
	}
	here := map[string]bool{}
	for _, p := range load(t).Products {
		here[p.ID] = true
		if !emitted[p.ID] {
			t.Errorf("no machine is ever called %s", p.ID)
		}
	}
	for id := range emitted {
		if here[id] == (absent[id] != "") {
			t.Errorf("%s: in the catalogue %v, absent because %q", id, here[id], absent[id])
		}
	}
}

func TestForTakesTheVersionsRepositories(t *testing.T) {
	c := load(t)
	for _, x := range []struct{ product, version, arch, first string }{
		{"openeuler", "22.03-LTS-SP4", "arm64", "openEuler-22.03-LTS-SP4/OS/$basearch/"},
		{"openeuler", "20.03-LTS", "riscv64", "openEuler-20.03-LTS/OS/$basearch/"},
		{"kylin-server", "V10-SP3", "arm64", "NS/V10/V10SP3/os/adv/lic/base/$basearch/"},
		{"kylin-server", "V10-SP3-2403", "amd64", "NS/V10/V10SP3-2403/os/adv/lic/base/$basearch/"},
		{"kylin-server", "V10-SP1", "arm64", "NS/V10/V10SP1.1/os/adv/lic/base/$basearch/"},
		{"kylin-server", "V11-2503", "loong64", "NS/V11/2503/os/adv/lic/base/$basearch/"},
		{"kylin-server", "V10", "arm64", ""}, // which service pack is not said
		{"kylin-server", "V10", "mips64le", "-"},
		{"kylin-server", "V7", "amd64", "-"},
		{"anolis", "8.6", "arm64", "$releasever/BaseOS/$basearch/os"},
		{"anolis", "23", "loong64", "$releasever/os/$basearch/os"},
		{"loongnix-server", "23.1", "loong64", "loongnix-server/23.1/os/$basearch"},
		{"loongnix", "25", "loong64", "loongnix/25/"},
		{"uos-server", "20-e", "arm64", ""},
		{"uos-server", "20", "arm64", "-"}, // each edition has a host of its own
		{"debian", "12", "amd64", "debian"},
		{"debian", "10", "amd64", ""},
		{"nobody", "1", "amd64", "-"},
	} {
		p, ok := c.For(x.product, x.version, x.arch)
		first := "-"
		if ok {
			first = ""
			if len(p.Repos) > 0 {
				first = p.Repos[0].Path
			}
		}
		if first != x.first {
			t.Errorf("%s %s %s: %q, want %q", x.product, x.version, x.arch, first, x.first)
		}
	}
	if p, _ := c.For("openeuler", "20.03-LTS", "arm64"); slices.ContainsFunc(p.Repos, func(r Repo) bool { return r.ID == "EPOL" }) {
		t.Error("20.03 gets an EPOL whose path is not verified")
	}
	if p, _ := c.For("kylin-server", "V10-SP3", "arm64"); !p.HTTP1 {
		t.Error("HTTP/2 is not switched off for Kylin's site")
	}
}

func TestOthersProjectsOnAMirrorsHostAreNotTheVendors(t *testing.T) {
	p, _ := load(t).For("debian", "12", "amd64")
	for rest, want := range map[string]bool{"debian": true, "debian/": true, "debian-security/": true, "docker-ce/linux/debian": false, "debian-multimedia": false, "": false} {
		if p.Owns(rest) != want {
			t.Errorf("%q: %v", rest, !want)
		}
	}
	if p, _ := load(t).For("openeuler", "24.03-LTS", "amd64"); !p.Owns("anything/") {
		t.Error("openEuler's mirrors are its own")
	}
}

func TestASitesCatalogueComesFirst(t *testing.T) {
	data, err := os.ReadFile("testdata/site.yaml")
	if err != nil {
		t.Fatal(err)
	}
	site, err := Parse("site.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	own := load(t)
	c := own.Merge(site)
	e, _ := c.For("openeuler", "24.03-LTS", "arm64")
	was, _ := own.For("openeuler", "24.03-LTS", "arm64")
	if e.Mirrors[0].ID != "intranet" || e.Mirrors[1].URL != "http://proxy.corp.example/tuna/openeuler/" || len(e.Mirrors) != len(was.Mirrors)+1 || e.Official != was.Official {
		t.Errorf("openEuler: %+v", e.Mirrors)
	}
	k, _ := c.For("kylin-server", "V10-SP3", "arm64")
	if len(k.Mirrors) != 1 || k.Source != "the network group, room 3.14" || k.Keys[0].Fingerprint != "B8149E6852864585CE41143B41F8AEBE7A486D9F" {
		t.Errorf("Kylin V10: %+v", k)
	}
	if k, _ := c.For("kylin-server", "V11-2503", "arm64"); len(k.Mirrors) != 0 || len(k.Repos) != 2 {
		t.Errorf("Kylin V11 changed with V10: %+v", k)
	}
	if again, _ := own.For("openeuler", "24.03-LTS", "arm64"); len(again.Mirrors) != len(was.Mirrors) {
		t.Error("merging changed what was merged")
	}
}
