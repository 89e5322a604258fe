package machine

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// packed is this Go's own tree as a tar stream: some fifteen thousand small files.
func packed(b *testing.B) []byte {
	b.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	top := string(bytes.TrimSpace(root))
	err = filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == top || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		h, err := tar.FileInfoHeader(fi, "")
		if err != nil {
			return err
		}
		h.Name = "go" + p[len(top):]
		if err := w.WriteHeader(h); err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
	if err := errors.Join(err, w.Close()); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

func unpackInto(s Stage, archive []byte) error {
	if err := s.Mkdir("go", 0o755); err != nil {
		return err
	}
	r := tar.NewReader(bytes.NewReader(archive))
	buf := make([]byte, 64<<10)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeDir {
			if err := s.Mkdir(filepath.Clean(h.Name), h.FileInfo().Mode()); err != nil {
				return err
			}
			continue
		}
		f, err := s.Create(h.Name, h.FileInfo().Mode())
		if err != nil {
			return err
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{f}, r, buf); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
}

// BenchmarkStage puts a Stage beside tar(1), in memory, in alternating turns.
func BenchmarkStage(b *testing.B) {
	dir, err := os.MkdirTemp("/dev/shm", "goxin-stage")
	if err != nil {
		b.Fatal("a disk would be measured: ", err)
	}
	defer os.RemoveAll(dir)
	archive := packed(b)
	if err := os.WriteFile(dir+"/go.tar", archive, 0o600); err != nil {
		b.Fatal(err)
	}
	cpu := func() (ms float64) {
		for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
			var u unix.Rusage
			if err := unix.Getrusage(who, &u); err != nil {
				b.Fatal(err)
			}
			ms += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
		}
		return ms
	}
	clear := func() {
		b.StopTimer()
		if err := os.RemoveAll(dir + "/t"); err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		b.StartTimer()
	}
	b.Run("stage", func(b *testing.B) {
		var used float64
		for b.Loop() {
			used -= cpu()
			s, err := Root(dir).Stage("/t")
			if err == nil {
				err = unpackInto(s, archive)
			}
			if err == nil {
				err = s.Commit()
			}
			if err != nil {
				b.Fatal(err)
			}
			used += cpu()
			clear()
		}
		b.ReportMetric(used/float64(b.N), "cpu-ms/op")
	})
	b.Run("tar", func(b *testing.B) {
		var used float64
		for b.Loop() {
			used -= cpu()
			if err := os.Mkdir(dir+"/t", 0o755); err != nil {
				b.Fatal(err)
			}
			if out, err := exec.Command("tar", "xf", dir+"/go.tar", "-C", dir+"/t").CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			used += cpu()
			clear()
		}
		b.ReportMetric(used/float64(b.N), "cpu-ms/op")
	})
}
