package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/steps/sandbox"
)

// probeCommand tries what a sandbox is to forbid, and prints one line of JSON: whether
// it was done. Everything it does it undoes; nothing it does says more than that it may.
func (a *app) probeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:    "probe NAME [PATH]",
		Hidden: true,
		Args:   cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			act, ok := acts()[args[0]]
			if !ok {
				return usageError{lang.Errorf(nil, "cannot probe %q: there is no such act", "无法探测 %q：没有这一动作", args[0])}
			}
			var where string
			if len(args) > 1 {
				where = args[1]
			}
			said := sandbox.Said{Did: true}
			if err := act(where); err != nil {
				said = sandbox.Said{Error: err.Error()}
			}
			a.jsonLine(said)
			return nil
		},
	}
	c.AddCommand(&cobra.Command{Use: "copy PATH", Hidden: true, Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		return copySelf(args[0])
	}})
	return c
}

// copySelf writes this program to a new file: systemd starts only what has a name.
func copySelf(name string) (err error) {
	in, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Chmod(0o755), out.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// acts are what the directives of package sandbox forbid, by the names it gives them.
func acts() map[string]func(where string) error {
	return map[string]func(string) error{
		"setuid-program": func(string) error { return becomeRoot() },
		"chroot":         func(string) error { return unix.Chroot("/") },
		"write-var":      func(string) error { return touch("/var/lib", 0o600, nil) },
		"write-home":     func(string) error { return touch("/root", 0o600, nil) },
		"see-tmp":        func(where string) error { return exists(where) },
		"device":         func(string) error { return openDevice() },
		"chown": func(string) error {
			return touch(os.TempDir(), 0o600, func(f *os.File) error { return f.Chown(54321, 54321) })
		},
		"tunable":        func(string) error { return openToWrite("/proc/sys/kernel/hostname") },
		"module":         func(string) error { return loadModule() },
		"kernel-log":     func(string) error { return readLog() },
		"cgroup":         func(string) error { return openCgroup() },
		"clock":          func(string) error { return setTick() },
		"hostname":       func(string) error { return renameHost() },
		"see-process":    func(string) error { return exists("/proc/1") },
		"socket-netlink": func(string) error { return socket(unix.AF_NETLINK, unix.SOCK_RAW) },
		"socket-packet":  func(string) error { return socket(unix.AF_PACKET, unix.SOCK_DGRAM) },
		"namespace":      func(string) error { return newNamespace() },
		"realtime":       func(string) error { return realtime() },
		"setuid-bit": func(string) error {
			return touch(os.TempDir(), 0o600, func(f *os.File) error { return f.Chmod(0o700 | fs.ModeSetuid) })
		},
		"personality":   func(string) error { return call(unix.SYS_PERSONALITY, addrNoRandomize, 0, 0) },
		"write-execute": func(string) error { return writeExecute() },
		"foreign-call":  func(string) error { return foreignCall() },
		"give-away": func(string) error {
			return touch(os.TempDir(), 0o600, func(f *os.File) error { return f.Chown(os.Getuid(), os.Getgid()) })
		},
		"umask": func(string) error { return othersRead() },
	}
}

// addrNoRandomize is ADDR_NO_RANDOMIZE (personality(2)).
const addrNoRandomize = 0x0040000

func call(n, a, b, c uintptr) error {
	if _, _, e := unix.RawSyscall(n, a, b, c); e != 0 {
		return e
	}
	return nil
}

// touch makes a file of its own in dir, and does with it what is asked when its name is
// gone again: a filter of system calls may kill whoever asks.
func touch(dir string, mode fs.FileMode, with func(*os.File) error) error {
	// A name that nobody else can have taken: that would look like a refusal.
	name := filepath.Join(dir, ".goxin-probe-"+rand.Text())
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, mode)
	if err != nil {
		return err
	}
	err = os.Remove(name)
	if with != nil {
		err = errors.Join(err, with(f))
	}
	return errors.Join(err, f.Close())
}

func exists(name string) error {
	_, err := os.Lstat(name)
	return err
}

func openToWrite(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// becomeRoot starts a setuid program of the system that waits for a password, and looks
// whether it runs as root.
func becomeRoot() error {
	if os.Geteuid() == 0 {
		return unix.EALREADY
	}
	err := error(unix.ENOENT)
	for _, name := range []string{"su", "passwd", "chsh", "mount"} {
		program, e := exec.LookPath(name)
		if e != nil {
			continue
		}
		if fi, e := os.Stat(program); e != nil || fi.Mode()&fs.ModeSetuid == 0 {
			continue
		}
		if err = runsAsRoot(program); err == nil {
			return nil
		}
	}
	return err
}

func runsAsRoot(program string) error {
	cmd := exec.Command(program)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended tells nothing
		close(ended)
	}()
	defer func() {
		_ = in.Close()         // one that runs as root ends with its standard input,
		_ = cmd.Process.Kill() // and the other one is ours to end
	}()
	for {
		name, user := commOf(cmd.Process.Pid)
		switch {
		case name == filepath.Base(program) && user == "0":
			return nil
		case name == filepath.Base(program) && user != "":
			return unix.EPERM
		}
		select {
		case <-ended:
			return unix.EPERM
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// commOf is what a process runs by now, and as which user.
func commOf(pid int) (name, user string) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", ""
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Name:" {
			name = f[1]
		}
	}
	return name, effective(string(status))
}

