package tui

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// crew counts the goroutines that work for the wizard, so that Run does not
// return before the operation in flight has ended.
type crew struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
	last   int
	late   map[int]reply // replies that nobody has received yet, by their id
}

func (c *crew) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.wg.Add(1)
	return true
}

func (c *crew) leave() { c.wg.Done() }

// sent keeps a reply until it is received: once the program has stopped, nobody
// does, and yet the end of an operation must be known.
func (c *crew) sent(epoch int, msg tea.Msg) reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	if c.late == nil {
		c.late = make(map[int]reply)
	}
	r := reply{epoch, c.last, msg}
	c.late[r.id] = r
	return r
}

// unreceived are the replies that nobody has received, in the order they came.
func (c *crew) unreceived() []reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Values(c.late), func(a, b reply) int { return a.id - b.id })
}

func (c *crew) received(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.late, id)
}

// close lets nobody in any more and waits for those inside.
func (c *crew) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wg.Wait()
}

// reply is what a job came back with. A reply to a page that is no longer there
// has an old epoch and is dropped.
type reply struct {
	epoch int
	id    int // 0: nobody waits for it
	msg   tea.Msg
}

// broken is the reply of a job that failed or panicked.
type broken struct{ err error }

// job runs fn in a goroutine and sends what it returns to the page that is
// current now; an error becomes a broken, a panic too. Its context ends with
// the page.
func (a *App) job(fn func(context.Context) (tea.Msg, error)) tea.Cmd {
	epoch, ctx, c := a.epoch, a.pageCtx, a.crew
	return a.crewed(func() tea.Msg {
		msg, err := fn(ctx)
		if err != nil {
			msg = broken{err}
		}
		return c.sent(epoch, msg)
	}, func(err error) tea.Msg { return c.sent(epoch, broken{err}) })
}

func (a *App) crewed(fn func() tea.Msg, panicked func(error) tea.Msg) tea.Cmd {
	c, crash := a.crew, a.crash
	return func() (msg tea.Msg) {
		if !c.enter() {
			return nil
		}
		defer c.leave()
		defer func() {
			if r := recover(); r != nil {
				crash(r, debug.Stack())
				msg = panicked(lang.Errorf(nil, "goxin itself failed: %v", "goxin 自身出错：%v", r).
					WithHint("the log (l) has the details", "详情见日志（l）"))
			}
		}()
		return fn()
	}
}

// saved is what writing the answers came to.
type saved struct {
	path string
	err  error
}

// saver writes the answers one version at a time; one that has been overtaken
// is not written.
type saver struct {
	save func(engine.Answers) (string, error)
	mu   sync.Mutex
	last int
	path string
}

func (s *saver) write(version int, a engine.Answers) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version < s.last {
		return "", false, nil
	}
	s.last = version
	path, err := s.save(a)
	if err == nil {
		s.path = path
	}
	return path, true, err
}

// saveAnswers writes the answers as they are now.
func (a *App) saveAnswers() tea.Cmd {
	if a.saver.save == nil {
		return nil
	}
	a.version++
	v, s, copied := a.version, a.saver, copyAnswers(a.answers)
	return a.crewed(func() tea.Msg {
		path, wrote, err := s.write(v, copied)
		if !wrote {
			return nil
		}
		return saved{path, err}
	}, func(err error) tea.Msg { return saved{err: err} })
}

func copyAnswers(a engine.Answers) engine.Answers {
	out := make(engine.Answers, len(a))
	for step, vs := range a {
		out[step] = copyValues(vs)
	}
	return out
}

func copyValues(vs engine.Values) engine.Values {
	out := make(engine.Values, len(vs))
	for k, v := range vs {
		switch v := v.(type) {
		case []string:
			out[k] = append([]string(nil), v...)
		case map[string]string:
			m := make(map[string]string, len(v))
			for k, e := range v {
				m[k] = e
			}
			out[k] = m
		default:
			out[k] = v
		}
	}
	return out
}

// crashLog keeps the stack of a panic for the log.
func (a *App) crashLog(r any, stack []byte) {
	a.feed.notify(engine.Event{What: engine.Output, Text: lang.Same(fmt.Sprintf("panic: %v\n%s", r, stack))})
}
