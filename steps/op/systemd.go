package op

import (
	"context"
	"errors"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// booted says whether systemd is m's service manager, as sd_booted(3) does.
func booted(m machine.Machine) bool {
	if !running(m) {
		return false
	}
	info, err := m.Lstat("/run/systemd/system")
	return err == nil && info.Mode.IsDir()
}

// quoting hands a program's lines to say, which may be nil.
func quoting(say func(lang.Text)) func(string) {
	if say == nil {
		return nil
	}
	return func(line string) { say(lang.Same(Visible(machine.Brief(line)))) }
}

// systemctl runs one; say, which may be nil, gets what it prints.
func systemctl(ctx context.Context, m machine.Machine, say func(lang.Text), args ...string) error {
	argv := append([]string{"systemctl"}, args...)
	err := m.Run(ctx, machine.Command{Argv: argv, Timeout: 3 * time.Minute}, quoting(say))
	if err != nil {
		return cannot(exited(err), "cannot run “%s”", "“%s” 执行失败", Visible(strings.Join(argv, " "))).
			WithHint("the journal says more: journalctl -xe", "日志中有详情：journalctl -xe")
	}
	return nil
}

// exit is a program's end without its command line, for where that is said.
type exit struct{ *machine.ExitError }

func exited(err error) error {
	var e *machine.ExitError
	if errors.As(err, &e) {
		return exit{e}
	}
	return err
}

func (e exit) Error() string     { return e.Ended().EN }
func (e exit) Reason() lang.Text { return e.Ended() }

func (e exit) Unwrap() error { return e.ExitError }

// reload has the service manager read its configuration and units again.
func reload(ctx context.Context, m machine.Machine, say func(lang.Text)) error {
	if !booted(m) {
		return nil
	}
	return systemctl(ctx, m, say, "daemon-reload")
}

// show asks systemd for properties. Where there is no systemctl to ask (a
// captured machine) it gives nil.
func show(ctx context.Context, m machine.Machine, properties string, unit ...string) (map[string]string, error) {
	argv := append([]string{"systemctl", "show", "--no-pager", "-p", properties}, unit...)
	out := make(map[string]string)
	err := m.Run(ctx, machine.Command{Argv: argv, Timeout: 30 * time.Second}, func(line string) {
		if k, v, ok := strings.Cut(line, "="); ok {
			out[k] = v
		}
	})
	if machine.MissingProgram(err) || errors.Is(err, machine.ErrNotRunning) {
		return nil, nil
	}
	if err != nil {
		about, _, _ := strings.Cut(properties, ",")
		if len(unit) > 0 {
			about = unit[0]
		}
		return nil, cannot(exited(err), "cannot ask systemd about %s", "无法向 systemd 查询 %s", about).
			WithHint("try “systemctl status”: is the service manager answering?", "请执行 “systemctl status”，确认服务管理器是否有响应")
	}
	return out, nil
}
