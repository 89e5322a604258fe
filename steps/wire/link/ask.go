package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/steps/wire"
)

// asker puts the question again and again, from one thread that waits for nothing but its
// own epoll: a question has a slot, so that a thousand a second make no garbage, and no
// timer of a garbage collected program comes between.
type asker struct {
	q       wire.Question
	every   int64 // nanoseconds, as all times here are
	end     int64
	to      unix.SockaddrInet4
	request []byte

	epoll, clock, keeper, stopped int
	began                         int64
	due                           int64 // when the last question should have been asked
	next                          int64 // the number of the next question
	told                          int64 // of the first that was not told
	ending                        bool
	late                          int64 // the most since the last batch
	stalled                       int64 // all the time the asker was not let run
	woke, asked                   int64 // when it last did

	slots []slot
	free  []int32
	ring  []outcome // of questions told..next
	nodes []string
	buf   [16 << 10]byte

	who    *owners
	flushn int // keeper's ticks since the last batch
	tell   chan<- wire.Batch
}

// slot is a question on its way.
type slot struct {
	fd     int // -1: free
	n      int64
	start  int64
	awake  int64 // stalled, when it started
	sent   int
	turn   uint32 // tells a late event of the slot's last question from one of this
	answer wire.Answer
}

// outcome is what came of a question.
type outcome struct {
	at, took int64
	node     int32 // in nodes; -1: said nothing
	why      string
	known    bool
}

// The things the asker waits for that are no question.
const (
	forClock = -1 - iota
	forKeeper
	forStop
	forARP
)

// keepEvery is how often late questions are given up and ARP is asked.
const keepEvery = wire.ArpEvery

const mostNodes = 64

// Ask asks q until q.For is over or ctx is done, and then waits for the last answers.
func Ask(ctx context.Context, q wire.Question, tell func(wire.Batch)) error {
	a, err := newAsker(q)
	if err != nil {
		return err
	}
	batches := make(chan wire.Batch, 600) // a minute's: a slow reader must not slow the asking
	a.tell = batches
	stop := context.AfterFunc(ctx, func() {
		_, _ = unix.Write(a.stopped, binary.NativeEndian.AppendUint64(nil, 1))
	})
	failed := make(chan error, 1)
	go func() {
		// The thread ends with the goroutine: its niceness is its own.
		runtime.LockOSThread()
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -10) // where it may not, it is as good as any other
		failed <- a.run()
		close(batches)
	}()
	for b := range batches {
		tell(b)
	}
	stop()
	err = <-failed
	a.close()
	return err
}

func newAsker(q wire.Question) (*asker, error) {
	if q.Every < time.Millisecond || q.Every > 10*time.Second {
		return nil, lang.Errorf(nil, "cannot ask every %s", "无法每 %s 访问一次", q.Every).WithHint("choose from 1ms to 10s", "应在 1ms 到 10s 之间")
	}
	if !q.VIP.Is4() || q.Port < 1 || q.Port > 65535 {
		return nil, lang.Errorf(nil, "cannot ask %s port %d: it takes an IPv4 address and a port", "无法访问 %s 的端口 %d：应为 IPv4 地址和端口", q.VIP, q.Port)
	}
	if strings.ContainsFunc(q.Path+q.Host, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, lang.Errorf(nil, "cannot ask for %q of %q: a path and a host have neither blanks nor control characters", "无法请求 %q（主机 %q）：路径和主机名中不能有空白或控制字符", q.Path, q.Host)
	}
	a := &asker{
		q: q, every: q.Every.Nanoseconds(), to: unix.SockaddrInet4{Port: q.Port, Addr: q.VIP.As4()},
		epoll: -1, clock: -1, keeper: -1, stopped: -1,
	}
	path, host := q.Path, q.Host
	if path == "" {
		path = "/"
	}
	if host == "" {
		host = q.VIP.String()
	}
	// HTTP/1.0 has no chunks, and no connection that stays open: an end is an end.
	a.request = fmt.Appendf(nil, "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: goxin\r\nAccept: */*\r\n\r\n", path, host)
	n := int(wire.Patience/q.Every) + 64
	a.slots, a.ring = make([]slot, n), make([]outcome, 2*n)
	for i := range a.slots {
		a.slots[i].fd = -1
		a.free = append(a.free, int32(n-1-i))
	}
	if err := a.open(); err != nil {
		a.close()
		return nil, lang.Errorf(err, "cannot ask %s", "无法访问 %s", q.VIP)
	}
	return a, nil
}

