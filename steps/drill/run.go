package drill

import (
	"context"
	"errors"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

const (
	// restFor is how long the pair must be at rest before a fault, and after one.
	restFor = time.Second
	// restLimit is how long it may take for that.
	restLimit = time.Minute
	// silence is how long an asker may tell nothing: a line that a fault has cut is had
	// back within it.
	silence = 2 * time.Minute
	// bootLimit is how long a machine may take to come back.
	bootLimit = 5 * time.Minute
	// fillLimit is how long a disk may take to be full.
	fillLimit = 20 * time.Second
)

// Run does each fault, and tells how it goes; tell may be nil. An error says that the
// drill could not be done, or was stopped by ctx: also then whatever was broken has been
// taken back, and the result has the rows so far. That a fault came out badly is no error.
func Run(ctx context.Context, ms map[machine.ID]machine.Machine, c Config, tell func(Sample)) (Result, error) {
	p, err := newPair(ms, c)
	if err != nil {
		return Result{}, err
	}
	if tell == nil {
		tell = func(Sample) {}
	}
	r := Result{Version: 1, Third: c.Third, VIP: c.VIP.String(), Rate: p.Rate, Began: ms[p.Nodes[0]].Now(), Rows: []Row{}}
	if c.Third {
		r.From = p.name(c.From)
	}
	first := Sample{Of: len(p.Faults), Faults: p.Faults, Predicted: map[vrrp.Fault]time.Duration{}, From: r.From, Phase: Resting}
	for _, f := range p.Faults {
		first.Predicted[f] = p.predicted(f)
	}
	tell(first)
	if err := p.serving(ctx); err != nil {
		return r, err
	}
	for i, f := range p.Faults {
		t := trial{pair: p, fault: f, tell: func(s Sample) {
			s.Fault, s.N, s.Of = f, i+1, len(p.Faults)
			tell(s)
		}}
		row, err := t.run(ctx)
		if err != nil {
			return r, err
		}
		if r.From == "" {
			r.From = row.From
		}
		r.Rows = append(r.Rows, row)
		t.tell(Sample{Phase: Healing, Owner: t.owner, Asked: row.Asked, Lost: row.Lost, Done: &row})
		r.Owner = t.owner
		if !t.stop.Empty() {
			r.Stopped = t.stop
			break
		}
	}
	return r, nil
}

// trial is one fault being done.
type trial struct {
	*pair
	fault   vrrp.Fault
	tell    func(Sample)
	w       *window
	batches chan wire.Batch
	asking  chan error // its end
	victim  machine.ID
	unit    bool // the victim has vrrp.Unit
	phase   Phase
	owner   string    // in the end
	stop    lang.Text // why no other fault should follow
}

// run does it. Its error is one of the drill, not of the pair.
func (t *trial) run(ctx context.Context) (Row, error) {
	row := Row{Fault: t.fault, Title: Title(t.fault), Predicted: t.predicted(t.fault), Owners: []string{}}
	victim, err := t.pair.owner(ctx)
	if err != nil {
		return row, err
	}
	t.victim, t.owner = victim, t.name(victim)
	row.Victim = t.owner
	n, err := t.node(ctx, victim)
	if err != nil {
		return row, err
	}
	t.unit = n.unit
	a, cannot := plan(t.fault, n)
	if !cannot.Empty() {
		row.Skipped, row.Why = true, cannot
		return row, nil
	}
	names, err := t.macs()
	if err != nil {
		return row, err
	}
	from := t.From
	self := ""
	if !t.Third {
		from = t.other(victim)
		self = t.name(from)
	}
	row.From = t.name(from)
	t.w = newWindow(t.every(), names, self, t.Interface[from] != "")

	asking, stop := context.WithCancel(ctx)
	t.batches, t.asking = make(chan wire.Batch, 64), make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		err := wire.Ask(asking, t.ms[from], wire.Question{
			VIP: t.VIP, Port: t.Port, Path: t.Path, Every: t.every(), Interface: t.Interface[from], For: 30 * time.Minute,
		}, func(b wire.Batch) {
			select {
			case t.batches <- b:
			case <-asking.Done():
			}
		})
		t.asking <- err
		close(ended)
	}()
	defer func() {
		stop()
		<-ended
	}()

	t.phase = Resting
	rested, err := t.until(ctx, restLimit, func() bool { return t.w.calm(0, restFor) })
	if err != nil {
		return row, err
	}
	if !rested {
		return row, lang.Errorf(t.unrest(), "cannot begin with %s: the pair is not at rest", "无法开始“%s”：这一对节点尚未平稳", row.Title).
			WithHint("every question to %s port %d has to be answered by one owner first", "对 %s 端口 %d 的每次访问都应先由唯一的持有者应答", t.VIP, t.Port)
	}
	skipped, err := t.inflict(ctx, a, &row)
	if err != nil || skipped {
		return row, err
	}
	t.judge(&row)
	return row, nil
}

