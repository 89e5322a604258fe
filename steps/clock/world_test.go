package clock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

// world is a machine made by hand, and what is asked of it.
type world struct {
	name   string
	facts  func(*detect.Facts)
	files  map[string]string        // path → content; "-> target" makes a link
	hosts  map[string]time.Duration // who answers on port 80 → how far it says the clock is behind
	tree   bool
	values engine.Values
}

func newFacts() *detect.Facts {
	f := &detect.Facts{Running: true}
	f.OS.Family, f.Packages.Manager = steptest.Fact("rpm"), steptest.Fact("dnf")
	f.Init.Name, f.Init.Version = steptest.Fact("systemd"), steptest.Fact(255)
	f.Container = steptest.Fact(false)
	return f
}

func debian(f *detect.Facts) {
	f.OS.Family, f.Packages.Manager = steptest.Fact("deb"), steptest.Fact("apt")
}

// fake is a tree that runs, as far as this step can tell.
type fake struct {
	machine.Machine
	hosts   map[string]time.Duration
	dead    bool                                    // no programs
	answers map[string]func(out func(string)) error // by command line
	slept   int
	synced  func(slept int) bool
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (m *fake) Now() time.Time { return noon }

func (m *fake) Kernel() (machine.Kernel, error) {
	return machine.Kernel{ClockSynced: m.synced != nil && m.synced(m.slept)}, nil
}

func (m *fake) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	line := strings.Join(c.Argv, " ")
	if a := m.answers[line]; a != nil {
		if out == nil {
			out = func(string) {}
		}
		return a(out)
	}
	switch {
	case m.dead:
		return &exec.Error{Name: c.Argv[0], Err: exec.ErrNotFound}
	case line == "sleep 1":
		m.slept++
		return nil
	case line == "true":
		return nil
	}
	return &exec.Error{Name: c.Argv[0], Err: exec.ErrNotFound}
}

func (m *fake) Dial(_ context.Context, network, address string) (net.Conn, error) {
	behind, ok := m.hosts[strings.TrimSuffix(address, ":80")]
	if !ok || network != "tcp" {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		if r, err := http.ReadRequest(bufio.NewReader(there)); err == nil && r.Method == http.MethodHead {
			fmt.Fprintf(there, "HTTP/1.1 403 Forbidden\r\nDate: %s\r\n\r\n", noon.Add(behind).Format(http.TimeFormat))
		}
	}()
	return here, nil
}

// build makes the world's machine.
func (w world) build(t *testing.T) (string, machine.Machine, engine.Hosts) {
	t.Helper()
	root := steptest.Dir(t)
	for name, content := range w.files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(target, p)
		} else {
			err = os.WriteFile(p, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f := newFacts()
	if w.facts != nil {
		w.facts(f)
	}
	f.Running = !w.tree
	m := machine.Root(root)
	h := steptest.Hosts(m, f)
	if w.tree {
		return root, m, h
	}
	return root, &fake{Machine: m, hosts: w.hosts}, h
}

func render(items []engine.Item, notes []engine.Note, questions []engine.Question, proofs []engine.Proof) string {
	var b strings.Builder
	for _, q := range questions {
		fmt.Fprintf(&b, "? %s (default %v): %s\n    %s\n", q.Key, q.Default, q.Why.EN, q.Why.ZH)
	}
	for _, n := range notes {
		sign := "-"
		if n.Warn {
			sign = "!"
		}
		fmt.Fprintf(&b, "%s %s\n  %s\n", sign, n.Text.EN, n.Text.ZH)
	}
	for _, it := range items {
		switch o := it.Op.(type) {
		case *op.File:
			fmt.Fprintf(&b, "file %s %s %v restart=%s\n", o.Path, o.Mode, o.Owner, o.Restart)
			for line := range strings.Lines(o.Content) {
				b.WriteString("    " + line)
			}
		case *op.Dir:
			fmt.Fprintf(&b, "dir %s %s\n", o.Path, o.Mode)
		case *op.Unit:
			fmt.Fprintf(&b, "unit %s enabled=%s active=%s masked=%s\n", o.Name, o.Enabled, o.Active, o.Masked)
		case *op.Clock:
			fmt.Fprintf(&b, "clock %d s behind, limit %d, hosts %v\n    %s\n", o.Behind, o.Limit, o.Hosts, strings.ReplaceAll(o.Reason.EN, "\n", "\n    "))
		default:
			fmt.Fprintf(&b, "%s %s\n", it.Op.Kind(), it.Op.Target())
		}
	}
	for _, p := range proofs {
		fmt.Fprintf(&b, "proof %s\n", p.Title.EN)
	}
	return b.String()
}

// told is everything the step says of a machine.
func told(t *testing.T, h engine.Hosts, sv engine.Survey, v engine.Values) string {
	t.Helper()
	items, err := Step{}.Ops(h, sv, v)
	if err != nil {
		t.Fatal(err)
	}
	return render(items, Step{}.Notes(h, sv, v), Step{}.Questions(h, sv, v), Step{}.Proofs(h, sv, v))
}