// open opens all that is waited for.
func (a *asker) open() (err error) {
	if a.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if a.stopped, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	if a.clock, err = timer(a.q.Every); err != nil {
		return err
	}
	if a.keeper, err = timer(keepEvery); err != nil {
		return err
	}
	a.began = now()
	a.end, a.due = a.began+a.q.For.Nanoseconds(), a.began
	waits := map[int]int32{a.stopped: forStop, a.clock: forClock, a.keeper: forKeeper}
	if a.q.Interface != "" {
		if a.who, err = newOwners(a.q); err != nil {
			return err
		}
		waits[a.who.fd] = forARP
	}
	for fd, as := range waits {
		if err := unix.EpollCtl(a.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: as}); err != nil {
			return err
		}
	}
	return nil
}

func timer(every time.Duration) (int, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return -1, err
	}
	t := unix.NsecToTimespec(every.Nanoseconds())
	return fd, unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: t, Value: t}, nil)
}

func now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // every Linux has it
	}
	return t.Nano()
}

func (a *asker) close() {
	for _, fd := range []int{a.epoll, a.clock, a.keeper, a.stopped} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	for i := range a.slots {
		if a.slots[i].fd >= 0 {
			_ = unix.Close(a.slots[i].fd)
		}
	}
	if a.who != nil {
		_ = unix.Close(a.who.fd)
	}
}

func (a *asker) run() error {
	events := make([]unix.EpollEvent, 64)
	for {
		n, err := unix.EpollWait(a.epoll, events, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return lang.Errorf(err, "cannot ask %s", "无法访问 %s", a.q.VIP)
		}
		a.wake()
		for _, e := range events[:n] {
			switch e.Fd {
			case forClock:
				a.ask(ticks(a.clock))
			case forKeeper:
				ticks(a.keeper)
				a.keep()
			case forStop:
				ticks(a.stopped)
				a.ending = true
			case forARP:
				a.who.read()
			default:
				if s := &a.slots[e.Fd]; s.fd >= 0 && s.turn == uint32(e.Pad) {
					a.event(e.Fd, s, e.Events)
				}
			}
		}
		if a.ending && a.told+int64(a.known()) == a.next {
			a.flush(true)
			return nil
		}
	}
}

// wake keeps account of the time in which the asker should have run and was not let: the
// keeper's timer wakes it more often than that. Such a time takes nothing from a question's
// patience: its answer may well have been there.
func (a *asker) wake() {
	t := now()
	// It may have been stopped between two questions of one turn: what the later one
	// did not live through is nobody's excuse.
	if over := t - max(a.woke, a.asked) - keepEvery.Nanoseconds(); a.woke > 0 && over > stallFrom.Nanoseconds() {
		a.stalled += over
	}
	a.woke = t
}

// stallFrom is what a timer may be late without a word.
const stallFrom = 2 * time.Millisecond

// took is how long a question has been on its way, of the time that the asker ran.
func (a *asker) took(s *slot, t int64) int64 { return max(0, t-s.start-(a.stalled-s.awake)) }

// ticks is how often a timer went off since it was read.
func ticks(fd int) int64 {
	var b [8]byte
	if n, err := unix.Read(fd, b[:]); err != nil || n != 8 {
		return 0
	}
	return int64(binary.NativeEndian.Uint64(b[:]))
}

// mostAtOnce is how many questions are asked at once of those whose time was missed. More
// would be a burst that no client makes; the others are not asked.
const mostAtOnce = 8

// ask asks n questions: one, and those whose time was missed.
func (a *asker) ask(n int64) {
	a.due += n * a.every
	for range min(n, mostAtOnce) {
		if a.ending {
			return
		}
		at := now()
		a.late = max(a.late, at-a.due+(n-1)*a.every) // than the first of them should have been
		a.one(at)
		a.ending = at >= a.end
	}
}

func (a *asker) one(at int64) {
	n := a.next
	if n-a.told == int64(len(a.ring)) { // more than twice what can be on its way
		return
	}
	a.next++
	a.asked = at
	o := a.at(n)
	*o = outcome{at: at, took: -1, node: -1}
	if len(a.free) == 0 {
		a.lose(o, wire.WhyHere)
		return
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		a.lose(o, wire.WhyHere)
		return
	}
	// Closing resets: no TIME_WAIT on either side, so that ports do not run out at a
	// thousand a second.
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	err = unix.Connect(fd, &a.to)
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		_ = unix.Close(fd)
		a.lose(o, why(err))
		return
	}
	i := a.free[len(a.free)-1]
	a.free = a.free[:len(a.free)-1]
	s := &a.slots[i]
	s.fd, s.n, s.start, s.awake, s.sent = fd, n, at, a.stalled, 0
	s.turn++
	s.answer.Reset()
	if err := unix.EpollCtl(a.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: i, Pad: int32(s.turn)}); err != nil {
		a.drop(i, s, wire.WhyHere)
	}
}