// inflict sets the fault, waits, takes it back, and waits again.
func (t *trial) inflict(ctx context.Context, a act, row *Row) (skipped bool, err error) {
	m := t.ms[t.victim]
	hold := t.hold()
	timer := deadMan
	if a.away {
		timer = hold
	}
	if !a.reboots {
		if err := arm(ctx, m, a.back, timer+notice); err != nil {
			return false, err
		}
	}
	t.w.set = t.w.mark() + 1
	t.phase = Broken
	if err := t.set(ctx, m, a); err != nil {
		return false, errors.Join(err, t.takeBack(ctx, m, a))
	}
	if a.fills {
		full, err := t.until(ctx, fillLimit, func() bool {
			space, err := m.Space(logs)
			return err == nil && space.Free < 1<<20
		})
		if err != nil || !full {
			row.Skipped, row.Why = true, lang.T("the disk could not be filled in time", "磁盘未能及时写满")
			return true, errors.Join(err, t.takeBack(ctx, m, a))
		}
	}
	_, err = t.until(ctx, hold+silence, func() bool {
		switch held := time.Duration(t.w.newest-t.w.set) * time.Microsecond; {
		case held < hold:
			return false
		case a.away || t.fault == vrrp.FaultSplit:
			return true
		default:
			return t.w.calm(t.w.set, restFor) || held >= hold+patience
		}
	})
	t.w.back = t.w.mark() + 1
	t.phase = Healing
	if err = errors.Join(err, t.takeBack(ctx, m, a)); err != nil {
		return false, err
	}
	return false, t.heal(ctx, a)
}

// hold is how long a fault stays at least: until its gap would be a failure.
func (t *trial) hold() time.Duration {
	d := t.predicted(t.fault)
	if t.fault == vrrp.FaultSplit { // long enough for the other node to take over too
		d = t.Timing.MasterDown() + t.Timing.Settle
	}
	return time.Duration(Tolerance*float64(d)) + restFor/2
}

// patience is how much longer than that an address may stay away before the fault is
// taken back all the same.
const patience = 10 * time.Second

// set does the fault. A command that fails leaves it half done: it is taken back.
func (t *trial) set(ctx context.Context, m machine.Machine, a act) error {
	no := func(err error) error {
		return lang.Errorf(err, "cannot break %s: %s", "无法在 %s 上制造故障：%s", t.name(t.victim), Title(t.fault))
	}
	if a.away {
		_ = command(ctx, m, "systemctl", "reset-failed", cutUnit+".service")
		err := command(ctx, m, "systemd-run", "--unit="+cutUnit, "/bin/sh", "-c", "sleep "+seconds(notice)+"; "+script(a.set))
		if err != nil {
			return no(err)
		}
		return nil
	}
	if err := all(ctx, m, a.set); err != nil {
		return no(err)
	}
	return nil
}

// all runs commands until one fails.
func all(ctx context.Context, m machine.Machine, commands [][]string) error {
	for _, c := range commands {
		if err := command(ctx, m, c...); err != nil {
			return err
		}
	}
	return nil
}

func seconds(d time.Duration) string {
	return lang.F("%.1f", "%.1f", d.Seconds()).EN
}

// takeBack undoes the fault, whatever became of ctx. While it fails, the timer stays.
func (t *trial) takeBack(ctx context.Context, m machine.Machine, a act) error {
	if a.reboots || a.away {
		return nil // the machine, or its timer, does it by itself
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restLimit)
	defer cancel()
	if err := putBack(ctx, m, a.back); err != nil {
		return lang.Errorf(err, "cannot take back: %s", "无法撤除故障：%s", Title(t.fault)).
			WithHint("the node's own systemd tries again within %s: `systemctl list-timers` there", "该节点自己的 systemd 会在 %s 内再次撤除：可在那里执行 `systemctl list-timers` 查看", deadMan)
	}
	return nil
}

