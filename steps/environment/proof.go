package environment

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
	"goxin/steps/whichgo"
)

// Proofs start each shell as a login does, and ask the Go it finds.
func (Step) Proofs(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Proof {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	var out []engine.Proof
	for _, id := range hs.Order {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil
		}
		out = append(out, engine.Proof{On: id, Title: lang.T("login shells find Go", "登录 shell 能找到 Go"), Prove: h.prove})
	}
	return out
}

// shells are those to start.
func (h *host) shells(m machine.Machine) []string {
	out := []string{"sh"}
	for _, s := range []string{shellBash, shellZsh, shellFish} {
		switch {
		case program(m, s) == "":
		case s == shellBash, s == shellZsh && h.a.has(s) && h.seen.Zsh != "", s == shellFish && h.a.has(s):
			out = append(out, s)
		}
	}
	return out
}

func (h *host) prove(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !h.facts.Running {
		return lang.T("not proved here: nothing can be run", "此处未验证：无法运行程序"), nil
	}
	var seen []lang.Text
	for _, shell := range h.shells(m) {
		env, err := login(ctx, m, shell)
		if err != nil {
			return lang.Text{}, lang.Errorf(err, "cannot start a login shell of %s", "无法启动 %s 的登录 shell", shell).
				WithHint("see what its files say: %s -lx", "请检查它的启动文件：%s -lx", shell)
		}
		t, err := h.judge(ctx, m, shell, env)
		if err != nil {
			return lang.Text{}, err
		}
		if len(seen) == 0 || seen[len(seen)-1] != t {
			seen = append(seen, t)
		}
	}
	en, zh := make([]string, len(seen)), make([]string, len(seen))
	for i, t := range seen {
		en[i], zh[i] = t.EN, t.ZH
	}
	return lang.T(strings.Join(en, "; "), strings.Join(zh, "；")), nil
}

// login is the environment that a login shell has made.
func login(ctx context.Context, m machine.Machine, shell string) (map[string]string, error) {
	env := make(map[string]string)
	take := func(line string) {
		// A login may say things of its own first; env(1) comes last.
		if k, v, ok := strings.Cut(line, "="); ok {
			env[k] = v
		}
	}
	run := func(argv ...string) error {
		return m.Run(ctx, machine.Command{Argv: argv, Env: []string{"TERM=dumb"}, Timeout: time.Minute}, take)
	}
	err := run(shell, "-lc", "exec env")
	var exit *machine.ExitError
	if errors.As(err, &exit) && shell == "sh" { // an older dash knows no -l
		err = run(shell, "-c", ". /etc/profile; exec env")
	}
	return env, err
}

// judge says what a shell found, or what stands in the way.
func (h *host) judge(ctx context.Context, m machine.Machine, shell string, env map[string]string) (lang.Text, error) {
	search := strings.Split(env["PATH"], ":")
	for _, dir := range []string{goroot.Current + "/bin", goroot.Bin} {
		if n := count(search, dir); n != 1 {
			return lang.Text{}, lang.Errorf(nil, "cannot let %s find Go: its PATH has %s %d times: %s", "%s 无法找到 Go：其 PATH 中 %s 出现了 %d 次：%s", shell, dir, n, op.Visible(env["PATH"])).
				WithHint("a file that it reads later sets PATH anew; `%s -lx` shows which", "有在其后读取的文件重设了 PATH；可用 `%s -lx` 查看是哪个", shell)
		}
	}
	s := whichgo.Look(m, func(k string) string { return env[k] }, "/")
	if _, err := m.Stat(goroot.Current + "/bin/go"); err != nil {
		return lang.F("%s has the directories in PATH; no Go of goxin's is there yet", "%s 的 PATH 已含相应目录；尚未安装 goxin 的 Go", shell), nil
	}
	d := whichgo.Decide(s)
	if len(s.Programs) > 0 && path.Dir(s.Programs[0].Path) != goroot.Current+"/bin" {
		return lang.Text{}, lang.Errorf(nil, "cannot let %s find goxin's Go: %s comes first in its PATH", "%s 找不到 goxin 的 Go：其 PATH 中排在前面的是 %s", shell, op.Visible(s.Programs[0].Path)).
			WithHint("take that directory out of the file that puts it first; `%s -lx` shows which", "请从相应文件中去掉该目录；可用 `%s -lx` 查看是哪个文件", shell)
	}
	if err := d.Err(s); err != nil {
		return lang.Text{}, err
	}
	return h.ask(ctx, m, shell, d.Program, env)
}

// ask has the Go that was found say its settings.
func (h *host) ask(ctx context.Context, m machine.Machine, shell, program string, env map[string]string) (lang.Text, error) {
	argv := []string{program, "env", "GOVERSION"}
	for _, s := range h.settings() {
		argv = append(argv, s.name)
	}
	c := machine.Command{Argv: argv, Timeout: time.Minute}
	for k, v := range env {
		if k == "PATH" || k == "HOME" || strings.HasPrefix(k, "GO") && k != "GOENV" {
			c.Env = append(c.Env, k+"="+v)
		}
	}
	// Its own notes (telemetry) would go below XDG_CONFIG_HOME: nothing is to stay
	// behind. GOENV keeps the file of `go env -w` where it is.
	file := env["GOENV"]
	if file == "" {
		file = path.Join("/", env["HOME"], ".config/go/env")
	}
	c.Env = append(c.Env, "XDG_CONFIG_HOME=/dev/null", "GOENV="+file)
	slices.Sort(c.Env)
	var lines []string
	if err := m.Run(ctx, c, func(l string) { lines = append(lines, l) }); err != nil {
		return lang.Text{}, lang.Errorf(err, "cannot ask %s for its settings", "无法让 %s 给出其设置", op.Visible(program)).
			WithHint("run it by hand: %s env", "请手工执行：%s env", op.Visible(program))
	}
	if len(lines) != len(argv)-2 {
		return lang.Text{}, lang.Errorf(nil, "cannot understand what %s says: %d lines for %d settings", "无法理解 %s 的输出：%d 行对应 %d 项设置", op.Visible(program), len(lines), len(argv)-2).
			WithHint("run it by hand: %s env", "请手工执行：%s env", op.Visible(program))
	}
	t := lang.F("%s: %s", "%s：%s", shell, op.Visible(lines[0]))
	for i, s := range h.settings() {
		if got := lines[i+1]; got != s.value {
			t = lang.F("%s, %s=%s stays as somebody set it", "%s，%s=%s 保持他人所设的值", t, s.name, op.Visible(whichgo.Masked(got)))
		}
	}
	return t, nil
}

func count(list []string, s string) int {
	n := 0
	for _, e := range list {
		if e == s {
			n++
		}
	}
	return n
}
