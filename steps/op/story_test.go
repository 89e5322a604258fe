package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// refusing is a world where reading or changing some names fails.
type refusing struct {
	*world
	read, change map[string]error
	run          error
}

func pathErr(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

func (r refusing) Stat(name string) (machine.Info, error) {
	if err := r.read[name+"!"]; err != nil {
		return machine.Info{}, pathErr("stat", name, err)
	}
	return r.world.Stat(name)
}

func (r refusing) Lstat(name string) (machine.Info, error) {
	if err := r.read[name+"!"]; err != nil {
		return machine.Info{}, pathErr("lstat", name, err)
	}
	return r.world.Lstat(name)
}

func (r refusing) ReadFile(name string) ([]byte, error) {
	if err := r.read[name]; err != nil {
		return nil, pathErr("open", name, err)
	}
	return r.world.ReadFile(name)
}

func (r refusing) ReadDir(name string) ([]string, error) {
	if err := r.read[name]; err != nil {
		return nil, pathErr("readdir", name, err)
	}
	return r.world.ReadDir(name)
}

func (r refusing) WriteFile(name string, data []byte, mode fs.FileMode, o machine.Owner) error {
	if err := r.change[name]; err != nil {
		return pathErr("write", name, err)
	}
	return r.world.WriteFile(name, data, mode, o)
}

func (r refusing) Mkdir(name string, mode fs.FileMode, o machine.Owner) error {
	if err := r.change[name]; err != nil {
		return pathErr("mkdir", name, err)
	}
	return r.world.Mkdir(name, mode, o)
}

func (r refusing) Remove(name string) error {
	if err := r.change[name]; err != nil {
		return pathErr("remove", name, err)
	}
	return r.world.Remove(name)
}

func (r refusing) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if r.run != nil {
		return &machine.ExitError{Argv: c.Argv, Code: 1, Stderr: "Connection timed out\n"}
	}
	return r.world.Run(ctx, c, out)
}

