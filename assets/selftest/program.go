// Package selftest is the self-test of a Go runtime: what it does behind a program's
// back, done on purpose and checked. It is compiled by the toolchain that is tried, as a
// program of its own (steps/selftest has its text), and it is in goxin too, which can so
// try the runtime that it was built with where there is no Go at all.
//
// It needs Go 1.22, nothing but the standard library, and a process of its own: it sends
// itself signals and runs the collector.
package selftest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const size = 100_000

// A check says what it saw, or what was wrong.
type check struct {
	name string
	run  func() (string, error)
}

// Run does all checks and prints one JSON object a line for each. It gives the exit code:
// 0 if all of them held. self is how to start it anew; args are those behind that, of a
// process that another one started.
func Run(self, args []string) int {
	if len(args) > 0 {
		child(args[0])
		return 0
	}
	checks := []check{
		{"signals", signals},
		{"recovered-faults", faults},
		{"fault-address", address},
		{"preemption", preemption},
		{"registers", registers},
		{"traceback", func() (string, error) { return traceback(self) }},
		{"profile", profile},
		{"exec", func() (string, error) { return programs(self) }},
		{"network", network},
		{"files", files},
	}
	bad := 0
	out := json.NewEncoder(os.Stdout)
	for _, c := range checks {
		begin := time.Now()
		said, err := c.run()
		line := map[string]any{"check": c.name, "ok": err == nil, "ms": time.Since(begin).Milliseconds(), "said": said}
		if err != nil {
			bad++
			line["said"] = err.Error()
		}
		_ = out.Encode(line)
	}
	if bad > 0 {
		return 1
	}
	return 0
}

func child(what string) {
	switch what {
	case "echo":
		_, _ = io.Copy(os.Stdout, os.Stdin)
		os.Exit(7)
	case "sleep":
		signal.Reset() // whoever started this may have asked for signals
		fmt.Println("asleep")
		time.Sleep(time.Minute)
	case "crash":
		crash(nil)
	}
}

func start(self []string, what string) *exec.Cmd {
	return exec.Command(self[0], append(self[1:len(self):len(self)], what)...)
}

//go:noinline
func crash(p *int) { *p = 1 }

// signals are delivered, the real-time ones too, and ignored where that is asked.
func signals() (string, error) {
	all := []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGWINCH, syscall.Signal(35), syscall.Signal(60)}
	for round := range 20 {
		for _, s := range all {
			c := make(chan os.Signal, 1)
			signal.Notify(c, s)
			if err := syscall.Kill(os.Getpid(), s.(syscall.Signal)); err != nil {
				return "", err
			}
			select {
			case got := <-c:
				if got != s {
					return "", fmt.Errorf("%v came as %v", s, got)
				}
			case <-time.After(10 * time.Second):
				return "", fmt.Errorf("%v did not come in round %d", s, round)
			}
			signal.Stop(c)
			signal.Ignore(s)
			if err := syscall.Kill(os.Getpid(), s.(syscall.Signal)); err != nil {
				return "", err
			}
			signal.Reset(s)
		}
	}
	return fmt.Sprintf("%d signals of %d kinds came", 20*len(all), len(all)), nil
}

type fields struct {
	_ [2]int
	c int // not at the pointer itself
}

// faults of a nil pointer become panics, in many threads at once.
func faults() (string, error) {
	const threads, each = 8, 100
	var recovered atomic.Int64
	var all sync.WaitGroup
	for range threads {
		all.Add(1)
		go func() {
			defer all.Done()
			for range each {
				func() {
					defer func() {
						if e, ok := recover().(runtime.Error); ok && strings.Contains(e.Error(), "nil pointer") {
							recovered.Add(1)
						}
					}()
					var f *fields
					f.c++
				}()
			}
		}()
	}
	all.Wait()
	if n := recovered.Load(); n != threads*each {
		return "", fmt.Errorf("%d of %d faults became panics", n, threads*each)
	}
	return fmt.Sprintf("%d faults recovered in %d goroutines", threads*each, threads), nil
}

