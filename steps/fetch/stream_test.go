package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// net of a bubble: every name is a handler of its own, reached through pipes, so that
// only virtual time passes.
type bubble struct {
	machine.Machine
	to map[string]chan net.Conn
}

func (b *bubble) Getenv(string) string { return "" }
func (b *bubble) Now() time.Time       { return time.Now() }

func (b *bubble) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	name, _, _ := net.SplitHostPort(address)
	to := b.to[name]
	if to == nil {
		return nil, errors.New("dial tcp: connect: connection refused")
	}
	near, far := net.Pipe()
	select {
	case to <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inBubble runs f in virtual time with these hosts; a goroutine that is left behind
// fails the test.
func inBubble(t *testing.T, hosts map[string]http.HandlerFunc, f func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{to: map[string]chan net.Conn{}}
		for name, h := range hosts {
			l := &piped{make(chan net.Conn), make(chan struct{})}
			b.to[name] = l.in
			s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
			go s.Serve(l) //nolint:errcheck // it ends with the test
			t.Cleanup(func() { s.Close() })
		}
		c := New(b, Options{})
		t.Cleanup(c.Close)
		f(t, c)
	})
}

type piped struct {
	in   chan net.Conn
	done chan struct{}
}

func (l *piped) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *piped) Close() error {
	close(l.done)
	return nil
}

func (l *piped) Addr() net.Addr { return &net.TCPAddr{} }

// content is a megabyte that nobody confuses with another.
var content = func() []byte {
	b, rng := make([]byte, 1<<20), rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}()

const half = 1 << 19

// good serves b, ranges, If-Range and all.
func good(b []byte) http.HandlerFunc { return tagged(b, `"one"`) }

func tagged(b []byte, etag string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "go.tar.gz", time.Time{}, bytes.NewReader(b))
	}
}

// dies sends n bytes of its answer and breaks off.
func dies(n int, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h(&cutter{w, n}, r)
	}
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	n, _ := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		flush(c.ResponseWriter)
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func flush(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush() // the client may be gone
}

// hangs sends n bytes of its answer and then nothing.
func hangs(n int, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h(&hanger{w, r, n}, r)
	}
}

type hanger struct {
	http.ResponseWriter
	r    *http.Request
	left int
}

func (h *hanger) Write(p []byte) (int, error) {
	n, err := h.ResponseWriter.Write(p[:min(len(p), h.left)])
	if h.left -= n; h.left == 0 {
		flush(h.ResponseWriter)
		<-h.r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func (h *hanger) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// then is the first handler once, and the others after it; the last stays.
func then(all ...http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := all[0]
		if len(all) > 1 {
			all = all[1:]
		}
		h(w, r)
	}
}

// whole ignores ranges.
func whole(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		w.Write(b) //nolint:errcheck // the client may be gone
	}
}

// chunked tells no length.
func chunked(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		flush(w)
		w.Write(b) //nolint:errcheck // the client may be gone
	}
}

// ranged answers a request for a range with these headers and this body, and others
// well.
func ranged(contentRange string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" {
			good(content)(w, r)
			return
		}
		w.Header().Set("Content-Range", contentRange)
		w.WriteHeader(http.StatusPartialContent)
		w.Write(body) //nolint:errcheck // the client may be gone
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<html>Please log in</html>")
}

func flipped(at int) []byte {
	b := bytes.Clone(content)
	b[at] ^= 1
	return b
}

func urls(names ...string) (out []string) {
	for _, n := range names {
		out = append(out, "http://"+n+"/dl/go1.26.8.linux-amd64.tar.gz?x=1")
	}
	return out
}

// gave is a Stream's parts in short: "a:524288 b:524288", with the failures.
func gave(s *Stream) string {
	var out []string
	for _, p := range s.Parts() {
		host := strings.Split(p.URL, "/")[2]
		out = append(out, fmt.Sprintf("%s:%d", host, p.To-p.From))
	}
	return strings.Join(out, " ")
}

