package kernel

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"goxin/detect/machine"
	"goxin/detect/sysctl"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

func TestWorldsGiveTheirOps(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			_, m, h := w.build(t)
			sv := surveyOf(t, m, h, w.values)
			items, err := Step{}.Ops(h, sv, w.values)
			if err != nil {
				t.Fatal(err)
			}
			steptest.Golden(t, w.name, render(items, Step{}.Notes(h, sv, w.values), Step{}.Questions(h, sv, w.values)))
			for _, it := range items {
				if it.On != m.ID() {
					t.Errorf("%s is for machine %q", it.Op.Target(), it.On)
				}
				if it.Op.Why().EN == "" || it.Op.Why().ZH == "" {
					t.Errorf("%s %s has no reason in both languages", it.Op.Kind(), it.Op.Target())
				}
			}
		})
	}
}

// apply does what the ops say: files by the real operations, running values by
// writing the tree's /proc/sys.
func apply(t *testing.T, root string, m machine.Machine, items []engine.Item) {
	t.Helper()
	for _, it := range items {
		switch o := it.Op.(type) {
		case *op.File, *op.Dir, *op.Comment:
			if _, err := it.Op.Do(context.Background(), m, nil); err != nil {
				t.Fatalf("%s %s: %v", it.Op.Kind(), it.Op.Target(), err)
			}
		case *op.Sysctl:
			p := filepath.Join(root, sysctl.Path(o.Key))
			now, err := os.ReadFile(p)
			if err != nil {
				continue // a tree
			}
			if o.AtLeast && above(o.Key, strings.TrimSpace(string(now)), o.Value) {
				continue
			}
			if err := os.WriteFile(p, []byte(strings.ReplaceAll(o.Value, " ", "\t")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAConvergedMachineWantsTheSameAndChangesNothing(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			root, m, h := w.build(t)
			fresh, err := Step{}.Ops(h, surveyOf(t, m, h, w.values), w.values)
			if err != nil {
				t.Fatal(err)
			}
			apply(t, root, m, fresh)
			again, err := Step{}.Ops(h, surveyOf(t, m, h, w.values), w.values)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := wanted(t, fresh), wanted(t, again); a != b {
				t.Errorf("wanted before:\n%s\nwanted after:\n%s", a, b)
			}
			for _, n := range (Step{}).Notes(h, surveyOf(t, m, h, w.values), w.values) {
				if strings.Contains(n.Text.EN, "commented out") {
					t.Errorf("what is done is announced again: %s", n.Text.EN)
				}
			}
			for _, it := range again {
				switch it.Op.(type) {
				case *op.File, *op.Dir, *op.Comment:
					s, err := it.Op.Observe(context.Background(), m)
					if err != nil {
						t.Fatal(err)
					}
					if d := it.Op.Diff(s); d.Action != engine.None {
						t.Errorf("%s %s still differs: %c", it.Op.Kind(), it.Op.Target(), rune(d.Action))
					}
				}
			}
		})
	}
}

func TestStepIsPure(t *testing.T) {
	for _, w := range worlds() {
		_, m, h := w.build(t)
		sv := surveyOf(t, m, h, w.values)
		if second := surveyOf(t, m, h, w.values); string(second) != string(sv) {
			t.Errorf("%s: two surveys of one machine differ", w.name)
		}
		_, f := h.First()
		facts, _ := json.Marshal(f)
		values, _ := json.Marshal(w.values)
		seen := string(sv)
		ask := func() string {
			items, _ := Step{}.Ops(h, sv, w.values)
			return wanted(t, items) + render(items, Step{}.Notes(h, sv, w.values), Step{}.Questions(h, sv, w.values))
		}
		if first, second := ask(), ask(); first != second {
			t.Errorf("%s: asked twice, answered differently", w.name)
		}
		facts2, _ := json.Marshal(f)
		values2, _ := json.Marshal(w.values)
		if string(facts) != string(facts2) || string(values) != string(values2) || seen != string(sv) {
			t.Errorf("%s: the step changed what it was given", w.name)
		}
	}
}

func TestFileMaxIsNeverLowered(t *testing.T) {
	root, m, h := world{files: systemdHost(nil), params: usual(nil)}.build(t)
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, running := range []string{"380000", "1000000", "1000001", "6553600", maxInt64} {
		for _, line := range []string{"", "fs.file-max = 500000\n", "fs.file-max = 6553600\n"} {
			for _, want := range []string{"", "70000", "1000000", "2000000"} {
				v := engine.Values{}
				least := uint64(1000000)
				if want != "" {
					v["set"] = map[string]string{"fs.file-max": want}
					least, _ = strconv.ParseUint(want, 10, 64)
				}
				write("/etc/sysctl.conf", line)
				write(sysctl.Path("fs.file-max"), running)
				items, err := Step{}.Ops(h, surveyOf(t, m, h, v), v)
				if err != nil {
					t.Fatal(err)
				}
				now, _ := strconv.ParseUint(running, 10, 64)
				seen := false
				for _, it := range items {
					switch o := it.Op.(type) {
					case *op.Sysctl:
						if o.Key == "fs.file-max" {
							seen = true
							if !o.AtLeast {
								t.Errorf("running %s, asked %q: the running value may be lowered", running, want)
							}
						}
					case *op.File:
						if o.Path == ownFile && strings.Contains(o.Content, "fs.file-max") && now > least {
							t.Errorf("running %s, asked %q: the file would lower it at boot:\n%s", running, want, o.Content)
						}
					case *op.Comment:
						if strings.Contains(o.Line, "6553600") {
							t.Errorf("running %s, asked %q: a line that raises it is taken out", running, want)
						}
					}
				}
				if !seen {
					t.Errorf("running %s, asked %q: fs.file-max is not looked after", running, want)
				}
			}
		}
	}
}

func TestLoginLimitsStayBelowWhatLocksPeopleOut(t *testing.T) {
	for _, w := range worlds() {
		_, m, h := w.build(t)
		for _, ask := range []int64{1, 4096, 100000, 1 << 20, 1 << 30} {
			v := engine.Values{"nofile": ask}
			sv := surveyOf(t, m, h, v)
			items, err := Step{}.Ops(h, sv, v)
			if err != nil {
				t.Fatal(err)
			}
			seen, _ := seenOn(sv, m.ID())
			ceiling := seen.NrOpen
			if ceiling == 0 {
				ceiling = defaultNrOpen
			}
			if seen.Limits.Capped {
				ceiling = min(ceiling, seen.Limits.InitHard)
			}
			for _, it := range items {
				f, ok := it.Op.(*op.File)
				if !ok || f.Path != loginFile {
					continue
				}
				lines := parseLoginLimits(f.Content)
				if len(lines) == 0 {
					t.Errorf("%s: no limits in %q", w.name, f.Content)
				}
				for _, l := range lines {
					if l.Hard > ceiling || l.Soft > ceiling {
						t.Errorf("%s, nofile %d: logins get %d, above %d", w.name, ask, max(l.Hard, l.Soft), ceiling)
					}
				}
			}
		}
	}
}

func TestKylinsSysctlConfIsNamedByFileAndLine(t *testing.T) {
	for _, w := range worlds() {
		if w.name != "kylin-v10-web" {
			continue
		}
		_, m, h := w.build(t)
		sv := surveyOf(t, m, h, w.values)
		var said []string
		for _, n := range (Step{}).Notes(h, sv, w.values) {
			said = append(said, n.Text.EN+n.Text.ZH)
		}
		all := strings.Join(said, "\n")
		for _, want := range []string{"/etc/sysctl.conf:12 ", "/etc/sysctl.conf:13 "} {
			if strings.Count(all, want) != 2 {
				t.Errorf("%q is not named once in each language in\n%s", want, all)
			}
		}
		return
	}
	t.Fatal("no such world")
}

func TestAStepWithoutSurveyStillPlans(t *testing.T) {
	_, _, h := world{}.build(t)
	items, err := Step{}.Ops(h, nil, engine.Values{"profile": "web"})
	if err != nil || len(items) == 0 {
		t.Fatalf("%d ops, %v", len(items), err)
	}
	for _, it := range items {
		if f, ok := it.Op.(*op.File); ok && strings.Contains(f.Content, "fs.file-max") {
			t.Error("a value that may lower fs.file-max is written though nobody knows what it is")
		}
	}
	if _, err := (Step{}).Ops(h, engine.Survey("{"), nil); err == nil {
		t.Error("a broken survey is taken")
	}
}
