package sysctl

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goxin/detect/machine"
)

// plant makes a tree; "-> target" is a link.
func plant(t testing.TB, files map[string]string) machine.Machine {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		host := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(target, host)
		} else {
			err = os.WriteFile(host, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return machine.Root(dir)
}

func TestWinner(t *testing.T) {
	const swap = "vm.swappiness"
	rp := "net.ipv4.conf.eth0.rp_filter"
	for _, w := range []struct {
		name            string
		files           map[string]string
		key             string
		systemd, procps string // "file:line value"; "": nobody
	}{
		{"nothing is set", nil, swap, "", ""},
		{"Kylin V10: 99-sysctl.conf is a link to /etc/sysctl.conf", map[string]string{
			"/etc/sysctl.conf":             "# kylin\nvm.swappiness=60\n",
			"/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf",
			"/etc/sysctl.d/99-goxin.conf":  "vm.swappiness = 1\n",
		}, swap, "/etc/sysctl.conf:2 60", "/etc/sysctl.conf:2 60"},
		{"Kylin V10: zz- sorts after the link, but procps reads sysctl.conf last", map[string]string{
			"/etc/sysctl.conf":             "# kylin\nvm.swappiness=60\n",
			"/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf",
			"/etc/sysctl.d/zz-goxin.conf":  "vm.swappiness = 1\n",
		}, swap, "/etc/sysctl.d/zz-goxin.conf:1 1", "/etc/sysctl.conf:2 60"},
		{"sysctl.conf without the link is procps' alone", map[string]string{
			"/etc/sysctl.conf": "vm.swappiness=60\n",
		}, swap, "", "/etc/sysctl.conf:1 60"},
		{"99- does not mean last: a name without a number sorts after it", map[string]string{
			"/etc/sysctl.d/99-a.conf":   "vm.swappiness=1\n",
			"/etc/sysctl.d/tuning.conf": "vm.swappiness=2\n",
		}, swap, "/etc/sysctl.d/tuning.conf:1 2", "/etc/sysctl.d/tuning.conf:1 2"},
		{"zzz-site.conf comes after zz-goxin.conf, wherever it is", map[string]string{
			"/etc/sysctl.d/zz-goxin.conf":     "vm.swappiness=1\n",
			"/usr/lib/sysctl.d/zzz-site.conf": "vm.swappiness=2\n",
		}, swap, "/usr/lib/sysctl.d/zzz-site.conf:1 2", "/usr/lib/sysctl.d/zzz-site.conf:1 2"},
		{"of the same name /etc hides /usr/lib", map[string]string{
			"/etc/sysctl.d/50-a.conf":     "vm.swappiness=1\n",
			"/usr/lib/sysctl.d/50-a.conf": "vm.swappiness=2\nvm.swappiness=3\n",
		}, swap, "/etc/sysctl.d/50-a.conf:1 1", "/etc/sysctl.d/50-a.conf:1 1"},
		{"of the same name systemd takes /etc, procps 3.3 /run", map[string]string{
			"/etc/sysctl.d/50-a.conf": "vm.swappiness=1\n",
			"/run/sysctl.d/50-a.conf": "vm.swappiness=2\n",
		}, swap, "/etc/sysctl.d/50-a.conf:1 1", "/run/sysctl.d/50-a.conf:1 2"},
		{"a link to /dev/null masks", map[string]string{
			"/etc/sysctl.d/50-a.conf":     "-> /dev/null",
			"/usr/lib/sysctl.d/50-a.conf": "vm.swappiness=2\n",
		}, swap, "", ""},
		{"an empty file masks", map[string]string{
			"/etc/sysctl.d/50-a.conf":     "",
			"/usr/lib/sysctl.d/50-a.conf": "vm.swappiness=2\n",
		}, swap, "", ""},
		{"/lib is read where it is not /usr/lib", map[string]string{
			"/lib/sysctl.d/50-a.conf": "vm.swappiness=2\n",
		}, swap, "/lib/sysctl.d/50-a.conf:1 2", "/lib/sysctl.d/50-a.conf:1 2"},
		{"/lib linked to /usr/lib is one directory", map[string]string{
			"/lib":                        "-> usr/lib",
			"/usr/lib/sysctl.d/50-a.conf": "vm.swappiness=2\n",
		}, swap, "/usr/lib/sysctl.d/50-a.conf:1 2", "/usr/lib/sysctl.d/50-a.conf:1 2"},
		{"what is not called .conf, or is hidden, is not read", map[string]string{
			"/etc/sysctl.d/50-a.conf.rpmsave": "vm.swappiness=2\n",
			"/etc/sysctl.d/.50-a.conf":        "vm.swappiness=2\n",
			"/etc/sysctl.d/README":            "vm.swappiness=2\n",
		}, swap, "", ""},
		{"a directory called .conf sets nothing", map[string]string{
			"/etc/sysctl.d/50-a.conf/x": "vm.swappiness=2\n",
		}, swap, "", ""},
		{"the later line of a file wins", map[string]string{
			"/etc/sysctl.d/a.conf": "vm.swappiness=1\nvm/swappiness = 2\n",
		}, swap, "/etc/sysctl.d/a.conf:2 2", "/etc/sysctl.d/a.conf:2 2"},
		{"a name beats a pattern that comes later", map[string]string{
			"/etc/sysctl.d/10.conf": rp + "=1\n",
			"/etc/sysctl.d/50.conf": "net.ipv4.conf.*.rp_filter = 2\n",
		}, rp, "/etc/sysctl.d/10.conf:1 1", "/etc/sysctl.d/10.conf:1 1"},
		{"of patterns the later wins", map[string]string{
			"/etc/sysctl.d/10.conf": "net.ipv4.conf.eth?.rp_filter = 1\nnet.ipv4.conf.[!a]*.rp_filter = 0\n",
			"/etc/sysctl.d/50.conf": "net.ipv4.conf.*.rp_filter = 2\n",
		}, rp, "/etc/sysctl.d/50.conf:1 2", "/etc/sysctl.d/50.conf:1 2"},
		{"a pattern said again with the same value stays in its place for systemd", map[string]string{
			"/etc/sysctl.d/10.conf": "net.ipv4.conf.*.rp_filter = 1\nnet.ipv4.conf.eth*.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 1\n",
		}, rp, "/etc/sysctl.d/10.conf:2 2", "/etc/sysctl.d/10.conf:3 1"},
		{"an exclusion keeps patterns off", map[string]string{
			"/etc/sysctl.d/10.conf": "-" + rp + "\n",
			"/etc/sysctl.d/50.conf": "net.ipv4.conf.*.rp_filter = 2\n",
		}, rp, "", ""},
		{"an exclusion takes the name back for systemd, not for procps", map[string]string{
			"/etc/sysctl.d/10.conf": rp + " = 1\n-" + rp + "\n",
		}, rp, "", "/etc/sysctl.d/10.conf:1 1"},
		{"a pattern does not cross a slash", map[string]string{
			"/etc/sysctl.d/10.conf": "net.ipv4.*.rp_filter = 1\n",
		}, rp, "", ""},
		{"an interface with a dot, three ways", map[string]string{
			"/etc/sysctl.d/10.conf": "net.ipv4.conf.eth0/100.rp_filter = 1\nnet/ipv4/conf/eth0.100/rp_filter = 2\n",
		}, "net/ipv4/conf/eth0.100/rp_filter", "/etc/sysctl.d/10.conf:2 2", "/etc/sysctl.d/10.conf:2 2"},
	} {
		t.Run(w.name, func(t *testing.T) {
			c, err := Read(plant(t, w.files))
			if err != nil || len(c.Unreadable) > 0 {
				t.Fatal(err, c.Unreadable)
			}
			for r, want := range map[Reader]string{Systemd: w.systemd, Procps: w.procps} {
				a, ok := c.Winner(r, w.key)
				got := ""
				if ok {
					got = fmt.Sprintf("%s:%d %s", a.File, a.Line, a.Value)
				}
				// The name a reader finds /usr/lib by is /lib's too.
				if got != want {
					t.Errorf("%s: %q, want %q", r, got, want)
				}
			}
		})
	}
}

func TestRivals(t *testing.T) {
	c, err := Read(plant(t, map[string]string{
		"/etc/sysctl.conf":                "vm.swappiness=60\nkernel.pid_max=1\n",
		"/etc/sysctl.d/99-sysctl.conf":    "-> ../sysctl.conf",
		"/etc/sysctl.d/10-a.conf":         "vm.swappiness=10\n",
		"/etc/sysctl.d/zz-goxin.conf":     "vm.swappiness=1\n",
		"/usr/lib/sysctl.d/zzz-site.conf": "vm.swappiness=2\nvm.swapp*=3\n-vm.swappiness\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	show := func(as []Assignment) (out []string) {
		for _, a := range as {
			out = append(out, fmt.Sprintf("%s:%d", a.File, a.Line))
		}
		return out
	}
	want := []string{"/usr/lib/sysctl.d/zzz-site.conf:1", "/usr/lib/sysctl.d/zzz-site.conf:3", "/etc/sysctl.conf:1"}
	if got := show(c.Rivals("/etc/sysctl.d/zz-goxin.conf", "vm/swappiness")); !slices.Equal(got, want) {
		t.Errorf("Rivals: %q, want %q", got, want)
	}
	want = []string{
		"/etc/sysctl.d/10-a.conf:1", "/etc/sysctl.conf:1", "/etc/sysctl.d/zz-goxin.conf:1",
		"/usr/lib/sysctl.d/zzz-site.conf:1", "/usr/lib/sysctl.d/zzz-site.conf:2", "/usr/lib/sysctl.d/zzz-site.conf:3",
	}
	if got := show(c.Assignments("vm.swappiness")); !slices.Equal(got, want) {
		t.Errorf("Assignments: %q, want %q", got, want)
	}
}

func TestParse(t *testing.T) {
	got := Parse("\ufeff\n  # c\n; c\n-net.core.somaxconn = 1 \r\nkernel.core_pattern=|/bin/x a=b\n - vm.x\n-net.ipv4.conf.eth0.rp_filter\nnonsense\n=1\nvm.y=\nvm.q=\"1\" # no comment\n\tvm . z = 1")
	want := []Assignment{
		{Line: 4, Key: "net.core.somaxconn", Value: "1", Ignore: true, Text: "-net.core.somaxconn = 1 "},
		{Line: 5, Key: "kernel.core_pattern", Value: "|/bin/x a=b", Text: "kernel.core_pattern=|/bin/x a=b"},
		{Line: 6, Key: "vm.x", Exclude: true, Text: " - vm.x"},
		{Line: 7, Key: "net.ipv4.conf.eth0.rp_filter", Exclude: true, Text: "-net.ipv4.conf.eth0.rp_filter"},
		{Line: 10, Key: "vm.y", Text: "vm.y="},
		{Line: 11, Key: "vm.q", Value: `"1" # no comment`, Text: `vm.q="1" # no comment`},
		{Line: 12, Key: "vm . z", Value: "1", Text: "\tvm . z = 1"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestKeys(t *testing.T) {
	for _, k := range []struct{ in, canonical, path string }{
		{"vm.swappiness", "vm.swappiness", "/proc/sys/vm/swappiness"},
		{"vm/swappiness", "vm.swappiness", "/proc/sys/vm/swappiness"},
		{"net.ipv4.conf.eth0/1.rp_filter", "net.ipv4.conf.eth0/1.rp_filter", "/proc/sys/net/ipv4/conf/eth0.1/rp_filter"},
		{"net/ipv4/conf/eth0.1/rp_filter", "net.ipv4.conf.eth0/1.rp_filter", "/proc/sys/net/ipv4/conf/eth0.1/rp_filter"},
		{"net..core.somaxconn", "net.core.somaxconn", "/proc/sys/net/core/somaxconn"},
	} {
		if c := Canonical(k.in); c != k.canonical || Canonical(c) != c {
			t.Errorf("Canonical(%q) = %q, again %q", k.in, c, Canonical(c))
		}
		if p := Path(k.in); p != k.path {
			t.Errorf("Path(%q) = %q", k.in, p)
		}
		if err := Check(k.in); err != nil {
			t.Errorf("Check(%q): %v", k.in, err)
		}
	}
	for _, bad := range []string{"", "swappiness", "vm swappiness", "vm.*", "vm/../../etc/passwd", "vm.//.x", "vm.x=1", "vm.\x00x", "net.ipv4.conf.[e]th0.rp_filter"} {
		if Check(bad) == nil {
			t.Errorf("Check(%q) lets it pass", bad)
		}
	}
}

func TestEqualAndRaise(t *testing.T) {
	for _, e := range []struct {
		key, a, b string
		want      bool
	}{
		{"net.ipv4.tcp_rmem", "4096\t131072\t6291456\n", "4096 131072  6291456", true},
		{"vm.x", "0x10", "16", true},
		{"vm.x", "010", "8", true},
		{"vm.x", "-0", "0", true},
		{"vm.x", "-1", "18446744073709551615", false},
		{"vm.x", "1_0", "10", false},
		{"vm.x", "1", "1 1", false},
		{"net.ipv4.tcp_congestion_control", "cubic", "bbr", false},
		{"net.ipv4.ip_local_reserved_ports", "8080-8081,9000", "9000,8080,8081", true},
		{"net.ipv4.ip_local_reserved_ports", "8080-8082", "8080,8081", false},
	} {
		if got := Equal(e.key, e.a, e.b); got != e.want || Equal(e.key, e.b, e.a) != got {
			t.Errorf("Equal(%s, %q, %q) = %v", e.key, e.a, e.b, got)
		}
	}
	for _, r := range []struct {
		now, least, want string
		ok               bool
	}{
		{"9223372036854775807", "1000000", "9223372036854775807", true},
		{"18446744073709551615", "9223372036854775807", "18446744073709551615", true},
		{"-1", "5", "5", true},
		{"4096\t200\t3", "1 300 3", "4096 300 3", true},
		{"1 2", "3", "", false},
		{"cubic", "3", "", false},
	} {
		if got, ok := Raise(r.now, r.least); got != r.want || ok != r.ok {
			t.Errorf("Raise(%q, %q) = %q, %v", r.now, r.least, got, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("vm.swappiness = 1\r\n-net/ipv4/conf/*/x\n# c\n\tk = v = w")
	f.Add("\x00=\xff\n=\n-=")
	f.Fuzz(func(t *testing.T, data string) {
		lines := strings.Split(data, "\n")
		for _, a := range Parse(data) {
			if a.Line < 1 || a.Line > len(lines) || a.Text != strings.TrimSuffix(lines[a.Line-1], "\r") {
				t.Fatalf("line %d is not %q", a.Line, a.Text)
			}
			if Canonical(a.Key) != a.Key || a.Key == "" {
				t.Fatalf("key %q is not canonical", a.Key)
			}
			if Check(a.Key) == nil && filepath.Clean(Path(a.Key)) != Path(a.Key) {
				t.Fatalf("key %q leads to %q", a.Key, Path(a.Key))
			}
			if again := Parse(a.Text); len(again) != 1 || again[0].Key != a.Key || again[0].Value != a.Value {
				t.Fatalf("line %q alone is %+v", a.Text, again)
			}
		}
	})
}

func FuzzEqual(f *testing.F) {
	f.Add("4096\t1", "4096 0x1")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !Equal("vm.x", a, a) || Equal("vm.x", a, b) != Equal("vm.x", b, a) {
			t.Fatalf("Equal(%q, %q) is not an equality", a, b)
		}
		if r, ok := Raise(a, b); ok {
			if again, ok := Raise(a, r); !ok || !Equal("vm.x", again, r) {
				t.Fatalf("Raise(%q, %q) = %q, then %q", a, b, r, again)
			}
		}
	})
}
