package origin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/goroot"
	"goxin/steps/verify"
)

const dir = "/usr/local/go"

// with is go1.26.8 with some files changed; "" takes one away.
func with(change map[string]string) map[string]string {
	files := release1268()
	for name, content := range change {
		if files[name] = content; content == "" {
			delete(files, name)
		}
	}
	return files
}

func differs(f *Finding) string {
	var out []string
	for _, d := range f.Differs {
		out = append(out, d.String())
	}
	return strings.Join(out, ", ")
}

func tree(t *testing.T, w *world, o Options) *Finding {
	t.Helper()
	f, err := Tree(t.Context(), w, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAReleaseIsAuthenticByTheLog(t *testing.T) {
	w := newWorld(t)
	w.put(dir, release1268())
	f := tree(t, w, w.online())
	if f.Verdict != Authentic || f.Toolchain != tool || f.H1 != w.h1[tool] || len(f.Differs) > 0 || f.Text().EN != "authentic go1.26.8 linux/arm64" {
		t.Errorf("%s: %+v", f.Text().EN, f)
	}
	if len(f.Evidence) != 1 || f.Evidence[0].Kind != verify.Log || f.Evidence[0].RestsOn.Empty() {
		t.Errorf("evidence: %+v", f.Evidence)
	}
	if len(f.Notes) != 1 || !strings.Contains(f.Notes[0].EN, "1 files in api, doc") {
		t.Errorf("notes: %v", f.Notes)
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var again Finding
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if text2, err := json.Marshal(&again); err != nil || !bytes.Equal(text, text2) || again.Proof == nil {
		t.Errorf("by way of JSON: %s\nwas: %s, %v", text2, text, err)
	}
}

func TestFilesThatDifferAreNamed(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  map[string]string
		odd     func(top string) error
		want    string
		verdict Verdict
		text    string
	}{
		{
			name: "one changed", change: map[string]string{"src/fmt/print.go": "package evil\n"},
			want: "changed src/fmt/print.go", verdict: Except, text: "authentic go1.26.8 linux/arm64 except src/fmt/print.go",
		},
		{
			name: "one of its programs", change: map[string]string{"bin/go": program("evil")},
			want: "changed bin/go", verdict: Except,
		},
		{
			name: "changed, missing and added", change: map[string]string{"go.env": "x", "src/go.mod": "", "src/fmt/evil.go": "x"},
			want: "changed go.env, added src/fmt/evil.go, missing src/go.mod", verdict: Except,
		},
		{
			name: "many", change: map[string]string{"a": "x", "b": "x", "c": "x", "d": "x", "e": "x"},
			want: "added a, added b, added c, added d, added e", verdict: Except, text: "authentic go1.26.8 linux/arm64 except a, b, c and 2 more files",
		},
		{
			name: "a link that the release does not have", odd: func(top string) error { return os.Symlink("/tmp", top+"/src/evil") },
			want: "added src/evil", verdict: Except,
		},
		{
			name: "a link in the place of a file", change: map[string]string{"src/fmt/print.go": ""},
			odd:  func(top string) error { return os.Symlink("doc.go", top+"/src/fmt/print.go") },
			want: "changed src/fmt/print.go", verdict: Except,
		},
		{
			name: "a pipe", odd: func(top string) error { return syscall.Mkfifo(top+"/src/pipe", 0o644) },
			want: "added src/pipe", verdict: Except,
		},
		{
			name: "what is not part of the record", change: map[string]string{"doc/README.md": "changed", "test/x.go": "added"},
			want: "", verdict: Authentic,
		},
		{
			name: "programs that somebody compiled", change: map[string]string{"bin/go": program("a"), "bin/gofmt": program("b"), "pkg/tool/linux_arm64/link": program("c")},
			want: "changed bin/go, changed bin/gofmt, changed pkg/tool/linux_arm64/link", verdict: Vendor,
			text: "no release of Go's: most of its programs are not those of go1.26.8",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.put(dir, with(c.change))
			if c.odd != nil {
				if err := c.odd(filepath.Join(w.root, dir)); err != nil {
					t.Fatal(err)
				}
			}
			f := tree(t, w, w.online())
			if differs(f) != c.want || f.Verdict != c.verdict || c.text != "" && f.Text().EN != c.text {
				t.Errorf("%s: %s, differs: %s", f.Verdict, f.Text().EN, differs(f))
			}
		})
	}
}

func TestAnEditedGoEnvIsToldWithoutAnythingToCompareWith(t *testing.T) {
	for name, change := range map[string]map[string]string{"changed": {"go.env": "GOTOOLCHAIN=local\n"}, "missing": {"go.env": ""}} {
		w := newWorld(t)
		w.h1[tool] = withFile(manifest(release1268()), goEnv).H1(tool)
		w.put(dir, with(change))
		o := w.online()
		o.Module = nil
		if f := tree(t, w, o); f.Verdict != Except || differs(f) != name+" go.env" {
			t.Errorf("%s, differs: %s", f.Text().EN, differs(f))
		}
		w.put(dir, map[string]string{"src/fmt/print.go": "another one too"})
		if f := tree(t, w, o); f.Verdict != Refused || len(f.Differs) > 0 || !strings.Contains(f.Text().EN, "cannot be told") {
			t.Errorf("%s, differs: %s", f.Text().EN, differs(f))
		}
	}
}

// keep writes what goxin keeps beside a tree it installed.
func (w *world) keep(dir string, man *verify.Manifest, p *verify.Proof) {
	w.t.Helper()
	var b bytes.Buffer
	if _, err := man.WriteTo(&b); err != nil {
		w.t.Fatal(err)
	}
	evidence, err := json.Marshal(map[string]any{"proof": p})
	if err != nil {
		w.t.Fatal(err)
	}
	w.put("/", map[string]string{goroot.Manifest(dir): b.String(), goroot.Evidence(dir): string(evidence)})
}

func TestWhatLiesBesideATreeIsEnoughOffline(t *testing.T) {
	w := newWorld(t)
	p, err := w.remote().Lookup(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}
	w.put(dir, release1268())
	w.keep(dir, manifest(release1268()), p)
	offline := Options{LogKey: w.key}
	if f := tree(t, w, offline); f.Verdict != Authentic || f.Proof == nil {
		t.Errorf("%s: %v", f.Text().EN, f.Notes)
	}
	w.put(dir, map[string]string{"src/fmt/print.go": "evil", "doc/README.md": "changed"})
	if f := tree(t, w, offline); f.Verdict != Except || differs(f) != "changed doc/README.md, changed src/fmt/print.go" {
		t.Errorf("%s, differs: %s", f.Text().EN, differs(f))
	}
	// By way of the link that is in PATH.
	if err := os.Symlink("go", filepath.Join(w.root, "/usr/local/current")); err != nil {
		t.Fatal(err)
	}
	f, err := Tree(t.Context(), w, "/usr/local/current/", offline)
	if err != nil || f.Verdict != Except || f.Path != "/usr/local/current" {
		t.Errorf("by its link: %+v, %v", f, err)
	}
}

func TestWhatLiesBesideATreeIsNotBelieved(t *testing.T) {
	changed := with(map[string]string{"src/fmt/print.go": "evil"})
	other := newWorld(t) // another log, with its own key, has the changed files
	other.h1[tool] = manifest(changed).H1(tool)
	forged, err := other.remote().Lookup(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]map[string]string{
		"a proof by another log": {},
		"rubbish":                {goroot.Manifest(dir): "rubbish", goroot.Evidence(dir): "rubbish"},
		"half":                   {goroot.Manifest(dir): "", goroot.Evidence(dir): `{"proof":"goxin proof 1\n"}`},
		"another shape":          {goroot.Evidence(dir): `[]`},
	} {
		w := newWorld(t)
		w.put(dir, changed)
		w.keep(dir, manifest(changed), forged)
		w.put("/", files)
		f := tree(t, w, w.online())
		if f.Verdict != Except || differs(f) != "changed src/fmt/print.go" || len(f.Notes) < 2 {
			t.Errorf("%s: %s, differs: %s, %v", name, f.Text().EN, differs(f), f.Notes)
		}
		if f := tree(t, w, Options{LogKey: w.key}); f.Verdict != Unproved {
			t.Errorf("%s, offline: %s", name, f.Text().EN)
		}
	}
}

func TestAManifestAloneTellsWhatChangedAndProvesNothing(t *testing.T) {
	w := newWorld(t)
	w.put(dir, with(map[string]string{"src/fmt/print.go": "evil"}))
	w.keep(dir, manifest(release1268()), nil)
	f := tree(t, w, Options{LogKey: w.key})
	if len(f.Notes) != 1 || !strings.Contains(f.Notes[0].EN, "no longer as they were unpacked") {
		t.Errorf("notes: %v", f.Notes)
	}
	if f.Verdict != Unproved || differs(f) != "changed src/fmt/print.go" {
		t.Errorf("%s, differs: %s", f.Text().EN, differs(f))
	}
}

func TestWhatATreeRestedOnWhenItWasInstalledIsTold(t *testing.T) {
	w := newWorld(t)
	w.put(dir, release1268())
	w.keep(dir, manifest(release1268()), nil)
	record, err := json.Marshal(goroot.Record{Toolchain: tool, Evidence: []verify.Evidence{{Kind: verify.Digest, Verdict: verify.Good, RestsOn: lang.T("the list", "列表")}}})
	if err != nil {
		t.Fatal(err)
	}
	w.put("/", map[string]string{goroot.Evidence(dir): string(record)})
	f := tree(t, w, Options{LogKey: w.key})
	if f.Verdict != Unproved || len(f.Notes) != 1 || !strings.HasSuffix(f.Notes[0].EN, "then it rested on the list") {
		t.Errorf("%s: %v", f.Text().EN, f.Notes)
	}
}

func TestATreeThatNobodyReleased(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  map[string]string
		verdict Verdict
		text    string
	}{
		{"not in the log", map[string]string{"VERSION": "go1.26.99\n"}, Vendor, "no release of Go's: Go's transparency log has no record of go1.26.99 linux/arm64"},
		{"a vendor's version", map[string]string{"VERSION": "go1.26.8-vendor.7\n"}, Vendor, "no release of Go's: its VERSION file names no release"},
		{"a development version", map[string]string{"VERSION": "devel go1.27-abc\n"}, Vendor, "no release of Go's: its VERSION file names no release"},
		{"a version that climbs", map[string]string{"VERSION": "go1.26.8/../x\n"}, Vendor, "no release of Go's: its VERSION file names no release"},
		{"no version", map[string]string{"VERSION": ""}, Vendor, "no release of Go's: its VERSION file names no release"},
		{"no program", map[string]string{"bin/go": ""}, Unproved, "nothing proves this go1.26.8 source: it has no program bin/go for Linux"},
		{"a script for a program", map[string]string{"bin/go": "#!/bin/sh\nexec /usr/bin/go \"$@\"\n"}, Unproved, ""},
		{"another platform's program", map[string]string{"bin/go": strings.Replace(program("go"), "\xb7\x00", "\x3e\x00", 1)}, Vendor, "no release of Go's: Go's transparency log has no record of go1.26.8 linux/amd64"},
	} {
		w := newWorld(t)
		w.put(dir, with(c.change))
		f := tree(t, w, w.online())
		if f.Verdict != c.verdict || c.text != "" && f.Text().EN != c.text {
			t.Errorf("%s: %s: %s", c.name, f.Verdict, f.Text().EN)
		}
	}
}

