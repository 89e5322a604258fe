package machine

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary plays other processes when it is started with a role.
const roleEnv = "MACHINE_TEST_ROLE"

func TestMain(m *testing.M) {
	role, args := os.Getenv(roleEnv), os.Args[1:]
	switch role {
	case "":
		os.Exit(m.Run())
	case "lock": // holds a lock until its input ends
		release, err := Root(args[0]).Lock("/lock", []byte("pid "+strconv.Itoa(os.Getpid())))
		fmt.Println("locked", err)
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		if release != nil && len(args) == 1 {
			err = release()
			fmt.Println("released", err)
		}
	case "die": // is killed at the n-th effect of a WriteFile
		at, _ := strconv.Atoi(args[1])
		n := 0
		m := Root(args[0], WithEffects(func(string, string) error {
			if n++; n == at {
				_ = unix.Kill(os.Getpid(), unix.SIGKILL)
				select {}
			}
			return nil
		}))
		if err := m.WriteFile("/f", []byte(newData), 0o600, Keep); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "small": // may not write files larger than args[1] bytes
		signal.Ignore(syscall.SIGXFSZ)
		size, _ := strconv.ParseUint(args[1], 10, 64)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: size}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		m := Root(args[0])
		err := m.WriteFile("/f", make([]byte, size+1), 0o644, Keep)
		again := m.Append("/log", make([]byte, size), 0o644)
		if !errors.Is(err, unix.EFBIG) || !errors.Is(again, unix.EFBIG) {
			fmt.Println(err, again)
			os.Exit(1)
		}
	}
	os.Exit(0)
}

func play(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	return cmd
}
