//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"goxin/steps/drill"
)

// pairAnswers make a pair out of two fresh machines and the program in /root/web.
func (p *Pair) answers(ha string) string {
	return `version: 1
steps:
  peer:
    address: root@` + secondAddress + `
    host_key: ` + p.HostKey + `
  service:
    name: web
    binary: /root/web
    port: 8080
    health: /healthz
  ha:
    vip: ` + pairVIP + `
    health: /healthz
` + indent(ha)
}

func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// HasService puts the lab's web server where the answers take it from.
func (p *Pair) HasService() {
	p.t.Helper()
	web, err := run.lab.program(context.Background(), "web")
	ok(p.t, err)
	p.A1.Install(web, "/root/web")
}

// TestAPairFromAnswers makes a pair out of two machines that have neither nginx nor
// keepalived, has a third machine ask it while everything is broken that can be, and takes
// it back.
func TestAPairFromAnswers(t *testing.T) {
	t.Parallel()
	p := NewPair(t, NewQuietLab(t))
	p.HasService()
	p.asksFromClient()
	p.A1.Write("/root/pair.yaml", p.answers("drill: quick\nadvert: 200ms\n"), 0o600)
	before := p.Packaged()
	begin := time.Now()
	p.A1.goxin(t, 0, "apply", "-f", "/root/pair.yaml", "--yes")
	t.Logf("the pair is made in %v", time.Since(begin).Round(time.Second))
	p.servesClient()
	p.A1.goxin(t, 0, "check")
	if r := p.A1.goxin(t, 0, "apply", "-f", "/root/pair.yaml", "--yes"); strings.Contains(r.Err, "applied") {
		t.Errorf("a second apply changes something:\n%s", r.Err)
	}
	p.handsOver()
	p.logsByThemselves(p.drills)
	p.losesPower(200 * time.Millisecond)
	p.A1.goxin(t, 0, "report", "-o", "/tmp/pair.html")
	text := prose(p.A1.Read("/tmp/pair.html"))
	for _, want := range []string{"nginx killed", "switch over, planned", "NoNewPrivileges", "in force", "keepalived.conf"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report says nothing of %q", want)
		}
	}
	p.A1.Do("rm", "/tmp/pair.html")
	begin = time.Now()
	p.A1.goxin(t, 0, "undo")
	t.Logf("and taken back in %v", time.Since(begin).Round(time.Second))
	p.A1.hasNoRelay()
	p.A2.hasNoRelay()
	p.Same(before)
}

// TestAPairByKeys makes one in the wizard, out of two fresh machines again, of which one
// has firewalld: nothing gets through there but what goxin opens, which is gone when all is
// taken back.
func TestAPairByKeys(t *testing.T) {
	t.Parallel()
	p := NewPairOf(t, NewQuietLab(t), Spec{}, firewalled)
	p.HasService()
	zones := p.A2.zones()
	p.A1.Write("/root/pair.yaml", p.answers("drill: quick\nadvert: 200ms\n"), 0o600)
	before := p.Packaged()
	begin := time.Now()
	p.isMadeByKeys()
	t.Logf("the pair is made by keys in %v", time.Since(begin).Round(time.Second))
	p.A2.letsThePairThrough(firstAddress)
	p.servesClient()
	p.A1.goxin(t, 0, "undo")
	p.A2.hasZones(zones)
	p.Same(before)
}