// putBack does all of it, whatever comes of each, and then needs no timer any more.
func putBack(ctx context.Context, m machine.Machine, commands [][]string) error {
	var errs []error
	for _, c := range commands {
		errs = append(errs, command(ctx, m, c...))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return disarm(ctx, m)
}

// heal waits until the pair is at rest again. That it is not is the row's, not an error.
func (t *trial) heal(ctx context.Context, a act) error {
	limit := restLimit
	if a.reboots {
		limit = bootLimit
	}
	rested, err := t.until(ctx, limit, func() bool {
		return t.w.calm(t.w.back, restFor) && (!a.away || t.again(ctx, a))
	})
	if err != nil {
		return err
	}
	if rested {
		rested, err = t.whole(ctx, limit)
		if err != nil {
			return err
		}
	}
	if !rested {
		t.stop = lang.F("after %s the pair did not come to rest: %s", "“%s”之后这一对节点没有恢复平稳：%s", Title(t.fault), t.unrest())
	}
	return nil
}

// again says whether the victim is there again, its fault taken back.
func (t *trial) again(ctx context.Context, a act) bool {
	m := t.ms[t.victim]
	if a.reboots {
		return command(ctx, m, "true") == nil
	}
	return !active(ctx, m, backUnit+".timer") && !active(ctx, m, backUnit+".service")
}

// whole waits until both nodes say that all is well: units and the address.
func (t *trial) whole(ctx context.Context, limit time.Duration) (bool, error) {
	return t.until(ctx, limit, func() bool {
		if t.serving(ctx) != nil || t.unit && !active(ctx, t.ms[t.victim], vrrp.Unit) {
			return false
		}
		id, err := t.pair.owner(ctx)
		if err != nil {
			return false
		}
		t.owner = t.name(id)
		return t.w.calm(t.w.back, t.ready())
	})
}

// ready is how long the victim has to run again until it may take over: where nginx or
// keepalived was down, the check has to succeed twice first. A fault that comes sooner
// finds nobody who does.
func (t *trial) ready() time.Duration {
	switch t.fault {
	case vrrp.FaultSwitchover, vrrp.FaultDisk, vrrp.FaultSplit, vrrp.FaultLink:
		return restFor
	}
	return min(max(restFor, 3*t.Timing.CheckEvery), restLimit/2)
}

// unrest is what keeps the pair from being at rest.
func (t *trial) unrest() *lang.Reason {
	switch o := t.w.owner(); {
	case len(t.w.at) == 0:
		return lang.Because(nil, "nobody asks", "没有发出访问")
	case o.n > 1:
		return lang.Because(nil, "%s answer for %s both", "%s 同时应答 %s", o.who, t.VIP)
	case t.w.arp && o.n == 0:
		return lang.Because(nil, "nobody answers for %s", "没有节点应答 %s", t.VIP)
	}
	for why, n := range t.w.why {
		if n > 0 {
			return lang.Because(nil, "questions are lost (%s)", "有访问丢失（%s）", why)
		}
	}
	return lang.Because(nil, "a unit does not run, or not one node alone has the address", "有单元未运行，或并非只有一个节点持有该地址")
}

// until takes batches until done says so, or d is over. done is asked after each batch.
func (t *trial) until(ctx context.Context, d time.Duration, done func() bool) (bool, error) {
	limit := time.NewTimer(d)
	defer limit.Stop()
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-limit.C:
			return false, nil
		case <-quiet.C:
			return false, lang.Errorf(nil, "cannot go on: the asker has fallen silent", "无法继续：访问端没有回音")
		case err := <-t.asking:
			if err == nil {
				err = lang.Errorf(nil, "cannot go on: the asker has ended", "无法继续：访问端已结束")
			}
			return false, errors.Join(ctx.Err(), err)
		case b := <-t.batches:
			quiet.Reset(silence)
			t.take(b)
			for more := true; more; { // done may have taken its time
				select {
				case b := <-t.batches:
					t.take(b)
				default:
					more = false
				}
			}
			if done() {
				return true, nil
			}
		}
	}
}

func (t *trial) take(b wire.Batch) {
	t.w.add(b)
	s := Sample{Phase: t.phase, At: time.Duration(t.w.newest) * time.Microsecond, Asked: t.w.asked, Lost: t.w.lost, Owner: t.w.owner().who}
	for _, took := range b.Took {
		if took < 0 {
			s.LatencyMS = append(s.LatencyMS, PlotLost)
		} else {
			s.LatencyMS = append(s.LatencyMS, milliseconds(took))
		}
	}
	t.tell(s)
}

// judge holds what was seen against what should be.
func (t *trial) judge(row *Row) {
	w := t.w
	row.Asked, row.Lost, row.Reasons = w.asked, w.lost, w.why
	row.Gap = w.gap()
	row.Owners, row.Both = w.seen()
	row.Late = time.Duration(w.late) * time.Microsecond
	row.Plot = w.plot()
	if since := w.calmSince(w.back); since > w.back {
		row.Healed = time.Duration(since-w.back) * time.Microsecond
	}
	limit := time.Duration(Tolerance * float64(row.Predicted))
	switch {
	case !t.stop.Empty():
		row.Why = t.stop
	case row.Both > t.twoAllowed():
		row.Why = lang.F("two owners answered at once for %s", "有 %s 的时间两个节点同时应答", round(row.Both))
		t.stop = row.Why
	case row.Gap > limit && row.Lost > 0:
		row.Why = lang.T("the gap is more than 1.5 times the prediction", "中断时间超过预测值的 1.5 倍")
	default:
		row.OK = true
		if row.Gap > limit { // shorter than a question's patience: machines that are busy
			row.Why = lang.T("answers were slow for longer than predicted, and none was lost", "应答变慢的时间超过预测，但没有丢失")
		}
		if t.fault == vrrp.FaultSplit {
			row.Why = lang.F("both owned it for %s, as two nodes that do not hear each other must", "两个节点互相收不到通告，同时持有地址 %s，这是必然结果", round(row.Both))
			if row.Both == 0 {
				row.Why = lang.T("no second owner was seen", "没有出现第二个持有者")
			}
		}
	}
}

// twoAllowed is how long two may answer at once. Nodes that hear each other again know
// of it with the next advert.
func (t *trial) twoAllowed() time.Duration {
	switch t.fault {
	case vrrp.FaultSplit:
		return deadMan
	case vrrp.FaultLink, vrrp.FaultOff:
		return t.Timing.Advert + 250*time.Millisecond
	}
	return 100 * time.Millisecond
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