// address: a fault's address is the one that was touched.
func address() (said string, err error) {
	page, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return "", err
	}
	defer func() { _ = syscall.Munmap(page) }()
	const at = 129
	want := fmt.Sprintf("%p", &page[at])
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if e, ok := recover().(interface{ Addr() uintptr }); ok {
			if said, err = "a fault is where it was touched", nil; fmt.Sprintf("0x%x", e.Addr()) != want {
				err = fmt.Errorf("touched %s, and the fault is at %#x", want, e.Addr())
			}
		}
	}()
	touch(page, at)
	return "", errors.New("touching a protected page is no panic")
}

// touch is a call of its own: before a plain store the compiler may leave out what a
// deferred function is found by.
//
//go:noinline
func touch(page []byte, at int) { page[at] = 1 }

// preemption: a loop that never yields does not keep the collector from its work.
func preemption() (string, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var stop atomic.Bool
	done := make(chan uint64)
	go func() {
		var n uint64
		for !stop.Load() {
			n++
		}
		done <- n
	}()
	runtime.Gosched()
	begin := time.Now()
	for range 5 {
		runtime.GC()
	}
	took := time.Since(begin)
	stop.Store(true)
	n := <-done
	return fmt.Sprintf("5 collections in %d ms beside a loop of %d rounds", took.Milliseconds(), n), nil
}

// registers survive being interrupted anywhere: sums of floats and integers are exact,
// while collections and extra signals interrupt them.
func registers() (string, error) {
	const workers, rounds = 8, 12
	want, wantInt := sums()
	stop := make(chan struct{})
	var others, all sync.WaitGroup
	others.Add(2)
	go func() {
		defer others.Done()
		keep := make([][]byte, 256)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			keep[i%len(keep)] = make([]byte, 1<<12)
			if i%256 == 0 {
				runtime.GC()
			}
		}
	}()
	interrupts := 0
	go func() {
		defer others.Done()
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Microsecond):
				_ = syscall.Kill(os.Getpid(), syscall.SIGURG) // what the runtime interrupts itself by
				interrupts++
			}
		}
	}()
	var wrong atomic.Int64
	for range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for range rounds {
				if f, n := sums(); f != want || n != wantInt {
					wrong.Add(1)
				}
			}
		}()
	}
	all.Wait()
	close(stop)
	others.Wait()
	if n := wrong.Load(); n > 0 {
		return "", fmt.Errorf("%d of %d sums are wrong", n, workers*rounds)
	}
	return fmt.Sprintf("%d sums exact under %d signals", workers*rounds, interrupts), nil
}

//go:noinline
func sums() (float64, uint64) {
	f, g, n, m := 0.0, 1.0, uint64(1), uint64(88172645463325252)
	for i := 1; i <= 300_000; i++ {
		f += 1 / float64(i)
		g = math.Sqrt(g*g + 1)
		m ^= m << 13
		m ^= m >> 7
		m ^= m << 17
		n = n*6364136223846793005 + m
	}
	return f + g, n
}

// traceback: a program that dies of a fault says in which function.
func traceback(self []string) (string, error) {
	var errs bytes.Buffer
	c := start(self, "crash")
	c.Stderr = &errs
	err := c.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		return "", fmt.Errorf("a program with a fault ended with %s: %.200q", fmt.Sprint(err), errs.String())
	}
	if text := errs.String(); !strings.Contains(text, ".crash(") || !strings.Contains(text, "SIGSEGV") {
		return "", fmt.Errorf("a crash names no function: %.200q", text)
	}
	return "a crash names its function", nil
}

// profile: the profiling signal finds the function that takes the time.
func profile() (string, error) {
	var out bytes.Buffer
	if err := pprof.StartCPUProfile(&out); err != nil {
		return "", err
	}
	for begin := time.Now(); time.Since(begin) < time.Second; {
		sums()
	}
	pprof.StopCPUProfile()
	const least = 350 // bytes; one without samples has fewer
	if out.Len() < least {
		return "", fmt.Errorf("the profile of a busy second has %d bytes: no samples", out.Len())
	}
	return fmt.Sprintf("a profile of %d bytes", out.Len()), nil
}

