package machine

import (
	"bytes"
	"strings"
	"sync"
)

// lineWriter hands a stream on line by line. Streams that share a lock are
// handed on one line at a time.
type lineWriter struct {
	mu   *sync.Mutex
	out  func(string) // nil: nobody listens
	keep int          // bytes of the stream's end to remember

	line []byte
	cut  bool // the rest of the line is dropped
	cr   bool // the last byte was CR
	last []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for rest := p; len(rest) > 0; {
		i := bytes.IndexAny(rest, "\r\n")
		if i < 0 {
			w.add(rest)
			break
		}
		w.add(rest[:i])
		w.end(rest[i] == '\r')
		rest = rest[i+1:]
	}
	return len(p), nil
}

func (w *lineWriter) add(p []byte) {
	if len(p) == 0 || w.cut {
		return
	}
	w.cr = false
	if room := maxLine - len(w.line); len(p) > room {
		p, w.cut = p[:room], true
	}
	w.line = append(w.line, p...)
}

// end ends a line. An empty one is a line only between two LFs: CR LF is one
// end, and programs put CR before as well as after their progress.
func (w *lineWriter) end(cr bool) {
	if empty := len(w.line) == 0; !empty || !cr && !w.cr {
		w.emit()
	}
	w.cr = cr
}

func (w *lineWriter) emit() {
	w.remember(string(w.line))
	if w.out != nil {
		w.out(string(w.line))
	}
	w.line, w.cut = w.line[:0], false
}

// flush hands on a last line that has no end.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) > 0 {
		w.emit()
	}
}

func (w *lineWriter) remember(line string) {
	if w.keep == 0 {
		return
	}
	w.last = append(append(w.last, Brief(line)...), '\n')
	if over := len(w.last) - w.keep; over > 0 {
		w.last = append(w.last[:0], w.last[over:]...)
	}
}

// Brief is a line of a program's that a person is to read: of a long one, such as a
// compiler's whole command line, the beginning and the end.
func Brief(line string) string {
	const begin, end = 200, 80 // bytes
	if len(line) <= begin+end {
		return line
	}
	return strings.ToValidUTF8(line[:begin], "") + " … " + strings.ToValidUTF8(line[len(line)-end:], "")
}

func (w *lineWriter) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.ToValidUTF8(string(w.last), "")
}
