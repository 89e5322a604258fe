//go:build e2e

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"goxin/steps/drill"
	"goxin/steps/vrrp"
)

// TestAPairOfTwoReleases makes a pair of the oldest and the newest that are at hand: of
// systemd 247 and 257, keepalived 2.1 and 2.3, nginx 1.18 and 1.26.
func TestAPairOfTwoReleases(t *testing.T) {
	t.Parallel()
	pairedAndBack(t, Spec{Release: "bullseye"}, Spec{Release: "trixie"}, false)
}

// pairedAndBack makes a pair out of two machines, fails it over either way, and takes it
// back. An emulated one is slow, and makes no user namespaces: QEMU's own threads are in
// the way of that.
func pairedAndBack(t *testing.T, first, second Spec, emulated bool) {
	p := NewPairOf(t, NewQuietLab(t), first, second)
	p.HasServiceFor(first.Arch, second.Arch)
	p.opensClient()
	advert, harden := "200ms", "strict"
	if emulated {
		advert, harden = "1s", "standard"
	}
	answers := strings.NewReplacer("/root/web", "/root/web-{arch}\n    harden: "+harden).Replace(p.answers("drill: none\nadvert: " + advert + "\n"))
	p.A1.Write("/root/pair.yaml", answers, 0o600)
	before := p.Packaged()
	begin := time.Now()
	p.A1.goxin(t, 0, "apply", "-f", "/root/pair.yaml", "--yes")
	t.Logf("the pair is made in %v", time.Since(begin).Round(time.Second))
	for _, b := range []*Box{p.A1, p.A2} {
		t.Log(b.Sh("uname -m; systemctl --version | head -n1; keepalived --version 2>&1 | head -n1; nginx -v 2>&1"))
	}
	p.servesClient()
	p.A1.goxin(t, 0, "check")
	p.failsOver(emulated)
	p.servesClient()
	begin = time.Now()
	p.A1.goxin(t, 0, "undo")
	t.Logf("and taken back in %v", time.Since(begin).Round(time.Second))
	p.Same(before)
}

// HasServiceFor puts the lab's web server where answers with {arch} take it from, for
// each of two architectures.
func (p *Pair) HasServiceFor(archs ...string) {
	p.t.Helper()
	for _, arch := range archs {
		arch = cmp.Or(arch, "amd64")
		to := filepath.Join(p.t.TempDir(), "web")
		c := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, "goxin/cmd/lab/web")
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		if out, err := c.CombinedOutput(); err != nil {
			p.t.Fatalf("%v\n%s", err, out)
		}
		p.A1.Install(to, "/root/web-"+arch)
	}
}

// failsOver hands the address over and kills nginx, each on either node in turn, with the
// client asking. In an emulated machine each program that is started takes a tenth of a
// second, which no formula knows of: how long the gap was is then not judged, but that the
// address has one owner at a time and the pair heals is.
func (p *Pair) failsOver(emulated bool) {
	t := p.t
	t.Helper()
	faults := []vrrp.Fault{vrrp.FaultSwitchover, vrrp.FaultSwitchover, vrrp.FaultNginxKilled, vrrp.FaultNginxKilled}
	d, code := p.drilled(faults...)
	victims := map[string]bool{}
	for _, row := range d.Rows {
		victims[row.Victim] = true
		if slow := emulated && row.Gap > row.Predicted; row.Skipped || !row.OK && !slow || len(row.Owners) != 2 {
			t.Errorf("%s: %s", row.Title.EN, row.Why.EN)
		}
	}
	if !d.Third || len(d.Rows) != len(faults) || len(victims) != 2 || !d.Stopped.Empty() || code != 0 && !emulated {
		t.Errorf("exit code %d, %d faults on %v, a third machine: %v, stopped: %s", code, len(d.Rows), victims, d.Third, d.Stopped.EN)
	}
}

// drilled does faults, with the client asking, and logs what came of each.
func (p *Pair) drilled(faults ...vrrp.Fault) (d drill.Result, code int) {
	t := p.t
	t.Helper()
	var names []string
	for _, f := range faults {
		names = append(names, string(f))
	}
	key := strings.Fields(p.Client.Do("ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"))[1]
	begin := time.Now()
	r := p.A1.Try(program, "drill", "--faults", strings.Join(names, ","), "--from", "root@"+clientAddress, "--from-host-key", key, "--yes", "--json")
	if err := json.Unmarshal([]byte(r.Out), &d); err != nil {
		t.Fatalf("exit code %d, %v\n%s%s", r.Code, err, r.Out, r.Err)
	}
	t.Logf("%d faults in %v, exit code %d, asked by %s", len(d.Rows), time.Since(begin).Round(time.Second), r.Code, d.From)
	for _, row := range d.Rows {
		t.Logf("%-24s on %s: lost %d of %d, gap %v, predicted %v, owners %v, healed %v %s", row.Title.EN, row.Victim, row.Lost, row.Asked,
			row.Gap.Round(time.Millisecond), row.Predicted.Round(time.Millisecond), row.Owners, row.Healed.Round(time.Millisecond), row.Why.EN)
	}
	return d, r.Code
}

// opensClient has the first machine reach the client by SSH.
func (p *Pair) opensClient() {
	p.t.Helper()
	p.Client.Do("mkdir", "-pm", "700", "/root/.ssh")
	p.Client.Write("/root/.ssh/authorized_keys", p.A1.Read(pairKey+".pub"), 0o600)
}
