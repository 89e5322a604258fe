//go:build e2e

package selftest

import (
	"os/exec"
	"strings"
	"testing"

	"goxin/detect/machine"
)

// The Go that runs the tests passes its self-test on the machine that runs them.
func TestARealToolchainPasses(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot := strings.TrimSpace(string(out))
	r, err := Run(t.Context(), machine.Local(), goroot, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		t.Logf("%-17s %5d ms  %s", c.Name, c.MS, c.Said)
	}
	if !r.OK() || r.Text().EN != "10 of 10 checks held" || !strings.HasPrefix(r.Said, "go version go1.") {
		t.Errorf("%s: %s", r.Said, r.Text().EN)
	}
}
