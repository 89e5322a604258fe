package wire

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// scripted is a machine on which goxin says the same whatever it is asked.
type scripted struct {
	machine.Machine
	lines []string
	err   error
	argv  []string
}

func (s *scripted) ID() machine.ID { return "peer:b" }

func (s *scripted) Run(_ context.Context, c machine.Command, out func(string)) error {
	s.argv = c.Argv
	for _, l := range s.lines {
		out(l)
	}
	return s.err
}

var address = netip.MustParseAddr("10.0.0.100")

func TestWhatGoxinSaysThereIsRead(t *testing.T) {
	m := &scripted{lines: []string{`{"address":"10.0.0.100","macs":["02:00:00:00:00:0a"],"local":false}`}}
	f, err := ArpProbe(t.Context(), m, "eth0", address)
	if err != nil || f.Free() || f.MACs[0] != "02:00:00:00:00:0a" {
		t.Errorf("%v %+v", err, f)
	}
	if got := strings.Join(m.argv, " "); got != machine.Self+" wire arp-probe --interface eth0 --address 10.0.0.100" {
		t.Error(got)
	}
}

func TestWhatFailsThereIsSaidInItsWords(t *testing.T) {
	m := &scripted{lines: []string{"goxin: cannot listen on eth9: there is no such interface", "hint: `ip link` shows them"}, err: &machine.ExitError{Argv: []string{"goxin"}, Code: 1}}
	_, err := ArpProbe(t.Context(), m, "eth9", address)
	if got := lang.Message(err, lang.EN); got != "cannot ask who has 10.0.0.100: cannot listen on eth9: there is no such interface" {
		t.Error(got)
	}
}

// In Chinese, the failure of the command that listens was told in English, without its hint
// and with its beginning twice.
func TestWhatFailsThereIsSaidInBothLanguagesAndOnce(t *testing.T) {
	line := `{"failure":{"en":"cannot listen on eth9: there is no such interface","zh":"无法监听 eth9：没有这个网络接口"},"hint":{"en":"see ip link","zh":"请看 ip link"}}`
	m := &scripted{lines: []string{line}, err: &machine.ExitError{Argv: []string{"goxin"}, Code: 1}}
	_, err := Listen(t.Context(), m, "eth9", time.Second)
	if got := lang.Message(err, lang.ZH) + "；" + lang.Hint(err, lang.ZH); got != "无法监听 eth9：没有这个网络接口；请看 ip link" {
		t.Error(got)
	}
}

func TestAHostileAnswerIsNoAnswer(t *testing.T) {
	for name, line := range map[string]string{
		"not whole": `{"n":0,"at":[1,2],"took":[1]}`,
		"no JSON":   `{"n":`,
		"no number": `{"n":"one"}`,
		"no runs":   `{"n":0,"at":[1],"took":[1],"nodes":["a"],"runs":[]}`,
	} {
		err := Ask(t.Context(), &scripted{lines: []string{line}}, Question{VIP: address, Port: 80}, func(Batch) { t.Errorf("%s was taken", name) })
		if !strings.Contains(lang.Message(err, lang.EN), "cannot ask 10.0.0.100") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStoppingToAskIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Ask(ctx, &scripted{err: errors.New("gone")}, Question{VIP: address, Port: 80}, func(Batch) {}); err != nil {
		t.Error(err)
	}
}

func TestTheWayIsTheInterfaceOrARouter(t *testing.T) {
	for line, want := range map[string]string{
		"10.0.0.100 dev eth0 src 10.0.0.3 uid 0 \\    cache ":                "eth0",
		"10.0.0.100 via 10.9.0.1 dev eth0 src 10.9.0.3 uid 0 \\    cache ":   "",
		"local 10.0.0.100 dev lo table local src 10.0.0.100 uid 0 \\ cache ": "lo",
		"": "",
	} {
		if got, err := Toward(t.Context(), &scripted{lines: []string{line}}, address); err != nil || got != want {
			t.Errorf("%q: %q %v", line, got, err)
		}
	}
}

func TestMostMustArrive(t *testing.T) {
	for _, c := range []struct {
		a    Arrived
		want bool
	}{{Arrived{5, 5, 255}, true}, {Arrived{5, 3, 255}, true}, {Arrived{5, 2, 255}, false}, {Arrived{}, false}} {
		if c.a.Passes() != c.want {
			t.Errorf("%+v", c.a)
		}
	}
}