// programs are started, fed, waited for and killed.
func programs(self []string) (string, error) {
	for range 20 {
		c := start(self, "echo")
		c.Stdin = strings.NewReader("through a pipe")
		out, err := c.Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 7 || string(out) != "through a pipe" {
			return "", fmt.Errorf("a child said %q and ended with %s, want exit code 7", out, fmt.Sprint(err))
		}
	}
	c := start(self, "sleep")
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return "", err
	}
	if _, err := io.ReadFull(out, make([]byte, len("asleep"))); err != nil {
		return "", err
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		return "", err
	}
	err = c.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		return "", fmt.Errorf("a child that was told to end ended with %s", fmt.Sprint(err))
	}
	return "22 programs run", nil
}

// network is TCP and UDP on the loopback, a socket in the file system, and a deadline.
func network() (string, error) {
	dir, err := os.MkdirTemp("", "selftest")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	for _, where := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(dir, "socket")}} {
		if err := echoes(where[0], where[1]); err != nil {
			return "", fmt.Errorf("%s: %w", where[0], err)
		}
	}
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer server.Close()
	conn, err := net.Dial("udp", server.LocalAddr().String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("datagram")); err != nil {
		return "", err
	}
	got := make([]byte, 100)
	_ = server.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, _, err := server.ReadFrom(got); err != nil || string(got[:n]) != "datagram" {
		return "", fmt.Errorf("udp: %q, %s", got[:n], fmt.Sprint(err))
	}
	_ = server.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, _, err := server.ReadFrom(got); !errors.Is(err, os.ErrDeadlineExceeded) {
		return "", fmt.Errorf("a deadline gives %s", fmt.Sprint(err))
	}
	return "20 connections of 100 kB each by TCP and by a socket file, a datagram, a deadline", nil
}

func echoes(network, address string) error {
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	const clients = 20
	errs := make(chan error, clients)
	for i := range clients {
		go func() { errs <- echo(network, l.Addr().String(), byte(i)) }()
	}
	for range clients {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return err
}

func echo(network, address string, with byte) error {
	c, err := net.DialTimeout(network, address, 10*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	sent := bytes.Repeat([]byte{with}, size)
	go func() { _, _ = c.Write(sent) }()
	got := make([]byte, size)
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, sent) {
		return errors.New("other bytes came back")
	}
	return nil
}

// files are written, found, changed and locked.
func files() (string, error) {
	dir, err := os.MkdirTemp("", "selftest")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	in := func(name string) string { return filepath.Join(dir, name) }
	when := time.Unix(1_000_000_000, 0)
	f, err := os.Create(in("a"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	var limits syscall.Rlimit
	var system syscall.Statfs_t
	err = errors.Join(
		f.Truncate(4096), syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), f.Sync(),
		os.Rename(in("a"), in("b")), os.Chmod(in("b"), 0o640), os.Chtimes(in("b"), when, when), os.Symlink("b", in("c")),
		syscall.Statfs(dir, &system), syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limits),
	)
	if err != nil {
		return "", err
	}
	opened, err1 := f.Stat()
	through, err2 := os.Stat(in("c"))
	link, err3 := os.Lstat(in("c"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return "", err
	}
	if !os.SameFile(opened, through) || link.Mode()&os.ModeSymlink == 0 || through.Mode().Perm() != 0o640 || through.Size() != 4096 || !through.ModTime().Equal(when) {
		return "", fmt.Errorf("a file is not what it was made: %v, %v, %d bytes, %v", link.Mode(), through.Mode(), through.Size(), through.ModTime())
	}
	const many = 300
	for i := range many {
		if err := os.WriteFile(in(fmt.Sprintf("many-%d", i)), nil, 0o600); err != nil {
			return "", err
		}
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != many+2 {
		return "", fmt.Errorf("%d of %d files found, %s", len(names), many+2, fmt.Sprint(err))
	}
	if limits.Cur == 0 || system.Bsize == 0 {
		return "", fmt.Errorf("limits %+v, file system %+v", limits, system)
	}
	return fmt.Sprintf("%d files", many+2), nil
}
