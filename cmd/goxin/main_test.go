package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/tui/quiet"
)

// TestMain lets the test binary be goxin, so that scripts and crash tests run
// the very program. GOXIN_DIE_AT=n makes it die of SIGKILL at its n-th effect on
// the machine, GOXIN_STOP_AT=n freeze there (SIGSTOP).
func TestMain(m *testing.M) {
	quiet.Restore()
	testscript.Main(m, map[string]func(){
		"goxin": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, mortal()...)) },
	})
}

func mortal() []machine.Option {
	die, _ := strconv.Atoi(os.Getenv("GOXIN_DIE_AT"))
	stop, _ := strconv.Atoi(os.Getenv("GOXIN_STOP_AT"))
	if die == 0 && stop == 0 {
		return nil
	}
	seen := 0
	return []machine.Option{machine.WithEffects(func(string, string) error {
		switch seen++; seen {
		case die:
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		case stop:
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		}
		return nil
	})}
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "en_US.UTF-8")
			e.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"unpack": unpack,
			"exits":  exits,
			"grow":   grow,

			"tree":     goTree,
			"gomodule": goModule,
			"cut":      cutShort,
			"another":  another,
			"chinese":  chinese,
		},
	})
}

// unpack lays a captured machine's tree: unpack MACHINE DIR.
func unpack(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(layTree(args[0], ts.MkAbs(args[1])))
}

func layTree(name, dir string) error {
	a, err := assets.OpenMachine(name)
	if err != nil {
		return err
	}
	defer a.Close()
	tmp := dir + ".captured"
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return err
	}
	if _, err := machine.OpenRecorded(name, a, tmp); err != nil {
		return err
	}
	return os.Rename(filepath.Join(tmp, "root"), dir)
}

// exits runs a program and wants its exit code: exits 3 goxin plan …
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		got = -1
		if _, after, ok := strings.Cut(err.Error(), "exit status "); ok {
			got, _ = strconv.Atoi(after)
		}
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d (%v)\n%s", got, want, err, ts.ReadFile("stderr"))
	}
}

// grow makes a file of n MiB of text: grow FILE 100.
func grow(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	line := append(bytes.Repeat([]byte("# padding "), 102), '\n', ' ', '\n', '\n')
	for range n << 10 {
		_, err = io.Copy(f, bytes.NewReader(line))
		ts.Check(err)
	}
	ts.Check(f.Close())
}

// Chinese that the terminal takes for something else is worse than English.
func TestTheLanguageIsThatOfTheLocaleWhereItIsWrittenInUTF8(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		args []string
		want lang.Lang
	}{
		{nil, nil, lang.EN},
		{map[string]string{"LANG": "zh_CN.UTF-8"}, nil, lang.ZH},
		{map[string]string{"LANG": "zh_CN.GB18030"}, nil, lang.EN},
		{map[string]string{"LANG": "zh_CN.GBK", "LC_ALL": "zh_CN.utf8"}, nil, lang.ZH},
		{map[string]string{"LANG": "zh_CN.GB18030", "LC_CTYPE": "C.UTF-8"}, nil, lang.ZH},
		{map[string]string{"LANG": "zh_CN.GB18030"}, []string{"--lang", "zh"}, lang.ZH},
		{map[string]string{"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, nil, lang.EN},
	} {
		if got := languageOf(c.args, func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%v %v: %s, want %s", c.env, c.args, got, c.want)
		}
	}
}
