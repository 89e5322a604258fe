package clock

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

func TestWorldsGiveTheirOps(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			_, m, h := w.build(t)
			sv := steptest.Survey(t, Step{}, m, h, w.values)
			steptest.Golden(t, w.name, told(t, h, sv, w.values))
			items, _ := Step{}.Ops(h, sv, w.values)
			for _, it := range items {
				if it.On != m.ID() {
					t.Errorf("%s is for machine %q", it.Op.Target(), it.On)
				}
				if why := it.Op.Why(); why.EN == "" || why.ZH == "" || why.EN == why.ZH {
					t.Errorf("%s %s has no reason in both languages", it.Op.Kind(), it.Op.Target())
				}
			}
		})
	}
}

// write does what the ops say of files.
func write(t *testing.T, m machine.Machine, items []engine.Item) {
	t.Helper()
	for _, it := range items {
		switch it.Op.(type) {
		case *op.File, *op.Dir:
			if _, err := it.Op.Do(context.Background(), m, func(lang.Text) {}); err != nil {
				t.Fatalf("%s %s: %v", it.Op.Kind(), it.Op.Target(), err)
			}
		}
	}
}

// still are the files that differ.
func still(t *testing.T, m machine.Machine, items []engine.Item) []string {
	t.Helper()
	var out []string
	for _, it := range items {
		switch it.Op.(type) {
		case *op.File, *op.Dir:
			s, err := it.Op.Observe(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			if it.Op.Diff(s).Action != engine.None {
				out = append(out, it.Op.Target())
			}
		}
	}
	return out
}

func TestAConvergedMachineChangesNothing(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			_, m, h := w.build(t)
			fresh, err := Step{}.Ops(h, steptest.Survey(t, Step{}, m, h, w.values), w.values)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(w.name, "-site-servers") && len(still(t, m, fresh)) == 0 {
				t.Error("nothing is written at all")
			}
			write(t, m, fresh)
			again, err := Step{}.Ops(h, steptest.Survey(t, Step{}, m, h, w.values), w.values)
			if err != nil {
				t.Fatal(err)
			}
			if left := still(t, m, again); left != nil {
				t.Errorf("still differs: %v", left)
			}
			// Where the answers name the servers, the same is wanted for ever.
			if _, named := w.values[keyServers]; named {
				if a, b := steptest.Wanted(t, fresh), steptest.Wanted(t, again); a != b {
					t.Errorf("wanted before:\n%s\nwanted after:\n%s", a, b)
				}
			}
		})
	}
}

func TestStepIsPure(t *testing.T) {
	for _, w := range worlds() {
		_, m, h := w.build(t)
		sv := steptest.Survey(t, Step{}, m, h, w.values)
		if second := steptest.Survey(t, Step{}, m, h, w.values); string(second) != string(sv) {
			t.Errorf("%s: two surveys of one machine differ", w.name)
		}
		_, f := h.First()
		facts, _ := json.Marshal(f)
		values, _ := json.Marshal(w.values)
		seen := string(sv)
		if a, b := told(t, h, sv, w.values), told(t, h, sv, w.values); a != b {
			t.Errorf("%s: asked twice, answered differently", w.name)
		}
		facts2, _ := json.Marshal(f)
		values2, _ := json.Marshal(w.values)
		if string(facts) != string(facts2) || string(values) != string(values2) || seen != string(sv) {
			t.Errorf("%s: the step changed what it was given", w.name)
		}
	}
}

func TestAcceptingWhatIsOfferedChangesNoServers(t *testing.T) {
	for _, w := range worlds() {
		if _, named := w.values[keyServers]; named {
			continue
		}
		_, m, h := w.build(t)
		sv := steptest.Survey(t, Step{}, m, h, w.values)
		v := engine.Values{}
		for k, x := range w.values {
			v[k] = x
		}
		for _, q := range (Step{}).Questions(h, sv, v) {
			v[q.Key] = q.Default
		}
		before, err := Step{}.Ops(h, sv, w.values)
		if err != nil {
			t.Fatal(err)
		}
		after, err := Step{}.Ops(h, sv, v)
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if a, b := still(t, m, before), still(t, m, after); strings.Join(a, " ") != strings.Join(b, " ") {
			t.Errorf("%s: unanswered it writes %v, with what is offered %v", w.name, a, b)
		}
	}
}

