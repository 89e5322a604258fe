package detect_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

// running is a tree that says of itself that it runs.
type running struct {
	machine.Machine
	kernel machine.Kernel
}

func (r running) Kernel() (machine.Kernel, error) { return r.kernel, nil }

func (r running) HostPath(name string) string { return r.Machine.(machine.Rooted).HostPath(name) }

// made writes files (a content of "<dir>" makes a directory, "-> x" a link) and
// gives the machine they make.
func made(t *testing.T, arch string, files map[string]string) machine.Machine {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch target, link := strings.CutPrefix(content, "-> "); {
		case content == "<dir>":
			err = os.MkdirAll(file, 0o755)
		case link:
			err = os.Symlink(target, file)
		default:
			err = os.WriteFile(file, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return running{machine.Root(dir), machine.Kernel{Release: "5.10.0", Machine: arch, PageSize: 4096, Hostname: "h"}}
}

const (
	rpm = "/usr/bin/dnf"
	deb = "/usr/bin/apt-get"
)

func TestOperatingSystems(t *testing.T) {
	const kylin = "NAME=\"Kylin Linux Advanced Server\"\nVERSION=\"V10 (%)\"\nID=\"kylin\"\nVERSION_ID=\"V10\"\n"
	kylinOf := func(codename string) string { return strings.Replace(kylin, "%", codename, 1) }
	uos := "NAME=\"UnionTech OS Server 20\"\nVERSION_ID=\"20\"\nID=uos\n"
	for _, c := range []struct {
		name, manager string
		files         map[string]string
		// "?" is not known.
		product, version, pack, edition, codename string
	}{
		{
			"2403 is more than its SP3", rpm,
			map[string]string{"/etc/os-release": kylinOf("Halberd"), "/etc/.productinfo": "Kylin Linux Advanced Server\nrelease V10 (SP3) /(Halberd)-x86_64-Build09/20240101\n"},
			"kylin-server", "V10", "SP3-2403", "", "Halberd",
		},
		{
			"productinfo beats a codename that says otherwise", rpm,
			map[string]string{"/etc/os-release": kylinOf("Lance"), "/etc/.productinfo": "x\nrelease V10 (SP2) /(Sword)-x86_64-Build09/20210524\n"},
			"kylin-server", "V10", "SP2", "", "Lance",
		},
		{"a codename nobody maps", rpm, map[string]string{"/etc/os-release": kylinOf("Hydrogen")}, "kylin-server", "V10", "?", "", "Hydrogen"},
		{
			"kyinfo where nothing else tells", rpm,
			map[string]string{"/etc/os-release": kylinOf("GFB"), "/etc/.kyinfo": "[dist]\nmilestone=10-SP1-Release-Build04-20200711\n"},
			"kylin-server", "V10", "SP1", "", "GFB",
		},
		{
			"desktop V11", deb,
			map[string]string{"/etc/os-release": "NAME=\"Kylin\"\nVERSION=\"银河麒麟桌面操作系统V11\"\nID=kylin\nVERSION_ID=\"v11\"\nVERSION_CODENAME=kylin\n"},
			"kylin-desktop", "V11", "", "", "kylin",
		},
		{
			"kylin 4.0 may be a server", deb,
			map[string]string{"/etc/os-release": "NAME=\"Kylin\"\nVERSION=\"4.0-2 (juniper)\"\nID=kylin\nID_LIKE=debian\nVERSION_ID=\"4.0-2\"\n"},
			"?", "4.0-2", "?", "?", "?",
		},
		{"ID=kylin without a package manager", "", map[string]string{"/etc/os-release": "NAME=\"Kylin\"\nID=kylin\nVERSION_ID=v10\n"}, "?", "V10", "?", "?", "?"},
		{
			"UOS e by its cpe", rpm,
			map[string]string{"/etc/os-release": uos, "/etc/system-release-cpe": "cpe:/o:UnionTech:UnionTech OS Server 20:1050e:ga:server\n"},
			"uos-server", "20", "1050", "e", "?",
		},
		{"UOS a by its platform", rpm, map[string]string{"/etc/os-release": uos + "PLATFORM_ID=\"platform:uelc20\"\n"}, "uos-server", "20", "?", "a", "?"},
		{"UOS d with the same names, by apt", deb, map[string]string{"/etc/os-release": uos + "VERSION_CODENAME=fou\n"}, "uos-server", "20", "?", "d", "fou"},
		{"UOS server 25 has no editions", rpm, map[string]string{"/etc/os-release": "ID=uos\nVERSION_ID=\"25\"\nVERSION_CODENAME=qianlai\n"}, "uos-server", "25", "?", "", "qianlai"},
		{"UOS home", deb, map[string]string{"/etc/os-release": "PRETTY_NAME=\"UnionTech OS Desktop 20 Home\"\nID=uos\nVERSION_ID=\"20 Home\"\n"}, "uos-desktop", "20", "?", "Home", "?"},
		{"UOS desktop e", deb, map[string]string{"/etc/os-release": "PRETTY_NAME=\"UnionTech OS Desktop 20 E\"\nID=uos\nVERSION_ID=20\nVERSION_CODENAME=uranus\n"}, "uos-desktop", "20", "?", "E", "uranus"},
		{"openEuler GA without parentheses", rpm, map[string]string{"/etc/os-release": "ID=\"openEuler\"\nVERSION=\"22.03 LTS\"\nVERSION_ID=\"22.03\"\n"}, "openeuler", "22.03-LTS", "", "", ""},
		{"openEuler 20.03", rpm, map[string]string{"/etc/os-release": "ID=\"openEuler\"\nVERSION=\"20.03 (LTS-SP2)\"\nVERSION_ID=\"20.03\"\n"}, "openeuler", "20.03-LTS-SP2", "SP2", "", ""},
		{"openEuler by name, apt by deed", deb, map[string]string{"/etc/os-release": "ID=openEuler\nVERSION=\"22.03 LTS\"\n"}, "?", "22.03-LTS", "", "", ""},
		{"OpenCloudOS in capitals", rpm, map[string]string{"/etc/os-release": "ID=\"OpenCloudOS\"\nVERSION=\"8.6\"\nVERSION_ID=\"8.6\"\n"}, "opencloudos", "8.6", "", "", ""},
		{"TencentOS before its parent's names", rpm, map[string]string{"/etc/os-release": "ID=\"tencentos\"\nVERSION_ID=\"3.1\"\n", "/usr/lib/os-release": "ID=centos\nVERSION_ID=8\n"}, "tencentos", "3.1", "", "", ""},
		{"deepin in capitals", deb, map[string]string{"/etc/os-release": "ID=Deepin\nVERSION_ID=\"20.4\"\nVERSION_CODENAME=\"apricot\"\n"}, "deepin", "20.4", "", "", "apricot"},
		{"NeoKylin", rpm, map[string]string{"/etc/os-release": "ID=\"neokylin\"\nVERSION_ID=\"V7\"\n"}, "neokylin", "V7", "", "", "?"},
		{"unknown is unknown, however alike", rpm, map[string]string{"/etc/os-release": "ID=acmeos\nID_LIKE=\"rhel openEuler\"\nPRETTY_NAME=\"Acme 1\"\nVERSION_ID=1\n"}, "?", "1", "?", "?", "?"},
		{"missing os-release", rpm, nil, "?", "?", "?", "?", "?"},
		{"os-release a directory, its fallback there", deb, map[string]string{"/etc/os-release": "<dir>", "/usr/lib/os-release": "ID=debian\nVERSION_ID=12\n"}, "debian", "12", "", "", "?"},
		{"os-release a link to nothing", deb, map[string]string{"/etc/os-release": "-> ../usr/lib/os-release"}, "?", "?", "?", "?", "?"},
		{"os-release an absolute link inside the tree", deb, map[string]string{"/etc/os-release": "-> /usr/lib/os-release", "/usr/lib/os-release": "ID=debian\nVERSION_ID=12\n"}, "debian", "12", "", "", "?"},
		{"empty os-release", deb, map[string]string{"/etc/os-release": ""}, "?", "?", "?", "?", "?"},
		{"binary os-release", deb, map[string]string{"/etc/os-release": "\x00\xff\xfe=\x00\nID\x00=x\n"}, "?", "?", "?", "?", "?"},
		{"CRLF and a byte order mark", deb, map[string]string{"/etc/os-release": "\ufeffID=debian\r\nVERSION_ID=\"12\"\r\nVERSION_CODENAME='bookworm'\r\n"}, "debian", "12", "", "", "bookworm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{}
			for k, v := range c.files {
				files[k] = v
			}
			if c.manager != "" {
				files[c.manager] = ""
				files["/usr/bin/"+map[string]string{rpm: "rpm", deb: "dpkg"}[c.manager]] = ""
			}
			f := facts(t, made(t, "x86_64", files))
			for _, x := range []struct {
				what string
				got  detect.Fact[string]
				want string
			}{
				{"product", f.OS.Product, c.product},
				{"version", f.OS.Version, c.version},
				{"service pack", f.OS.ServicePack, c.pack},
				{"edition", f.OS.Edition, c.edition},
				{"codename", f.OS.Codename, c.codename},
			} {
				if got := x.got.Value; x.got.Known != (x.want != "?") || x.got.Known && got != x.want {
					t.Errorf("%s: got %+v, want %q", x.what, x.got, x.want)
				}
				if x.got.From.Empty() {
					t.Errorf("%s does not say how it was learnt", x.what)
				}
			}
			if slices.Contains(f.Warnings, detect.WarnUnknownPlatform) != (c.product == "?") {
				t.Errorf("warnings %v", f.Warnings)
			}
		})
	}
}

func TestBothPackageManagersThere(t *testing.T) {
	both := map[string]string{"/usr/bin/dnf": "", "/usr/bin/apt-get": "", "/usr/bin/dpkg": ""}
	for _, c := range []struct {
		name   string
		more   map[string]string
		family string
	}{
		{"Debian with dnf as a tool", map[string]string{"/var/lib/dpkg/status": "", "/etc/os-release": "ID=debian\n"}, "deb"},
		{"openEuler with apt as a tool", map[string]string{"/var/lib/rpm/Packages": "", "/etc/os-release": "ID=openEuler\n"}, "rpm"},
		{"both in use, Kylin server by name", map[string]string{"/var/lib/rpm/Packages": "", "/var/lib/dpkg/status": "", "/etc/os-release": "ID=kylin\nNAME=\"Kylin Linux Advanced Server\"\n"}, "rpm"},
		{"both in use, a name of no help", map[string]string{"/var/lib/rpm/Packages": "", "/var/lib/dpkg/status": "", "/etc/os-release": "ID=acme\n"}, ""},
	} {
		files := map[string]string{}
		for _, m := range []map[string]string{both, c.more} {
			for k, v := range m {
				files[k] = v
			}
		}
		f := facts(t, made(t, "x86_64", files))
		if f.OS.Family.Value != c.family || f.OS.Family.Known != (c.family != "") {
			t.Errorf("%s: family %+v", c.name, f.OS.Family)
		}
	}
}

// TestUnreadableFilesAreSaidSo runs where nothing is there but what hurts.
func TestUnreadableFilesAreSaidSo(t *testing.T) {
	f := facts(t, made(t, "aarch64", map[string]string{
		"/proc/cpuinfo": "<dir>", "/proc/meminfo": "<dir>", "/proc/self/status": "<dir>", "/proc/self/cgroup": "<dir>",
		"/proc/self/mountinfo": "<dir>", "/etc/os-release": "<dir>", "/usr/lib/os-release": "<dir>", "/lib": "junk", "/sys/class/net": "junk",
	}))
	for what, fact := range map[string]struct {
		known bool
		from  lang.Text
	}{
		"cpu": {f.CPU.Model.Known, f.CPU.Model.From}, "memory": {f.Memory.Total.Known, f.Memory.Total.From},
		"limit": {f.Memory.Limit.Known, f.Memory.Limit.From}, "os": {f.OS.Product.Known, f.OS.Product.From},
		"capabilities": {f.User.Missing.Known, f.User.Missing.From}, "libc": {f.Libc.Version.Known, f.Libc.Version.From},
	} {
		if fact.known || fact.from.EN == "" || fact.from.ZH == "" {
			t.Errorf("%s: known %v, from %v", what, fact.known, fact.from)
		}
	}
	if want := lang.T("/etc/os-release: is a directory", "/etc/os-release：是一个目录"); f.OS.Product.From != want {
		t.Errorf("os-release is a directory, but: %v", f.OS.Product.From)
	}
}
