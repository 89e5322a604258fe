package cast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
)

// clock moves when it is told to.
type clock struct{ t time.Time }

func newClock() *clock                  { return &clock{time.Unix(1_800_000_000, 0)} }
func (c *clock) now() time.Time         { return c.t }
func (c *clock) passes(d time.Duration) { c.t = c.t.Add(d) }

// event is a line of a recording as a player reads it.
type event struct {
	at         float64
	code, data string
}

// read is what a player does: it refuses what the format does not allow.
func read(t testing.TB, b []byte) (Header, []event) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
	var h struct {
		Version, Width, Height int
		Timestamp              int64
		Env                    map[string]string
	}
	if err := json.Unmarshal(lines[0], &h); err != nil || h.Version != 2 || h.Width < 1 || h.Height < 1 {
		t.Fatalf("header %s: %v", lines[0], err)
	}
	var evs []event
	for _, l := range lines[1:] {
		var at float64
		var code, data string
		if err := json.Unmarshal(l, &[]any{&at, &code, &data}); err != nil {
			t.Fatalf("event %s: %v", l, err)
		}
		if n := len(evs); n > 0 && at < evs[n-1].at {
			t.Fatalf("time goes back at %s", l)
		}
		evs = append(evs, event{at, code, data})
	}
	return Header{h.Width, h.Height, h.Env}, evs
}

func shown(evs []event) string {
	var b strings.Builder
	for _, e := range evs {
		if e.code == "o" {
			b.WriteString(e.data)
		}
	}
	return b.String()
}

