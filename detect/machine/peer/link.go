package peer

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

// pace is how a link watches its line.
type pace struct {
	ping  time.Duration // how often something is sent at least
	quiet time.Duration // after how long without a word the line counts as cut
}

func usualPace() pace { return pace{ping: 10 * time.Second, quiet: 30 * time.Second} }

// farewell is how long the other end has to take leave.
const farewell = 2 * time.Second

// most is how much a link keeps in each direction, in bytes, before its writer, or the
// line, has to wait.
const most = 4 << 20

// link is one end of a connection that outlives the lines that carry it. What the other
// end has not acknowledged is kept, and sent again on the next line. It is a net.Conn
// without deadlines.
type link struct {
	pace  pace
	leave error // what it means that the other end says that the link is over

	mu   sync.Mutex
	cond *sync.Cond
	// out begins at the offset base: what was acknowledged is not there any more. sent
	// is the offset up to which the line that is there was given it.
	out        []byte
	base, sent uint64
	// in is what was received and not read yet, got how much was received in all, and
	// told how much of that the other end knows of.
	in        []byte
	got, told uint64
	line      *line // nil: cut
	over      error // why there will be no other line
	heard     bool  // over since the other end said so
}

// line is what carries a link for a while.
type line struct {
	conn io.Closer
	ping bool // say something, be it nothing
	cut  bool
}

func newLink(p pace) *link {
	l := &link{pace: p, leave: io.EOF}
	l.cond = sync.NewCond(&l.mu)
	return l
}

// Read gives what was received; then, once the link is over, why.
func (l *link) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.in) == 0 && l.over == nil {
		l.cond.Wait()
	}
	if len(l.in) == 0 {
		return 0, l.over
	}
	n := copy(p, l.in)
	if l.in = l.in[n:]; len(l.in) == 0 {
		l.in = nil
	}
	l.cond.Broadcast()
	return n, nil
}

// Write takes what it is given at once, line or no line, while there is room.
func (l *link) Write(p []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(p) > 0 {
		for len(l.out) >= most && l.over == nil {
			l.cond.Wait()
		}
		if l.over != nil {
			return n, l.over
		}
		k := min(len(p), most-len(l.out))
		l.out = append(l.out, p[:k]...)
		p, n = p[k:], n+k
		l.cond.Broadcast()
	}
	return n, nil
}

// Close tells the other end, if there is a line, that the link is over.
func (l *link) Close() error {
	l.fail(net.ErrClosed)
	return nil
}

// fail ends the link; the first reason counts.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == nil {
		l.over = err
	}
	l.cond.Broadcast()
}

// err is why the link is over; nil while it is not.
func (l *link) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// hush cuts the line there is, waits until nothing comes from it any more, and gives
// how much was received.
func (l *link) hush() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.line != nil {
		l.line.break_()
		l.cond.Broadcast()
		l.cond.Wait()
	}
	return l.got
}

// break_ is called with the link's lock held.
func (c *line) break_() {
	if !c.cut {
		c.cut = true
		_ = c.conn.Close() // wakes who reads it or writes to it
	}
}

// carry has conn carry the link until it breaks, which is nil, or the link is over. The
// other end has received theirs bytes so far. It closes conn.
func (l *link) carry(conn io.ReadWriteCloser, theirs uint64) error {
	l.hush()
	l.mu.Lock()
	c := &line{conn: conn}
	if !l.acknowledged(theirs, l.sent) {
		l.mu.Unlock()
		_ = conn.Close()
		l.fail(garbled(nil))
		return l.err()
	}
	l.sent, l.told, l.line = theirs, l.got, c
	l.mu.Unlock()

	quiet := time.AfterFunc(l.pace.quiet, func() { l.snap(c) })
	ping := time.AfterFunc(l.pace.ping, func() { l.remind(c) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		if l.talk(c, conn, ping) {
			time.AfterFunc(farewell, func() { l.snap(c) }) // the other end closes first: then it has heard
			return
		}
		l.snap(c)
	}()
	l.listen(c, conn, quiet)
	l.snap(c)
	<-done
	quiet.Stop()
	ping.Stop()

	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = nil
	l.cond.Broadcast()
	return l.over
}

func (l *link) snap(c *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.break_()
	l.cond.Broadcast()
}

func (l *link) remind(c *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.ping = true
	l.cond.Broadcast()
}

// acknowledged forgets what the other end has. It is called with the lock held.
func (l *link) acknowledged(theirs, upTo uint64) bool {
	if theirs < l.base || theirs > upTo {
		return false
	}
	if l.out = l.out[theirs-l.base:]; len(l.out) == 0 {
		l.out = nil
	}
	l.base = theirs
	l.cond.Broadcast()
	return true
}

// talk sends what there is to send; true: up to the word that the link is over.
func (l *link) talk(c *line, w io.Writer, ping *time.Timer) bool {
	var buf []byte
	for {
		frame, last := l.next(c, buf[:0])
		if frame == nil {
			return false
		}
		ping.Reset(l.pace.ping)
		if _, err := w.Write(frame); err != nil || last {
			return err == nil
		}
		buf = frame
	}
}

// next waits for the next frame to send; nil: there is none any more.
func (l *link) next(c *line, buf []byte) (frame []byte, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		unsent := l.out[l.sent-l.base:]
		switch {
		case c.cut || l.heard:
			return nil, true
		case l.over != nil && len(unsent) == 0:
			return appendFrame(buf, kindOver), true
		case len(unsent) > 0, l.got-l.told >= chunk, c.ping:
			unsent = unsent[:min(len(unsent), chunk)]
			l.sent += uint64(len(unsent))
			l.told, c.ping = l.got, false
			return appendFrame(buf, kindCarry, binary.BigEndian.AppendUint64(nil, l.got), unsent), false
		}
		l.cond.Wait()
	}
}

// listen takes what comes.
func (l *link) listen(c *line, r io.Reader, quiet *time.Timer) {
	for {
		k, b, err := readFrame(r)
		if err != nil {
			return // whatever it was: the next line begins where this one got to
		}
		quiet.Stop()
		if !l.take(c, k, b) {
			return
		}
		quiet.Reset(l.pace.quiet)
	}
}

func (l *link) take(c *line, k kind, b []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case k == kindOver:
		l.heard = true
		if l.over == nil {
			l.over = l.leave
		}
		l.cond.Broadcast()
		return false
	case k != kindCarry || len(b) < 8 || !l.acknowledged(binary.BigEndian.Uint64(b), l.sent):
		if l.over == nil {
			l.over = garbled(nil)
		}
		l.heard = true // nobody there to tell
		l.cond.Broadcast()
		return false
	}
	for len(l.in) >= most && !c.cut && l.over == nil {
		l.cond.Wait()
	}
	if c.cut {
		return false // not received: it comes again
	}
	l.in = append(l.in, b[8:]...)
	l.got += uint64(len(b) - 8)
	l.cond.Broadcast()
	return true
}

// The rest of a net.Conn.

type linkAddr struct{}

func (linkAddr) Network() string { return "goxin" }
func (linkAddr) String() string  { return "peer" }

func (l *link) LocalAddr() net.Addr              { return linkAddr{} }
func (l *link) RemoteAddr() net.Addr             { return linkAddr{} }
func (l *link) SetDeadline(time.Time) error      { return nil }
func (l *link) SetReadDeadline(time.Time) error  { return nil }
func (l *link) SetWriteDeadline(time.Time) error { return nil }

// waitOver waits until the link is over.
func (l *link) waitOver() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.over == nil {
		l.cond.Wait()
	}
	return l.over
}
