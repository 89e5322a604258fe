package peer

import (
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

const (
	aKey  = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	other = "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
)

func TestAddresses(t *testing.T) {
	for s, want := range map[string]string{
		"b": "root b 22", "admin@b.example.org:2222": "admin b.example.org 2222", "10.0.0.2": "root 10.0.0.2 22",
		"fd00::2": "root fd00::2 22", "u@[fd00::2]:2022": "u fd00::2 2022", "[fd00::2]": "root fd00::2 22",
		"": "", "@b": "", "b:": "", "b:0": "", "b:65536": "", "b:022": "", "-oProxyCommand=x": "", "a b": "", "a@b@c": "", "[b]:22": "", "[fd00::2": "", "[fd00::2]x": "", "[fd00::2]:": "", "u ser@b": "", "b;c": "", "b\n": "", "../b": "",
	} {
		h, err := parseHop(s)
		got := ""
		if err == nil {
			got = h.User + " " + h.Host + " " + strconv.Itoa(h.Port)
		} else if lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%q: no hint", s)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("u@[fd00::2]:22")
	f.Add("a,b#" + aKey)
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := parseHop(s); err == nil && (h.Host == "" || h.User == "" || h.Port < 1 || h.Port > 65535 || strings.ContainsAny(h.Host+h.User, " \n;'\"@/") || h.Host[0] == '-') {
			t.Errorf("%q: %+v", s, h)
		}
		hops, err := parseJump(s)
		for _, h := range hops {
			if err == nil && h.HostKey != "" && !fingerprint(h.HostKey) {
				t.Errorf("%q: %+v", s, h)
			}
		}
	})
}

