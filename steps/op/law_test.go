package op

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// situation is an op and a machine to meet it on.
type situation struct {
	name  string
	op    engine.Op
	world func(w *world)
	want  engine.OutcomeKind // "": nothing to do
}

var why = lang.T("because", "因为")

const dropIn = "/etc/systemd/system.conf.d/zz-goxin.conf"

func situations() []situation {
	return slices.Concat(otherSituations(), packageSituations(), sysfsSituations(), linkSituations(), blockSituations(), labelSituations(), treeSituations(),
		accountSituations(), copySituations(), portSituations(), booleanSituations())
}

func otherSituations() []situation {
	file := func(change func(*File)) *File {
		f := &File{Path: "/etc/sysctl.d/zz-goxin.conf", Content: "vm.swappiness = 1\n", Mode: 0o644, Owner: machine.RootOwner, Reason: why}
		if change != nil {
			change(f)
		}
		return f
	}
	unit := func(state fakeUnit) func(*world) {
		return func(w *world) {
			w.systemd()
			w.units["nginx.service"] = &state
		}
	}
	const ok, nothing = engine.Applied, engine.OutcomeKind("")
	return []situation{
		{"a new file", file(nil), func(w *world) { w.mkdir("/etc/sysctl.d") }, ok},
		{"a file that is right already", file(nil), func(w *world) { w.write("/etc/sysctl.d/zz-goxin.conf", "vm.swappiness = 1\n", 0o644) }, nothing},
		{"a file with other content, mode and owner", file(nil), func(w *world) {
			w.write("/etc/sysctl.d/zz-goxin.conf", "vm.swappiness = 60\n", 0o4600)
			w.chown("/etc/sysctl.d/zz-goxin.conf", 12, 34)
		}, ok},
		{"a file with another mode only", file(nil), func(w *world) { w.write("/etc/sysctl.d/zz-goxin.conf", "vm.swappiness = 1\n", 0o600) }, ok},
		{"a file with another owner only, setuid kept", file(func(f *File) { f.Mode = Mode(0o755 | 1<<23) }), func(w *world) {
			w.write("/etc/sysctl.d/zz-goxin.conf", "vm.swappiness = 1\n", 0o755)
			w.chown("/etc/sysctl.d/zz-goxin.conf", 12, 34)
		}, ok},
		{"a file whose owner is kept", file(func(f *File) { f.Owner = machine.Keep }), func(w *world) {
			w.write("/etc/sysctl.d/zz-goxin.conf", "x\n", 0o644)
			w.chown("/etc/sysctl.d/zz-goxin.conf", 12, 34)
		}, ok},
		{"an empty file that had something", file(func(f *File) { f.Content = "" }), func(w *world) { w.write("/etc/sysctl.d/zz-goxin.conf", "x\n", 0o644) }, ok},
		{"a file that was empty", file(nil), func(w *world) { w.write("/etc/sysctl.d/zz-goxin.conf", "", 0o644) }, ok},
		{"a file behind a link", file(nil), func(w *world) {
			w.write("/etc/sysctl.d/real.conf", "x\n", 0o640)
			w.link("real.conf", "/etc/sysctl.d/zz-goxin.conf")
		}, ok},
		{"a file behind a link that leads nowhere", file(nil), func(w *world) { w.link("/etc/real.conf", "/etc/sysctl.d/zz-goxin.conf") }, ok},
		{"a file with bytes that are not UTF-8", file(func(f *File) { f.Content = "\xff\x00\xfe" }), func(w *world) { w.write("/etc/sysctl.d/zz-goxin.conf", "\xd6\xd0\n", 0o644) }, ok},
		{"a file the service manager reads", file(func(f *File) {
			f.Path, f.Content, f.Reload = dropIn, "[Manager]\nDefaultLimitNOFILE=1024:1048576\n", true
		}), func(w *world) { w.systemd(); w.mkdir("/etc/systemd/system.conf.d") }, ok},

		{"a file that a running unit reads when it starts", file(func(f *File) { f.Restart = "nginx.service" }), func(w *world) {
			unit(fakeUnit{load: "loaded", file: "enabled", active: "active"})(w)
			w.write("/etc/sysctl.d/zz-goxin.conf", "vm.swappiness = 60\n", 0o644)
		}, ok},
		{"a new file that a unit which is down reads when it starts", file(func(f *File) { f.Restart = "nginx.service" }), func(w *world) {
			unit(fakeUnit{load: "loaded", file: "enabled", active: "inactive"})(w)
			w.mkdir("/etc/sysctl.d")
		}, ok},
		{"a file that a running unit has read", file(func(f *File) { f.Restart = "nginx.service" }), func(w *world) {
			unit(fakeUnit{load: "loaded", file: "enabled", active: "active"})(w)
			w.write("/etc/sysctl.d/zz-goxin.conf", "vm.swappiness = 1\n", 0o644)
		}, nothing},

		{"a new directory", &Dir{Path: "/etc/sysctl.d", Mode: 0o750, Owner: machine.Owner{UID: 12, GID: 34}, Reason: why}, func(*world) {}, ok},
		{"a new directory of a user", &Dir{Path: "/etc/sysctl.d", Mode: 0o750, User: "app", Reason: why}, func(w *world) { w.write("/etc/passwd", "app:x:12:34::/:/bin/false\n", 0o644) }, ok},
		{"a directory that is there with another mode", &Dir{Path: "/etc/sysctl.d", Mode: 0o750, Owner: machine.RootOwner, Reason: why}, func(w *world) { w.mkdir("/etc/sysctl.d") }, nothing},
		{"a directory behind a link", &Dir{Path: "/etc/sysctl.d", Mode: 0o750, Owner: machine.RootOwner, Reason: why}, func(w *world) { w.mkdir("/srv"); w.link("/srv", "/etc/sysctl.d") }, nothing},

		{"a line that is there twice and once as our comment", &Comment{"/etc/sysctl.conf", "vm.swappiness=60", why}, func(w *world) {
			w.write("/etc/sysctl.conf", "a\nvm.swappiness=60\n# goxin: vm.swappiness=60\nb\nvm.swappiness=60", 0o640)
			w.chown("/etc/sysctl.conf", 12, 34)
		}, ok},
		{"a line with CRLF", &Comment{"/etc/sysctl.conf", "vm.swappiness=60", why}, func(w *world) { w.write("/etc/sysctl.conf", "a\r\nvm.swappiness=60\r\nb\r\n", 0o644) }, ok},
		{"a line in a linked file", &Comment{"/etc/sysctl.d/99-sysctl.conf", " vm.swappiness = 60", why}, func(w *world) {
			w.write("/etc/sysctl.conf", " vm.swappiness = 60\n", 0o644)
			w.link("../sysctl.conf", "/etc/sysctl.d/99-sysctl.conf")
		}, ok},
		{"a line in a file that is not there", &Comment{"/etc/sysctl.conf", "x", why}, func(*world) {}, nothing},
		{"a line that is only like it", &Comment{"/etc/sysctl.conf", "vm.swappiness=60", why}, func(w *world) { w.write("/etc/sysctl.conf", "vm.swappiness=600\n vm.swappiness=60\n", 0o644) }, nothing},
		{"a line in GBK", &Comment{"/etc/sysctl.conf", "kernel.domainname=\ufffd\ufffd", why}, func(w *world) { w.write("/etc/sysctl.conf", "kernel.domainname=\xd6\xd0\n", 0o644) }, ok},

		{"a parameter", &Sysctl{"vm.swappiness", "1", false, false, why}, func(w *world) { w.write("/proc/sys/vm/swappiness", "60\n", 0o644) }, ok},
		{"a parameter that is right already", &Sysctl{"vm.swappiness", "1", false, false, why}, func(w *world) { w.write("/proc/sys/vm/swappiness", "1\n", 0o644) }, nothing},
		{"a parameter that is above", &Sysctl{"fs.file-max", "1000000", true, false, why}, func(w *world) { w.write("/proc/sys/fs/file-max", "9223372036854775807\n", 0o644) }, nothing},
		{"a parameter to raise", &Sysctl{"fs.file-max", "1000000", true, false, why}, func(w *world) { w.write("/proc/sys/fs/file-max", "9999\n", 0o644) }, ok},
		{"a parameter of several fields", &Sysctl{"net.ipv4.tcp_rmem", "4096 131072  6291456", false, false, why}, func(w *world) { w.write("/proc/sys/net/ipv4/tcp_rmem", "4096\t87380\t6291456\n", 0o644) }, ok},
		{"a parameter this kernel has not", &Sysctl{"net.ipv4.tcp_tw_recycle", "0", false, false, why}, func(*world) {}, nothing},
		{"a parameter the kernel rounds", &Sysctl{"vm.nr_hugepages", "1000", false, false, why}, func(w *world) {
			w.write("/proc/sys/vm/nr_hugepages", "0\n", 0o644)
			w.clamp["/proc/sys/vm/nr_hugepages"] = func(v string) string {
				if v == "1000" {
					return "512"
				}
				return v
			}
		}, engine.Clamped},
		{"a parameter in a read-only container", &Sysctl{"vm.swappiness", "1", false, false, why}, func(w *world) {
			w.write("/proc/sys/vm/swappiness", "60\n", 0o644)
			w.deny["/proc/sys/vm/swappiness"] = syscall.EROFS
		}, engine.Refused},
		{"a parameter another file sets at boot", &Sysctl{"vm.swappiness", "1", false, false, why}, func(w *world) {
			w.write("/proc/sys/vm/swappiness", "60\n", 0o644)
			w.write("/etc/sysctl.d/zz-goxin.conf", "vm.swappiness = 1\n", 0o644)
			w.write("/etc/sysctl.conf", "#\nvm.swappiness=60\n", 0o644)
		}, engine.Overridden},

		{"a limit without systemd", &Limit{1048576, 1024, why}, func(*world) {}, nothing},
		{"a limit the manager has", &Limit{524288, 1024, why}, func(w *world) { w.systemd() }, nothing},

		{"a clock that is behind", &Clock{[]string{"a.example", "b.example:8080"}, 60, 93000, why}, func(w *world) { w.behind = 93784 * time.Second }, ok},
		{"a clock that is ahead", &Clock{[]string{"a.example"}, 60, -300, why}, func(w *world) { w.behind = -301 * time.Second }, ok},
		{"a clock that is right", &Clock{[]string{"a.example"}, 60, 0, why}, func(w *world) { w.behind = 59 * time.Second }, nothing},
		{"a clock nobody answers for", &Clock{[]string{"a.example"}, 60, 300, why}, func(w *world) { w.behind, w.offline = 300*time.Second, true }, nothing},
		{"a clock that nobody may set", &Clock{[]string{"a.example"}, 60, 300, why}, func(w *world) { w.behind, w.fixed = 300*time.Second, true }, engine.Refused},

		{"a unit to enable and start", &Unit{"nginx.service", "yes", "yes", "", why}, unit(fakeUnit{load: "loaded", file: "disabled", active: "inactive"}), ok},
		{"a unit enabled until the next boot", &Unit{"nginx.service", "yes", "", "", why}, unit(fakeUnit{load: "loaded", file: "enabled-runtime", active: "active"}), ok},
		{"a unit enabled until the next boot, to disable", &Unit{"nginx.service", "no", "no", "", why}, unit(fakeUnit{load: "loaded", file: "enabled-runtime", active: "active"}), ok},
		{"a unit to stop and mask", &Unit{"nginx.service", "", "no", "yes", why}, unit(fakeUnit{load: "loaded", file: "disabled", active: "active"}), ok},
		{"an enabled unit to mask", &Unit{"nginx.service", "", "no", "yes", why}, unit(fakeUnit{load: "loaded", file: "enabled", active: "active"}), ok},
		{"a masked unit to use", &Unit{"nginx.service", "yes", "yes", "no", why}, unit(fakeUnit{load: "loaded", file: "disabled", etc: true, active: "inactive"}), ok},
		{"a unit masked until the next boot", &Unit{"nginx.service", "", "", "no", why}, unit(fakeUnit{load: "loaded", file: "disabled", run: true, active: "inactive"}), ok},
		{"a unit masked until the next boot, to mask for good", &Unit{"nginx.service", "", "", "yes", why}, unit(fakeUnit{load: "loaded", file: "disabled", run: true, active: "inactive"}), ok},
		{"a linked unit", &Unit{"nginx.service", "yes", "yes", "", why}, func(w *world) {
			unit(fakeUnit{load: "loaded", file: "linked", active: "inactive", link: "/srv/nginx.service"})(w)
			w.link("/srv/nginx.service", "/etc/systemd/system/nginx.service")
		}, ok},
		{"a static unit", &Unit{"nginx.service", "yes", "yes", "", why}, unit(fakeUnit{load: "loaded", file: "static", active: "inactive"}), ok},
		{"a failed unit to stop", &Unit{"nginx.service", "no", "no", "", why}, unit(fakeUnit{load: "loaded", file: "disabled", active: "failed"}), nothing},
		{"a unit without systemd", &Unit{"nginx.service", "yes", "yes", "", why}, func(*world) {}, nothing},
	}
}

