package engine

import (
	"context"
	"errors"
	"slices"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// A run over two machines has its journal on the one it is about, and that tells of
// both. What it does on the other one stands there too, as a run of that machine's own:
// its twin. With it that machine can take its part back alone, when the line between the
// two is cut for good (its guard does), or when somebody asks it to.
//
// A twin's record comes before the one at home: of what is at home "doing", the twin
// knows.
type twin struct {
	shelf
	on      machine.ID
	id      RunID
	release func() error
	h       *history
	// at is where steps and operations of the run stand there: numbers as in records.
	steps map[int]int
	ops   map[[2]int]int
}

// lead is what a twin's header tells of the run it is of.
type lead struct {
	From string `json:"from"` // host name of the machine that leads
	Run  RunID  `json:"run"`
}

// twinned reports whether id is another machine than the one the run is about.
func (r *Run) twinned(id machine.ID) bool { return id != r.h.first }

// twin is the run's part on machine id, which is begun there if it was not yet.
func (r *Run) twin(ctx context.Context, id machine.ID) (*twin, error) {
	if t := r.twins[id]; t != nil {
		return t, nil
	}
	t, err := r.openTwin(ctx, id)
	if err != nil {
		return nil, lang.Errorf(err, "cannot begin on %s", "无法在 %s 上开始", id)
	}
	return t, nil
}

// openTwin takes the other machine's lock and its journal of the run.
func (r *Run) openTwin(ctx context.Context, id machine.ID) (*twin, error) {
	m := r.e.machine(id)
	if m == nil {
		return nil, NoMachine(id)
	}
	t := &twin{
		shelf: shelf{home: m, dir: r.e.dir, kinds: r.e.kinds, first: machine.LocalID}, on: id,
		steps: make(map[int]int), ops: make(map[[2]int]int),
	}
	var err error
	if t.release, err = t.lock(); err != nil {
		return nil, err
	}
	if err := r.fillTwin(ctx, t); err != nil {
		return nil, errors.Join(err, t.release())
	}
	if r.twins == nil {
		r.twins = make(map[machine.ID]*twin)
	}
	r.twins[id] = t
	return t, nil
}

func (r *Run) fillTwin(ctx context.Context, t *twin) error {
	known, told := r.h.twins[t.on]
	if told {
		t.id = known
		h, err := t.one(known)
		if err != nil {
			return err
		}
		if h != nil {
			if h.header.Lead == nil || h.header.Lead.Run != r.ID() {
				return lang.Errorf(nil, "run %d there is another one", "该机上的运行 %d 是另一次运行", known).
					WithHint("its state directory was changed; undo what stands there by hand", "其状态目录已被改动；请手工还原该机上的改动")
			}
			t.h = h
			return t.take(h)
		}
	}
	hs, err := t.histories()
	if err != nil {
		return err
	}
	for _, h := range hs {
		switch h.status {
		case StatusInterrupted:
			return &BusyError{Interrupted: h.header.ID}
		case StatusAwaiting:
			return &BusyError{Due: h.header.ID}
		}
	}
	if !told {
		if t.id, err = t.nextID(); err != nil {
			return err
		}
		step, v := r.e.joinedBy(t.on)
		if err := r.h.write(r.e.kinds, record{What: "twin", On: t.on, ID: t.id, Step: step, Values: v}); err != nil {
			return err
		}
	}
	return r.beginTwin(ctx, t)
}

// beginTwin writes its header, and has its guard run there.
func (r *Run) beginTwin(ctx context.Context, t *twin) error {
	j := t.journalOf(t.id)
	if err := t.mkdirs(j.dir + "/blobs"); err != nil {
		return err
	}
	if recs, torn, err := j.read(); err == nil && len(recs) == 0 && torn >= 0 {
		if err := j.mend(torn); err != nil {
			return err
		}
	}
	host := string(r.h.first)
	if f := r.h.header.Facts.of(r.h.first); f != nil && f.Hostname.Known {
		host = f.Hostname.Value
	}
	rec := record{
		What: "run", V: journalVersion, ID: t.id, Owner: "peer", Goxin: r.e.version, Strict: r.opts.Strict,
		Machines: []machine.ID{machine.LocalID}, Lead: &lead{host, r.ID()},
	}
	if c := r.h.confirm; c > 0 {
		rec.Confirm = c.String()
	}
	can := t.canGuard()
	if can == nil {
		boot, up, err := t.boot()
		if err != nil {
			return err
		}
		rec.Boot, rec.Deadline = boot, up+r.h.confirm.Seconds()
	}
	if err := j.append(rec); err != nil {
		return err
	}
	t.h = &history{journal: j, header: rec, first: machine.LocalID, status: StatusInterrupted, confirm: r.h.confirm}
	if can == nil {
		if err := t.installGuard(ctx, t.id); err != nil {
			return errors.Join(err, j.append(record{What: "end", Status: StatusUndone}))
		}
	} else if r.h.confirm > 0 {
		return can
	}
	return nil
}

// take finds the run's steps and operations in the twin's journal, and mends that.
func (t *twin) take(h *history) error {
	_, torn, err := h.journal.read()
	if err == nil {
		err = h.journal.mend(torn)
	}
	for i, s := range h.steps {
		if s.lead == 0 {
			continue
		}
		t.steps[s.lead] = i + 1
		for n, o := range s.ops {
			t.ops[[2]int{s.lead, o.lead}] = n + 1
		}
	}
	return err
}

// mirror writes what rec tells of other machines to their journals.
func (r *Run) mirror(ctx context.Context, rec record) error {
	switch rec.What {
	case "step":
		return r.mirrorStep(ctx, rec)
	case "skip", "doing", "done", "failed", "undone", "left":
		o := r.h.steps[rec.S-1].ops[rec.N-1]
		t := r.twins[o.on]
		if t == nil || t.ops[[2]int{rec.S, rec.N}] == 0 {
			return nil
		}
		rec.S, rec.N = t.steps[rec.S], t.ops[[2]int{rec.S, rec.N}]
		return t.write(rec)
	case "step-done":
		for _, t := range r.twins {
			if s := t.steps[rec.S]; s > 0 {
				if err := t.write(record{What: rec.What, S: s}); err != nil {
					return err
				}
			}
		}
	case "forgotten":
		for _, t := range r.twins {
			if err := t.forget(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Run) mirrorStep(ctx context.Context, rec record) error {
	s := len(r.h.steps) + 1
	for _, id := range r.e.ordered() {
		var ops []recordedOp
		var leads []int
		for n, o := range rec.Ops {
			if o.On == id && r.twinned(id) {
				o.On = machine.LocalID
				ops, leads = append(ops, o), append(leads, n+1)
			}
		}
		if ops == nil {
			continue
		}
		t, err := r.twin(ctx, id)
		if err != nil {
			return err
		}
		its := record{What: "step", Step: rec.Step, Values: rec.Values, Wanted: rec.Wanted, Reviewed: rec.Reviewed, Ops: ops, Notes: rec.Notes, LeadS: s, LeadN: leads}
		if err := t.write(its); err != nil {
			return err
		}
		t.steps[s] = len(t.h.steps)
		for n, l := range leads {
			t.ops[[2]int{s, l}] = n + 1
		}
	}
	return nil
}

// write appends a record to the twin's journal and to what is known of it.
func (t *twin) write(rec record) error { return t.h.write(t.kinds, rec) }

func (h *history) write(kinds Kinds, rec record) error {
	if err := h.journal.append(rec); err != nil {
		return err
	}
	return h.add(kinds, rec)
}

// keep stores a state's content where what it is of can be undone from it.
func (r *Run) keep(on machine.ID, s State) error {
	if t := r.twins[on]; t != nil {
		if err := t.h.journal.keep(s); err != nil {
			return err
		}
	}
	return r.h.journal.keep(s)
}

// standing reports whether the twin has something that stands.
func (t *twin) standing() bool { return t.h.standing() > 0 }

// tookBack reports whether the machine that o was done on has undone it by itself, as it
// does when it was cut off for long.
func (r *Run) tookBack(o *opHistory) bool {
	t := r.twins[o.on]
	if t == nil {
		return false
	}
	s, n := t.steps[o.s], t.ops[[2]int{o.s, o.n}]
	return s > 0 && n > 0 && t.h.steps[s-1].ops[n-1].status == opUndone
}

// close ends the twins as the run ends, with what stands: their guards go, or wait for
// the confirmation. What fails is a machine that takes its part back by itself.
func (r *Run) closeTwins(ctx context.Context, status Status) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, t := range r.twins {
		its := status
		if r.undone && !t.standing() {
			its = StatusUndone
		}
		if err := t.close(ctx, its); err != nil {
			errs = append(errs, lang.Errorf(err, "cannot tell %s how the run ended", "无法告知 %s 运行的结果", t.on).
				WithHint("it takes its part back by itself; `goxin undo` here takes back the rest", "该机会自动撤销其部分；在本机执行 `goxin undo` 可撤销其余部分"))
		}
	}
	return errors.Join(errs...)
}

func (t *twin) close(ctx context.Context, status Status) error {
	if status == StatusAwaiting {
		boot, up, err := t.boot()
		if err != nil {
			return err
		}
		return t.write(record{What: "awaiting", Boot: boot, Deadline: up + t.h.confirm.Seconds()})
	}
	if err := t.write(record{What: "end", Status: status}); err != nil {
		return err
	}
	// A guard that stays sees that its run has ended, and leaves by itself.
	_ = t.removeGuard(ctx, t.id)
	return nil
}

// park lets go of the twins of a run that is left where it stands: they wait to be
// resumed or undone with it, and take nothing back by themselves.
func (r *Run) park() {
	for _, t := range r.twins {
		if r.h.confirm == 0 {
			_ = t.removeGuard(context.Background(), t.id) // one that cannot be reached has its guard for it
		}
	}
}

// letGo releases every machine's lock.
func (r *Run) letGo() error {
	var errs []error
	for _, t := range r.twins {
		_ = t.release() // who cannot be reached lets go by itself
	}
	return errors.Join(append(errs, r.release())...)
}

// reopenTwins takes up the parts of a run on other machines, which are joined for it
// where they are not here.
func (r *Run) reopenTwins(ctx context.Context) error {
	if len(r.h.twins) == 0 {
		return nil
	}
	if err := r.e.rejoin(ctx, r.h); err != nil {
		return err
	}
	for _, id := range r.e.ordered() {
		if _, ok := r.h.twins[id]; !ok {
			continue
		}
		if _, err := r.openTwin(ctx, id); err != nil {
			return lang.Errorf(err, "cannot go on with run %d on %s", "无法在 %[2]s 上继续运行 %[1]d", r.ID(), id)
		}
	}
	for id := range r.h.twins {
		if r.twins[id] == nil {
			return lang.Errorf(nil, "cannot go on with run %d: %s is not here", "无法继续运行 %d：%s 不在此处", r.ID(), id)
		}
	}
	return nil
}

// together refuses to go on with a run of which another machine has taken its part
// back.
func (r *Run) together() error {
	for _, t := range r.twins {
		if t.h.status == StatusUndone {
			return lang.Errorf(nil, "cannot resume run %d: %s has taken its part back", "无法继续运行 %d：%s 已撤销其部分", r.ID(), t.on).
				WithHint("`goxin undo` takes back the rest; then apply it again", "先用 `goxin undo` 撤销其余部分，再重新执行")
		}
	}
	return nil
}

// The machines of an engine.

func (e *Engine) machine(id machine.ID) machine.Machine {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machines[id]
}

func (e *Engine) ordered() []machine.ID {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.order)
}
