// Package cast writes a terminal session down as an asciicast, version 2, which
// asciinema and its players show (docs.asciinema.org/manual/asciicast/v2): a
// header, then a line of JSON for each thing that came to the screen. It records
// what is shown and never what is typed, and it masks the secrets it is told of.
package cast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Header is what a player has to know first.
type Header struct {
	Width, Height int               // of the terminal, in cells
	Env           map[string]string // TERM and LANG; nothing that names a person or a machine
}

// Options are how a session is recorded.
type Options struct {
	Now  func() time.Time // nil: time.Now
	Idle time.Duration    // longer waits are shortened to this; 0: they are kept
	// Secrets are masked wherever they are shown. More may come: Writer.Mask.
	Secrets []string
}

// Writer records one session. Its methods are safe for concurrent use and never
// fail: a recording that cannot go on must not stop the session. Err tells.
type Writer struct {
	mu    sync.Mutex
	w     io.Writer
	now   func() time.Time
	idle  time.Duration
	at    time.Duration // since the beginning, without what Idle took away
	last  time.Time
	mask  masker
	part  []byte // the beginning of a character whose end has not come
	w0    [2]int // the size that was written last
	shown bool   // something came to the screen
	err   error
}

// New begins a recording in w. Each event is one Write, so what a session that
// was cut off has left can be played.
func New(w io.Writer, h Header, o Options) (*Writer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Writer{w: w, now: o.Now, idle: o.Idle, last: o.Now(), w0: [2]int{h.Width, h.Height}}
	c.mask.add(o.Secrets...)
	c.line(struct {
		Version   int               `json:"version"`
		Width     int               `json:"width"`
		Height    int               `json:"height"`
		Timestamp int64             `json:"timestamp"`
		Env       map[string]string `json:"env,omitempty"`
	}{2, h.Width, h.Height, c.last.Unix(), h.Env})
	return c, c.err
}

// Output is what goes to the terminal, in pieces as they come.
func (c *Writer) Output(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.output(c.mask.next(b))
}

// Resize is a new size of the terminal, in cells.
func (c *Writer) Resize(width, height int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size := [2]int{width, height}; size != c.w0 {
		c.w0 = size
		c.output(c.mask.rest()) // it belongs to the old size
		c.event("r", fmt.Sprintf("%dx%d", width, height))
	}
}

// Mask takes secrets that were not known when the recording began. What has been
// shown before stays.
func (c *Writer) Mask(secrets ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mask.add(secrets...)
}

// Close writes what was held back. It does not close what New was given.
func (c *Writer) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.output(c.mask.rest())
	if len(c.part) > 0 {
		c.event("o", "\ufffd")
		c.part = nil
	}
	return c.err
}

// Empty reports whether nothing has come to the screen yet.
func (c *Writer) Empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.shown
}

// Err is why the recording has stopped; nil while it goes on.
func (c *Writer) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Writer) output(b []byte) {
	if len(b) == 0 {
		return
	}
	c.shown = true
	b = append(c.part, b...)
	whole := wholeRunes(b)
	c.part = bytes.Clone(b[whole:])
	if whole > 0 {
		c.event("o", string(bytes.ToValidUTF8(b[:whole], []byte("\ufffd"))))
	}
}

func (c *Writer) event(code, data string) {
	now := c.now()
	gap := max(now.Sub(c.last), 0) // a clock may be set back
	c.last = now
	if c.idle > 0 {
		gap = min(gap, c.idle)
	}
	c.at += gap
	c.line([]any{json.RawMessage(fmt.Sprintf("%.6f", c.at.Seconds())), code, data})
}

func (c *Writer) line(v any) {
	if c.err != nil {
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if c.err = e.Encode(v); c.err == nil {
		_, c.err = c.w.Write(b.Bytes())
	}
}
