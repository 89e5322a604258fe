package steptest

import (
	"os"
	"strings"
	"testing"

	"goxin/detect/machine"
)

// Goroot is that of a release of Go ("go1.26.8"), of whichever Go the test runs with: the
// go command fetches it from the module proxy where it is not the one at hand.
func Goroot(t testing.TB, release string) string {
	t.Helper()
	var said []string
	// The shell finds go where the test's own PATH has it.
	c := machine.Command{Argv: []string{"sh", "-c", "exec go env GOROOT"}, Env: append(os.Environ(), "GOTOOLCHAIN="+release)}
	if err := machine.Local().Run(t.Context(), c, func(line string) { said = append(said, line) }); err != nil || len(said) == 0 {
		t.Fatalf("cannot get %s: %v: %s", release, err, strings.Join(said, "\n"))
	}
	return said[len(said)-1]
}
