//go:build e2e

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// packager is a machine whose packages are to come from the best mirror.
type packager struct {
	*Box
	mirrors *Mirrors
	sources string   // the file that says where from
	leaves  []string // what its package manager leaves by itself
	was     packaged // before goxin came, as far as what installs nothing may touch it
}

const catalogueFile = "/etc/goxin/mirrors.yaml"

const packageAnswers = `version: 1
steps:
  mirror:
    source: fastest
    catalogue: ` + catalogueFile + `
  libs: {}
  devtools: {}
`

// catalogue is the site's own: the lab's mirrors, and who signs there.
func (m *Mirrors) catalogue(product, vendor, below, keyFile string) string {
	m.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "products:\n  - id: %s\n    vendor: [%s/]\n    official: http://%s/\n    mirrors:\n", product, vendor, vendor)
	for _, l := range m.Legs {
		if l.Name != "official" {
			fmt.Fprintf(&b, "      - {id: %s, name: {en: %s, zh: %s}, url: \"http://%s/%s\"}\n", l.Name, l.Name, l.Name, l.Address, below)
		}
	}
	fmt.Fprintf(&b, "    keys:\n      - {path: %s, fingerprint: %s}\n    source: the lab\n", keyFile, m.fingerprint())
	return b.String()
}

// fingerprint is of the key that signs the good repositories.
func (m *Mirrors) fingerprint() string {
	m.t.Helper()
	out, err := exec.Command("gpg", "--homedir", m.t.TempDir(), "--batch", "--with-colons", "--show-keys", filepath.Join(m.repo, "lab.asc")).Output()
	ok(m.t, err)
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(line, ":"); f[0] == "fpr" && len(f) > 9 {
			return f[9]
		}
	}
	m.t.Fatalf("no fingerprint in:\n%s", out)
	return ""
}

func newAptPackager(t *testing.T, rates [3]int) *packager {
	t.Helper()
	l := NewLab(t)
	m := l.Mirrors(t, rates)
	b := l.AptMachine(t, m)
	b.ready(t, m.catalogue("debian", "deb.debian.org", "", "/etc/apt/keyrings/lab.asc"))
	return &packager{b, m, "/etc/apt/sources.list", aptLeaves, b.settings(aptLeaves)}
}

func newDnfPackager(t *testing.T, rates [3]int) *packager {
	t.Helper()
	l := NewLab(t)
	m := l.Mirrors(t, rates)
	b := l.DnfMachine(t, m)
	b.ready(t, m.catalogue("openeuler", "repo.openeuler.org", "openeuler/", "/etc/pki/rpm-gpg/RPM-GPG-KEY-openEuler"))
	return &packager{b, m, "/etc/yum.repos.d/openEuler.repo", dnfLeaves, b.settings(dnfLeaves)}
}

func (b *Box) ready(t *testing.T, catalogue string) {
	t.Helper()
	goxin, _ := programs(t)
	b.Install(goxin, program)
	b.Do("mkdir", "-p", filepath.Dir(catalogueFile))
	b.Write(catalogueFile, catalogue, 0o644)
	b.Write("/root/answers.yaml", packageAnswers, 0o600)
}

// seeded are the rates of three mirrors, each two and a half times the next: which
// is the best is no matter of luck. With the seed they change places.
func seeded(seed int) [3]int {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	var rates [3]int
	for i, rate := range []float64{80, 32, 12} {
		rates[(i+seed)%3] = int(rate * (0.9 + 0.2*r.Float64()))
	}
	return rates
}

// uses fails unless packages come from the mirror, before any other: dnf takes the
// first of several addresses, apt the first line of a list it is pointed to.
func (p *packager) uses(t *testing.T, l leg) {
	t.Helper()
	from := p.Read(p.sources)
	if _, rest, ok := strings.Cut(from, "mirror+file:"); ok {
		from = p.Read(strings.Fields(rest)[0])
	}
	for line := range strings.Lines(from) {
		if _, url, ok := strings.Cut(line, "http://"); ok && !strings.HasPrefix(line, "#") {
			if !strings.HasPrefix(url, l.Address+"/") {
				t.Errorf("%s (%s, %d Mbit/s) is the best, chosen was\n%s", l.Name, l.Address, l.rate, from)
			}
			return
		}
	}
	t.Errorf("no source in:\n%s", from)
}

// judges has goxin tell of every mirror whether it can be used, and of every one
// that is not as it should be why.
func (p *packager) judges(t *testing.T) {
	t.Helper()
	var told struct {
		Results []struct {
			ID     string `json:"id"`
			Usable bool   `json:"usable"`
			Why    string `json:"why"`
		} `json:"results"`
		Took  time.Duration `json:"took_ns"`
		Bytes int64         `json:"bytes"`
	}
	ok(t, json.Unmarshal([]byte(p.goxin(t, 0, "mirrors", "--catalogue", catalogueFile, "--json").Out), &told))
	if len(told.Results) != len(p.mirrors.Legs) || told.Took > 6*time.Second || told.Bytes > 24<<20 {
		t.Errorf("%d of %d mirrors in %v with %d bytes", len(told.Results), len(p.mirrors.Legs), told.Took, told.Bytes)
	}
	legs := map[string]leg{}
	for _, l := range p.mirrors.Legs {
		legs[l.Name] = l
	}
	for _, r := range told.Results {
		l := legs[r.ID]
		good := l.Root == "/srv/mirror/"+Good && l.Kind == "" && l.rate > 0 && !l.mute
		switch {
		case good && !r.Usable:
			t.Errorf("%s is as it should be, and cannot be used: %s", r.ID, r.Why)
		case !good && r.Usable && r.Why != "stale" && r.Why != "slow", !good && r.Why == "":
			t.Errorf("%s can be used (%q)", r.ID, r.Why)
		}
	}
	t.Logf("%v, %.1f MiB\n%s", told.Took.Round(time.Millisecond), float64(told.Bytes)/(1<<20), p.goxin(t, 0, "mirrors", "--catalogue", catalogueFile).Out)
}

