package devtools

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
	"goxin/steps/stock"
)

// prove runs every proof of the values on b and gives what each said, up to the
// first that fails.
func prove(ctx context.Context, t *testing.T, b *bench, v engine.Values) ([]string, error) {
	t.Helper()
	w := world{facts: onDebian, lists: true, manager: manager{available: versions("build-essential 1")}, values: v}
	s, m, h := w.build(t)
	sv := steptest.Survey(t, s, m, h, v)
	var said []string
	for _, p := range s.Proofs(h, sv, v) {
		text, err := p.Prove(ctx, b)
		if err != nil {
			if lang.Hint(err, lang.EN) == "" || lang.Message(err, lang.ZH) == err.Error() {
				t.Errorf("no hint, or no Chinese: %v", err)
			}
			return said, err
		}
		said = append(said, text.EN)
	}
	return said, nil
}

func TestToolsRunAndAProgramIsMade(t *testing.T) {
	b := newBench(t)
	said, err := prove(context.Background(), t, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The complaint of Kylin V11's gcc is neither an error nor its version.
	want := "gcc 8.5.0, g++ 12.2.0, make 4.3, git 2.39.5; gcc, zlib 1.2.13"
	if got := strings.Join(said, "; "); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if left := b.left(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if ran := strings.Join(b.ran, "\n"); !strings.Contains(ran, "hello.c -lz") {
		t.Errorf("not linked: %s", ran)
	}
}

func TestWithoutZlibsHeadersTheProgramDoesNotNeedThem(t *testing.T) {
	b := newBench(t)
	said, err := prove(context.Background(), t, b, engine.Values{"group": false, "tools": []string{"gcc"}})
	if err != nil || strings.Join(said, "; ") != "gcc 8.5.0; gcc" {
		t.Errorf("%v, %v", said, err)
	}
	b = newBench(t)
	said, err = prove(context.Background(), t, b, engine.Values{"group": false, "tools": []string{"git"}})
	if err != nil || strings.Join(said, "; ") != "git 2.39.5" || len(b.ran) != 1 {
		t.Errorf("%v, %v, %v", said, err, b.ran)
	}
}

func TestProofsFailWhereSomethingIsWrongAndLeaveNothing(t *testing.T) {
	noexec := fmt.Errorf("fork/exec: %w", syscall.EACCES)
	exit := func(code int, said string) error {
		return &machine.ExitError{Argv: []string{"gcc"}, Code: code, Stderr: said}
	}
	for name, c := range map[string]struct {
		spoil func(*bench)
		says  string
	}{
		"a tool that is not there":       {func(b *bench) { delete(b.says, "git") }, "cannot run git"},
		"a tool that fails":              {func(b *bench) { b.fails["make"] = exit(127, "cannot open shared object file") }, "cannot run make: gcc exited with 127"},
		"no zlib.h":                      {func(b *bench) { b.fails["compile"] = exit(1, "zlib.h: No such file") }, "cannot compile a C program: gcc exited with 1: zlib.h"},
		"programs may not run anywhere":  {func(b *bench) { b.fails["/var/tmp"], b.fails["/root"] = noexec, noexec }, "cannot run what was compiled in /var/tmp"},
		"the program crashes":            {func(b *bench) { b.fails["/var/tmp"] = exit(-1, "") }, "cannot run what was compiled: "},
		"the program is another program": {func(b *bench) { b.says["hello"] = []string{"hello"} }, "says nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c.spoil(b)
			_, err := prove(context.Background(), t, b, nil)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if left := b.left(t); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestWhereVarTmpIsNoexecTheProgramIsMadeElsewhere(t *testing.T) {
	b := newBench(t)
	b.fails["/var/tmp"] = fmt.Errorf("fork/exec: %w", fs.ErrPermission)
	if said, err := prove(context.Background(), t, b, nil); err != nil || len(said) != 2 {
		t.Fatalf("%v, %v", said, err)
	}
	if left := b.left(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Anybody may write to /var/tmp: what is there under our name is not used.
func TestADirectoryThatIsThereAlreadyIsNotUsed(t *testing.T) {
	b := newBench(t)
	if err := b.Symlink("/root", "/var/tmp/goxin-devtools-0"); err != nil {
		t.Fatal(err)
	}
	if err := b.Mkdir("/var/tmp/goxin-devtools-1", 0o777, machine.Keep); err != nil {
		t.Fatal(err)
	}
	if _, err := prove(context.Background(), t, b, nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(b.left(t), " "); got != "/var/tmp/goxin-devtools-0 /var/tmp/goxin-devtools-1" {
		t.Errorf("left: %s", got)
	}
	if ran := strings.Join(b.ran, "\n"); !strings.Contains(ran, "/var/tmp/goxin-devtools-2/hello") {
		t.Error(ran)
	}
}

func TestACancelledProofCleansUp(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h := &host{facts: &detect.Facts{Running: true}, a: answers{Group: true}, seen: &stock.Seen{Manager: "apt", Asked: true}}
	if _, err := h.compile(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := b.left(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