func (a *asker) at(n int64) *outcome { return &a.ring[n%int64(len(a.ring))] }

func (a *asker) lose(o *outcome, why string) {
	o.known, o.why = true, why
}

// drop ends a question without an answer.
func (a *asker) drop(i int32, s *slot, why string) {
	a.lose(a.at(s.n), why)
	a.release(i, s)
}

func (a *asker) release(i int32, s *slot) {
	_ = unix.Close(s.fd) // which takes it out of the epoll too
	s.fd = -1
	a.free = append(a.free, i)
}

func why(err error) string {
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		return wire.WhyRefused
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNABORTED):
		return wire.WhyReset
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.ENETDOWN), errors.Is(err, unix.EHOSTDOWN):
		return wire.WhyUnreachable
	case errors.Is(err, unix.ETIMEDOUT):
		return wire.WhyLate
	}
	return wire.WhyHere
}

// event goes on with a question.
func (a *asker) event(i int32, s *slot, events uint32) {
	if events&unix.EPOLLERR != 0 {
		code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			a.drop(i, s, why(err))
			return
		}
	}
	if s.sent < len(a.request) {
		n, err := unix.Write(s.fd, a.request[s.sent:])
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			a.drop(i, s, why(err))
			return
		}
		s.sent += max(n, 0)
		if s.sent == len(a.request) {
			_ = unix.EpollCtl(a.epoll, unix.EPOLL_CTL_MOD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: i, Pad: int32(s.turn)})
		}
		return
	}
	for {
		n, err := unix.Read(s.fd, a.buf[:])
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			return
		case err != nil:
			a.drop(i, s, why(err))
			return
		case n == 0 && !s.answer.End():
			a.drop(i, s, wire.WhyShort)
			return
		case n == 0 || s.answer.Write(a.buf[:n]):
			a.answered(i, s)
			return
		}
	}
}

func (a *asker) answered(i int32, s *slot) {
	took := a.took(s, now())
	switch {
	case s.answer.Wrong():
		a.drop(i, s, wire.WhyShort)
	case !s.answer.OK():
		a.drop(i, s, wire.WhyStatus)
	case took > wire.Patience.Nanoseconds():
		a.drop(i, s, wire.WhyLate)
	default:
		o := a.at(s.n)
		o.known, o.took, o.node = true, took, a.node(s.answer.Node())
		a.release(i, s)
	}
}

// node is the number of a name.
func (a *asker) node(name []byte) int32 {
	if len(name) == 0 {
		return -1
	}
	for i, known := range a.nodes {
		if known == string(name) {
			return int32(i)
		}
	}
	if len(a.nodes) == mostNodes { // a node that calls itself anew each time
		return -1
	}
	a.nodes = append(a.nodes, string(name))
	return int32(len(a.nodes) - 1)
}

// keep gives up what is late, asks ARP, and tells now and then.
func (a *asker) keep() {
	t := now()
	if t >= a.end {
		a.ending = true
	}
	for i := range a.slots {
		if s := &a.slots[i]; s.fd >= 0 && a.took(s, t) > wire.Patience.Nanoseconds() {
			a.drop(int32(i), s, wire.WhyLate)
		}
	}
	if a.who != nil && !a.ending {
		a.who.round(t - a.began)
	}
	if a.flushn++; a.flushn >= int(wire.BatchEvery/keepEvery) {
		a.flush(false)
	}
}

// known is how many questions from the first untold one on are decided.
func (a *asker) known() int {
	n := 0
	for a.told+int64(n) < a.next && a.at(a.told+int64(n)).known {
		n++
	}
	return n
}

func (a *asker) flush(last bool) {
	a.flushn = 0
	n := a.known()
	b := wire.Batch{N: int(a.told), At: make([]int64, n), Took: make([]int64, n), Late: a.late / 1000, Last: last}
	a.late = 0
	for i := range n {
		o := a.at(a.told + int64(i))
		b.At[i] = (o.at - a.began) / 1000
		b.Took[i] = -1
		switch {
		case o.took >= 0:
			b.Took[i] = o.took / 1000
		case b.Lost == nil:
			b.Lost = map[string]int{o.why: 1}
		default:
			b.Lost[o.why]++
		}
		name := ""
		if o.node >= 0 {
			name = a.nodes[o.node]
		}
		if k := len(b.Nodes); k > 0 && b.Nodes[k-1] == name {
			b.Runs[k-1]++
		} else {
			b.Nodes, b.Runs = append(b.Nodes, name), append(b.Runs, 1)
		}
	}
	a.told += int64(n)
	if a.who != nil {
		b.Owners, a.who.changes = a.who.changes, nil
	}
	a.tell <- b
}