// choosesThrice has the mirrors change places, and goxin find the best each time.
func (p *packager) choosesThrice(t *testing.T) {
	t.Helper()
	for seed := range 3 {
		p.mirrors.Rate(seeded(seed))
		begin := time.Now()
		r := p.goxin(t, 0, "apply", "-f", "/root/answers.yaml", "--only", "mirror", "--yes")
		t.Logf("seed %d: compared and written in %v", seed, time.Since(begin).Round(time.Millisecond))
		if seed == 0 {
			t.Logf("%s", short(r.Err))
		}
		p.uses(t, p.mirrors.Best())
		p.goxin(t, 0, "check")
		p.goxin(t, 0, "undo")
		p.was.same(t, p.settings(p.leaves))
	}
}

// installs takes all three steps, headless, and back.
func (p *packager) installs(t *testing.T) {
	t.Helper()
	before := p.packaged(p.leaves)
	begin := time.Now()
	r := p.goxin(t, 0, "apply", "-f", "/root/answers.yaml", "--yes")
	t.Logf("all three steps in %v\n%s", time.Since(begin).Round(time.Millisecond), short(r.Err))
	p.uses(t, p.mirrors.Best())
	compiles(t, p.Box)
	p.goxin(t, 0, "check")
	p.goxin(t, 0, "plan", "-f", "/root/answers.yaml", "--only", "libs,devtools") // nothing is left to do
	begin = time.Now()
	p.goxin(t, 0, "undo")
	t.Logf("undone in %v", time.Since(begin).Round(time.Millisecond))
	before.same(t, p.packaged(p.leaves))
}

// short is what goxin says without what apt and dnf say through it.
func short(said string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "        ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// refuses has the best mirror turn after it was chosen: first its index, which the
// trial finds, then its packages, which the package manager finds when the sources
// are written already and no fallback helps.
func (p *packager) refuses(t *testing.T) {
	t.Helper()
	best := p.mirrors.Best().Name
	for _, turn := range []struct {
		what string
		code int
	}{{"index", 5}, {"packages", 4}} {
		p.mirrors.Turn(best, turn.what+" managers")
		r := p.goxin(t, turn.code, "apply", "-f", "/root/answers.yaml", "--set", "mirror.fallbacks=false", "--yes")
		t.Logf("%s tampered with:\n%s", turn.what, short(r.Err))
		p.was.same(t, p.settings(p.leaves))
	}
	p.mirrors.Turn(best, "")
}

// On a machine that apt rules: the best of twenty-seven mirrors three times out of
// three, tools installed and a program compiled, all of it undone, and a mirror
// that lies refused.
func TestAptGetsItsPackagesFromTheBestMirror(t *testing.T) {
	t.Parallel()
	p := newAptPackager(t, seeded(0))
	p.judges(t)
	p.choosesThrice(t)
	p.refuses(t)
	p.installs(t)
}

func TestDnfGetsItsPackagesFromTheBestMirror(t *testing.T) {
	t.Parallel()
	p := newDnfPackager(t, seeded(0))
	p.judges(t)
	p.choosesThrice(t)
	p.refuses(t)
	p.installs(t)
}

// The wizard by keys alone, from its first page to packages that are installed
// and a package manager that asks the best mirror; and back.
func TestTheWizardGetsPackagesFromTheBestMirror(t *testing.T) {
	t.Parallel()
	for name, packager := range map[string]func(*testing.T, [3]int) *packager{"apt": newAptPackager, "dnf": newDnfPackager} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packager(t, seeded(1)).byKeys(t)
		})
	}
}

func (p *packager) byKeys(t *testing.T) {
	t.Helper()
	before := p.packaged(p.leaves)
	w, running := p.Wizard("-f", "/root/answers.yaml")
	if results := w.begins().sees("▸ As in the answers file").press("enter").finishes(); len(results) != 4 {
		t.Errorf("mirror, libraries and tools: %d results", len(results)-1)
	}
	w.leaves()
	if code, err := running.Wait(); err != nil || code != 0 {
		t.Fatalf("the wizard: exit code %d, %v\n%s", code, err, w.Screen())
	}
	p.uses(t, p.mirrors.Best())
	compiles(t, p.Box)
	p.goxin(t, 0, "check")
	p.goxin(t, 0, "undo")
	before.same(t, p.packaged(p.leaves))
}
