package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/op"
	"goxin/steps/sandbox"
)

// runDir is where units stand that are gone with the next boot.
const runDir = "/run/systemd/system"

// A trial runs the program as it will run, before anything is written: a throw-away copy
// of it, in a throw-away unit with an account that comes and goes.
type trial struct {
	*host
	m    machine.Machine
	dir  string // for the copy and its environment
	unit string // a name that no trial before had: the journal is then of this one alone
}

// try is the first proof.
func (h *host) try(ctx context.Context, m machine.Machine) (said lang.Text, err error) {
	switch {
	case !h.facts.Running:
		return lang.T("not tried here: nothing can be run", "此处未试运行：无法运行程序"), nil
	case h.seen.Up:
		return lang.F("not tried: %s runs, and two of it cannot have one port", "未试运行：%s 正在运行，两个实例无法共用一个端口", h.unitName()), nil
	}
	if _, err := m.Stat(runDir); err != nil {
		return lang.T("not tried here: systemd does not run", "此处未试运行：systemd 没有运行"), nil
	}
	goxin, cleanup, err := sandbox.Program(ctx, m)
	if err != nil {
		return lang.Text{}, err
	}
	defer func() { err = errors.Join(err, cleanup()) }()
	unit := fmt.Sprintf("goxin-trial-%s-%d.service", h.a.Name, m.Now().Unix())
	return trial{h, m, path.Dir(goxin), unit}.run(ctx)
}

func (t trial) run(ctx context.Context) (said lang.Text, err error) {
	program := path.Join(t.dir, t.a.Name)
	if program == path.Join(t.dir, "goxin") {
		program += "-service"
	}
	copied := &op.Copy{From: t.home, Source: t.seen.Source, SHA256: t.seen.SHA256, Path: program, Mode: 0o755, Owner: machine.RootOwner}
	if _, err := copied.Do(ctx, t.m, nil); err != nil {
		return lang.Text{}, err
	}
	f := form{program: program, env: path.Join(t.dir, "env"), trial: true, level: t.a.Harden}
	if err := t.m.WriteFile(f.env, []byte(t.environment()), 0o600, machine.Keep); err != nil {
		return lang.Text{}, lang.Errorf(err, "cannot write the environment of a trial", "无法写出试运行的环境文件")
	}
	defer func() { err = errors.Join(err, t.remove(ctx)) }()

	f.level = sandbox.None
	before, err := t.score(ctx, f)
	if err != nil {
		return lang.Text{}, err
	}
	f.level = t.a.Harden
	after, err := t.score(ctx, f)
	if err != nil {
		return lang.Text{}, err
	}
	said = lang.F("systemd %d has nothing against the unit; exposure %.1f, without its sandbox %.1f", "systemd %d 对单元没有异议；暴露度 %.1f，不加限制时 %.1f", t.systemd(), after, before)
	if len(t.a.Dirs) > 0 {
		return lang.F("%s; not started, since it has directories to write to", "%s；因需要写入目录，未试启动", said), nil
	}
	if taken := t.answers(ctx); taken {
		return lang.Text{}, lang.Errorf(nil, "cannot try the service: something listens on port %d already", "无法试运行：端口 %d 已被占用", t.a.Port).
			WithHint("see what it is: ss -ltnp 'sport = :%d'", "请查看占用者：ss -ltnp 'sport = :%d'", t.a.Port)
	}
	started, err := t.start(ctx, f)
	if err != nil {
		return lang.Text{}, err
	}
	return lang.F("%s; %s", "%s；%s", said, started), nil
}

// score writes the unit, has it verified, and gives its exposure.
func (t trial) score(ctx context.Context, f form) (float64, error) {
	if err := t.write(ctx, f); err != nil {
		return 0, err
	}
	problems, err := sandbox.Verify(ctx, t.m, path.Join(runDir, t.unit))
	if err != nil {
		return 0, err
	}
	if len(problems) > 0 {
		return 0, lang.Errorf(lang.Quote(op.Visible(problems[0])), "cannot use the unit: systemd %d objects to it", "单元不可用：systemd %d 提出异议", t.systemd()).
			WithHint("leave out what it names, or forbid less: harden: standard", "请去掉它所指的内容，或放宽限制：harden: standard")
	}
	return sandbox.Exposure(ctx, t.m, t.unit)
}

