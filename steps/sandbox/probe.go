package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Said is what a probe says of its act.
type Said struct {
	Did   bool   `json:"did"`
	Error string `json:"error,omitempty"` // why not
}

// State is how a line stands on a machine.
type State string

// The states of a line.
const (
	InForce State = "in-force" // the act is done without the line, and refused with it
	Ignored State = "ignored"  // systemd took the line, and the act is done all the same
	Unknown State = "unknown"  // this systemd does not take the line
	Unshown State = "unshown"  // the act is refused without the line too
	NoProbe State = "no-probe" // it forbids nothing that can be tried
	LeftOut State = "left-out" // it was not written
)

// Result is what was seen of one line.
type Result struct {
	Line  string    `json:"line"`
	State State     `json:"state"`
	Why   lang.Text `json:"why"`  // what the line forbids
	Seen  lang.Text `json:"seen"` // for people: the state and how it showed
}

// Report are the results of a unit's lines, in their order. It is told
// (engine.Tell, TellKind) as it grows.
type Report struct {
	Unit    string   `json:"unit"`
	Results []Result `json:"results"`
	Of      int      `json:"of"` // how many there will be
}

// TellKind is the kind of a told Report.
const TellKind = "sandbox"

// Try tries every line: the act without it, and with it alone, since with all of them
// nobody could tell which one refused. What was left out is listed too.
func Try(ctx context.Context, m machine.Machine, unit string, lines []Directive, skipped []Skipped) (Report, error) {
	r := Report{Unit: unit, Of: len(lines) + len(skipped)}
	program, cleanup, err := Program(ctx, m)
	if err != nil {
		return r, err
	}
	p := prober{m: m, program: program}
	if err = p.mark(); err == nil {
		for _, d := range lines {
			var one Result
			if one, err = p.try(ctx, d); err != nil {
				break
			}
			r.Results = append(r.Results, one)
			engine.Tell(ctx, TellKind, r)
		}
		err = errors.Join(err, p.unmark())
	}
	for _, s := range skipped {
		r.Results = append(r.Results, Result{s.Line(), LeftOut, s.Why, lang.F("not written: %s", "未写入：%s", s.Because)})
	}
	engine.Tell(ctx, TellKind, r)
	return r, errors.Join(err, engine.Keep(ctx, TellKind, r), cleanup())
}

type prober struct {
	m       machine.Machine
	program string
	marked  string // a directory in /tmp that the probe of PrivateTmp= looks for
}

func (p *prober) mark() error {
	for i := range 10 {
		name := "/tmp/.goxin-probe-" + strconv.Itoa(i)
		err := p.m.Mkdir(name, 0o755, machine.Keep)
		if err == nil {
			p.marked = name
			return nil
		}
		if i == 9 {
			return lang.Errorf(err, "cannot make a directory in /tmp", "无法在 /tmp 中创建目录").WithHint("remove /tmp/.goxin-probe-*", "请删除 /tmp/.goxin-probe-*")
		}
	}
	return nil
}

func (p *prober) unmark() error { return p.m.Remove(p.marked) }

// seen is what came of one probe.
type seen struct {
	did     bool
	unknown bool      // systemd-run does not take the line
	broken  bool      // systemd could not set the service up
	why     lang.Text // why not
}

