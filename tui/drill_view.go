package tui

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/vrrp"
)

// The kinds of data that proofs and operations tell while they are at work.
const (
	tellsDrill   = "drill"   // a drill.Sample
	tellsJournal = "journal" // a line of a unit's journal
)

// drillView is a failover drill as it is watched: what became of each fault, how the
// one under way stands, and how long the answers of the last seconds took.
type drillView struct {
	faults    []vrrp.Fault // one may come twice
	predicted map[vrrp.Fault]time.Duration
	rows      map[int]drill.Row // by the fault's number, from 1
	from      string            // who asks
	last      drill.Sample
	graph     graph
}

// mostFaults bounds what a sample may bring.
const mostFaults = 100

// hear takes a sample over.
func (v *drillView) hear(s drill.Sample) {
	if s.N < 1 || s.N > mostFaults || len(s.Faults) > mostFaults {
		return
	}
	if len(s.Faults) > 0 {
		v.faults, v.predicted, v.from = s.Faults, s.Predicted, s.From
	}
	for len(v.faults) < s.N { // the first sample was not heard
		v.faults = append(slices.Clone(v.faults), s.Fault)
	}
	over := s.At
	if s.N == v.last.N {
		over -= v.last.At
	}
	v.graph.add(over, s.LatencyMS)
	if d := s.Done; d != nil {
		if v.rows == nil {
			v.rows = make(map[int]drill.Row)
		}
		v.rows[s.N] = *d
		v.faults[s.N-1] = d.Fault
	}
	v.last = s
}

// at is the number of the fault that is under way; 0: none is.
func (v *drillView) at() int {
	if _, done := v.rows[v.last.N]; done {
		return 0
	}
	return v.last.N
}

// sampleOf is the sample that an event brings.
func sampleOf(ev engine.Event) (drill.Sample, bool) {
	var s drill.Sample
	if ev.What != engine.Telling || ev.Kind != tellsDrill || json.Unmarshal(ev.Data, &s) != nil {
		return drill.Sample{}, false
	}
	return s, true
}

// drillState is where a drill stands, for a page's first line.
func (a *App) drillState(v *drillView) string {
	state := a.say("%d of %d", "第 %d / %d 项", v.last.N, max(v.last.Of, len(v.faults)))
	if v.at() == 0 {
		return state
	}
	switch v.last.Phase {
	case drill.Resting:
		return a.join(state, a.say("waiting for the pair to be at rest", "等待双机恢复稳定"))
	case drill.Broken:
		return a.join(state, a.say("the fault is set", "故障已注入"))
	case drill.Healing:
		return a.join(state, a.say("put back, healing", "已撤除故障，恢复中"))
	}
	return state
}

// owners is who owned the address, one after another.
func (a *App) owners(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, strings.Join(a.nodes(n), "+"))
	}
	return strings.Join(out, a.theme.Arrow)
}

// nodes are the names of those who own the address at once. The drill knows some by
// their machines' IDs alone.
func (a *App) nodes(owner string) []string {
	if owner == "" {
		return nil
	}
	all := strings.Split(owner, "+")
	for i, n := range all {
		if id := machine.ID(n); slices.Contains(a.hosts.Order, id) {
			all[i] = a.s(a.machineName(id))
			continue
		}
		all[i] = a.raw(n)
	}
	return all
}

// ownerTitle is the header while a drill is watched: who owns the address now.
func (a *App) ownerTitle(v *drillView) lang.Text {
	switch nodes := a.nodes(v.last.Owner); len(nodes) {
	case 0:
		return lang.T("nobody owns the address", "无人持有该地址")
	case 1:
		return lang.F("%s owns the address", "%s 持有该地址", nodes[0])
	default:
		return lang.F("%s own the address at once", "%s 同时持有该地址", lang.T(strings.Join(nodes, " and "), strings.Join(nodes, "、")))
	}
}

// ms writes a duration in milliseconds with their thousands apart.
func ms(d time.Duration) string {
	n := strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10)
	for i := len(n) - 3; i > 0 && n[i-1] != '-'; i -= 3 {
		n = n[:i] + "," + n[i:]
	}
	return n + " ms"
}

