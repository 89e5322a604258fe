package machine

import (
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
)

func (t *tree) Kernel() (Kernel, error) {
	if !t.local {
		return Kernel{}, notRunning(lang.T("ask the kernel", "查询内核"), t.id)
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return Kernel{}, os.NewSyscallError("uname", err)
	}
	return Kernel{
		Release:     unix.ByteSliceToString(u.Release[:]),
		Version:     unix.ByteSliceToString(u.Version[:]),
		Machine:     unix.ByteSliceToString(u.Machine[:]),
		Hostname:    unix.ByteSliceToString(u.Nodename[:]),
		PageSize:    os.Getpagesize(),
		ClockSynced: clockSynced(),
		UID:         os.Geteuid(),
		SigsetSizes: sigsetSizes(),
	}, nil
}

// clockSynced takes a kernel that does not tell, as some sandboxes make it, for
// one whose clock is not synchronised.
func clockSynced() bool {
	var tx unix.Timex // Modes 0: only read
	_, err := unix.Adjtimex(&tx)
	return err == nil && tx.Status&unix.STA_UNSYNC == 0
}

// WriteKernel refuses, with fs.ErrPermission, a name that does not end up below
// /proc or /sys. The kernel's own answer (EROFS, EPERM, EINVAL, …) stays on the
// error's chain.
func (t *tree) WriteKernel(name string, data []byte) error {
	if !t.local {
		return notRunning(lang.F("write %s", "写入 %s", name), t.id)
	}
	return wrap("write", name, t.writeInPlace(name, data))
}

func (t *tree) writeInPlace(name string, data []byte) error {
	host, err := t.resolve(name, true) // /proc/PID/root is a way out
	if err != nil {
		return err
	}
	at := strings.TrimPrefix(host, t.prefix)
	if !strings.HasPrefix(at, "/proc/") && !strings.HasPrefix(at, "/sys/") {
		return syscall.EPERM
	}
	if err := t.effect("kernel", name); err != nil {
		return err
	}
	f, err := os.OpenFile(host, os.O_WRONLY|os.O_TRUNC|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	// Past the os package, which would write the rest of a short write: the
	// kernel takes each write for a value of its own.
	n, err := unix.Write(int(f.Fd()), data)
	if err == nil && n < len(data) {
		return io.ErrShortWrite
	}
	return err
}