func (p *prober) try(ctx context.Context, d Directive) (Result, error) {
	r := Result{Line: d.Line(), Why: d.Why}
	if d.Probe == "" {
		r.State, r.Seen = NoProbe, lang.T("written; there is nothing to try", "已写入；没有可尝试的动作")
		return r, nil
	}
	without, err := p.run(ctx, d, false)
	if err != nil {
		return r, err
	}
	if !without.did {
		r.State, r.Seen = Unshown, lang.F("cannot be shown here: without the line it is refused too (%s)", "此处无法展示：不加这一行同样被拒绝（%s）", without.why)
		return r, nil
	}
	with, err := p.run(ctx, d, true)
	switch {
	case err != nil:
		return r, err
	case with.broken:
		r.State, r.Seen = Unshown, lang.F("cannot be shown here: a probe does not start with it (%s)", "此处无法展示：加上后探测进程无法启动（%s）", with.why)
	case with.unknown:
		r.State, r.Seen = Unknown, lang.F("ignored by this systemd: %s", "被本机 systemd 忽略：%s", with.why)
	case with.did && d.Seccomp:
		r.State, r.Seen = Ignored, lang.T("ignored on this CPU: system call filters have no effect here", "在本机 CPU 上被忽略：系统调用过滤不生效")
	case with.did:
		r.State, r.Seen = Ignored, lang.T("ignored on this machine: the act was done all the same", "在本机上被忽略：该动作仍然成功")
	default:
		r.State, r.Seen = InForce, lang.F("in force: done without the line, refused with it (%s)", "已生效：不加这一行可以做到，加上后被拒绝（%s）", with.why)
	}
	return r, nil
}

// run runs the probe as a transient service of its own.
func (p *prober) run(ctx context.Context, d Directive, with bool) (s seen, err error) {
	argv := []string{"systemd-run", "--wait", "--pipe", "--collect", "--property=Type=exec", "--property=RuntimeMaxSec=120", "--property=TimeoutStopSec=5"}
	if d.Unprivileged {
		argv = append(argv, "--property=User=nobody")
	}
	if with {
		argv = append(argv, "--property="+d.Line())
	}
	argv = append(argv, p.program, "probe", d.Probe, p.marked)
	var lines []string
	spoke := false
	err = p.m.Run(ctx, machine.Command{Argv: argv, Timeout: 4 * time.Minute}, func(line string) {
		var said Said
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &said) == nil {
			s.did, s.why, spoke = said.Did, lang.Words(op.Visible(said.Error)), true
		} else {
			lines = append(lines, strings.TrimSpace(line))
		}
	})
	var ended *machine.ExitError
	if err != nil && !errors.As(err, &ended) {
		return s, lang.Errorf(err, "cannot run a probe under systemd", "无法在 systemd 下运行探测").
			WithHint("try by hand: systemd-run --wait --pipe true", "请手工尝试：systemd-run --wait --pipe true")
	}
	if spoke {
		return s, nil
	}
	for _, line := range lines {
		switch {
		case unknownProperty(line):
			return seen{unknown: true, why: lang.Same(op.Visible(line))}, nil
		case strings.Contains(line, "status=SYS"), strings.Contains(line, "status=31/SYS"):
			return seen{why: lang.T("killed by the filter: SIGSYS", "被过滤器终止：SIGSYS")}, nil
		}
	}
	s = seen{broken: true, why: lang.T("it said nothing", "没有任何输出")}
	if ended != nil {
		s.why = lang.F("%s", "%s", ended.Ended())
	}
	return s, nil
}

// unknownProperty says whether systemd-run refuses a property: it, or the manager,
// names it.
func unknownProperty(line string) bool {
	return strings.HasPrefix(line, "Unknown assignment") || strings.Contains(line, "Cannot set property")
}

// Text is the report as lines: a summary, and what was seen of each line.
func (r Report) Text() lang.Text {
	count := map[State]int{}
	var en, zh strings.Builder
	for _, one := range r.Results {
		count[one.State]++
		en.WriteString("\n" + one.Line + ": " + one.Seen.EN)
		zh.WriteString("\n" + one.Line + "：" + one.Seen.ZH)
	}
	sum := lang.F("%d of %d lines in force, %d cannot be shown here, %d ignored, %d left out", "%[2]d 项中 %[1]d 项已生效，%[3]d 项此处无法展示，%[4]d 项被忽略，%[5]d 项未写入",
		count[InForce], len(r.Results)-count[NoProbe], count[Unshown], count[Ignored]+count[Unknown], count[LeftOut])
	return lang.T(sum.EN+en.String(), sum.ZH+zh.String())
}
