package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// The guard is what makes --confirm safe when the person cannot reach the
// machine any more: a service of its own that outlives the wizard, its terminal
// and a reboot, and undoes the run at the deadline. It is in place before the
// run's first change, so that a power cut in mid-run is covered too.
const (
	guardUnit = "goxin-guard.service"
	guardFile = "/etc/systemd/system/" + guardUnit
	guardWant = "/etc/systemd/system/multi-user.target.wants/" + guardUnit
	guardPoll = 500 * time.Millisecond
)

func (e *Engine) guardBinary() string { return e.dir + "/guard/goxin" }

// canGuard says why there can be no guard, if so.
func (e *Engine) canGuard() error {
	no := func(cause error) error {
		return lang.Errorf(cause, "cannot promise to undo by itself", "无法保证自动撤销").
			WithHint("leave --confirm out; the run can still be undone with `goxin undo`", "请去掉 --confirm；之后仍可用 `goxin undo` 撤销")
	}
	if _, err := e.home.Kernel(); err != nil {
		return no(err)
	}
	if _, err := e.home.Stat("/run/systemd/system"); err != nil {
		return no(errors.New("systemd does not run here"))
	}
	if len(e.order) > 1 || e.home.ID() != e.order[0] {
		return no(errors.New("the journal is not on the machine that is changed"))
	}
	return nil
}

// installGuard puts the service there and starts it. It runs a copy of this
// very program, which may itself stand on a stick that is pulled out.
func (e *Engine) installGuard(ctx context.Context, id RunID) error {
	err := func() error {
		if err := e.mkdirs(e.dir + "/guard"); err != nil {
			return err
		}
		bin, err := e.home.ReadFile("/proc/self/exe")
		if err != nil {
			return err
		}
		if err := e.home.WriteFile(e.guardBinary(), bin, 0o755, machine.Keep); err != nil {
			return err
		}
		// Under SELinux init may not start what is labelled as data.
		if _, err := e.home.Stat("/sys/fs/selinux/enforce"); err == nil {
			_ = e.home.SetXattr(e.guardBinary(), "security.selinux", []byte("system_u:object_r:bin_t:s0\x00"))
		}
		unit := fmt.Sprintf(`[Unit]
Description=goxin: undo run %d unless it is confirmed
After=local-fs.target systemd-sysctl.service
StartLimitIntervalSec=0

[Service]
ExecStart="%s" guard %d --state "%s"
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
`, id, e.guardBinary(), id, e.dir)
		if err := e.home.WriteFile(guardFile, []byte(unit), 0o644, machine.Keep); err != nil {
			return err
		}
		if err := e.home.Symlink(guardFile, guardWant); err != nil {
			return err
		}
		if err := e.systemctl(ctx, "daemon-reload"); err != nil {
			return err
		}
		return e.systemctl(ctx, "start", "--no-block", guardUnit)
	}()
	if err != nil {
		return lang.Errorf(errors.Join(err, e.removeGuard(ctx, id)), "cannot promise to undo by itself", "无法保证自动撤销").
			WithHint("nothing was changed; leave --confirm out to go on without it", "尚未改动任何内容；去掉 --confirm 可继续")
	}
	return nil
}

// removeGuard takes it away. The guard's own process sees that its run has
// ended and leaves by itself.
func (e *Engine) removeGuard(ctx context.Context, id RunID) error {
	unit, err := e.home.ReadFile(guardFile)
	if err == nil && !strings.Contains(string(unit), fmt.Sprintf(" guard %d ", id)) {
		return nil // it watches another run
	}
	var errs []error
	gone := false
	for _, name := range []string{guardWant, guardFile, e.guardBinary()} {
		err := e.home.Remove(name)
		gone = gone || err == nil
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		errs = append(errs, e.home.Clean(name))
	}
	if gone {
		errs = append(errs, e.systemctl(ctx, "daemon-reload"))
	}
	if err := errors.Join(errs...); err != nil {
		return lang.Errorf(err, "cannot remove %s", "无法移除 %s", guardFile)
	}
	return nil
}

