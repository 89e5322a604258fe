package peer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// mostRead bounds ReadFile and what one answer may hold in lines, in bytes.
const mostRead = 64 << 20

// call is our side of a call.
type call struct {
	s      *session
	body   io.ReadCloser
	cancel context.CancelFunc
}

// body is what a request consists of. The call waits until its last Read is over: where
// that may take for ever, stop has it end once nobody is at the other end any more.
type body struct {
	io.Reader
	stop func()
}

func (b body) Close() error {
	if b.stop != nil {
		b.stop()
	}
	return nil
}

// start sends a request, with data behind it if that is not nil.
func (s *session) start(ctx context.Context, method string, q request, more io.Reader) (*call, error) {
	var b bytes.Buffer
	if err := writeJSON(&b, kindJSON, q); err != nil {
		return nil, err
	}
	all := body{Reader: &b}
	if more != nil {
		all.Reader = io.MultiReader(&b, more)
	}
	if f, ok := more.(*framed); ok {
		all.stop = f.stop
	}
	ctx, cancel := context.WithCancel(ctx)
	// Not a *bytes.Reader alone: net/http would know how to send it again.
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://peer/"+method, all)
	if err != nil {
		cancel()
		return nil, err
	}
	res, err := s.http.Do(r)
	if err != nil {
		cancel()
		return nil, s.why(err)
	}
	if res.StatusCode != http.StatusOK {
		cancel()
		_ = res.Body.Close()
		return nil, garbled(nil)
	}
	return &call{s: s, body: res.Body, cancel: cancel}, nil
}

// why is what ended the link where that is what err comes from.
func (s *session) why(err error) error {
	if over := s.link.err(); over != nil {
		return over
	}
	return err
}

// errOver is the end of an answer without a fault. It is not io.EOF, which a fault may be.
var errOver = lang.Because(nil, "the call is over", "调用已结束")

// next is the next frame of the answer; the frame that ends it is errOver, or the fault.
func (c *call) next() (kind, []byte, error) {
	k, b, err := readFrame(c.body)
	switch {
	case errors.Is(err, io.EOF):
		return 0, nil, c.s.why(io.ErrUnexpectedEOF)
	case err != nil:
		return 0, nil, c.s.why(err)
	case k == kindEnd && len(b) == 0:
		return 0, nil, errOver
	case k == kindEnd:
		var f fault
		if err := readJSON(bytes.NewReader(appendFrame(nil, k, b)), k, &f); err != nil {
			return 0, nil, err
		}
		return 0, nil, f.err()
	}
	return k, b, nil
}

// reply is the one JSON frame that is expected next.
func (c *call) reply() (reply, error) {
	var r reply
	k, b, err := c.next()
	if err == nil {
		err = readJSON(bytes.NewReader(appendFrame(nil, k, b)), kindJSON, &r)
	}
	if errors.Is(err, errOver) {
		err = garbled(nil)
	}
	return r, err
}

func (c *call) close() error {
	c.cancel()
	return c.body.Close()
}

// lines hands the lines of the answer to out, up to its end, or out's error.
func (c *call) lines(out func(string) error) error {
	for {
		k, b, err := c.next()
		switch {
		case errors.Is(err, errOver):
			return nil
		case err != nil:
			return err
		case k != kindLine:
			return garbled(nil)
		}
		if err := out(string(b)); err != nil {
			return err
		}
	}
}

// nothing is what an answer has that only ends.
func nothing(string) error { return garbled(nil) }

// ask is a call with a reply and no more.
func (s *session) ask(ctx context.Context, method string, q request, more io.Reader) (reply, error) {
	c, err := s.start(ctx, method, q, more)
	if err != nil {
		return reply{}, err
	}
	defer c.close()
	r, err := c.reply()
	if err == nil {
		_, _, err = c.next()
	}
	if errors.Is(err, errOver) {
		err = nil
	}
	return r, err
}

// tell is a call without a reply.
func (s *session) tell(ctx context.Context, method string, q request, more io.Reader) error {
	c, err := s.start(ctx, method, q, more)
	if err != nil {
		return err
	}
	defer c.close()
	return c.lines(nothing)
}

// heard notes that somebody was told that a session is over.
func (m *Machine) heard(s *session, err error) error {
	if err != nil && s.link.err() != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		s.told = true
	}
	return err
}

// do makes a call on the session there is.
func (m *Machine) do(ctx context.Context, f func(*session) error) error {
	s, err := m.session(ctx)
	if err != nil {
		return err
	}
	return m.heard(s, f(s))
}

func (m *Machine) get(method string, q request) (r reply, err error) {
	err = m.do(context.Background(), func(s *session) error {
		r, err = s.ask(context.Background(), method, q, nil)
		return err
	})
	return r, err
}

func (m *Machine) set(method string, q request) error {
	return m.do(context.Background(), func(s *session) error { return s.tell(context.Background(), method, q, nil) })
}

// put is set with data.
func (m *Machine) put(method string, q request, b []byte) error {
	return m.do(context.Background(), func(s *session) error {
		return s.tell(context.Background(), method, q, &framed{r: bytes.NewReader(b)})
	})
}

// Stat is that of the peer, as is everything below.
func (m *Machine) Stat(name string) (machine.Info, error) {
	r, err := m.get("stat", request{Name: raw(name)})
	return r.Info, err
}

func (m *Machine) Lstat(name string) (machine.Info, error) {
	r, err := m.get("lstat", request{Name: raw(name)})
	return r.Info, err
}