func TestAKeyThatNoFileWritesIsUnknownInATree(t *testing.T) {
	for _, c := range []struct {
		name  string
		op    Sysctl
		files map[string]string
		want  string
	}{
		{"written by the plan", Sysctl{Key: "vm.swappiness", Value: "1"}, nil, "= vm.swappiness |  | 1 | at next boot"},
		{"written by nobody", Sysctl{Key: "fs.file-max", Value: "1000000", AtLeast: true, Unwritten: true}, nil, "= fs.file-max |  |  | not known until it runs"},
		{
			"a file there says enough",
			Sysctl{Key: "fs.file-max", Value: "1000000", AtLeast: true, Unwritten: true},
			map[string]string{"/etc/sysctl.d/50.conf": "fs.file-max = 2000000\n"},
			"= fs.file-max |  | 2000000 | at boot, by /etc/sysctl.d/50.conf",
		},
		{
			"a file that one reader alone reads",
			Sysctl{Key: "fs.file-max", Value: "1000000", AtLeast: true, Unwritten: true},
			map[string]string{"/etc/sysctl.conf": "fs.file-max = 2000000\n"},
			"= fs.file-max |  |  | not known until it runs",
		},
		{
			"a file that says too little, and is commented or not",
			Sysctl{Key: "fs.file-max", Value: "1000000", AtLeast: true, Unwritten: true},
			map[string]string{"/etc/sysctl.d/50.conf": "fs.file-max = 5\n"},
			"= fs.file-max |  |  | not known until it runs",
		},
		{
			"a file that cannot be read",
			Sysctl{Key: "vm.swappiness", Value: "1"},
			map[string]string{"/etc/sysctl.conf/x": ""},
			"= vm.swappiness |  |  | what holds at boot is not known: cannot read /etc/sysctl.conf",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			for name, content := range c.files {
				w.write(name, content, 0o644)
			}
			s, err := c.op.Observe(context.Background(), machine.Root(w.dir))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.SplitN(draw(c.op.Diff(s)), "\n", 3)[1]; got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestNobodyIsSureOfTheBootWhereAFileCannotBeRead(t *testing.T) {
	const path, ours, conf = "/proc/sys/vm/swappiness", "/etc/sysctl.d/zz-goxin.conf", "/etc/sysctl.conf"
	o := &Sysctl{Key: "vm.swappiness", Value: "1"}
	w := newWorld(t)
	w.write(path, "60\n", 0o644)
	w.write(ours, "vm.swappiness = 1\n", 0o644)
	w.write(conf, "kernel.sysrq = 0\n", 0o644)
	blind := refusing{world: w, read: map[string]error{conf: syscall.EACCES}}
	const said = "what holds at boot is not known: cannot read /etc/sysctl.conf"

	s, err := o.Observe(context.Background(), blind)
	if err != nil {
		t.Fatal(err)
	}
	if d := o.Diff(s); d.Action != engine.Update || d.Note.EN != said || d.Note.ZH == "" {
		t.Errorf("%s", draw(d))
	}
	out, err := o.Do(context.Background(), blind, nil)
	if err != nil || out.Deviates() || out.By.EN != said || out.Got != "1" {
		t.Errorf("%+v, %v", out, err)
	}
	left := observe(t, o, w)
	s, err = o.Observe(context.Background(), blind)
	if err != nil {
		t.Fatal(err)
	}
	if d := o.Drift(left, s); d.Action != engine.Update || d.Note.EN != said {
		t.Errorf("what was read once is not any more: %s", draw(d))
	}
	if d := o.Drift(s, s); d.Action != engine.None {
		t.Errorf("accepted, it is no drift: %s", draw(d))
	}
	w.write("/etc/sysctl.d/zzz.conf", "vm.swappiness = 9\n", 0o644)
	out, err = o.Do(context.Background(), blind, nil)
	if err != nil || out.Kind != engine.Overridden || out.By.EN != "at boot /etc/sysctl.d/zzz.conf:1 sets 9; "+said {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestALinkToAFileElsewhereIsNamedAndNotOverwritten(t *testing.T) {
	const at = "/etc/sysctl.d/zz-goxin.conf"
	f := &File{Path: at, Content: "ours\n", Mode: 0o644, Owner: machine.RootOwner}
	const refused = "cannot write /etc/sysctl.d/zz-goxin.conf: it is a link to %s, which is a file of its own"
	for _, c := range []struct {
		name  string
		world func(*world)
		err   string
		note  string
	}{
		{"a file elsewhere", func(w *world) { w.link("/etc/passwd", at) }, fmt.Sprintf(refused, "/etc/passwd"), ""},
		{"by a relative way", func(w *world) { w.link("../passwd", at) }, fmt.Sprintf(refused, "/etc/passwd"), ""},
		{"by two links", func(w *world) { w.link("here.conf", at); w.link("../passwd", "/etc/sysctl.d/here.conf") }, fmt.Sprintf(refused, "/etc/passwd"), ""},
		{"by a linked directory", func(w *world) { w.link("down/passwd", at); w.link("..", "/etc/sysctl.d/down") }, fmt.Sprintf(refused, "/etc/passwd"), ""},
		{"a file beside it", func(w *world) { w.link("real.conf", at); w.write("/etc/sysctl.d/real.conf", "old\n", 0o644) }, "", "through a link: /etc/sysctl.d/real.conf"},
		{"a file beside it, mode and all", func(w *world) { w.link("real.conf", at); w.write("/etc/sysctl.d/real.conf", "old\n", 0o600) }, "", "mode 0600 → 0644, through a link: /etc/sysctl.d/real.conf"},
		{"the directory is the link", func(w *world) {
			w.mkdir("/srv/d")
			w.link("/srv/d", "/etc/sysctl.d")
			w.link("/srv/d/real.conf", "/srv/d/zz-goxin.conf")
			w.write("/srv/d/real.conf", "old\n", 0o644)
		}, "", "through a link: /srv/d/real.conf"},
		{"nowhere", func(w *world) { w.link("/etc/new.conf", at) }, "", "new, 0644 root, 5 B, through a link: /etc/new.conf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("/etc/passwd", "root:x:0:0\n", 0o644)
			c.world(w)
			start := w.sum()
			s, err := f.Observe(context.Background(), w)
			if c.err != "" {
				if err == nil || err.Error() != c.err || lang.Hint(err, lang.EN) != "remove the link: rm "+at || lang.Hint(err, lang.ZH) == "" {
					t.Errorf("Observe: %v, hint %q", err, lang.Hint(err, lang.EN))
				}
				if _, err := f.Do(context.Background(), w, nil); err == nil || err.Error() != c.err || w.sum() != start {
					t.Errorf("Do: %v, nothing changed: %v", err, w.sum() == start)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := f.Diff(s); d.Note.EN != c.note || d.Note.ZH == "" {
				t.Errorf("%s", draw(d))
			}
			if _, err := f.Do(context.Background(), w, nil); err != nil {
				t.Fatal(err)
			}
			after := observe(t, f, w) // what is ours does not become a stranger's
			if err := f.Undo(context.Background(), w, s, after); err != nil || w.sum() != start {
				t.Errorf("Undo: %v", err)
			}
		})
	}
}

func TestAnUndoLeavesALinkThatSomebodyPutThere(t *testing.T) {
	const at = "/etc/sysctl.d/zz-goxin.conf"
	f := &File{Path: at, Content: "ours\n", Mode: 0o644, Owner: machine.RootOwner}
	w := newWorld(t)
	w.mkdir("/etc/sysctl.d")
	before := observe(t, f, w)
	if _, err := f.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	after := observe(t, f, w)
	must(w.Remove(at))
	w.write("/etc/passwd", "root\n", 0o644)
	w.link("/etc/passwd", at)
	if err := f.Undo(context.Background(), w, before, after); !errors.Is(err, engine.ErrNotOurs) || err.Error() != "it was replaced by a link, or by another link, since" {
		t.Errorf("%v", err)
	}
	if w.read("/etc/passwd") != "root\n" {
		t.Error("the file it leads to was touched")
	}
}

// Every error that leaves an op names its object once, says “cannot” once, has
// both languages, and a hint.
func TestErrorsNameTheirObjectOnce(t *testing.T) {
	const conf, ours = "/etc/sysctl.conf", "/etc/sysctl.d/zz-goxin.conf"
	file := &File{Path: ours, Content: "x\n", Mode: 0o644}
	dir := &Dir{Path: "/etc/new.d", Mode: 0o755}
	comment := &Comment{Path: conf, Line: "a=1"}
	key := &Sysctl{Key: "vm.swappiness", Value: "1"}
	limit := &Limit{Value: 9, Soft: 9}
	unit := &Unit{Name: "a.service", Active: "yes"}
	link := &Link{Path: ours, To: "x"}
	tree := &Tree{Dir: ours}
	block := &Block{Path: conf, Name: "n", Lines: []string{"x"}}
	no := syscall.EACCES
	broken := engine.State{Meta: []byte(`{`)}
	was := func(o engine.Op) engine.State { return engine.State{Meta: []byte(`{}`)} }
	observe := func(o engine.Op) func(machine.Machine) error {
		return func(m machine.Machine) error { _, err := o.Observe(context.Background(), m); return err }
	}
	do := func(o engine.Op) func(machine.Machine) error {
		return func(m machine.Machine) error { _, err := o.Do(context.Background(), m, nil); return err }
	}
	undo := func(o engine.Op, before, after engine.State) func(machine.Machine) error {
		return func(m machine.Machine) error { return o.Undo(context.Background(), m, before, after) }
	}
	for _, c := range []struct {
		name, object string
		read, change map[string]error
		run          error
		world        func(*world)
		act          func(machine.Machine) error
	}{
		{"observe a file", ours, map[string]error{ours: no}, nil, nil, nil, observe(file)},
		{"observe a directory for a file", ours, nil, nil, nil, func(w *world) { must(w.Remove(ours)); w.mkdir(ours) }, observe(file)},
		{"stat a file", ours, map[string]error{ours + "!": no}, nil, nil, nil, observe(file)},
		{"write a file", ours, nil, map[string]error{ours: syscall.EROFS}, nil, nil, do(file)},
		{"write a file on a full disk", ours, nil, map[string]error{ours: syscall.ENOSPC}, nil, nil, do(file)},
		{"do what cannot be read", ours, map[string]error{ours: no}, nil, nil, nil, do(file)},
		{"undo a file", ours, nil, map[string]error{ours: no}, nil, func(w *world) { w.write(ours, "x\n", 0o644) }, undo(file, was(file), engine.State{})},
		{"a file's state", ours, nil, nil, nil, nil, undo(file, broken, broken)},
		{"observe a directory", "/etc/new.d", map[string]error{"/etc/new.d!": no}, nil, nil, nil, observe(dir)},
		{"observe a file for a directory", "/etc/new.d", nil, nil, nil, func(w *world) { w.write("/etc/new.d", "", 0o644) }, observe(dir)},
		{"observe a dangling link for a directory", "/etc/new.d", nil, nil, nil, func(w *world) { w.link("/srv/x", "/etc/new.d") }, observe(dir)},
		{"make a directory", "/etc/new.d", nil, map[string]error{"/etc/.new.d.goxin-new": no}, nil, nil, do(dir)},
		{"make a directory over a file", "/etc/new.d", nil, nil, nil, func(w *world) { w.write("/etc/new.d", "", 0o644) }, do(dir)},
		{"remove a directory", "/etc/new.d", nil, map[string]error{"/etc/new.d": no}, nil, func(w *world) { w.mkdir("/etc/new.d") }, undo(dir, was(dir), engine.State{})},
		{"a directory's state", "/etc/new.d", nil, nil, nil, nil, undo(dir, was(dir), broken)},
		{"observe lines", conf, map[string]error{conf: no}, nil, nil, nil, observe(comment)},
		{"observe lines of a directory", conf, nil, nil, nil, func(w *world) { must(w.Remove(conf)); w.mkdir(conf) }, observe(comment)},
		{"comment what cannot be read", conf, map[string]error{conf: no}, nil, nil, nil, do(comment)},
		{"comment what cannot be written", conf, nil, map[string]error{conf: no}, nil, nil, do(comment)},
		{"undo lines that cannot be read", conf, map[string]error{conf: no}, nil, nil, nil, undo(comment, was(comment), engine.State{})},
		{"undo lines that cannot be written", conf, nil, map[string]error{conf: no}, nil, func(w *world) { w.write(conf, Mark+"a=1\n", 0o644) }, undo(comment, engine.State{Meta: []byte(`{"occurrences":"a"}`)}, engine.State{})},
		{"lines' state", conf, nil, nil, nil, nil, undo(comment, broken, broken)},
		{"observe a parameter", "vm.swappiness", map[string]error{"/proc/sys/vm/swappiness": no}, nil, nil, nil, observe(key)},
		{"observe what is no parameter", "vm.*", nil, nil, nil, nil, observe(&Sysctl{Key: "vm.*"})},
		{"list the files of parameters", "vm.swappiness", map[string]error{"/etc/sysctl.d": no}, nil, nil, nil, observe(key)},
		{"list them when it is done", "vm.swappiness", map[string]error{"/etc/sysctl.d": no}, nil, nil, nil, do(key)},
		{"set a parameter", "vm.swappiness", nil, nil, nil, func(w *world) { w.deny["/proc/sys/vm/swappiness"] = syscall.EINVAL }, do(key)},
		{"put a parameter back", "vm.swappiness", nil, nil, nil, func(w *world) {
			w.write("/proc/sys/vm/swappiness", "1\n", 0o644)
			w.deny["/proc/sys/vm/swappiness"] = syscall.EINVAL
		}, undo(key, engine.State{Meta: []byte(`{"running":true,"present":true,"value":"60"}`)}, engine.State{})},
		{"a parameter's state", "vm.swappiness", nil, nil, nil, nil, undo(key, broken, broken)},
		{"ask for a limit", noFile, nil, nil, no, nil, observe(limit)},
		{"reload", "daemon-reload", nil, nil, no, nil, do(limit)},
		{"ask for a unit", "a.service", nil, nil, no, nil, observe(unit)},
		{"a unit's state", "a.service", nil, nil, nil, nil, undo(unit, engine.State{Meta: []byte(`{"manager":true}`)}, broken)},
		{"use no unit", "a.service", nil, nil, nil, nil, do(unit)},
		{"observe a file for a link", ours, nil, nil, nil, nil, observe(link)},
		{"make a link over a file", ours, nil, nil, nil, nil, do(link)},
		{"look at what a link is", ours, map[string]error{ours + "!": no}, nil, nil, nil, observe(link)},
		{"a link's state", ours, nil, nil, nil, nil, undo(link, broken, broken)},
		{"observe a file for a tree", ours, nil, nil, nil, nil, observe(tree)},
		{"look at a tree", "/srv/go", map[string]error{"/srv/go!": no}, nil, nil, nil, observe(&Tree{Dir: "/srv/go"})},
		{"move a tree nowhere", "/srv/go", nil, nil, nil, func(w *world) { w.mkdir("/srv/go") }, do(&Tree{Dir: "/srv/go", Absent: true})},
		{"a tree from nowhere", "/srv/go", nil, nil, nil, nil, do(&Tree{Dir: "/srv/go", Archive: &Archive{Sources: []string{"/none"}}, Want: &Want{Toolchain: goRelease, SHA256: "00"}})},
		{"a tree's state", ours, nil, nil, nil, nil, undo(tree, broken, broken)},
		{"observe a block", conf, map[string]error{conf: no}, nil, nil, nil, observe(block)},
		{"observe a block of a directory", conf, nil, nil, nil, func(w *world) { must(w.Remove(conf)); w.mkdir(conf) }, observe(block)},
		{"write a block", conf, nil, map[string]error{conf: no}, nil, nil, do(block)},
		{"take out a block that cannot be written", conf, nil, map[string]error{conf: no}, nil, func(w *world) { w.write(conf, block.put(""), 0o644) }, undo(block, engine.NewState(blockState{Exists: true}, nil), engine.State{})},
		{"a block of no name", conf, nil, nil, nil, nil, observe(&Block{Path: conf})},
		{"a block's state", conf, nil, nil, nil, nil, undo(block, broken, broken)},
		{"mark what is not there", "/srv/go", nil, nil, nil, nil, do(&Label{Dir: "/srv/go"})},
		{"mark a file that is not there", "/srv/go/x", nil, nil, nil, func(w *world) { w.mkdir("/srv/go") }, do(&Label{Dir: "/srv/go", Names: []string{"x"}, KYSEC: true})},
		{"mark what KYSEC does not let", "/etc/sysctl.conf", nil, nil, no, nil, do(&Label{Dir: "/etc", Names: []string{"sysctl.conf"}, KYSEC: true})},
		{"ask SELinux", "/etc", nil, nil, no, nil, observe(&Label{Dir: "/etc", SELinux: true})},
		{"marks' state", "/srv/go", nil, nil, nil, nil, undo(&Label{Dir: "/srv/go"}, broken, broken)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.systemd()
			w.write("/proc/sys/vm/swappiness", "60\n", 0o644)
			w.write(conf, "a=1\n", 0o644)
			w.write(ours, "old\n", 0o644)
			if c.world != nil {
				c.world(w)
			}
			err := c.act(refusing{w, c.read, c.change, c.run})
			if err == nil {
				t.Fatal("no error")
			}
			if _, ok := err.(*lang.Error); !ok { //nolint:errorlint // it is what leaves the op that counts
				t.Errorf("%T leaves the op", err)
			}
			en, zh := lang.Message(err, lang.EN), lang.Message(err, lang.ZH)
			if n := strings.Count(en, c.object); n != 1 {
				t.Errorf("%s is named %d times: %s", c.object, n, en)
			}
			if n := strings.Count(zh, c.object); n != 1 {
				t.Errorf("%s is named %d times: %s", c.object, n, zh)
			}
			if n := strings.Count(en, "cannot "); n != 1 {
				t.Errorf("“cannot” stands %d times: %s", n, en)
			}
			if en == zh || lang.Hint(err, lang.EN) == "" || lang.Hint(err, lang.ZH) == "" {
				t.Errorf("%s / %s, hint %q", en, zh, lang.Hint(err, lang.EN))
			}
		})
	}
}

// It is printed after the target: “! /etc/x: its content was changed since”.
func TestWhyATargetIsLeftReadsWellAfterIt(t *testing.T) {
	const path = "/etc/x.conf"
	file := &File{Path: path, Content: "ours\n", Mode: 0o644, Owner: machine.RootOwner}
	unit := &Unit{Name: "a.service", Enabled: "yes"}
	for _, c := range []struct {
		op     engine.Op
		meddle func(*world)
		want   string
	}{
		{file, func(w *world) { w.write(path, "theirs\n", 0o644) }, "/etc/x.conf: its content was changed since"},
		{file, func(w *world) { w.write(path, "ours\n", 0o600) }, "/etc/x.conf: its mode or owner was changed since"},
		{file, func(w *world) { must(w.Remove(path)) }, "/etc/x.conf: somebody removed it since"},
		{file, func(w *world) { must(w.Remove(path)); w.link("/etc/old.conf", path) }, "/etc/x.conf: it was replaced by a link, or by another link, since"},
		{&Comment{Path: "/etc/old.conf", Line: "a=1"}, func(w *world) { w.write("/etc/old.conf", "b\n", 0o644) }, "/etc/old.conf: a=1: the line was changed, moved or removed since"},
		{&Dir{Path: "/etc/x.d", Mode: 0o755}, func(w *world) { w.write("/etc/x.d/y\x1b", "", 0o644) }, `/etc/x.d: it is not empty: y\x1b is in it`},
		{&Dir{Path: "/etc/x.d", Mode: 0o755}, func(w *world) { must(os.Chmod(w.dir+"/etc/x.d", 0o700)) }, "/etc/x.d: its mode or owner was changed since"},
		{&Sysctl{Key: "vm.swappiness", Value: "1"}, func(w *world) { w.write("/proc/sys/vm/swappiness", "30\n", 0o644) }, "vm.swappiness: somebody set it to 30 since"},
		{&Sysctl{Key: "vm.swappiness", Value: "1"}, func(w *world) { must(w.Remove("/proc/sys/vm/swappiness")) }, "vm.swappiness: this kernel has it no longer"},
		{unit, func(w *world) { w.units["a.service"].etc = true }, "a.service: somebody changed it since: it is masked now"},
		{unit, func(w *world) { delete(w.units, "a.service") }, "a.service: its unit file was removed since"},
	} {
		w := newWorld(t)
		w.systemd()
		w.units["a.service"] = &fakeUnit{load: "loaded", file: "disabled", active: "inactive"}
		w.write("/proc/sys/vm/swappiness", "60\n", 0o644)
		w.write("/etc/old.conf", "a=1\n", 0o644)
		w.write(path, "old\n", 0o644)
		before := observe(t, c.op, w)
		if _, err := c.op.Do(context.Background(), w, nil); err != nil {
			t.Fatal(err)
		}
		after := observe(t, c.op, w)
		c.meddle(w)
		err := c.op.Undo(context.Background(), w, before, after)
		var text *lang.Error
		if !errors.Is(err, engine.ErrNotOurs) || !errors.As(err, &text) {
			t.Errorf("%s: %v", c.want, err)
			continue
		}
		if got := c.op.Target() + ": " + text.Text.EN; got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if text.Text.ZH == "" || text.Text.ZH == text.Text.EN {
			t.Errorf("%s: Chinese is %q", c.want, text.Text.ZH)
		}
	}
}

var acting = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u202e]")

func TestWhatActsOnATerminalIsShownAndStillMatched(t *testing.T) {
	for _, line := range []string{"kernel.x = \x1b]0;owned\a1", "kernel.x=a\u202eb", "kernel.x=\u009b2J", "kernel.x=\\\t|[a]"} {
		o := &Comment{Path: "/etc/sysctl.conf", Line: line}
		w := newWorld(t)
		w.write("/etc/sysctl.conf", line+"\nother\n", 0o644)
		s := observe(t, o, w)
		for _, text := range append([]string{o.Target(), o.Diff(s).Note.EN}, o.ByHand()...) {
			if acting.MatchString(text) {
				t.Errorf("%q acts on a terminal", text)
			}
		}
		byHand := strings.ReplaceAll(o.ByHand()[0], "/etc/sysctl.conf", filepath.Join(w.dir, "etc/sysctl.conf"))
		if _, err := o.Do(context.Background(), w, nil); err != nil {
			t.Fatal(err)
		}
		done := w.read("/etc/sysctl.conf")
		if done != Mark+line+"\nother\n" {
			t.Errorf("done: %q", done)
		}
		w.write("/etc/sysctl.conf", line+"\nother\n", 0o644)
		for _, locale := range []string{"C", "C.UTF-8"} {
			w.write("/etc/sysctl.conf", line+"\nother\n", 0o644)
			c := exec.Command("sh", "-c", byHand)
			c.Env = append(os.Environ(), "LC_ALL="+locale)
			if out, err := c.CombinedOutput(); err != nil || w.read("/etc/sysctl.conf") != done {
				t.Errorf("%s: by hand: %v %s: %q", locale, err, out, w.read("/etc/sysctl.conf"))
			}
		}
	}
	if got := (&Comment{Path: "/etc/\x1b.conf", Line: "a\xff"}).Target(); got != `/etc/\x1b.conf: a`+"\ufffd" {
		t.Errorf("%q", got)
	}
	if got := Visible("中文 a\tb\r\xd6\xff\u202e"); got != `中文 a\x09b\x0d\xd6\xff\u202e` {
		t.Errorf("%q", got)
	}
}

func TestAFileWithControlCharactersCanBeWrittenByHand(t *testing.T) {
	for _, content := range []string{"a\x1b[2J\\ 'x'\r\n%s\n中\n", "\xd6\xd0\n", "\x07"} {
		path := filepath.Join(t.TempDir(), "a\x1bb c")
		f := &File{Path: path, Content: content, Mode: 0o640, Owner: machine.Keep}
		script := strings.Join(f.ByHand(), "\n")
		if !readable([]byte(content)) {
			continue // shown as bytes that are not text
		}
		if acting.MatchString(script) {
			t.Errorf("%q acts on a terminal", script)
		}
		if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%q became %q, %v", content, got, err)
		}
	}
}

func TestParametersShowControlCharacters(t *testing.T) {
	w := newWorld(t)
	w.write("/proc/sys/kernel/domainname", "a\x1b[2J\n", 0o644)
	w.write("/usr/lib/sysctl.d/zzz\x1b.conf", "kernel.domainname = \x07\n", 0o644)
	o := &Sysctl{Key: "kernel.domainname", Value: "b"}
	d := draw(o.Diff(observe(t, o, w)))
	out, err := o.Do(context.Background(), w, nil)
	if err != nil || out.Kind != engine.Overridden || acting.MatchString(d+out.By.EN+out.By.ZH+out.Got) {
		t.Errorf("%q, %+v, %v", d, out, err)
	}
}

// goxin had only enabled a service that ran; the administrator stopped it, and the undo
// started it.
func TestAUnitThatSomebodyStoppedSinceStaysDown(t *testing.T) {
	w := newWorld(t)
	w.systemd()
	u := &fakeUnit{load: "loaded", file: "disabled", active: "active"}
	w.units["app.service"] = u
	o := &Unit{Name: "app.service", Enabled: "yes", Active: "yes", Reason: why}
	before, after := did(t, o, w)
	u.active = "inactive" // systemctl stop
	err := o.Undo(context.Background(), w, before, after)
	if u.active != "inactive" {
		t.Errorf("%v: %+v", err, u)
	}
}

// A directory of goxin's was moved to a bigger disk, with a link in its place: the undo
// removed the link.
func TestALinkInPlaceOfOurDirectoryIsHis(t *testing.T) {
	w := newWorld(t)
	w.mkdir("/var/lib")
	w.mkdir("/data")
	o := &Dir{Path: "/var/lib/app", Mode: 0o755, Owner: machine.RootOwner, Reason: why}
	before, after := did(t, o, w)
	must(os.Rename(w.dir+"/var/lib/app", w.dir+"/data/app"))
	must(os.Symlink("/data/app", w.dir+"/var/lib/app"))
	err := o.Undo(context.Background(), w, before, after)
	if _, e := os.Lstat(w.dir + "/var/lib/app"); e != nil {
		t.Errorf("%v: %v", err, e)
	}
}
