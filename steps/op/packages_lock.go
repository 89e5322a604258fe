package op

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

const (
	lockWait  = 10 * time.Minute // for whoever holds a package manager's lock
	lockPause = 3 * time.Second  // between two tries
	// transactionTime is for one that has the lock: slow mirrors, slow disks.
	transactionTime = 2 * time.Hour
	queryTime       = 10 * time.Minute // dnf may fetch its metadata first
)

// manage runs a package manager's command as often as somebody else holds its
// lock, which costs nothing: the lock is the first thing each of them takes. say
// tells who and how long, and may be nil. lines is all it printed. How long it
// waits is this process's own, monotonic time: the machine's clock may be set
// meanwhile, and a captured machine's stands still.
func manage(ctx context.Context, m machine.Machine, say func(lang.Text), locks []string, c machine.Command, see func(string)) (lines []string, err error) {
	start := time.Now()
	for {
		lines = lines[:0]
		err = m.Run(ctx, c, func(line string) {
			lines = append(lines, line)
			if pid, ok := waitsFor(line); ok && say != nil { // a dnf that waits by itself
				say(lang.F("waiting for %s", "正在等待 %s", processName(m, pid)))
			}
			if see != nil && !heldBy.MatchString(line) && !heldFile.MatchString(line) { // that is told below
				see(line)
			}
		})
		if err == nil {
			return lines, nil
		}
		holder, held := lockHolder(ctx, m, locks, lines, err)
		if !held {
			return lines, err
		}
		waited := time.Since(start)
		if waited >= lockWait {
			return lines, lang.Errorf(nil, "cannot run %s: after %s the lock is still held by %s", "无法运行 %s：已等待 %s，锁仍被 %s 占用", c.Argv[0], clock(waited), holder).
				WithHint("let it finish, or end it, and try again; do not remove the lock file", "请等待其结束或将其终止后重试；不要删除锁文件")
		}
		if say != nil {
			say(lang.F("waiting for %s, %s", "正在等待 %s，已 %s", holder, clock(waited)))
		}
		select {
		case <-engine.Stopping(ctx):
			return lines, lang.Errorf(nil, "stopped while waiting for %s", "等待 %s 时被停止", holder)
		case <-ctx.Done():
			return lines, context.Cause(ctx)
		case <-time.After(lockPause):
		}
	}
}

func clock(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// The words each of them has for a lock that is held: apt ("It is held by process
// 1184 (packagekitd)" since 1.9.11, before that only the file), dpkg, dnf, rpm.
var (
	heldBy   = regexp.MustCompile(`It is held by process (\d+)(?: \(([^)]*)\))?|lock (?:is|was) locked by another process with pid (\d+)`)
	heldFile = regexp.MustCompile(`[Cc]ould not get lock|[Uu]nable to lock|status database is locked by another process|frontend lock is locked by another process|can't create transaction lock|[Ff]ailed to obtain`)
	waiting  = regexp.MustCompile(`[Ww]aiting for process with pid (\d+)`)
)

func waitsFor(line string) (int, bool) {
	if g := waiting.FindStringSubmatch(line); g != nil {
		pid, err := strconv.Atoi(g[1])
		return pid, err == nil
	}
	return 0, false
}

// lockHolder says whether a command failed since a lock is held, and by whom:
// the program's own words first, else the kernel's table of locks.
func lockHolder(ctx context.Context, m machine.Machine, locks, lines []string, err error) (lang.Text, bool) {
	var exit *machine.ExitError
	if !errors.As(err, &exit) {
		return lang.Text{}, false
	}
	held := exit.Code == dnfLocked
	for _, l := range lines {
		if g := heldBy.FindStringSubmatch(l); g != nil {
			pid, _ := strconv.Atoi(g[1] + g[3])
			if g[2] != "" {
				return process(lang.Same(Visible(g[2])), pid), true
			}
			return processName(m, pid), true
		}
		if pid, ok := waitsFor(l); ok && held {
			return processName(m, pid), true
		}
		held = held || heldFile.MatchString(l)
	}
	if !held {
		return lang.Text{}, false
	}
	if pid := locker(ctx, m, locks); pid != 0 {
		return processName(m, pid), true
	}
	return lang.T("another process", "另一个进程"), true
}

// processName is "packagekitd (pid 1184)".
func processName(m machine.Machine, pid int) lang.Text {
	name := lang.T("a process", "某进程")
	if b, err := m.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil {
		name = lang.Same(Visible(strings.TrimSpace(string(b))))
	}
	return process(name, pid)
}

func process(name lang.Text, pid int) lang.Text {
	return lang.F("%s (pid %d)", "%s（进程 %d）", name, pid)
}

// locker is the process that holds one of the lock files: from those that hold
// their holder's number, and from /proc/locks, which tells inodes. 0: none, as
// far as can be seen.
func locker(ctx context.Context, m machine.Machine, locks []string) int {
	inodes := make(map[string]bool)
	for _, f := range locks {
		if strings.HasSuffix(f, ".pid") {
			b, err := m.ReadFile(f)
			pid, notPID := strconv.Atoi(strings.TrimSpace(string(b)))
			if err == nil && notPID == nil {
				if _, err := m.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
					return pid
				}
			}
			continue
		}
		// One at a time: what is not there makes stat fail.
		_ = m.Run(ctx, machine.Command{Argv: []string{"stat", "-L", "-c", "%i", f}, Timeout: 10 * time.Second}, func(line string) {
			if _, err := strconv.ParseUint(line, 10, 64); err == nil {
				inodes[line] = true
			}
		})
	}
	table, err := m.ReadFile("/proc/locks")
	if err != nil {
		return 0
	}
	// 1: POSIX  ADVISORY  WRITE 3397 fe:00:10216877 0 EOF
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] == "->" || f[3] != "WRITE" {
			continue
		}
		at := strings.Split(f[5], ":")
		if pid, err := strconv.Atoi(f[4]); err == nil && pid > 0 && inodes[at[len(at)-1]] {
			return pid
		}
	}
	return 0
}

// saidBy is the lines of a program that say why it failed, or its exit.
func saidBy(lines []string, says func(string) bool, err error) error {
	var out []string
	for _, l := range lines {
		if l = strings.TrimSpace(l); says(l) {
			out = append(out, Visible(l))
		}
	}
	if len(out) == 0 {
		return exited(err)
	}
	return lang.Quote(strings.Join(out, "\n"))
}
