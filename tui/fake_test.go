package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// fakeStep is a kernel step with a choice and a map, planned by the session.
type fakeStep struct{ id string }

func (s fakeStep) ID() string { return s.id }

func (s fakeStep) Title() lang.Text {
	switch s.id {
	case "kernel":
		return lang.T("Kernel", "内核")
	case "mirror":
		return lang.T("Mirror", "软件源")
	}
	return lang.T("Service "+s.id, "服务 "+s.id)
}

func (s fakeStep) Fields() []engine.Field {
	check := func(v string) error {
		if strings.Contains(v, "kernel.panic") {
			return lang.Errorf(nil, "kernel.panic is not tuning", "kernel.panic 不属于调优")
		}
		return nil
	}
	return []engine.Field{
		{
			Key: "profile", Kind: engine.Choice, Title: lang.T("What is this machine for?", "这台机器做什么用？"),
			Help: lang.T("The profile decides which kernel parameters are set.", "用途决定设置哪些内核参数。"),
			Options: []engine.Option{
				{Value: "base", Title: lang.T("safe everywhere", "处处安全"), Help: lang.T("Listen backlog, open files, swapping: three values.", "监听队列、可打开文件数、交换倾向，共三项。")},
				{Value: "web", Title: lang.T("many short connections", "大量短连接"), Help: lang.T("Also ports and backlogs for a busy server.", "另为繁忙的服务器调整端口范围和队列。")},
				{Value: "database", Title: lang.T("much memory, steady writes", "内存大、持续写入"), Help: lang.T("Also memory maps and write-back.", "另调整内存映射数和回写。")},
				{Value: "build", Title: lang.T("compilers and many files", "编译与大量文件"), Help: lang.T("Also inotify watches.", "另调整 inotify 监视数。")},
			}, Default: "base",
		},
		{Key: "set", Kind: engine.Map, Title: lang.T("Parameters of your own", "自定义参数"), Help: lang.T("They win over the profile.", "优先于所选用途。"), Check: check},
	}
}

func (s fakeStep) Questions(_ engine.Hosts, _ engine.Survey, v engine.Values) []engine.Question {
	var qs []engine.Question
	for _, f := range s.Fields() {
		q := engine.Question{Field: f, Default: f.Default}
		if f.Key == "profile" {
			q.Why = lang.T("Nothing listens on this machine yet, so the smallest profile is offered.", "这台机器尚无监听中的服务，因此推荐最小的一组。")
		}
		qs = append(qs, q)
	}
	return qs
}

func (s fakeStep) Ops(engine.Hosts, engine.Survey, engine.Values) ([]engine.Item, error) {
	return nil, nil
}

func known[T any](v T, from string) detect.Fact[T] {
	return detect.Fact[T]{Value: v, Known: true, From: lang.Same(from)}
}

