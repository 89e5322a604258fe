package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// recipe is all that decides what a base tree holds. A tree carries nothing
// that a step of goxin installs or writes, or a proof could not fail.
type recipe struct {
	Release  string
	Arch     string `json:",omitempty"` // none: the host's own
	Packages []string
	Extra    []string          // installed by apt: debootstrap takes the first of alternatives, whatever conflicts
	Files    map[string]string // content by path
	Links    map[string]string // target by path
	Script   string            `json:",omitempty"` // run in the tree at last
}

// agentPath is where the agent is in every machine. A container has it bound
// there over an empty file.
const agentPath = "/usr/lib/goxin-lab/agentd"

// agentUnit starts with the file systems and not with the services, so that a
// machine whose boot hangs can still be looked into; what it runs is killed
// fast at shutdown, however stopped it is.
const agentUnit = `[Unit]
Description=Lab agent
DefaultDependencies=no
After=local-fs.target
Conflicts=shutdown.target
Before=shutdown.target

[Service]
ExecStart=` + agentPath + `
Restart=always
RestartSec=1
TimeoutStopSec=5
TasksMax=infinity

[Install]
WantedBy=sysinit.target
`

// consoleLogin puts a root shell on the serial console.
const consoleLogin = `[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --keep-baud 115200,57600,38400,9600 - vt220
`

// base is what a machine starts from.
type base struct {
	kind     Kind
	release  string
	arch     string // "" or Debian's name of one that the host emulates
	packages []string
}

func (b base) recipe() recipe {
	r := recipe{
		Release: b.release,
		Arch:    b.arch,
		Packages: []string{
			"systemd", "systemd-sysv", "dbus", "libpam-systemd", "iproute2", "iputils-ping", "procps",
			"openssh-server", "ca-certificates",
		},
		Files: map[string]string{
			"/etc/machine-id":  "", // made at first boot
			"/etc/hostname":    "lab\n",
			"/etc/resolv.conf": "",
			agentPath:          "",
			"/usr/lib/systemd/system/goxin-lab-agent.service": agentUnit,
		},
		Links: map[string]string{
			"/usr/lib/systemd/system/sysinit.target.wants/goxin-lab-agent.service": "../goxin-lab-agent.service",
			// Without a network they only fail, and hold dpkg's lock meanwhile.
			"/etc/systemd/system/apt-daily.timer":         "/dev/null",
			"/etc/systemd/system/apt-daily-upgrade.timer": "/dev/null",
		},
	}
	r.Extra = b.packages
	if b.arch != "" {
		r.Files[emulationSource] = emulation
		r.Files["/etc/ld.so.preload"] = emulationFile + "\n"
	}
	if b.kind == VirtualMachine {
		r.Packages = append(r.Packages, "udev", "kmod", "initramfs-tools", "linux-image-cloud-amd64")
		r.Files["/etc/fstab"] = "/dev/vda / ext4 errors=remount-ro 0 1\n"
		r.Files["/etc/initramfs-tools/conf.d/lab"] = "MODULES=list\nCOMPRESS=gzip\n"
		r.Files["/etc/initramfs-tools/modules"] = "virtio_pci\nvirtio_blk\next4\n"
		// It looks for snapshots of file systems, for seconds at every boot.
		r.Links["/etc/systemd/system/e2scrub_reap.service"] = "/dev/null"
		// It has no network to install from, and fifty megabytes to look at whenever
		// all files are compared.
		r.Script = "rm /var/lib/apt/lists/*_Packages; update-initramfs -c -k all; ln -s boot/initrd.img-* initrd.img"
		r.Files["/usr/lib/systemd/system/serial-getty@ttyS0.service.d/autologin.conf"] = consoleLogin
	}
	return r
}

func (b base) String() string {
	if b.arch == "" {
		return fmt.Sprintf("%s-%s", b.kind, b.release)
	}
	return fmt.Sprintf("%s-%s-%s", b.kind, b.release, b.arch)
}

