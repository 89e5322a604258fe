//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"goxin/steps/sandbox"
)

const hardened = `version: 1
steps:
  service:
    name: web
    binary: /root/web
    port: 8080
    health: /healthz
`

// TestEveryHardeningLineIsInForce hardens a service where nothing but its unit could
// refuse: root of a container may do little anyway. Each line's act is done without it
// and refused with it, the service answers all the same, and undo leaves nothing.
func TestEveryHardeningLineIsInForce(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	web, err := run.lab.program(context.Background(), "web")
	ok(t, err)
	m := NewLab(t).Shared(t, VirtualMachine)
	m.Install(goxin, program)
	m.Install(web, "/root/web")
	m.Write("/root/service.yaml", hardened, 0o600)
	before := m.written()

	begin := time.Now()
	m.goxin(t, 0, "apply", "-f", "/root/service.yaml", "--yes")
	t.Logf("hardened and every line tried in %v", time.Since(begin).Round(time.Second))
	for line := range strings.Lines(m.Do("systemd-analyze", "--no-pager", "security", "--threshold=20", "web.service")) { // ends with 1 above 2.0
		if strings.Contains(line, "exposure level") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if got := m.Do("bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3 && head -n1 <&3`); got != "HTTP/1.0 200 OK" {
		t.Errorf("on its port the service says %q", got)
	}

	lines, skipped := sandbox.Lines(sandbox.Machine{Systemd: 252, GOARCH: "amd64", Users: true}, sandbox.Service{Level: sandbox.Strict})
	unit, found := "\n"+m.Read("/etc/systemd/system/web.service"), m.hardening(t)
	if len(skipped) > 0 || len(found) != len(lines) {
		t.Errorf("of %d lines %d are in the report; not written: %v", len(lines), len(found), skipped)
	}
	for _, l := range lines {
		want := sandbox.InForce
		if l.Probe == "" {
			want = sandbox.NoProbe
		}
		if got := found[l.Line()]; got.State != want {
			t.Errorf("%s is %q, want %q: %s", l.Line(), got.State, want, got.Seen.EN)
		}
		if !strings.Contains(unit, "\n"+l.Line()+"\n") {
			t.Errorf("the unit has no %s:%s", l.Line(), unit)
		}
	}

	m.goxin(t, 0, "undo")
	if tree := m.written(); tree != before {
		t.Errorf("after undo the files differ:\n%s", strings.Join(before.Diff(tree), "\n"))
	}
	if left := m.Sh("ls -d /run/goxin-probe-* /tmp/.goxin-probe-* /run/systemd/transient/*goxin* 2>/dev/null || true; systemctl --plain --no-legend list-units 'web.service' '*goxin-probe*'"); left != "" {
		t.Errorf("after undo there is still:\n%s", left)
	}
}

// hardening is what the newest run's report says of each line.
func (b *Box) hardening(t *testing.T) map[string]sandbox.Result {
	t.Helper()
	var r struct {
		Steps []struct {
			Hardening []struct{ Results []sandbox.Result }
		}
	}
	ok(t, json.Unmarshal([]byte(b.goxin(t, 0, "report", "-o", "-", "--format", "json").Out), &r))
	found := map[string]sandbox.Result{}
	for _, s := range r.Steps {
		for _, h := range s.Hardening {
			for _, l := range h.Results {
				found[l.Line] = l
			}
		}
	}
	return found
}
