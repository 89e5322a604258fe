package profile

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/fetch"
	"goxin/steps/op"
)

// Options are how to look.
type Options struct {
	PProf   string // where the service serves net/http/pprof, http(s)://HOST:PORT[/debug/pprof/]; "": look
	Seconds int    // of the CPU profile, and then of the system calls
	NoTrace bool
	Say     func(lang.Text) // how far it is; may be nil
}

// Report is what was found.
type Report struct {
	Process Process
	Began   time.Time
	Seconds int
	PProf   string // where profiles were asked for; "": nowhere
	Why     lang.Text
	CPU     Shot
	Heap    Shot
	Calls   Calls
}

// Collect looks at the process a person named. It fails where there is no such process,
// or nothing may be known of it; what else cannot be had is told in the report.
func Collect(ctx context.Context, m machine.Machine, name string, o Options) (*Report, error) {
	say := o.Say
	if say == nil {
		say = func(lang.Text) {}
	}
	base, err := o.check()
	if err != nil {
		return nil, err
	}
	p, err := Find(ctx, m, name)
	if err != nil {
		return nil, err
	}
	r := &Report{Process: *p, Began: m.Now(), Seconds: o.Seconds, PProf: base}
	if base == "" {
		m = direct{m}
	}
	c := fetch.New(m, fetch.Options{HTTP1: true})
	defer c.Close()
	a := asker{c}
	if base == "" {
		say(lang.F("looking for profiles of %s (%d)", "正在查找 %s（%d）的 profile", p.Name, p.PID))
		r.PProf, r.Why = a.served(ctx, m, p)
	} else if why, _ := a.knock(ctx, base); !why.Empty() {
		r.PProf, r.Why = "", lang.F("%s: %s", "%s：%s", op.Visible(base), why)
	}
	if r.PProf != "" {
		say(lang.F("CPU profile, %d s", "CPU profile，%d 秒", o.Seconds))
		within := time.Duration(o.Seconds)*time.Second + heapLimit
		r.CPU = a.fetch(ctx, fmt.Sprintf("%s%sprofile?seconds=%d", r.PProf, index, o.Seconds), "cpu", within)
		say(lang.T("heap profile", "堆 profile"))
		r.Heap = a.fetch(ctx, r.PProf+index+"heap", "inuse_space", heapLimit)
	} else {
		r.CPU.Why, r.Heap.Why = r.Why, r.Why
	}
	if o.NoTrace {
		r.Calls.Why = lang.T("not asked for", "未要求")
	} else if ctx.Err() == nil {
		say(lang.F("system calls, %d s; the service is slower meanwhile", "系统调用统计，%d 秒；期间服务会变慢", o.Seconds))
		r.Calls = trace(ctx, m, p.PID, o.Seconds)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return r, nil
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	_, err := o.check()
	return err
}

func (o Options) check() (base string, err error) {
	if o.Seconds < 1 || o.Seconds > 300 {
		return "", lang.Errorf(nil, "cannot profile for %d seconds", "无法分析 %d 秒", o.Seconds).WithHint("--seconds takes 1 to 300", "--seconds 应为 1～300")
	}
	return pprofBase(o.PProf)
}

// direct is a machine without proxies: what listens on it is asked itself.
type direct struct{ machine.Machine }

func (direct) Getenv(string) string { return "" }

// pprofBase is the part of an address before /debug/pprof/.
func pprofBase(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "", lang.Errorf(nil, "cannot ask %q for profiles", "无法向 %q 索取 profile", op.Visible(s)).
			WithHint("--pprof takes http://HOST:PORT, or https", "--pprof 应为 http://主机:端口，或 https")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	u.Path = strings.TrimSuffix(u.Path, strings.TrimSuffix(index, "/"))
	return u.String(), nil
}
