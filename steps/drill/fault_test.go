package drill

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"goxin/steps/vrrp"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestWhatIsDoneToANode(t *testing.T) {
	var b strings.Builder
	whole := node{service: "nginx", iface: "eth0", unit: true, nft: true, free: 1 << 30}
	for _, c := range []struct {
		name string
		n    node
	}{
		{"a node of goxin's with nft", whole},
		{"any node with iptables and arptables", node{service: "nginx", iface: "eth0", iptables: true, arptables: true, free: 1 << 30}},
		{"a container with iptables alone, that goxin runs on", node{service: "nginx", iface: "eth0", iptables: true, container: "docker", home: true}},
	} {
		fmt.Fprintf(&b, "# %s\n", c.name)
		for _, f := range vrrp.Faults() {
			a, cannot := plan(f, c.n)
			if !cannot.Empty() {
				fmt.Fprintf(&b, "%s: not: %s / %s\n", f, cannot.EN, cannot.ZH)
				continue
			}
			fmt.Fprintf(&b, "%s: away %v, reboots %v\n", f, a.away, a.reboots)
			for _, part := range []struct {
				mark     string
				commands [][]string
			}{{"set", a.set}, {"back", a.back}} {
				for _, argv := range part.commands {
					fmt.Fprintf(&b, "  %s: %s\n", part.mark, shell(argv))
				}
			}
			if !a.reboots && len(a.back) == 0 {
				t.Errorf("%s is never taken back", f)
			}
		}
	}
	golden := filepath.Join("testdata", "faults.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || b.String() != string(want) {
		t.Errorf("%v: go test -update rewrites %s:\n%s", err, golden, b.String())
	}
}

func TestAShellTakesACommandAsItIs(t *testing.T) {
	for _, argv := range [][]string{
		{"printf", "%s\n", "a b", "it's", `$(reboot)`, "`x`", "a;b", `"`, `\`, "", "*"},
	} {
		out, err := exec.Command("/bin/sh", "-c", shell(argv)).Output()
		if err != nil || string(out) != strings.Join(argv[2:], "\n")+"\n" {
			t.Errorf("%v: %q", err, out)
		}
	}
}
