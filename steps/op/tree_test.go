package op

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// spoilt is files with one of them changed.
func spoilt(files map[string]string, name, content string) map[string]string {
	out := make(map[string]string, len(files))
	for n, c := range files {
		out[n] = c
	}
	out[name] = content
	return out
}

func TestWhatIsNotProvedIsRefusedAndNothingIsLeft(t *testing.T) {
	log, other := newTestLog(h1Of(goFiles)), newTestLog(h1Of(spoilt(goFiles, "bin/go!", "other")))
	proved := func(l testLog, h1 string) func(*Tree) {
		return func(o *Tree) { o.Want = &Want{Toolchain: goRelease, H1: h1, Proof: l.proof, LogKey: l.key} }
	}
	evil := goTar(spoilt(goFiles, "bin/go!", "evil"))
	for _, c := range []struct {
		name    string
		change  func(*Tree)
		archive []byte
		says    string
	}{
		{"another SHA-256", nil, evil, "from " + shelf + ": the archive's SHA-256 is " + hexSum(evil) + " and should be "},
		{"another hash than the log's", proved(log, ""), evil, "and should have " + h1Of(goFiles)},
		{"a proof of another hash", proved(other, h1Of(goFiles)), nil, "and " + h1Of(goFiles) + " was asked for"},
		{"a proof by another log", func(o *Tree) { proved(log, "")(o); o.Want.LogKey = other.key }, nil, "not signed by log.example"},
		{"a proof for Go's own log by another", func(o *Tree) { proved(log, "")(o); o.Want.LogKey = "" }, nil, "not signed by sum.golang.org"},
		{"a proof of another toolchain", func(o *Tree) { proved(log, "")(o); o.Want.Toolchain.Arch = "arm64" }, nil, "does not tell the hash of go1.26.8 linux/arm64"},
		{"a proof that is none", func(o *Tree) { o.Want.Proof = "x" }, nil, "malformed: a proof"},
		{"a signature that is none", func(o *Tree) {
			o.Want.Signature = []byte("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n")
		}, nil, "malformed: a signature"},
		{"a hash with no proof", func(o *Tree) { o.Want.SHA256, o.Want.H1 = "", h1Of(goFiles) }, nil, "nothing proves where it comes from"},
		{"nothing", func(o *Tree) { o.Want = nil }, nil, "nothing says what it should be"},
		{"another size", func(o *Tree) { o.Want.Size = 7 }, nil, "and should have 7"},
		{"a toolchain that is none", func(o *Tree) { o.Want.Toolchain.OS = "../etc" }, nil, "is no platform of Go"},
		{"an archive that climbs", nil, goTar(map[string]string{"../../../../etc/profile.d/x.sh": "evil"}), "the name climbs out of its directory"},
		{"an archive that ends early", nil, goTar(goFiles)[:200], "the archive ends early"},
		{"an archive that is none", nil, []byte("<html><title>Please log in</title></html>"), "damaged"},
	} {
		for _, there := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				w := newWorld(t)
				if there { // and damaged, so that it is to be replaced
					installed(w)
					w.write(goDir+"/bin/go", "somebody's", 0o755)
				} else {
					trees(w)
				}
				o := goTree(c.change)
				if c.archive != nil {
					w.write(shelf, string(c.archive), 0o644)
				}
				start := w.sum()
				_, err := o.Do(context.Background(), w, nil)
				var refusal engine.Refusal
				if !errors.As(err, &refusal) || !strings.Contains(err.Error(), c.says) || strings.Count(err.Error(), "cannot install "+goDir) != 1 {
					t.Errorf("%v", err)
				}
				if zh := lang.Message(err, lang.ZH); zh == err.Error() || !strings.Contains(zh, "无法安装") {
					t.Errorf("in Chinese: %s", zh)
				}
				if w.sum() != start {
					t.Error("something was left behind")
				}
			})
		}
	}
}

