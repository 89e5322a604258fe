package unpack

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"goxin/detect/machine"
)

// goTarball is a tarball of the Go that runs the test, in memory's file system: the
// disk is not what is measured.
func goTarball(b *testing.B) (dir, file string) {
	b.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	goroot := strings.TrimSpace(string(out))
	if dir, err = os.MkdirTemp("/dev/shm", "unpack"); err != nil {
		b.Skip(err) // no tmpfs here
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	file = filepath.Join(dir, "go.tar.gz")
	cmd := exec.Command("tar", "-C", filepath.Dir(goroot), "-czf", file, "--transform", "s,^"+filepath.Base(goroot)+",go,", filepath.Base(goroot))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return dir, file
}

// spent is the processor time of this process so far.
func spent(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAgainstTar unpacks the same tarball with all hashing and with tar, which
// verifies nothing, by turns. The figures by processor time are those that a busy
// machine does not spoil.
func BenchmarkAgainstTar(b *testing.B) {
	dir, file := goTarball(b)
	var ours, theirs, only, oursCPU, theirsCPU time.Duration
	open := func() *os.File {
		f, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		return f
	}
	var size int64
	for b.Loop() {
		start := time.Now()
		cmd := exec.Command("tar", "-xzf", file, "-C", dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		theirs += time.Since(start)
		theirsCPU += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() // gzip's, too
		os.RemoveAll(filepath.Join(dir, "go"))

		st, err := machine.Root(dir).Stage("/go")
		if err != nil {
			b.Fatal(err)
		}
		f := open()
		start = time.Now()
		before := spent(b)
		res, err := Into(b.Context(), f, st, GoTar())
		ours += time.Since(start)
		oursCPU += spent(b) - before
		f.Close()
		if err != nil {
			b.Fatal(err)
		}
		size = 0
		for _, f := range res.Manifest.Files {
			size += f.Size
		}
		if err := st.Discard(); err != nil {
			b.Fatal(err)
		}

		f = open()
		start = time.Now()
		if _, err := Read(b.Context(), io.Reader(f), GoTar()); err != nil {
			b.Fatal(err)
		}
		only += time.Since(start)
		f.Close()
	}
	b.SetBytes(size)
	b.ReportMetric(ours.Seconds()/float64(b.N), "s/unpack")
	b.ReportMetric(theirs.Seconds()/float64(b.N), "s/tar")
	b.ReportMetric(only.Seconds()/float64(b.N), "s/read")
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "unpack/tar")
	b.ReportMetric(oursCPU.Seconds()/float64(b.N), "cpu-s/unpack")
	b.ReportMetric(oursCPU.Seconds()/theirsCPU.Seconds(), "cpu:unpack/tar")
}