// effective is the effective user of a process: the second of the four of Uid:.
func effective(status string) string {
	for line := range strings.Lines(status) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "Uid:" {
			return f[2]
		}
	}
	return ""
}

// openDevice opens the first device there is behind which there is something.
func openDevice() error {
	harmless := map[string]bool{"null": true, "zero": true, "full": true, "random": true, "urandom": true, "tty": true, "ptmx": true, "console": true}
	entries, err := os.ReadDir("/dev")
	if err != nil {
		return err
	}
	err = unix.ENODEV
	for _, e := range entries {
		if harmless[e.Name()] || e.Type()&fs.ModeDevice == 0 || strings.HasPrefix(e.Name(), "tty") || touchy(e.Name()) {
			continue
		}
		fd, e := unix.Open(filepath.Join("/dev", e.Name()), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if e == nil {
			return unix.Close(fd)
		}
		err = e
	}
	return err
}

// touchy says whether to open a device does something: a watchdog that is opened and
// closed resets the machine (Documentation/watchdog/watchdog-api.rst), a tape rewinds (st(4)).
func touchy(device string) bool {
	for _, p := range []string{"watchdog", "st", "nst"} {
		if rest, ok := strings.CutPrefix(device, p); ok && strings.Trim(rest, "0123456789alm") == "" {
			return true
		}
	}
	return false
}

// loadModule hands the kernel something that is no module: it says so to those who
// might load one.
func loadModule() error {
	err := unix.InitModule([]byte("none"), "")
	if errors.Is(err, unix.ENOEXEC) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

const syslogReadAll = 3 // SYSLOG_ACTION_READ_ALL (syslog(2)): takes nothing away

func readLog() error {
	_, err := unix.Klogctl(syslogReadAll, make([]byte, 1024))
	return err
}

func openCgroup() error {
	all, err := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs")
	if err != nil {
		return err
	}
	err = unix.ENOENT
	for _, name := range append([]string{"/sys/fs/cgroup/cgroup.procs"}, all...) {
		if err = openToWrite(name); err == nil {
			return nil
		}
	}
	return err
}

// setTick sets the clock's pace to what it is.
func setTick() error {
	var now unix.Timex
	if _, err := unix.Adjtimex(&now); err != nil {
		return err
	}
	_, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_TICK, Tick: now.Tick})
	return err
}

func renameHost() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	return unix.Sethostname([]byte(name))
}

func socket(family, kind int) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// newNamespace has a thread of its own, which ends with it.
func newNamespace() error {
	out := make(chan error)
	go func() {
		runtime.LockOSThread()
		out <- unix.Unshare(unix.CLONE_NEWUTS)
	}()
	return <-out
}

// realtime too, for one thread and as little as there is.
func realtime() error {
	const roundRobin = 2 // SCHED_RR (sched(7))
	out := make(chan error)
	go func() {
		runtime.LockOSThread()
		priority := int32(1)
		out <- call(unix.SYS_SCHED_SETSCHEDULER, 0, roundRobin, uintptr(unsafe.Pointer(&priority))) //nolint:gosec // the kernel reads it
	}()
	return <-out
}

func writeExecute() error {
	b, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	return unix.Munmap(b)
}

// othersRead makes a file that everybody may read, as far as the umask lets it.
func othersRead() error {
	return touch(os.TempDir(), 0o666, func(f *os.File) error {
		fi, err := f.Stat()
		if err == nil && fi.Mode().Perm()&0o044 == 0 {
			err = unix.EACCES
		}
		return err
	})
}

// foreignCall runs a program of the 32-bit architecture that a kernel may run beside its
// own: it does nothing but end with 42.
func foreignCall() error {
	const ends = 42
	machine, code := uint16(0), []byte(nil)
	switch runtime.GOARCH {
	case "amd64": // mov eax, 1; mov ebx, 42; int 0x80
		machine, code = 3, []byte{0xb8, 1, 0, 0, 0, 0xbb, ends, 0, 0, 0, 0xcd, 0x80}
	case "arm64": // mov r0, #42; mov r7, #1; svc 0
		machine, code = 40, []byte{ends, 0, 0xa0, 0xe3, 1, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef}
	default:
		return unix.ENOEXEC
	}
	fd, err := unix.MemfdCreate("goxin-probe", 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "goxin-probe")
	defer f.Close()
	if _, err := f.Write(smallELF(machine, code)); err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{f}
	err = cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == ends {
		return nil
	}
	if err == nil {
		err = unix.ENOEXEC
	}
	return err
}

// smallELF is the smallest executable with code in it (elf(5)): 32-bit, little-endian.
func smallELF(machine uint16, code []byte) []byte {
	const header, segment, base = 52, 32, 0x10000
	var b []byte
	put16 := func(v ...uint16) {
		for _, n := range v {
			b = binary.LittleEndian.AppendUint16(b, n)
		}
	}
	put32 := func(v ...uint32) {
		for _, n := range v {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
	}
	flags := uint32(0)
	if machine == 40 {
		flags = 0x05000000 // EF_ARM_EABI_VER5
	}
	size := uint32(header + segment + len(code))
	b = append(b, "\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	put16(2, machine)                               // an executable
	put32(1, base+header+segment, header, 0, flags) // version, entry, program headers, no sections
	put16(header, segment, 1, 0, 0, 0)
	put32(1, 0, base, base, size, size, 5, 0x1000) // load it all, to read and execute
	return append(b, code...)
}
