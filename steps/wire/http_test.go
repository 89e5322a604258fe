package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestAnAnswerIsCompleteWhenItSaysSo(t *testing.T) {
	for _, c := range []struct {
		name, in           string
		done, end, ok, bad bool // done: before the end of the stream
		node               string
	}{
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, true, true, false, ""},
		{"a node", "HTTP/1.0 200 OK\r\nx-goxin-node:  a1 \r\ncontent-length: 0\r\n\r\n", true, true, true, false, "a1"},
		{"until the end", "HTTP/1.1 200 OK\r\n\r\nok", false, true, true, false, ""},
		{"cut in its body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", false, false, true, false, ""},
		{"cut in its head", "HTTP/1.1 200 OK\r\nContent-", false, false, false, true, ""},
		{"nothing", "", false, false, false, true, ""},
		{"elsewhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", true, true, true, false, ""},
		{"no body", "HTTP/1.1 204 No Content\r\n\r\n", true, true, true, false, ""},
		{"a bad gateway", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", true, true, false, false, ""},
		{"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", true, false, false, true, ""},
		{"a status that is none", "HTTP/1.1 2000 OK\r\n\r\n", true, false, false, true, ""},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", true, false, false, true, ""},
		{"a line that is no header", "HTTP/1.1 200 OK\r\nhello\r\n\r\n", true, false, false, true, ""},
		{"an endless head", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", maxHead), true, false, false, true, ""},
	} {
		for _, step := range []int{1, 7, len(c.in) + 1} { // however it is cut
			var a Answer
			done := false
			for b := []byte(c.in); len(b) > 0 && !done; {
				n := min(step, len(b))
				done = a.Write(b[:n])
				b = b[n:]
			}
			if done != c.done || a.End() != c.end || a.OK() != c.ok || a.Wrong() != c.bad || string(a.Node()) != c.node {
				t.Errorf("%s by %d: done %v, end %v, ok %v, wrong %v, node %q", c.name, step, done, a.End(), a.OK(), a.Wrong(), a.Node())
			}
		}
	}
}

func FuzzAnAnswerIsReadAlikeHoweverItIsCut(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nX-Goxin-Node: a1\r\nContent-Length: 2\r\n\r\nok"), 3)
	f.Add([]byte("HTTP/1.1 200 OK\r\n:\r\n\r\n"), 1)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		if at < 0 || at > len(b) {
			at = len(b) / 2
		}
		var whole, cut Answer
		whole.Write(b)
		if !cut.Write(b[:at]) {
			cut.Write(b[at:])
		}
		if whole.OK() != cut.OK() || !bytes.Equal(whole.Node(), cut.Node()) {
			t.Errorf("%q at %d: %v %q, and %v %q", b, at, whole.OK(), whole.Node(), cut.OK(), cut.Node())
		}
	})
}
