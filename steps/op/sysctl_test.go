package op

import (
	"context"
	"errors"
	"math"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

func TestSysctlDiff(t *testing.T) {
	for _, c := range []struct {
		op    Sysctl
		value string // in force; "": not there
		want  string
	}{
		{Sysctl{Key: "net/core/somaxconn", Value: "65535"}, "128\n", "~ net.core.somaxconn | 128 | 65535 | "},
		{Sysctl{Key: "net.core.somaxconn", Value: "65535"}, "65535\n", "= net.core.somaxconn | 65535 | 65535 | "},
		{Sysctl{Key: "fs.file-max", Value: "1000000", AtLeast: true}, "9223372036854775807\n", "= fs.file-max | 9223372036854775807 | 9223372036854775807 | kept: above 1000000"},
		{Sysctl{Key: "fs.file-max", Value: "1000000", AtLeast: true}, "99\n", "~ fs.file-max | 99 | 1000000 | "},
		{Sysctl{Key: "net.ipv4.tcp_rmem", Value: "4096 131072 6291456", AtLeast: true}, "8192\t87380\t99\n", "~ net.ipv4.tcp_rmem | 8192 87380 99 | 8192 131072 6291456 | "},
		{Sysctl{Key: "net.ipv4.tcp_tw_recycle", Value: "0"}, "", "= net.ipv4.tcp_tw_recycle |  |  | not on this kernel"},
	} {
		w := newWorld(t)
		if c.value != "" {
			w.write("/proc/sys/"+strings.ReplaceAll(c.op.Target(), ".", "/"), c.value, 0o644)
		}
		d := c.op.Diff(observe(t, &c.op, w))
		if got := strings.SplitN(draw(d), "\n", 3)[1]; got != c.want || d.Table.EN != "running kernel" || d.Action != d.Rows[0].Action {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestOpsOfARunningMachineWaitInATree(t *testing.T) {
	m := machine.Root(t.TempDir())
	ctx := context.Background()
	for _, o := range []engine.Op{&Sysctl{Key: "vm.swappiness", Value: "1"}, &Limit{Value: 2, Soft: 1}, &Unit{Name: "a.service", Enabled: "yes"}} {
		s, err := o.Observe(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		if d := o.Diff(s); d.Action != engine.None || d.Note.EN != "at next boot" {
			t.Errorf("%s: %s", o.Kind(), draw(d))
		}
		if out, err := o.Do(ctx, m, nil); err != nil || out.Deviates() {
			t.Errorf("%s: %v, %v", o.Kind(), out, err)
		}
		if err := o.Undo(ctx, m, s, s); err != nil {
			t.Errorf("%s: %v", o.Kind(), err)
		}
	}
	f := &File{Path: "/x", Mode: 0o644, Reload: true}
	if err := f.Undo(ctx, m, engine.NewState(fileState{}, nil), engine.State{}); err != nil {
		t.Errorf("a tree has no manager to reload: %v", err)
	}
}

func TestSysctlSaysWhoRefuses(t *testing.T) {
	const path = "/proc/sys/vm/swappiness"
	for _, c := range []struct {
		name  string
		err   error
		world func(*world)
		by    string // part of the reason; "": an error with a hint
	}{
		{"read-only mount", syscall.EROFS, nil, "read-only here"},
		{"no capability", syscall.EPERM, nil, "a capability is missing"},
		{"a key without a write bit", syscall.EACCES, func(w *world) { w.write(path, "60\n", 0o444) }, "read only"},
		{"lockdown", syscall.EPERM, func(w *world) { w.write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n", 0o644) }, "lockdown (integrity)"},
		{"a bad value", syscall.EINVAL, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write(path, "60\n", 0o644)
			if c.world != nil {
				c.world(w)
			}
			w.deny[path] = c.err
			o := &Sysctl{Key: "vm.swappiness", Value: "1"}
			out, err := o.Do(context.Background(), w, nil)
			if c.by == "" {
				if !errors.Is(err, c.err) || lang.Hint(err, lang.ZH) == "" {
					t.Errorf("%v, %v, hint %q", out, err, lang.Hint(err, lang.EN))
				}
				return
			}
			if err != nil || out.Kind != engine.Refused || out.Got != "60" || !strings.Contains(out.By.EN, c.by) || out.By.ZH == "" {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

func TestSysctlNamesTheLineThatWinsAtBoot(t *testing.T) {
	w := newWorld(t)
	w.write("/proc/sys/fs/file-max", "5\n", 0o644)
	w.write("/usr/lib/sysctl.d/zzz-site.conf", "# x\n\nfs.file-max = 9\n", 0o644)
	o := &Sysctl{Key: "fs.file-max", Value: "7"}
	out, err := o.Do(context.Background(), w, nil)
	if err != nil || out.Kind != engine.Overridden || out.By.EN != "at boot /usr/lib/sysctl.d/zzz-site.conf:3 sets 9" || out.Got != "7" {
		t.Errorf("%+v, %v", out, err)
	}
	o.AtLeast = true // 9 is more than enough
	if out, err := o.Do(context.Background(), w, nil); err != nil || out.Kind != engine.Applied {
		t.Errorf("%+v, %v", out, err)
	}
	w.write("/etc/sysctl.conf", "fs.file-max=6\n", 0o644)
	if out, err = o.Do(context.Background(), w, nil); err != nil || out.Kind != engine.Overridden || !strings.Contains(out.By.EN, "/etc/sysctl.conf:1 sets 6") {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestSysctlDrift(t *testing.T) {
	const path, ours = "/proc/sys/vm/swappiness", "/etc/sysctl.d/zz-goxin.conf"
	o := &Sysctl{Key: "vm.swappiness", Value: "1"}
	for _, c := range []struct {
		name   string
		left   string // the value we left: not 1 where that was refused
		change func(*world)
		want   string
	}{
		{"nothing", "1", func(*world) {}, ""},
		{"a comment above our line", "1", func(w *world) { w.write(ours, "# x\nvm.swappiness = 1\n", 0o644) }, ""},
		{"the value", "1", func(w *world) { w.write(path, "30\n", 0o644) }, "~ vm.swappiness | 30 | 1 | "},
		{"a file that wins", "1", func(w *world) { w.write("/etc/sysctl.d/zzz.conf", "vm.swappiness=7\n", 0o644) }, "~ vm.swappiness | 7 | 1 | at boot, by /etc/sysctl.d/zzz.conf"},
		{"a refusal that stands", "60", func(w *world) { w.write("/etc/sysctl.d/10.conf", "vm.swappiness=1\n", 0o644) }, ""},
		{"the value after a refusal", "60", func(w *world) { w.write(path, "30\n", 0o644) }, "~ vm.swappiness | 30 | 1 | "},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write(path, c.left+"\n", 0o644)
			w.write(ours, "vm.swappiness = 1\n", 0o644)
			after := observe(t, o, w)
			c.change(w)
			d := o.Drift(after, observe(t, o, w))
			got := strings.SplitN(draw(d), "\n", 3)[1]
			if d.Action == engine.None {
				got = ""
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// The drop-in and the limit, as a step emits them: what holds for the pair
// holds for neither alone.
func TestLimitAndItsFile(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.systemd()
	w.mkdir("/etc/systemd/system.conf.d")
	file := &File{Path: dropIn, Content: "[Manager]\nDefaultLimitNOFILE=1024:1048576\n", Mode: 0o644, Reload: true}
	limit := &Limit{Value: 1048576, Soft: 1024}
	start := w.sum()
	ops := []engine.Op{file, limit}
	do := func(want engine.OutcomeKind) (before, after []engine.State, out engine.Outcome) {
		t.Helper()
		for _, o := range ops {
			before = append(before, observe(t, o, w))
			var err error
			if out, err = o.Do(ctx, w, nil); err != nil {
				t.Fatal(err)
			}
			after = append(after, observe(t, o, w))
			if d := o.Diff(after[len(after)-1]); d.Action != engine.None && want != engine.Overridden {
				t.Errorf("%s", draw(d))
			}
		}
		if out.Kind != want {
			t.Errorf("outcome %+v, want %s", out, want)
		}
		return before, after, out
	}
	undo := func(before, after []engine.State) {
		t.Helper()
		for i := len(ops) - 1; i >= 0; i-- {
			if err := ops[i].Undo(ctx, w, before[i], after[i]); err != nil {
				t.Fatal(err)
			}
		}
		if w.sum() != start {
			t.Error("Undo did not restore what the manager gives")
		}
	}

	if got := draw(limit.Diff(observe(t, limit, w))); got != "~ for services started from now on\n~ DefaultLimitNOFILE | 1024:524288 | 1024:1048576 | for services started from now on\n" {
		t.Errorf("%s", got)
	}
	if len(w.ran) > 0 {
		t.Errorf("Observe ran %q", w.ran)
	}
	before, after, _ := do(engine.Applied)
	undo(before, after)

	w.cap = 20000
	before, after, out := do(engine.Clamped)
	if out.Got != "1024:20000" || !strings.Contains(out.By.EN, "20000") || out.By.ZH == "" {
		t.Errorf("%+v", out)
	}
	undo(before, after)
	w.write("/proc/sys/fs/nr_open", "20000\n", 0o644)
	start = w.sum()
	before, after, out = do(engine.Clamped)
	if out.By.EN != "fs.nr_open is 20000" {
		t.Errorf("%+v", out)
	}
	undo(before, after)

	w.cap = 0
	w.write("/etc/systemd/system.conf.d/zzz.conf", "[Manager]\n#\nDefaultLimitNOFILE=7:8\n", 0o644)
	w.reload()
	start = w.sum()
	before, after, out = do(engine.Overridden)
	if out.By.EN != "/etc/systemd/system.conf.d/zzz.conf:3 (7:8)" || out.Got != "7:8" {
		t.Errorf("%+v", out)
	}
	undo(before, after)
}

func TestLimitKnowsInfinity(t *testing.T) {
	w := newWorld(t)
	w.systemd()
	w.hard = math.MaxUint64
	o := &Limit{Value: 1, Soft: 1}
	if got := o.Diff(observe(t, o, w)).Rows[0].Now; got != "1024:infinity" {
		t.Error(got)
	}
}

func TestUnitSaysWhyItDoesNotStart(t *testing.T) {
	w := newWorld(t)
	w.systemd()
	w.units["nginx.service"] = &fakeUnit{load: "loaded", file: "disabled", active: "inactive", broken: true}
	o := &Unit{Name: "nginx.service", Enabled: "yes", Active: "yes"}
	before := observe(t, o, w)
	start := w.sum()
	_, err := o.Do(context.Background(), w, nil)
	if err == nil || !strings.Contains(err.Error(), "[emerg] bind()") || !strings.Contains(err.Error(), "failed") || lang.Hint(err, lang.ZH) == "" {
		t.Errorf("%v", err)
	}
	if err := o.Undo(context.Background(), w, before, observe(t, o, w)); err != nil || w.sum() != start {
		t.Errorf("Undo of a failed start: %v", err)
	}
	w.units["nginx.service"].etc = true
	if _, err := o.Do(context.Background(), w, nil); err == nil || !strings.Contains(lang.Hint(err, lang.EN), "unmask") {
		t.Errorf("a masked unit: %v", err)
	}
	delete(w.units, "nginx.service")
	if _, err := o.Do(context.Background(), w, nil); err == nil || !strings.Contains(err.Error(), "no such unit") {
		t.Errorf("a missing unit: %v", err)
	}
}