func (t trial) write(ctx context.Context, f form) error {
	file := path.Join(runDir, t.unit)
	if err := t.m.WriteFile(file, []byte(t.host.unit(f)), 0o644, machine.Keep); err != nil {
		return lang.Errorf(err, "cannot write the unit of a trial", "无法写出试运行单元")
	}
	return t.systemctl(ctx, "daemon-reload")
}

// remove takes the trial away, whatever became of it.
func (t trial) remove(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	err := t.m.Remove(path.Join(runDir, t.unit))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	_ = t.systemctl(ctx, "stop", t.unit)         // it may not have come up
	_ = t.systemctl(ctx, "reset-failed", t.unit) // nor failed
	return errors.Join(err, t.systemctl(ctx, "daemon-reload"))
}

func (t trial) systemctl(ctx context.Context, args ...string) error {
	err := t.m.Run(ctx, machine.Command{Argv: append([]string{"systemctl"}, args...), Timeout: 3 * time.Minute}, nil)
	if err != nil {
		return lang.Errorf(err, "cannot run “systemctl %s”", "“systemctl %s” 执行失败", strings.Join(args, " "))
	}
	return nil
}

// start starts the trial, and where it does not come up once more without its sandbox,
// to say whose fault it is.
func (t trial) start(ctx context.Context, f form) (lang.Text, error) {
	w := watch{t.host, t.m, t.unit}
	said, err := t.comeUp(ctx, w)
	if err == nil {
		return lang.F("tried as Type=%s: %s", "按 Type=%s 试运行：%s", t.kind(), said), t.systemctl(ctx, "stop", w.unit)
	}
	last := w.tail(ctx, 10)
	failed := lang.Errorf(last.or(err), "cannot start the program as it would run (Type=%s)", "程序无法按计划的方式启动（Type=%s）", t.kind())
	if t.kind() == notify && last.say("timed out") {
		return lang.Text{}, failed.WithHint("it never says READY=1 to $NOTIFY_SOCKET; answer type: exec, or have it say so", "它没有向 $NOTIFY_SOCKET 发送 READY=1；请填写 type: exec，或在程序中加入通知")
	}
	_ = t.systemctl(ctx, "stop", w.unit)
	_ = t.systemctl(ctx, "reset-failed", w.unit)
	if f.level != sandbox.None && ctx.Err() == nil {
		f.level = sandbox.None
		if t.write(ctx, f) == nil {
			if _, err := t.comeUp(ctx, w); err == nil {
				return lang.Text{}, failed.WithHint("without its sandbox it works: it needs something that is forbidden; try harden: standard, or name the directories that it writes to",
					"不加限制时可以工作：它需要某项被禁止的能力；请尝试 harden: standard，或在 directories 中填写它要写入的目录")
			}
		}
	}
	return lang.Text{}, failed.WithHint("it does not work without its sandbox either: see what it says, and look at its arguments, its environment and its port", "不加限制也无法工作：请查看它的输出，并检查参数、环境变量与端口")
}

// comeUp starts the trial, waits a little, and asks on its port.
func (t trial) comeUp(ctx context.Context, w watch) (said lang.Text, err error) {
	if err := t.systemctl(ctx, "start", w.unit); err != nil {
		return said, lang.Because(nil, "it does not start", "无法启动")
	}
	if said, err = w.steady(ctx, 2); err == nil && t.a.Port > 0 {
		said, err = w.asked(ctx)
	}
	return said, err
}

// answers says whether somebody listens on the port already.
func (t trial) answers(ctx context.Context) bool {
	if t.a.Port == 0 {
		return false
	}
	conn, err := t.m.Dial(ctx, "tcp", t.address())
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
