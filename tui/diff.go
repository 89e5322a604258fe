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

// confirmWithin is how long a run written with W stands unless it is confirmed,
// where Config says nothing else.
const confirmWithin = 120 * time.Second

// diffPage shows what a step would change. It is what a person signs: it gets
// the room, and nothing is written before it.
type diffPage struct {
	*App
	look   looking
	looked bool // the survey is over, the plan is being made
	plan   *engine.StepPlan
	err    error
	cursor int  // index among the stops
	right  bool // it stands in the right one of two machines' columns
	scroll scroll
	kept   drawn
}

type planned struct {
	plan  *engine.StepPlan
	hosts engine.Hosts // of a step that brings another machine into the run
}

func (p *diffPage) Enter() tea.Cmd {
	p.outcome = outcome{}
	id := p.step().ID()
	var save tea.Cmd
	if _, asked := p.answers[id]; !asked {
		p.answers[id] = engine.Values{}
		save = p.saveAnswers()
	}
	p.looked = false
	return tea.Batch(save, p.begin(&p.look), p.lookUp())
}

// makePlan is what follows the survey.
func (p *diffPage) makePlan(l looked) tea.Cmd {
	p.looked = true
	p.look.said, p.look.table = lang.Text{}, nil
	s, step, v := p.session, p.step(), copyValues(p.answers[p.step().ID()])
	return p.job(func(ctx context.Context) (tea.Msg, error) {
		plan, err := s.Plan(ctx, step, l.survey, v)
		m := planned{plan: plan}
		if _, joins := step.(engine.Joiner); joins && err == nil {
			m.hosts, err = s.Detect(ctx)
		}
		return m, err
	})
}

// Refresh keeps the change under the cursor in sight; a page that nobody has moved
// in stays at its beginning.
func (p *diffPage) Refresh() tea.Cmd {
	if p.plan != nil && !p.tooSmall() {
		ls, st, room := p.window()
		if len(st) > 0 && (p.cursor > 0 || p.scroll.top > 0) {
			p.scroll.show(st[min(p.cursor, len(st)-1)], room)
			p.scroll.clamp(len(ls), room)
		}
	}
	return nil
}

func (p *diffPage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case tick:
		return stay, p.ticked(&p.look, p.plan == nil && p.err == nil)
	case looked:
		p.keepLooked(msg)
		if d, ok := p.step().(engine.Doubter); ok && !p.review {
			if key := d.Doubt(engine.HostsOf(p.step(), p.hosts), msg.survey, copyValues(p.answers[p.step().ID()])); key != "" {
				p.doubt = key
				return back, nil
			}
		}
		return stay, p.makePlan(msg)
	case planned:
		p.plan, p.err = msg.plan, nil
		if len(msg.hosts.Order) > 0 {
			p.hosts = msg.hosts
		}
		p.outcome.plan = msg.plan
		return stay, p.recalled(msg.plan.Values)
	case broken:
		p.err = msg.err
	case engine.Event:
		p.look.hear(msg, p.step().ID())
	}
	return stay, nil
}

