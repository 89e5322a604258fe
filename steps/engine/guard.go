package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// The guard is what makes --confirm safe when the person cannot reach the
// machine any more: a service of its own, one for each such run, that outlives
// the wizard, its terminal and a reboot, and undoes the run at the deadline. It
// is seen to run before the run's first change, so that a power cut in mid-run
// is covered too.
const (
	units     = "/etc/systemd/system/"
	wants     = units + "multi-user.target.wants/"
	guardPoll = 500 * time.Millisecond
	// guardStart is how long a service may take to start; emulated machines are slow.
	guardStart = 30 * time.Second
	// frozen is how long a run that holds the lock past its deadline may be
	// stopped (SIGSTOP, Ctrl-Z) before the guard kills it.
	frozen = 3 * time.Second
)

func guardUnit(id RunID) string          { return fmt.Sprintf("goxin-guard-%d.service", id) }
func (k shelf) guardDir(id RunID) string { return fmt.Sprintf("%s/guard/%d", k.dir, id) }
func (k shelf) guardFiles(id RunID) []string {
	d := k.guardDir(id)
	return []string{wants + guardUnit(id), units + guardUnit(id), d + "/ready", d + "/goxin", d}
}

// canGuard says why there can be no guard, if so.
func (k shelf) canGuard() error {
	no := func(cause error) error {
		return lang.Errorf(cause, "cannot promise to undo by itself", "无法保证自动撤销").
			WithHint("write without a deadline: w in the wizard, no --confirm in a command; `goxin undo` undoes the run all the same", "请不设时限写入：向导中按 w，命令行去掉 --confirm；之后仍可用 `goxin undo` 撤销")
	}
	if _, err := k.home.Kernel(); err != nil {
		return no(lang.Errorf(nil, "this is a tree, where nothing runs", "这是系统树，其中没有运行的程序"))
	}
	if _, err := k.home.Stat("/run/systemd/system"); err != nil {
		return no(lang.Errorf(nil, "systemd does not run here", "此处没有运行 systemd"))
	}
	// systemd.service(5) gives %, $, quotes and backslashes a meaning in ExecStart=.
	if !regexp.MustCompile(`^[A-Za-z0-9/._+@:-]+$`).MatchString(k.dir) {
		return no(lang.Errorf(nil, "a unit file cannot hold the path %s", "单元文件中无法写入路径 %s", k.dir))
	}
	return nil
}

// canConfirm says why the run cannot be taken back by itself, if so.
func (e *Engine) canConfirm() error {
	if e.home.ID() == e.first {
		return e.canGuard()
	}
	return lang.Errorf(nil, "cannot promise to undo by itself: the journal is not on the machine that is changed", "无法保证自动撤销：运行日志不在被改动的机器上").
		WithHint("write without a deadline: w in the wizard, no --confirm in a command; `goxin undo` undoes the run all the same", "请不设时限写入：向导中按 w，命令行去掉 --confirm；之后仍可用 `goxin undo` 撤销")
}

// installGuard puts the service there, starts it, and waits until it says that
// it runs. It runs a copy of this very program, which may itself stand on a
// stick that is pulled out.
func (k shelf) installGuard(ctx context.Context, id RunID) error {
	dir := k.guardDir(id)
	err := func() error {
		if err := k.mkdirs(dir); err != nil {
			return err
		}
		if err := k.home.Remove(dir + "/ready"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err // a guard from before a crash said so
		}
		if err := k.copySelf(ctx, dir+"/goxin"); err != nil {
			return err
		}
		// Under SELinux init may not start what is labelled as data. Where this is
		// refused, the guard does not say that it runs, and the run is refused.
		if _, err := k.home.Stat("/sys/fs/selinux/enforce"); err == nil {
			_ = k.home.SetXattr(dir+"/goxin", "security.selinux", []byte("system_u:object_r:bin_t:s0\x00"))
		}
		unit := fmt.Sprintf(`[Unit]
Description=goxin: undo run %[1]d unless it is confirmed
After=local-fs.target systemd-sysctl.service
StartLimitIntervalSec=0

[Service]
ExecStart=%[2]s/goxin guard %[1]d --state %[3]s
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
`, id, dir, k.dir)
		if err := k.home.WriteFile(units+guardUnit(id), []byte(unit), 0o644, machine.Keep); err != nil {
			return err
		}
		if err := k.home.Symlink(units+guardUnit(id), wants+guardUnit(id)); err != nil {
			return err
		}
		if err := k.systemctl(ctx, "daemon-reload"); err != nil {
			return err
		}
		if err := k.systemctl(ctx, "restart", "--no-block", guardUnit(id)); err != nil {
			return err
		}
		return k.guardReady(ctx, id)
	}()
	if err != nil {
		return lang.Errorf(errors.Join(err, k.removeGuard(context.WithoutCancel(ctx), id)), "cannot promise to undo by itself", "无法保证自动撤销").
			WithHint("nothing was changed; leave --confirm out to go on without it", "尚未改动任何内容；去掉 --confirm 可继续")
	}
	return nil
}

