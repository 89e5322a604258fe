package sandbox

import (
	"context"
	"errors"
	"path"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/op"
)

// Verify has systemd read a unit's file and gives what it has against it. It reads what
// systemd-analyze says rather than how it ends: before systemd 250 it ends with 0 whatever
// it finds.
func Verify(ctx context.Context, m machine.Machine, file string) (problems []string, err error) {
	var said []string
	err = m.Run(ctx, machine.Command{Argv: []string{"systemd-analyze", "verify", file}, Timeout: time.Minute}, func(line string) { said = append(said, line) })
	var ended *machine.ExitError
	if err != nil && !errors.As(err, &ended) {
		return nil, cannotAsk(err)
	}
	problems = complaints(said, file)
	if ended != nil && len(problems) == 0 {
		problems = append(problems, said...)
	}
	return problems, nil
}

// complaints are the lines about this unit: systemd-analyze reads those it depends on
// too, and they have faults of their own.
func complaints(said []string, file string) []string {
	var out []string
	for _, line := range said {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, file); ok || strings.HasPrefix(line, path.Base(file)) {
			if ok {
				line = path.Base(file) + rest
			}
			out = append(out, line)
		}
	}
	return out
}

// Exposure is what systemd-analyze security makes of a unit that is loaded: from 0
// (nothing to attack) to 10.
func Exposure(ctx context.Context, m machine.Machine, unit string) (score float64, err error) {
	found := false
	err = m.Run(ctx, machine.Command{Argv: []string{"systemd-analyze", "--no-pager", "security", unit}, Timeout: time.Minute}, func(line string) {
		if n, ok := exposure(line); ok {
			score, found = n, true
		}
	})
	var ended *machine.ExitError
	if err != nil && !(errors.As(err, &ended) && found) {
		return 0, cannotAsk(err)
	}
	if !found {
		return 0, lang.Errorf(nil, "cannot tell how exposed %s is: systemd-analyze security does not say", "无法得知 %s 的暴露度：systemd-analyze security 没有给出", op.Visible(unit)).
			WithHint("see its own words: systemd-analyze security %s", "请查看其输出：systemd-analyze security %s", op.Visible(unit))
	}
	return score, nil
}

func cannotAsk(err error) error {
	return lang.Errorf(err, "cannot ask systemd-analyze", "无法执行 systemd-analyze").
		WithHint("it belongs to systemd's package; try it by hand: systemd-analyze --version", "它属于 systemd 软件包；请手工尝试：systemd-analyze --version")
}

// exposure reads "→ Overall exposure level for x.service: 1.3 OK 🙂".
func exposure(line string) (float64, bool) {
	_, rest, ok := strings.Cut(line, "exposure level for ")
	if !ok {
		return 0, false
	}
	_, rest, ok = strings.Cut(rest, ": ")
	word, _, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseFloat(word, 64)
	return n, ok && err == nil && n >= 0 && n <= 10
}