func TestAFileThatBreaksOffGoesOnWithoutAByteMissingOrTwice(t *testing.T) {
	repeated := content[half-overlap : half]
	for _, c := range []struct {
		story   string
		hosts   map[string]http.HandlerFunc
		sources string
		o       StreamOptions
		gave    string // host:bytes
		why     []Failure
	}{
		{story: "all is well", hosts: map[string]http.HandlerFunc{"a": good(content)}, sources: "a", gave: "a:1048576"},
		{story: "no length is told", hosts: map[string]http.HandlerFunc{"a": chunked(content)}, sources: "a", gave: "a:1048576"},
		{
			story: "dies half-way and goes on", hosts: map[string]http.HandlerFunc{"a": then(dies(half, good(content)), good(content))},
			sources: "a", gave: "a:524288 a:524288", why: []Failure{Shrunk},
		},
		{
			story: "dies half-way and is gone: the next", hosts: map[string]http.HandlerFunc{"a": then(dies(half, good(content)), dies(0, good(content))), "b": good(content)},
			sources: "a b", gave: "a:524288 a:0 b:524288", why: []Failure{Shrunk, NotHTTP},
		},
		{
			story: "stalls: the next", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": good(content)},
			sources: "a b", gave: "a:524288 b:524288", why: []Failure{Stalled},
		},
		{
			story: "never answers: the next", hosts: map[string]http.HandlerFunc{"a": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "b": good(content)},
			sources: "a b", gave: "a:0 b:1048576", why: []Failure{Stalled},
		},
		{
			story: "refuses, 404, 503, a page: the next", hosts: map[string]http.HandlerFunc{"b": status(404), "c": status(503), "d": page, "e": good(content)},
			sources: "a b c d e", gave: "a:0 b:0 c:0 d:0 e:1048576", why: []Failure{Refused, Status, Status, Page},
		},
		{
			story: "503 and then well again, alone", hosts: map[string]http.HandlerFunc{"a": then(status(503), status(503), good(content))},
			sources: "a", gave: "a:0 a:0 a:1048576", why: []Failure{Status, Status},
		},
		{
			story: "cut every 300 kB", hosts: map[string]http.HandlerFunc{"a": dies(300<<10, good(content))},
			sources: "a", gave: "a:307200 a:303104 a:303104 a:135168", why: []Failure{Shrunk, Shrunk, Shrunk},
		},
		{
			story: "200 instead of 206, and the same file", hosts: map[string]http.HandlerFunc{"a": then(dies(half, good(content)), whole(content))},
			sources: "a", gave: "a:524288 a:524288", why: []Failure{Shrunk},
		},
		{
			story: "200 instead of 206 without a length", hosts: map[string]http.HandlerFunc{"a": then(dies(half, good(content)), chunked(content))},
			sources: "a", gave: "a:524288 a:524288", why: []Failure{Shrunk},
		},
		{
			story: "200 instead of 206, and another file of this size", hosts: map[string]http.HandlerFunc{"a": then(dies(half, good(content)), whole(flipped(0))), "b": good(content)},
			sources: "a b", gave: "a:524288 a:0 b:524288", why: []Failure{Shrunk, Changed},
		},
		{
			story: "changed in between: its ETag is another, and so is all", hosts: map[string]http.HandlerFunc{"a": then(dies(half, good(content)), tagged(flipped(7), `"two"`)), "b": good(content)},
			sources: "a b", gave: "a:524288 a:0 b:524288", why: []Failure{Shrunk, Changed},
		},
		{
			story: "changed in between, and If-Range is not heeded", hosts: map[string]http.HandlerFunc{"a": then(dies(half, good(content)), func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del("If-Range")
				tagged(content, `"two"`)(w, r)
			}), "b": good(content)},
			sources: "a b", gave: "a:524288 a:0 b:524288", why: []Failure{Shrunk, Changed},
		},
		{
			story: "changed in between under the same ETag", hosts: map[string]http.HandlerFunc{"a": then(dies(half, good(content)), good(flipped(half-1))), "b": good(content)},
			sources: "a b", gave: "a:524288 a:0 b:524288", why: []Failure{Shrunk, Changed},
		},
		{
			story: "another file of this size at the next", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": good(flipped(half - 9)), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, Changed},
		},
		{
			story: "another size at the next", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": good(content[:len(content)-1]), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, WrongSize},
		},
		{
			story: "shorter at the next than what is there", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": good(content[:1000]), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, WrongSize},
		},
		{
			story: "another size than the catalogue's", hosts: map[string]http.HandlerFunc{"a": good(content[:half]), "b": good(content)},
			sources: "a b", o: StreamOptions{Size: 1 << 20}, gave: "a:0 b:1048576", why: []Failure{WrongSize},
		},
		{
			story: "longer than the catalogue's, and not told before", hosts: map[string]http.HandlerFunc{"a": chunked(append(bytes.Clone(content), 'x')), "b": good(content)},
			sources: "a b", o: StreamOptions{Size: 1 << 20}, gave: "* b:*", why: []Failure{Grown},
		},
		{
			story: "shorter than the catalogue's, and not told before", hosts: map[string]http.HandlerFunc{"a": chunked(content[:half]), "b": good(content)},
			sources: "a b", o: StreamOptions{Size: 1 << 20}, gave: "a:524288 a:0 b:524288", why: []Failure{Shrunk, Shrunk},
		},
		{
			story: "a page that says it is half a megabyte", hosts: map[string]http.HandlerFunc{"a": then(dies(0, whole(content[:half])), status(404)), "b": good(content)},
			sources: "a b", gave: "a:0 b:1048576", why: []Failure{NotHTTP},
		},
		{
			story: "a range from elsewhere", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": ranged("bytes 0-1048575/1048576", content), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, NoRange},
		},
		{
			story: "a range that ends early", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": ranged(fmt.Sprintf("bytes %d-%d/1048576", half-overlap, half-1), repeated), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, NoRange},
		},
		{
			story: "a range of an unknown whole", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": ranged(fmt.Sprintf("bytes %d-1048575/*", half-overlap), content[half-overlap:]), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, NoRange},
		},
		{
			story: "a range that says more than it sends", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": ranged(fmt.Sprintf("bytes %d-1048575/1048576", half-overlap), repeated), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, Shrunk},
		},
		{
			story: "no Content-Range at all", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": ranged("", content[half-overlap:]), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, NoRange},
		},
		{
			story: "a range whose length is another", hosts: map[string]http.HandlerFunc{"a": hangs(half, good(content)), "b": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-1048575/1048576", half-overlap))
				w.Header().Set("Content-Length", fmt.Sprint(overlap))
				w.WriteHeader(http.StatusPartialContent)
				w.Write(repeated) //nolint:errcheck // the client may be gone
			}, "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, NoRange},
		},
		{
			story: "of an unknown length, and shorter at the next than what is there", hosts: map[string]http.HandlerFunc{"a": hangs(half, chunked(content)), "b": whole(content[:1000]), "c": good(content)},
			sources: "a b c", gave: "a:524288 b:0 c:524288", why: []Failure{Stalled, WrongSize},
		},
		{
			story: "two bad answers, some good bytes, two bad answers", hosts: map[string]http.HandlerFunc{"a": then(status(503), status(503), dies(half, good(content)), status(503), status(503), good(content))},
			sources: "a", gave: "a:0 a:0 a:524288 a:0 a:0 a:524288", why: []Failure{Status, Status, Shrunk, Status, Status},
		},
		{
			story: "206 that nobody asked for", hosts: map[string]http.HandlerFunc{"a": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Range", "bytes 0-1048575/1048576")
				w.WriteHeader(206)
				w.Write(content) //nolint:errcheck // the client may be gone
			}, "b": good(content)},
			sources: "a b", gave: "a:0 b:1048576", why: []Failure{NoRange},
		},
		{
			story: "cut behind the last byte of a file whose length was not told", hosts: map[string]http.HandlerFunc{"a": then(dies(len(content), chunked(content)), good(content))},
			sources: "a", gave: "a:1048576 a:0", why: []Failure{Shrunk},
		},
	} {
		t.Run(c.story, func(t *testing.T) {
			inBubble(t, c.hosts, func(t *testing.T, client *Client) {
				var states []StreamState
				c.o.Say = func(s StreamState) { states = append(states, s) }
				s := client.Stream(t.Context(), urls(strings.Fields(c.sources)...), c.o)
				got, err := io.ReadAll(s)
				if err != nil || !bytes.Equal(got, content) {
					t.Fatalf("%d bytes, %v; %s", len(got), err, gave(s))
				}
				if s.Size() != int64(len(content)) {
					t.Errorf("size %d", s.Size())
				}
				if !strings.Contains(c.gave, "*") && gave(s) != c.gave {
					t.Errorf("%s, want %s", gave(s), c.gave)
				}
				parts := s.Parts()
				at := int64(0)
				for i, p := range parts {
					if p.From != at || p.To < p.From {
						t.Errorf("%+v at %d", p, at)
					}
					at = p.To
					var want lang.Text
					if i < len(c.why) {
						want = c.why[i].Text()
					}
					if !strings.HasPrefix(p.Why.EN, want.EN) || !strings.HasPrefix(p.Why.ZH, want.ZH) || (p.Why.EN == "") != (want.EN == "") {
						t.Errorf("part %d: %q, want %q", i, p.Why.EN, want.EN)
					}
				}
				if last := states[len(states)-1]; last.At < int64(len(content))-worthwhile || len(parts) != len(c.why)+1 {
					t.Errorf("%+v, %d parts", last, len(parts))
				}
				s.Close()
			})
		})
	}
}

func TestOnlyTheSameSourceIsHeldToItsFileByIfRange(t *testing.T) {
	const date = "Tue, 03 Nov 2026 00:00:00 GMT"
	for _, c := range []struct{ etag, modified, want string }{
		{`"strong"`, date, `"strong"`},
		{`W/"weak"`, date, date},
		{"", date, date},
		{`W/"weak"`, "", ""},
		{"", "", ""},
	} {
		var asked []string
		h := func(name string, then http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, fmt.Sprintf("%s %s %q", name, r.Header.Get("Range"), r.Header.Get("If-Range")))
				w.Header().Set("ETag", c.etag)
				w.Header().Set("Last-Modified", c.modified)
				r.Header.Del("If-Range")
				then(w, r)
			}
		}
		plain := func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "go.tar.gz", time.Time{}, bytes.NewReader(content))
		}
		hosts := map[string]http.HandlerFunc{"a": h("a", then(dies(half, plain), hangs(half/2, plain))), "b": h("b", plain)}
		inBubble(t, hosts, func(t *testing.T, client *Client) {
			s := client.Stream(t.Context(), urls("a", "b"), StreamOptions{})
			defer s.Close()
			if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, content) {
				t.Error(len(got), err)
			}
			want := []string{`a  ""`, fmt.Sprintf("a bytes=%d- %q", half-overlap, c.want), fmt.Sprintf(`b bytes=%d- ""`, half+half/2-2*overlap)}
			if !slices.Equal(asked, want) {
				t.Errorf("%q, want %q", asked, want)
			}
		})
	}
}

func TestWhenAllSourcesAreUsedUpEachHasItsReason(t *testing.T) {
	hosts := map[string]http.HandlerFunc{
		"missing": status(404), "broken": status(500), "login": page,
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	}
	inBubble(t, hosts, func(t *testing.T, c *Client) {
		start := time.Now()
		s := c.Stream(t.Context(), urls("missing", "broken", "closed", "login", "silent"), StreamOptions{Stall: 5 * time.Second})
		n, err := s.Read(make([]byte, 9))
		if n != 0 || err == nil {
			t.Fatal(n, err)
		}
		for _, want := range []string{
			"cannot download go1.26.8.linux-amd64.tar.gz",
			"http://missing/dl/go1.26.8.linux-amd64.tar.gz?x=1: answers without the file (HTTP status 404)",
			"http://broken/dl/go1.26.8.linux-amd64.tar.gz?x=1: answers without the file (HTTP status 500)",
			"http://closed/dl/go1.26.8.linux-amd64.tar.gz?x=1: the connection was refused",
			"http://login/dl/go1.26.8.linux-amd64.tar.gz?x=1: an HTML page",
			"http://silent/dl/go1.26.8.linux-amd64.tar.gz?x=1: stopped sending (no byte for 5s)",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\nlacks %s", err, want)
			}
		}
		for _, want := range []string{"无法下载 go1.26.8", "HTTP 状态码 404", "连接被拒绝", "停止发送数据"} {
			if zh := lang.Message(err, lang.ZH); !strings.Contains(zh, want) {
				t.Errorf("%s\nlacks %s", zh, want)
			}
		}
		if lang.Hint(err, lang.EN) == "" {
			t.Error("no hint")
		}
		var of *SourceError
		if !errors.As(err, &of) || Why(err) != Status {
			t.Errorf("%v", Why(err))
		}
		// three attempts at the three that may come back, with a growing rest between
		if got := gave(s); got != "missing:0 broken:0 closed:0 login:0 silent:0 broken:0 closed:0 silent:0 broken:0 closed:0 silent:0" {
			t.Error(got)
		}
		if took := time.Since(start); took != 3*5*time.Second+3*pause+3*2*pause {
			t.Errorf("it took %v", took)
		}
		if _, again := s.Read(make([]byte, 9)); again != err { //nolint:errorlint // the very same
			t.Error(again)
		}
	})
}

func TestWhoReadsSlowlyIsNoStall(t *testing.T) {
	inBubble(t, map[string]http.HandlerFunc{"a": good(content)}, func(t *testing.T, c *Client) {
		s := c.Stream(t.Context(), urls("a"), StreamOptions{Stall: time.Second})
		defer s.Close()
		for buf := make([]byte, 100_000); ; time.Sleep(time.Minute) { // virtual
			if _, err := s.Read(buf); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if gave(s) != "a:1048576" {
			t.Error(gave(s))
		}
	})
}

func TestTheOnlySourceMayDripAndIsAskedAnewWhenItStops(t *testing.T) {
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		for i := range 10 {
			w.Write(content[i : i+1]) //nolint:errcheck // the client may be gone
			flush(w)
			time.Sleep(900 * time.Millisecond) // virtual
		}
		<-r.Context().Done()
	}
	inBubble(t, map[string]http.HandlerFunc{"a": then(drip, good(content))}, func(t *testing.T, c *Client) {
		s := c.Stream(t.Context(), urls("a"), StreamOptions{Stall: time.Second})
		defer s.Close()
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, content) || gave(s) != fmt.Sprintf("a:10 a:%d", len(content)-10) {
			t.Error(len(got), err, gave(s))
		}
	})
}

// drips sends half of a file, and of the rest a byte now and then.
func drips(w http.ResponseWriter, r *http.Request) {
	left, header := half, r.Header.Get("Range")
	good(content)(&dripper{w, r, &left, header == ""}, r)
}

type dripper struct {
	http.ResponseWriter
	r     *http.Request
	left  *int
	first bool // half of it comes at once
}

func (d *dripper) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		k := 1
		if d.first {
			k = min(len(p)-n, max(1, *d.left))
		}
		k, err := d.ResponseWriter.Write(p[n : n+k])
		if n += k; err != nil {
			return n, err
		}
		if *d.left -= k; d.first && *d.left > 0 {
			continue
		}
		flush(d.ResponseWriter)
		select {
		case <-time.After(14 * time.Second): // virtual
		case <-d.r.Context().Done():
			return n, context.Canceled
		}
	}
	return n, nil
}

func TestASourceThatDripsIsLeftForOneThatDoesNot(t *testing.T) {
	inBubble(t, map[string]http.HandlerFunc{"a": drips, "b": good(content)}, func(t *testing.T, c *Client) {
		start := time.Now()
		var why []lang.Text
		s := c.Stream(t.Context(), urls("a", "b"), StreamOptions{Say: func(st StreamState) {
			if !st.Why.Empty() {
				why = append(why, st.Why)
			}
		}})
		defer s.Close()
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, content) || time.Since(start) > time.Minute {
			t.Error(len(got), err, gave(s), time.Since(start))
		}
		if len(why) != 1 || !strings.Contains(why[0].EN, "less than 1 KiB/s for 15s") {
			t.Error(why)
		}
	})
}

// Slow is better than nothing.
func TestASourceThatDripsIsKeptWhereThereIsNoOther(t *testing.T) {
	few := content[:half+20]
	dripping := func(w http.ResponseWriter, r *http.Request) {
		left := half
		good(few)(&dripper{w, r, &left, true}, r)
	}
	for story, hosts := range map[string]map[string]http.HandlerFunc{
		"alone":               {"a": dripping},
		"the other is none":   {"a": dripping, "b": status(404)},
		"the other drips too": {"a": dripping, "b": dripping},
	} {
		inBubble(t, hosts, func(t *testing.T, c *Client) {
			s := c.Stream(t.Context(), urls("a", "b")[:len(hosts)], StreamOptions{})
			defer s.Close()
			if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, few) {
				t.Error(story, len(got), err, gave(s))
			}
		})
	}
}

func TestAClosedOrCancelledStreamEndsAtOnce(t *testing.T) {
	hosts := map[string]http.HandlerFunc{"a": hangs(half, good(content)), "dead": status(500)}
	cause := errors.New("the person gave up")
	for story, end := range map[string]func(*Stream, context.CancelCauseFunc){
		"closed":    func(s *Stream, _ context.CancelCauseFunc) { s.Close() },
		"cancelled": func(_ *Stream, cancel context.CancelCauseFunc) { cancel(cause) },
	} {
		for _, source := range []string{"a", "dead"} { // in a read, and in a rest
			inBubble(t, hosts, func(t *testing.T, c *Client) {
				ctx, cancel := context.WithCancelCause(t.Context())
				s := c.Stream(ctx, urls(source), StreamOptions{Stall: time.Hour, Attempts: 9})
				start, ended := time.Now(), make(chan error)
				go func() {
					_, err := io.Copy(io.Discard, s)
					ended <- err
				}()
				time.Sleep(500 * time.Millisecond) // virtual
				end(s, cancel)
				err := <-ended
				if time.Since(start) != 500*time.Millisecond || err == nil || story == "cancelled" && !errors.Is(err, cause) {
					t.Errorf("%s, %s: %v after %v", story, source, err, time.Since(start))
				}
				s.Close()
				if _, err := s.Read(make([]byte, 1)); err == nil {
					t.Error("it reads on")
				}
			})
		}
	}
}

func TestABudgetEndsTheStreamAndNotTheSource(t *testing.T) {
	h, s := serve(t, good(content))
	c := client(t, h, Options{Budget: NewBudget(300_000)})
	stream := c.Stream(t.Context(), []string{s.URL, s.URL}, StreamOptions{})
	defer stream.Close()
	_, err := io.Copy(io.Discard, stream)
	if Why(err) != OverBudget || len(stream.Parts()) != 1 {
		t.Errorf("%v, %+v", err, stream.Parts())
	}
}

func TestNoSourcesAreAnError(t *testing.T) {
	h, _ := serve(t, http.NotFoundHandler())
	if _, err := client(t, h, Options{}).Stream(t.Context(), nil, StreamOptions{}).Read(make([]byte, 1)); err == nil {
		t.Error("it read")
	}
}

func TestEveryFailureIsToldInBothLanguages(t *testing.T) {
	for f, text := range clauses {
		if text.EN == "" || text.ZH == "" || text.EN == text.ZH || f.Text() != text {
			t.Errorf("%s: %q", f, text)
		}
	}
}

// What comes out of a stream that breaks off at any places is what went in.
func FuzzStream(f *testing.F) {
	f.Add(uint64(1), 3)
	f.Add(uint64(99), 7)
	f.Fuzz(func(t *testing.T, seed uint64, cuts int) {
		if cuts < 0 || cuts > 8 {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 3))
		kinds := []func(int, http.HandlerFunc) http.HandlerFunc{dies, hangs}
		serves := []http.HandlerFunc{good(content), whole(content), chunked(content), tagged(content, `W/"weak"`)}
		hosts := map[string]http.HandlerFunc{}
		var names []string
		for i := range 3 {
			var all []http.HandlerFunc
			for range cuts {
				all = append(all, kinds[rng.IntN(2)](rng.IntN(len(content)+1), serves[rng.IntN(4)]))
			}
			names = append(names, string(rune('a'+i)))
			hosts[names[i]] = then(append(all, good(content))...)
		}
		inBubble(t, hosts, func(t *testing.T, c *Client) {
			s := c.Stream(t.Context(), urls(slices.Clone(names)...), StreamOptions{Attempts: 20})
			defer s.Close()
			if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v: %s", len(got), err, gave(s))
			}
		})
	})
}
