package sysctl

import (
	"fmt"
	"testing"
)

// Each sysctl op of a plan reads the files, so this is paid a dozen times.
func BenchmarkRead(b *testing.B) {
	files := map[string]string{"/etc/sysctl.conf": "vm.swappiness=60\n", "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf"}
	for i := range 12 {
		files[fmt.Sprintf("/usr/lib/sysctl.d/%d-x.conf", 10+i)] = "# comment\nnet.core.somaxconn = 1\nkernel.pid_max=5\n"
	}
	m := plant(b, files)
	for b.Loop() {
		if _, err := Read(m); err != nil {
			b.Fatal(err)
		}
	}
}
