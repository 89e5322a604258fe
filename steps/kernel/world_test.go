package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// world is a machine made by hand, and what is asked of it.
type world struct {
	name   string
	facts  func(*detect.Facts)
	files  map[string]string // path → content; "-> target" makes a link
	params map[string]string // running values
	values engine.Values
}

const maxInt64 = "9223372036854775807"

// usual are the running values of a fresh machine with a new kernel.
func usual(change map[string]string) map[string]string {
	p := map[string]string{
		"net.core.somaxconn":                   "4096",
		"fs.file-max":                          maxInt64,
		"fs.nr_open":                           "1073741816",
		"vm.swappiness":                        "60",
		"net.ipv4.ip_local_port_range":         "32768\t60999",
		"net.ipv4.tcp_max_syn_backlog":         "1024",
		"net.core.netdev_max_backlog":          "1000",
		"net.core.rmem_max":                    "212992",
		"net.core.wmem_max":                    "212992",
		"net.ipv4.tcp_slow_start_after_idle":   "1",
		"vm.dirty_background_ratio":            "10",
		"vm.dirty_background_bytes":            "0",
		"vm.max_map_count":                     "65530",
		"fs.aio-max-nr":                        "65536",
		"fs.inotify.max_user_watches":          "65536",
		"fs.inotify.max_user_instances":        "128",
		"kernel.pid_max":                       "32768",
		"net.ipv4.conf.eth0/100.rp_filter":     "2",
		"net.ipv4.tcp_tw_reuse":                "2",
		"vm.nr_hugepages":                      "0",
		"net.ipv4.tcp_fin_timeout":             "60",
		"net.ipv4.tcp_keepalive_time":          "7200",
		"net.ipv4.conf.all.rp_filter":          "0",
		"net.ipv4.tcp_notsent_lowat":           "4294967295",
		"kernel.unprivileged_userns_clone":     "1",
		"net.ipv4.ip_local_reserved_ports":     "",
		"net.ipv4.ip_nonlocal_bind":            "0",
		"kernel.unprivileged_bpf_disabled":     "2",
		"net.ipv4.neigh.default.gc_thresh3":    "1024",
		"net.ipv4.tcp_retries2":                "15",
		"net.ipv4.icmp_echo_ignore_broadcasts": "1",
	}
	for k, v := range change {
		if v == "absent" {
			delete(p, k)
		} else {
			p[k] = v
		}
	}
	return p
}

func known[T any](v T) detect.Fact[T] {
	return detect.Fact[T]{Value: v, Known: true, From: lang.Same("test")}
}

func newFacts() *detect.Facts {
	f := &detect.Facts{Running: true}
	f.Kernel.Release = known("6.6.0-28.0.0.34.oe2403.aarch64")
	f.Init.Name, f.Init.Version = known("systemd"), known(255)
	f.Memory.Total, f.Memory.Swap = known[uint64](256*gib), known[uint64](8*gib)
	f.Container = known(false)
	f.Tuners = known[[]detect.Tuner](nil)
	return f
}

// systemdHost are files nearly every machine has.
func systemdHost(more map[string]string) map[string]string {
	f := map[string]string{
		"/usr/lib/systemd/system/systemd-sysctl.service": "[Service]\n",
		"/etc/sysctl.conf":                  "# see sysctl.conf(5)\n",
		"/etc/sysctl.d/99-sysctl.conf":      "-> ../sysctl.conf",
		"/etc/systemd/system.conf":          "[Manager]\n#DefaultLimitNOFILE=1024:524288\n",
		"/etc/security/limits.conf":         "#*  soft  core  0\n",
		"/etc/security/limits.d/README":     "\n",
		"/proc/1/limits":                    "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1073741816           1073741816           files\n",
		"/proc/1/status":                    "Name:\tsystemd\nCapBnd:\t000001ffffffffff\n",
		"/proc/meminfo":                     "MemTotal: 1 kB\nHugepagesize:       2048 kB\n",
		"/usr/lib/sysctl.d/50-default.conf": "net.ipv4.conf.*.rp_filter = 1\n",
	}
	for k, v := range more {
		if v == "absent" {
			delete(f, k)
		} else {
			f[k] = v
		}
	}
	return f
}

// build makes the world's tree.
func (w world) build(t *testing.T) (string, machine.Machine, engine.Hosts) {
	t.Helper()
	root := t.TempDir()
	put := func(name, content string) {
		t.Helper()
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
	for name, content := range w.files {
		put(name, content)
	}
	for key, value := range w.params {
		put(paramPath(key), value+"\n")
	}
	f := newFacts()
	if w.facts != nil {
		w.facts(f)
	}
	m := machine.Root(root)
	return root, m, engine.Hosts{Order: []machine.ID{m.ID()}, Facts: map[machine.ID]*detect.Facts{m.ID(): f}}
}

func surveyOf(t *testing.T, m machine.Machine, h engine.Hosts, v engine.Values) engine.Survey {
	t.Helper()
	sv, err := Step{}.Survey(context.Background(), map[machine.ID]machine.Machine{m.ID(): m}, h, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sv
}

// wanted is what the digest of a plan is made of: the ops without reasons and
// without the machine's name.
func wanted(t *testing.T, items []engine.Item) string {
	t.Helper()
	var b strings.Builder
	for _, it := range items {
		raw, err := json.Marshal(it.Op)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		delete(m, "reason")
		raw, _ = json.Marshal(m)
		fmt.Fprintf(&b, "%s %s\n", it.Op.Kind(), raw)
	}
	return b.String()
}

func render(items []engine.Item, notes []engine.Note, questions []engine.Question) string {
	var b strings.Builder
	for _, q := range questions {
		fmt.Fprintf(&b, "? %s (default %v): %s\n", q.Key, q.Default, q.Why.EN)
		for _, o := range q.Options {
			fmt.Fprintf(&b, "    %s: %s\n", o.Value, o.Help.EN)
		}
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
			fmt.Fprintf(&b, "file %s %s %v reload=%t\n", o.Path, o.Mode, o.Owner, o.Reload)
			for line := range strings.Lines(o.Content) {
				b.WriteString("    " + line)
			}
		case *op.Comment:
			fmt.Fprintf(&b, "comment %s: %q\n    %s\n", o.Path, o.Line, strings.ReplaceAll(o.Reason.EN, "\n", "\n    "))
		case *op.Dir:
			fmt.Fprintf(&b, "dir %s %s\n", o.Path, o.Mode)
		case *op.Sysctl:
			least := ""
			if o.AtLeast {
				least = " or more"
			}
			if o.Unwritten {
				least += ", unwritten"
			}
			fmt.Fprintf(&b, "sysctl %s = %s%s\n", o.Key, o.Value, least)
		case *op.Limit:
			fmt.Fprintf(&b, "limit %d:%d\n", o.Soft, o.Value)
		default:
			fmt.Fprintf(&b, "%s %s\n", it.Op.Kind(), it.Op.Target())
		}
	}
	return b.String()
}
