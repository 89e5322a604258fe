package archive

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

const machineJSON = "-- machine.json | composed: test --\n{}\n-- cpuinfo | composed: test --\nprocessor : {cpu} {package} {core}\n"

func build(files map[string]string) (*Archive, error) {
	m := fstest.MapFS{}
	for name, content := range files {
		m[name+".txtar"] = &fstest.MapFile{Data: []byte(content)}
	}
	return Build(m, "m")
}

func TestLaterPartsWinOverIncludes(t *testing.T) {
	a, err := build(map[string]string{
		"m":    "# a machine\ninclude base.txtar\ncpus 8 sockets=2 nodes=4 threads=2\nprovenance composed: m\nlink /bin usr/bin\ndir /tmp 1777\nexec /usr/bin/dnf\nsysctl net.core.somaxconn 128\nremove /etc/gone\n-- /etc/a | captured: real --\nmine\n" + machineJSON,
		"base": "# not said\nprovenance composed: base\n-- /etc/a --\ntheirs\n-- /etc/gone --\n-- /etc/b --\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.About != "a machine\n" {
		t.Errorf("about: %q", a.About)
	}
	for name, want := range map[string]File{
		"/etc/a":                       {Mode: 0o644, Data: []byte("mine\n"), Origin: "captured: real"},
		"/etc/b":                       {Mode: 0o644, Origin: "composed: base"},
		"/bin":                         {Mode: fs.ModeSymlink | 0o777, Target: "usr/bin", Origin: "composed: m"},
		"/tmp":                         {Mode: fs.ModeDir | fs.ModeSticky | 0o777, Origin: "composed: m"},
		"/usr/bin/dnf":                 {Mode: 0o755, Origin: "composed: m"},
		"/proc/sys/net/core/somaxconn": {Mode: 0o644, Data: []byte("128\n"), Origin: "composed: m"},
	} {
		got := a.Files[name]
		if got.Mode != want.Mode || !bytes.Equal(got.Data, want.Data) || got.Target != want.Target || got.Origin != want.Origin {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if _, there := a.Files["/etc/gone"]; there {
		t.Error("/etc/gone was not removed")
	}
	// Eight CPUs: four cores in two sockets, the threads numbered last.
	info := string(a.Files["/proc/cpuinfo"].Data)
	for _, line := range []string{"processor : 0 0 0\n", "processor : 3 1 1\n", "processor : 4 0 0\n", "processor : 7 1 1\n"} {
		if !strings.Contains(info, line) {
			t.Errorf("no %q in\n%s", line, info)
		}
	}
	if got := string(a.Files["/sys/devices/system/node/node3/cpulist"].Data); got != "6-7\n" {
		t.Errorf("node 3 has %q", got)
	}
}

func TestBuildRefuses(t *testing.T) {
	ok := "cpus 1\n" + machineJSON
	for name, c := range map[string]struct{ source, says string }{
		"a part without an origin":     {"-- /etc/a --\n" + ok, "origin"},
		"a directive without one":      {"exec /bin/x\n" + ok, "origin"},
		"an origin of another kind":    {"exec /bin/x | guessed: me\n" + ok, "origin"},
		"an unknown directive":         {"frobnicate /x | composed: t\n" + ok, "cannot read"},
		"a relative path":              {"-- etc/a | composed: t --\n" + ok, "absolute"},
		"including itself":             {"include m.txtar\n" + ok, "includes itself"},
		"an include that is not there": {"include no.txtar\n" + ok, "no.txtar"},
		"no machine.json":              {"cpus 1\n-- cpuinfo | composed: t --\nprocessor : {cpu}\n", "machine.json"},
		"broken JSON":                  {"cpus 1\n-- machine.json | composed: t --\n{\n", "JSON"},
		"no processors":                {machineJSON, "cpus"},
		"sockets that do not divide":   {"cpus 3 sockets=2\n" + machineJSON, "divide"},
		"removing what is not there":   {"remove /x\n" + ok, "remove"},
	} {
		if _, err := build(map[string]string{"m": c.source}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSameContentGivesTheSameBytes(t *testing.T) {
	var first []byte
	for range 5 {
		a, err := build(map[string]string{"m": "provenance composed: t\ncpus 2\nexec /b\nexec /a\nlink /c a\nsysctl vm.x 1\n" + machineJSON})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := a.Write(&b); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b.Bytes()
		} else if !bytes.Equal(first, b.Bytes()) {
			t.Fatal("two archives of one source differ")
		}
	}
}