func fakeFacts() *detect.Facts {
	return &detect.Facts{
		Hostname: known("kp-01", "uname"),
		Arch:     detect.Arch{Machine: known("aarch64", "uname -m"), GOARCH: known("arm64", "uname -m")},
		CPU: detect.CPU{
			Vendor: known("HiSilicon", "/proc/cpuinfo: CPU implementer 0x48"), Model: known("Kunpeng-920", "/proc/cpuinfo: CPU part 0xd01"),
			SIMD: known([]string{"asimd"}, "/proc/cpuinfo: Features"), LSE: known(true, "/proc/cpuinfo: Features"),
			Logical: known(64, "/sys/devices/system/cpu/online"), Cores: known(64, "/sys/devices/system/cpu"), Sockets: known(2, "/sys/devices/system/cpu"), NUMA: known(2, "/sys/devices/system/node"),
		},
		Memory: detect.Memory{Total: known(uint64(256<<30), "/proc/meminfo"), PageSize: known(65536, "getpagesize"), Swap: known(uint64(4<<30), "/proc/meminfo"), Limit: known(uint64(0), "/proc/self/cgroup")},
		OS: detect.OS{
			Name:    known("Kylin Linux Advanced Server V10 (Lance)", "/etc/os-release: PRETTY_NAME"),
			Product: known("kylin-server", "/etc/os-release: ID"), ServicePack: known("SP3", "/etc/.productinfo"),
		},
		Kernel:   detect.Kernel{Release: known("4.19.90-52.22", "uname -r")},
		Packages: detect.Packages{Manager: known("dnf", "/usr/bin/dnf")},
		Init:     detect.Init{Name: known("systemd", "/proc/1/comm"), Version: known(243, "/usr/lib/systemd/libsystemd-shared-243.so")},
		Virt:     known("none", "/sys/class/dmi/id/sys_vendor"), Container: known(false, "/proc/1/environ"),
		Security: detect.Security{SELinux: known("permissive", "/sys/fs/selinux/enforce"), KYSEC: known("on", "/usr/sbin/getstatus"), UOSIntegrity: known("absent", "/usr/share/deepin-elf-verify")},
		Clock:    detect.Clock{Synced: known(false, "adjtimex(2)"), Source: known("chrony", "/run/chrony")},
		User:     detect.User{Root: known(true, "geteuid"), Missing: known([]string{}, "/proc/self/status: CapEff")},
		Running:  true,
		Warnings: []string{"pages", "kysec", "clock"},
	}
}

func fakeTitle(*detect.Facts) lang.Text {
	return lang.T("kp-01 · Kunpeng 920, 64 cores · Kylin V10 SP3 · aarch64", "kp-01 · 鲲鹏 920 64 核 · 银河麒麟 V10 SP3 · aarch64")
}

func fakeWarning(key string, _ *detect.Facts) lang.Text {
	switch key {
	case "pages":
		return lang.T("64 KiB pages: programs with a 4 KiB jemalloc will not start", "64 KiB 内存页：按 4 KiB 页编译 jemalloc 的程序无法启动")
	case "kysec":
		return lang.T("KYSEC blocks unsigned programs: goxin marks what it installs", "KYSEC 会阻止未签名程序：goxin 会标记它所安装的程序")
	}
	return lang.T("fix the clock first: signatures are judged by time", "先校准时钟：签名是否有效取决于时间")
}

func ln(a engine.Action, old, new int, text string) engine.Line {
	return engine.Line{Action: a, Old: old, New: new, Text: text}
}

