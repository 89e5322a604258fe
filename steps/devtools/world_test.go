package devtools

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
	"goxin/steps/stock"
)

// manager is a package manager made by hand.
type manager struct {
	installed, available map[string]string
	fails                error // of every question about the lists
	silent               bool  // nothing runs
}

func (p manager) ask() *stock.Ask {
	pick := func(from map[string]string, names []string) map[string]string {
		out := map[string]string{}
		for _, n := range names {
			if v, ok := from[n]; ok {
				out[n] = v
			}
		}
		return out
	}
	return &stock.Ask{
		Installed: func(_ context.Context, _ machine.Machine, _ string, names ...string) (map[string]string, error) {
			if p.silent {
				return nil, machine.ErrNotRunning
			}
			return pick(p.installed, names), nil
		},
		Available: func(_ context.Context, _ machine.Machine, _ string, names ...string) (map[string]string, error) {
			return pick(p.available, names), p.fails
		},
	}
}

// world is a machine made by hand, and what is asked of it.
type world struct {
	name    string
	facts   func(*detect.Facts)
	lists   bool // apt has package lists
	manager manager
	values  engine.Values
}

func onDebian(f *detect.Facts) {
	f.OS.Family, f.OS.Product, f.Packages.Manager = steptest.Fact("deb"), steptest.Fact("debian"), steptest.Fact("apt")
}

func onRPM(product string) func(*detect.Facts) {
	return func(f *detect.Facts) {
		f.OS.Family, f.OS.Product, f.Packages.Manager = steptest.Fact("rpm"), steptest.Fact(product), steptest.Fact("dnf")
	}
}

func versions(pairs ...string) map[string]string {
	out := map[string]string{}
	for _, p := range pairs {
		n, v, _ := strings.Cut(p, " ")
		out[n] = v
	}
	return out
}

var errForbidden = errors.New("status code: 401 for https://enterprise-c-packages.example.com/repodata/repomd.xml")

func worlds() []world {
	debian := versions("build-essential 12.9", "git 1:2.39.5-0+deb12u2", "gcc 4:12.2.0-3", "g++ 4:12.2.0-3", "make 4.3-4.1", "zlib1g-dev 1:1.2.13", "libc6-dev 2.36-9", "gdb 13.1-3")
	kylin := versions("@development group", "git 2.27.0-18.ky10", "gcc 7.3.0-20190804.h31.ky10", "make 1:4.2.1-15.ky10", "zlib-devel 1.2.11-20.ky10", "gcc-c++ 7.3.0-20190804.h31.ky10", "glibc-devel 2.28-49", "bash 5.0-14")
	return []world{
		{name: "debian-12-fresh", facts: onDebian, lists: true, manager: manager{available: debian}, values: engine.Values{}},
		{name: "debian-12-done", facts: onDebian, lists: true, manager: manager{installed: debian}, values: engine.Values{"packages": []string{"gdb"}}},
		{name: "kylin-v10-fresh", facts: onRPM("kylin-server"), manager: manager{installed: versions("make 1:4.2.1-15.ky10"), available: kylin}, values: engine.Values{}},
		{
			name: "group-unknown", facts: onRPM("openeuler"), values: engine.Values{},
			manager: manager{available: versions("git 2.43.0-1", "gcc 12.3.1-30", "make 1:4.4.1-1", "zlib-devel 1.2.13-2", "gcc-c++ 12.3.1-30", "glibc-devel 2.38-29")},
		},
		{name: "group-by-its-other-name", facts: onRPM("openeuler"), values: engine.Values{}, manager: manager{available: versions("@development-tools group", "git 2.43.0-1", "gcc 12.3.1-30", "make 4.4.1-1", "zlib-devel 1.2.13-2")}},
		{
			name: "uos-desktop-git-too-old", lists: true, values: engine.Values{}, manager: manager{available: versions("build-essential 12.6", "git 1:2.20.1.4-1+deepin", "gcc 4:8.3.0-1", "make 4.2.1-1.2", "zlib1g-dev 1:1.2.11")},
			facts: func(f *detect.Facts) { onDebian(f); f.OS.Product = steptest.Fact("uos-desktop") },
		},
		{name: "uos-not-activated", facts: onRPM("uos-server"), values: engine.Values{}, manager: manager{installed: versions("make 4.2.1-15", "git 2.27.0"), fails: errForbidden}},
		{
			// No source answers, and none is needed.
			name: "uos-not-activated-and-all-there", facts: onRPM("uos-server"), values: engine.Values{"group": false, "tools": []string{"make", "git"}},
			manager: manager{installed: versions("make 4.2.1-15", "git 2.20.1"), fails: errForbidden},
		},
		{name: "apt-without-lists", facts: onDebian, values: engine.Values{}},
		{name: "dnf-without-repositories", facts: onRPM("anolis"), values: engine.Values{}},
		{name: "tree", facts: onRPM("openeuler"), manager: manager{silent: true}, values: engine.Values{"tools": []string{"git", "g++", "gdb", "strace"}, "packages": []string{"rsync"}}},
		{name: "no-package-manager", facts: func(f *detect.Facts) {
			f.Packages.Manager.From = lang.T("rpm without dnf and yum", "有 rpm，但没有 dnf 与 yum")
		}, values: engine.Values{}},
		{name: "nothing-asked", facts: onDebian, lists: true, values: engine.Values{"group": false, "tools": []string{}}},
	}
}

