package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// ArpProbe asks on m's interface who has the address. It takes about two seconds.
func ArpProbe(ctx context.Context, m machine.Machine, iface string, ip netip.Addr) (Found, error) {
	var f Found
	err := run(ctx, m, time.Minute, func(line []byte) error { return json.Unmarshal(line, &f) },
		"arp-probe", "--interface", iface, "--address", ip.String())
	if err != nil {
		return Found{}, lang.Errorf(err, "cannot ask who has %s", "无法询问谁占用了 %s", ip)
	}
	return f, nil
}

// Listen hears for that long what goes over the segment of m's interface. Three adverts
// of the slowest router to be heard is a good time: 12 s and more.
func Listen(ctx context.Context, m machine.Machine, iface string, d time.Duration) (Heard, error) {
	var h Heard
	err := run(ctx, m, d+time.Minute, func(line []byte) error {
		h = Heard{}
		return json.Unmarshal(line, &h)
	}, "listen", "--interface", iface, "--for", d.String())
	if err != nil {
		return Heard{}, cannotListen(err, iface)
	}
	return h, nil
}

// Follow is Listen without an end: it hands over what was heard within each time, and who
// answers for the address. It ends with ctx, and returns its error.
func Follow(ctx context.Context, m machine.Machine, iface string, vip netip.Addr, every time.Duration, tell func(Heard)) error {
	for {
		err := run(ctx, m, 25*time.Hour, func(line []byte) error {
			var h Heard
			if err := json.Unmarshal(line, &h); err != nil {
				return err
			}
			tell(h)
			return nil
		}, "listen", "--interface", iface, "--for", "24h", "--every", every.String(), "--address", vip.String())
		if err != nil {
			return cannotListen(err, iface)
		}
	}
}

// cannotListen leaves alone what the command there has told.
func cannotListen(err error, iface string) error {
	var told *lang.Error
	if errors.As(err, &told) {
		return err
	}
	return lang.Errorf(err, "cannot listen on %s", "无法监听 %s", iface)
}

// End is one end of a way.
type End struct {
	On        machine.Machine
	Interface string
	Address   netip.Addr
}

// protocolTest is how protocol 112 is tried: enough that a lost one or two are seen to be
// just that.
const (
	protocolCount = 5
	protocolEvery = 100 * time.Millisecond
	protocolWait  = time.Second // for the last one
)

// Reach sends packets of IP protocol 112 from one end to the other. What the far end's
// firewall drops has not arrived.
func Reach(ctx context.Context, from, to End) (Arrived, error) {
	a, err := reach(ctx, from, to)
	if err != nil {
		return Arrived{}, lang.Errorf(err, "cannot try IP protocol 112 from %s to %s", "无法测试从 %s 到 %s 的 IP 协议 112", from.Address, to.Address)
	}
	return a, nil
}

func reach(ctx context.Context, from, to End) (Arrived, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan struct{})
	var once sync.Once
	var got Arrived
	heard := make(chan error, 1)
	go func() {
		heard <- run(ctx, to.On, time.Minute, func(line []byte) error {
			once.Do(func() { close(ready) })
			return json.Unmarshal(line, &got)
		}, "recv112", "--interface", to.Interface, "--from", from.Address.String(), "--count", strconv.Itoa(protocolCount), "--for", (30 * time.Second).String())
	}()
	select {
	case <-ready:
	case err := <-heard:
		return Arrived{}, errors.Join(err, ctx.Err())
	}
	err := run(ctx, from.On, time.Minute, nil,
		"send112", "--from", from.Address.String(), "--to", to.Address.String(), "--count", strconv.Itoa(protocolCount), "--every", protocolEvery.String())
	if err != nil {
		return Arrived{}, err
	}
	// What is on its way after the last one was sent comes within a second, or never.
	late := time.AfterFunc(protocolWait, cancel)
	defer late.Stop()
	if err := <-heard; err != nil && !errors.Is(err, context.Canceled) {
		return Arrived{}, err
	}
	got.Sent = protocolCount
	return got, nil
}

// Ask asks q from m until ctx is done or q.For is over, and hands over what came of it.
// A ctx that is done is no error.
func Ask(ctx context.Context, m machine.Machine, q Question, tell func(Batch)) error {
	if q.For <= 0 {
		q.For = 10 * time.Minute
	}
	args := []string{"ask", "--address", q.VIP.String(), "--port", strconv.Itoa(q.Port), "--every", q.Every.String(), "--for", q.For.String()}
	for flag, v := range map[string]string{"--path": q.Path, "--host": q.Host, "--interface": q.Interface} {
		if v != "" {
			args = append(args, flag, v)
		}
	}
	err := run(ctx, m, q.For+time.Minute, func(line []byte) error {
		var b Batch
		if err := json.Unmarshal(line, &b); err != nil {
			return err
		}
		if len(b.At) != len(b.Took) || len(b.Nodes) != len(b.Runs) {
			return lang.Because(nil, "a batch is not whole", "一批结果不完整")
		}
		tell(b)
		return nil
	}, args...)
	if err != nil && ctx.Err() == nil {
		return lang.Errorf(err, "cannot ask %s from %s", "无法从 %[2]s 访问 %[1]s", q.VIP, m.ID())
	}
	return nil
}

// Toward is the interface of m that the address is next to; "" where a router is between.
func Toward(ctx context.Context, m machine.Machine, ip netip.Addr) (string, error) {
	iface := ""
	err := m.Run(ctx, machine.Command{Argv: []string{"ip", "-o", "-4", "route", "get", ip.String()}, Timeout: time.Minute}, func(line string) {
		f := strings.Fields(line)
		if i := slices.Index(f, "dev"); i > 0 && i+1 < len(f) && !slices.Contains(f[:i], "via") {
			iface = f[i+1]
		}
	})
	if err != nil {
		return "", lang.Errorf(err, "cannot find the way from %s to %s", "无法确定从 %s 到 %s 的路由", m.ID(), ip)
	}
	return iface, nil
}

// Failure is the last line of a command that failed: why, in both languages, and what to
// do about it.
type Failure struct {
	Error lang.Text `json:"failure"`
	Hint  lang.Text `json:"hint,omitzero"`
}

// run runs goxin's own command on m. Lines of it that are JSON go to each, but for a
// Failure; others are what it says where it does not come that far.
func run(ctx context.Context, m machine.Machine, limit time.Duration, each func(line []byte) error, args ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wrong error
	var said []string
	var failure Failure
	c := machine.Command{Argv: append([]string{machine.Self, "wire"}, args...), Timeout: limit}
	err := m.Run(ctx, c, func(line string) {
		switch {
		case wrong != nil:
		case strings.HasPrefix(line, `{"failure":`):
			wrong = json.Unmarshal([]byte(line), &failure)
		case !strings.HasPrefix(line, "{"):
			if len(said) < mostSaid {
				said = append(said, line)
			}
		case each != nil:
			if wrong = each([]byte(line)); wrong != nil {
				cancel(nil)
			}
		}
	})
	if wrong != nil {
		return lang.Because(wrong, "what goxin says there cannot be read", "无法读懂对端 goxin 的输出")
	}
	var exit *machine.ExitError
	switch {
	case !errors.As(err, &exit): // nil, or it was called off
		return err
	case !failure.Error.Empty():
		return lang.Errorf(nil, "%s", "%s", failure.Error).WithHint("%s", "%s", failure.Hint)
	case len(said) > 0:
		return lang.Quote(strings.TrimPrefix(said[0], "goxin: "))
	}
	return err
}

// mostSaid is how many lines of a failure are kept.
const mostSaid = 4