func TestTheWayThroughOtherHosts(t *testing.T) {
	hops, err := parseJump("gate, u@inner:2222#" + aKey)
	if err != nil || len(hops) != 2 || hops[0].Host != "gate" || hops[0].HostKey != "" || hops[1].User != "u" || hops[1].HostKey != aKey {
		t.Errorf("%+v %v", hops, err)
	}
	for _, s := range []string{"gate#", "gate#md5", "a,,-b", "a,b,c,d,e,f,g,h,i"} {
		if _, err := parseJump(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func hosts(running bool) engine.Hosts {
	return engine.Hosts{Order: []machine.ID{machine.LocalID}, Facts: map[machine.ID]*detect.Facts{machine.LocalID: {Running: running}}}
}

func survey(t *testing.T, f found) engine.Survey {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func both() found {
	a := seen{Host: "a", Arch: "amd64", OS: "debian", Version: "12", Init: "systemd", Systemd: 252, Free: 1 << 40}
	b := a
	b.Host = "b"
	return found{Address: "b", Key: aKey, KeyType: "ssh-ed25519", Known: true, Here: &a, There: &b}
}

func TestWhatCannotBeThePeer(t *testing.T) {
	v := engine.Values{KeyAddress: "b"}
	for name, c := range map[string]struct {
		change  func(*found)
		want    string
		refused bool
	}{
		"all is well":     {func(*found) {}, "", false},
		"not looked at":   {func(f *found) { *f = found{} }, "", false},
		"another address": {func(f *found) { f.Address, f.Same = "c", true }, "", false},
		"unknown": {
			func(f *found) { f.Known, f.Here, f.There = false, nil, nil },
			"cannot use b as the other machine: b is not known here; it shows the key " + aKey + " (ssh-ed25519)", true,
		},
		"refused":        {func(f *found) { f.Wrong, f.Refused, f.Hint = lang.T("no", "否"), true, lang.T("x", "x") }, "cannot use b as the other machine: no", true},
		"unreachable":    {func(f *found) { f.Wrong, f.Hint = lang.T("no", "否"), lang.T("x", "x") }, "cannot use b as the other machine: no", false},
		"itself":         {func(f *found) { f.Same = true }, "cannot use b as the other machine: it is this very machine", true},
		"an hour behind": {func(f *found) { f.Ahead = -time.Hour - time.Millisecond }, "cannot use b as the other machine: its clock is 1 h behind the one here", true},
		"a little ahead": {func(f *found) { f.Ahead = time.Minute }, "", false},
	} {
		f := both()
		c.change(&f)
		items, err := Step{}.Ops(hosts(true), survey(t, f), v)
		var no engine.Refusal
		if len(items) > 0 || lang.Message(err, lang.EN) != c.want || errors.As(err, &no) != c.refused || err != nil && lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Step{}).Ops(hosts(false), nil, v); err == nil {
		t.Error("a tree has a peer")
	}
	if _, err := (Step{}).Ops(hosts(true), nil, engine.Values{KeyPassword: "hunter2", KeyAddress: "b"}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a password written out: %v", err)
	}
	if _, err := (Step{}).Ops(hosts(true), nil, engine.Values{KeyHostKey: aKey}); err == nil {
		t.Error("a key of nobody")
	}
}

func TestWhatDiffersIsNoted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*found)
		want   string
	}{
		"nothing":      {func(*found) {}, ""},
		"architecture": {func(f *found) { f.There.Arch = "arm64" }, "architectures differ: amd64 here, arm64 there"},
		"system":       {func(f *found) { f.There.Version = "11" }, "systems differ: debian 12 here, debian 11 there"},
		"systemd":      {func(f *found) { f.There.Systemd = 247 }, "systemd differs: 252 here, 247 there"},
		"no systemd":   {func(f *found) { f.There.Init = "openrc" }, "no systemd there (openrc)"},
		"clock":        {func(f *found) { f.Ahead = 2500 * time.Millisecond }, "its clock is 2.5 s ahead of the one here"},
		"room":         {func(f *found) { f.There.Free = 5 << 20 }, "only 5 MiB are free there"},
	} {
		f := both()
		c.change(&f)
		notes := Step{}.Notes(hosts(true), survey(t, f), engine.Values{KeyAddress: "b"})
		got := ""
		for _, n := range notes[1:] {
			got += n.Text.EN
		}
		if !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Enter alone trusts nobody.
func TestTheKeyIsShownToBePinned(t *testing.T) {
	f := both()
	f.Known, f.Here, f.There = false, nil, nil
	question := func(f found, v engine.Values) engine.Question {
		for _, q := range (Step{}).Questions(hosts(true), survey(t, f), v) {
			if q.Key == KeyHostKey {
				return q
			}
		}
		t.Fatal("it is not asked")
		return engine.Question{}
	}
	q := question(f, engine.Values{KeyAddress: "b"})
	if q.Kind != engine.Choice || q.Default != "" || len(q.Options) != 2 || q.Options[1].Value != aKey {
		t.Errorf("%+v", q)
	}
	if q := question(f, engine.Values{KeyAddress: "b", KeyHostKey: other}); q.Kind != engine.Text || !strings.Contains(q.Why.EN, aKey) {
		t.Errorf("another one was answered: %+v", q)
	}
	f.Known = true
	if q := question(f, engine.Values{KeyAddress: "b"}); q.Kind != engine.Text || !strings.Contains(q.Why.ZH, "known_hosts") {
		t.Errorf("known_hosts has it: %+v", q)
	}
	if n := len(Step{}.Questions(hosts(true), nil, nil)); n != 1 {
		t.Errorf("%d questions without an address", n)
	}
}

func TestWhatGoesWrongIsWhatTheSurveyFound(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, nobody, _ := net.SplitHostPort(l.Addr().String())
	go func() { // speaks no SSH
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("220 mail\r\n"))
			_ = c.Close()
		}
	}()
	ms := map[machine.ID]machine.Machine{machine.LocalID: machine.Local()}
	for _, v := range []engine.Values{{KeyAddress: "127.0.0.1:1"}, {KeyAddress: "127.0.0.1:" + nobody}, {KeyAddress: "a b"}} {
		sv, err := New().Survey(t.Context(), ms, hosts(true), v, nil)
		var f found
		if err == nil {
			err = json.Unmarshal(sv, &f)
		}
		if err != nil || f.Wrong.ZH == "" || f.Hint.ZH == "" {
			t.Errorf("%v: %+v %v", v, f, err)
		}
		if _, err := New().Join(t.Context(), machine.Local(), v, nil); err == nil {
			t.Errorf("%v: joined", v)
		}
	}
	if m, err := New().Join(t.Context(), machine.Local(), nil, nil); m != nil || err != nil {
		t.Errorf("nobody is named: %v %v", m, err)
	}
}

func TestNothingIsPlannedOnAnyMachine(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, _ string, m machine.Machine, h engine.Hosts) {
		sv, err := New().Survey(t.Context(), map[machine.ID]machine.Machine{m.ID(): m}, h, engine.Values{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if items, err := New().Ops(h, sv, engine.Values{}); err != nil || len(items) > 0 {
			t.Error(items, err)
		}
	})
}