func (e *Engine) systemctl(ctx context.Context, args ...string) error {
	return e.home.Run(ctx, machine.Command{Argv: append([]string{"systemctl"}, args...), Timeout: time.Minute}, nil)
}

// boot names the time since the machine started, and how long that is. The
// kernel's boot id alone is its host's in a container, so process 1's start
// time stands beside it.
func (e *Engine) boot() (id string, up float64, err error) {
	b, err := e.home.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", 0, err
	}
	st, err := e.home.ReadFile("/proc/1/stat")
	if err != nil {
		return "", 0, err
	}
	// proc(5): the command in parentheses may hold anything; starttime is the
	// 20th field after it.
	f := strings.Fields(string(st[strings.LastIndexByte(string(st), ')')+1:]))
	if len(f) < 20 {
		return "", 0, errors.New("/proc/1/stat is cut short")
	}
	u, err := e.home.ReadFile("/proc/uptime")
	if err != nil {
		return "", 0, err
	}
	s, _, _ := strings.Cut(string(u), " ")
	if up, err = strconv.ParseFloat(s, 64); err != nil {
		return "", 0, err
	}
	return strings.TrimSpace(string(b)) + ":" + f[19], up, nil
}

// await journals from when on the run awaits its confirmation.
func (r *Run) await(context.Context) error {
	boot, up, err := r.e.boot()
	if err != nil {
		return err
	}
	return r.journal(record{What: "awaiting", Boot: boot, Deadline: up + r.h.confirm.Seconds()})
}

// Confirm lets a run that awaits it stand (0: the one there is).
func (e *Engine) Confirm(ctx context.Context, id RunID) (RunInfo, error) {
	if id == 0 {
		p, err := e.Pending()
		if err != nil {
			return RunInfo{}, err
		}
		if p == nil || p.Status != StatusAwaiting {
			return RunInfo{}, lang.Errorf(nil, "cannot confirm: no run awaits its confirmation", "无法确认：没有等待确认的运行").
				WithHint("see `goxin runs`", "用 `goxin runs` 查看")
		}
		id = p.ID
	}
	r, err := e.open(id)
	if err != nil {
		return RunInfo{}, err
	}
	err = func() error {
		if r.h.status != StatusAwaiting {
			return lang.Errorf(nil, "cannot confirm run %d: it is %s", "无法确认运行 %d：其状态为 %s", id, r.h.status).
				WithHint("see `goxin runs`", "用 `goxin runs` 查看")
		}
		boot, up, err := e.boot()
		if err != nil {
			return err
		}
		if boot != r.h.boot || up >= r.h.deadline {
			return lang.Errorf(nil, "cannot confirm run %d: its time is over, and it is being undone", "无法确认运行 %d：时限已过，正在撤销", id)
		}
		if err := r.journal(record{What: "confirmed"}); err != nil {
			return err
		}
		return e.removeGuard(ctx, id)
	}()
	return r.h.info(), errors.Join(err, r.release())
}

// Guard waits until run id is confirmed or undone, and undoes it at its
// deadline or after a reboot. It is what the guard's service runs.
func (e *Engine) Guard(ctx context.Context, id RunID) error {
	t := time.NewTicker(guardPoll)
	defer t.Stop()
	for {
		h, err := e.find(id)
		if err != nil {
			return err
		}
		boot, up, err := e.boot()
		if err != nil {
			return err
		}
		due := false
		switch h.status {
		case StatusAwaiting:
			due = boot != h.boot || up >= h.deadline
		case StatusInterrupted: // it still runs, or died
			due = boot != h.header.Boot || up >= h.header.Deadline
		default:
			return e.removeGuard(ctx, id)
		}
		if due {
			_, err := e.Undo(ctx, id, "")
			var busy *BusyError
			if !errors.As(err, &busy) {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}
