package main

import (
	"maps"
	"os/exec"
	"path"
	"runtime"
	"strings"
	"testing"

	"goxin/steps/goroot"
	"goxin/steps/verify"
	"goxin/steps/whichgo"
)

func kept(version string, current bool) goroot.Installed {
	t := verify.Toolchain{Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH}
	return goroot.Installed{Dir: goroot.Dir(t, "h1:AAAAAAAAAAAA"), Toolchain: t, Current: current}
}

// A shell that goes from project to project has, in each, the Go that the project
// asks for, and outside them what it had before.
func TestAShellGoesFromProjectToProject(t *testing.T) {
	foreign := goroot.Installed{Dir: goroot.Base + "/1.23.4-linux-s390x-AAAAAAAA", Toolchain: verify.Toolchain{Version: "go1.23.4", OS: "linux", Arch: "s390x"}}
	there := []goroot.Installed{kept("go1.26.8", true), kept("go1.24.3", false), kept("go1.25.1", false), foreign}
	const base = goroot.Current + "/bin:" + goroot.Bin + ":/usr/bin:/it's here"
	env := map[string]string{"PATH": base, "GOTOOLCHAIN": "path"}
	first := maps.Clone(env)
	bin := func(version string) string { return kept(version, false).Dir + "/bin" }

	// enter is eval "$(goxin toolchain env)" in a project, by a real shell.
	enter := func(s whichgo.Situation) error {
		t.Helper()
		s.Env = maps.Clone(env)
		for p := range strings.SplitSeq(env["PATH"], ":") {
			for _, g := range there {
				if path.Dir(p) == g.Dir || path.Dir(p) == goroot.Current && g.Current {
					s.Programs = append(s.Programs, whichgo.Program{Path: p + "/go", Version: g.Toolchain.Version})
				}
			}
		}
		changes, failed := projectEnv(&s, there, env[keptToolchain])
		var script strings.Builder
		for _, c := range changes {
			script.WriteString(c.in("sh") + "\n")
		}
		c := exec.Command("/bin/sh", "-euc", script.String()+"/usr/bin/env")
		for k, v := range env {
			c.Env = append(c.Env, k+"="+v)
		}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s\n%s", err, out, script.String())
		}
		env = map[string]string{}
		for line := range strings.Lines(string(out)) {
			if k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "="); k == "PATH" || k == "GOROOT" || strings.HasPrefix(k, "GO") {
				env[k] = v
			}
		}
		return failed
	}
	is := func(version string) {
		t.Helper()
		if env["PATH"] != bin(version)+":"+base || env["GOTOOLCHAIN"] != version+"+path" || env["GOROOT"] != "" {
			t.Errorf("want %s: %v", version, env)
		}
	}
	pin := func(v string) whichgo.Situation {
		return whichgo.Situation{Pin: whichgo.Pin{Path: "/p/.go-version", Version: v}}
	}
	outside := whichgo.Situation{}

	if err := enter(pin("1.24")); err != nil {
		t.Fatal(err)
	}
	is("go1.24.3")
	if err := enter(pin("1.24")); err != nil { // again
		t.Fatal(err)
	}
	is("go1.24.3")
	if err := enter(pin("1.25.1")); err != nil { // straight on to the next
		t.Fatal(err)
	}
	is("go1.25.1")
	if err := enter(pin("1.23.4")); err == nil {
		t.Error("a toolchain for another processor was taken")
	}
	if !maps.Equal(env, first) {
		t.Errorf("a project whose Go is not there keeps the last one's: %v", env)
	}
	if err := enter(whichgo.Situation{Module: whichgo.Module{Path: "/p/go.mod", Go: "1.26"}}); err != nil || !maps.Equal(env, first) {
		t.Errorf("the Go in use will do: %v, %v", env, err)
	}
	env["GOROOT"] = "/usr/local/go"
	if err := enter(pin("1.24.3")); err != nil {
		t.Fatal(err)
	}
	is("go1.24.3")
	if err := enter(outside); err != nil || !maps.Equal(env, first) {
		t.Errorf("outside: %v, %v", env, err)
	}
	delete(env, "GOTOOLCHAIN") // nothing was set before
	if err := enter(pin("1.24.3")); err != nil {
		t.Fatal(err)
	}
	is("go1.24.3")
	if err := enter(outside); err != nil || env["GOTOOLCHAIN"] != "" || env[keptToolchain] != "" {
		t.Errorf("outside, where nothing was set: %v, %v", env, err)
	}
}

func TestChangesInFish(t *testing.T) {
	for _, c := range []struct {
		change envChange
		want   string
	}{
		{envChange{"PATH", `/a b:/it's:/c\d`, false}, `set -gx PATH '/a b' '/it\'s' '/c\\d'`},
		{envChange{"GOTOOLCHAIN", "go1.24.3+path", false}, `set -gx GOTOOLCHAIN 'go1.24.3+path'`},
		{envChange{"GOROOT", "", true}, "set -e GOROOT"},
	} {
		if got := c.change.in("fish"); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