func (p *diffPage) Keys() []binding {
	esc := p.escKey()
	out := binding{keys: []string{"s", "ctrl+n"}, desc: lang.T("skip this step", "跳过此步骤"), rare: true, do: goes(skip)}
	switch {
	case p.err != nil:
		out.rare = false
		return []binding{
			{keys: []string{"r"}, desc: lang.T("try again", "重试"), must: true, do: p.again},
			{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog},
			out, esc,
		}
	case p.plan == nil:
		return p.lookingKeys(&p.look)
	case p.plan.Changes() == 0 && p.plan.Proves:
		out.rare = false
		return append(append(p.moveKeys(), p.notesKeys()...),
			binding{keys: []string{"?"}, desc: lang.T("why", "原因"), do: p.showWhy},
			binding{keys: []string{"enter"}, desc: lang.T("try it out", "开始验证"), must: true, do: goes(next)}, out, esc)
	case p.plan.Changes() == 0:
		return append(append(p.moveKeys(), p.notesKeys()...),
			binding{keys: []string{"?"}, desc: lang.T("why", "原因"), do: p.showWhy},
			binding{keys: []string{"enter"}, desc: lang.T("go on", "继续"), must: true, do: func() (nav, tea.Cmd) {
				if !p.unproved() {
					p.App.progress[p.place.step] = done
					p.tally.fail(p.place.step, nil)
					p.keepOutcome()
				}
				return next, nil
			}}, out, esc)
	}
	bs := append(append(p.moveKeys(), p.notesKeys()...),
		binding{keys: []string{"?"}, desc: lang.T("why", "原因"), must: true, do: p.showWhy},
		binding{keys: []string{"c"}, desc: lang.T("by hand", "手工命令"), do: p.showByHand})
	if !p.review && asks(p.step()) {
		bs = append(bs, binding{keys: []string{"e"}, desc: lang.T("edit answers", "修改应答"), rare: p.width < 100, do: goes(back)})
	}
	if _, looks := p.step().(engine.Surveyor); looks {
		bs = append(bs, binding{keys: []string{"r"}, desc: lang.T("measure again", "重新检查"), rare: true, do: p.again})
	}
	if slices.ContainsFunc(p.plan.Items, func(it engine.Planned) bool { return it.Unknown != "" }) {
		out.rare = false
		return append(bs, out, esc) // it cannot be written yet
	}
	write := lang.T("write these changes", "写入这些改动")
	if p.width < 60 {
		write = lang.T("write", "写入")
	}
	bs = append(bs, binding{keys: []string{"w"}, desc: write, must: true, do: func() (nav, tea.Cmd) { return p.askWrite(p.heldConfirm()) }})
	if p.confirmWithin > 0 {
		bs = append(bs, binding{
			keys: []string{"W"}, desc: lang.F("write, and take back after %d s unless confirmed", "写入；%d 秒内不确认则自动撤回", int(p.confirmWithin.Seconds())), rare: true,
			do: func() (nav, tea.Cmd) { return p.askWrite(p.confirmWithin) },
		})
	}
	return append(bs, out, esc)
}

func (p *diffPage) again() (nav, tea.Cmd) {
	delete(p.found, p.step().ID()) // it may be what was found that is wrong
	p.err, p.plan, p.cursor, p.scroll = nil, nil, 0, scroll{}
	return stay, p.Enter()
}

// heldConfirm is within what time the run under way is to be confirmed: what is
// written to it goes back with it.
func (a *App) heldConfirm() time.Duration {
	if a.run == nil {
		return 0
	}
	return a.run.confirm
}

// askWrite is the second step of the two it takes to write: the key alone does
// not, and Enter alone does not.
func (p *diffPage) askWrite(within time.Duration) (nav, tea.Cmd) {
	if p.lesson {
		return p.teach(func() (nav, tea.Cmd) { return p.sign(within) })
	}
	return p.sign(within)
}

func (p *diffPage) sign(within time.Duration) (nav, tea.Cmd) {
	to := p.writtenTo(p.plan)
	title := lang.F("Write %d changes to %s?", "向 %[2]s 写入 %[1]d 项改动？", p.plan.Changes(), to)
	if p.plan.Changes() == 1 {
		title = lang.F("Write 1 change to %s?", "向 %s 写入 1 项改动？", to)
	}
	text := []lang.Text{lang.T("Each can be undone, and is read back once it is written.", "每一项都可撤销，写入后会逐一回读核对。")}
	if t := forGood(p.plan.Items); !t.Empty() {
		text = []lang.Text{lang.T("Each is read back once it is written. All can be undone but what follows.", "写入后会逐一回读核对。除下列内容外均可撤销。"), t}
	}
	if within > 0 {
		text = append(text, lang.F("Taken back by itself after %d s unless you confirm it, even if this terminal is gone.",
			"%d 秒内若未确认将自动撤回，即使此终端已断开。", int(within.Seconds())))
	}
	return p.ask(&confirmOverlay{title: title, text: text, yes: lang.T("write", "写入"), danger: true, do: func() (nav, tea.Cmd) {
		p.outcome = outcome{plan: p.plan, confirm: within}
		return next, nil
	}})
}

