package wire

import (
	"bytes"
	"strconv"
)

// Answer reads an HTTP response as it comes, without keeping it: enough to know when it
// is complete, what it says of itself, and by which node. It takes what HTTP/1.0 was
// asked for, so no chunks. The zero Answer is at the beginning.
type Answer struct {
	head    [maxHead]byte
	n       int   // bytes in head
	inBody  bool  // the head is read
	left    int64 // of the body; -1: until the end of the stream
	status  int
	wrong   bool
	nodeAt  int
	nodeEnd int
}

const maxHead = 4 << 10

// Reset brings it back to the beginning.
func (a *Answer) Reset() {
	a.n, a.inBody, a.left, a.status, a.wrong, a.nodeAt, a.nodeEnd = 0, false, 0, 0, false, 0, 0
}

// Write takes the next bytes. It says whether the answer is complete, or never will be.
func (a *Answer) Write(b []byte) (done bool) {
	if a.wrong {
		return true
	}
	if !a.inBody {
		from := max(a.n-3, 0)
		took := copy(a.head[a.n:], b)
		a.n += took
		i := bytes.Index(a.head[from:a.n], headEnd)
		switch {
		case i < 0 && a.n == maxHead:
			a.wrong = true
			return true
		case i < 0:
			return false
		}
		end := from + i + len(headEnd)
		b = b[took-(a.n-end):]
		a.n = end
		a.inBody = true
		if !a.readHead() {
			a.wrong = true
			return true
		}
	}
	if a.left < 0 {
		return false
	}
	a.left -= int64(len(b))
	if a.left < 0 {
		a.left = 0
	}
	return a.left == 0
}

// End is the end of the stream. It says whether the answer is complete with it.
func (a *Answer) End() bool { return a.inBody && !a.wrong && (a.left < 0 || a.left == 0) }

// OK says that the status is one of success, or of being sent elsewhere.
func (a *Answer) OK() bool { return !a.wrong && a.status >= 200 && a.status < 400 }

// Wrong says that it is no HTTP.
func (a *Answer) Wrong() bool { return a.wrong || a.status == 0 }

// Node is what NodeHeader says; of the Answer, and good until its next Reset.
func (a *Answer) Node() []byte { return a.head[a.nodeAt:a.nodeEnd] }

var (
	headEnd   = []byte("\r\n\r\n")
	lineEnd   = []byte("\r\n")
	versions  = []byte("HTTP/1.")
	lengthIs  = []byte("Content-Length")
	nodeIs    = []byte(NodeHeader)
	noContent = map[int]bool{204: true, 304: true}
)

func (a *Answer) readHead() bool {
	h := a.head[:a.n]
	i := bytes.Index(h, lineEnd)
	line := h[:i]
	if !bytes.HasPrefix(line, versions) || len(line) < 12 || line[8] != ' ' {
		return false
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil || status < 100 || status > 599 || len(line) > 12 && line[12] != ' ' {
		return false
	}
	a.status, a.left = status, -1
	for at := i + 2; at < a.n-2; {
		end := bytes.Index(h[at:], lineEnd)
		name, value, ok := bytes.Cut(h[at:at+end], []byte(":"))
		from := at + len(name) + 1
		at += end + 2
		if !ok {
			return false
		}
		trimmed := bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, lengthIs):
			n, err := strconv.ParseInt(string(trimmed), 10, 64)
			if err != nil || n < 0 {
				return false
			}
			a.left = n
		case bytes.EqualFold(name, nodeIs) && len(trimmed) > 0:
			a.nodeAt = from + bytes.Index(value, trimmed)
			a.nodeEnd = a.nodeAt + len(trimmed)
		}
	}
	if noContent[status] {
		a.left = 0
	}
	return true
}
