//go:build e2e

package environment

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/steptest"
)

// within is set in the copy of the test that has /etc, /usr/local and /root of its own.
const within = "ENVIRONMENT_TEST_WITHIN"

// The step on this very machine, whose /etc, /usr/local and /root are copies or empty
// for as long as the test lasts: every shell finds the Go that is in use, in a login
// and otherwise, and undo leaves not a byte.
func TestOnThisMachine(t *testing.T) {
	if os.Getenv(within) != "" {
		withinCopies(t)
		return
	}
	root := strings.TrimSpace(run(t, "go", "env", "GOROOT"))
	c := exec.Command("unshare", "-m", "sh", "-euc", `
		mount -t tmpfs none "$1"
		mkdir "$1/etc" "$1/local" "$1/goroot" "$1/home"
		cp -a /etc/. "$1/etc"
		mount --bind "$2" "$1/goroot"
		mount --bind "$1/etc" /etc
		mount --bind "$1/local" /usr/local
		mount --bind "$1/home" /root
		mkdir -p `+goroot.Base+`/x `+goroot.Bin+`
		mount --bind "$1/goroot" `+goroot.Base+`/x
		ln -s x `+goroot.Current+`
		exec "$3" -test.run '^TestOnThisMachine$' -test.v`, "sh", t.TempDir(), root, os.Args[0])
	c.Env = []string{within + "=1", "PATH=" + system + ":/usr/sbin:/sbin", "HOME=/root"}
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestOnThisMachine") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func run(t *testing.T, argv ...string) string {
	t.Helper()
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = append(os.Environ(), "TERM=dumb")
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %v", argv, err)
	}
	return string(out)
}

func withinCopies(t *testing.T) {
	tree := func() string {
		return run(t, "sh", "-c", "cd / && find etc usr/local/goxin/bin usr/local/goxin/share -type f -o -type d -o -type l 2>/dev/null | sort | xargs -d '\\n' ls -ld --time-style=+ | sed 's/^\\(d[^ ]* *\\)[0-9]* /\\1/'; find etc -type f | sort | xargs -d '\\n' sha256sum")
	}
	before := tree()
	m := machine.Local()
	f, err := detect.Detect(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	h := steptest.Hosts(m, f)
	v := engine.Values{keyPrivate: []string{"git.example.com/*"}, keyDirenv: true}
	sv := steptest.Survey(t, Step{}, m, h, v)
	items, err := Step{}.Ops(h, sv, v)
	if err != nil {
		t.Fatal(err)
	}
	type done struct {
		op            engine.Op
		before, after engine.State
	}
	var all []done
	for _, it := range items {
		d := done{op: it.Op}
		if d.before, err = it.Op.Observe(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		if it.Op.Diff(d.before).Action == engine.None {
			continue
		}
		if _, err = it.Op.Do(context.Background(), m, nil); err != nil {
			t.Fatal(err)
		}
		if d.after, err = it.Op.Observe(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	for _, p := range (Step{}).Proofs(h, sv, v) {
		said, err := p.Prove(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		for _, shell := range []string{"sh: go1.", "bash: go1.", "zsh: go1.", "fish: go1."} {
			if !strings.Contains(said.EN, shell) || strings.Contains(said.EN, "stays") {
				t.Errorf("proved: %s", said)
			}
		}
		t.Log(said.EN)
	}
	if _, err := os.Stat("/root/.config/go"); err == nil {
		t.Error("the proof left something of Go's in the home")
	}
	want := goroot.Current + "/bin:" + goroot.Bin + ":"
	for _, argv := range [][]string{
		{"bash", "-ic", "env"},
		{"bash", "-lic", "env"},
		{"bash", "-lic", "bash -ic env"},
		{"zsh", "-c", "env"},
		{"zsh", "-ic", "env"},
		{"fish", "-c", "env"},
		{"fish", "-ic", "env"},
		{"bash", "-lc", "fish -c env"},
	} {
		env := strings.Split(run(t, argv...), "\n")
		i := slices.IndexFunc(env, func(l string) bool { return strings.HasPrefix(l, "PATH=") })
		if i < 0 || !strings.HasPrefix(env[i], "PATH="+want) || strings.Count(env[i], "goxin") != 2 || strings.Count(env[i], "/root/go/bin") != 1 || !slices.Contains(env, "GOPRIVATE=git.example.com/*") {
			t.Errorf("%v: %q", argv, env)
		}
	}
	for shell, hook := range map[string]string{
		"bash -ic": `case "${PROMPT_COMMAND[*]}" in *_direnv_hook*) echo hooked;; esac`,
		"zsh -ic":  `case "$precmd_functions" in *_direnv_hook*) echo hooked;; esac`,
		"fish -ic": `functions -q __direnv_export_eval; and echo hooked`,
	} {
		if got := run(t, append(strings.Fields(shell), hook)...); got != "hooked\n" {
			t.Errorf("%s: direnv's hook is not there: %q", shell, got)
		}
	}
	for _, d := range slices.Backward(all) {
		if err := d.op.Undo(context.Background(), m, d.before, d.after); err != nil {
			t.Errorf("undo of %s %s: %v", d.op.Kind(), d.op.Target(), err)
		}
	}
	if after := tree(); after != before {
		t.Errorf("undo left something; before:\n%s\nafter:\n%s", before, after)
	}
}
