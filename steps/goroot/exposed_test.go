package goroot

import (
	"os"
	"strings"
	"testing"

	"goxin/detect/machine"
	"goxin/steps/steptest"
)

// owned is a tree in which some things have another owner than they have here.
type owned struct {
	machine.Machine
	of map[string]int
}

func (o owned) Lstat(name string) (machine.Info, error) {
	info, err := o.Machine.Lstat(name)
	if uid, ok := o.of[name]; ok {
		info.UID = uid
	}
	return info, err
}

func TestWhatOthersCouldExchangeIsNamed(t *testing.T) {
	const dir = "/usr/local/go"
	for story, c := range map[string]struct {
		owners map[string]int
		modes  map[string]os.FileMode
		links  map[string]string
		at     string
		want   string
	}{
		"all is root's":                            {},
		"a program is somebody's":                  {owners: map[string]int{dir + "/bin/go": 1000}, want: dir + "/bin/go"},
		"a program can be written by all":          {modes: map[string]os.FileMode{dir + "/bin/go": 0o777}, want: dir + "/bin/go"},
		"a directory can be written by all":        {modes: map[string]os.FileMode{dir + "/bin": 0o777}, want: dir + "/bin"},
		"a sticky directory in it, too":            {modes: map[string]os.FileMode{dir + "/bin": 0o777 | os.ModeSticky}, want: dir + "/bin"},
		"it is somebody's":                         {owners: map[string]int{dir: 1000}, want: dir},
		"what is above is somebody's":              {owners: map[string]int{"/usr/local": 1000}, want: "/usr/local"},
		"all may write above":                      {modes: map[string]os.FileMode{"/usr/local": 0o777}, want: "/usr/local"},
		"as in /tmp, where nobody moves another's": {modes: map[string]os.FileMode{"/usr/local": 0o777 | os.ModeSticky}},
		"staff may write above, as Debian has it":  {modes: map[string]os.FileMode{"/usr/local": 0o775}},
		"a link to somebody's home":                {links: map[string]string{"/opt": "/home/u"}, owners: map[string]int{"/home/u": 1000}, at: "/opt/go", want: "/home/u"},
		"somebody's link":                          {links: map[string]string{"/opt": "usr/local"}, owners: map[string]int{"/opt": 1000}, at: "/opt/go", want: "/opt"},
		"root's link":                              {links: map[string]string{"/opt": "usr/local"}, at: "/opt/go"},
		"links in a circle":                        {links: map[string]string{"/opt": "/opt"}, at: "/opt/go", want: "error"},
		"a link in it that is root's":              {links: map[string]string{dir + "/x": "/home"}, modes: map[string]os.FileMode{"/home": 0o777}},
	} {
		m, root := steptest.Tree(t, map[string]string{dir + "/bin/go": "", dir + "/src/x.go": "", "/home/u/go/bin/go": ""})
		for name, to := range c.links {
			if err := os.Symlink(to, root+name); err != nil {
				t.Fatal(err)
			}
		}
		for name, mode := range c.modes {
			if err := os.Chmod(root+name, mode); err != nil {
				t.Fatal(err)
			}
		}
		g, err := GuardOf(owned{m, c.owners})
		if err != nil {
			t.Fatal(err)
		}
		if c.at == "" {
			c.at = dir
		}
		got, err := g.Tree(t.Context(), c.at)
		if err != nil {
			got = "error"
		}
		if got != c.want {
			t.Errorf("%s: %q, %v", story, got, err)
		}
	}
}

func TestAGuardsWayEndsWhereThereIsNothing(t *testing.T) {
	m, _ := steptest.Tree(t, map[string]string{"/usr/x": ""})
	g, err := GuardOf(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.Way("/usr/local/go"); got != "" || err == nil || !strings.Contains(err.Error(), "/usr/local") {
		t.Errorf("%q, %v", got, err)
	}
}
