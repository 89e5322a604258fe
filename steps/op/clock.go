package op

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Clock sets a clock that is far off, once, from the Date of several hosts: see
// AskTime. What keeps it right from then on is a time service. It cannot be
// undone: nobody wants the wrong time back, and nobody would know it any more, so
// Undo leaves the clock alone. A time service may set it meanwhile; then there is
// nothing to do.
type Clock struct {
	Hosts []string `json:"hosts"` // as AskTime takes them
	Limit int64    `json:"limit"` // seconds; a clock that is off by no more stays
	// Behind is about how many seconds it was behind when it was surveyed;
	// negative: ahead. What is seen near it counts as the same, or a plan would be
	// stale with every second.
	Behind int64     `json:"behind"`
	Reason lang.Text `json:"reason"`
}

type clockState struct {
	Known  bool  `json:"known"` // enough hosts answered, and agree
	Behind int64 `json:"behind,omitempty"`
}

// Kind is "clock".
func (o *Clock) Kind() string { return "clock" }

// Target is "clock".
func (o *Clock) Target() string { return "clock" }

// Why is the step's reason.
func (o *Clock) Why() lang.Text { return o.Reason }

// ByHand is date(1) with the Date of the first host.
func (o *Clock) ByHand() []string {
	host := "HOST"
	if len(o.Hosts) > 0 {
		host = o.Hosts[0]
	}
	return []string{`date -u -s "$(curl -sI ` + Quote("http://"+host+"/") + ` | tr -d '\r' | sed -n 's/^[Dd]ate: //p')"`}
}

// Observe asks the hosts.
func (o *Clock) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s := clockState{}
	var behind time.Duration
	if behind, s.Known = Behind(AskTime(ctx, m, o.Hosts)); s.Known {
		s.Behind = o.near(behind)
	}
	return engine.NewState(s, nil), nil
}

// near is how far the clock is behind, in seconds, with what changes from one
// look to the next left out.
func (o *Clock) near(behind time.Duration) int64 {
	n := int64(behind.Round(time.Second) / time.Second)
	off, was := max(n, -n), max(o.Behind, -o.Behind)
	switch {
	case off <= o.Limit:
		return 0
	case (n > 0) == (o.Behind > 0) && max(off-was, was-off) <= max(30, was/10):
		return o.Behind
	}
	return Roughly(n)
}

// Roughly is n with two digits that count: enough for people, and the same from
// one look to the next.
func Roughly(n int64) int64 {
	scale := int64(1)
	for n/scale >= 100 || n/scale <= -100 {
		scale *= 10
	}
	return n / scale * scale
}

// Diff is one row.
func (o *Clock) Diff(s engine.State) engine.Diff {
	was, _, err := decode[clockState](o, s)
	row := engine.Row{Action: engine.None, Name: o.Target()}
	switch {
	case err != nil:
		row.Action, row.Note = engine.Update, lang.F("%s", "%s", err)
	case !was.Known:
		row.Note = lang.T("how far it is off is not known: too few hosts answer", "偏差未知：应答的主机太少")
	case was.Behind != 0:
		row.Action = engine.CannotUndo
		row.Now, row.Then = off(was.Behind), "±1s"
		row.Note = lang.T("set once; the wrong time is not put back", "只设置一次；撤销时不会恢复错误的时间")
	default:
		row.Now, row.Then = "±1s", "±1s"
	}
	return engine.Diff{Action: row.Action, Note: row.Note, Table: lang.T("clock", "时钟"), Rows: []engine.Row{row}}
}

// off is what a clock that is so many seconds behind shows too much or too little.
func off(behind int64) string {
	s := (-time.Duration(behind) * time.Second).String()
	if behind < 0 {
		return "+" + s
	}
	return s
}

// Do asks again and sets the clock.
func (o *Clock) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	behind, ok := Behind(AskTime(ctx, m, o.Hosts))
	if !ok {
		return engine.Outcome{}, lang.Errorf(nil, "cannot set the clock: too few hosts say what time it is, or they disagree", "无法设置时钟：给出时间的主机太少，或各执一词").
			WithHint("set it by hand: date -u -s 'YYYY-MM-DD hh:mm:ss' (UTC); asked were: %s", "请手工设置：date -u -s 'YYYY-MM-DD hh:mm:ss'（UTC）；询问过：%s", Visible(strings.Join(o.Hosts, ", ")))
	}
	if o.near(behind) == 0 {
		return engine.OK, nil
	}
	then := m.Now().Add(behind)
	err := m.Run(ctx, machine.Command{
		Argv:    []string{"date", "-u", "-s", fmt.Sprintf("@%d.%03d", then.Unix(), then.Nanosecond()/1e6)},
		Timeout: 20 * time.Second,
	}, quoting(say))
	if err == nil {
		return engine.OK, nil
	}
	var exit *machine.ExitError
	k, kerr := m.Kernel()
	if errors.As(err, &exit) && strings.Contains(exit.Stderr, "not permitted") && kerr == nil && k.UID == 0 {
		return engine.Outcome{Kind: engine.Refused, By: lang.T(
			"the kernel: goxin has no CAP_SYS_TIME here, as in containers, whose clock is the host's",
			"内核：此处没有 CAP_SYS_TIME 能力（容器中常见，时钟属于宿主机）"), Got: off(o.near(behind))}, nil
	}
	return engine.Outcome{}, cannot(exited(err), "cannot set the clock", "无法设置时钟").
		WithHint("run goxin as root", "请以 root 身份运行")
}

// Undo does nothing; see the type.
func (o *Clock) Undo(context.Context, machine.Machine, engine.State, engine.State) error { return nil }
