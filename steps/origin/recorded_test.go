package origin

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/goroot"
	"goxin/steps/verify"
)

const published = "64fb507c00d6f830f71a342feb80b05641b4da5d5ca1d5e06896d5572f8a458c"

// lay installs go1.26.8 as goxin does, of an archive that the log does not prove.
func (w *world) lay(dir string, change func(*goroot.Record)) {
	w.t.Helper()
	files := release1268()
	w.put(dir, files)
	man := manifest(files)
	w.keep(dir, man, nil)
	text, err := w.ReadFile(goroot.Manifest(dir))
	if err != nil {
		w.t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	r := &goroot.Record{
		Toolchain: tool, H1: man.H1(tool), SHA256: published, Manifest: hex.EncodeToString(sum[:]),
		Evidence: []verify.Evidence{{Kind: verify.Digest, Verdict: verify.Good, RestsOn: lang.T("the list", "列表")}},
	}
	if change != nil {
		change(r)
	}
	w.put("/", map[string]string{goroot.Evidence(dir): string(r.Text())})
}

// knows is options of somebody to whom one digest is known.
func knows(w *world, name, sum string) Options {
	return Options{LogKey: w.key, Records: true, Now: now, Digest: func(base string) (string, lang.Text) {
		if base == name {
			return sum, lang.T("the list", "列表")
		}
		return "", lang.Text{}
	}}
}

func TestWhatGoxinInstalledWithoutTheLogIsKnownByItsRecord(t *testing.T) {
	release := goroot.Dir(tool, published)
	built := goroot.Built(tool, published)
	archive, source := tool.Archive(), "go1.26.8.src.tar.gz"
	google := func(r *goroot.Record) {
		r.Evidence = []verify.Evidence{{Kind: verify.Detached, Verdict: verify.Good, Key: verify.GoogleKey, RestsOn: lang.T("Google's key", "Google 的密钥")}}
	}
	made := func(r *goroot.Record) {
		r.Made, r.With = []string{"bash", "make.bash"}, lang.T("go1.24.4 in /usr/lib/go-1.24", "/usr/lib/go-1.24 中的 go1.24.4")
		r.H1 = "h1:of the source"
	}
	logged := newWorld(t)
	proof, err := logged.remote().Lookup(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		story  string
		dir    string
		record func(*goroot.Record)
		meddle func(w *world, top string)
		opts   func(*Options)
		known  string // the archive whose digest is published
		want   Verdict
		says   string // in its evidence or notes
	}{
		{story: "by the digest of the list", known: archive, want: Recorded, says: "it came from " + archive + ", and the SHA-256 of that is in the list"},
		{story: "by a signature", record: google, want: Recorded, says: "the archive had a good signature by Google's key"},
		{story: "built, by the digest of the source", dir: built, record: made, known: source, want: Recorded, says: "built here with go1.24.4 in /usr/lib/go-1.24"},
		{
			story: "built, by the log's proof of the source", dir: built, want: Recorded, says: "for what it was built from: Go's transparency log",
			record: func(r *goroot.Record) { h1 := r.H1; made(r); r.H1, r.Proof = h1, proof },
			opts:   func(o *Options) { o.LogKey = logged.key },
		},
		{
			story: "built, by a proof of something else", dir: built, want: Unproved,
			record: func(r *goroot.Record) { made(r); r.Proof = proof }, opts: func(o *Options) { o.LogKey = logged.key },
		},
		{story: "built, with what is not recorded", dir: built, record: func(r *goroot.Record) { made(r); r.With = lang.Text{} }, known: source, want: Recorded, says: "a Go that the record does not name"},

		{story: "a digest that nobody published", want: Unproved, says: "nothing that would be believed today"},
		{story: "another digest than the published one", record: func(r *goroot.Record) { r.SHA256 = strings.Repeat("0", 64) }, known: archive, want: Unproved},
		{story: "another digest, and a signature", record: func(r *goroot.Record) { google(r); r.SHA256 = strings.Repeat("0", 64) }, known: archive, want: Unproved},
		{story: "a signature by another key", record: func(r *goroot.Record) { google(r); r.Evidence[0].Key = strings.Repeat("A", 40) }, want: Unproved},
		{story: "a signature that was bad", record: func(r *goroot.Record) { google(r); r.Evidence[0].Verdict = verify.Bad }, want: Unproved},
		{story: "a file changed", known: archive, want: Unproved, says: "no longer as they were unpacked: src/fmt/print.go", meddle: func(w *world, top string) { w.put(top, map[string]string{"src/fmt/print.go": "evil"}) }},
		{story: "a file that no record covers changed", known: archive, want: Unproved, meddle: func(w *world, top string) { w.put(top, map[string]string{"doc/README.md": "evil"}) }},
		{story: "a file added", known: archive, want: Unproved, meddle: func(w *world, top string) { w.put(top, map[string]string{"src/fmt/evil.go": "evil"}) }},
		{story: "a link added", known: archive, want: Unproved, meddle: func(w *world, top string) { _ = os.Symlink("/tmp", filepath.Join(w.root, top, "src/evil")) }},
		{
			story: "a manifest of what was changed", known: archive, want: Unproved, says: "do not belong together",
			meddle: func(w *world, top string) {
				evil := with(map[string]string{"src/fmt/print.go": "evil"})
				w.put(top, evil)
				text, _ := w.ReadFile(goroot.Evidence(top))
				w.keep(top, manifest(evil), nil)
				w.put("/", map[string]string{goroot.Evidence(top): string(text)})
			},
		},
		{story: "a record of another release", record: func(r *goroot.Record) { r.Toolchain.Version = "go1.26.7" }, known: archive, want: Unproved},
		{story: "a record of other files", record: func(r *goroot.Record) { r.H1 = "h1:" }, known: archive, want: Unproved},
		{story: "a release that is said to be built", record: made, known: archive, want: Unproved},
		{story: "the name of another release", dir: goroot.Dir(verify.Toolchain{Version: "go1.26.7", OS: "linux", Arch: "arm64"}, published), known: archive, want: Unproved},
		{story: "not where goxin installs", dir: "/home/u/1.26.8-linux-arm64-64fb507c", known: archive, want: Unproved},
		{story: "in a tree that came from elsewhere", known: archive, want: Unproved, opts: func(o *Options) { o.Records = false }},
		{story: "a record that all may write", known: archive, want: Unproved, says: "others than root can change " + goroot.Evidence(release), meddle: func(w *world, top string) { _ = os.Chmod(filepath.Join(w.root, goroot.Evidence(top)), 0o666) }},
		{story: "a directory that all may write", known: archive, want: Unproved, says: "others than root can change " + goroot.Base, meddle: func(w *world, _ string) { _ = os.Chmod(filepath.Join(w.root, goroot.Base), 0o777) }},
	} {
		t.Run(c.story, func(t *testing.T) {
			w := newWorld(t)
			if err := os.Chmod(w.root, 0o755); err != nil {
				t.Fatal(err)
			}
			if c.dir == "" {
				c.dir = release
			}
			w.lay(c.dir, c.record)
			if c.meddle != nil {
				c.meddle(w, c.dir)
			}
			o := knows(w, c.known, published)
			if c.opts != nil {
				c.opts(&o)
			}
			f, err := Tree(t.Context(), w, c.dir, o)
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, e := range f.Evidence {
				told = append(told, e.RestsOn.EN)
			}
			for _, n := range f.Notes {
				told = append(told, n.EN)
			}
			if all := strings.Join(told, "\n"); f.Verdict != c.want || !strings.Contains(all, c.says) {
				t.Errorf("%s: %s\n%s", f.Verdict, f.Text().EN, all)
			}
			if rests := f.Verdict == Recorded; rests != (len(f.Evidence) > 0) {
				t.Errorf("evidence: %+v", f.Evidence)
			}
		})
	}
}

// The log that has no record of it does not make a tree that goxin installed somebody
// else's, and one that has another is believed before any record.
func TestTheLogComesBeforeARecord(t *testing.T) {
	dir := goroot.Dir(tool, published)
	for story, c := range map[string]struct {
		h1   string
		want Verdict
	}{"no record": {"", Recorded}, "of these files": {manifest(release1268()).H1(tool), Authentic}, "of others": {"h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Refused}} {
		w := newWorld(t)
		if w.h1[tool] = c.h1; c.h1 == "" {
			delete(w.h1, tool)
		}
		w.lay(dir, nil)
		o := w.online()
		o.Records, o.Module, o.Digest = true, nil, knows(w, tool.Archive(), published).Digest
		f, err := Tree(t.Context(), w, dir, o)
		if err != nil || f.Verdict != c.want {
			t.Errorf("%s: %s, %s, %v, %v", story, f.Verdict, f.Text().EN, f.Notes, err)
		}
	}
}
