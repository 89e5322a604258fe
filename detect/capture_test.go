package detect_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"goxin/assets"
	"goxin/detect"
	"goxin/detect/machine"
)

func capture(t *testing.T, m machine.Machine, f *detect.Facts) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := detect.Capture(context.Background(), m, f, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestACaptureDetectsAsItsMachine captures every captured machine again.
func TestACaptureDetectsAsItsMachine(t *testing.T) {
	for _, name := range assets.Machines() {
		m := shared(t, name)
		want := facts(t, m)
		again, err := machine.OpenRecorded(name, bytes.NewReader(capture(t, m, want)), filepath.Join(t.TempDir(), "m"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := facts(t, again)
		if got.Hostname.Value != "captured" {
			t.Errorf("%s: its host name is %q", name, got.Hostname.Value)
		}
		a, b := withoutIdentity(t, got), withoutIdentity(t, want)
		for key := range b {
			if !reflect.DeepEqual(a[key], b[key]) {
				t.Errorf("%s: %s\ncaptured %v\nmachine  %v", name, key, a[key], b[key])
			}
		}
	}
}

// withoutIdentity is the facts without what a capture leaves out, and without
// how they were learnt.
func withoutIdentity(t *testing.T, f *detect.Facts) map[string]any {
	m := tree(t, f).(map[string]any)
	delete(m, "hostname")
	for _, d := range m["disks"].([]any) {
		delete(d.(map[string]any), "space")
	}
	for _, n := range m["network"].([]any) {
		delete(n.(map[string]any), "name")
	}
	dropFrom(m)
	return m
}

func dropFrom(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "from")
		delete(v, "from_zh")
		for _, x := range v {
			dropFrom(x)
		}
	case []any:
		for _, x := range v {
			dropFrom(x)
		}
	}
}

// named is a machine with a telling host name.
type named struct{ machine.Machine }

func (n named) Kernel() (machine.Kernel, error) {
	k, err := n.Machine.Kernel()
	k.Hostname = "canary-host"
	return k, err
}

func (n named) HostPath(name string) string { return n.Machine.(machine.Rooted).HostPath(name) }

// TestACaptureNamesNobody plants what must not get out in a machine and looks
// for it in all of the capture: names, contents, links.
func TestACaptureNamesNobody(t *testing.T) {
	canaries := []string{"canary", "52:54:00", "525400", "10.9.8.7", "fd00:9", "4c4c4544", "SN12345", "deadbeefdeadbeef", "zhangsan", "secret", "7654321"}
	plant := map[string]string{
		"/etc/hostname":                                                "canary-host\n",
		"/etc/hosts":                                                   "10.9.8.7 canary-host\n",
		"/etc/machine-id":                                              "deadbeefdeadbeefdeadbeefdeadbeef\n",
		"/proc/sys/kernel/hostname":                                    "canary-host\n",
		"/proc/sys/kernel/domainname":                                  "canary.example\n",
		"/proc/sys/kernel/random/boot_id":                              "4c4c4544-0000-1111-2222-333344445555\n",
		"/proc/sys/kernel/core_pattern":                                "/srv/canary/core.%p\n",
		"/proc/sys/net/ipv4/tcp_fastopen_key":                          "deadbeef-deadbeef-deadbeef-deadbeef\n",
		"/proc/sys/net/core/netdev_rss_key":                            "52:54:00:aa:bb:cc\n",
		"/proc/sys/net/ipv4/conf/br-canary/rp_filter":                  "1\n",
		"/sys/class/dmi/id/product_serial":                             "SN12345\n",
		"/sys/class/dmi/id/product_uuid":                               "4c4c4544-0000-1111-2222-333344445555\n",
		"/sys/class/dmi/id/product_name":                               "Server\nasset SN12345\n",
		"/sys/devices/pci0000:00/0000:00:09.0/net/enx525400/address":   "52:54:00:aa:bb:cc\n",
		"/sys/devices/pci0000:00/0000:00:09.0/net/enx525400/operstate": "up\n",
		"/proc/1/comm":                                                 "canaryd\n",
		"/proc/1/environ":                                              "PASSWORD=secret\x00HOSTNAME=canary-host\x00",
		"/proc/1/status":                                               "Name:\tcanaryd\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n",
		"/proc/self/status":                                            "Name:\tcanary\nGroups:\t4 24 zhangsan\nCapEff:\t000001ffffffffff\n",
		"/proc/self/cgroup":                                            "0::/system.slice/canary-app.service/docker-deadbeefdeadbeef.scope\n",
		"/proc/self/mountinfo":                                         "28 1 8:2 / / rw - ext4 /dev/disk/by-uuid/4c4c4544-0000 rw\n40 28 0:40 / /home/zhangsan rw - nfs4 10.9.8.7:/canary rw,addr=10.9.8.7\n30 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"/etc/sysctl.conf":                                             "# set by zhangsan on canary-host, 10.9.8.7\nvm.swappiness = 1\nkernel.core_pattern = /srv/canary/core\nkernel.domainname=canary.example\nnet.ipv4.conf.br-canary.rp_filter = 2\nnet.ipv6.conf.eth0.disable_ipv6 = 1 # secret\n",
		"/etc/sysctl.d/60-canary.conf":                                 "net.core.somaxconn = 1024\n",
		"/etc/security/limits.d/90-zhangsan.conf":                      "zhangsan soft nofile 65535\n@canary hard nofile 65535\n",
		"/etc/systemd/system.conf.d/canary.conf":                       "[Manager]\nDefaultLimitNOFILE=65535\nDefaultEnvironment=\"TOKEN=secret\"\n",
		"/etc/tuned/active_profile":                                    "canary-db\n",
		"/etc/os-release":                                              "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian\"\nIMAGE_SERIAL=SN12345\nBUILD=\"52:54:00:aa:bb:cc\"\n",
		"/etc/.kyinfo":                                                 "[dist]\nmilestone=10-SP1\nserial=SN12345\nkey=deadbeefdeadbeef\n",
		"/etc/yum.repos.d/canary.repo":                                 "baseurl=http://10.9.8.7/\n",
		"/etc/ssh/ssh_host_ed25519_key":                                "secret\n",
		"/var/lib/goxin/answers/canary.yaml":                           "secret\n",
	}
	m := named{open(t, "debian-12")}
	cpuinfo, err := m.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	plant["/proc/cpuinfo"] = string(cpuinfo) + "Serial\t\t: SN12345\nBoard serial : SN12345\n"
	for name, content := range plant {
		file := m.HostPath(name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../devices/pci0000:00/0000:00:09.0/net/enx525400", m.HostPath("/sys/class/net")+"/enx525400"); err != nil {
		t.Fatal(err)
	}
	f := facts(t, m)
	if len(f.Network) != 3 || f.Hostname.Value != "canary-host" {
		t.Fatalf("the canaries are not there: %v %v", f.Network, f.Hostname)
	}
	gz, err := gzip.NewReader(bytes.NewReader(capture(t, m, f)))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		seen[h.Name] = string(b)
		for _, c := range canaries {
			for what, s := range map[string]string{"name": h.Name, "link": h.Linkname, "content": string(b)} {
				if strings.Contains(strings.ToLower(s), strings.ToLower(c)) {
					t.Errorf("%s: its %s gives away %q:\n%s", h.Name, what, c, s)
				}
			}
		}
	}
	// What tuning needs is still there.
	for name, want := range map[string]string{
		"root/proc/sys/vm/swappiness":      "60",
		"root/etc/sysctl.conf":             "vm.swappiness = 1",
		"root/proc/sys/net/core/somaxconn": "4096",
	} {
		if !strings.Contains(seen[name], want) {
			t.Errorf("%s is %q, without %q", name, seen[name], want)
		}
	}
	var about machine.RecordedMachine
	if err := json.Unmarshal([]byte(seen["machine.json"]), &about); err != nil || about.Kernel.Hostname != "captured" {
		t.Errorf("machine.json: %v, host name %q", err, about.Kernel.Hostname)
	}
}

func TestATreeCannotBeCaptured(t *testing.T) {
	m := machine.Root(t.TempDir())
	if err := detect.Capture(context.Background(), m, facts(t, m), io.Discard); !errors.Is(err, machine.ErrNotRunning) {
		t.Errorf("capturing a tree: %v", err)
	}
}
