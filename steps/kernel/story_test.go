package kernel

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	answersfile "goxin/steps/answers"
	"goxin/steps/engine"
	"goxin/steps/op"
)

func tree(f *detect.Facts) {
	f.Running = false
	f.Kernel.Release = detect.Fact[string]{}
	f.Memory.Total, f.Container, f.Init = detect.Fact[uint64]{}, detect.Fact[bool]{}, detect.Init{}
}

func warnings(notes []engine.Note) string {
	var out []string
	for _, n := range notes {
		if n.Warn {
			out = append(out, n.Text.EN)
		}
	}
	return strings.Join(out, "\n")
}

func TestThePlanOfATreePromisesNoValueThatItDoesNotWrite(t *testing.T) {
	_, m, h := world{facts: tree, files: systemdHost(nil)}.build(t)
	sv := surveyOf(t, m, h, nil)
	items, err := Step{}.Ops(h, sv, nil)
	if err != nil {
		t.Fatal(err)
	}
	content, seen := "", 0
	for _, it := range items {
		if f, ok := it.Op.(*op.File); ok && f.Path == ownFile {
			content = f.Content
		}
	}
	for _, it := range items {
		o, ok := it.Op.(*op.Sysctl)
		if !ok {
			continue
		}
		seen++
		s, err := o.Observe(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		row := o.Diff(s).Rows[0]
		written := strings.Contains(content, o.Key+" = "+o.Value+"\n")
		if written != (row.Then != "") || o.Key == "fs.file-max" && (written || row.Note.EN != "not known until it runs") {
			t.Errorf("%s: written %v, the plan says %+v", o.Key, written, row)
		}
	}
	if seen < 3 {
		t.Errorf("%d parameters", seen)
	}
}

func TestAnEmptyTreeGetsEveryDirectoryOnTheWay(t *testing.T) {
	root, m, h := world{facts: tree}.build(t)
	items, err := Step{}.Ops(h, surveyOf(t, m, h, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, root, m, items)
	if _, err := os.Stat(filepath.Join(root, ownFile)); err != nil {
		t.Error(err)
	}
	for i := len(items) - 1; i >= 0; i-- {
		if err := items[i].Op.Undo(context.Background(), m, engine.NewState(struct{}{}, nil), engine.State{}); err != nil {
			t.Errorf("%s: %v", items[i].Op.Target(), err)
		}
	}
	if left, _ := os.ReadDir(root); len(left) > 0 {
		t.Errorf("left after undo: %v", left)
	}
}

// blind cannot read some files.
type blind struct {
	machine.Machine
	names []string
}

func (b blind) ReadFile(name string) ([]byte, error) {
	for _, n := range b.names {
		if n == name {
			return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
		}
	}
	return b.Machine.ReadFile(name)
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		blind []string
		want  []string // a warning each; all others are absent
	}{
		{"all can be read", nil, nil, nil},
		{"sysctl.conf, and the link to it", nil, []string{"/etc/sysctl.conf", "/etc/sysctl.d/99-sysctl.conf"}, []string{"cannot read /etc/sysctl.conf (permission denied): "}},
		{"sysctl.conf is a directory", map[string]string{"/etc/sysctl.conf": "absent", "/etc/sysctl.conf/x": ""}, nil, []string{"cannot read /etc/sysctl.conf (is a directory): "}},
		{"a drop-in", map[string]string{"/etc/sysctl.d/zzz.conf": ""}, []string{"/etc/sysctl.d/zzz.conf"}, []string{"cannot read /etc/sysctl.d/zzz.conf (permission denied): "}},
		{"limits of logins", nil, []string{"/etc/security/limits.conf"}, []string{"cannot read /etc/security/limits.conf (permission denied): "}},
		{"limits of services", map[string]string{"/etc/systemd/system.conf.d/x.conf": ""}, []string{"/etc/systemd/system.conf.d/x.conf"}, []string{"cannot read /etc/systemd/system.conf.d/x.conf (permission denied): "}},
		{"a name that acts on a terminal", map[string]string{"/etc/sysctl.d/\x1b[2J.conf": ""}, []string{"/etc/sysctl.d/\x1b[2J.conf"}, []string{`cannot read /etc/sysctl.d/\x1b[2J.conf (permission denied): `}},
		{"a directory among the drop-ins is nobody's file", map[string]string{"/etc/sysctl.d/d.conf/x": ""}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, m, h := world{files: systemdHost(c.files), params: usual(nil)}.build(t)
			sv := surveyOf(t, blind{m, c.blind}, h, nil)
			got := warnings(Step{}.Notes(h, sv, nil))
			if n := strings.Count(got, "cannot read"); n != len(c.want) {
				t.Errorf("%d warnings:\n%s", n, got)
			}
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("no %q in\n%s", w, got)
				}
			}
		})
	}
}