// tree gives the base tree of a machine.
func (l *Lab) tree(ctx context.Context, b base) (string, error) {
	r := b.recipe()
	return l.cache.once("trees", fmt.Sprintf("%s-%s", b, key(r)), func(tmp string) error {
		mirror, err := hostMirror()
		if err != nil {
			return err
		}
		if len(b.packages) > 0 {
			return l.extend(ctx, b, mirror, tmp)
		}
		takes := "about a minute"
		if b.arch != "" {
			takes = "some minutes, for its processor is emulated"
			if err := l.emulateArch(b.arch); err != nil {
				return err
			}
		}
		l.say("building the base tree of a %s (Debian from %s), %s", b, mirror, takes)
		// In namespaces of its own: what debootstrap mounts and starts in the
		// tree goes with it, however it ends.
		cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
			"debootstrap", "--variant=minbase", "--keyring="+debianKeyring, "--arch="+cmp.Or(b.arch, "amd64"),
			"--include="+strings.Join(r.Packages, ","), b.release, tmp, mirror)
		// A tree that is not whole is made anew: nothing in it needs to be durable.
		cmd.Env = append(append(os.Environ(), "DPKG_FORCE=unsafe-io", "INITRD=No"), aptProxy(mirror)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("debootstrap: %w\n%s", err, tail(out))
		}
		if err := r.finish(tmp); err != nil {
			return err
		}
		if b.arch != "" {
			return quietly(ctx, "", nil, "aarch64-linux-gnu-gcc", "-shared", "-fPIC", "-O2", "-o", tmp+emulationFile, tmp+emulationSource)
		}
		if r.Script == "" {
			return nil
		}
		return quietly(ctx, "", nil, "unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", tmp, "sh", "-ec", "cd /; "+r.Script)
	})
}

// extend makes a tree with extra packages out of the one without.
func (l *Lab) extend(ctx context.Context, b base, mirror, tmp string) error {
	r := b.recipe()
	b.packages = nil
	plain, err := l.tree(ctx, b)
	if err != nil {
		return err
	}
	l.say("adding %s to the base tree of a %s", strings.Join(r.Extra, " "), b)
	if err := copyTree(plain, tmp); err != nil {
		return err
	}
	if err := r.install(ctx, tmp, aptProxy(mirror)); err != nil {
		return err
	}
	return r.finish(tmp)
}

// install adds the extra packages, with the tree's own apt on the host's network.
func (r recipe) install(ctx context.Context, tree string, proxy []string) error {
	if err := copyFile("/etc/resolv.conf", tree+"/etc/resolv.conf", 0o644); err != nil {
		return err
	}
	script := `mount -t proc proc "$1/proc"; tree=$1; shift; chroot "$tree" apt-get update -qq; chroot "$tree" apt-get install -y -qq --no-install-recommends "$@"`
	cmd := exec.CommandContext(ctx, "unshare", append([]string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script, "sh", tree}, r.Extra...)...)
	cmd.Env = append(append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "DPKG_FORCE=unsafe-io"), proxy...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get: %w\n%s", err, tail(out))
	}
	return nil
}

// finish puts the recipe's own files into a bootstrapped tree.
func (r recipe) finish(tree string) error {
	debs, _ := filepath.Glob(tree + "/var/cache/apt/archives/*.deb")
	for _, deb := range debs {
		if err := os.Remove(deb); err != nil {
			return err
		}
	}
	for name, content := range r.Files {
		mode := os.FileMode(0o644)
		if name == agentPath {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(tree+name), 0o755); err != nil {
			return err
		}
		// The host's own name server file may be a link out of the tree.
		if err := os.RemoveAll(tree + name); err != nil {
			return err
		}
		if err := os.WriteFile(tree+name, []byte(content), mode); err != nil {
			return err
		}
	}
	for name, target := range r.Links {
		if err := os.MkdirAll(filepath.Dir(tree+name), 0o755); err != nil {
			return err
		}
		if err := os.RemoveAll(tree + name); err != nil {
			return err
		}
		if err := os.Symlink(target, tree+name); err != nil {
			return err
		}
	}
	return nil
}

// agentProgram compiles the agent for the machines.
func (l *Lab) agentProgram(ctx context.Context) (string, error) { return l.program(ctx, "agentd") }

// program compiles one of the lab's own programs for the machines. It is named
// by what it does, so an unchanged agent makes no new images.
func (l *Lab) program(ctx context.Context, name string) (string, error) {
	agents := filepath.Join(l.cache.dir, "agents")
	if err := os.MkdirAll(agents, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(agents, "make-*")
	if err != nil {
		return "", err
	}
	_ = tmp.Close()
	defer os.Remove(tmp.Name())
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=",
		"-o", tmp.Name(), "goxin/cmd/lab/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot compile the lab's %s (run lab inside goxin's source tree): %w\n%s", name, err, tail(out))
	}
	sum, err := fileSum(tmp.Name())
	if err != nil {
		return "", err
	}
	return l.cache.once("agents", name+"-"+hex.EncodeToString(sum[:6]), func(to string) error {
		return copyFile(tmp.Name(), to, 0o755)
	})
}

// checkRelease refuses early what debootstrap would refuse late.
func checkRelease(release string) error {
	if _, err := os.Stat("/usr/share/debootstrap/scripts/" + filepath.Base(release)); err != nil {
		return fmt.Errorf("cannot build a machine of release %q: debootstrap does not know it", release)
	}
	return nil
}
