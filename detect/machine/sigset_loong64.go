package machine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigsetSizes asks for the action of a signal by both sizes, and changes none.
func sigsetSizes() (taken []int) {
	for _, size := range []int{8, 16} {
		var action [8]uint64 // more than either world's sigaction
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGHUP), 0, uintptr(unsafe.Pointer(&action)), uintptr(size), 0, 0)
		if errno == 0 {
			taken = append(taken, size)
		}
	}
	return taken
}