// drillTable is the table of faults; cur is the line of the one under way, or -1.
func (a *App) drillTable(v *drillView, w int, over bool) (out []string, cur int) {
	t := &engine.Table{Columns: []engine.Column{
		{Title: lang.T("fault", "故障")},
		{Title: lang.T("lost", "丢失"), Right: true},
		{Title: lang.T("longest gap", "最长中断"), Right: true},
		{Title: lang.T("predicted", "预测"), Right: true},
		{Title: lang.T("owners", "持有者")},
	}}
	if w < 56 { // how it came out, before what was promised and who took over
		t.Columns = t.Columns[:3]
	}
	at := v.at()
	if over {
		at = 0
	}
	for i, f := range v.faults {
		cells := [5]string{a.s(drill.Title(f))}
		if d, known := v.predicted[f]; known {
			cells[3] = ms(d)
		}
		switch r, done := v.rows[i+1]; {
		case done && r.Skipped:
			cells[4] = a.say("not tried", "未演练")
		case done:
			cells[1], cells[2], cells[3], cells[4] = fmt.Sprint(r.Lost), ms(r.Gap), ms(r.Predicted), a.owners(r.Owners)
		case over:
			cells[4] = a.say("not reached", "未执行到")
		case at == i+1:
			cells[1], cells[2], cells[4] = fmt.Sprint(v.last.Lost), a.theme.Ellipsis, a.owners([]string{v.last.Owner})
		}
		var row engine.TableRow
		for _, c := range cells {
			row.Cells = append(row.Cells, lang.Same(c))
		}
		t.Rows = append(t.Rows, row)
	}
	head, rows := a.columns(t, w-2)
	th := a.theme
	out, cur = []string{th.Dim.Render("  " + head)}, -1
	why := func(r drill.Row, style lipgloss.Style) {
		if r.Why.Empty() {
			return
		}
		for _, l := range wrap(a.s(r.Why), w-4) {
			out = append(out, "    "+style.Render(l))
		}
	}
	for i := range v.faults {
		switch r, done := v.rows[i+1]; {
		case done && r.Skipped:
			out = append(out, th.Dim.Render(th.Skipped+" "+rows[i]))
			why(r, th.Dim)
		case done && r.OK:
			out = append(out, th.Good.Render(th.Done)+" "+rows[i])
			why(r, th.Dim)
		case done:
			out = append(out, th.Bad.Render(th.Failed)+" "+rows[i])
			why(r, th.Bad)
		case over:
			out = append(out, th.Dim.Render(th.Skipped+" "+rows[i]))
		case at == i+1:
			cur = len(out)
			out = append(out, th.Accent.Render(th.Here+" "+rows[i]))
		default:
			out = append(out, th.Dim.Render(th.Open+" "+rows[i]))
		}
	}
	return out, cur
}

// drillBody is the page of a drill under way, w cells wide and h lines high: the
// faults, and below them the graph, in what room they leave.
func (a *App) drillBody(v *drillView, w, h int) []string {
	rows, cur := a.drillTable(v, w, false)
	said := lang.T("Everything is put back after each fault.", "每项故障之后都会恢复原状。")
	if v.from != "" {
		said = lang.F("%s asks the address. %s", "由 %s 持续访问该地址。%s", a.owners([]string{v.from}), said)
	}
	promise := wrap(a.s(said), w)
	const least, most = 4, 9 // lines of the graph
	room := h - len(promise) - 2
	tableRoom := len(rows)
	graph := min(most, room-tableRoom)
	if graph < least { // the table gives way: what is under way stays in sight
		graph = min(least, room-4)
		tableRoom = max(room-max(graph, 0), 1)
	}
	if graph < least {
		graph, tableRoom = 0, max(h, 1)
		promise = nil
	}
	rows = inSight(rows, cur, tableRoom)
	out := rows
	if graph > 0 {
		out = append(append(out, ""), a.graphLines(&v.graph, w, graph)...)
		out = append(out, "")
	}
	for _, l := range promise {
		out = append(out, a.theme.Dim.Render(l))
	}
	return out
}

// inSight is as much of rows as there is room for: the first line, which names the
// columns, and what is around the one under way.
func inSight(rows []string, cur, room int) []string {
	if len(rows) <= room {
		return rows
	}
	n := max(room-1, 1)
	from := min(max(cur-n/2, 1), max(len(rows)-n, 1))
	return append([]string{rows[0]}, rows[from:min(from+n, len(rows))]...)
}

// rowText is a fault's outcome as a sentence, beginning with how it came out.
func (a *App) rowText(r drill.Row) lang.Text {
	title := drill.Title(r.Fault)
	if r.Skipped {
		return lang.F("not tried: %s: %s", "未演练：%s：%s", title, r.Why)
	}
	t := lang.F("%s: %d of %d requests lost, longest gap %s, predicted %s", "%s：%[3]d 次请求丢失 %[2]d 次，最长中断 %[4]s，预测 %[5]s", title, r.Lost, r.Asked, ms(r.Gap), ms(r.Predicted))
	if len(r.Owners) > 0 {
		t = lang.F("%s, owners %s", "%s，持有者 %s", t, a.owners(r.Owners))
	}
	if !r.Why.Empty() {
		t = lang.F("%s: %s", "%s：%s", t, r.Why)
	}
	if !r.OK {
		return lang.F("not as predicted: %s", "与预测不符：%s", t)
	}
	return lang.F("as predicted: %s", "符合预测：%s", t)
}