// That no source can be had is no refusal: nothing was found out against any.
func TestATreeThatNoSourceHasIsAnOrdinaryError(t *testing.T) {
	w := newWorld(t)
	trees(w)
	w.sites = map[string]http.Handler{"a.example:80": http.NotFoundHandler(), "b.example:80": http.NotFoundHandler()}
	start := w.sum()
	_, err := goTree(func(o *Tree) {
		o.Archive.Sources = []string{"relative.tar.gz", "http://a.example/go.tar.gz", "http://b.example/go.tar.gz", "/none"}
	}).Do(context.Background(), w, nil)
	var refusal engine.Refusal
	if err == nil || errors.As(err, &refusal) || lang.Hint(err, lang.EN) == "" || w.sum() != start {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"no archive at relative.tar.gz: neither an address nor an absolute path", "http://a.example/go.tar.gz: ", "http://b.example/go.tar.gz: ", "no archive at /none"} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("%s: %v", want, err)
		}
	}
	if strings.Count(err.Error(), "cannot ") != 1 {
		t.Errorf("%v", err)
	}
}

// full is a machine whose disk is full after some bytes of a stage.
type full struct {
	*world
	left int
}

type fullStage struct {
	machine.Stage
	m *full
}

type fullFile struct {
	io.WriteCloser
	m *full
}

func (m *full) Stage(dir string) (machine.Stage, error) {
	st, err := m.world.Stage(dir)
	return fullStage{st, m}, err
}

func (s fullStage) Create(name string, mode os.FileMode) (io.WriteCloser, error) {
	f, err := s.Stage.Create(name, mode)
	return fullFile{f, s.m}, err
}

func (f fullFile) Write(p []byte) (int, error) {
	if f.m.left -= len(p); f.m.left < 0 {
		return 0, pathErr("write", "go", syscall.ENOSPC)
	}
	return f.WriteCloser.Write(p)
}

func TestAFullDiskIsAnErrorAndNothingIsLeft(t *testing.T) {
	for _, room := range []int{0, 10, 500} {
		w := newWorld(t)
		trees(w)
		start := w.sum()
		_, err := goTree(func(o *Tree) { o.Archive.Sources = []string{shelf, shelf} }).Do(context.Background(), &full{w, room}, nil)
		var refusal engine.Refusal
		if !errors.Is(err, syscall.ENOSPC) || errors.As(err, &refusal) || lang.Hint(err, lang.EN) != "make room on the disk: df -h; where that shows some, the inodes are used up: df -i" {
			t.Errorf("%v, hint %q", err, lang.Hint(err, lang.EN))
		}
		if w.sum() != start {
			t.Error("something was left behind")
		}
	}
}

