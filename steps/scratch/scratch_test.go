package scratch

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/steptest"
)

// bases is a tree with empty bases.
func bases(t *testing.T) (machine.Machine, string) {
	t.Helper()
	m, root := steptest.Tree(t, nil)
	for _, b := range Bases() {
		if err := os.MkdirAll(filepath.Join(root, b), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return m, root
}

func left(t *testing.T, m machine.Machine) string {
	t.Helper()
	var out []string
	for _, b := range Bases() {
		names, err := m.ReadDir(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			out = append(out, path.Join(b, n))
		}
	}
	return strings.Join(out, " ")
}

func TestADirectoryIsItsMakersAloneAndGoesWithAllThatIsInIt(t *testing.T) {
	m, root := bases(t)
	if err := os.WriteFile(filepath.Join(root, "precious"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var seen string
	err := Use(m, "trial", func(dir string) error {
		seen = dir
		info, err := m.Lstat(dir)
		if err != nil || info.Mode != fs.ModeDir|0o700 {
			t.Errorf("%v, %v", info.Mode, err)
		}
		host := filepath.Join(root, dir)
		return errors.Join(os.MkdirAll(filepath.Join(host, "cache/00"), 0o755), os.WriteFile(filepath.Join(host, "cache/00/a"), nil, 0o444),
			os.Symlink(root, filepath.Join(host, "out")), os.Symlink("/precious", filepath.Join(host, "cache/in")))
	})
	if err != nil || seen != "/var/tmp/goxin-trial-0" {
		t.Errorf("%s, %v", seen, err)
	}
	if l := left(t, m); l != "" {
		t.Errorf("left: %s", l)
	}
	if _, err := os.Stat(filepath.Join(root, "precious")); err != nil {
		t.Errorf("a link was followed: %v", err)
	}
}

func TestOnlyWhatMayNotRunIsTriedElsewhere(t *testing.T) {
	noexec, other := errors.Join(ErrNoExec, errors.New("first")), errors.New("other")
	for name, c := range map[string]struct {
		errs []error
		want error
		dirs string
	}{
		"it works":            {[]error{nil}, nil, "/var/tmp"},
		"noexec, then works":  {[]error{noexec, nil}, nil, "/var/tmp /root"},
		"noexec everywhere":   {[]error{noexec, ErrNoExec}, noexec, "/var/tmp /root"},
		"noexec, then broken": {[]error{noexec, other}, noexec, "/var/tmp /root"},
		"broken":              {[]error{other}, other, "/var/tmp"},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := bases(t)
			var dirs []string
			err := Use(m, "trial", func(dir string) error {
				dirs = append(dirs, path.Dir(dir))
				return c.errs[len(dirs)-1]
			})
			if !errors.Is(err, c.want) || err == nil != (c.want == nil) || strings.Join(dirs, " ") != c.dirs {
				t.Errorf("%v in %v", err, dirs)
			}
			if l := left(t, m); l != "" {
				t.Errorf("left: %s", l)
			}
		})
	}
}

// Anybody may write to /var/tmp.
func TestWhatIsThereUnderTheNameIsNotUsed(t *testing.T) {
	m, _ := bases(t)
	if err := m.Symlink("/root", "/var/tmp/goxin-trial-0"); err != nil {
		t.Fatal(err)
	}
	if err := m.Mkdir("/var/tmp/goxin-trial-1", 0o777, machine.Keep); err != nil {
		t.Fatal(err)
	}
	dir, err := Make(m, "/var/tmp", "trial")
	if err != nil || dir != "/var/tmp/goxin-trial-2" {
		t.Fatalf("%s, %v", dir, err)
	}
	if err := Clear(m, dir); err != nil {
		t.Fatal(err)
	}
	if l := left(t, m); l != "/var/tmp/goxin-trial-0 /var/tmp/goxin-trial-1" {
		t.Errorf("left: %s", l)
	}
}

func TestADirectoryThatCannotBeMadeIsToldWithWhatToDo(t *testing.T) {
	m, root := bases(t)
	for range 10 {
		if _, err := Make(m, "/var/tmp", "trial"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Make(m, "/var/tmp", "trial")
	if !errors.Is(err, fs.ErrExist) || lang.Hint(err, lang.EN) != "what is left of interrupted runs is in the way: remove /var/tmp/goxin-trial-*" {
		t.Errorf("%v, %s", err, lang.Hint(err, lang.EN))
	}
	if err := os.Remove(filepath.Join(root, "root")); err != nil {
		t.Fatal(err)
	}
	_, err = Make(m, "/root", "trial")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(lang.Hint(err, lang.ZH), "可写") {
		t.Errorf("%v", err)
	}
}
