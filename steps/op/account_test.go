package op

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goxin/detect/machine"
	"goxin/steps/engine"
)

// edit rewrites a database as shadow-utils do: what it was goes beside it first.
func (w *world) edit(file string, change func(lines []string) []string) error {
	host := filepath.Join(w.dir, file)
	data, err := os.ReadFile(host)
	if err != nil {
		return nil //nolint:nilerr // a database that is not there is not used
	}
	lines := change(slices.Collect(strings.Lines(string(data))))
	tear := func(kind string) error {
		if !w.torn {
			return nil
		}
		return w.effect(kind, file)
	}
	if now := strings.Join(lines, ""); now != string(data) {
		if err := tear("beside"); err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if strings.Contains(file, "shadow") {
			mode = 0o640
		}
		must(os.WriteFile(host+"-", data, mode))
		must(os.Chmod(host+"-", mode))
		if err := tear("rewrite"); err != nil {
			return err
		}
		must(os.WriteFile(host, []byte(now), mode))
	}
	return nil
}

func adding(line string) func([]string) []string {
	return func(l []string) []string { return append(l, line+"\n") }
}

func dropping(name string) func([]string) []string {
	return func(l []string) []string {
		return slices.DeleteFunc(l, func(s string) bool { return strings.HasPrefix(s, name+":") })
	}
}

func (w *world) editAll(steps ...any) error {
	for i := 0; i < len(steps); i += 2 {
		if err := w.edit(steps[i].(string), steps[i+1].(func([]string) []string)); err != nil {
			return err
		}
	}
	return nil
}

// shadowUtils are the programs of the package, as far as the op can tell.
func shadowUtils(w *world) {
	w.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644)
	w.write("/etc/shadow", "root:$6$secret:1::::::\n", 0o640)
	w.write("/etc/shadow-", "root:$6$older:1::::::\n", 0o600)
	w.write("/etc/group", "root:x:0:\n", 0o644)
	w.write("/etc/group-", "", 0o644)
	w.write("/etc/gshadow", "root:*::\n", 0o640)
	w.write("/usr/sbin/nologin", "", 0o755)
	w.mkdir("/var/lib/goxin")
	lock := func() {
		if _, err := os.Lstat(filepath.Join(w.dir, passwdLock)); err != nil {
			w.write(passwdLock, "", 0o600)
		}
	}
	begin := func(c machine.Command) error {
		w.ran = append(w.ran, strings.Join(c.Argv, " "))
		err := w.effect("run", c.Argv[0])
		if err == nil {
			lock()
		}
		return err
	}
	last := func(c machine.Command) string { return c.Argv[len(c.Argv)-1] }
	w.tools = map[string]tool{
		"getent": func(_ *world, c machine.Command, say func(string)) error {
			if last(c) == "ldapuser" {
				say("ldapuser:*:5000:5000::/home/ldapuser:/bin/bash")
				return nil
			}
			return &machine.ExitError{Argv: c.Argv, Code: 2}
		},
		"groupadd": func(w *world, c machine.Command, _ func(string)) error {
			if err := begin(c); err != nil {
				return err
			}
			return w.editAll("/etc/group", adding(last(c)+":x:990:"), "/etc/gshadow", adding(last(c)+":!::"))
		},
		"useradd": func(w *world, c machine.Command, _ func(string)) error {
			if err := begin(c); err != nil {
				return err
			}
			after := func(flag string) string { return c.Argv[slices.Index(c.Argv, flag)+1] }
			n := last(c)
			return w.editAll("/etc/shadow", adding(n+":!:20000::::::"), "/etc/passwd", adding(fmt.Sprintf("%s:x:991:990::%s:%s", n, after("--home-dir"), after("--shell"))))
		},
		"userdel": func(w *world, c machine.Command, _ func(string)) error {
			if err := begin(c); err != nil {
				return err
			}
			n := last(c)
			return w.editAll("/etc/shadow", dropping(n), "/etc/group", dropping(n), "/etc/gshadow", dropping(n), "/etc/passwd", dropping(n))
		},
		"groupdel": func(w *world, c machine.Command, _ func(string)) error {
			if err := begin(c); err != nil {
				return err
			}
			return w.editAll("/etc/group", dropping(last(c)), "/etc/gshadow", dropping(last(c)))
		},
	}
}