// copySelf writes this program to name; where that is on another machine, its agent,
// which need not come over the line for that.
func (k shelf) copySelf(ctx context.Context, name string) error {
	if k.home.ID() != machine.LocalID {
		if path, err := k.home.Readlink(machine.Self); err == nil {
			if k.home.Run(ctx, machine.Command{Argv: []string{"install", "-m", "0755", "-T", path, name}, Timeout: time.Minute}, nil) == nil {
				return nil
			}
		}
	}
	bin, err := k.home.ReadFile(machine.Self)
	if err != nil {
		return err
	}
	return k.home.WriteFile(name, bin, 0o755, machine.Keep)
}

func (k shelf) guardReady(ctx context.Context, id RunID) error {
	for deadline := time.Now().Add(guardStart); ; {
		if _, err := k.home.Stat(k.guardDir(id) + "/ready"); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return lang.Errorf(nil, "the service %s does not run: see `journalctl -u %s`", "服务 %s 没有运行：请看 `journalctl -u %s`", guardUnit(id), guardUnit(id))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(guardPoll / 10):
		}
	}
}

// removeGuard takes run id's guard away. Its process sees that its run has ended
// and leaves by itself.
func (k shelf) removeGuard(ctx context.Context, id RunID) error {
	var errs []error
	gone := false
	for _, name := range k.guardFiles(id) {
		errs = append(errs, k.home.Clean(name))
		err := k.home.Remove(name)
		gone = gone || err == nil
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if gone {
		errs = append(errs, k.systemctl(ctx, "daemon-reload"))
	}
	if err := errors.Join(errs...); err != nil {
		return lang.Errorf(err, "cannot remove %s", "无法移除 %s", units+guardUnit(id))
	}
	return nil
}

func (k shelf) systemctl(ctx context.Context, args ...string) error {
	return k.home.Run(ctx, machine.Command{Argv: append([]string{"systemctl"}, args...), Timeout: time.Minute}, nil)
}

// boot names the time since the machine started, and how long that is. The
// kernel's boot id alone is its host's in some containers, so process 1's start
// time stands beside it.
func (k shelf) boot() (id string, up float64, err error) {
	b, err := k.home.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", 0, err
	}
	f, err := k.processStat(1)
	if err != nil {
		return "", 0, err
	}
	u, err := k.home.ReadFile("/proc/uptime")
	if err != nil {
		return "", 0, err
	}
	s, _, _ := strings.Cut(string(u), " ")
	if up, err = strconv.ParseFloat(s, 64); err != nil {
		return "", 0, err
	}
	return strings.TrimSpace(string(b)) + ":" + f[19], up, nil
}

// processStat is /proc/PID/stat from its third field on, proc(5): the state is
// [0], the start time [19]. The command before it may hold anything.
func (k shelf) processStat(pid int) ([]string, error) {
	b, err := k.home.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 20 {
		return nil, lang.Because(nil, "/proc/%d/stat is cut short", "/proc/%d/stat 不完整", pid)
	}
	return f, nil
}

// await journals from when on the run awaits its confirmation, and what it failed of.
func (r *Run) await(why, hint *lang.Text) error {
	boot, up, err := r.e.boot()
	if err != nil {
		return err
	}
	return r.journal(record{What: "awaiting", Boot: boot, Deadline: up + r.h.confirm.Seconds(), Error: why, Hint: hint})
}

// due reports whether a run's guard has to undo it, given the boot there is.
func (h *history) due(boot string, up float64) bool {
	switch h.status {
	case StatusAwaiting:
		return boot != h.boot || up >= h.deadline
	case StatusInterrupted: // it is at work, or died
		if h.header.Lead != nil {
			return true // whoever asks holds the lock: nobody leads it any more
		}
		return boot != h.header.Boot || up >= h.header.Deadline
	}
	return false
}