func TestReleasesBeforeTheModuleWasMadeAsTodayAreNotAccused(t *testing.T) {
	w := newWorld(t)
	old := verify.Toolchain{Version: "go1.20.14", OS: "linux", Arch: "arm64"}
	w.h1[old] = w.h1[tool]
	w.put(dir, with(map[string]string{"VERSION": "go1.20.14"}))
	if f := tree(t, w, w.online()); f.Verdict != Unproved || !strings.Contains(f.Text().EN, "before Go 1.21") {
		t.Errorf("%s: %s", f.Verdict, f.Text().EN)
	}
}

func TestServersThatLieProveNothing(t *testing.T) {
	evil := map[string]string{"src/fmt/print.go": "evil"}
	for _, c := range []struct {
		name    string
		lie     func(w *world)
		verdict Verdict
		text    string
		note    string
	}{
		{"a module of the changed files", func(w *world) {
			w.zips["/"+verify.ToolchainModule+"/@v/"+tool.ModuleVersion()+".zip"] = moduleZip(w.t, tool, with(evil))
		}, Refused, "which of them differ cannot be told", "what came is not the release"},
		{"a module that breaks off", func(w *world) {
			path := "/" + verify.ToolchainModule + "/@v/" + tool.ModuleVersion() + ".zip"
			w.zips[path] = w.zips[path][:200]
		}, Refused, "which of them differ cannot be told", "the release could not be read"},
		{"no module", func(w *world) { clear(w.zips) }, Refused, "which of them differ cannot be told", "404"},
		{"another log", func(w *world) { w.key = newWorld(w.t).key }, Unproved, "this does not come from Go's transparency log", ""},
		{"a page for everything", func(w *world) {
			w.extra = func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("X-Done", "1")
				_, _ = io.WriteString(rw, "<html>welcome</html>")
			}
		}, Unproved, "this does not come from Go's transparency log", ""},
		{"forbidden", func(w *world) {
			w.extra = func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("X-Done", "1")
				rw.WriteHeader(http.StatusForbidden)
			}
		}, Unproved, "answers 403", ""},
		{"a proxy without the database", func(w *world) {
			w.extra = func(rw http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/sumdb/") {
					rw.Header().Set("X-Done", "1")
					http.NotFound(rw, r)
				}
			}
		}, Unproved, "does not carry the checksum database", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.put(dir, with(evil))
			c.lie(w)
			f := tree(t, w, w.online())
			if f.Verdict != c.verdict || !strings.Contains(f.Text().EN, c.text) {
				t.Errorf("%s: %s", f.Verdict, f.Text().EN)
			}
			var notes []string
			for _, n := range f.Notes {
				notes = append(notes, n.EN)
			}
			if !strings.Contains(strings.Join(notes, "\n"), c.note) {
				t.Errorf("notes: %q", notes)
			}
		})
	}
}

