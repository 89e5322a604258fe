package libs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
	providers            map[string][]string
	fails                error // of every question about the lists
	cannotProvide        error
	silent               bool // nothing runs
	asked                []string
}

func (p *manager) ask() *stock.Ask {
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
			p.asked = append(p.asked, "available "+strings.Join(names, " "))
			return pick(p.available, names), p.fails
		},
		Providers: func(_ context.Context, _ machine.Machine, _, soname string) ([]string, error) {
			p.asked = append(p.asked, "providers "+soname)
			return p.providers[soname], errors.Join(p.fails, p.cannotProvide)
		},
	}
}

// world is a machine made by hand, and what is asked of it.
type world struct {
	name    string
	facts   func(*detect.Facts)
	files   map[string]any // path → object or text
	manager manager
	values  engine.Values
}

// debian is Debian 12 without libaio.
func debian(more map[string]any) map[string]any {
	const dir = "/usr/lib/x86_64-linux-gnu/"
	f := map[string]any{
		"/bin/sh":             program("libc.so.6"),
		x86Loader:             lib("ld-linux-x86-64.so.2"),
		dir + "libc.so.6":     object{soname: "libc.so.6", has: []string{"GLIBC_2.2.5", "GLIBC_2.34"}},
		dir + "libssl.so.3":   lib("libssl.so.3"),
		dir + "libz.so.1":     lib("libz.so.1"),
		"/var/lib/apt/lists/": "",
		"/var/lib/apt/lists/deb.debian.org_dists_bookworm_main_binary-amd64_Packages": "",
	}
	maps.Copy(f, more)
	for name, what := range f {
		if what == "absent" {
			delete(f, name)
		}
	}
	return f
}

// kylin is a Kylin server on x86_64 without libaio.
func kylin(more map[string]any) map[string]any {
	f := map[string]any{
		"/bin/sh":              program("libc.so.6"),
		x86Loader:              lib("ld-linux-x86-64.so.2"),
		"/lib64/libc.so.6":     object{soname: "libc.so.6", has: []string{"GLIBC_2.2.5", "GLIBC_2.28"}},
		"/lib64/libssl.so.1.1": lib("libssl.so.1.1"),
		"/lib64/libz.so.1":     lib("libz.so.1"),
	}
	maps.Copy(f, more)
	return f
}

// loongson is a server of one of LoongArch's worlds, with all that is required.
func loongson(world string, more map[string]any) map[string]any {
	loader := newLoader
	if world == "old" {
		loader = oldLoader
	}
	f := map[string]any{"/bin/sh": loong(world, program("libc.so.6")), loader: loong(world, lib(filepath.Base(loader)))}
	for _, s := range []string{"libc.so.6", "libssl.so.1.1", "libz.so.1", "libaio.so.1"} {
		f["/lib64/"+s] = loong(world, lib(s))
	}
	maps.Copy(f, more)
	return f
}

func onDebian(f *detect.Facts) {
	f.OS.Family, f.OS.Product = steptest.Fact("deb"), steptest.Fact("debian")
	f.Packages.Manager = steptest.Fact("apt")
	f.Libc.Version = steptest.Fact("2.36")
}

func onKylin(f *detect.Facts) {
	f.OS.Family, f.OS.Product = steptest.Fact("rpm"), steptest.Fact("kylin-server")
	f.Packages.Manager = steptest.Fact("dnf")
	f.Libc.Version = steptest.Fact("2.28")
}

func onLoongson(world string) func(*detect.Facts) {
	return func(f *detect.Facts) {
		onKylin(f)
		f.Kernel.World, f.Kernel.UserWorld = steptest.Fact(world), steptest.Fact(world)
	}
}

func (w *world) build(t *testing.T) (Step, machine.Machine, engine.Hosts) {
	t.Helper()
	root := steptest.Dir(t)
	for name, what := range w.files {
		p := filepath.Join(root, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(p, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var content []byte
		switch v := what.(type) {
		case object:
			content = v.bytes()
		case string:
			content = []byte(v)
		}
		if err := os.WriteFile(p, content, 0o755); err != nil {
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
	return b.String()
}

// names are the packages of a plan with one op; "?" where it is not known yet.
func names(t *testing.T, items []engine.Item) string {
	t.Helper()
	switch {
	case len(items) == 0:
		return ""
	case len(items) > 1:
		t.Fatalf("%d items", len(items))
	case items[0].Unknown != "":
		return "? " + items[0].Unknown
	}
	o := items[0].Op.(*op.Packages)
	if !slices.IsSorted(o.Names) {
		t.Errorf("not sorted: %v", o.Names)
	}
	return strings.Join(o.Names, " ")
}

func seenIn(t *testing.T, sv engine.Survey) *Seen {
	t.Helper()
	var s survey
	if err := json.Unmarshal(sv, &s); err != nil {
		t.Fatal(err)
	}
	for _, one := range s {
		return one
	}
	t.Fatal("nothing surveyed")
	return nil
}

var errForbidden = errors.New("status code: 401 for https://enterprise-c-packages.example.com/repodata/repomd.xml\x1b[31m")
