package steptest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Goroot is that of a release of Go ("go1.26.8"), of whichever Go the test runs with: the
// go command fetches it from the module proxy where it is not the one at hand.
func Goroot(t testing.TB, release string) string {
	t.Helper()
	c := exec.Command("go", "env", "GOROOT")
	c.Env = append(os.Environ(), "GOTOOLCHAIN="+release)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("cannot get %s: %v", release, err)
	}
	return strings.TrimSpace(string(out))
}
