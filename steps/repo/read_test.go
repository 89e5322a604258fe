package repo

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

var update = flag.Bool("update", false, "write testdata/captured.golden")

func captured(t *testing.T, name string) (machine.Machine, *detect.Facts) {
	t.Helper()
	r, err := assets.OpenMachine(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := machine.OpenRecorded(name, r, filepath.Join(t.TempDir(), "m"))
	if err != nil {
		t.Fatal(err)
	}
	return m, facts(t, m)
}

func facts(t *testing.T, m machine.Machine) *detect.Facts {
	t.Helper()
	f, err := detect.Detect(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func readAll(t *testing.T, m machine.Machine, f *detect.Facts) *Sources {
	t.Helper()
	s, err := ReadAll(m, f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTheSourcesOfAllCapturedMachines lists them with their variables filled in.
func TestTheSourcesOfAllCapturedMachines(t *testing.T) {
	var b strings.Builder
	for _, name := range assets.Machines() {
		s := readMachine(t, name)
		fmt.Fprintf(&b, "%s %s\n", name, listing(s))
		if len(s.Files) == 0 || len(s.Unread) > 0 { // of each machine something was there to capture
			t.Errorf("%s: %d files, unread %v", name, len(s.Files), s.Unread)
		}
		for _, f := range s.Files {
			for _, e := range f.Entries() {
				was, plain := string(f.Bytes()), e.Metalink == ""
				if err := e.SetURLs(e.URLs...); err != nil || plain && string(f.Bytes()) != was {
					t.Errorf("%s: %s: setting its own URLs: %v\n%s", name, e.ID, err, f.Bytes())
				}
			}
		}
	}
	const golden = "testdata/captured.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("differs from %s; if it should, run with -update\n%s", golden, b.String())
	}
}

func listing(s *Sources) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Vars)) {
		fmt.Fprintf(&b, " $%s=%s", name, s.Vars[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Unset)) {
		fmt.Fprintf(&b, " $%s?", name)
	}
	for _, f := range s.Files {
		fmt.Fprintf(&b, "\n  %s", f.Name)
		for _, e := range f.Entries() {
			b.WriteString("\n    " + s.Vars.Expand(line(e)))
		}
	}
	for _, u := range s.Unread {
		fmt.Fprintf(&b, "\n  unread %s: %s", u.File, u.Why.EN)
	}
	for _, name := range slices.Sorted(maps.Keys(s.MirrorLists)) {
		fmt.Fprintf(&b, "\n  list %s: %s", name, strings.Join(s.MirrorLists[name], " "))
	}
	return b.String()
}

// world is an empty tree of a family with these files; "x -> y" is a link.
func world(t *testing.T, family string, files map[string]string) (machine.Machine, *detect.Facts) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		name, target, link := strings.Cut(name, " -> ")
		file := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		switch {
		case err == nil && link:
			err = os.Symlink(target, file)
		case err == nil && strings.HasSuffix(name, "/"):
			err = os.MkdirAll(file, 0o755)
		case err == nil:
			err = os.WriteFile(file, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f := &detect.Facts{}
	f.OS.Family = detect.Fact[string]{Value: family, Known: true}
	f.Arch.GOARCH = detect.Fact[string]{Value: "arm64", Known: true}
	return machine.Root(dir), f
}

func TestDnfReadsItsOwnFilesInItsOwnOrder(t *testing.T) {
	m, f := world(t, "rpm", map[string]string{
		"/etc/dnf/dnf.conf":                      "[main]\ngpgcheck=1\n[conf]\nbaseurl=http://conf/\n",
		"/etc/yum.repos.d/b.repo":                "[b]\nbaseurl=http://b/$releasever/$site/\n[twice]\nbaseurl=http://second/\n",
		"/etc/yum.repos.d/a.repo":                "[twice]\nbaseurl=http://first/\n",
		"/etc/yum.repos.d/c.repo -> /srv/c.repo": "",
		"/srv/c.repo":                            "[c]\ngpgcheck=0\n",
		"/etc/yum.repos.d/gone.repo -> /nowhere": "",
		"/etc/yum.repos.d/d.repo.rpmnew":         "[d]\n",
		"/etc/yum.repos.d/.e.repo":               "[e]\n",
		"/etc/yum.repos.d/f.repo/":               "",
		"/etc/yum.repos.d/broken.repo":           "[broken]\nbaseurl http://x/\n",
		"/etc/yum.repos.d/huge.repo":             strings.Repeat("#", largest+1),
		"/etc/yum.repos.d/\xd6\xd0.repo":         "[gbk]\nname=\xd6\xd0\n",
		"/etc/distro.repos.d/z.repo":             "[银河]\nbaseurl=http://z/\n",
		"/etc/yum/vars/site":                     "yum\n",
		"/etc/dnf/vars/site":                     "dnf\r\nsecond line\n",
		"/etc/dnf/vars/releasever":               "10.2",
	})
	got := listing(readAll(t, m, f))
	want := " $arch=aarch64 $basearch=aarch64 $releasever=10.2 $releasever_major=10 $releasever_minor=2 $site=dnf" + `
  /etc/dnf/dnf.conf
    conf on http://conf/
  /etc/yum.repos.d/a.repo
    twice on http://first/
  /etc/yum.repos.d/b.repo
    b on http://b/10.2/dnf/
    twice off http://second/ shadowed=/etc/yum.repos.d/a.repo
  /etc/yum.repos.d/c.repo
    c on gpgcheck=0 unsigned
  /etc/yum.repos.d/` + "\xd6\xd0" + `.repo
    gbk on
  /etc/distro.repos.d/z.repo
    银河 off http://z/
  unread /etc/yum.repos.d/broken.repo: line 2: not key=value
  unread /etc/yum.repos.d/f.repo: not a regular file
  unread /etc/yum.repos.d/gone.repo: a link to a file that is not there
  unread /etc/yum.repos.d/huge.repo: 1048577 bytes are too many: 1 MiB at most
  unread /etc/distro.repos.d/z.repo: line 1: dnf takes no repository of this name: "银河"`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDnfChecksNoSignaturesUnlessTold: gpgcheck's default is off.
func TestDnfChecksNoSignaturesUnlessTold(t *testing.T) {
	for conf, want := range map[string]string{"": "a on unsigned; b on gpgcheck=1", "[main]\ngpgcheck=yes\n": "a on; b on gpgcheck=1", "[main]\ngpgcheck=0\n": "a on unsigned; b on gpgcheck=1"} {
		m, f := world(t, "rpm", map[string]string{"/etc/dnf/dnf.conf": conf, "/etc/yum.repos.d/a.repo": "[a]\n[b]\ngpgcheck=1\n"})
		s := readAll(t, m, f)
		if got := told(s.Files[0]); got != want {
			t.Errorf("%q: %s", conf, got)
		}
		if err := s.Files[0].Entries()[0].SetURLs("http://x/"); err != nil || strings.Contains(want, "unsigned") != s.Files[0].Entries()[0].Unsigned {
			t.Errorf("%q: an edit forgot that signatures are off: %v", conf, err)
		}
	}
}

func TestDnfsConfigurationSaysWhereItReads(t *testing.T) {
	m, f := world(t, "rpm", map[string]string{
		"/etc/dnf/dnf.conf": "[main]\nreposdir=/a, /b\nvarsdir = /v/\n",
		"/a/x.repo":         "[x]\n", "/b/y.repo": "[y]\n", "/etc/yum.repos.d/z.repo": "[z]\n", "/v/one": "1\n", "/etc/dnf/vars/two": "2\n",
	})
	s := readAll(t, m, f)
	if len(s.Files) != 2 || s.Files[1].Name != "/b/y.repo" || s.Vars["one"] != "1" || s.Vars["two"] != "" {
		t.Error(listing(s))
	}
}

func TestAptReadsItsOwnFilesInItsOwnOrder(t *testing.T) {
	m, f := world(t, "deb", map[string]string{
		"/etc/apt/sources.list":                   "deb http://main/$(ARCH) s main\n",
		"/etc/apt/sources.list.d/b.list":          "deb http://b s main\n",
		"/etc/apt/sources.list.d/a.sources":       "Types: deb\nURIs: mirror+file:/etc/apt/mirrors/m.list mirror+file:///gone\nSuites: s\nComponents: main\n",
		"/etc/apt/sources.list.d/c:d.list":        "deb http://colon s main\n",
		"/etc/apt/sources.list.d/with blank.list": "deb http://x s main\n",
		"/etc/apt/sources.list.d/a.list.save":     "deb http://x s main\n",
		"/etc/apt/sources.list.d/.hidden.list":    "deb http://x s main\n",
		"/etc/apt/sources.list.d/dir.list/":       "",
		"/etc/apt/sources.list.d/broken.list":     "deb http://x s main\nrpm http://x s main\n",
		"/etc/apt/sources.list.d/l.list -> ../l":  "",
		"/etc/apt/l":                              "deb http://l s main\n",
		"/etc/apt/mirrors/m.list":                 "# a list\nhttp://last/\nhttp://second/\tpriority:2\nhttp://first/\tarch:arm64 priority:1\n\n",
	})
	got := listing(readAll(t, m, f))
	want := ` $ARCH=arm64
  /etc/apt/sources.list
    deb on http://main/arm64 suites=s components=main
  /etc/apt/sources.list.d/a.sources
    deb on mirror+file:/etc/apt/mirrors/m.list mirror+file:///gone suites=s components=main
  /etc/apt/sources.list.d/b.list
    deb on http://b s components=main
`
	want = strings.Replace(want, "http://b s components", "http://b suites=s components", 1) + `  /etc/apt/sources.list.d/c:d.list
    deb on http://colon suites=s components=main
  /etc/apt/sources.list.d/l.list
    deb on http://l suites=s components=main
  unread /etc/apt/sources.list.d/broken.list: line 2: apt knows no such type of source
  list /etc/apt/mirrors/m.list: http://first/ http://second/ http://last/`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLoongArchsOldWorldHasAnotherNameInDpkg(t *testing.T) {
	m, f := captured(t, "loongnix-20")
	if s := readAll(t, m, f); s.Vars["ARCH"] != "loongarch64" {
		t.Error(s.Vars)
	}
}

func TestAMachineWithoutAPackageManagerHasNoSources(t *testing.T) {
	m, f := world(t, "rpm", map[string]string{"/etc/yum.repos.d/a.repo": "[a]\n"})
	f.OS.Family.Known = false
	if s := readAll(t, m, f); len(s.Files)+len(s.Unread)+len(s.Vars) != 0 {
		t.Error(listing(s))
	}
	m, f = world(t, "rpm", nil)
	if s := readAll(t, m, f); len(s.Files)+len(s.Unread) != 0 || s.Unset["releasever"].Empty() {
		t.Error(listing(s))
	}
}

// asked is a machine whose rpm answers.
type asked struct {
	machine.Machine
	answers map[string][]string // by what is to be provided
}

func (a asked) Run(_ context.Context, c machine.Command, out func(string)) error {
	lines, ok := a.answers[c.Argv[len(c.Argv)-1]]
	if !ok {
		return &machine.ExitError{Argv: c.Argv, Code: 1}
	}
	for _, l := range lines {
		out(l)
	}
	return nil
}

func TestReleaseverIsWhatDnfTakesIt(t *testing.T) {
	for name, x := range map[string]struct {
		answers map[string][]string
		want    string
	}{
		"with its release":      {map[string][]string{"system-release": {"kylin-release 10", "config(kylin-release) = 10-24.6", "system-release = 10-24.6"}}, "10-24.6"},
		"what it provides":      {map[string][]string{"system-release(releasever)": {"centos-linux-release 8.5", "system-release = 8.5", "system-release(releasever) = 8"}}, "8"},
		"provided without one":  {map[string][]string{"system-release": {"openEuler-release 22.03LTS_SP4", "system-release  "}}, "22.03LTS_SP4"},
		"redhat-release itself": {map[string][]string{"redhat-release": {"redhat-release 8.6", "redhat-release = 8.6-1"}}, "8.6"},
		"nobody provides it":    {nil, ""},
		"nonsense":              {map[string][]string{"system-release": {"a b c d"}}, ""},
	} {
		m, f := world(t, "rpm", nil)
		s := readAll(t, asked{m, x.answers}, f)
		if got := s.Vars["releasever"]; got != x.want || s.Unset["releasever"].Empty() != (x.want != "") {
			t.Errorf("%s: %q, want %q; unset %v", name, got, x.want, s.Unset)
		}
	}
}

func TestWhatCannotBeReadSaysWhyInBothLanguages(t *testing.T) {
	m, f := world(t, "rpm", map[string]string{"/etc/yum.repos.d/gone.repo -> /nowhere": "", "/etc/yum.repos.d/x.repo": "x\n"})
	for _, u := range readAll(t, m, f).Unread {
		if u.Why.EN == "" || u.Why.ZH == "" || u.Why == lang.Same(u.Why.EN) {
			t.Errorf("%+v", u)
		}
	}
}

func readMachine(t *testing.T, name string) *Sources {
	t.Helper()
	m, f := captured(t, name)
	return readAll(t, m, f)
}