func accountSituations() []situation {
	app := &Account{Name: "app", Reason: why}
	return []situation{
		{"a new account", app, shadowUtils, engine.Applied},
		{"a new account with a home and a shell", &Account{Name: "app", Home: "/srv/app", Shell: "/bin/sh", Reason: why}, shadowUtils, engine.Applied},
		{"a new account in a group that is there", app, func(w *world) {
			shadowUtils(w)
			w.write("/etc/group", "root:x:0:\napp:x:55:\nlast:x:56:\n", 0o644)
			w.write("/etc/gshadow", "root:*::\napp:!::\nlast:!::\n", 0o640)
		}, engine.Applied},
		{"a new account on a machine without shadow groups", app, func(w *world) {
			shadowUtils(w)
			must(os.Remove(filepath.Join(w.dir, "/etc/gshadow")))
			w.write(passwdLock, "", 0o600)
		}, engine.Applied},
		{"an account that is there", app, func(w *world) {
			shadowUtils(w)
			w.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/bash\n", 0o644)
		}, ""},
		{"an account that a directory service knows", &Account{Name: "ldapuser", Reason: why}, shadowUtils, ""},
	}
}

func TestAnAccountHalfMadeGoesAgain(t *testing.T) {
	ctx := context.Background()
	o := &Account{Name: "app"}
	fresh := func() *world {
		w := newWorld(t)
		shadowUtils(w)
		w.torn = true
		return w
	}
	for n := 1; ; n++ {
		w := fresh()
		start := w.sum()
		before := observe(t, o, w)
		w.dieAt = n
		_, err := o.Do(ctx, w, nil)
		if !errors.Is(err, errDied) {
			break
		}
		w.dieAt = 0
		if n%2 == 0 { // and begun once more
			w.effects, w.dieAt = 0, 3
			_, _ = o.Do(ctx, w, nil)
			w.dieAt = 0
		}
		if err := undo(ctx, o, w, before, engine.State{}); err != nil || w.sum() != start {
			t.Errorf("cut off at effect %d: %v, as it was: %v", n, err, w.sum() == start)
		}
	}
	w := fresh()
	before := observe(t, o, w)
	start := w.sum()
	for n := 1; ; n++ { // and half removed
		if _, err := o.Do(ctx, w, nil); err != nil {
			t.Fatal(err)
		}
		w.effects, w.dieAt = 0, n
		err := undo(ctx, o, w, before, engine.State{})
		w.dieAt = 0
		if again := undo(ctx, o, w, before, engine.State{}); again != nil || w.sum() != start {
			t.Fatalf("cut off at effect %d: %v, as it was: %v", n, again, w.sum() == start)
		}
		if !errors.Is(err, errDied) {
			return
		}
	}
}

func TestPasswordsStayOutOfTheJournal(t *testing.T) {
	w := newWorld(t)
	shadowUtils(w)
	o := &Account{Name: "app"}
	before := observe(t, o, w)
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	for _, s := range []engine.State{before, observe(t, o, w)} {
		if strings.Contains(string(s.Meta)+string(s.Blob), "$6$") {
			t.Errorf("a hash is in the journal: %s %s", s.Meta, s.Blob)
		}
	}
	for _, name := range []string{keptDir, o.keep() + "/shadow-"} {
		info, err := w.Stat(name)
		if err != nil || info.Mode.Perm()&0o077 != 0 {
			t.Errorf("%s: %v %v", name, info.Mode, err)
		}
	}
}

