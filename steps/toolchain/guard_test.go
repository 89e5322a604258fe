package toolchain

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
	"goxin/steps/origin"
	"goxin/steps/steptest"
	"goxin/steps/verify"
)

// open is a tree in which all may write to some things.
func open(t *testing.T, files map[string]string, names ...string) (machine.Machine, engine.Hosts) {
	t.Helper()
	m, root := steptest.Tree(t, files)
	for _, n := range names {
		if err := os.Chmod(root+n, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	f := &detect.Facts{Running: true}
	f.Arch.GOARCH = steptest.Fact("arm64")
	return spacious{m, 80 << 30}, steptest.Hosts(m, f)
}

// Root would run it, today and tomorrow; whoever can write there chooses what.
func TestAGoThatOthersCanChangeIsNotAdopted(t *testing.T) {
	files := map[string]string{"/usr/local/go/bin/go": "", "/usr/local/go/VERSION": "go1.26.8\n"}
	is := map[string]*origin.Finding{"/usr/local/go": {Toolchain: linux("go1.26.8", "arm64"), Verdict: origin.Authentic}}
	v := engine.Values{"versions": []string{"1.26.8"}}
	for where, adopted := range map[string]bool{"": true, "/usr/local/go": false, "/usr/local/go/bin/go": false, "/usr/local": false} {
		var names []string
		if where != "" {
			names = []string{where}
		}
		m, h := open(t, files, names...)
		w := online()
		w.found = is
		s := w.step()
		sv := steptest.Survey(t, s, m, h, v)
		seen, err := SeenOn(sv, m.ID())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := seen.wanted("go1.26.8"); got.Adopted != adopted {
			t.Errorf("all may write to %q: adopted: %v", where, got.Adopted)
		}
		told := false
		for _, n := range s.Notes(h, sv, v) {
			told = told || n.Warn && where != "" && strings.Contains(n.Text.EN, "others than root can change "+where)
		}
		if told != (where != "") {
			t.Errorf("all may write to %q: told: %v", where, told)
		}
	}
}

// A compiler that somebody changed changes what it compiles.
func TestWhatBuildsIsProvedFirst(t *testing.T) {
	const dir = goroot.Base + "/1.25.10-linux-arm64-AAAAAAAA"
	installed := map[string]string{dir + "/bin/go": "", dir + "/VERSION": "go1.25.10\n"}
	distro := map[string]string{"/usr/lib/go-1.24/bin/go": "", "/usr/lib/go-1.24/VERSION": "go1.24.4\n"}
	v := engine.Values{"versions": []string{"1.26.8"}, "how": "build"}
	for story, c := range map[string]struct {
		files   map[string]string
		verdict origin.Verdict
		open    []string
		want    string
	}{
		"the release":                       {installed, origin.Authentic, nil, dir},
		"as it was installed":               {installed, origin.Recorded, nil, dir},
		"changed since":                     {installed, origin.Except, nil, ""},
		"nothing proves it":                 {installed, origin.Unproved, nil, ""},
		"the release, and all may write":    {installed, origin.Authentic, []string{dir + "/bin"}, ""},
		"a distribution's":                  {distro, origin.Vendor, nil, "/usr/lib/go-1.24"},
		"a distribution's, where all write": {distro, origin.Vendor, []string{"/usr/lib/go-1.24/bin/go"}, ""},
	} {
		m, h := open(t, c.files, c.open...)
		w := online()
		w.found = map[string]*origin.Finding{
			dir:                {Toolchain: linux("go1.25.10", "arm64"), Verdict: c.verdict},
			"/usr/lib/go-1.24": {Toolchain: linux("go1.24.4", "arm64"), Verdict: c.verdict},
		}
		seen, err := SeenOn(steptest.Survey(t, w.step(), m, h, v), m.ID())
		if err != nil {
			t.Fatal(err)
		}
		got, _ := seen.wanted("go1.26.8")
		if with := got.Build; (with != nil) != (c.want != "") || with != nil && with.Bootstrap != c.want {
			t.Errorf("%s: %+v, %+v", story, with, got.Trouble)
		}
	}
}

// What is installed and exposed is replaced where it can be, and else not used.
func TestAnInstalledGoThatOthersCanChangeIsNotSwitchedTo(t *testing.T) {
	const dir = goroot.Base + "/1.25.10-linux-arm64-AAAAAAAA"
	m, h := open(t, map[string]string{dir + "/bin/go": "", dir + "/VERSION": "go1.25.10\n"}, dir+"/bin")
	for story, v := range map[string]engine.Values{
		"used":               {"versions": []string{}, "use": "1.25.10"},
		"wanted, no network": {"versions": []string{"1.25.10"}, "source": "/mnt"},
	} {
		s := online().step()
		_, err := s.Ops(h, steptest.Survey(t, s, m, h, v), v)
		var refused engine.Refusal
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), dir+"/bin") || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%s: %v", story, err)
		}
	}
}