func TestATreeIsMadeOfWhatTheLogProves(t *testing.T) {
	log := newTestLog(h1Of(goFiles))
	want := &Want{Toolchain: goRelease, Proof: log.proof, LogKey: log.key}
	for _, c := range []struct {
		name    string
		archive Archive
		want    Want
		docs    bool
	}{
		{"an archive of which the log knows a part", Archive{[]string{shelf}, unpack.TarGz}, *want, false},
		{"an archive that is known as a whole", Archive{[]string{shelf}, unpack.TarGz}, Want{Toolchain: goRelease, Proof: log.proof, LogKey: log.key, SHA256: hexSum(goTar(goFiles)), From: lang.Same("go.dev/dl")}, true},
		{"a module", Archive{[]string{"http://user:secret@proxy.example/v.zip"}, unpack.Zip}, *want, false},
	} {
		w := newWorld(t)
		trees(w)
		w.site("proxy.example:80", goZip(goFiles))
		o := goTree(func(o *Tree) { o.Archive, o.Want = &c.archive, &c.want })
		if _, err := o.Do(context.Background(), w, nil); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if w.read(goDir+"/src/go.mod") != "module std\n" || w.read(goDir+"/bin/go") != "\x7fELF go" {
			t.Errorf("%s: wrong files", c.name)
		}
		if i, err := w.Stat(goDir + "/bin/go"); err != nil || i.Mode != 0o755 {
			t.Errorf("%s: bin/go: %v, %v", c.name, i.Mode, err)
		}
		if _, err := w.Stat(goDir + "/doc"); (err == nil) != c.docs {
			t.Errorf("%s: doc, of which the log knows nothing: %v", c.name, err)
		}
		rec, err := goroot.ReadRecord(w, goDir)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, e := range rec.Evidence {
			kinds = append(kinds, string(e.Kind))
			if e.Verdict != verify.Good || e.RestsOn.EN == "" || e.RestsOn.ZH == "" {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
		if got := strings.Join(kinds, " "); got != map[bool]string{true: "digest log", false: "log"}[c.docs] {
			t.Errorf("%s: evidence %s", c.name, got)
		}
		if h1, _, err := rec.Proof.H1(log.key, goRelease); err != nil || h1 != rec.H1 {
			t.Errorf("%s: the proof that was kept: %s, %v", c.name, h1, err)
		}
		if len(rec.Sources) != 1 || rec.Sources[0].To != rec.Size || strings.Contains(w.read(goDir+".evidence"), "secret") {
			t.Errorf("%s: sources %+v", c.name, rec.Sources)
		}
		if d := o.Diff(observe(t, o, w)); d.Action != engine.None {
			t.Errorf("%s: %s", c.name, draw(d))
		}
	}
}

// A source that lies is told about and left; the next one's archive is taken.
func TestASourceThatLiesDoesNotKeepAnotherFromServing(t *testing.T) {
	w := newWorld(t)
	trees(w)
	w.site("liar.example:80", goTar(spoilt(goFiles, "bin/go!", "evil")))
	w.site("good.example:80", goTar(goFiles))
	var said []string
	o := goTree(func(o *Tree) {
		o.Archive.Sources = []string{"/mnt/none.tar.gz", "http://liar.example/go.tar.gz", "http://good.example/go.tar.gz"}
	})
	if _, err := o.Do(context.Background(), w, func(t lang.Text) { said = append(said, t.EN) }); err != nil {
		t.Fatal(err)
	}
	if len(said) != 2 || said[0] != "no archive at /mnt/none.tar.gz: no such file or directory" ||
		!strings.HasPrefix(said[1], "refused: from liar.example: the archive's SHA-256 is ") {
		t.Errorf("said %q", said)
	}
	rec, err := goroot.ReadRecord(w, goDir)
	if err != nil || len(rec.Sources) != 1 || rec.Sources[0].Source != "http://good.example/go.tar.gz" {
		t.Errorf("%+v, %v", rec, err)
	}
}

// One server dies half-way, and the other goes on where it was.
func TestATreeFromTwoHalves(t *testing.T) {
	w := newWorld(t)
	trees(w)
	noise := make([]byte, 1<<20)
	if _, err := rand.NewChaCha8([32]byte{}).Read(noise); err != nil {
		t.Fatal(err)
	}
	archive := goTar(spoilt(goFiles, "src/big", string(noise)))
	w.site("a.example:80", archive)
	whole := w.sites["a.example:80"]
	var asked atomic.Int32
	w.sites["a.example:80"] = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 1 {
			http.NotFound(out, r)
			return
		}
		whole.ServeHTTP(&cutter{ResponseWriter: out, left: len(archive) / 2}, r)
	})
	w.site("b.example:80", archive)
	o := goTree(func(o *Tree) {
		o.Archive.Sources = []string{"http://a.example/go.tar.gz", "http://b.example/go.tar.gz"}
		o.Want.SHA256 = hexSum(archive)
	})
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	rec, err := goroot.ReadRecord(w, goDir)
	if err != nil || len(rec.Sources) != 2 || rec.Sources[0].To != rec.Sources[1].From || rec.Sources[1].To != int64(len(archive)) {
		t.Errorf("%+v, %v", rec, err)
	}
}

// cutter breaks off.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(p)
}

func TestATreeThatSomebodyChangedIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		meddle func(*world)
		want   string
		unseen bool // it is noticed also where nobody saw the tree after Do
	}{
		"a file changed":    {func(w *world) { w.write(goDir+"/src/go.mod", "longer than before", 0o644) }, "src/go.mod in it was changed since", true},
		"a mode changed":    {func(w *world) { must(os.Chmod(w.dir+goDir+"/src/go.mod", 0o600)) }, "src/go.mod in it was changed since", true},
		"a file added":      {func(w *world) { w.write(goDir+"/pkg/mod/\x1b", "", 0o644) }, `pkg/mod/\x1b was added to it since`, true},
		"a file removed":    {func(w *world) { must(w.Remove(goDir + "/VERSION")) }, "VERSION is missing from it since", true},
		"a file is a link":  {func(w *world) { must(w.Remove(goDir + "/VERSION")); w.link("/etc/VERSION", goDir+"/VERSION") }, "VERSION in it was changed since", true},
		"an owner changed":  {func(w *world) { w.chown(goDir+"/VERSION", 12, 34) }, "VERSION in it was changed since", true},
		"a group changed":   {func(w *world) { w.chown(goDir+"/VERSION", 0, 34) }, "a directory, an owner or a mode in it was changed since", false},
		"a directory added": {func(w *world) { w.mkdir(goDir + "/new") }, "a directory, an owner or a mode in it was changed since", false},
		"the record":        {func(w *world) { w.write(goDir+".evidence", "{}", 0o644) }, "another tree was put there since", true},
	} {
		w := newWorld(t)
		trees(w)
		o := goTree(nil)
		before := observe(t, o, w)
		if _, err := o.Do(context.Background(), w, nil); err != nil {
			t.Fatal(err)
		}
		after := observe(t, o, w)
		c.meddle(w)
		theirs := w.sum()
		for _, after := range []engine.State{after, {}} {
			if unseen(after) && !c.unseen {
				continue
			}
			if err := o.Undo(context.Background(), w, before, after); !errors.Is(err, engine.ErrNotOurs) || err.Error() != c.want || w.sum() != theirs {
				t.Errorf("%s: %v, left alone: %v", name, err, w.sum() == theirs)
			}
		}
	}
	w := newWorld(t)
	installed(w)
	o := &Tree{Dir: goDir, Absent: true}
	before := observe(t, o, w)
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	after := observe(t, o, w)
	w.write(goDir+"/bin/go", "another", 0o755)
	if err := o.Undo(context.Background(), w, before, after); !errors.Is(err, engine.ErrNotOurs) || w.read(goDir+"/bin/go") != "another" {
		t.Errorf("another tree in its place: %v", err)
	}
	must(os.RemoveAll(w.dir + goDir))
	must(os.RemoveAll(w.dir + goTrash))
	if err := o.Undo(context.Background(), w, before, after); !errors.Is(err, engine.ErrNotOurs) || err.Error() != "what was moved to "+goTrash+"/1.26.8-linux-amd64-ZOmGe1On is there no longer" {
		t.Errorf("pruned: %v", err)
	}
}