func record(t testing.TB, c *clock, o Options) (*Writer, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	o.Now = c.now
	w, err := New(&b, Header{Width: 80, Height: 24, Env: map[string]string{"TERM": "xterm-256color"}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return w, &b
}

func TestARecordingIsWhatThePlayersRead(t *testing.T) {
	c := newClock()
	w, b := record(t, c, Options{})
	c.passes(248848 * time.Microsecond)
	w.Output([]byte("\x1b[1mHi <&>\r\n"))
	w.Resize(80, 24) // it is that already
	c.passes(time.Second)
	w.Resize(132, 43)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := `{"version":2,"width":80,"height":24,"timestamp":1800000000,"env":{"TERM":"xterm-256color"}}
[0.248848,"o","\u001b[1mHi <&>\r\n"]
[1.248848,"r","132x43"]
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b, want)
	}
}

// TestTheLastScreenOfARecordingIsTheRealOne plays what was recorded, in pieces of
// every size, on a terminal beside the real one.
func TestTheLastScreenOfARecordingIsTheRealOne(t *testing.T) {
	session := "\x1b[?1049h\x1b[2J\x1b[H\x1b[1;32m✓ 软件源\x1b[0m 麒麟官方 update  41 MB/s\r\n" +
		"\x1b[3;10H\x1b[7m鲲鹏 920\x1b[27m é 😀\x1b[10;1Hone\x1b[2K\rtwo\r\n\x1b[38;5;42mcolour\x1b[m"
	for size := 1; size < 12; size++ {
		c := newClock()
		w, b := record(t, c, Options{Secrets: []string{"920 hidden", "\x1b[nothing"}})
		real := vt.NewEmulator(80, 24)
		for rest := []byte(session); len(rest) > 0; {
			n := min(size, len(rest))
			_, _ = real.Write(rest[:n])
			w.Output(rest[:n])
			rest = rest[n:]
			c.passes(time.Millisecond)
		}
		real.Resize(100, 30)
		w.Resize(100, 30)
		_, _ = real.Write([]byte("\x1b[20;3H末行"))
		w.Output([]byte("\x1b[20;3H末行"))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		h, evs := read(t, b.Bytes())
		again := vt.NewEmulator(h.Width, h.Height)
		for _, e := range evs {
			switch e.code {
			case "o":
				_, _ = again.Write([]byte(e.data))
			case "r":
				var x, y int
				if _, err := fmt.Sscanf(e.data, "%dx%d", &x, &y); err != nil {
					t.Fatal(err)
				}
				again.Resize(x, y)
			}
		}
		if got, want := again.Render(), real.Render(); got != want || !strings.Contains(want, "鲲鹏") || !strings.Contains(want, "末行") {
			t.Fatalf("in pieces of %d:\n%q\nreal\n%q", size, got, want)
		}
	}
}

func TestBytesThatAreNoTextAreReplaced(t *testing.T) {
	for in, want := range map[string]string{
		"a\xffb":           "a\ufffdb",
		"\xd2\xf8\xba\xd3": "\ufffd", // GBK; ToValidUTF8 makes one of a run
		"end\xe9\xba":      "end\ufffd",
		"\x80\x80\x80ok":   "\ufffdok",
	} {
		w, b := record(t, newClock(), Options{})
		for i := range len(in) {
			w.Output([]byte(in[i : i+1]))
		}
		_ = w.Close()
		_, evs := read(t, b.Bytes())
		got := shown(evs)
		for strings.Contains(got, "\ufffd\ufffd") {
			got = strings.ReplaceAll(got, "\ufffd\ufffd", "\ufffd")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWaitsAreKeptOrShortened(t *testing.T) {
	for idle, want := range map[time.Duration]float64{0: 3605.5, 2 * time.Second: 4.5} {
		c := newClock()
		w, b := record(t, c, Options{Idle: idle})
		for _, d := range []time.Duration{500 * time.Millisecond, time.Hour, 5 * time.Second, -time.Minute} {
			c.passes(d)
			w.Output([]byte("x"))
		}
		_, evs := read(t, b.Bytes())
		if got := evs[len(evs)-1].at; got != want {
			t.Errorf("idle %v: ends at %v, want %v", idle, got, want)
		}
	}
}

const canary = "correct-horse"

// TestASecretIsMaskedWhereverItIsCut cuts a secret, and the text around it, at
// every two positions.
func TestASecretIsMaskedWhereverItIsCut(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"pw=" + canary + ";", "pw=********;"},
		{canary, "********"},
		{canary + canary, "********"},
		{canary[:len(canary)-1] + "X" + canary[:5], canary[:len(canary)-1] + "X" + canary[:5]},
		{"correct-correct-horse-power", "correct-********"}, // one secret begins within another
		{"锁correct-horse锁", "锁********锁"},
	} {
		for i := range len(c.text) + 1 {
			for j := i; j <= len(c.text); j++ {
				w, b := record(t, newClock(), Options{Secrets: []string{canary, "horse-power", "", "abc"}})
				for _, piece := range []string{c.text[:i], c.text[i:j], c.text[j:]} {
					w.Output([]byte(piece))
				}
				_ = w.Close()
				_, evs := read(t, b.Bytes())
				if got := shown(evs); got != c.want {
					t.Fatalf("%q cut at %d and %d: %q, want %q", c.text, i, j, got, c.want)
				}
			}
		}
	}
}

func TestASecretLearntLaterIsMaskedFromThenOn(t *testing.T) {
	w, b := record(t, newClock(), Options{})
	w.Mask(canary)
	w.Output([]byte("it is " + canary))
	_ = w.Close()
	if strings.Contains(b.String(), canary) {
		t.Error(b)
	}
}

// full is a disk with room for n bytes.
type full struct {
	bytes.Buffer
	n int
}

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	if f.Len()+len(b) > f.n {
		return 0, errFull
	}
	return f.Buffer.Write(b)
}

func TestAFullDiskEndsTheRecordingAndNotTheSession(t *testing.T) {
	f := &full{n: 150}
	w, err := New(f, Header{Width: 80, Height: 24}, Options{Now: newClock().now})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		w.Output([]byte("0123456789"))
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("closed with %v", err)
	}
	if _, evs := read(t, f.Bytes()); len(evs) == 0 {
		t.Error("what was written before is not there")
	}
	if _, err := New(&full{}, Header{Width: 80, Height: 24}, Options{Now: newClock().now}); !errors.Is(err, errFull) {
		t.Errorf("began with %v", err)
	}
}

func FuzzARecordingIsAlwaysReadAndNeverTellsTheSecret(f *testing.F) {
	f.Add([]byte("pw="+canary+"\x1b[0m"), 3)
	f.Add([]byte("\xe9\x92\xa5\xff\x80"), 1)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		size = max(size%64, 1)
		w, b := record(t, newClock(), Options{Secrets: []string{canary, "horse-power"}})
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			w.Output(rest[:n])
			rest = rest[n:]
		}
		_ = w.Close()
		_, evs := read(t, b.Bytes())
		if got := shown(evs); strings.Contains(got, canary) || strings.Contains(got, "horse-power") {
			t.Errorf("%q tells the secret", got)
		}
	})
}