// A stick's owner can exchange the file between the look and the installation; with a
// signature alone, for any release that was ever signed.
func TestTheFileThatWasJudgedIsTheOneThatIsInstalled(t *testing.T) {
	t8 := linux("go1.26.8", "arm64")
	signed := archive(goFiles(t8))
	m, s, h := shelfOf(t, map[string][]byte{t8.Archive(): signed, t8.Archive() + ".asc": []byte("a signature")})
	s.ask.Catalogue = func() (*golang.Catalogue, error) { return new(golang.Catalogue), nil }
	s.ask.File = func(_ context.Context, _ machine.Machine, file string, _ origin.Options) (*origin.Finding, error) {
		return &origin.Finding{
			Path: file, What: origin.GoArchive, Toolchain: t8, SHA256: hexSum(signed), H1: h1(t8), Verdict: origin.Authentic,
			Evidence: []verify.Evidence{{Kind: verify.Detached, Verdict: verify.Good, Key: verify.GoogleKey}},
		}, nil
	}
	v := engine.Values{"source": "/mnt/usb", "versions": []string{"1.26.8"}}
	items, err := s.Ops(h, steptest.Survey(t, s, m, h, v), v)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if tree, ok := it.Op.(*op.Tree); ok && (tree.Want.Read != hexSum(signed) || tree.Want.SHA256 != "" || len(tree.Want.Signature) == 0) {
			t.Errorf("%+v", tree.Want)
		}
	}
}

// Who made goxin's catalogue saw the log as everybody sees it. A log that shows this
// machine something else is found out at the first question.
func TestALogThatContradictsTheCatalogueIsRefused(t *testing.T) {
	m, h := open(t, map[string]string{"/etc/hostname": ""})
	s := online().step()
	s.ask.Prove = func(ctx context.Context, _ machine.Machine, _ []string, key string, tool verify.Toolchain, known []byte) (*verify.Proof, error) {
		other := asked(newChecksums())
		for _, v := range logged { // its own history, and a long one
			for i := range arches {
				arch := arches[len(arches)-1-i]
				if _, _, err := verify.Prove(ctx, other, key, linux(v, arch), nil); err != nil {
					t.Error(err)
				}
			}
		}
		p, _, err := verify.Prove(ctx, other, key, tool, known)
		return p, err
	}
	v := engine.Values{"versions": []string{"1.26.9"}}
	_, err := s.Ops(h, steptest.Survey(t, s, m, h, v), v)
	var refused engine.Refusal
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "contradicts what it signed before") {
		t.Error(err)
	}
}

// A signature that comes from a mirror is evidence beside the others; one that is wrong
// must not be what keeps a proved archive from being installed.
func TestAMirrorsWrongSignatureStopsNothing(t *testing.T) {
	const sig = "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"
	for story, c := range map[string]struct {
		from  []string // whose signature is there
		taken bool
	}{
		"of one mirror":        {[]string{"mirror.example.cn"}, false},
		"of the official site": {[]string{"dl.example.com"}, true},
		"of two that agree":    {[]string{"mirror.example.cn", "other.example.cn"}, true},
	} {
		m, h := open(t, map[string]string{"/etc/hostname": ""})
		w := online()
		w.order = []string{"mirror", "other", "upstream"}
		w.sites["other"] = w.sites["mirror"]
		s := w.step()
		s.ask.Catalogue = func() (*golang.Catalogue, error) {
			c, err := catalogue()
			c.Sources = append(c.Sources, golang.Source{ID: "other", Name: lang.Same("other"), Kind: kindArchive, URL: "http://other.example.cn/golang"})
			return c, err
		}
		get := s.ask.Get
		s.ask.Get = func(ctx context.Context, m machine.Machine, url string, limit int64) ([]byte, error) {
			for _, host := range c.from {
				if strings.Contains(url, "://"+host+"/") && strings.HasSuffix(url, ".asc") {
					return []byte(sig), nil
				}
			}
			return get(ctx, m, url, limit)
		}
		v := engine.Values{"versions": []string{"1.26.8"}}
		seen, err := SeenOn(steptest.Survey(t, s, m, h, v), m.ID())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := seen.wanted("go1.26.8"); (len(got.Signature) > 0) != c.taken || len(got.Sources) != 3 {
			t.Errorf("%s: %q, from %v", story, got.Signature, got.Sources)
		}
	}
}