func (w world) build(t *testing.T) (Step, machine.Machine, engine.Hosts) {
	t.Helper()
	root := steptest.Dir(t)
	if w.lists {
		dir := filepath.Join(root, "var/lib/apt/lists")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "deb.debian.org_Packages.lz4"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := machine.Root(root)
	f := &detect.Facts{Running: true}
	w.facts(f)
	return Step{w.manager.ask()}, m, steptest.Hosts(m, f)
}

// plan is everything a person sees of a plan.
func plan(t *testing.T, s Step, h engine.Hosts, sv engine.Survey, v engine.Values) string {
	t.Helper()
	var b strings.Builder
	for _, q := range s.Questions(h, sv, v) {
		fmt.Fprintf(&b, "? %s (default %v): %s\n  %s\n", q.Key, q.Default, q.Why.EN, q.Why.ZH)
	}
	for _, n := range s.Notes(h, sv, v) {
		sign := "-"
		if n.Warn {
			sign = "!"
		}
		fmt.Fprintf(&b, "%s %s\n  %s\n", sign, n.Text.EN, n.Text.ZH)
	}
	items, err := s.Ops(h, sv, v)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.Unknown != "" {
			fmt.Fprintf(&b, "known after %s\n", it.Unknown)
			continue
		}
		o := it.Op.(*op.Packages)
		fmt.Fprintf(&b, "packages by %s: %s\n    %s\n    %s\n", o.Manager, strings.Join(o.Names, " "),
			strings.ReplaceAll(o.Reason.EN, "\n", "\n    "), strings.ReplaceAll(o.Reason.ZH, "\n", "\n    "))
	}
	for _, p := range s.Proofs(h, sv, v) {
		fmt.Fprintf(&b, "proof: %s\n  %s\n", p.Title.EN, p.Title.ZH)
	}
	return b.String()
}

// bench is a machine whose programs are made by hand: what each prints and how it
// ends. What it compiles is the source beside a mark.
type bench struct {
	machine.Machine
	root  string
	says  map[string][]string // by program
	fails map[string]error    // by program, or by the base a program was built in
	ran   []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	root := steptest.Dir(t)
	for _, d := range []string{"/var/tmp", "/root"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	says := map[string][]string{
		"gcc":  {"grep: /CurrentlyBuilding: No such file or directory", "gcc (GCC) 8.5.0 20210514 (Anolis 8.5.0-10.0.1)", "Copyright (C) 2018"},
		"g++":  {"g++ (Debian 12.2.0-14+deb12u1) 12.2.0"},
		"make": {"GNU Make 4.3", "Built for x86_64-pc-linux-gnu"},
		"git":  {"git version 2.39.5"},
	}
	return &bench{Machine: machine.Root(root), root: root, says: maps.Clone(says), fails: map[string]error{}}
}

func (b *bench) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	program := c.Argv[0]
	b.ran = append(b.ran, strings.Join(c.Argv, " "))
	if len(c.Argv) == 2 && c.Argv[1] == "--version" {
		for _, l := range b.says[program] {
			out(l)
		}
		if _, there := b.says[program]; !there {
			return &exec.Error{Name: program, Err: exec.ErrNotFound}
		}
		return b.fails[program]
	}
	if program == "gcc" {
		// A temporary file of the compiler, left behind by a crash.
		if err := b.WriteFile(path.Join(c.Dir, "ccXX.s"), nil, 0o600, machine.Keep); err != nil {
			return err
		}
		if err := b.fails["compile"]; err != nil {
			return err
		}
		source, err := b.ReadFile(c.Argv[3])
		if err != nil {
			return err
		}
		return b.WriteFile(c.Argv[2], source, 0o755, machine.Keep)
	}
	if err := b.fails[path.Dir(path.Dir(program))]; err != nil {
		return err
	}
	built, err := b.ReadFile(program)
	if err != nil {
		return err
	}
	for _, l := range b.says["hello"] {
		out(l)
	}
	if b.says["hello"] != nil {
		return nil
	}
	if strings.Contains(string(built), "zlib.h") {
		out("goxin ok, zlib 1.2.13")
	} else {
		out("goxin ok")
	}
	return nil
}

// left are the files that a proof left behind.
func (b *bench) left(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, d := range []string{"/var/tmp", "/root"} {
		names, err := b.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			out = append(out, path.Join(d, n))
		}
	}
	return out
}
