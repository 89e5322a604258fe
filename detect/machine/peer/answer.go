package peer

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"goxin/detect/machine"
)

// request is what a call asks.
type request struct {
	Name    raw           `json:"name,omitempty"`
	To      raw           `json:"to,omitempty"` // a link's target, a new name, an attribute, an address
	Mode    fs.FileMode   `json:"mode,omitempty"`
	Owner   machine.Owner `json:"owner,omitzero"`
	Value   []byte        `json:"value,omitempty"`
	None    bool          `json:"none,omitempty"` // no value at all: nil
	ID      uint64        `json:"id,omitempty"`
	Run     string        `json:"run,omitempty"` // a run's own name
	Argv    []raw         `json:"argv,omitempty"`
	Env     []raw         `json:"env,omitempty"`
	Stdin   bool          `json:"stdin,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// reply is what it gives.
type reply struct {
	Text   raw            `json:"text,omitempty"`
	Value  []byte         `json:"value,omitempty"`
	Info   machine.Info   `json:"info,omitzero"`
	Space  machine.Space  `json:"space,omitzero"`
	Kernel machine.Kernel `json:"kernel,omitzero"`
	Now    time.Time      `json:"now,omitzero"`
	ID     uint64         `json:"id,omitempty"`
}

// exchange is the agent's side of a call.
type exchange struct {
	q     request
	in    io.Reader
	out   io.Writer
	flush func() error
}

// say sends a frame at once.
func (x *exchange) say(k kind, parts ...[]byte) error {
	if err := writeFrame(x.out, k, parts...); err != nil {
		return err
	}
	return x.flush()
}

func (x *exchange) give(r reply) error {
	if err := writeJSON(x.out, kindJSON, r); err != nil {
		return err
	}
	return x.flush()
}

// rest is all of the data that comes with the request.
func (x *exchange) rest() ([]byte, error) { return io.ReadAll(&data{r: x.in}) }

// Write sends data.
func (x *exchange) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		k := min(len(p), chunk)
		if err := x.say(kindData, p[:k]); err != nil {
			return n, err
		}
		p, n = p[k:], n+k
	}
	return n, nil
}

// handle does one call.
func (s *seat) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	over := s.over
	if !over {
		s.calls.Add(1)
	}
	s.mu.Unlock()
	if over {
		return
	}
	defer s.calls.Done()
	x := &exchange{in: r.Body, out: w, flush: http.NewResponseController(w).Flush}
	err := x.flush() // the client waits for the headers before it goes on
	if err == nil {
		err = readJSON(r.Body, kindJSON, &x.q)
	}
	if err == nil {
		if do, ok := methods()[strings.TrimPrefix(r.URL.Path, "/")]; ok {
			err = do(s, r.Context(), x)
		} else {
			err = garbled(nil)
		}
	}
	if err == nil {
		_ = x.say(kindEnd)
	} else if writeJSON(w, kindEnd, faultOf(err)) != nil { // too large
		_ = writeJSON(w, kindEnd, &fault{Kind: faultOther, Text: textOf(err)})
	}
}

type method func(*seat, context.Context, *exchange) error

// simple is a call that takes a request and gives nothing.
func simple(f func(m machine.Machine, q request) error) method {
	return func(s *seat, _ context.Context, x *exchange) error { return f(s.a.m, x.q) }
}

// giving is one that gives something.
func giving(f func(m machine.Machine, q request) (reply, error)) method {
	return func(s *seat, _ context.Context, x *exchange) error {
		r, err := f(s.a.m, x.q)
		if err != nil {
			return err
		}
		return x.give(r)
	}
}

// taking is one that takes data.
func taking(f func(m machine.Machine, q request, data []byte) error) method {
	return func(s *seat, _ context.Context, x *exchange) error {
		b, err := x.rest()
		if err != nil {
			return err
		}
		return f(s.a.m, x.q, b)
	}
}

// methods are what a client may ask.
func methods() map[string]method {
	type M = machine.Machine
	return map[string]method{
		"stat":  giving(func(m M, q request) (r reply, err error) { r.Info, err = m.Stat(string(q.Name)); return }),
		"lstat": giving(func(m M, q request) (r reply, err error) { r.Info, err = m.Lstat(string(q.Name)); return }),
		"readlink": giving(func(m M, q request) (r reply, err error) {
			s, err := m.Readlink(string(q.Name))
			r.Text = raw(s)
			return
		}),
		"xattr": giving(func(m M, q request) (r reply, err error) {
			r.Value, err = m.Xattr(string(q.Name), string(q.To))
			return
		}),
		"space":  giving(func(m M, q request) (r reply, err error) { r.Space, err = m.Space(string(q.Name)); return }),
		"kernel": giving(func(m M, _ request) (r reply, err error) { r.Kernel, err = m.Kernel(); return }),
		"now":    giving(func(m M, _ request) (reply, error) { return reply{Now: m.Now()}, nil }),

		"mkdir":      simple(func(m M, q request) error { return m.Mkdir(string(q.Name), q.Mode, q.Owner) }),
		"remove":     simple(func(m M, q request) error { return m.Remove(string(q.Name)) }),
		"remove-all": simple(func(m M, q request) error { return m.RemoveAll(string(q.Name)) }),
		"symlink":    simple(func(m M, q request) error { return m.Symlink(string(q.To), string(q.Name)) }),
		"rename":     simple(func(m M, q request) error { return m.Rename(string(q.Name), string(q.To)) }),
		"chmod":      simple(func(m M, q request) error { return m.Chmod(string(q.Name), q.Mode) }),
		"chown":      simple(func(m M, q request) error { return m.Chown(string(q.Name), q.Owner) }),
		"clean":      simple(func(m M, q request) error { return m.Clean(string(q.Name)) }),
		"set-xattr": simple(func(m M, q request) error {
			if !q.None && q.Value == nil {
				q.Value = []byte{}
			}
			return m.SetXattr(string(q.Name), string(q.To), q.Value)
		}),

		"write":  taking(func(m M, q request, b []byte) error { return m.WriteFile(string(q.Name), b, q.Mode, q.Owner) }),
		"append": taking(func(m M, q request, b []byte) error { return m.Append(string(q.Name), b, q.Mode) }),
		"kernel-write": taking(func(m M, q request, b []byte) error {
			return m.WriteKernel(string(q.Name), b)
		}),

		"readdir": (*seat).readDir, "open": (*seat).open, "read": (*seat).read, "getenv": (*seat).getenv,
		"lock": (*seat).lock, "unlock": (*seat).unlock,
		"run": (*seat).run, "cancel": (*seat).cancel, "dial": (*seat).dial,
		"stage": (*seat).stage, "stage-mkdir": (*seat).stageMkdir, "stage-symlink": (*seat).stageSymlink, "stage-create": (*seat).stageCreate,
		"stage-commit": (*seat).stageCommit, "stage-discard": (*seat).stageDiscard,
	}
}

func (s *seat) readDir(_ context.Context, x *exchange) error {
	names, err := s.a.m.ReadDir(string(x.q.Name))
	for _, n := range names {
		if err == nil {
			err = writeFrame(x.out, kindLine, []byte(n))
		}
	}
	return err
}

func (s *seat) open(ctx context.Context, x *exchange) error {
	f, err := s.a.m.Open(string(x.q.Name))
	if err != nil {
		return err
	}
	defer f.Close()
	// A pipe or a device may keep a reader waiting for ever.
	defer context.AfterFunc(ctx, func() { _ = f.Close() })()
	if err := x.give(reply{}); err != nil {
		return err
	}
	_, err = io.CopyBuffer(x, struct{ io.Reader }{f}, make([]byte, chunk))
	return err
}

func (s *seat) read(_ context.Context, x *exchange) error {
	b, err := s.a.m.ReadFile(string(x.q.Name))
	if err == nil {
		_, err = x.Write(b)
	}
	return err
}

// getenv prefers what the line's other end was started with: a proxy that is set where
// people log in.
func (s *seat) getenv(_ context.Context, x *exchange) error {
	v, ok := s.env[string(x.q.Name)]
	if !ok {
		v = s.a.m.Getenv(string(x.q.Name))
	}
	return x.give(reply{Text: raw(v)})
}

func (s *seat) lock(_ context.Context, x *exchange) error {
	release, err := s.a.m.Lock(string(x.q.Name), x.q.Value)
	if err != nil {
		return err
	}
	id, err := s.keep(closing(release))
	if err != nil {
		return err
	}
	return x.give(reply{ID: id})
}

func (s *seat) unlock(_ context.Context, x *exchange) error {
	c, err := s.thing(x.q.ID, true)
	if err != nil {
		return err
	}
	return c.Close()
}

func (s *seat) run(ctx context.Context, x *exchange) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	if _, early := s.runs[x.q.Run]; early {
		cancel()
	}
	s.runs[x.q.Run] = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.runs, x.q.Run)
	}()
	c := machine.Command{Argv: unraw(x.q.Argv), Env: unraw(x.q.Env), Dir: string(x.q.Name), Timeout: x.q.Timeout}
	if x.q.Stdin {
		c.Stdin = &data{r: x.in}
	}
	return s.a.m.Run(ctx, c, func(line string) { _ = x.say(kindLine, []byte(line)) })
}

// cancel stops a run, also one whose request is still under way.
func (s *seat) cancel(_ context.Context, x *exchange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stop, ok := s.runs[x.q.Run]; ok {
		stop()
	} else {
		s.runs[x.q.Run] = func() {}
	}
	return nil
}

func (s *seat) dial(ctx context.Context, x *exchange) error {
	conn, err := s.a.m.Dial(ctx, string(x.q.Name), string(x.q.To))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := x.give(reply{}); err != nil {
		return err
	}
	go func() {
		_, err := io.Copy(conn, &data{r: x.in})
		if half, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
			_ = half.CloseWrite()
		}
	}()
	_, err = io.CopyBuffer(x, struct{ io.Reader }{conn}, make([]byte, chunk))
	return err
}

func (s *seat) stage(_ context.Context, x *exchange) error {
	st, err := s.a.m.Stage(string(x.q.Name))
	if err != nil {
		return err
	}
	id, err := s.keep(staging{st})
	if err != nil {
		return err
	}
	return x.give(reply{ID: id, Text: raw(st.Path())})
}

// staging is a stage that is discarded where it is left.
type staging struct{ machine.Stage }

func (s staging) Close() error { return s.Discard() }

func (s *seat) staged(x *exchange) (machine.Stage, error) {
	c, err := s.thing(x.q.ID, false)
	if err != nil {
		return nil, err
	}
	st, ok := c.(staging)
	if !ok {
		return nil, garbled(nil)
	}
	return st, nil
}

func (s *seat) stageMkdir(_ context.Context, x *exchange) error {
	st, err := s.staged(x)
	if err != nil {
		return err
	}
	return st.Mkdir(string(x.q.Name), x.q.Mode)
}

func (s *seat) stageSymlink(_ context.Context, x *exchange) error {
	st, err := s.staged(x)
	if err != nil {
		return err
	}
	return st.Symlink(string(x.q.To), string(x.q.Name))
}

// stageCreate leaves a file that was cut short open, and so without its mode: it goes
// with the stage.
func (s *seat) stageCreate(_ context.Context, x *exchange) error {
	st, err := s.staged(x)
	if err != nil {
		return err
	}
	f, err := st.Create(string(x.q.Name), x.q.Mode)
	if err != nil {
		return err
	}
	if err := x.give(reply{}); err != nil {
		return err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{f}, &data{r: x.in}, make([]byte, chunk)); err != nil {
		return err
	}
	return f.Close()
}

func (s *seat) stageCommit(_ context.Context, x *exchange) error {
	st, err := s.staged(x)
	if err != nil {
		return err
	}
	return st.Commit()
}

func (s *seat) stageDiscard(_ context.Context, x *exchange) error {
	st, err := s.staged(x)
	if err != nil {
		return err
	}
	return st.Discard()
}