func TestASoftLimitAboveTheHardOneIsFoundInTheFile(t *testing.T) {
	steps := []engine.Step{Step{}}
	for src, want := range map[string]string{
		"nofile: 1000, nofile_soft: 5000":                     "f:2:45: cannot use 5000 for kernel.nofile_soft: it is above nofile, 1000",
		"nofile_soft: 5000000":                                "f:2:31: cannot use 5000000 for kernel.nofile_soft: it is above nofile, 1048576",
		"nofile: 0, nofile_soft: 5000":                        "",
		"nofile: 1000, nofile_soft: 1000":                     "",
		"set: {net.core.somaxconn: 1, net/core/somaxconn: 2}": "f:2:67: cannot use 2 for kernel.set.net/core/somaxconn: it is set as net.core.somaxconn as well",
		"set: {vm.swappiness: 1, vm.overcommit_memory: 1}":    "",
	} {
		_, err := answersfile.Decode("f", []byte("version: 1\nsteps: {kernel: {"+src+"}}\n"), steps)
		got := ""
		if err != nil {
			got = err.Error()
			if lang.Hint(err, lang.EN) == "" || lang.Hint(err, lang.ZH) == "" || lang.Message(err, lang.ZH) == got {
				t.Errorf("%s: hint %q, Chinese %q", src, lang.Hint(err, lang.EN), lang.Message(err, lang.ZH))
			}
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", src, got, want)
		}
	}
}

func TestEveryRefusalSaysWhatToDoNext(t *testing.T) {
	for _, element := range []string{
		"x", "vm=1", "*.x=1", "vm.swappiness=", "vm.swappiness= 1", "vm.swappiness=\"1\"", "vm.swappiness=一", "vm.swappiness=x", "vm.swappiness=01",
		"vm.swappiness=1 2", "vm.swappiness=999", "vm.x=" + strings.Repeat("1", 600), "net.ipv4.ip_local_port_range=9000 8000", "net.ipv4.ip_local_port_range=9000",
		"kernel.core_pattern=x", "vm.drop_caches=1", "kernel.hostname=x", "fs.file-nr=1", "kernel.modules_disabled=1", "fs.nr_open=5",
		"kernel.unprivileged_bpf_disabled=1", "kernel.yama.ptrace_scope=3", "kernel.usermodehelper.bset=1",
	} {
		err := checkSetting(element)
		if err == nil || lang.Hint(err, lang.EN) == "" || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%q: %v, hint %q", element, err, lang.Hint(err, lang.EN))
		}
	}
	for _, k := range Knobs() {
		if err := k.Check(k.example()); err != nil {
			t.Errorf("%s: its example is wrong: %v", k.Key, err)
		}
	}
}

var acting = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f]")

func TestLinesOfTheMachineCannotActOnTheTerminal(t *testing.T) {
	const evil = "\x1b]0;owned\a"
	_, m, h := world{
		facts: func(f *detect.Facts) {
			f.Tuners = known([]detect.Tuner{{Name: "tuned", Enabled: true, Profile: evil}})
		},
		files: systemdHost(map[string]string{
			"/etc/sysctl.d/zzz" + evil + ".conf":         "vm.swappiness = 3" + evil + "\n",
			"/run/sysctl.d/zzz.conf":                     "vm.swappiness = 4" + evil + "\n",
			"/usr/lib/sysctl.d/zzzz.conf":                "vm.swappiness = 5" + evil + "\n",
			"/etc/tuned/active_profile":                  "p q" + evil + "\n",
			"/etc/tuned/p/tuned.conf":                    "[sysctl]\nvm.swappiness=6" + evil + "\n",
			"/etc/security/limits.d/zz" + evil + ".conf": "u" + evil + " hard nofile 5\n",
			"/etc/cloud/cloud.cfg.d/" + evil + ".cfg":    "sysctl\n",
		}),
		params: usual(map[string]string{"vm.swappiness": "60" + evil, "vm.dirty_background_bytes": "1" + evil}),
	}.build(t)
	for _, v := range []engine.Values{{"profile": "database"}, {"profile": "database", "comment_conflicts": false}} {
		sv := surveyOf(t, m, h, v)
		items, err := Step{}.Ops(h, sv, v)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		raw := false
		for _, it := range items {
			said = append(said, it.Op.Target(), it.Op.Why().EN, it.Op.Why().ZH)
			said = append(said, it.Op.ByHand()...)
			if c, ok := it.Op.(*op.Comment); ok {
				raw = raw || strings.Contains(c.Line, evil)
			}
		}
		if raw != v.Bool(keyConflict, true) {
			t.Errorf("the line as it stands is in the op: %v", raw)
		}
		for _, n := range (Step{}).Notes(h, sv, v) {
			said = append(said, n.Text.EN, n.Text.ZH)
		}
		for _, q := range (Step{}).Questions(h, sv, v) {
			said = append(said, q.Why.EN, q.Why.ZH)
			for _, o := range q.Options {
				said = append(said, o.Help.EN, o.Help.ZH)
			}
		}
		for _, s := range said {
			if acting.MatchString(s) {
				t.Errorf("%q", s)
			}
		}
	}
}