func (m *Machine) ReadDir(name string) ([]string, error) {
	var names []string
	size := 0
	err := m.do(context.Background(), func(s *session) error {
		c, err := s.start(context.Background(), "readdir", request{Name: raw(name)}, nil)
		if err != nil {
			return err
		}
		defer c.close()
		return c.lines(func(n string) error {
			if size += len(n) + 1; size > mostRead {
				return &fs.PathError{Op: "readdir", Path: name, Err: syscall.EFBIG}
			}
			if n == "" || n == "." || n == ".." || strings.Contains(n, "/") {
				return garbled(nil) // no name that leads elsewhere
			}
			names = append(names, n)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

func (m *Machine) Readlink(name string) (string, error) {
	r, err := m.get("readlink", request{Name: raw(name)})
	return string(r.Text), err
}

// Open streams the file: the peer reads on as it is read here.
func (m *Machine) Open(name string) (io.ReadCloser, error) {
	var f *file
	err := m.do(context.Background(), func(s *session) error {
		c, err := s.start(context.Background(), "open", request{Name: raw(name)}, nil)
		if err != nil {
			return err
		}
		if _, err := c.reply(); err != nil {
			_ = c.close()
			return err
		}
		f = &file{m: m, c: c}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// file is the data of an answer.
type file struct {
	m    *Machine
	c    *call
	rest []byte
	err  error
}

func (f *file) Read(p []byte) (int, error) {
	for len(f.rest) == 0 && f.err == nil {
		k, b, err := f.c.next()
		if err == nil && k != kindData {
			err = garbled(nil)
		}
		if errors.Is(err, errOver) {
			err = io.EOF
		}
		f.rest, f.err = b, f.m.heard(f.c.s, err)
	}
	if len(f.rest) == 0 {
		return 0, f.err
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *file) Close() error { return f.c.close() }

func (m *Machine) ReadFile(name string) ([]byte, error) {
	var b []byte
	err := m.do(context.Background(), func(s *session) error {
		c, err := s.start(context.Background(), "read", request{Name: raw(name)}, nil)
		if err != nil {
			return err
		}
		defer c.close()
		b, err = io.ReadAll(io.LimitReader(&file{m: m, c: c}, mostRead+1))
		return err
	})
	if err == nil && len(b) > mostRead {
		err = &fs.PathError{Op: "read", Path: name, Err: syscall.EFBIG}
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (m *Machine) Xattr(name, attr string) ([]byte, error) {
	r, err := m.get("xattr", request{Name: raw(name), To: raw(attr)})
	if err == nil && r.Value == nil {
		r.Value = []byte{}
	}
	return r.Value, err
}

func (m *Machine) Space(name string) (machine.Space, error) {
	r, err := m.get("space", request{Name: raw(name)})
	return r.Space, err
}

func (m *Machine) WriteFile(name string, b []byte, mode fs.FileMode, owner machine.Owner) error {
	return m.put("write", request{Name: raw(name), Mode: mode, Owner: owner}, b)
}

func (m *Machine) Append(name string, b []byte, mode fs.FileMode) error {
	return m.put("append", request{Name: raw(name), Mode: mode}, b)
}

func (m *Machine) WriteKernel(name string, b []byte) error {
	return m.put("kernel-write", request{Name: raw(name)}, b)
}

func (m *Machine) Mkdir(name string, mode fs.FileMode, owner machine.Owner) error {
	return m.set("mkdir", request{Name: raw(name), Mode: mode, Owner: owner})
}

func (m *Machine) Remove(name string) error {
	return m.set("remove", request{Name: raw(name)})
}

func (m *Machine) RemoveAll(name string) error {
	return m.set("remove-all", request{Name: raw(name)})
}

func (m *Machine) Symlink(target, name string) error {
	return m.set("symlink", request{Name: raw(name), To: raw(target)})
}

func (m *Machine) Rename(from, to string) error {
	return m.set("rename", request{Name: raw(from), To: raw(to)})
}

func (m *Machine) Chmod(name string, mode fs.FileMode) error {
	return m.set("chmod", request{Name: raw(name), Mode: mode})
}

func (m *Machine) Chown(name string, owner machine.Owner) error {
	return m.set("chown", request{Name: raw(name), Owner: owner})
}

func (m *Machine) SetXattr(name, attr string, value []byte) error {
	return m.set("set-xattr", request{Name: raw(name), To: raw(attr), Value: value, None: value == nil})
}

func (m *Machine) Clean(name string) error {
	return m.set("clean", request{Name: raw(name)})
}

// Getenv is the environment of who logs in there, as far as it is about proxies.
func (m *Machine) Getenv(name string) string {
	r, err := m.get("getenv", request{Name: raw(name)})
	if err != nil {
		return ""
	}
	return string(r.Text)
}

func (m *Machine) Kernel() (machine.Kernel, error) {
	r, err := m.get("kernel", request{})
	return r.Kernel, err
}

// Now is the peer's clock; as it was last known to go, while the line is cut.
func (m *Machine) Now() time.Time {
	began := time.Now()
	if r, err := m.get("now", request{}); err == nil {
		m.learnClock(began, r.Now)
	}
	return time.Now().Add(time.Duration(m.skew.Load()))
}

// Lock is held by the agent: it outlives a cut line, and a new session takes it again.
func (m *Machine) Lock(name string, note []byte) (func() error, error) {
	h := &held{name: name, note: note}
	err := m.do(context.Background(), func(s *session) error {
		r, err := s.ask(context.Background(), "lock", request{Name: raw(name), Value: note}, nil)
		if err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		h.id = r.ID
		m.held[h] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		return m.do(context.Background(), func(s *session) error {
			m.mu.Lock()
			id, ours := h.id, m.held[h]
			delete(m.held, h)
			m.mu.Unlock()
			if !ours {
				return lang.Because(fs.ErrClosed, "the lock was let go already", "锁已释放")
			}
			return s.tell(context.Background(), "unlock", request{ID: id}, nil)
		})
	}, nil
}
