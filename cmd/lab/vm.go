package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"goxin/cmd/lab/agent"
)

// VM is a QEMU machine with a kernel of its own, emulated: no KVM, which some
// hosts offer and then hang in. It has no network; the agent is behind virtio
// serial ports and a root shell on the serial console.
type VM struct{ *host }

// agentPorts is how many clients can speak to one machine at a time.
const agentPorts = 4

// qemuMachine is the part of QEMU's arguments that a snapshot depends on.
var qemuMachine = []string{
	"-no-user-config", "-nodefaults", "-display", "none",
	// All that QEMU can emulate (max) costs a fifth more: programs take the wide ways then,
	// of which it makes many small ones.
	"-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", "1024",
	"-append", "root=/dev/vda rw console=ttyS0 quiet mitigations=off modprobe.blacklist=" + needless,
	"-device", "virtio-rng-pci", "-device", "virtio-serial-pci", "-no-reboot",
}

// needless are drivers of what the machine has and nobody here uses, which take
// seconds to load: disks that are not there, a mouse, ciphers' faster ways, virtual
// machines in the virtual machine.
const needless = "ata_piix,ata_generic,pata_acpi,psmouse,serio_raw,pcspkr,floppy,i2c_piix4,kvm,kvm_amd,powernow_k8," +
	"aesni_intel,ghash_clmulni_intel,crct10dif_pclmul,crc32_pclmul,crc32c_intel,sha1_ssse3,sha256_ssse3,sha512_ssse3"

func qemuArgs(tree, disk string) []string {
	args := append([]string{"qemu-system-x86_64"}, qemuMachine...)
	args = append(args,
		"-kernel", tree+"/vmlinuz", "-initrd", tree+"/initrd.img",
		// The guest's flushes are honoured and nothing else is written
		// early: what it did not sync may be lost with QEMU.
		"-drive", "file="+disk+",if=virtio,format=qcow2,cache=writeback",
		"-qmp", "unix:qmp.sock,server=on,wait=off",
		"-chardev", "socket,id=console,path=console.sock,server=on,wait=off,logfile=console.log,logappend=on",
		"-serial", "chardev:console")
	for i := range agentPorts {
		args = append(args,
			"-chardev", fmt.Sprintf("socket,id=agent%d,path=agent%d.sock,server=on,wait=off", i, i),
			"-device", fmt.Sprintf("virtserialport,chardev=agent%d,name=goxin-lab.%d", i, i))
	}
	return args
}

func (l *Lab) newVM(h *host) *VM {
	h.dial = func(ctx context.Context) (*agent.Client, error) {
		for i := range agentPorts {
			c, err := h.dialPort(ctx, i)
			if c != nil || err != nil {
				return c, err
			}
		}
		return nil, fmt.Errorf("its %d agent ports are all in use", agentPorts)
	}
	return &VM{h}
}

// dialPort takes a port unless another process has it: QEMU lets a second
// client connect and wait for good.
func (h *host) dialPort(ctx context.Context, i int) (*agent.Client, error) {
	path := filepath.Join(h.dir, fmt.Sprintf("agent%d.sock", i))
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil, lock.Close()
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return agent.Greet(ctx, lockedConn{conn, lock}, true)
}

// lockedConn keeps a port's lock as long as its connection.
type lockedConn struct {
	net.Conn
	lock *os.File
}

func (c lockedConn) Close() error { return errors.Join(c.Conn.Close(), c.lock.Close()) }

func (v *VM) create(ctx context.Context) error {
	tree, image, booted, err := v.lab.bootedImage(ctx, v.state.Release)
	if err != nil {
		return err
	}
	v.state.Kernel, v.state.Base, v.state.Uses = tree, booted, []string{tree, image, booted}
	if err := v.state.save(v.dir); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "cp", "--reflink=auto", "--sparse=always", booted, filepath.Join(v.dir, "disk.qcow2")).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot copy the image: %w\n%s", err, tail(out))
	}
	return nil
}

// boot starts QEMU, going on from a snapshot if one is named, and waits.
func (v *VM) boot(ctx context.Context, snapshot string) error {
	slot, err := v.lab.slot(ctx)
	if err != nil {
		return err
	}
	defer slot.Close() // QEMU holds it from now on
	args := qemuArgs(v.state.Kernel, "disk.qcow2")
	if snapshot != "" {
		args = append(args, "-loadvm", snapshot)
	}
	if err := v.launch("", nil, args, slot); err != nil {
		return err
	}
	return v.up(ctx)
}

// rename gives a machine that runs on from a common snapshot its own name.
func (v *VM) rename(ctx context.Context) error {
	if err := v.WriteFile(ctx, "/etc/hostname", []byte(v.state.Name+"\n"), 0o644); err != nil {
		return err
	}
	r, err := v.Exec(ctx, "hostname", v.state.Name)
	if err == nil && r.Code != 0 {
		err = errors.New("cannot name the machine: " + r.Err)
	}
	return err
}

// Reboot boots the disk in a new QEMU, for the old one ends with the system in it:
// an emulated machine that starts again where it was takes a minute longer.
func (v *VM) Reboot(ctx context.Context) error {
	if _, err := v.askToReboot(ctx); err != nil {
		return err
	}
	v.hangUp()
	for deadline := time.Now().Add(bootTime); v.state.alive(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("cannot reboot %s: it does not end; its console said:\n%s", v.state.Name, v.consoleTail())
		}
	}
	return v.boot(ctx, "")
}

