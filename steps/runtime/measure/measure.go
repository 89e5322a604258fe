package measure

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/scratch"
)

const (
	// Blocks is how many ABBA blocks one setting gets: with eight, three measures
	// judged at once leave room for one block that says the contrary.
	Blocks = 8
	// aim is how long one run should take: long enough for the machine's clock and
	// many collections, short enough for 32 runs a setting.
	aim      = 500 * time.Millisecond
	maxScale = 64
)

// Setting is how the load is built and run.
type Setting struct {
	Env         []string `json:"env,omitempty"`   // of the run: GOGC=20
	Build       []string `json:"build,omitempty"` // of the compiler: GOAMD64=v3
	NoHugePages bool     `json:"no_huge_pages,omitempty"`
}

// Knob is one thing to try.
type Knob struct {
	ID     string    `json:"id"`   // the answer it comes from: gogc
	Name   lang.Text `json:"name"` // GOGC=20
	Before Setting   `json:"before"`
	After  Setting   `json:"after"`
	// Guard knobs are there for the bad day, which a load of half a second does not
	// see: they are kept as long as they cost nothing.
	Guard bool `json:"guard,omitempty"`
}

// Verdict is what the measurement says of a knob.
type Verdict string

// The verdicts.
const (
	Helps   Verdict = "helps"   // something gets better and nothing worse
	Nothing Verdict = "nothing" // all differences are inside the noise
	Harms   Verdict = "harms"   // something gets worse and nothing better
	Trades  Verdict = "trades"  // one thing gets better and another worse
	Broken  Verdict = "broken"  // the load does not run with it
)

// Measure is one thing that is looked at; of all of them less is better.
type Measure string

// The measures.
const (
	Time    Measure = "time"    // seconds for the same work
	Latency Measure = "latency" // the 99th percentile of an HTTP request, milliseconds
	Memory  Measure = "memory"  // at the highest, MiB
)

// Measures are all of them, in the order they are shown.
func Measures() []Measure { return []Measure{Time, Latency, Memory} }

// Result is what came out for one knob.
type Result struct {
	Knob
	Effects map[Measure]Effect `json:"effects,omitempty"`
	Verdict Verdict            `json:"verdict"`
	Why     lang.Text          `json:"why"` // of a broken one: what the load said
	Keep    bool               `json:"keep"`
}

// Report is a whole measurement.
type Report struct {
	Go      string        `json:"go"`    // the version that compiled
	Scale   int           `json:"scale"` // of the load
	Blocks  int           `json:"blocks"`
	Took    time.Duration `json:"took"` // nanoseconds
	Results []Result      `json:"results"`
}

// errLoad is a load that did not do its work.
var errLoad = lang.Because(nil, "the load did not run", "负载没有运行")

