package measure

import (
	"fmt"
	"math"

	"goxin/assets/lang"
)

// Title says what a measure is.
func (m Measure) Title() lang.Text {
	switch m {
	case Time:
		return lang.T("time for the work", "完成时间")
	case Latency:
		return lang.T("slowest 1 % of requests", "最慢 1% 请求")
	case Memory:
		return lang.T("memory at most", "内存峰值")
	}
	return lang.Same(string(m))
}

// unit is a median in words.
func (m Measure) unit(v float64) string {
	switch m {
	case Time:
		return fmt.Sprintf("%.0f ms", v*1000)
	case Latency:
		return fmt.Sprintf("%.1f ms", v)
	}
	return fmt.Sprintf("%.0f MiB", v)
}

// percent is a ratio as what is more or less of it: +3.1 %.
func percent(ratio float64) string { return fmt.Sprintf("%+.1f %%", 100*(ratio-1)) }

// Text says what an effect is, with its interval; less is better.
func (e Effect) Text(m Measure) lang.Text {
	if e.High == math.MaxFloat64 {
		return lang.T("too few runs", "次数太少")
	}
	if !e.Real {
		return lang.F("inside the noise (%s to %s)", "在噪声之内（%s～%s）", percent(e.Low), percent(e.High))
	}
	return lang.F("%s (%s to %s), %s -> %s", "%s（%s～%s），%s -> %s", percent(e.Ratio), percent(e.Low), percent(e.High), m.unit(e.Before), m.unit(e.After))
}

// Text says what a verdict means for the knob.
func (r Result) Text() lang.Text {
	switch {
	case r.Verdict == Broken:
		return lang.F("does not run with it: %s", "无法运行：%s", r.Why)
	case r.Verdict == Helps:
		return lang.T("helps: kept", "有效：保留")
	case r.Verdict == Harms:
		return lang.T("harms: not kept", "有害：不保留")
	case r.Verdict == Trades:
		return lang.T("trades one for the other: not kept by itself, yours to choose", "有得有失：默认不保留，由您取舍")
	case r.Keep:
		return lang.T("costs nothing and guards: kept", "无代价且起保护作用：保留")
	}
	return lang.T("no difference: not kept", "没有差别：不保留")
}