// journalled is a state after it went through the journal.
func journalled(t *testing.T, s engine.State) engine.State {
	t.Helper()
	if len(s.Meta) == 0 {
		return s
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out := engine.State{Blob: s.Blob}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func observe(t *testing.T, o engine.Op, w *world) engine.State {
	t.Helper()
	w.dieAt = 0
	s, err := o.Observe(context.Background(), w)
	if err != nil {
		t.Fatalf("Observe: %v", err)
	}
	return journalled(t, s)
}

// undo is Undo and what the engine does after it.
func undo(ctx context.Context, o engine.Op, m machine.Machine, before, after engine.State) error {
	err := o.Undo(ctx, m, before, after)
	if k, keeps := o.(engine.Keeper); keeps && err == nil {
		err = k.Forget(ctx, m, before, nil)
	}
	return err
}

func TestEveryOpKeepsTheLaws(t *testing.T) {
	ctx := context.Background()
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			fresh := func() *world {
				w := newWorld(t)
				s.world(w)
				return w
			}
			w := fresh()
			start := w.sum()
			before := observe(t, s.op, w)
			if w.sum() != start {
				t.Fatal("Observe changed something")
			}
			if changes := s.op.Diff(before).Action != engine.None; changes != (s.want != "") {
				t.Fatalf("Diff before: %+v, want change: %v", s.op.Diff(before), s.want != "")
			}
			if s.want == "" {
				return // the engine skips it
			}
			out, err := s.op.Do(ctx, w, nil)
			if err != nil || out.Kind != s.want {
				t.Fatalf("Do: %+v, %v, want %s", out, err, s.want)
			}
			if out.Deviates() && (out.By.EN == "" || out.By.ZH == "") {
				t.Errorf("deviation without a reason: %+v", out)
			}
			end := w.sum()
			after := observe(t, s.op, w)
			if d := s.op.Diff(after); out.Kind == engine.Applied && d.Action != engine.None {
				t.Errorf("Diff after Do: %+v", d)
			}
			if _, err := s.op.Do(ctx, w, nil); err != nil || w.sum() != end {
				t.Errorf("Do twice is not Do once: %v", err)
			}
			for n := range 2 {
				if err := undo(ctx, s.op, w, before, after); err != nil || w.sum() != start {
					t.Fatalf("Undo, time %d: %v, as it was: %v", n+1, err, w.sum() == start)
				}
			}

			for n := 1; ; n++ {
				w := fresh()
				w.dieAt = n
				_, err := s.op.Do(ctx, w, nil)
				if !errors.Is(err, errDied) {
					break
				}
				seen := observe(t, s.op, w)
				for name, after := range map[string]engine.State{"observed": seen, "unseen": {}} {
					u := fresh()
					u.dieAt = n
					_, _ = s.op.Do(ctx, u, nil)
					u.dieAt = 0
					if err := undo(ctx, s.op, u, before, after); err != nil || u.sum() != start {
						t.Errorf("Undo after death at effect %d, state after %s: %v", n, name, err)
					}
				}
				if s.op.Diff(seen).Action != engine.None {
					if _, err := s.op.Do(ctx, w, nil); err != nil {
						t.Errorf("Do after death at effect %d: %v", n, err)
					}
				}
				if w.sum() != end {
					t.Errorf("Do after death at effect %d does not end as Do does", n)
				}
			}

			for n := 1; ; n++ {
				w := fresh()
				if _, err := s.op.Do(ctx, w, nil); err != nil {
					t.Fatal(err)
				}
				w.effects, w.dieAt = 0, n
				err := undo(ctx, s.op, w, before, after)
				if !errors.Is(err, errDied) {
					break
				}
				w.dieAt = 0
				if err := undo(ctx, s.op, w, before, after); err != nil || w.sum() != start {
					t.Errorf("Undo after death of Undo at effect %d: %v", n, err)
				}
			}
		})
	}
}

func TestEveryOpSurvivesJSON(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range situations() {
		b, err := json.Marshal(s.op)
		if err != nil {
			t.Fatal(err)
		}
		seen[s.op.Kind()] = true
		back := Kinds()[s.op.Kind()]()
		if err := json.Unmarshal(b, back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if !reflect.DeepEqual(back, s.op) {
			t.Errorf("%s: %s came back as %+v", s.name, b, back)
		}
		if s.op.Target() == "" || s.op.Why() != why || len(s.op.ByHand()) == 0 {
			t.Errorf("%s: says too little of itself", s.name)
		}
	}
	for k, empty := range Kinds() {
		if empty().Kind() != k || !seen[k] {
			t.Errorf("kind %s is registered wrongly or has no situation", k)
		}
	}
}

// did does an op, and gives the states before and after as the journal has them.
func did(t *testing.T, o engine.Op, w *world) (before, after engine.State) {
	t.Helper()
	before = observe(t, o, w)
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	return before, observe(t, o, w)
}
