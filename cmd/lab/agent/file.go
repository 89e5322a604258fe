package agent

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// transfer is a file on its way into the machine. It gets its final name,
// durably, only when all of it is there.
type transfer struct {
	s    *server
	id   uint32
	path string
	mode fs.FileMode
	file *os.File
	err  error
}

func (s *server) put(m message) {
	t := &transfer{s: s, id: m.ID, path: m.Path, mode: fs.FileMode(m.Mode)}
	t.file, t.err = os.OpenFile(m.Path+".lab-tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	s.add(m.ID, t)
}

func (t *transfer) input(data []byte) {
	if len(data) > 0 {
		if t.err == nil {
			_, t.err = t.file.Write(data)
		}
		return
	}
	t.finish()
	t.s.end(t.id, 0, t.err)
}

func (t *transfer) finish() {
	if t.file == nil {
		return
	}
	if t.err == nil {
		t.err = t.file.Chmod(t.mode.Perm())
	}
	if t.err == nil {
		t.err = t.file.Sync()
	}
	_ = t.file.Close()
	if t.err == nil {
		t.err = os.Rename(t.file.Name(), t.path)
	}
	if t.err != nil {
		_ = os.Remove(t.file.Name())
	}
}

func (t *transfer) resize(int, int)    {}
func (t *transfer) signal(unix.Signal) {}
func (t *transfer) abandon() {
	if t.file != nil {
		_ = t.file.Close()
		_ = os.Remove(t.file.Name())
	}
}

func (s *server) get(m message) {
	f, err := os.Open(m.Path)
	if err != nil {
		s.end(m.ID, -1, err)
		return
	}
	defer f.Close()
	var info fs.FileInfo
	if info, err = f.Stat(); err == nil && info.IsDir() {
		err = &fs.PathError{Op: "read", Path: m.Path, Err: unix.EISDIR}
	}
	if err == nil {
		_, err = f.WriteTo(sender{s, opOut, m.ID})
	}
	s.end(m.ID, 0, err)
}
