package op

import (
	"context"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// run runs a dnf that changes something.
func (d dnf) run(ctx context.Context, m machine.Machine, say func(lang.Text), args ...string) error {
	c := d.command(m, append([]string{"-y"}, args...)...)
	c.Timeout = transactionTime
	lines, err := manage(ctx, m, say, dnfLocks, c, dnfProgress(say))
	if err == nil || lang.Told(err) {
		return err
	}
	said := saidBy(lines, dnfSays, err)
	e := lang.Errorf(said, "%s failed", "%s 执行失败", c.Argv[0])
	switch s := said.Error(); {
	case strings.Contains(s, "needs") && strings.Contains(s, "more space"), strings.Contains(s, "No space left"):
		return e.WithHint("make room on the disk: df -h", "请腾出磁盘空间：df -h")
	case strings.Contains(s, "GPG"):
		return e.WithHint("the package is not signed by a key this machine trusts: see the mirror step", "软件包的签名不受本机信任：请查看「软件源」步骤")
	case strings.Contains(s, "download"), strings.Contains(s, "metadata"):
		return e.WithHint("see whether it reaches its repositories: dnf makecache; the mirror step puts them right", "请确认软件源可访问：dnf makecache；「软件源」步骤可修复")
	}
	return e.WithHint("/var/log/dnf.log and dnf.rpm.log have all of it", "完整记录见 /var/log/dnf.log 与 dnf.rpm.log")
}

func (d dnf) install(ctx context.Context, m machine.Machine, say func(lang.Text), names []string, _ transaction) (map[string]string, error) {
	return nil, d.run(ctx, m, say, append([]string{"install", "--"}, names...)...)
}

// dnfProgress says dnf's lines once it downloads and installs, until it sums up.
func dnfProgress(say func(lang.Text)) func(string) {
	on := false
	return func(line string) {
		s := strings.Join(strings.Fields(line), " ")
		switch {
		case s == "Downloading Packages:", s == "Running transaction":
			on = true
		case strings.HasSuffix(s, "ed:"), s == "": // Installed:, Upgraded:, Removed:
			on = on && s == ""
		case on && say != nil && strings.Trim(s, "-=") != "" && !strings.HasPrefix(s, "Verifying "):
			say(lang.Same(Visible(s)))
		}
	}
}