func TestTheDiffOfATreeSaysWhatItRestsOn(t *testing.T) {
	w := newWorld(t)
	trees(w)
	log := newTestLog(h1Of(goFiles))
	o := goTree(func(o *Tree) {
		o.Archive.Sources = []string{"https://mirrors.example/go.tar.gz", "https://go.dev/dl/go.tar.gz", shelf}
		o.Want = &Want{Toolchain: goRelease, H1: h1Of(goFiles), Proof: log.proof, SHA256: hexSum(goTar(goFiles)), From: lang.Same("go.dev/dl"), Signature: []byte("x"), Size: 71_680_185}
	})
	const rows = "\n+ mirrors.example |  |  | source\n+ go.dev |  |  | if those before fail\n+ " + shelf + " |  |  | if those before fail\n+ 71.7 MB |  |  | to fetch"
	if got := draw(o.Diff(observe(t, o, w))); !strings.HasPrefix(got, "+ go1.26.8 linux/amd64, tar.gz"+rows) || strings.Count(got, "\n+ ") != 7 {
		t.Errorf("%s", got)
	}
	for meddle, want := range map[string]string{
		"bin/go":  "~ bin/go was changed; the tree that is there goes to " + goTrash + "/1.26.8-linux-amd64-ZOmGe1On",
		"bin/new": "~ bin/new was added; the tree that is there goes to " + goTrash + "/1.26.8-linux-amd64-ZOmGe1On",
	} {
		w := newWorld(t)
		installed(w)
		w.write(goDir+"/"+meddle, "x", 0o755)
		o := goTree(nil)
		if got, _, _ := strings.Cut(draw(o.Diff(observe(t, o, w))), "\n"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// A person who stops while it downloads need not wait for its end.
func TestADownloadCanBeStopped(t *testing.T) {
	w := newWorld(t)
	trees(w)
	start := w.sum()
	ctx, stop := context.WithCancel(context.Background())
	w.sites = map[string]http.Handler{"slow.example:80": http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		_, _ = out.Write(goTar(goFiles)[:100])
		out.(http.Flusher).Flush()
		stop()
		<-r.Context().Done()
	})}
	o := goTree(func(o *Tree) { o.Archive.Sources = []string{"http://slow.example/go.tar.gz", shelf} })
	if _, err := o.Do(engine.Uncut(ctx), w, nil); err == nil || err.Error() != "cannot install "+goDir+": stopped: context canceled" {
		t.Errorf("%v", err)
	}
	if w.sum() != start {
		t.Error("something was left behind")
	}
}

// ticking is a machine on which each look at the clock takes a tenth of a second.
type ticking struct {
	*world
	n int
}

func (m *ticking) Now() time.Time {
	m.n++
	return noon.Add(time.Duration(m.n) * 100 * time.Millisecond)
}

// small gives few bytes at a time.
type small struct{ io.ReadCloser }

func (r small) Read(p []byte) (int, error) { return r.ReadCloser.Read(p[:min(len(p), 50)]) }

func (m *ticking) Open(name string) (io.ReadCloser, error) {
	r, err := m.world.Open(name)
	return small{r}, err
}

func TestAnInstallationTellsHowFarItIs(t *testing.T) {
	w := newWorld(t)
	trees(w)
	archive := goTar(goFiles)
	var said []string
	o := goTree(func(o *Tree) { o.Want.Size = int64(len(archive)) })
	if _, err := o.Do(context.Background(), &ticking{world: w}, func(t lang.Text) { said = append(said, t.EN+"|"+t.ZH) }); err != nil {
		t.Fatal(err)
	}
	want := "0.0 of 0.0 MB, 0.0 MB/s, from " + path.Dir(shelf) + "|0.0 / 0.0 MB，0.0 MB/s，来自 " + path.Dir(shelf)
	reads := (len(archive)+49)/50 + 1
	if !slices.Contains(said, want) || len(said) > reads/5+1 {
		t.Errorf("%d lines for %d reads: %q", len(said), reads, said)
	}
}

func TestABuildThatFailsLeavesNothing(t *testing.T) {
	w := newWorld(t)
	trees(w)
	w.tools = map[string]tool{"mkgo": func(_ *world, c machine.Command, say func(string)) error {
		say("out of memory")
		return &machine.ExitError{Argv: c.Argv, Code: 2, Stderr: "out of memory\n"}
	}}
	start := w.sum()
	var said bytes.Buffer
	o := goTree(func(o *Tree) { o.Make = &Make{Argv: []string{"mkgo", "{tree}"}, Dir: "src"} })
	_, err := o.Do(context.Background(), w, func(t lang.Text) { said.WriteString(t.EN + "\n") })
	if err == nil || !strings.HasSuffix(err.Error(), "failed: exited with 2: out of memory") || w.sum() != start {
		t.Errorf("%v, nothing left: %v", err, w.sum() == start)
	}
	if !strings.Contains(said.String(), "out of memory") {
		t.Errorf("said %s", said.String())
	}
	for _, n := range []string{"..", "/etc", ".", "a/../../b"} {
		o := goTree(func(o *Tree) { o.Make = &Make{Argv: []string{"mkgo"}, Clear: []string{n}} })
		if _, err := o.Do(context.Background(), w, nil); err == nil || w.sum() != start {
			t.Errorf("Clear %q: %v", n, err)
		}
	}
}

func TestATreeNeedsADirectoryInItsPlace(t *testing.T) {
	for name, there := range map[string]func(*world){
		"a file": func(w *world) { w.write(goDir, "x", 0o644) },
		"a link": func(w *world) { w.link(filepath.Dir(shelf), goDir) },
	} {
		w := newWorld(t)
		trees(w)
		there(w)
		start := w.sum()
		if _, err := goTree(nil).Do(context.Background(), w, nil); err == nil || err.Error() != "cannot install "+goDir+": it is not a directory" || w.sum() != start {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := newWorld(t)
	installed(w)
	w.write(goDir+"/new", "", 0o644)
	must(w.Remove(goTrash))
	start := w.sum()
	if _, err := goTree(nil).Do(context.Background(), w, nil); err == nil || !strings.Contains(err.Error(), "there is no directory "+goTrash+" to move it to") || w.sum() != start {
		t.Errorf("no Trash: %v", err)
	}
}

func TestATreeIsNotPutWhereOthersCouldExchangeIt(t *testing.T) {
	for name, meddle := range map[string]func(*world){
		"its directory is somebody's":      func(w *world) { w.chown(goBase, 1000, 1000) },
		"the one above is":                 func(w *world) { w.chown(path.Dir(goBase), 1000, 1000) },
		"all may write into its directory": func(w *world) { must(os.Chmod(w.dir+goBase, 0o777)) },
		"a link that is somebody's leads on": func(w *world) {
			w.mkdir("/home/u")
			w.chown("/home/u", 1000, 1000)
			must(os.RemoveAll(w.dir + goBase))
			w.link("/home/u", goBase)
		},
	} {
		w := newWorld(t)
		trees(w)
		meddle(w)
		start := w.sum()
		_, err := goTree(nil).Do(context.Background(), w, nil)
		var refusal engine.Refusal
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "could exchange it") || lang.Hint(err, lang.ZH) == "" || w.sum() != start {
			t.Errorf("%s: %v; left alone: %v", name, err, w.sum() == start)
		}
	}
}

// Whoever could once write into the directory may have left a tree there, with a
// manifest and a record to it.
func TestATreeThatSomebodyLeftThereIsNotTheOneWanted(t *testing.T) {
	plant := func(w *world, record func(*goroot.Record)) {
		evil := goTar(spoilt(goFiles, "bin/go!", "evil"))
		w.write("/srv/evil.tar.gz", string(evil), 0o644)
		o := goTree(func(o *Tree) { o.Archive.Sources, o.Want.SHA256 = []string{"/srv/evil.tar.gz"}, hexSum(evil) })
		_, err := o.Do(context.Background(), w, nil)
		must(err)
		r, err := goroot.ReadRecord(w, goDir)
		must(err)
		r.H1, r.SHA256 = h1Of(goFiles), hexSum(goTar(goFiles))
		record(r)
		w.write(goroot.Evidence(goDir), string(r.Text()), 0o644)
	}
	for name, meddle := range map[string]func(*world){
		"a record of other files": func(w *world) { plant(w, func(*goroot.Record) {}) },
		"a file is its owner's": func(w *world) {
			installed(w)
			w.chown(goDir+"/bin/go", 1000, 1000)
		},
		"a directory is its owner's": func(w *world) {
			installed(w)
			w.chown(goDir+"/bin", 1000, 1000)
		},
		"a directory is everybody's": func(w *world) {
			installed(w)
			must(os.Chmod(w.dir+goDir+"/bin", 0o777))
		},
		"all of it is its owner's": func(w *world) {
			installed(w)
			w.chown(goDir, 1000, 1000)
		},
	} {
		w := newWorld(t)
		trees(w)
		meddle(w)
		o := goTree(nil)
		if d := o.Diff(observe(t, o, w)); d.Action != engine.Update {
			t.Errorf("%s: it is taken for the one that is wanted: %+v", name, d)
		}
		if _, err := o.Do(context.Background(), w, nil); err != nil || w.read(goDir+"/bin/go") != goFiles["bin/go!"] {
			t.Errorf("%s: %v, %q", name, err, w.read(goDir+"/bin/go"))
		}
		if d := o.Diff(observe(t, o, w)); d.Action != engine.None {
			t.Errorf("%s: afterwards: %+v", name, d)
		}
	}
}

// A signature alone proves every release there ever was: what was looked at is what is
// installed, whatever lies at its place by then.
func TestAFileThatWasExchangedSinceItWasReadIsRefused(t *testing.T) {
	w := newWorld(t)
	trees(w)
	w.write(shelf, string(goTar(spoilt(goFiles, "bin/go!", "older"))), 0o644)
	log := newTestLog(h1Of(spoilt(goFiles, "bin/go!", "older"))) // something proves the other, too
	start := w.sum()
	_, err := goTree(func(o *Tree) {
		o.Want = &Want{Toolchain: goRelease, Proof: log.proof, LogKey: log.key, Read: hexSum(goTar(goFiles))}
	}).Do(context.Background(), w, nil)
	var refusal engine.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "it was exchanged since it was looked at") || w.sum() != start {
		t.Errorf("%v; left alone: %v", err, w.sum() == start)
	}
}

func TestAPipeInThePlaceOfAnArchiveIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	trees(w)
	must(os.Remove(w.dir + shelf))
	must(syscall.Mkfifo(w.dir+shelf, 0o644))
	f, err := os.OpenFile(w.dir+shelf, os.O_RDWR, 0) // a writer who never writes
	must(err)
	defer f.Close()
	if _, err := goTree(nil).Do(context.Background(), w, nil); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Error(err)
	}
}
