package op

import (
	"context"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Limit is how many files a newly started service may have open. The drop-in
// that says so is a File with Reload set; this op has the service manager read
// it and proves what a service then gets.
//
// "systemctl daemon-reload" is enough, daemon-reexec is not needed: on
// MANAGER_RELOAD systemd parses system.conf and its drop-ins anew and sets the
// defaults of units from them (invoke_main_loop in src/core/main.c, the same
// from 239 to 255). Services that run already keep what they have.
//
// Undo does nothing: when it is this op's turn the drop-in still stands. The
// File, undone after it, is what has the manager read again.
type Limit struct {
	Value  uint64    `json:"value"` // RLIMIT_NOFILE, hard
	Soft   uint64    `json:"soft"`
	Reason lang.Text `json:"reason"`
}

type limitState struct {
	Manager bool   `json:"manager"` // systemd runs here
	Hard    uint64 `json:"hard,omitempty"`
	Soft    uint64 `json:"soft,omitempty"`
}

const noFile = "DefaultLimitNOFILE"

// Kind is "limit".
func (o *Limit) Kind() string { return "limit" }

// Target is the setting's name in systemd-system.conf(5).
func (o *Limit) Target() string { return noFile }

// Why is the step's reason.
func (o *Limit) Why() lang.Text { return o.Reason }

// ByHand is the reload and the proof.
func (o *Limit) ByHand() []string {
	return []string{"systemctl daemon-reload", strings.Join(probe(), " ")}
}

// probe is a service that lives for one cat and shows what it was given.
func probe() []string {
	return []string{"systemd-run", "--quiet", "--wait", "--pipe", "--collect", "cat", "/proc/self/limits"}
}

// Observe asks the manager for its defaults: one short program, no new unit.
func (o *Limit) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(ctx, m)
	if err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, nil), nil
}

func (o *Limit) look(ctx context.Context, m machine.Machine) (s limitState, err error) {
	if !booted(m) {
		return s, nil
	}
	got, err := show(ctx, m, noFile+","+noFile+"Soft")
	if err != nil || got == nil {
		return s, err
	}
	hard, ok := parseLimit(got[noFile])
	soft, also := parseLimit(got[noFile+"Soft"])
	if !ok || !also {
		return s, lang.Errorf(nil, "cannot understand systemd's %s: “%s”", "无法解析 systemd 的 %s：“%s”", noFile, Visible(got[noFile])).
			WithHint("see what it says: systemctl show -p %s", "请查看其输出：systemctl show -p %s", noFile)
	}
	return limitState{true, hard, soft}, nil
}

