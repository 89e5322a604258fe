package link

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// Seen in QEMU's user emulation (7.2), which has no level SOL_PACKET.
func TestAKernelWithoutMembershipsIsListenedToAllTheSame(t *testing.T) {
	for err, want := range map[error]error{nil: nil, unix.ENOPROTOOPT: nil, unix.EPERM: unix.EPERM, unix.ENODEV: unix.ENODEV, unix.EINVAL: unix.EINVAL} {
		if got := needed(err); !errors.Is(got, want) {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}
