package clock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

const (
	tracking = "chronyc -n tracking"
	sources  = "chronyc -n sources"
)

// lines is a program that prints lines and exits with code.
func lines(code int, ls ...string) func(func(string)) error {
	return func(out func(string)) error {
		for _, l := range ls {
			out(l)
		}
		if code != 0 {
			return &machine.ExitError{Argv: []string{"chronyc"}, Code: code}
		}
		return nil
	}
}

func proofOf(t *testing.T, w world) (string, *fake, engine.Proof) {
	t.Helper()
	root, m, h := w.build(t)
	proofs := Step{}.Proofs(h, steptest.Survey(t, Step{}, m, h, w.values), w.values)
	if len(proofs) != 1 || proofs[0].First || proofs[0].On != m.ID() {
		t.Fatalf("proofs: %+v", proofs)
	}
	return root, m.(*fake), proofs[0]
}

func TestSyncIsWaitedFor(t *testing.T) {
	_, m, p := proofOf(t, world{files: rpmHost(nil)})
	m.synced = func(int) bool { return true } // of the servers there were before
	m.answers = map[string]func(func(string)) error{tracking: func(out func(string)) error {
		out("Reference ID    : 00000000 ()")
		if m.slept < 7 {
			out("Leap status     : Not synchronised")
		} else {
			out("Leap status     : Insert second")
		}
		return nil
	}}
	seen, err := p.Prove(context.Background(), m)
	if err != nil || !strings.Contains(seen.EN, "7 s") || seen.ZH == seen.EN || m.slept != 7 {
		t.Errorf("%v %v, slept %d", seen, err, m.slept)
	}
}

func TestSyncThatDoesNotComeNamesWhoDidNotAnswer(t *testing.T) {
	never := lines(0, "Leap status     : Not synchronised")
	head := []string{"MS Name/IP address         Stratum Poll Reach LastRx Last sample", "==============================================================================="}
	for name, c := range map[string]struct {
		answers map[string]func(func(string)) error
		hint    string
	}{
		"some answer":     {map[string]func(func(string)) error{tracking: never, sources: lines(0, append(head, "^? 10.0.0.1                      0   6     0     -     +0ns[   +0ns] +/-    0ns", "^* 10.0.0.2                      2   6   377    23    +15us[  +20us] +/-   12ms")...)}, "no answer from 10.0.0.1 (servers: ntp.site.example)"},
		"no name known":   {map[string]func(func(string)) error{tracking: never, sources: lines(0, head...)}, "asks no server at all: can their names be looked up (ntp.site.example)"},
		"all answer":      {map[string]func(func(string)) error{tracking: never, sources: lines(0, "^? 10.0.0.2  2 6 3 23 +15us[+20us] +/- 12ms")}, "trusts none"},
		"chronyd is mute": {map[string]func(func(string)) error{tracking: lines(1, "506 Cannot talk to daemon"), sources: lines(1)}, "do the servers answer (ntp.site.example)"},
		"no chronyc":      {nil, "do the servers answer (ntp.site.example)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, m, p := proofOf(t, world{files: rpmHost(nil), values: engine.Values{keyServers: []string{"ntp.site.example"}, keyWait: int64(3)}})
			m.answers = c.answers
			_, err := p.Prove(context.Background(), m)
			if err == nil || !strings.Contains(err.Error(), "within 3 s") || m.slept != 3 {
				t.Fatalf("%v, slept %d", err, m.slept)
			}
			if h := lang.Hint(err, lang.EN); !strings.Contains(h, c.hint) || !strings.Contains(h, "wait: 0") {
				t.Errorf("hint: %s", h)
			}
		})
	}
}

func TestWithoutChronycTheKernelIsAsked(t *testing.T) {
	_, m, p := proofOf(t, world{files: rpmHost(nil)})
	m.synced = func(slept int) bool { return slept == 2 }
	if _, err := p.Prove(context.Background(), m); err != nil || m.slept != 2 {
		t.Errorf("%v, slept %d", err, m.slept)
	}
}

func TestTimesyncdSaysItselfWhenItIsDone(t *testing.T) {
	root, m, p := proofOf(t, world{facts: debian, files: debHost(map[string]string{"/run/systemd/timesync/synchronized": "absent", "/run/systemd/timesync/x": ""}), values: engine.Values{keyWait: int64(2)}})
	m.synced = func(int) bool { return true } // left by the run before the restart
	if _, err := p.Prove(context.Background(), m); err == nil {
		t.Error("believes the kernel's flag, which says nothing of the servers there are now")
	}
	if err := os.WriteFile(filepath.Join(root, "/run/systemd/timesync/synchronized"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Prove(context.Background(), m); err != nil {
		t.Error(err)
	}
}

func TestAWaitEndsWhenTheRunDoes(t *testing.T) {
	_, m, p := proofOf(t, world{files: rpmHost(nil)})
	ctx, cancel := context.WithCancel(context.Background())
	m.synced = func(int) bool { cancel(); return false }
	if _, err := p.Prove(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsProvedWhereNobodyKeepsTheTime(t *testing.T) {
	for name, w := range map[string]world{
		"not waited for":        {files: rpmHost(nil), values: engine.Values{keyWait: int64(0)}},
		"a container":           {files: rpmHost(nil), facts: func(f *detect.Facts) { f.Container = steptest.Fact(true) }},
		"a tree":                {files: rpmHost(nil), tree: true},
		"nobody keeps the time": {values: engine.Values{keyService: keep}},
		"wrong answers":         {files: rpmHost(nil), values: engine.Values{keyService: "x"}},
	} {
		_, m, h := w.build(t)
		if p := (Step{}).Proofs(h, steptest.Survey(t, Step{}, m, h, w.values), w.values); p != nil {
			t.Errorf("%s: %d proofs", name, len(p))
		}
	}
}

func TestServersThatAreSilentNowAreNoted(t *testing.T) {
	for _, c := range []struct {
		lines []string
		noted bool
	}{
		{[]string{"^? 10.0.0.1 0 6 0 - +0ns[+0ns] +/- 0ns", "^? 10.0.0.2 0 10 000 - +0ns[+0ns] +/- 0ns"}, true},
		{[]string{"^? 10.0.0.1 0 6 0 - +0ns[+0ns] +/- 0ns", "^* 10.0.0.2 2 6 1 2 +0ns[+0ns] +/- 0ns"}, false},
		{nil, false},
	} {
		_, m, h := world{files: rpmHost(nil)}.build(t)
		m.(*fake).answers = map[string]func(func(string)) error{sources: lines(0, c.lines...)}
		noted := slices.ContainsFunc(Step{}.Notes(h, steptest.Survey(t, Step{}, m, h, nil), nil), func(n engine.Note) bool {
			return n.Warn && strings.Contains(n.Text.EN, "no time server answers now: 10.0.0.1, 10.0.0.2")
		})
		if noted != c.noted {
			t.Errorf("%v: noted %v", c.lines, noted)
		}
	}
}