func fakePlan(step string) *engine.StepPlan {
	running := lang.T("running kernel", "运行中的内核")
	row := func(key, now, then string) engine.Planned {
		return engine.Planned{
			On: machine.LocalID, Kind: "sysctl", Target: key, ByHand: []string{"sysctl -w " + key + "='" + then + "'"},
			Why:  lang.F("%s: the default is meant for desktops. Source: kernel documentation. Risk: none known.", "%s：默认值是为桌面机准备的。来源：内核文档。风险：未见。", key),
			Diff: engine.Diff{Action: engine.Update, Table: running, Rows: []engine.Row{{Action: engine.Update, Name: key, Now: now, Then: then}}},
		}
	}
	same := engine.Planned{
		On: machine.LocalID, Kind: "sysctl", Target: "fs.file-max", Why: lang.T("Never lowered.", "从不调低。"),
		Diff: engine.Diff{Action: engine.None, Table: running, Rows: []engine.Row{{
			Action: engine.None, Name: "fs.file-max", Now: "9223372036854775807", Then: "1000000",
			Note: lang.T("kept: above 1000000", "保留：高于 1000000"),
		}}},
	}
	return &engine.StepPlan{
		Step:  step,
		Notes: []engine.Note{{Warn: true, Text: lang.T("tuned (profile throughput-performance) sets vm.swappiness too: it will win after a restart of tuned", "tuned（throughput-performance 配置）也会设置 vm.swappiness：重启 tuned 后以它为准")}},
		Items: []engine.Planned{
			{
				On: machine.LocalID, Kind: "file", Target: "/etc/sysctl.d/zz-goxin.conf", ByHand: []string{"install -m 0644 /dev/stdin /etc/sysctl.d/zz-goxin.conf <<'END'\nnet.core.somaxconn = 65535\nEND"},
				Why: lang.T("Read at boot after every other file of sysctl.d. Source: sysctl.d(5). Risk: none known. Undo removes it.", "开机时在 sysctl.d 其余文件之后读取。来源：sysctl.d(5)。风险：未见。撤销时删除。"),
				Diff: engine.Diff{Action: engine.Create, Note: lang.T("new, 0644 root, 214 B", "新建，0644 root，214 B"), Hunks: []engine.Hunk{{Lines: []engine.Line{
					ln(engine.Create, 0, 1, "# goxin: kernel profile web"), ln(engine.Create, 0, 2, "net.core.somaxconn = 65535"),
					ln(engine.Create, 0, 3, "vm.swappiness = 1"), ln(engine.Create, 0, 4, "net.ipv4.ip_local_port_range = 10240 60999"),
				}}}},
			},
			{
				On: machine.LocalID, Kind: "comment", Target: "/etc/sysctl.conf", ByHand: []string{"sed -i 's/^net.core.somaxconn = 1024$/# goxin: &/' /etc/sysctl.conf"},
				Why: lang.T("On Kylin V10 /etc/sysctl.conf is read after sysctl.d, so its line 12 would win. Risk: none known. Undo puts it back.", "麒麟 V10 会在 sysctl.d 之后读取 /etc/sysctl.conf，因此其第 12 行会生效。风险：未见。撤销时恢复。"),
				Diff: engine.Diff{Action: engine.Update, Note: lang.T("1 line commented", "注释 1 行"), Hunks: []engine.Hunk{{Lines: []engine.Line{
					ln(engine.None, 11, 11, "net.ipv4.tcp_syncookies = 1\t# keep"), ln(engine.Delete, 12, 0, "net.core.somaxconn = 1024"), ln(engine.Create, 0, 12, "# goxin: net.core.somaxconn = 1024"),
				}}}},
			},
			row("net.core.somaxconn", "128", "65535"), row("vm.swappiness", "60", "1"), row("net.ipv4.ip_local_port_range", "32768\t60999", "10240 60999"), same,
		},
	}
}

// fakeSession plays a script: what is planned, how applying ends.
type fakeSession struct {
	mu      sync.Mutex
	listen  func(engine.Event)
	calls   []string
	pending *engine.RunInfo
	pace    time.Duration // between the operations of an Apply

	detectErr, planErr, startErr, applyErr, proveErr error
	deviate                                          bool
	frames                                           int // of a survey, half a second each: how often its table is told anew
	trial                                            bool
	panicIn                                          string
	plan                                             func(step string) *engine.StepPlan
	hold                                             chan struct{} // Apply waits here inside its second operation
	left                                             []engine.Left
	undoErr, confirmErr, endErr, resumeErr           error
	status                                           map[engine.RunID]engine.Status // as the journals tell
	results                                          []engine.StepResult            // of Resume
	resumed                                          func(context.Context)          // while Resume is at work
	answers                                          []engine.Answers               // of each Start
	told                                             []engine.Event                 // once all is applied
	tellPace                                         time.Duration
	surveyed                                         []engine.Values // what each Survey was asked with
	ended                                            map[engine.RunID]bool
	next                                             engine.RunID
}

func (f *fakeSession) call(format string, args ...any) {
	f.mu.Lock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	f.mu.Unlock()
	if f.panicIn != "" && strings.HasPrefix(fmt.Sprintf(format, args...), f.panicIn) {
		panic("boom in " + f.panicIn)
	}
}

func (f *fakeSession) called() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, " ")
}

func (f *fakeSession) Listen(l func(engine.Event)) { f.listen = l }

