package selftest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"goxin/assets"
	"goxin/detect/machine"
)

func TestTheProgramAndItsTitlesNameTheSameChecks(t *testing.T) {
	var inProgram []string
	for _, m := range regexp.MustCompile(`\{"([a-z-]+)", (?:func|[a-z]+\})`).FindAllSubmatch(assets.SelfTest(), -1) {
		inProgram = append(inProgram, string(m[1]))
	}
	if strings.Join(inProgram, " ") != strings.Join(Names(), " ") {
		t.Errorf("the program checks %v, titles are there for %v", inProgram, Names())
	}
}

// compiles is a goroot whose go command makes a program out of a shell script.
func compiles(t *testing.T, script string) string {
	t.Helper()
	goroot := t.TempDir()
	if err := os.MkdirAll(filepath.Join(goroot, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	gocmd := `#!/bin/sh
case $1 in
version) echo go version go1.99 linux/loong64; exit ;;
esac
printf '%s\n' "#!/bin/sh" '` + script + `' >"$4"
chmod +x "$4"
`
	if err := os.WriteFile(filepath.Join(goroot, "bin/go"), []byte(gocmd), 0o755); err != nil {
		t.Fatal(err)
	}
	return goroot
}

func TestAProgramThatDiesOrLiesDoesNotPass(t *testing.T) {
	const one = `echo {\"check\":\"signals\",\"ok\":true,\"ms\":1,\"said\":\"x\"}`
	for name, c := range map[string]struct{ script, want string }{
		"dead at once":        {"kill -SEGV $$", "the self-test died after 0 of 10 checks: "},
		"dead in the middle":  {one + "; kill -SEGV $$", "the self-test died after 1 of 10 checks: "},
		"a check that failed": {one + `;echo {\"check\":\"recovered-faults\",\"ok\":false}; exit 1`, "the self-test died after 2 of 10 checks: "},
		"nothing said":        {"exit 0", "0 of 10 checks held"},
		"something else said": {"echo hello; echo {}; echo [1", "0 of 10 checks held"},
		"one said many times": {strings.Repeat(one+";", 12), "1 of 10 checks held"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Run(t.Context(), machine.Local(), compiles(t, c.script), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Text().EN; !strings.HasPrefix(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if r.OK() {
				t.Error("it passes")
			}
		})
	}
}

func TestAToolchainThatDoesNotRunIsAnError(t *testing.T) {
	goroot := compiles(t, "")
	if err := os.WriteFile(filepath.Join(goroot, "bin/go"), []byte("#!/bin/sh\nkill -SEGV $$\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), machine.Local(), goroot, nil); err == nil || !strings.Contains(err.Error(), "cannot run "+goroot+"/bin/go") {
		t.Errorf("error %v", err)
	}
}