// isMadeByKeys makes the pair in the wizard: what the answers file offers is taken, the
// host key, which it does not have, is chosen, and the drill is seen while it goes on.
func (p *Pair) isMadeByKeys() {
	t := p.t
	given := p.A1.Read("/root/pair.yaml")
	ask := strings.ReplaceAll(given, "    host_key: "+p.HostKey+"\n", "")
	if ask == given {
		t.Fatal("the answers have no host key to leave out")
	}
	p.A1.Write("/tmp/keys.yaml", ask, 0o600)
	w, pty := p.A1.Wizard("-f", "/tmp/keys.yaml")
	w.begins().press("enter")
	pinned, drilled, pages := false, false, 0
	for page := w.settles(); !w.over(page); page = w.settles() {
		if pages++; pages > 80 {
			t.Fatalf("there is no end to it:\n%s", page)
		}
		switch {
		case strings.Contains(page, "question 2 of 6") && strings.Contains(page, "I have not compared it") && strings.Contains(page, p.HostKey):
			t.Logf("the host key:\n%s", page)
			w.onward("down")
			pinned = true
		case w.writable(page):
			t.Logf("the diff:\n%s", page)
			w.writes("w")
			if strings.Contains(page, "● HA pair") {
				w.sees("longest gap", "nginx killed")
				t.Logf("the drill:\n%s", w.Screen())
				drilled = true
			}
			w.settles()
			t.Logf("the result:\n%s", w.Screen())
		}
		w.onward("enter")
	}
	t.Logf("the end:\n%s", w.Screen())
	w.leaves()
	if code, err := pty.Wait(); err != nil || code != 0 || !pinned || !drilled {
		t.Errorf("exit code %d, %v; the key was pinned: %v; the drill was seen: %v", code, err, pinned, drilled)
	}
	p.A1.Do("rm", "/tmp/keys.yaml")
}

// asksFromClient has the first machine reach the client by SSH, and nft on both nodes:
// with it goxin cuts links.
func (p *Pair) asksFromClient() {
	p.t.Helper()
	p.Client.Do("mkdir", "-pm", "700", "/root/.ssh")
	p.Client.Write("/root/.ssh/authorized_keys", p.A1.Read(pairKey+".pub"), 0o600)
	for _, b := range []*Box{p.A1, p.A2} {
		b.Sh("DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends nftables >/dev/null")
	}
}

// servesClient fails unless the client gets every answer, from one owner.
func (p *Pair) servesClient() {
	t := p.t
	t.Helper()
	s := p.Watch(pairVIP, 80, "/healthz", 10*time.Millisecond, func() { time.Sleep(time.Second) })
	t.Log(s)
	if s.Lost > 0 || len(s.Nodes) != 1 || len(s.Owners) != 1 {
		t.Errorf("the client sees %v", s)
	}
}

// drills does every fault there is, with the client asking. The figures are in the log;
// whether they are good is the drill's own verdict, one and a half times what VRRP's
// formulas promise, so that a host that does other things as well does not fail it.
func (p *Pair) drills() {
	t := p.t
	key := strings.Fields(p.Client.Do("ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"))[1]
	begin := time.Now()
	r := p.A1.Try(program, "drill", "--from", "root@"+clientAddress, "--from-host-key", key, "--yes", "--json")
	var d drill.Result
	if err := json.Unmarshal([]byte(r.Out), &d); err != nil {
		t.Fatalf("exit code %d, %v\n%s%s", r.Code, err, r.Out, r.Err)
	}
	t.Logf("%d faults in %v, exit code %d, asked by %s", len(d.Rows), time.Since(begin).Round(time.Second), r.Code, d.From)
	for _, row := range d.Rows {
		t.Logf("%-24s lost %d of %d, gap %v, predicted %v, owners %v, healed %v %s", row.Title.EN, row.Lost, row.Asked,
			row.Gap.Round(time.Millisecond), row.Predicted.Round(time.Millisecond), row.Owners, row.Healed.Round(time.Millisecond), row.Why.EN)
		switch {
		case row.Skipped:
			t.Errorf("%s: not tried: %s", row.Title.EN, row.Why.EN)
		case !row.OK:
			t.Errorf("%s: %s", row.Title.EN, row.Why.EN)
		}
	}
	if !d.Third || len(d.Rows) != len(drill.Usual()) || r.Code != 0 {
		t.Errorf("exit code %d, %d faults, a third machine: %v", r.Code, len(d.Rows), d.Third)
	}
}
