package toolchain

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/scratch"
	"goxin/steps/selftest"
	"goxin/steps/steptest"
)

// bench is a machine on which a Go runs that is made by hand: what it says, what it
// builds says, and where what it builds may run.
type bench struct {
	machine.Machine
	version, hello string
	denied         string // base directory in which nothing may run
	selftest       string // what the self-test says, where it is asked for
	fails          map[string]error
	ran            []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	m, root := steptest.Tree(t, nil)
	for _, d := range scratch.Bases() {
		if err := os.MkdirAll(root+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &bench{Machine: m, version: "go version go1.26.8 linux/arm64", hello: "goxin ok go1.26.8 linux/arm64", fails: map[string]error{}}
}

func (b *bench) Run(_ context.Context, c machine.Command, out func(string)) error {
	name := path.Base(c.Argv[0])
	b.ran = append(b.ran, name+" "+strings.Join(c.Argv[1:], " ")+" "+strings.Join(c.Env, " "))
	if err := b.fails[name]; err != nil {
		return err
	}
	switch {
	case name == "go" && c.Argv[1] == "version":
		out(b.version)
	case name == "go":
		for _, d := range []string{"cache", "cache/00"} {
			if err := b.Mkdir(path.Join(c.Dir, d), 0o755, machine.Keep); err != nil {
				return err
			}
		}
		return b.WriteFile(c.Argv[slices.Index(c.Argv, "-o")+1], []byte("ELF"), 0o755, machine.Keep)
	case name == "selftest":
		for line := range strings.Lines(b.selftest) {
			out(strings.TrimSpace(line))
		}
	case name == "hello":
		if b.denied != "" && strings.HasPrefix(c.Argv[0], b.denied) {
			return &fs.PathError{Op: "fork/exec", Path: c.Argv[0], Err: fs.ErrPermission}
		}
		out(b.hello)
	}
	return nil
}

func (b *bench) prove(t *testing.T, kysec bool) ([]string, error) {
	t.Helper()
	return b.proveWith(t, kysec, engine.Values{"versions": []string{"1.26.8"}})
}

func (b *bench) proveWith(t *testing.T, kysec bool, values engine.Values) ([]string, error) {
	t.Helper()
	w := situation{world: online(), facts: on("arm64", func(f *detect.Facts) {
		if kysec {
			f.Security.KYSEC = steptest.Fact("on")
		}
	}), values: values}
	m, h := w.lay(t)
	s := w.world.step()
	var said []string
	for _, p := range s.Proofs(h, steptest.Survey(t, s, m, h, w.values), w.values) {
		text, err := p.Prove(context.Background(), b)
		if err != nil {
			if lang.Hint(err, lang.EN) == "" || lang.Message(err, lang.ZH) == err.Error() {
				t.Errorf("no hint, or no Chinese: %v", err)
			}
			return said, err
		}
		said = append(said, text.EN)
	}
	for _, d := range scratch.Bases() {
		if names, err := b.ReadDir(d); err != nil || len(names) > 0 {
			t.Errorf("left in %s: %v, %v", d, names, err)
		}
	}
	return said, nil
}

func TestTheGoRunsAndWhatItBuildsRuns(t *testing.T) {
	b := newBench(t)
	said, err := b.prove(t, false)
	if err != nil || strings.Join(said, "; ") != "go version go1.26.8 linux/arm64; go1.26.8 linux/arm64" {
		t.Fatalf("%v, %v", said, err)
	}
	// Neither a person's settings nor the network decide.
	for _, r := range b.ran[:2] {
		for _, e := range []string{"GOENV=off", "GOTOOLCHAIN=local", "GOPROXY=off"} {
			if !strings.Contains(r, e) {
				t.Errorf("%s lacks %s", r, e)
			}
		}
	}
}

func TestWhereExecutionIsControlledTheBuiltProgramIsMarked(t *testing.T) {
	b := newBench(t)
	if _, err := b.prove(t, true); err != nil {
		t.Fatal(err)
	}
	marked := -1
	for i, r := range b.ran {
		if strings.HasPrefix(r, "kysec_set -n exectl -v verified ") {
			marked = i
		}
		if strings.HasPrefix(r, "hello") && marked < 0 {
			t.Error("it ran before it was marked")
		}
	}
	if marked < 0 {
		t.Errorf("%v", b.ran)
	}
}

func TestADirectoryMountedNoexecIsNotTheEnd(t *testing.T) {
	b := newBench(t)
	b.denied = "/var/tmp/"
	if _, err := b.prove(t, false); err != nil {
		t.Fatal(err)
	}
	b = newBench(t)
	b.denied = "/"
	if _, err := b.prove(t, false); !errors.Is(err, scratch.ErrNoExec) {
		t.Error(err)
	}
}

func TestAGoThatIsNotWhatItShouldBeFailsItsProof(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bench)
		says   string
	}{
		"another version":   {func(b *bench) { b.version = "go version go1.26.80 linux/arm64" }, "cannot trust"},
		"another processor": {func(b *bench) { b.version = "go version go1.26.8 linux/amd64" }, "cannot trust"},
		"silent":            {func(b *bench) { b.version = "" }, "cannot trust"},
		"does not run":      {func(b *bench) { b.fails["go"] = errors.New("exec format error") }, "cannot run"},
		"may not run":       {func(b *bench) { b.fails["go"] = fs.ErrPermission }, "cannot run"},
		"builds another":    {func(b *bench) { b.hello = "goxin ok go1.25.1 linux/arm64" }, "cannot trust"},
		"builds nothing":    {func(b *bench) { b.hello = "" }, "cannot trust"},
		"crashes":           {func(b *bench) { b.fails["hello"] = errors.New("signal: illegal instruction") }, "cannot run what was built"},
	} {
		b := newBench(t)
		c.change(b)
		if _, err := b.prove(t, false); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnATreeNothingIsProvedAndThatIsSaid(t *testing.T) {
	tr := trial{dir: "/usr/local/go", version: "go1.26.8", arch: "arm64"}
	for _, prove := range []func(context.Context, machine.Machine) (lang.Text, error){tr.run, tr.build} {
		if said, err := prove(context.Background(), nil); err != nil || said != notHere() {
			t.Errorf("%v, %v", said, err)
		}
	}
}

func TestOnlyWhatGoxinLeftIsWaste(t *testing.T) {
	m, root := steptest.Tree(t, map[string]string{
		goroot.Removed + "/1.25.1-linux-amd64-AAAAAAAA/bin/go":      "123456",
		goroot.Base + "/.1.26.8-linux-amd64-AAAAAAAA.goxin-new/x/y": "12",
		goroot.Base + "/1.26.9-linux-amd64-AAAAAAAA/bin/go":         "keep",
		"/var/tmp/goxin-notes-yesterday/x":                          "keep",
		"/var/tmp/other/x":                                          "keep",
		scratch.Builds + "/cache/00/x":                              "1",
		scratch.Builds + "/app-arm64":                               "keep",
	})
	for d, mode := range map[string]os.FileMode{"/var/tmp/goxin-toolchain-3": 0o700, "/var/tmp/goxin-toolchain-4": 0o755} {
		if err := os.Mkdir(root+d, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/usr/local", root+"/var/tmp/goxin-toolchain-5"); err != nil {
		t.Fatal(err)
	}
	waste, err := FindWaste(context.Background(), own{m})
	var got []string
	var sum int64
	for _, w := range waste {
		got = append(got, w.Path)
		sum += w.Size
	}
	want := goroot.Removed + "/1.25.1-linux-amd64-AAAAAAAA " + goroot.Base + "/.1.26.8-linux-amd64-AAAAAAAA.goxin-new /var/tmp/goxin-toolchain-3 " + scratch.Builds + "/cache"
	if err != nil || strings.Join(got, " ") != want || sum < 8 {
		t.Errorf("%v, %d bytes, %v", got, sum, err)
	}
}

// own is a tree whose kernel says that whoever runs the test is who goxin runs as.
type own struct{ machine.Machine }

func (own) Kernel() (machine.Kernel, error) { return machine.Kernel{UID: os.Getuid()}, nil }

func TestASelfTestThatIsAskedForDecides(t *testing.T) {
	asked := engine.Values{"versions": []string{"1.26.8"}, "selftest": true}
	var all []string
	for _, name := range selftest.Names() {
		all = append(all, `{"check":"`+name+`","ok":true,"said":"x"}`)
	}
	b := newBench(t)
	b.selftest = strings.Join(all, "\n")
	if said, err := b.proveWith(t, true, asked); err != nil || said[len(said)-1] != "10 of 10 checks held" {
		t.Errorf("%v, %v", said, err)
	}
	b = newBench(t)
	b.selftest = strings.Join(all[:4], "\n") + "\n" + strings.Replace(all[4], "true", "false", 1) + "\n" + strings.Join(all[5:], "\n")
	if _, err := b.proveWith(t, false, asked); err == nil || !strings.Contains(err.Error(), "cannot accept go1.26.8: 9 of 10 checks held; not: registers") {
		t.Errorf("one check failed: %v", err)
	}
	b = newBench(t)
	b.selftest = strings.Join(all, "\n")
	if said, err := b.prove(t, false); err != nil || len(said) != 2 {
		t.Errorf("nobody asked for it: %v, %v", said, err)
	}
}
