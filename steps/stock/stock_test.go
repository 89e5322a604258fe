package stock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

func fact(v string) detect.Fact[string] { return detect.Fact[string]{Value: v, Known: true} }

// shelf is a package manager made by hand that counts its questions.
type shelf struct {
	installed, available   map[string]string
	cannotTell, cannotList error
	lists                  int
}

func (s *shelf) ask() Ask {
	pick := func(from map[string]string, names []string) map[string]string {
		out := map[string]string{}
		for _, n := range names {
			if v, ok := from[n]; ok {
				out[n] = v
			}
		}
		return out
	}
	return Ask{
		Installed: func(_ context.Context, _ machine.Machine, _ string, names ...string) (map[string]string, error) {
			return pick(s.installed, names), s.cannotTell
		},
		Available: func(_ context.Context, _ machine.Machine, _ string, names ...string) (map[string]string, error) {
			s.lists++
			return pick(s.available, names), s.cannotList
		},
	}
}

func TestWhatAPackageManagerDoesNotKnowIsToldApart(t *testing.T) {
	broken := lang.Errorf(errors.New("rpmdb: damaged"), "cannot ask rpm", "无法查询 rpm")
	for name, c := range map[string]struct {
		manager string
		shelf   shelf
		files   []string
		want    string // what came of asking for "have" and "could"
		lists   string
		err     string
		asked   int
	}{
		"nothing to ask":           {manager: "", want: "silent"},
		"nothing runs":             {manager: "dnf", shelf: shelf{cannotTell: machine.ErrNotRunning}, want: "silent"},
		"no such program":          {manager: "apt", shelf: shelf{cannotTell: os.ErrNotExist}, want: "silent"},
		"a damaged database":       {manager: "dnf", shelf: shelf{cannotTell: broken}, err: "cannot ask rpm: rpmdb: damaged"},
		"all is installed":         {manager: "dnf", shelf: shelf{installed: map[string]string{"have": "1", "could": "2"}, cannotList: broken}, want: "have could", asked: 0},
		"one could be":             {manager: "yum", shelf: shelf{installed: map[string]string{"have": "1"}, available: map[string]string{"could": "2"}}, want: "have could+", asked: 1},
		"one is nowhere":           {manager: "dnf", shelf: shelf{installed: map[string]string{"have": "1"}, available: map[string]string{"bash": "5"}}, want: "have", asked: 2},
		"dnf without repositories": {manager: "dnf", shelf: shelf{installed: map[string]string{"have": "1"}}, want: "have", lists: "does not even know bash", asked: 2},
		"dnf that is refused":      {manager: "dnf", shelf: shelf{cannotList: errors.New("401\x1b")}, want: "", lists: `401\x1b`, asked: 1},
		"apt without lists":        {manager: "apt", shelf: shelf{available: map[string]string{"bash": "5"}}, lists: "no package lists", asked: 1},
		"apt with compressed ones": {manager: "apt", files: []string{"deb.example.org_Packages.lz4"}, asked: 1},
		"apt with other files":     {manager: "apt", files: []string{"lock", "partial"}, lists: "no package lists", asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, f := range c.files {
				p := filepath.Join(root, "var/lib/apt/lists", f)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			f := &detect.Facts{}
			if c.manager != "" {
				f.Packages.Manager = fact(c.manager)
			}
			s, err := c.shelf.ask().Look(context.Background(), machine.Root(root), f, "have", "could")
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if !s.Asked {
				got = append(got, "silent")
			}
			for _, n := range []string{"have", "could"} {
				switch {
				case s.Has(n):
					got = append(got, n)
				case s.Knows(n):
					got = append(got, n+"+")
				}
			}
			if strings.Join(got, " ") != c.want || c.shelf.lists != c.asked {
				t.Errorf("%q after %d questions, want %q after %d", got, c.shelf.lists, c.want, c.asked)
			}
			if (c.lists == "") != s.Lists.Empty() || !strings.Contains(s.Lists.EN, c.lists) {
				t.Errorf("lists: %q, want %q", s.Lists.EN, c.lists)
			}
			if c.manager == "yum" && s.Manager != "dnf" {
				t.Errorf("yum is asked as %s", s.Manager)
			}
		})
	}
}

// dnf reads its groups off the lists, and cannot without them.
func TestAGroupThatCannotBeToldIsNoDamagedDatabase(t *testing.T) {
	c := shelf{installed: map[string]string{"have": "1"}}
	a := c.ask()
	plain := a.Installed
	a.Installed = func(ctx context.Context, m machine.Machine, manager string, names ...string) (map[string]string, error) {
		if strings.HasPrefix(names[0], "@") {
			return nil, errors.New("cannot download repomd.xml\n401")
		}
		return plain(ctx, m, manager, names...)
	}
	f := &detect.Facts{}
	f.Packages.Manager = fact("dnf")
	s, err := a.Look(context.Background(), machine.Root(t.TempDir()), f, "@development", "have")
	if err != nil || !s.Has("have") || s.Knows("@development") || s.Lists.EN != "cannot download repomd.xml 401" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestACancelledQuestionIsNoAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := shelf{cannotList: context.Canceled}
	f := &detect.Facts{}
	f.Packages.Manager = fact("dnf")
	if _, err := c.ask().Look(ctx, machine.Root(t.TempDir()), f, "have"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNamesOfPackagesAreNames(t *testing.T) {
	for _, s := range []string{"libxml2", "libstdc++6", "@development", "gcc-c++", "java-17-openjdk.aarch64", "libc6:amd64", "0ad"} {
		if err := CheckName(s); err != nil {
			t.Errorf("%q is refused: %v", s, err)
		}
	}
	for _, s := range []string{"", "-y", "--root=/", "a b", "a;b", "$(x)", "a\n", "../x", "x/bookworm", "名字", strings.Repeat("a", 200)} {
		err := CheckName(s)
		if err == nil {
			t.Errorf("%q is taken", s)
			continue
		}
		if lang.Hint(err, lang.ZH) == "" || lang.Message(err, lang.ZH) == err.Error() {
			t.Errorf("%q: %v", s, err)
		}
	}
}
