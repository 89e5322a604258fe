package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// awaited is a run that is taken back by itself unless it is confirmed, here or
// in another session. What became of it, only its journal tells.
type awaited struct {
	run     engine.RunID
	due     time.Time
	keeping bool // a confirmation is under way
	asking  bool
	err     error // of the last one
}

// fated is what became of an awaited run.
type fated struct {
	run    engine.RunID
	status engine.Status // "": not known
	err    error         // of the confirmation
}

// awaits notes that a run that has ended is to be confirmed, if it is.
func (a *App) awaits(sum engine.Summary) {
	if sum.Status == engine.StatusAwaiting && sum.Deadline > 0 {
		a.awaited = &awaited{run: sum.ID, due: a.now().Add(sum.Deadline)}
	}
}

// left is how long the awaited run still stands.
func (a *App) left() time.Duration {
	if a.awaited == nil {
		return 0
	}
	return a.awaited.due.Sub(a.now())
}

func (a *App) keepKey() binding {
	return binding{keys: []string{"k"}, desc: lang.T("keep the changes", "保留改动"), must: true, do: a.keep}
}

func (a *App) keep() (nav, tea.Cmd) {
	w := a.awaited
	if w == nil || w.keeping {
		return stay, nil
	}
	w.keeping = true
	s, id := a.session, w.run
	return stay, a.job(func(ctx context.Context) (tea.Msg, error) {
		err := s.Confirm(ctx, id)
		if err == nil {
			return fated{run: id, status: engine.StatusApplied}, nil
		}
		return fated{id, statusOf(s, id), err}, nil
	})
}

// watch goes on counting down, and asks what became of the run at its deadline.
func (a *App) watch() tea.Cmd {
	w := a.awaited
	switch {
	case w == nil:
		return nil
	case a.left() > 0 || w.asking || w.keeping:
		return a.tickLater()
	}
	w.asking = true
	s, id := a.session, w.run
	return tea.Batch(a.tickLater(), a.job(func(context.Context) (tea.Msg, error) {
		return fated{run: id, status: statusOf(s, id)}, nil
	}))
}

// statusOf is what the journals say of a run; "": they cannot be read.
func statusOf(s Session, id engine.RunID) engine.Status {
	runs, err := s.Runs()
	if err != nil {
		return ""
	}
	for _, r := range runs {
		if r.ID == id {
			return r.Status
		}
	}
	return ""
}

// fated takes over what became of the awaited run.
func (a *App) fated(m fated) {
	w := a.awaited
	if w == nil || w.run != m.run {
		return
	}
	w.asking, w.keeping = false, false
	if m.err != nil {
		w.err = m.err
	}
	switch m.status {
	case engine.StatusApplied:
		a.awaited = nil
	case engine.StatusUndone:
		a.awaited = nil
		steps := a.tally.takenBack(m.run, lang.Errorf(nil, "cannot keep run %s: it was not confirmed in time and was taken back", "无法保留运行 %s：未及时确认，已撤回", m.run))
		for _, s := range steps {
			if s >= 0 {
				a.progress[s] = undone
			}
		}
		a.runs = slices.DeleteFunc(a.runs, func(id engine.RunID) bool { return id == m.run })
	case engine.StatusFailed:
		a.awaited = nil
		a.failRun(m.run, lang.Errorf(nil, "cannot keep run %s: it was not confirmed in time, and not all of it could be taken back", "无法保留运行 %s：未及时确认，且未能全部撤回", m.run).
			WithHint("`goxin runs` shows what stands, `goxin undo` tries again", "`goxin runs` 查看仍然有效的内容，`goxin undo` 再次撤销"))
	}
}

// failRun is the end of a run of which something stands that should not.
func (a *App) failRun(run engine.RunID, err error) {
	for _, e := range a.tally.entries {
		if e.run == run {
			a.tally.fail(e.step, err)
			if e.step >= 0 {
				a.progress[e.step] = failed
			}
		}
	}
}

// broke is a job of this that did not come back in order.
func (w *awaited) broke(err error) { w.asking, w.keeping, w.err = false, false, err }

// takingBack is how long the end waits for a run to be taken back whose time is
// over: the machine looks twice a second, and needs a moment to do it.
const takingBack = 3 * time.Second

// settle finds out what became of the awaited run before the wizard says so. A
// run whose time is over is never said to be waiting.
func (a *App) settle(patient bool) {
	const step = 100 * time.Millisecond
	for spent := time.Duration(0); a.awaited != nil; spent += step {
		a.fated(fated{run: a.awaited.run, status: statusOf(a.session, a.awaited.run)})
		if a.awaited == nil || a.left() > 0 {
			return
		}
		if !patient || spent >= takingBack {
			break
		}
		a.pause(step)
	}
	if w := a.awaited; w != nil {
		a.awaited = nil
		a.failRun(w.run, lang.Errorf(nil, "cannot say what became of run %s: it was not confirmed in time, and is not taken back yet", "无法确定运行 %s 的结果：未及时确认，尚未撤回", w.run).
			WithHint("`goxin runs` shows it", "用 `goxin runs` 查看"))
	}
}

// awaitLines say what happens to the run unless somebody acts.
func (a *App) awaitLines(w int) []string {
	if a.awaited == nil {
		return nil
	}
	t := lang.T("The time is up: the machine is taking the changes back.", "时间已到：正在撤回改动。")
	if a.left() > 0 {
		t = lang.F("In %s it is taken back by itself. If you still reach this machine, press k to keep it.",
			"%s 后自动撤回。若仍能正常访问本机，请按 k 保留。", clock(a.left()))
	}
	out := a.marked(a.theme.Warn.Render(a.theme.Note), t, w)
	if a.awaited.err != nil {
		out = append(out, a.errorLines(a.awaited.err, w)...)
	}
	return append(out, "")
}

// marked is a paragraph with a mark before it.
func (a *App) marked(mark string, t lang.Text, w int) []string {
	var out []string
	n := width(mark) // in line mode it is a word
	for i, l := range wrap(a.s(t), w-n-1) {
		if i > 0 {
			mark = strings.Repeat(" ", n)
		}
		out = append(out, mark+" "+l)
	}
	return out
}