// Run measures the knobs one after the other. say hears how far it is. When ctx ends
// everything is cleared away, and the error is ctx's.
func Run(ctx context.Context, m machine.Machine, t Tool, knobs []Knob, say func(engine.Progress)) (*Report, error) {
	if say == nil {
		say = func(engine.Progress) {}
	}
	var out *Report
	err := scratch.Use(m, "measure", func(dir string) error {
		b := &bench{m: m, tool: t, dir: dir, say: say, built: map[string]string{}}
		r, err := b.measure(ctx, knobs)
		out = r
		return err
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Busy is how many processors other programs keep busy, as the kernel counts over the
// last minute (proc(5), loadavg); 0 where it does not tell.
func Busy(m machine.Machine) float64 {
	data, err := m.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(data), " ")
	n, _ := strconv.ParseFloat(first, 64)
	return n
}

type bench struct {
	m     machine.Machine
	tool  Tool
	dir   string
	say   func(engine.Progress)
	built map[string]string // programs by build setting
	scale int
	began time.Time
	runs  int // done
	all   int
}

func (b *bench) measure(ctx context.Context, knobs []Knob) (*Report, error) {
	b.began = b.m.Now()
	b.say(engine.Say(lang.T("compiling the load", "正在编译测试负载")))
	first, err := b.calibrate(ctx)
	if err != nil {
		return nil, err
	}
	out := &Report{Go: first.Go, Scale: b.scale, Blocks: Blocks}
	for _, k := range knobs { // all compiled before the first run is timed
		for _, s := range []Setting{k.Before, k.After} {
			if _, err := b.program(ctx, s); err != nil {
				return nil, err
			}
		}
	}
	b.all = len(knobs) * Blocks * 4
	start := b.m.Now()
	for _, k := range knobs {
		r, err := b.knob(ctx, k, start)
		if err != nil {
			return nil, err
		}
		out.Results = append(out.Results, r)
	}
	out.Took = b.m.Now().Sub(b.began)
	return out, nil
}

// calibrate finds the scale at which a run takes about as long as it should.
func (b *bench) calibrate(ctx context.Context) (sample, error) {
	b.scale = 1
	var best sample
	for range 3 { // the first run also fills the caches, and others may be in the way
		got, err := b.run(ctx, Setting{})
		if err != nil {
			return got, err
		}
		if best.Seconds == 0 || got.Seconds < best.Seconds {
			best = got
		}
	}
	b.scale = int(math.Round(min(max(aim.Seconds()/best.Seconds, 1), maxScale)))
	return best, nil
}

func (b *bench) program(ctx context.Context, s Setting) (string, error) {
	key := strings.Join(s.Build, " ")
	if p := b.built[key]; p != "" {
		return p, nil
	}
	p, err := b.tool.Build(ctx, b.m, b.dir, "load"+strconv.Itoa(len(b.built)), source, s.Build)
	if err == nil {
		b.built[key] = p
	}
	return p, err
}

// sample is what the load prints of one run.
type sample struct {
	Seconds float64 `json:"seconds"`
	P99     float64 `json:"p99"`
	Peak    float64 `json:"peak"`
	Sum     uint64  `json:"sum"`
	Go      string  `json:"go"`
}

func (s sample) of(m Measure) float64 {
	return map[Measure]float64{Time: s.Seconds, Latency: s.P99, Memory: s.Peak}[m]
}

// parse reads the load's line.
func parse(line string) (s sample, err error) {
	if err := json.Unmarshal([]byte(line), &s); err != nil {
		return s, err
	}
	for _, v := range []float64{s.Seconds, s.P99} {
		if !(v > 0) || math.IsInf(v, 0) {
			return s, lang.Because(nil, "a run cannot take %v s", "一次运行不可能耗时 %v 秒", v)
		}
	}
	if s.Peak < 0 {
		return s, lang.Because(nil, "a run cannot take %v MiB", "一次运行不可能占用 %v MiB", s.Peak)
	}
	return s, nil
}

func (b *bench) run(ctx context.Context, s Setting) (sample, error) {
	program, err := b.program(ctx, s)
	if err != nil {
		return sample{}, err
	}
	argv := []string{program, strconv.Itoa(b.scale)}
	if s.NoHugePages {
		argv = append(argv, "no-huge-pages")
	}
	var said []string
	err = b.m.Run(ctx, machine.Command{Argv: argv, Dir: b.dir, Env: s.Env, Timeout: runLimit}, func(line string) { said = append(said, line) })
	switch {
	case errors.Is(err, fs.ErrPermission):
		return sample{}, lang.Errorf(scratch.ErrNoExec.With(err), "cannot run what was compiled", "无法运行编译出的程序").
			WithHint("see whether %s is mounted noexec (findmnt -T), or a security module forbids it (getstatus on Kylin)", "请检查 %s 是否以 noexec 挂载（findmnt -T），或被安全模块禁止（麒麟上执行 getstatus）", b.dir)
	case err != nil && ctx.Err() == nil:
		return sample{}, errLoad.With(errors.Join(err, lang.Quote(strings.Join(said[:min(len(said), 3)], "\n"))))
	case err != nil:
		return sample{}, err
	case len(said) != 1:
		return sample{}, errLoad.With(lang.Because(nil, "it said %d lines instead of one", "它输出了 %d 行，而应为一行", len(said)))
	}
	got, err := parse(said[0])
	if err != nil {
		return got, errLoad.With(err)
	}
	return got, nil
}

// knob runs one knob's blocks.
func (b *bench) knob(ctx context.Context, k Knob, start time.Time) (Result, error) {
	out := Result{Knob: k}
	var blocks [][4]sample
	for range Blocks {
		var x [4]sample
		for i, s := range []Setting{k.Before, k.After, k.After, k.Before} {
			b.tell(k, len(blocks)*4+i, start)
			got, err := b.run(ctx, s)
			if errors.Is(err, errLoad) && (i == 1 || i == 2) { // it is the setting that does it
				b.runs += Blocks*4 - len(blocks)*4 - i
				out.Verdict, out.Why = Broken, op.VisibleText(lang.F("%s", "%s", errors.Unwrap(err)))
				return out, nil
			}
			if err != nil {
				return out, err
			}
			x[i], b.runs = got, b.runs+1
		}
		if !slices.ContainsFunc(x[:], func(s sample) bool { return s.Sum != x[0].Sum }) {
			blocks = append(blocks, x)
			continue
		}
		out.Verdict, out.Why = Broken, lang.T("the load came to another result", "负载的计算结果不一致")
		return out, nil
	}
	out.Effects, out.Verdict = judge(blocks)
	out.Keep = out.Verdict == Helps || out.Verdict == Nothing && k.Guard
	return out, nil
}

func (b *bench) tell(k Knob, run int, start time.Time) {
	p := engine.Say(lang.F("%s: run %d of %d", "%s：第 %d 次运行，共 %d 次", k.Name, run+1, Blocks*4))
	if b.runs >= 4 {
		left := b.m.Now().Sub(start) / time.Duration(b.runs) * time.Duration(b.all-b.runs)
		p = engine.Say(lang.F("%s: run %d of %d; about %d s left", "%s：第 %d 次运行，共 %d 次；约剩 %d 秒", k.Name, run+1, Blocks*4, int(math.Ceil(left.Seconds()))))
	}
	b.say(p)
}

// judge compares every measure that all runs have.
func judge(blocks [][4]sample) (map[Measure]Effect, Verdict) {
	there := slices.DeleteFunc(Measures(), func(m Measure) bool {
		return slices.ContainsFunc(blocks, func(x [4]sample) bool {
			return slices.ContainsFunc(x[:], func(s sample) bool { return s.of(m) <= 0 })
		})
	})
	out := make(map[Measure]Effect, len(there))
	var better, worse bool
	for _, m := range there {
		one := make([]Block, len(blocks))
		for i, x := range blocks {
			one[i] = Block{A: [2]float64{x[0].of(m), x[3].of(m)}, B: [2]float64{x[1].of(m), x[2].of(m)}}
		}
		e := Compare(one, len(there))
		out[m] = e
		better = better || e.Real && e.Ratio < 1
		worse = worse || e.Real && e.Ratio > 1
	}
	switch {
	case better && worse:
		return out, Trades
	case better:
		return out, Helps
	case worse:
		return out, Harms
	}
	return out, Nothing
}