// forGood names what cannot be undone: the first of it where it is much.
func forGood(items []engine.Planned) lang.Text {
	var names []string
	for _, it := range items {
		n := len(names)
		for _, r := range it.Diff.Rows {
			if r.Action == engine.CannotUndo {
				names = append(names, r.Name)
			}
		}
		if n == len(names) && it.Diff.Action == engine.CannotUndo {
			names = append(names, cut(clean(it.Target), 50, "..."))
		}
	}
	const most = 3
	if n := len(names) - most; n > 0 {
		return lang.F("Cannot be undone: %s and %d more", "无法撤销：%s，另有 %d 项", strings.Join(names[:most], ", "), n)
	}
	if len(names) == 0 {
		return lang.Text{}
	}
	return lang.F("Cannot be undone: %s", "无法撤销：%s", strings.Join(names, ", "))
}

// hostname is what the machine calls itself; one that was packed has no name.
func (a *App) hostname() lang.Text {
	if a.several() {
		return lang.F("the pair %s", "双机 %s", a.pairNames())
	}
	if f := a.facts(); f != nil && f.Hostname.Known && f.Hostname.Value != "" {
		return lang.Same(clean(f.Hostname.Value))
	}
	return lang.T("this machine", "本机")
}

func (p *diffPage) View(w, h int) string {
	title := p.s(p.step().Title())
	switch {
	case p.err != nil:
		return p.pane(w, h, p.head(w, title, p.say("cannot be planned", "无法制定计划"), ""), p.errorLines(p.err, w-2), scroll{}, -1)
	case p.plan == nil && !p.looked:
		return p.lookingView(w, h, p.say("looking, nothing is changed", "正在了解现状，不做任何改动"), p.say("looking", "正在了解"), &p.look)
	case p.plan == nil:
		return p.lookingView(w, h, p.say("planning, nothing is changed", "正在制定计划，不做任何改动"), p.say("planning", "正在计划"), &p.look)
	}
	written := p.say("nothing written yet", "尚未写入")
	if p.App.progress[p.place.step] == failed && p.begun[p.place.step] {
		written = p.say("part of it is written", "部分已写入")
	}
	head := p.head(w, title, p.state(), written)
	dw, dh, aside, below := p.areas(w, h)
	d := p.drawing(dw - 2)
	cur := -1
	if len(d.stops) > 0 {
		cur = d.stops[min(p.cursor, len(d.stops)-1)]
	}
	view := p.diffPane(dw, dh, head, d, cur)
	it, some := p.current()
	why := p.say("why", "原因")
	if some && p.paired() {
		why += p.theme.Dot + p.s(p.machineName(it.On))
	}
	switch {
	case !some:
	case below:
		rows := append(strings.Split(view, "\n"), "")
		if len(rows) > dh {
			rows = rows[:dh]
		}
		for _, l := range p.box(min(w-2, 100), why, p.why(min(w-2, 100)-4, reasonLines(h))) {
			rows = append(rows, " "+l)
		}
		return strings.Join(rows, "\n")
	case aside > 0:
		return p.setBeside(view, dw, p.box(aside, why, p.why(aside-4, h-6)))
	}
	return view
}

// areas divides the page: the diff, and the reasons below it or beside it.
func (p *diffPage) areas(w, h int) (dw, dh, aside int, below bool) {
	switch {
	case p.width >= asideFrom && (!p.beside() || p.width >= pairAsideFrom):
		return w - 56, h, 54, false
	case h >= 18:
		return w, h - reasonLines(h) - 2, 0, true
	}
	return w, h, 0, false
}

// reasonLines is how much of a reason the page shows: enough to decide, and the
// rest of it with ?.
func reasonLines(h int) int {
	if h < 26 {
		return 3
	}
	return 6
}

func (p *diffPage) setBeside(left string, lw int, right []string) string {
	rows := strings.Split(left, "\n")
	for len(rows) < len(right)+2 {
		rows = append(rows, "")
	}
	for i, r := range right {
		rows[i+2] = pad(rows[i+2], lw) + r
	}
	return strings.Join(rows, "\n")
}