// Cut kills QEMU and boots the same disk.
func (v *VM) Cut(ctx context.Context) error {
	v.hangUp()
	if err := v.state.kill(); err != nil {
		return err
	}
	return v.boot(ctx, "")
}

func (v *VM) Snapshot(_ context.Context, name string) error { return v.snapshot("savevm", name) }

// Restore brings memory and disk back in about a second. The clock is set to
// the present.
func (v *VM) Restore(ctx context.Context, name string) error {
	if err := v.snapshot("loadvm", name); err != nil {
		return err
	}
	if err := v.up(ctx); err != nil {
		return err
	}
	return v.rename(ctx)
}

func (v *VM) snapshot(command, name string) error {
	v.hangUp()
	out, err := monitor(filepath.Join(v.dir, "qmp.sock"), command+" "+name, time.Minute)
	if err == nil && out != "" {
		err = errors.New(out)
	}
	if err != nil {
		return fmt.Errorf("cannot %s %q of %s: %w", command, name, v.state.Name, err)
	}
	return nil
}

// Console is the far end of the machine's serial line, a root shell on ttyS0.
// One connection at a time; a real line has no size and answers nothing.
func (v *VM) Console() (net.Conn, error) {
	return net.Dial("unix", filepath.Join(v.dir, "console.sock"))
}

func (v *VM) Down(context.Context) error {
	v.hangUp()
	if err := v.state.kill(); err != nil {
		return err
	}
	return os.RemoveAll(v.dir)
}

// slot waits until one more virtual machine may run on this host: one for each
// processor, for emulation takes a whole one. The lock is QEMU's to hold.
func (l *Lab) slot(ctx context.Context) (*os.File, error) {
	told := false
	for {
		for i := range max(2, runtime.NumCPU()) {
			if f := l.cache.tryLock(fmt.Sprintf("vm-%d", i)); f != nil {
				return f, nil
			}
		}
		if !told {
			l.say("waiting for another virtual machine to end")
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("cannot start another virtual machine: %w", ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// bootedImage gives the tree, the disk image made of it, and a copy-on-write
// disk over that with the snapshot of a machine that has just booted.
func (l *Lab) bootedImage(ctx context.Context, release string) (tree, image, booted string, err error) {
	if tree, err = l.tree(ctx, base{kind: VirtualMachine, release: release}); err != nil {
		return
	}
	program, err := l.agentProgram(ctx)
	if err != nil {
		return
	}
	stem := "vm-" + release + "-" + key([]string{filepath.Base(tree), filepath.Base(program)})
	image, err = l.cache.once("images", stem+".raw", func(tmp string) error {
		l.say("making the disk image of a virtual machine")
		return makeImage(ctx, tree, program, tmp)
	})
	if err != nil {
		return
	}
	version, err := exec.CommandContext(ctx, "qemu-system-x86_64", "--version").Output()
	if err != nil {
		return
	}
	name := stem + "-" + key(append([]string{string(version)}, qemuArgs("", "")...)) + ".qcow2"
	booted, err = l.cache.once("images", name, func(tmp string) error {
		l.say("booting it once for the snapshot that all start from, half a minute")
		return l.makeBooted(ctx, release, tree, image, tmp)
	})
	return
}

// makeImage puts the agent over the tree, in a mount namespace of its own, and
// fills a file system with both.
func makeImage(ctx context.Context, tree, program, image string) error {
	work, err := os.MkdirTemp(filepath.Dir(image), "make-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	upper := filepath.Join(work, "upper")
	for _, dir := range []string{filepath.Dir(upper + agentPath), work + "/work", work + "/root"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := copyFile(program, upper+agentPath, 0o755); err != nil {
		return err
	}
	if err := os.Symlink(tree, work+"/lower"); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--", "sh", "-ec",
		`mount -t overlay lab -o lowerdir=lower,upperdir=upper,workdir=work root
exec mke2fs -q -t ext4 -d root "$0" 2G`, image)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mke2fs: %w\n%s", err, tail(out))
	}
	return nil
}

// makeBooted boots the image in a machine that is there for nothing else.
func (l *Lab) makeBooted(ctx context.Context, release, tree, image, to string) error {
	name := strings.ReplaceAll("first-"+filepath.Base(image), ".", "-")
	h, err := l.reserve(Spec{Name: name[:min(len(name), maxName)], Kind: VirtualMachine, Release: release, Group: name})
	if err != nil {
		return err
	}
	v := l.newVM(h)
	defer func() { _ = v.Down(context.WithoutCancel(ctx)) }()
	v.state.Kernel, v.state.Uses = tree, []string{tree, image}
	if err := v.state.save(v.dir); err != nil {
		return err
	}
	disk := filepath.Join(v.dir, "disk.qcow2")
	if out, err := exec.CommandContext(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", disk).CombinedOutput(); err != nil {
		return fmt.Errorf("qemu-img: %w\n%s", err, tail(out))
	}
	if err := v.boot(ctx, ""); err != nil {
		return err
	}
	if _, err := v.Exec(ctx, "sync"); err != nil {
		return err
	}
	if err := v.Snapshot(ctx, Fresh); err != nil {
		return err
	}
	// A clean end: the disk file is whole only when QEMU has closed it.
	_, _ = monitor(filepath.Join(v.dir, "qmp.sock"), "quit", 10*time.Second)
	for range 100 {
		if !v.state.alive() {
			return os.Rename(disk, to)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("cannot end QEMU")
}