func TestAnswersThatCannotBePlannedAreRefused(t *testing.T) {
	ntp := map[string]string{"/usr/lib/systemd/system/ntpd.service": "", "/run/ntpd.pid": ""}
	for name, c := range map[string]struct {
		world  world
		values engine.Values
		says   string
		hint   string
	}{
		"no such service":        {world{}, engine.Values{keyService: "ptp"}, "does not know it", "auto, chrony"},
		"servers for nobody":     {world{}, engine.Values{keyService: keep, keyServers: []string{"a"}}, "leaves the configuration alone", "remove servers"},
		"an option as a server":  {world{}, engine.Values{keyServers: []string{"a iburst"}}, "holds a blank", "host name"},
		"servers for ntpd":       {world{files: ntp}, engine.Values{keyServers: []string{"a"}}, "ntpd keeps the time", "service: chrony"},
		"two packages on Debian": {world{facts: debian, files: debHost(map[string]string{"/var/lib/dpkg/info/systemd-timesyncd.list": ""})}, engine.Values{keyService: chrony}, "exclude each other", "apt-get install chrony"},
		"no package manager":     {world{facts: func(f *detect.Facts) { f.Packages.Manager = detect.Fact[string]{} }}, nil, "no package manager", "by hand"},
		"a directory as a file":  {world{files: rpmHost(map[string]string{"/etc/chrony.conf": "absent", "/etc/chrony.conf/x": ""})}, engine.Values{keyServers: []string{"a"}}, "cannot read /etc/chrony.conf", "root"},
	} {
		t.Run(name, func(t *testing.T) {
			_, m, h := c.world.build(t)
			sv := steptest.Survey(t, Step{}, m, h, c.values)
			items, err := Step{}.Ops(h, sv, c.values)
			if err == nil || items != nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%d ops, %v", len(items), err)
			}
			if !strings.Contains(lang.Hint(err, lang.EN), c.hint) || lang.Message(err, lang.ZH) == err.Error() {
				t.Errorf("hint %q, in Chinese %q", lang.Hint(err, lang.EN), lang.Message(err, lang.ZH))
			}
			if q := (Step{}).Questions(h, sv, c.values); len(q) < 3 {
				t.Errorf("with answers that are wrong only %d questions are asked", len(q))
			}
		})
	}
}

func TestCrossFindsServersForNobody(t *testing.T) {
	for _, c := range []struct {
		values engine.Values
		wrong  bool
	}{
		{nil, false},
		{engine.Values{keyService: keep}, false},
		{engine.Values{keyServers: []string{"a"}}, false},
		{engine.Values{keyService: keep, keyServers: []string{}}, false},
		{engine.Values{keyService: keep, keyServers: []string{"a"}}, true},
	} {
		if got := (Step{}).Cross(c.values); (got[keyServers] != nil) != c.wrong || len(got) > 1 {
			t.Errorf("%v: %v", c.values, got)
		}
	}
}

func TestServersAreNamesOrAddresses(t *testing.T) {
	for _, ok := range []string{"ntp.aliyun.com", "NTP1", "10.0.0.1", "fd00::1", "::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "a-b.c", "123.example"} {
		if err := checkServer(ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for _, bad := range []string{
		"", " ", "a b", "a\nserver b", "a\tb", "-h", "a-", "a..b", ".a", "a.", "10.0.0", "10.0.0.256", "10.0.0.01", "1", "ntp://a", "a/b", "a:123",
		"[::1]", "fe80::1%eth0", ":::", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "a#b", "时间.中国", "a;b", "!a", "%a", "a_b", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "ab",
	} {
		if err := checkServer(bad); err == nil {
			t.Errorf("%q is taken", bad)
		} else if lang.Message(err, lang.ZH) == err.Error() || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%q: not in both languages", bad)
		}
	}
}

func TestFieldsAreTheAnswersFilesKeys(t *testing.T) {
	var keys []string
	for _, f := range (Step{}).Fields() {
		keys = append(keys, f.Key)
		for _, text := range []lang.Text{f.Title, f.Help} {
			if text.EN == "" || text.ZH == "" || text.EN == text.ZH {
				t.Errorf("%s: a text is not in both languages: %+v", f.Key, text)
			}
		}
	}
	if got := strings.Join(keys, " "); got != "servers service step_clock wait" {
		t.Errorf("keys: %s", got)
	}
}

func TestAStepWithoutSurveyStillPlans(t *testing.T) {
	_, _, h := world{}.build(t)
	if items, err := (Step{}).Ops(h, nil, engine.Values{keyServers: []string{"10.0.0.1"}}); err != nil || len(items) == 0 {
		t.Fatalf("%d ops, %v", len(items), err)
	}
	if _, err := (Step{}).Ops(h, engine.Survey("{"), nil); err == nil {
		t.Error("a broken survey is taken")
	}
}
