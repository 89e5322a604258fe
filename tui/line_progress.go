package tui

import (
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/steps/drill"
	"goxin/steps/engine"
)

// progression is work as it is told in lines: what takes longer than a moment is
// told when it begins and when it ends, the rest when it ends; a program's words
// at most once a second; and silence says how long it is.
type progression struct {
	began  time.Time // of the waiting
	spoke  time.Time // when a line was printed last
	atWork bool      // the page at work has been told

	doing   lang.Text // begun and not told yet
	doingAt time.Time
	current lang.Text // begun and not ended

	fault int // of a drill: its number, told last

	output   lang.Text // of a program, not told yet
	outputAt time.Time // when one was told last

	survey     engine.Event // what a survey has said last
	surveySaid time.Time    // when that was told last
}

// moment is what is told of at most once.
const moment = time.Second

// waits begins to wait for what an answer has set off.
func (d *liner) waits() {
	d.progression = progression{began: d.now(), spoke: d.now(), outputAt: d.now(), surveySaid: d.now(), survey: d.survey, atWork: d.atWork}
}

// tell prints what has happened; not into a prompt that is open.
func (d *liner) tell() {
	if d.prompted {
		return
	}
	d.tellBusy()
	for _, ev := range d.heard.take() {
		d.tellEvent(ev)
	}
}

// tellBusy says what a page begins that works by itself.
func (d *liner) tellBusy() {
	busy := d.busy() && d.place.stage != atDone && d.place.stage != atResult
	if busy && !d.atWork {
		d.put("", d.pageLines()[0])
		if d.person {
			if p := d.promptOf(d.page.Keys()); p != "" {
				d.put(d.say("Meanwhile %s", "期间 %s", strings.TrimRight(p, ":：")) + d.say(".", "。"))
			}
		}
	}
	d.atWork = busy
}

func (d *liner) tellEvent(ev engine.Event) {
	target := cut(clean(ev.Target), 60, "...")
	item := d.onText(ev.On, target)
	if ev.Of > 0 && ev.N > 0 {
		item = lang.F("%d of %d, %s", "第 %d / %d 项，%s", ev.N, ev.Of, item)
	}
	done := func(t lang.Text) {
		d.doing, d.current, d.output = lang.Text{}, lang.Text{}, lang.Text{}
		d.put(d.s(t))
	}
	begin := func(t, what lang.Text) { d.doing, d.current, d.doingAt = t, what, d.now() }
	switch ev.What {
	case engine.Surveying:
		d.survey = ev
	case engine.Doing:
		begin(lang.F("begun: %s", "开始：%s", item), item)
	case engine.Undoing:
		begin(lang.F("undoing: %s", "正在撤销：%s", item), item)
	case engine.Proving:
		begin(lang.F("trying: %s", "正在验证：%s", ev.Text), ev.Text)
	case engine.Telling:
		d.tellTold(ev)
	case engine.Output:
		d.output = ev.Text
		d.tellOutput()
	case engine.Done:
		if ev.Outcome != nil && ev.Outcome.Deviates() {
			done(lang.F("note: %s: %s", "注意：%s：%s", item, outcomeText(*ev.Outcome)))
			break
		}
		done(lang.F("done: %s", "完成：%s", item))
	case engine.Failed:
		done(lang.F("failed: %s", "失败：%s", item))
	case engine.Proved:
		done(lang.F("proved: %s", "已验证：%s", ev.Text))
	case engine.Undone:
		done(lang.F("as before: %s", "已恢复：%s", item))
	case engine.LeftAlone:
		done(lang.F("left alone: %s: %s", "保持不动：%s：%s", item, ev.Error))
	}
}

// tellTold says what a drill has come to, a sentence for each fault, and hands on what
// a service writes to its journal.
func (d *liner) tellTold(ev engine.Event) {
	if l, ok := d.journalLine(ev); ok {
		d.output = lang.Same(l)
		d.tellOutput()
	}
	s, ok := sampleOf(ev)
	if !ok {
		return
	}
	if s.Done != nil {
		d.doing, d.current, d.output = lang.Text{}, lang.Text{}, lang.Text{}
		d.put(d.s(d.rowText(*s.Done)))
		return
	}
	if s.N != d.fault {
		d.fault = s.N
		t := lang.F("fault %d of %d, %s", "第 %d / %d 项故障，%s", s.N, s.Of, drill.Title(s.Fault))
		d.doing, d.current, d.doingAt = lang.F("begun: %s", "开始：%s", t), t, d.now()
	}
}

func (d *liner) tellBegun() {
	if !d.doing.Empty() {
		d.put(d.s(d.doing))
		d.doing = lang.Text{}
	}
}

// tellOutput prints the last line of a program, at most one a moment.
func (d *liner) tellOutput() {
	if d.output.Empty() || d.now().Sub(d.outputAt) < moment {
		return
	}
	d.tellBegun()
	if s := strings.TrimSpace(d.raw(d.output.In(d.lang))); s != "" {
		d.put("  " + cut(s, lineWidth-2, "..."))
	}
	d.output, d.outputAt = lang.Text{}, d.now()
}

// beat is called about once a moment while there is something to wait for.
func (d *liner) beat() {
	now := d.now()
	if now.Sub(d.doingAt) >= moment {
		d.tellBegun()
	}
	d.tellOutput()
	if !d.survey.Text.Empty() && (d.surveySaid.Equal(d.began) && now.Sub(d.began) >= moment || now.Sub(d.surveySaid) >= quietFor) {
		d.surveySaid = now
		d.put(d.s(d.survey.Text))
	}
	if now.Sub(d.spoke) >= quietFor {
		t := lang.F("still at work, %s", "仍在进行，已用时 %s", clock(now.Sub(d.began)))
		if !d.current.Empty() {
			t = lang.F("%s (%s)", "%s（%s）", t, d.current)
		}
		d.put(d.s(t))
	}
}

// tellSurvey prints what a survey has found, once it is complete.
func (d *liner) tellSurvey() {
	t := d.survey.Table
	d.survey = engine.Event{}
	if t == nil || len(t.Columns) == 0 {
		return
	}
	out := []string{""}
	for _, r := range t.Rows {
		out = append(out, d.rowLine(t.Columns, r))
	}
	d.put(out...)
}

// rowLine is a row of a table as a sentence: each cell after its column's title.
func (d *liner) rowLine(cols []engine.Column, r engine.TableRow) string {
	var parts []string
	name := ""
	for c := range min(len(cols), len(r.Cells)) {
		v, title := strings.TrimSpace(d.raw(r.Cells[c].In(d.lang))), d.raw(cols[c].Title.In(d.lang))
		switch {
		case c == 0:
			name = v
		case v == "" || v == "-" || title == "":
			if title == "" && v != "" {
				parts = append(parts, v)
			}
		default:
			parts = append(parts, title+" "+v)
		}
	}
	switch r.Mark {
	case engine.Best:
		parts = append(parts, d.say("the best", "最优"))
	case engine.Good:
		parts = append(parts, d.say("usable", "可用"))
	case engine.Unusable:
		parts = append(parts, d.say("unusable", "不可用"))
	default:
		parts = append(parts, d.say("not looked at", "未检查"))
	}
	return d.say("%s: %s", "%s：%s", name, strings.Join(parts, d.say(", ", "，")))
}
