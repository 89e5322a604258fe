package op

import (
	"context"
	"path"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// aptEnv keeps everything that hooks into apt from asking on the terminal and
// from restarting services that were none of the plan.
func aptEnv() []string {
	return []string{
		"DEBIAN_FRONTEND=noninteractive", "DEBIAN_PRIORITY=critical", "UCF_FORCE_CONFFOLD=1",
		"NEEDRESTART_SUSPEND=1", "APT_LISTCHANGES_FRONTEND=none", "APT_LISTBUGS_FRONTEND=none",
	}
}

// keepConffiles has a package's own configuration files stay as they are on
// this machine, without a question.
func keepConffiles() []string {
	return []string{"-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"}
}

// repair finishes what a dpkg that was interrupted left.
func (apt) repair(ctx context.Context, m machine.Machine, say func(lang.Text)) error {
	c := machine.Command{Argv: []string{"dpkg", "--force-confdef", "--force-confold", "--configure", "-a"}, Env: aptEnv(), Timeout: transactionTime}
	lines, err := manage(ctx, m, say, aptLocks, c, func(line string) {
		if strings.HasPrefix(line, "Setting up ") || strings.HasPrefix(line, "Processing triggers ") {
			say(lang.Same(Visible(line)))
		}
	})
	if err == nil || lang.Told(err) {
		return err
	}
	// What lacks a dependency that was never unpacked is apt's to finish.
	if _, err := manage(ctx, m, say, aptLocks, aptRun(aptGet("--no-remove", "-f", "install")), aptProgress(say, 0)); err == nil {
		return nil
	}
	return lang.Errorf(saidBy(lines, dpkgSays, err), "cannot finish what an interrupted dpkg left", "无法完成被中断的 dpkg 操作").
		WithHint("put the packages it names in order by hand: dpkg --configure -a, apt-get -f install", "请手工处理其中提到的软件包：dpkg --configure -a，apt-get -f install")
}

func dpkgSays(line string) bool {
	return strings.HasPrefix(line, "dpkg: ") && !strings.HasPrefix(line, "dpkg: warning: ")
}

func aptRun(argv []string) machine.Command {
	return machine.Command{Argv: argv, Env: aptEnv(), Timeout: transactionTime}
}

// install never removes: what the simulation did not foresee fails.
func (a apt) install(ctx context.Context, m machine.Machine, say func(lang.Text), names []string, t transaction) (map[string]string, error) {
	options := append([]string{"--no-remove", "-o", "APT::Status-Fd=1", "-o", "Dpkg::Use-Pty=0"}, keepConffiles()...)
	if len(names) == 0 {
		options = append(options, "-f")
	}
	argv := append(aptGet(append(options, "install", "--")...), names...)
	lines, err := manage(ctx, m, say, aptLocks, aptRun(argv), aptProgress(say, len(t.Changes)))
	if err == nil || lang.Told(err) {
		return nil, err
	}
	why := make(map[string]string)
	for _, l := range lines {
		// pmerror:/var/cache/apt/archives/git_1%3a2.39_amd64.deb:20.0:trying to overwrite '/usr/bin/git', …
		if f := strings.SplitN(l, ":", 4); len(f) == 4 && f[0] == "pmerror" {
			name, _, _ := strings.Cut(path.Base(f[1]), "_")
			why[name] = strings.TrimSpace(f[3])
		}
	}
	said := saidBy(lines, func(l string) bool { return aptSays(l) || dpkgSays(l) }, err)
	return why, aptHint(said)
}

// aptHint says what is usually to be done about what apt said.
func aptHint(said error) error {
	e := lang.Errorf(said, "apt-get failed", "apt-get 执行失败")
	switch s := said.Error(); {
	case strings.Contains(s, "free space"), strings.Contains(s, "No space left"):
		return e.WithHint("make room on the disk: df -h", "请腾出磁盘空间：df -h")
	case strings.Contains(s, "unauthenticated"), strings.Contains(s, "not signed"):
		return e.WithHint("the package source is not signed by a key this machine trusts: see the mirror step", "软件源的签名不受本机信任：请查看「软件源」步骤")
	case strings.Contains(s, "Failed to fetch"), strings.Contains(s, "Unable to fetch"):
		return e.WithHint("the lists may be older than the mirror: apt-get update, or the mirror step", "软件包列表可能比镜像旧：请执行 apt-get update，或「软件源」步骤")
	}
	return e.WithHint("/var/log/apt/term.log has all of what it printed", "完整输出见 /var/log/apt/term.log")
}

// aptProgress reads apt's status lines (README.progress-reporting in its
// sources) and says the news in them, and what apt itself calls an error or a
// warning.
func aptProgress(say func(lang.Text), total int) func(string) {
	var last lang.Text
	unpacked, configured := 0, 0
	tell := func(t lang.Text) {
		if t != last {
			last = t
			say(t)
		}
	}
	cite := func(s string) { tell(lang.Same(Visible(s))) }
	count := func(what lang.Text, name string, n *int) {
		*n++
		if total == 0 {
			tell(lang.F("%s %s", "%s %s", what, Visible(name)))
			return
		}
		tell(lang.F("%s %s (%d of %d)", "%s %s（%d/%d）", what, Visible(name), min(*n, total), total))
	}
	return func(line string) {
		f := strings.SplitN(line, ":", 4)
		if len(f) < 4 || f[0] != "dlstatus" && f[0] != "pmstatus" && f[0] != "pmerror" {
			if aptSays(line) || strings.HasPrefix(line, "W: ") {
				cite(line)
			}
			return
		}
		percent, _ := strconv.ParseFloat(f[2], 64)
		switch {
		case f[0] == "dlstatus":
			tell(lang.F("downloading %.0f %%", "已下载 %.0f %%", percent))
		case f[0] == "pmerror":
			cite(f[1] + ": " + f[3])
		case strings.HasPrefix(f[3], "Unpacking "):
			count(lang.T("unpacking", "正在解包"), f[1], &unpacked)
		case strings.HasPrefix(f[3], "Configuring "):
			count(lang.T("configuring", "正在配置"), f[1], &configured)
		}
	}
}
