package drill

import (
	"net/netip"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/vrrp"
)

// Config is a pair, and what is to be done to it.
type Config struct {
	Home  machine.ID            // where goxin runs
	Nodes [2]machine.ID         // the pair
	Names map[machine.ID]string // what people call them; an ID without one is its own
	// From is who asks, where Third says that it is neither node. Otherwise it is
	// always the node that stands by, and From is not heeded.
	From      machine.ID
	Third     bool
	VIP       netip.Addr
	Interface map[machine.ID]string // the VIP's, on each node; of From: where ARP is asked, "" if it is on another segment
	Port      int
	Path      string // a question that nginx and what is behind it answer with 2xx or 3xx
	Rate      int    // questions a second, 1 to 1000; 0 is 100
	Timing    vrrp.Timing
	Faults    []vrrp.Fault // in order; one may come twice. Empty: Usual
	Service   string       // the web server's unit; "" is nginx
}

// Usual are the faults that are tried where none are named: all but switching a node off.
func Usual() []vrrp.Fault {
	var out []vrrp.Fault
	for _, f := range vrrp.Faults() {
		if f != vrrp.FaultOff {
			out = append(out, f)
		}
	}
	return out
}

// Sample is what a screen is told, about ten times a second.
type Sample struct {
	Fault vrrp.Fault `json:"fault"`
	N     int        `json:"n"` // the fault's number, from 1
	Of    int        `json:"of"`
	Phase Phase      `json:"phase"`
	// At is how far the fault has come, from when its asking began; nanoseconds.
	At time.Duration `json:"at"`
	// Asked and Lost count since the fault was set.
	Asked int `json:"asked"`
	Lost  int `json:"lost"`
	// LatencyMS are the newest answers in the order they were asked for, one every
	// 1/Rate seconds, in milliseconds; -1 was lost.
	LatencyMS []float64 `json:"latency_ms,omitempty"`
	Owner     string    `json:"owner"` // "a1"; "a1+a2"; "" nobody, or not known
	Done      *Row      `json:"done,omitempty"`
	// Faults and Predicted come with the first sample alone.
	Faults    []vrrp.Fault                 `json:"faults,omitempty"`
	Predicted map[vrrp.Fault]time.Duration `json:"predicted,omitempty"`
	From      string                       `json:"from,omitempty"`
}

// Phase is what is being waited for.
type Phase string

// The phases of a fault.
const (
	Resting Phase = "resting" // before it: every question has to be answered
	Broken  Phase = "broken"  // it is set
	Healing Phase = "healing" // it is taken back
)

// Row is what came of one fault.
type Row struct {
	Fault vrrp.Fault `json:"fault"`
	Title lang.Text  `json:"title"`
	Asked int        `json:"asked"` // from the fault until the pair was at rest again
	Lost  int        `json:"lost"`  // no complete answer within wire.Patience of the first SYN
	// Gap is the longest time between two complete answers; Predicted what the formulas
	// allow, and the time between two questions, which no gap is shorter than.
	Gap       time.Duration `json:"gap"`
	Predicted time.Duration `json:"predicted"`
	Owners    []string      `json:"owners"` // one after the other: a1, a2; a1+a2 both at once
	Victim    string        `json:"victim"`
	From      string        `json:"from"` // who asked
	OK        bool          `json:"ok"`
	Skipped   bool          `json:"skipped,omitempty"` // it was not tried: Why
	Why       lang.Text     `json:"why,omitzero"`      // what was wrong with it; or worth saying
	Healed    time.Duration `json:"healed"`            // from taking the fault back until the pair was at rest
	Both      time.Duration `json:"both,omitempty"`    // how long two owners answered at once
	// Reasons are how many were lost for which reason of wire's Why….
	Reasons map[string]int `json:"reasons,omitempty"`
	// Late is the most that the asker itself was behind its time.
	Late time.Duration `json:"late,omitempty"`
	Plot Plot          `json:"plot"`
}

// Plot is a fault's answers over time: the worst of each Every. Nanoseconds.
type Plot struct {
	Every time.Duration `json:"every"`
	Set   time.Duration `json:"set"`   // when the fault was set
	Back  time.Duration `json:"back"`  // when it was taken back
	Worst []float64     `json:"worst"` // milliseconds; -1: one was lost; -2: none was asked
}

// Result is a drill.
type Result struct {
	Version int       `json:"version"`
	From    string    `json:"from"`  // who asked; of a pair without a third: the node that stood by
	Third   bool      `json:"third"` // it was neither node
	VIP     string    `json:"vip"`
	Rate    int       `json:"rate"` // questions a second
	Began   time.Time `json:"began"`
	Rows    []Row     `json:"rows"`
	Owner   string    `json:"owner"`            // in the end
	Stopped lang.Text `json:"stopped,omitzero"` // why the faults after the last row were not tried
}

// OK says that every fault that was tried came out as it should, and that all could be.
func (r Result) OK() bool {
	if !r.Stopped.Empty() || len(r.Rows) == 0 {
		return false
	}
	for _, row := range r.Rows {
		if !row.OK && !row.Skipped {
			return false
		}
	}
	return true
}

// Tolerance is how many times its prediction a gap may be.
const Tolerance = 1.5

// Title is what a fault is called.
func Title(f vrrp.Fault) lang.Text {
	if t, ok := titles[f]; ok {
		return t
	}
	return lang.Same(string(f))
}

var titles = map[vrrp.Fault]lang.Text{
	vrrp.FaultSwitchover:        lang.T("switch over, planned", "计划内切换"),
	vrrp.FaultNginxStopped:      lang.T("nginx stopped", "停止 nginx"),
	vrrp.FaultNginxKilled:       lang.T("nginx killed", "杀死 nginx"),
	vrrp.FaultNginxHangs:        lang.T("nginx hangs (SIGSTOP)", "nginx 卡死（SIGSTOP）"),
	vrrp.FaultKeepalivedStopped: lang.T("keepalived stopped", "停止 keepalived"),
	vrrp.FaultKeepalivedKilled:  lang.T("keepalived killed", "杀死 keepalived"),
	vrrp.FaultSplit:             lang.T("protocol 112 dropped", "丢弃协议 112"),
	vrrp.FaultLink:              lang.T("link cut", "断开网络"),
	vrrp.FaultDisk:              lang.T("disk full", "写满磁盘"),
	vrrp.FaultOff:               lang.T("node off", "节点断电重启"),
}
