package op

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/fetch"
	"goxin/steps/goroot"
)

// often is how much time lies between two lines about a download, at the least.
const often = 500 * time.Millisecond

// supply gives the archive from one source after another.
type supply struct {
	m      machine.Machine
	o      *Tree
	left   []string
	client *fetch.Client
	say    func(lang.Text)
	broken []error // sources that could not be read
}

func newSupply(m machine.Machine, o *Tree, say func(lang.Text)) *supply {
	return &supply{m: m, o: o, left: slices.Clone(o.Archive.Sources), say: say}
}

func (s *supply) close() {
	if s.client != nil {
		s.client.Close()
	}
}

// supplied is the archive from a file, or from some web servers that take over from
// one another.
type supplied struct {
	s      *supply
	tell   func(engine.Amount)
	file   string        // or
	stream *fetch.Stream // that of
	urls   []string
	r      io.ReadCloser
	also   io.Writer // gets what is read; may be nil
	err    error     // of reading

	n       int64
	at      string // the source at this moment
	since   time.Time
	told    time.Time
	started bool
}

// next is the next source that is left; nil: none.
func (s *supply) next(ctx context.Context) *supplied {
	tell := func(a engine.Amount) { engine.TellAmount(ctx, a) }
	for len(s.left) > 0 {
		first := s.left[0]
		if isURL(first) {
			n := 1
			for n < len(s.left) && isURL(s.left[n]) {
				n++
			}
			if s.client == nil {
				s.client = fetch.New(s.m, fetch.Options{})
			}
			f := &supplied{s: s, tell: tell, urls: slices.Clone(s.left[:n]), at: first}
			f.stream = s.client.Stream(ctx, f.urls, fetch.StreamOptions{Size: s.o.Want.Size, Say: f.moved})
			f.r = f.stream
			return f
		}
		var err error = lang.Errorf(nil, "neither an address nor an absolute path", "既不是网址，也不是绝对路径")
		if path.IsAbs(first) {
			var r io.ReadCloser
			info, e := s.m.Stat(first)
			if err = e; err == nil && !info.Mode.IsRegular() { // whoever holds the other end of a pipe could keep us waiting
				err = lang.Errorf(nil, "it is no regular file", "它不是普通文件")
			} else if err == nil {
				r, err = s.m.Open(first)
			}
			if err == nil {
				return &supplied{s: s, tell: tell, file: first, at: first, r: r}
			}
		}
		s.failed(&supplied{file: first}, err)
	}
	return nil
}

// failed puts a source away that cannot be read.
func (s *supply) failed(f *supplied, err error) {
	if f.stream != nil {
		s.left = s.left[len(f.urls):]
		e := lang.Errorf(err, "no server gave the archive", "没有服务器能提供该归档").
			WithHint("check this machine's network and proxy, or name another source", "请检查本机网络与代理设置，或指定其他来源")
		var told *lang.Error
		if errors.As(err, &told) {
			e.Cause = told.Cause // each server with its reason
		}
		s.broken = append(s.broken, e)
		return
	}
	s.left = s.left[1:]
	e := cannot(err, "no archive at %s", "%s 处没有可读的归档", Visible(f.file))
	if e.Hint.Empty() {
		e = e.WithHint("bring the archive there, or name another source", "请把归档放到该处，或指定其他来源")
	}
	s.broken = append(s.broken, e)
	s.say(lang.F("%s", "%s", e))
}

// refused puts those sources away that what was refused came from.
func (s *supply) refused(f *supplied, why error) error {
	var names []string
	for _, p := range f.parts() {
		names = append(names, sourceName(p.Source))
		if i := slices.Index(s.left, f.source(p)); i >= 0 {
			s.left = slices.Delete(s.left, i, i+1)
		}
	}
	if len(names) == 0 { // refused before its first byte: by nobody else than the first
		names = []string{sourceName(s.left[0])}
		s.left = s.left[1:]
	}
	slices.Sort(names)
	names = slices.Compact(names)
	e := lang.Errorf(why, "from %s", "来自 %s", strings.Join(names, ", "))
	s.say(lang.F("refused: %s", "已拒绝：%s", e))
	return e
}

// none is the error when no source is left: a refusal where one was refused.
func (s *supply) none(no []error) error {
	all := slices.Concat(no, s.broken)
	if len(all) == 0 {
		return lang.Errorf(nil, "there is no source", "没有可用来源")
	}
	err := all[0]
	if len(all) > 1 {
		err = errors.Join(all...)
	}
	if len(no) > 0 {
		return engine.Refusal{Err: err}
	}
	return err
}

// moved hears of the stream's source.
func (f *supplied) moved(st fetch.StreamState) {
	f.at = st.URL
	if !st.Why.Empty() {
		f.s.say(lang.F("%s: %s", "%s：%s", sourceName(st.URL), st.Why))
	}
}

func (f *supplied) Read(p []byte) (int, error) {
	if !f.started {
		f.started, f.since = true, f.s.m.Now()
		f.told = f.since
	}
	n, err := f.r.Read(p)
	f.n += int64(n)
	if n > 0 && f.also != nil {
		if _, err := f.also.Write(p[:n]); err != nil {
			return n, err
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	f.progress()
	return n, err
}

// progress tells how far it is, now and then.
func (f *supplied) progress() {
	now := f.s.m.Now()
	if now.Sub(f.told) < often {
		return
	}
	f.told = now
	of := ""
	size := f.s.o.Want.Size
	if f.stream != nil && size == 0 {
		size = f.stream.Size()
	}
	if size > 0 {
		of = megabytes(size)
	}
	a := engine.Amount{Done: f.n, Total: size, Rate: float64(f.n) / max(now.Sub(f.since).Seconds(), 0.001)}
	defer f.tell(a)
	done := fmt.Sprintf("%.1f", float64(f.n)/1e6)
	rate := fmt.Sprintf("%.1f MB/s", a.Rate/1e6)
	at := sourceName(f.at)
	if !isURL(f.at) {
		at = Visible(path.Dir(f.at)) // the plan has the file; a line of a terminal has no room for it
	}
	if of == "" {
		f.s.say(lang.F("%s MB, %s, from %s", "%s MB，%s，来自 %s", done, rate, at))
		return
	}
	f.s.say(lang.F("%s of %s, %s, from %s", "%s / %s，%s，来自 %s", done, of, rate, at))
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func (f *supplied) Close() { _ = f.r.Close() } // it was only read

// parts are which bytes came from where, as far as anything came.
func (f *supplied) parts() []goroot.Part {
	if f.stream == nil {
		return []goroot.Part{{Source: f.file, To: f.n}}
	}
	var out []goroot.Part
	for _, p := range f.stream.Parts() {
		if p.To == p.From {
			continue
		}
		if last := len(out) - 1; last >= 0 && out[last].Source == redacted(p.URL) {
			out[last].To = p.To
			continue
		}
		out = append(out, goroot.Part{Source: redacted(p.URL), From: p.From, To: p.To})
	}
	return out
}

// source is the source of a part as the op has it.
func (f *supplied) source(p goroot.Part) string {
	for _, u := range f.urls {
		if redacted(u) == p.Source {
			return u
		}
	}
	return p.Source
}

// redacted is an address without a password in it: what is kept is readable by all.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	u.User = nil
	return u.String()
}