// Confirm lets a run that awaits it stand (0: the one there is). Confirming a
// run that stands already is no error.
func (e *Engine) Confirm(ctx context.Context, id RunID) (RunInfo, error) {
	if id == 0 {
		p, err := e.pending()
		if err != nil {
			return RunInfo{}, err
		}
		if p == nil || p.Status != StatusAwaiting {
			return RunInfo{}, lang.Errorf(nil, "cannot confirm: no run awaits its confirmation", "无法确认：没有等待确认的运行").
				WithHint("see `goxin runs`", "用 `goxin runs` 查看")
		}
		id = p.ID
	}
	if _, err := e.find(id); err != nil {
		return RunInfo{}, err
	}
	r, err := e.open(ctx, id, joining)
	if err != nil {
		return RunInfo{}, err
	}
	err = func() error {
		if r.h.status == StatusApplied && r.h.confirm > 0 {
			return e.removeGuard(ctx, id)
		}
		if r.h.status != StatusAwaiting {
			return lang.Errorf(nil, "cannot confirm run %d: it is %s", "无法确认运行 %d：其状态为%s", id, r.h.status.Text()).
				WithHint("see `goxin runs`", "用 `goxin runs` 查看")
		}
		boot, up, err := e.boot()
		if err != nil {
			return err
		}
		if r.h.due(boot, up) {
			return lang.Errorf(nil, "cannot confirm run %d: its time is over, and it is being undone", "无法确认运行 %d：时限已过，正在撤销", id).
				WithHint("see `goxin runs`; then apply it again", "用 `goxin runs` 查看；之后可重新执行")
		}
		for _, t := range r.twins { // all stand, or none: without it the others come back too
			if err := t.write(record{What: "confirmed"}); err != nil {
				return err
			}
			_ = t.removeGuard(ctx, t.id)
		}
		if err := r.journal(record{What: "confirmed"}); err != nil {
			return err
		}
		return e.removeGuard(ctx, id)
	}()
	return r.h.info(), errors.Join(err, r.letGo())
}

// Guard waits until run id is confirmed or undone, and undoes it at its
// deadline or after a reboot. It is what the guard's service runs; where it
// returns an error, the service starts it again.
func (e *Engine) Guard(ctx context.Context, id RunID) error {
	if err := e.home.WriteFile(e.guardDir(id)+"/ready", nil, 0o600, machine.Keep); err != nil {
		return err
	}
	t := time.NewTicker(guardPoll)
	defer t.Stop()
	var stopped time.Time
	for {
		h, err := e.find(id)
		if err != nil {
			return err
		}
		boot, up, err := e.boot()
		if err != nil {
			return err
		}
		if h.status != StatusAwaiting && h.status != StatusInterrupted {
			return e.removeGuard(ctx, id)
		}
		if h.due(boot, up) {
			err := e.undoDue(ctx, id, boot)
			var busy *BusyError
			if !errors.As(err, &busy) {
				return err
			}
			if h.header.Lead != nil && h.status == StatusInterrupted { // its agent lets go once the line is cut for long
				stopped = time.Time{}
			} else if err := e.killFrozen(ctx, busy.Holder, &stopped); err != nil {
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

// undoDue undoes run id if that is due still, now that nobody else can end or
// confirm it.
func (e *Engine) undoDue(ctx context.Context, id RunID, boot string) error {
	r, err := e.open(ctx, id, alone)
	if err != nil {
		return err
	}
	_, up, err := e.boot()
	if err != nil || !r.h.due(boot, up) {
		return errors.Join(err, r.release())
	}
	// Who leaves a run to be resumed dismisses its guard before letting go of the lock.
	if _, err := e.home.Stat(e.guardDir(id) + "/ready"); errors.Is(err, fs.ErrNotExist) {
		return r.release()
	}
	_, err = r.undoAndEnd(ctx, "")
	return err
}

// killFrozen kills a run that is stopped and so would hold the lock for ever. One
// that works on past its deadline is left to end.
func (e *Engine) killFrozen(ctx context.Context, h Holder, since *time.Time) error {
	st, err := e.processStat(h.PID)
	if err != nil || st[0] != "T" && st[0] != "t" {
		*since = time.Time{}
		return nil
	}
	if since.IsZero() {
		*since = time.Now()
	}
	if time.Since(*since) < frozen {
		return nil
	}
	return e.home.Run(ctx, machine.Command{Argv: []string{"kill", "-KILL", strconv.Itoa(h.PID)}, Timeout: time.Minute}, nil)
}
