package drill

import (
	"context"
	"fmt"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// The dead man's timer: a transient timer of the victim's own systemd that takes the fault
// back if nobody stops it before. A reboot takes both away.
const (
	backUnit = "goxin-drill-back"
	cutUnit  = "goxin-drill-cut"
	// deadMan is how long a fault may last at most.
	deadMan = 90 * time.Second
	// notice is how long the line to the victim stands before a fault that cuts it.
	notice = 500 * time.Millisecond
)

// arm has the victim take the fault back after d by itself.
func arm(ctx context.Context, m machine.Machine, back [][]string, d time.Duration) error {
	if active(ctx, m, backUnit+".timer") {
		return lang.Errorf(nil, "cannot break anything on %s: a drill is under way there", "无法在 %s 上注入故障：那里正在演练", m.ID()).
			WithHint("wait until it has ended; `systemctl stop %s.timer` if nobody is at it", "请等它结束；若确无演练在进行，可执行 `systemctl stop %s.timer`", backUnit)
	}
	_ = command(ctx, m, "systemctl", "reset-failed", backUnit+".service", cutUnit+".service") // of a drill before
	err := command(ctx, m, "systemd-run", "--unit="+backUnit, fmt.Sprintf("--on-active=%dms", d.Milliseconds()),
		"--timer-property=AccuracySec=50ms", "/bin/sh", "-c", script(back))
	if err != nil {
		return lang.Errorf(err, "cannot set a timer on %s that takes the fault back", "无法在 %s 上设置自动撤除故障的定时器", m.ID()).
			WithHint("nothing was broken; the drill takes systemd on both nodes", "尚未注入故障；演练要求两个节点都运行 systemd")
	}
	return nil
}

// disarm stops the timer: the fault has been taken back.
func disarm(ctx context.Context, m machine.Machine) error {
	return command(ctx, m, "systemctl", "stop", backUnit+".timer")
}

func active(ctx context.Context, m machine.Machine, unit string) bool {
	return command(ctx, m, "systemctl", "--quiet", "is-active", unit) == nil
}

func command(ctx context.Context, m machine.Machine, argv ...string) error {
	return m.Run(ctx, machine.Command{Argv: argv, Timeout: time.Minute}, nil)
}
