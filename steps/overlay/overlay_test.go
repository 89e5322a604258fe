package overlay

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/steptest"
)

// release is one whose files the tests read; what the overlay makes of the other line is
// compiled and run elsewhere (make worlds).
const release = "go1.26.8"

func in(dir string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) }
}

func TestTheOverlayOfARealReleaseIsFourFilesAndFiveChangedLines(t *testing.T) {
	dir := steptest.Goroot(t, release)
	files, err := Files(release, Arch, in(dir))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		was, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			got = append(got, f.Name+" added")
			continue
		}
		got = append(got, fmt.Sprintf("%s -%d +%d", f.Name, without(was, f.Data), without(f.Data, was)))
	}
	want := `src/runtime/os_linux_generic.go -1 +1
src/runtime/signal_linux_loong64.go -1 +1
src/runtime/os_linux_loong64_sigabi.go added
src/runtime/os_linux.go -2 +3`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// without counts the lines of a that b lacks.
func without(a, b []byte) (n int) {
	has := map[string]bool{}
	for l := range strings.Lines(string(b)) {
		has[l] = true
	}
	for l := range strings.Lines(string(a)) {
		if !has[l] {
			n++
		}
	}
	return n
}

func TestWhatIsNotKnownToTheByteIsRefused(t *testing.T) {
	dir := steptest.Goroot(t, release)
	real := in(dir)
	changed := func(name string) func(string) ([]byte, error) {
		return func(n string) ([]byte, error) {
			b, err := real(n)
			if n == name {
				b = append(b, '\n')
			}
			return b, err
		}
	}
	for name, c := range map[string]struct {
		release, arch string
		read          func(string) ([]byte, error)
		want          string
	}{
		"another architecture":         {release, "arm64", real, "cannot make the overlay for arm64: it is for loong64 alone"},
		"a line that is not known":     {"go1.24.11", Arch, real, "cannot make the overlay for go1.24.11: its runtime is not known"},
		"a release that is not known":  {"go1.26.99", Arch, real, "cannot make the overlay for go1.26.99: its runtime is not known"},
		"a development version":        {"devel go1.27-abcdef", Arch, real, "its runtime is not known"},
		"an edited file was changed":   {release, Arch, changed(linuxFile), "src/runtime/os_linux.go: its SHA-256 is "},
		"a file relied on was changed": {release, Arch, changed(defsFile), "src/runtime/defs_linux_loong64.go: its SHA-256 is "},
		"assembly was changed":         {release, Arch, changed(systemFile), "src/runtime/sys_linux_loong64.s: its SHA-256 is "},
		"a file is missing": {release, Arch, func(n string) ([]byte, error) {
			if n == signalFile {
				return nil, fs.ErrNotExist
			}
			return real(n)
		}, "src/runtime/signal_linux_loong64.go"},
		"the overlay is in it already": {release, Arch, func(n string) ([]byte, error) {
			if n == addedFile {
				return sigabi, nil
			}
			return real(n)
		}, "os_linux_loong64_sigabi.go: it is there already"},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := Files(c.release, c.arch, c.read)
			if err == nil || !strings.Contains(err.Error(), c.want) || files != nil {
				t.Errorf("%d files, error %v, want %q", len(files), err, c.want)
			}
			if lang.Hint(err, lang.EN) == "" || lang.Hint(err, lang.ZH) == "" {
				t.Error("no hint")
			}
		})
	}
}

// Every anchor and every pin of every line speaks of the same files.
func TestEveryLinePinsWhatIsEditedAndReliedUpon(t *testing.T) {
	for _, l := range lines() {
		pinned := map[string]Pin{}
		for _, p := range l.pins {
			pinned[p.Name] = p
			if len(p.After) != 64 || !p.added() && len(p.Before) != 64 {
				t.Errorf("%s: %s is not pinned", l.releases[0], p.Name)
			}
			if len(edits()[p.Name]) > 0 != p.edited() {
				t.Errorf("%s: %s: its pins and its edits disagree", l.releases[0], p.Name)
			}
		}
		for name := range relied() {
			if _, ok := pinned[name]; !ok {
				t.Errorf("%s: %s is relied upon and not pinned", l.releases[0], name)
			}
		}
	}
	if n := len(Releases()); n < 2 || Releases()[0] >= Releases()[n-1] {
		t.Errorf("releases %v", Releases())
	}
}