func (f *fakeSession) emit(ev engine.Event) {
	ev.Version, ev.Time = 1, time.Date(2026, 11, 22, 14, 32, 0, 0, time.UTC)
	if f.listen != nil {
		f.listen(ev)
	}
}

func (f *fakeSession) Runs() ([]engine.RunInfo, error) {
	f.call("runs")
	var out []engine.RunInfo
	for id, s := range f.status {
		out = append(out, engine.RunInfo{ID: id, Status: s})
	}
	return out, nil
}

func (f *fakeSession) became(id engine.RunID, s engine.Status) {
	if f.status == nil {
		f.status = make(map[engine.RunID]engine.Status)
	}
	f.status[id] = s
}

func (f *fakeSession) Pending() (*engine.RunInfo, error) { return f.pending, nil }

func (f *fakeSession) Detect(context.Context) (engine.Hosts, error) {
	f.call("detect")
	return engine.Hosts{Order: []machine.ID{machine.LocalID}, Facts: map[machine.ID]*detect.Facts{machine.LocalID: fakeFacts()}}, f.detectErr
}

func (f *fakeSession) Survey(ctx context.Context, s engine.Step, v engine.Values, _ func(engine.Progress)) (engine.Survey, error) {
	f.call("survey:%s", s.ID())
	f.surveyed = append(f.surveyed, v)
	for i := range f.frames {
		ev := raceProgress()
		ev.Step, ev.Text = s.ID(), lang.F("comparing 8 candidates, %d of 24 MiB", "正在比较 8 个候选，已下载 %d / 24 MiB", i+1)
		ev.Table.Rows = ev.Table.Rows[:min(i+1, len(ev.Table.Rows))]
		f.emit(ev)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return nil, nil
}

func (f *fakeSession) Plan(_ context.Context, s engine.Step, _ engine.Survey, v engine.Values) (*engine.StepPlan, error) {
	f.call("plan:%s:%v", s.ID(), v["profile"])
	if f.planErr != nil {
		return nil, f.planErr
	}
	if f.plan != nil {
		return f.plan(s.ID()), nil
	}
	p := fakePlan(s.ID())
	p.Values = v
	return p, nil
}

func (f *fakeSession) Prove(_ context.Context, p *engine.StepPlan) error {
	f.call("prove:%s", p.Step)
	f.emit(engine.Event{What: engine.Proved, Step: p.Step, Text: lang.T("a program is built: ELF 64-bit", "编译出的程序符合预期：ELF 64-bit")})
	return f.proveErr
}

func (f *fakeSession) Start(_ context.Context, o engine.RunOptions) (RunUnderWay, error) {
	f.call("start:%v", o.Confirm)
	if f.startErr != nil {
		return nil, f.startErr
	}
	f.next++
	f.answers = append(f.answers, o.Answers)
	f.became(f.next, engine.StatusInterrupted)
	return &fakeRun{f: f, id: f.next, o: o}, nil
}

func (f *fakeSession) Resume(ctx context.Context) (RunUnderWay, []engine.StepResult, error) {
	f.call("resume")
	var busy *engine.BusyError
	if f.pending == nil || errors.As(f.resumeErr, &busy) {
		return nil, nil, f.resumeErr
	}
	id := f.pending.ID
	if f.resumed != nil {
		f.resumed(ctx)
	}
	if ctx.Err() == nil {
		f.pending = nil
	}
	return &fakeRun{f: f, id: id}, f.results, errors.Join(f.resumeErr, ctx.Err())
}

func (f *fakeSession) Undo(_ context.Context, id engine.RunID, only string) (engine.UndoResult, error) {
	f.call("%s", strings.TrimSuffix(fmt.Sprintf("undo:%s:%s", id, only), ":"))
	if f.undoErr != nil {
		return engine.UndoResult{Run: id}, f.undoErr
	}
	f.pending = nil
	f.became(id, engine.StatusUndone)
	return engine.UndoResult{Run: id, Undone: 5 - len(f.left), Left: f.left}, nil
}

func (f *fakeSession) Confirm(_ context.Context, id engine.RunID) error {
	f.call("confirm:%s", id)
	if f.confirmErr != nil {
		return f.confirmErr
	}
	f.pending = nil
	f.became(id, engine.StatusApplied)
	return nil
}

type fakeRun struct {
	f  *fakeSession
	id engine.RunID
	o  engine.RunOptions
}

func (r *fakeRun) ID() engine.RunID { return r.id }

func (r *fakeRun) Apply(ctx context.Context, p *engine.StepPlan) (engine.StepResult, error) {
	f := r.f
	f.call("apply:%s", p.Step)
	if f.ended[r.id] {
		return engine.StepResult{}, errors.New("written to after its end")
	}
	f.emit(engine.Event{What: engine.StepStarted, Run: r.id, Step: p.Step, Of: len(p.Items)})
	var res engine.StepResult
	if f.trial {
		f.emit(tryList)
		time.Sleep(f.pace)
		f.emit(sawList)
	}
	for i, it := range p.Items {
		if err := ctx.Err(); err != nil {
			return res, lang.Errorf(err, "stopped before %s", "在 %s 之前停止", it.Target)
		}
		ev := engine.Event{Run: r.id, Step: p.Step, On: it.On, Kind: it.Kind, Target: it.Target, N: i + 1, Of: len(p.Items)}
		if it.Diff.Action == engine.None {
			ev.What = engine.Skipped
			f.emit(ev)
			res.Skipped++
			continue
		}
		ev.What = engine.Doing
		f.emit(ev)
		if f.hold != nil && i == 1 {
			f.emit(engine.Event{What: engine.Output, Text: lang.Same("Reading package lists...")})
			<-f.hold // an operation does not look at its context
		}
		time.Sleep(f.pace)
		if f.applyErr != nil && i == 3 {
			ev.What, ev.Error = engine.Failed, lang.F("%s", "%s", f.applyErr)
			f.emit(ev)
			return res, f.applyErr
		}
		out := engine.OK
		if f.deviate && it.Target == "vm.swappiness" {
			out = engine.Outcome{Kind: engine.Refused, By: lang.T("/proc/sys is read-only in this container", "此容器中 /proc/sys 为只读"), Got: "60"}
			res.Deviations = append(res.Deviations, engine.Deviation{On: it.On, Kind: it.Kind, Target: it.Target, Outcome: out})
		}
		ev.What, ev.Outcome = engine.Done, &out
		f.emit(ev)
		res.Applied++
	}
	for _, ev := range f.told {
		if err := ctx.Err(); err != nil {
			return res, err
		}
		f.emit(ev)
		time.Sleep(f.tellPace)
	}
	return res, nil
}

func (r *fakeRun) Undo(context.Context) (engine.UndoResult, error) {
	r.f.call("run-undo:%s", r.id)
	if r.f.undoErr != nil {
		return engine.UndoResult{Run: r.id}, r.f.undoErr
	}
	return engine.UndoResult{Run: r.id, Undone: 5 - len(r.f.left), Left: r.f.left}, nil
}

func (r *fakeRun) End(context.Context) (engine.Summary, error) {
	r.f.call("end:%s", r.id)
	s := engine.Summary{RunInfo: engine.RunInfo{ID: r.id, Status: engine.StatusApplied}}
	if r.f.ended == nil {
		r.f.ended = make(map[engine.RunID]bool)
	}
	r.f.ended[r.id] = true
	if r.o.Confirm > 0 {
		s.Status, s.Deadline = engine.StatusAwaiting, r.o.Confirm
	}
	r.f.became(r.id, s.Status)
	return s, r.f.endErr
}

func (r *fakeRun) Leave() error {
	r.f.call("leave:%s", r.id)
	return nil
}

var errLock = lang.Errorf(errors.New("dnf is waiting for a lock"), "cannot install gcc", "无法安装 gcc").
	WithHint("wait until packagekitd (pid 1184) has finished", "请等待 packagekitd（进程 1184）结束")