func TestWhatIsNoGoTreeIsAnErrorWithAHint(t *testing.T) {
	w := newWorld(t)
	w.put("/opt/else", map[string]string{"README": "x"})
	_, err := Tree(t.Context(), w, "/opt/else", Options{})
	if err == nil || !strings.Contains(err.Error(), "neither VERSION nor bin/go") || !strings.Contains(lang.Hint(err, lang.ZH), "GOROOT") {
		t.Errorf("%v, hint %q", err, lang.Hint(err, lang.ZH))
	}
	if _, err := Tree(t.Context(), w, "/nowhere", Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	w.put(dir, release1268())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Tree(ctx, w, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	o := w.online()
	ctx, cancel = context.WithCancel(t.Context())
	o.Lookup = func(ctx context.Context, _ verify.Toolchain) (*verify.Proof, error) { cancel(); return nil, ctx.Err() }
	if _, err := Tree(ctx, w, dir, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while asking: %v", err)
	}
}

func TestATreeThatCannotBeReadIsAnError(t *testing.T) {
	w := newWorld(t)
	w.put(dir, release1268())
	deep := filepath.Join(w.root, dir, strings.Repeat("d/", maxDepth+1))
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Tree(t.Context(), w, dir, Options{}); err == nil || !strings.Contains(err.Error(), "too deeply") {
		t.Error(err)
	}
}

// Somebody's directory may hold a file that has no end, as far as a person's patience
// goes: a sparse one costs its owner nothing.
func TestATreeWithoutEndIsNotRead(t *testing.T) {
	w := newWorld(t)
	w.put(dir, release1268())
	if err := os.Truncate(filepath.Join(w.root, dir, "lib/time/zoneinfo.zip"), 1<<40); err != nil {
		t.Fatal(err)
	}
	if f, err := Tree(t.Context(), w, dir, Options{LogKey: w.key}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestAPipeInThePlaceOfVERSIONIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.put(dir, with(map[string]string{"VERSION": "", "bin/go": ""}))
	for _, name := range []string{"/VERSION", "/bin/go"} {
		pipe := filepath.Join(w.root, dir, name)
		if err := syscall.Mkfifo(pipe, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(pipe, os.O_RDWR, 0) // a writer who never writes
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if f, err := Tree(t.Context(), w, dir, Options{LogKey: w.key}); err == nil {
		t.Errorf("%+v", f)
	}
}