// state counts what the plan does.
func (p *diffPage) state() string {
	n := p.plan.Changes()
	s := p.say("%d changes", "%d 项改动", n)
	switch n {
	case 0:
		if p.plan.Proves {
			return p.say("nothing to write, to be tried out", "无需写入，可作验证")
		}
		return p.say("already as wanted, nothing to write", "已符合要求，无需写入")
	case 1:
		s = p.say("1 change", "1 项改动")
	}
	if warn := warnings(p.plan.Notes); warn == 1 {
		s += p.say(", 1 warning", "，1 条警告")
	} else if warn > 1 {
		s += p.say(", %d warnings", "，%d 条警告", warn)
	}
	return s
}

// current is the item under the cursor.
func (p *diffPage) current() (engine.Planned, bool) {
	if p.plan == nil {
		return engine.Planned{}, false
	}
	w, _ := p.bodySize()
	dw, _, _, _ := p.areas(w, 24)
	d := p.drawing(dw - 2)
	if len(d.stops) == 0 {
		return engine.Planned{}, false
	}
	at := d.stops[min(p.cursor, len(d.stops)-1)]
	if d.pair != nil {
		return p.plan.Items[d.pair[at].item(p.right)], true
	}
	return p.plan.Items[d.lines[at].item], true
}

// why is the reason of the change under the cursor, in at most most lines.
func (p *diffPage) why(w, most int) []string {
	it, ok := p.current()
	if !ok {
		return make([]string, min(most, 3))
	}
	ls := wrap(p.s(it.Why), w)
	if it.Why.Empty() {
		ls = []string{p.theme.Dim.Render(p.say("no reason is given", "未给出原因"))}
	}
	if len(ls) > most {
		ls = ls[:most]
		last := cut(ls[most-1], w-6, "")
		if i := strings.LastIndexByte(last, ' '); i > len(last)/2 {
			last = last[:i]
		}
		ls[most-1] = last + p.theme.Ellipsis + " (?)"
	}
	for len(ls) < min(most, 3) {
		ls = append(ls, "")
	}
	return ls
}

func (p *diffPage) showWhy() (nav, tea.Cmd) {
	it, ok := p.current()
	if !ok {
		return stay, nil
	}
	return p.push(&textOverlay{App: p.App, title: lang.T("Why", "原因"), state: p.onText(it.On, clean(it.Target)), body: func(w int) []string {
		w = min(w, 100)
		ls := wrap(p.s(it.Why), w)
		if len(it.ByHand) > 0 {
			ls = append(ls, "", p.theme.Title.Render(p.say("By hand", "手工命令")))
			ls = append(ls, p.commands(it, w)...)
		}
		return ls
	}})
}

func (p *diffPage) commands(it engine.Planned, w int) []string {
	var out []string
	for _, c := range it.ByHand {
		for _, l := range strings.Split(c, "\n") {
			out = append(out, hang(p.raw(l), w, 2)...)
		}
	}
	return out
}

// showByHand lists what a person would type, from the change under the cursor.
func (p *diffPage) showByHand() (nav, tea.Cmd) {
	cur, _ := p.current()
	at := 0
	o := &textOverlay{App: p.App, title: lang.T("By hand", "手工命令"), state: lang.T("what goxin will do, as commands", "goxin 将要做的，写成命令")}
	o.body = func(w int) []string {
		var out []string
		for _, it := range p.plan.Items {
			if it.Diff.Action == engine.None || len(it.ByHand) == 0 {
				continue
			}
			if it.Target == cur.Target && it.Kind == cur.Kind && it.On == cur.On {
				at = len(out)
			}
			out = append(out, p.theme.Dim.Render("# "+p.onOf(it.On, p.raw(it.Target))))
			out = append(out, p.commands(it, w)...)
			out = append(out, "")
		}
		return out
	}
	w, _ := p.bodySize()
	o.body(w - 2)
	o.scroll.top = at
	return p.push(o)
}

// hang breaks a line that must be read whole; what follows is indented. It
// breaks at spaces where it can.
func hang(s string, w, indent int) []string {
	if width(s) <= w {
		return []string{s}
	}
	start := len(s) - len(strings.TrimLeft(s, " "))
	lead := strings.Repeat(" ", indent)
	out := wrap(s[start:], w-indent-start)
	for i := range out {
		out[i] = s[:start] + out[i]
		if i > 0 {
			out[i] = lead + out[i]
		}
	}
	return out
}
