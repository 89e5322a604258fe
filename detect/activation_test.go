package detect

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"goxin/assets/golang"
	"goxin/detect/machine"
)

func TestASystemIsActivatedWhereItsSourcesLicenceIs(t *testing.T) {
	licensed := "[os]\nbaseurl=https://packages.example/os\nusername=$auth_u\npassword=$auth_p\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  Fact[bool]
		warns bool
	}{
		"no variable of that name": {map[string]string{"etc/yum.repos.d/a.repo": licensed}, Fact[bool]{Known: true}, true},
		"a variable for dnf":       {map[string]string{"etc/yum.repos.d/a.repo": licensed, "etc/dnf/vars/auth_u": "me\n"}, Fact[bool]{Known: true, Value: true}, false},
		"a variable for yum":       {map[string]string{"etc/yum.repos.d/a.repo": licensed, "etc/yum/vars/auth_u": "me\n"}, Fact[bool]{Known: true, Value: true}, false},
		"in braces":                {map[string]string{"etc/yum.repos.d/a.repo": "[os]\nusername = ${auth_u}\n"}, Fact[bool]{Known: true}, true},
		"a user of its own":        {map[string]string{"etc/yum.repos.d/a.repo": "[os]\nusername=me\n"}, Fact[bool]{}, false},
		"no licence asked for":     {map[string]string{"etc/yum.repos.d/a.repo": "[os]\nbaseurl=https://packages.example/os\n"}, Fact[bool]{}, false},
		"not what is read":         {map[string]string{"etc/yum.repos.d/a.repo.bak": licensed}, Fact[bool]{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			c.files["usr/bin/dnf"] = ""
			for file, content := range c.files {
				host := filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(host, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			f, err := Detect(context.Background(), machine.Root(root))
			if err != nil {
				t.Fatal(err)
			}
			got := f.Packages.Activated
			if got.Known != c.want.Known || got.Value != c.want.Value || slices.Contains(f.Warnings, WarnNotActivated) != c.warns {
				t.Errorf("%+v, warnings %v", got, f.Warnings)
			}
		})
	}
}

// stopped is a machine whose clock stands.
type stopped struct {
	machine.Machine
	at time.Time
}

func (s stopped) Now() time.Time { return s.at }

func TestADeadClockIsSaidToBeDead(t *testing.T) {
	for at, want := range map[time.Time]bool{
		time.Unix(0, 0): true,
		time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC):     true,
		newestRelease.Add(-time.Second):                 true,
		newestRelease.Add(time.Second):                  false,
		time.Date(2031, 5, 17, 12, 0, 0, 0, time.UTC):   false,
		time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC): false,
	} {
		f, err := Detect(context.Background(), stopped{machine.Local(), at})
		if err != nil {
			t.Fatal(err)
		}
		if f.Clock.Past.Value != want || slices.Contains(f.Warnings, WarnClockPast) != want {
			t.Errorf("%s: %+v, warnings %v", at, f.Clock.Past, f.Warnings)
		}
		if want && slices.Contains(f.Warnings, WarnClock) {
			t.Errorf("%s: a dead clock is said to be unsynchronised as well", at)
		}
	}
}

func TestTheDateNoClockCanBeBeforeIsTheCatalogues(t *testing.T) {
	c, err := golang.Load()
	if err != nil {
		t.Fatal(err)
	}
	var newest time.Time
	for _, r := range c.Releases {
		if r.Date.After(newest) {
			newest = r.Date
		}
	}
	if got := newest.Truncate(24 * time.Hour); !got.Equal(newestRelease) {
		t.Errorf("newestRelease is %s, the catalogue's newest %s", newestRelease, got)
	}
}
