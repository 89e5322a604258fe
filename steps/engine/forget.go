package engine

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Forget destroys the contents run id would be undone from, on every machine it was
// about. What the run changed stands and is still checked; it cannot be undone any more.
// Where some of it could not be destroyed, another Forget goes on with that.
func (e *Engine) Forget(ctx context.Context, id RunID) error {
	r, err := e.open(ctx, id, joining)
	if err != nil {
		return err
	}
	defer func() { _ = r.letGo() }() // the lock ends with the process at the latest
	if s := r.h.status; s == StatusInterrupted || s == StatusAwaiting {
		return lang.Errorf(nil, "cannot forget run %d: it has not ended", "无法遗忘运行 %d：它尚未结束", id).
			WithHint("`goxin resume`, `goxin confirm` or `goxin undo` ends it", "用 `goxin resume`、`goxin confirm` 或 `goxin undo` 结束它")
	}
	if err := r.journal(record{What: "forgotten"}); err != nil {
		return err
	}
	errs := []error{r.h.journal.destroy(), r.forgetKept(ctx, r.h.first, e.shelf, id)}
	for on, t := range r.twins {
		errs = append(errs, r.forgetKept(ctx, on, t.shelf, t.id))
	}
	return errors.Join(errs...)
}

// forgetKept has the run's ops on a machine destroy what they kept there, but for what
// other runs of that machine's shelf need; as is the run's number on it.
func (r *Run) forgetKept(ctx context.Context, on machine.ID, its shelf, as RunID) error {
	var others []*history
	var errs []error
	for _, o := range r.h.ops() {
		k, keeps := o.op.(Keeper)
		if !keeps || o.on != on || !o.mayKeep() {
			continue
		}
		if others == nil {
			var err error
			if others, err = its.beside(as); err != nil {
				return err // it may need what is kept
			}
		}
		if err := k.Forget(ctx, r.e.machine(on), o.before, neededBy(others, its.first, o)); err != nil {
			errs = append(errs, lang.Errorf(err, "cannot destroy what was kept of %s on %s", "无法销毁为 %s 保存在 %s 上的内容", o.op.Target(), on).
				WithHint("`goxin forget %d` once more goes on with it", "再次执行 `goxin forget %d` 可继续", int(r.ID())))
		}
	}
	return errors.Join(errs...)
}

// dropKept has an op that was undone destroy what it kept, but for what other ops need.
func (r *Run) dropKept(ctx context.Context, o *opHistory, before State) error {
	k, keeps := o.op.(Keeper)
	if !keeps {
		return nil
	}
	its, as := r.e.shelf, r.ID()
	if t := r.twins[o.on]; t != nil {
		its, as = t.shelf, t.id
	}
	others, err := its.beside(as)
	if err != nil {
		return nil // a run that cannot be read may need it
	}
	needed := neededBy(others, its.first, o)
	for _, p := range r.h.ops() {
		if p != o && targetOf(p) == targetOf(o) && p.mayKeep() {
			needed = append(needed, p.before)
		}
	}
	return k.Forget(ctx, r.e.machine(o.on), before, needed)
}

// beside are the runs of the shelf that can be undone, but one.
func (k shelf) beside(but RunID) ([]*history, error) {
	hs, err := k.histories()
	return slices.DeleteFunc(hs, func(h *history) bool { return h.forgotten || h.header.ID == but }), err
}

// neededBy are the states that ops of o's target on a machine go back to.
func neededBy(runs []*history, on machine.ID, o *opHistory) (needed []State) {
	for _, h := range runs {
		for _, p := range h.ops() {
			if p.on == on && p.mayKeep() && p.op.Kind() == o.op.Kind() && p.op.Target() == o.op.Target() {
				needed = append(needed, p.before)
			}
		}
	}
	return needed
}

// mayKeep reports whether something may be kept to undo o.
func (o *opHistory) mayKeep() bool { return o.live() || o.status == opLeft }

func (t *twin) forget() error {
	if err := t.write(record{What: "forgotten"}); err != nil {
		return err
	}
	return t.h.journal.destroy()
}

// destroy removes the contents.
func (j journal) destroy() error {
	refs, err := j.home.ReadDir(j.dir + "/blobs")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var errs []error
	for _, ref := range refs { // what a died WriteFile left beside them too
		errs = append(errs, j.home.Remove(j.dir+"/blobs/"+ref))
	}
	return errors.Join(errs...)
}
