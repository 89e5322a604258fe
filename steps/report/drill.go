package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/sandbox"
)

// Drills are the steps that held a drill.
func (p page) Drills() []Step {
	var out []Step
	for _, s := range p.Steps {
		if s.Drill != nil && len(s.Drill.Rows) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// Asker says who asked whom how often.
func (p page) Asker(d *Drill) string {
	who := lang.F("%s asked the address", "由 %s 访问该地址", d.From)
	switch {
	case d.From == "":
		who = lang.T("The address was asked", "持续访问该地址")
	case d.Third && d.VIP != "":
		who = lang.F("%s, which is neither of the two, asked %s", "由第三台机器 %s 访问 %s", d.From, d.VIP)
	case d.VIP != "":
		who = lang.F("%s asked %s, whenever it was the one that stood by", "由备用节点（最初为 %s）访问 %s", d.From, d.VIP)
	}
	if d.Rate > 0 {
		who = lang.F("%s %d times a second", "%s，每秒 %d 次", who, d.Rate)
	}
	return p.In(lang.F("%s. A request is lost when no complete answer has come within 250 ms. A gap may be one and a half times what was predicted.",
		"%s。250 ms 内未收到完整应答即为丢失；中断时间不得超过预测值的 1.5 倍。", who))
}

// RowMark is a fault's result as a sign.
func (p page) RowMark(r DrillRow) string {
	return map[string]string{"ok": "✓", "skipped": "–"}[r.Result] + map[bool]string{true: "✗"}[r.Result == "failed"]
}

// Millis is a time in milliseconds: whole ones, but below ten.
func (p page) Millis(r DrillRow, ms float64) string {
	if r.Result == "skipped" {
		return "—"
	}
	if ms > 0 && ms < 10 {
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	}
	s := strconv.FormatFloat(math.Round(ms), 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s + " ms"
}

// LostOf is how many of how many were lost.
func (p page) LostOf(r DrillRow) string {
	if r.Result == "skipped" {
		return "—"
	}
	return fmt.Sprintf("%d / %d", r.Lost, r.Asked)
}

// OwnersOf is who owned the address, one after the other.
func (p page) OwnersOf(r DrillRow) string { return strings.Join(r.Owners, " → ") }

// Figure is a drill's answers over time, as the parts of an SVG: a strip for each
// fault, one below the other, on the same axes.
type Figure struct {
	Width, Height int
	Strips        []Strip
	Ticks         []Tick
	Top           string // what a strip's height is, in ms
}

// Strip is one fault's answers: its box, the time the fault was set, a line, and what
// was lost.
type Strip struct {
	Label               string
	Y, TextY, Base      int
	SetX, SetWidth      string
	Line                string // of a path
	Lost                string // of a path
	Left, Inner, Height int
}

// Tick is a mark on the time axis.
type Tick struct{ X, Y, Label string }

const (
	figureWidth = 760
	stripLeft   = 190
	stripHeight = 34
	stripGap    = 10
)

// Figure draws a drill's plots. Nil: it has none.
func (p page) Figure(d *Drill) *Figure {
	span, top := 0.0, 5.0
	for _, r := range d.Rows {
		if r.Plot.Every > 0 {
			span = max(span, r.Plot.Every*float64(len(r.Plot.Worst)))
		}
		for _, ms := range r.Plot.Worst {
			top = max(top, ms)
		}
	}
	if span <= 0 || math.IsInf(span, 0) || top > 1e6 {
		return nil
	}
	const inner = figureWidth - stripLeft - 10
	x := func(ms float64) float64 { return stripLeft + min(max(ms, 0), span)/span*inner }
	at := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	f := &Figure{Width: figureWidth, Top: strconv.FormatFloat(math.Ceil(top), 'f', 0, 64)}
	y := 4
	for _, r := range d.Rows {
		if r.Plot.Every <= 0 || len(r.Plot.Worst) == 0 {
			continue
		}
		s := Strip{Label: p.In(r.Title), Y: y, TextY: y + stripHeight/2 + 4, Base: y + stripHeight, Left: stripLeft, Inner: inner, Height: stripHeight}
		if r.Plot.Back > r.Plot.Set {
			s.SetX, s.SetWidth = at(x(r.Plot.Set)), at(x(r.Plot.Back)-x(r.Plot.Set))
		}
		s.Line, s.Lost = paths(r.Plot, float64(y+stripHeight), stripHeight, top, x, at)
		f.Strips = append(f.Strips, s)
		y += stripHeight + stripGap
	}
	f.Height = y + 14
	step := 1000.0 // ms
	for span/step > 8 {
		step *= 2
	}
	for t := 0.0; t <= span; t += step {
		f.Ticks = append(f.Ticks, Tick{at(x(t)), strconv.Itoa(y + 8), strconv.FormatFloat(t/1000, 'f', -1, 64) + " s"})
	}
	return f
}

// paths are the answers as a line that is broken where there are none, and what was
// lost as strokes across the strip.
func paths(p Plot, base, height, top float64, x func(float64) float64, at func(float64) string) (line, lost string) {
	var l, gone strings.Builder
	pen := false
	for i, ms := range p.Worst {
		t := x((float64(i) + 0.5) * p.Every)
		switch {
		case ms == -1:
			fmt.Fprintf(&gone, "M%s %sV%s", at(t), at(base), at(base-height))
			pen = false
		case ms < 0 || math.IsNaN(ms):
			pen = false
		default:
			y := at(base - min(ms/top, 1)*height)
			if pen {
				fmt.Fprintf(&l, "L%s %s", at(t), y)
			} else {
				fmt.Fprintf(&l, "M%s %sh1", at(t), y) // one that stands alone is seen too
			}
			pen = true
		}
	}
	return l.String(), gone.String()
}

// Hardened is the hardening of all steps.
func (p page) Hardened() []Hardening {
	var out []Hardening
	for _, s := range p.Steps {
		out = append(out, s.Hardening...)
	}
	return out
}

// HardeningSum counts the lines by how they stand.
func (p page) HardeningSum(h Hardening) string {
	n := make(map[sandbox.State]int)
	for _, l := range h.Results {
		n[l.State]++
	}
	parts := []string{fmt.Sprintf(p.Say("%d lines", "共 %d 行"), max(h.Of, len(h.Results)))}
	for _, c := range []struct {
		of     sandbox.State
		en, zh string
	}{
		{sandbox.InForce, "%d in force", "%d 行已生效"},
		{sandbox.Ignored, "%d ignored on this machine", "%d 行在本机被忽略"},
		{sandbox.Unknown, "%d not known to this systemd", "%d 行不被本机 systemd 支持"},
		{sandbox.Unshown, "%d cannot be shown here", "%d 行此处无法展示"},
		{sandbox.NoProbe, "%d with nothing to try", "%d 行没有可尝试的动作"},
		{sandbox.LeftOut, "%d not written", "%d 行未写入"},
	} {
		if n[c.of] > 0 {
			parts = append(parts, fmt.Sprintf(p.Say(c.en, c.zh), n[c.of]))
		}
	}
	if rest := h.Of - len(h.Results); rest > 0 {
		parts = append(parts, fmt.Sprintf(p.Say("%d not reached", "%d 行未执行到"), rest))
	}
	return strings.Join(parts, " · ")
}

// LineMark is how a line stands, as a sign.
func (p page) LineMark(l HardeningLine) string {
	switch l.State {
	case sandbox.InForce:
		return "✓"
	case sandbox.Ignored, sandbox.Unknown:
		return "!"
	}
	return "–"
}

// failedFaults are the faults that came out otherwise than predicted.
func (r *Report) failedFaults() []DrillRow {
	var out []DrillRow
	for _, s := range r.Steps {
		if s.Drill == nil {
			continue
		}
		for _, row := range s.Drill.Rows {
			if row.Result == "failed" {
				out = append(out, row)
			}
		}
	}
	return out
}

// SelfTested is the self-tests of all steps.
func (p page) SelfTested() []SelfTest {
	var out []SelfTest
	for _, s := range p.Steps {
		out = append(out, s.SelfTests...)
	}
	return out
}
