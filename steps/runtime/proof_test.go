package runtime

import (
	"context"
	"io/fs"
	"os/exec"
	goruntime "runtime"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// here is this machine, with the files of the step and the Go that runs the test as its own.
type here struct {
	machine.Machine
	files  map[string]string
	goroot string
	deny   bool // programs that were built here may not run
}

func (h here) ReadFile(name string) ([]byte, error) {
	if text, ok := h.files[name]; ok {
		return []byte(text), nil
	}
	if strings.HasPrefix(name, Dir) || strings.HasSuffix(name, "/VERSION") {
		return nil, fs.ErrNotExist
	}
	return h.Machine.ReadFile(name)
}

func (h here) Stat(name string) (machine.Info, error) {
	if strings.HasSuffix(name, "/bin/go") {
		return h.Machine.Stat(h.goroot + "/bin/go")
	}
	return h.Machine.Stat(name)
}

func (h here) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if strings.HasSuffix(c.Argv[0], "/bin/go") {
		c.Argv = append([]string{h.goroot + "/bin/go"}, c.Argv[1:]...)
	} else if h.deny {
		return fs.ErrPermission
	}
	return h.Machine.Run(ctx, c, out)
}

// The proof compiles and runs for real; what it is told to set is what the program has.
func TestTheProofIsAProgramThatRuns(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	where := strings.Fields(string(out))
	for name, c := range map[string]struct {
		runtime, build string
		deny           bool
		want, fails    string
	}{
		"taken":           {"# goxin\nGOGC=33\nGOMAXPROCS=1\nGOMEMLIMIT=100MiB\n", "", false, "gogc=33 procs=1", ""},
		"off":             {"GOGC=off\n", "", false, "gogc=-1", ""},
		"malformed":       {"GOMEMLIMIT=much\n", "", false, "", "cannot run a Go program with GOMEMLIMIT=much"},
		"not taken":       {"GOGC=1e3\n", "", false, "", "cannot set GOGC"},
		"no such level":   {"GOGC=33\n", "GOAMD64=v9\nGOARM64=v99\nGORISCV64=x\n", false, "", "cannot compile"},
		"nothing may run": {"GOGC=33\n", "", true, "", "cannot run what was compiled"},
	} {
		m := here{Machine: machine.Local(), goroot: where[0], deny: c.deny, files: map[string]string{
			RuntimeEnv: c.runtime, BuildEnv: c.build + "GOCACHE=" + where[1] + "\n", "/usr/local/go/VERSION": "go1.26.8\n",
		}}
		f := &detect.Facts{Running: true}
		f.Arch.GOARCH = steptest.Fact(goruntime.GOARCH)
		h := steptest.Hosts(m, f)
		proofs := (Step{}).Proofs(h, nil, engine.Values{})
		said, err := proofs[0].Prove(context.Background(), m)
		switch {
		case c.fails == "" && (err != nil || !strings.Contains(said.EN, c.want)):
			t.Errorf("%s: %s, %v", name, said.EN, err)
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails) || lang.Hint(err, lang.ZH) == ""):
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhereThereIsNoGoNothingIsProvedAndThatIsSaid(t *testing.T) {
	m, _ := steptest.Tree(t, nil)
	for _, running := range []bool{true, false} {
		h := steptest.Hosts(m, &detect.Facts{Running: running})
		said, err := (Step{}).Proofs(h, nil, nil)[0].Prove(context.Background(), m)
		if err != nil || !strings.Contains(said.EN, "not proved here") || said.ZH == said.EN {
			t.Errorf("%+v, %v", said, err)
		}
	}
}