func TestAnAccountMadeMeanwhileStays(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	shadowUtils(w)
	app, other := &Account{Name: "app"}, &Account{Name: "other"}
	before := observe(t, app, w)
	for _, o := range []*Account{app, other} {
		if _, err := o.Do(ctx, w, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := undo(ctx, app, w, before, observe(t, app, w)); err != nil {
		t.Fatal(err)
	}
	if got := w.read("/etc/passwd"); strings.Contains(got, "app:") || !strings.Contains(got, "other:") {
		t.Errorf("%q", got)
	}
	if got := w.read("/etc/shadow-"); !strings.Contains(got, "other:") {
		t.Errorf("the predecessor of what somebody else changed was put back: %q", got)
	}
}

func TestAnAccountThatWasChangedIsLeft(t *testing.T) {
	ctx := context.Background()
	for name, meddle := range map[string]func(w *world){
		"another shell": func(w *world) {
			w.write("/etc/passwd", strings.Replace(w.read("/etc/passwd"), "/usr/sbin/nologin", "/bin/bash", 1), 0o644)
		},
		"members": func(w *world) {
			w.write("/etc/group", strings.Replace(w.read("/etc/group"), "app:x:990:", "app:x:990:nginx", 1), 0o644)
		},
	} {
		for _, seen := range []bool{true, false} {
			w := newWorld(t)
			shadowUtils(w)
			o := &Account{Name: "app"}
			before := observe(t, o, w)
			if _, err := o.Do(ctx, w, nil); err != nil {
				t.Fatal(err)
			}
			var after engine.State
			if seen {
				after = observe(t, o, w)
			}
			meddle(w)
			sum := w.sum()
			if err := o.Undo(ctx, w, before, after); !errors.Is(err, engine.ErrNotOurs) || w.sum() != sum {
				t.Errorf("%s, seen %v: %v, changed: %v", name, seen, err, w.sum() != sum)
			}
		}
	}
}

func TestForgettingAnAccountDestroysTheDatabasesOfBeforeIt(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	shadowUtils(w)
	o := &Account{Name: "app"}
	before := observe(t, o, w)
	if _, err := o.Do(ctx, w, nil); err != nil {
		t.Fatal(err)
	}
	there := observe(t, o, w)
	if err := o.Forget(ctx, w, before, []engine.State{there, before}); err != nil || !isThere(w, o.keep()) {
		t.Errorf("another run would remove the account too: %v, kept: %v", err, isThere(w, o.keep()))
	}
	if err := o.Forget(ctx, w, there, nil); err != nil || !isThere(w, o.keep()) {
		t.Errorf("of a run that found the account: %v, kept: %v", err, isThere(w, o.keep()))
	}
	for range 2 {
		if err := o.Forget(ctx, w, before, []engine.State{there}); err != nil || isThere(w, keptDir) {
			t.Errorf("%v, kept: %v", err, isThere(w, keptDir))
		}
	}
}

func isThere(w *world, name string) bool {
	_, err := w.Lstat(name)
	return err == nil
}

// groupadd found the database locked; by the time of the undo the administrator had made the
// account by hand, and userdel took it, its password too.
func TestAnAccountThatSomebodyMadeAfterTheFailureIsHis(t *testing.T) {
	w := newWorld(t)
	shadowUtils(w)
	w.tools["groupadd"] = func(_ *world, c machine.Command, _ func(string)) error {
		return &machine.ExitError{Argv: c.Argv, Code: 10, Stderr: "groupadd: cannot lock /etc/group; try again later."}
	}
	o := &Account{Name: "app", Reason: why}
	before := observe(t, o, w)
	if _, err := o.Do(context.Background(), w, nil); err == nil {
		t.Fatal("no failure")
	}
	after := observe(t, o, w) // as the engine journals it with "failed"
	for file, line := range map[string]string{"/etc/passwd": "app:x:1500:1500:Ann:/home/app:/bin/bash", "/etc/shadow": "app:$6$hers:20000::::::", "/etc/group": "app:x:1500:"} {
		must(w.edit(file, adding(line)))
	}
	err := o.Undo(context.Background(), w, before, after)
	if !errors.Is(err, engine.ErrNotOurs) || !strings.Contains(w.read("/etc/passwd"), "app:x:1500") || !strings.Contains(w.read("/etc/shadow"), "hers") {
		t.Errorf("%v\n%s%s%v", err, w.read("/etc/passwd"), w.read("/etc/shadow"), w.ran)
	}
}