// parseLimit knows the words of systemctl ("infinity") and of
// /proc/self/limits ("unlimited").
func parseLimit(s string) (uint64, bool) {
	if s == "infinity" || s == "unlimited" {
		return math.MaxUint64, true
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// pair is soft and hard as DefaultLimitNOFILE= takes them.
func pair(soft, hard uint64) string {
	word := func(n uint64) string {
		if n == math.MaxUint64 {
			return "infinity"
		}
		return strconv.FormatUint(n, 10)
	}
	return word(soft) + ":" + word(hard)
}

// Diff is one row.
func (o *Limit) Diff(s engine.State) engine.Diff {
	was, _, err := decode[limitState](o, s)
	row := engine.Row{Action: engine.None, Name: noFile, Then: pair(o.Soft, o.Value)}
	switch {
	case err != nil:
		row.Action, row.Note = engine.Update, lang.F("%s", "%s", err)
	case !was.Manager:
		row.Note = atNextBoot()
	case was.Hard != o.Value || was.Soft != o.Soft:
		row.Action, row.Now = engine.Update, pair(was.Soft, was.Hard)
		row.Note = lang.T("for services started from now on", "对此后启动的服务生效")
	default:
		row.Now = row.Then
	}
	return engine.Diff{
		Action: row.Action, Note: row.Note,
		Table: lang.T("service manager", "服务管理器"), Rows: []engine.Row{row},
	}
}

// Do has the manager read its configuration, and starts a service to see.
func (o *Limit) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	if !booted(m) {
		return engine.OK, nil
	}
	if err := reload(ctx, m, say); err != nil {
		return engine.Outcome{}, err
	}
	set, err := o.look(ctx, m)
	if err != nil {
		return engine.Outcome{}, err
	}
	if !set.Manager {
		return engine.OK, nil
	}
	if set.Hard != o.Value || set.Soft != o.Soft {
		return engine.Outcome{Kind: engine.Overridden, By: setBy(m), Got: pair(set.Soft, set.Hard)}, nil
	}
	soft, hard, err := o.prove(ctx, m)
	if err != nil {
		return engine.Outcome{}, err
	}
	if hard != o.Value || soft != o.Soft {
		return engine.Outcome{Kind: engine.Clamped, By: o.ceiling(m, hard), Got: pair(soft, hard)}, nil
	}
	return engine.OK, nil
}

// prove starts a transient service and reads the limits it was given.
func (o *Limit) prove(ctx context.Context, m machine.Machine) (soft, hard uint64, err error) {
	found := false
	err = m.Run(ctx, machine.Command{Argv: probe(), Timeout: time.Minute}, func(line string) {
		// Max open files            1024                 524288               files
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if f := strings.Fields(rest); len(f) >= 2 {
				var a, b bool
				soft, a = parseLimit(f[0])
				hard, b = parseLimit(f[1])
				found = a && b
			}
		}
	})
	if err == nil && !found {
		err = lang.Errorf(nil, "its limits do not say how many files it may open", "输出中没有可打开文件数的限制")
	}
	if err != nil {
		return 0, 0, cannot(exited(err), "cannot start a service to see its %s", "无法启动服务以核对其 %s", noFile).
			WithHint("“%s” must work; it needs the message bus: systemctl status dbus",
				"“%s” 必须能执行；它依赖消息总线：systemctl status dbus", strings.Join(probe(), " "))
	}
	return soft, hard, nil
}

// ceiling says what cuts a limit to got.
func (o *Limit) ceiling(m machine.Machine, got uint64) lang.Text {
	if data, err := m.ReadFile("/proc/sys/fs/nr_open"); err == nil {
		if n, ok := parseLimit(strings.TrimSpace(string(data))); ok && n == got {
			return lang.F("fs.nr_open is %d", "fs.nr_open 为 %d", n)
		}
	}
	return lang.F("the hard limit the service manager itself was started with, as in containers: %s",
		"服务管理器自身启动时的硬限制（容器中常见）：%s", strconv.FormatUint(got, 10))
}

// setBy finds the line that set the manager's default last: of the files in
// system.conf.d the last by name, else system.conf (systemd-system.conf(5)).
func setBy(m machine.Machine) lang.Text {
	files := map[string]string{}
	for _, dir := range []string{"/usr/lib/systemd", "/usr/local/lib/systemd", "/run/systemd", "/etc/systemd"} {
		names, _ := m.ReadDir(dir + "/system.conf.d")
		for _, n := range names {
			if strings.HasSuffix(n, ".conf") {
				files[n] = path.Join(dir, "system.conf.d", n)
			}
		}
	}
	order := []string{"/etc/systemd/system.conf"}
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		order = append(order, files[n])
	}
	where := ""
	for _, name := range order {
		data, _ := m.ReadFile(name)
		for i, line := range strings.Split(string(data), "\n") {
			if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.TrimSpace(k) == noFile {
				where = Visible(fmt.Sprintf("%s:%d (%s)", name, i+1, strings.TrimSpace(v)))
			}
		}
	}
	if where == "" {
		return lang.T("no file sets it: systemd's own default", "没有文件设置它：systemd 的内置默认值")
	}
	return lang.F("%s", "%s", where)
}

// Undo does nothing; see the type.
func (o *Limit) Undo(context.Context, machine.Machine, engine.State, engine.State) error { return nil }
