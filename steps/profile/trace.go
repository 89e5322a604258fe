package profile

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/op"
)

// Calls is the summary of a process's system calls.
type Calls struct {
	Lines []string // strace -c's table, the most costly first
	Why   lang.Text
}

// mostLines of the table are kept.
const mostLines = 30

// trace counts the system calls of all threads for so many seconds. Told to end, strace
// lets the process go and prints its table.
func trace(ctx context.Context, m machine.Machine, pid, seconds int) Calls {
	var said []string
	c := machine.Command{Argv: []string{"strace", "-c", "-f", "-p", strconv.Itoa(pid)}, Timeout: time.Duration(seconds) * time.Second}
	err := m.Run(ctx, c, func(line string) {
		if len(said) < 4096 {
			said = append(said, line)
		}
	})
	lines := summary(said)
	switch {
	case machine.MissingProgram(err):
		return Calls{Why: lang.T("strace is not installed: install the package strace", "未安装 strace：请安装软件包 strace")}
	case len(lines) > 0:
		return Calls{Lines: lines}
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return Calls{Why: lang.F("strace could not attach: %s", "strace 无法附加到进程：%s", shown(err))}
	}
	return Calls{Why: lang.F("no system call in %d s", "%d 秒内没有任何系统调用", seconds)}
}

// summary is the table in what strace says, from its head to its total.
func summary(said []string) []string {
	for i, l := range said {
		if !strings.HasPrefix(strings.TrimSpace(l), "% time") {
			continue
		}
		var out []string
		for _, l := range said[i:] {
			if len(out) < mostLines || strings.HasSuffix(l, " total") {
				out = append(out, op.Visible(strings.TrimRight(l, " \t")))
			}
			if strings.HasSuffix(l, " total") {
				break
			}
		}
		if len(out) > 2 { // more than the head
			return out
		}
	}
	return nil
}
