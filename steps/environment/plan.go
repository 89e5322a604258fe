package environment

import (
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
)

// host is one machine as the step sees it.
type host struct {
	id    machine.ID
	facts *detect.Facts
	seen  *seen
	a     answers
}

func newHost(hs engine.Hosts, sv engine.Survey, id machine.ID, a answers) (*host, error) {
	seen, err := seenOn(sv, id)
	return &host{id, hs.Facts[id], seen, a}, err
}

// proxies are GOPROXY's elements: the answers', else the machine's own, else the
// usual ones.
func (h *host) proxies() []string {
	switch {
	case len(h.a.Proxies) > 0:
		return h.a.Proxies
	case len(h.seen.Proxies) > 0:
		return h.seen.Proxies
	}
	return usualProxies
}

// settings are the defaults to write, in the order of the file.
func (h *host) settings() []setting {
	out := []setting{
		{"GOPROXY", strings.Join(h.proxies(), ",")},
		{"GOSUMDB", h.a.SumDB},
		{"GOTOOLCHAIN", h.a.Toolchain},
	}
	if len(h.a.Private) > 0 {
		out = append(out, setting{"GOPRIVATE", strings.Join(h.a.Private, ",")})
	}
	return out
}

// Ops are the files, then the lines that have shells read them.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	return hs.Ops(func(id machine.ID) ([]engine.Op, error) {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil, err
		}
		return h.ops(), nil
	})
}

func (h *host) ops() []engine.Op {
	var out []engine.Op
	file := func(name, content string, dirs []string, why lang.Text) {
		for _, d := range dirs {
			out = append(out, &op.Dir{Path: d, Mode: 0o755, Owner: machine.RootOwner, Reason: why})
		}
		out = append(out, &op.File{Path: name, Content: content, Mode: 0o644, Owner: machine.RootOwner, Reason: why})
	}
	file(profileFile, profile(h.settings(), h.a.Direnv), []string{path.Dir(profileFile)}, whyProfile())
	if h.a.has(shellBash) && h.seen.Bash != "" && !h.seen.BashReads {
		out = append(out, &op.Block{Path: h.seen.Bash, Name: "environment", Lines: bashLines(), Reason: whyBlock("bash")})
	}
	if h.a.has(shellZsh) && h.seen.Zsh != "" {
		out = append(out, &op.Block{Path: h.seen.Zsh, Name: "environment", Lines: zshLines(h.seen.ZshLogin, h.a.Direnv), Reason: whyBlock("zsh")})
	}
	if h.a.has(shellFish) && h.seen.Fish {
		file(fishFile, fish(h.settings(), h.a.Direnv), []string{"/etc/fish", path.Dir(fishFile)}, whyFish())
	}
	if h.a.Direnv {
		file(direnvFile, direnvLib(), []string{goroot.Top, path.Dir(direnvDir), direnvDir}, whyDirenv())
	}
	return out
}

func whyProfile() lang.Text {
	return lang.T(
		"Login shells find Go and its defaults. What the environment or `go env -w` says already stays.\nSource: go help environment, https://go.dev/doc/toolchain\nRisk: every login shell reads it; it starts no program and is right with set -eu.",
		"让登录 shell 能找到 Go 及其默认设置；环境变量或 `go env -w` 中已有的值保持不变。\n依据：go help environment、https://go.dev/doc/toolchain\n风险：每个登录 shell 都会读取；文件不启动任何程序，在 set -eu 下也能正常工作。")
}

func whyBlock(shell string) lang.Text {
	return lang.F(
		"%s does not read /etc/profile.d in every shell it starts; these lines have it do so.\nSource: %[1]s(1), the files it reads\nRisk: none of its own; undo takes out these lines and nothing else.",
		"%s 并非每次启动都读取 /etc/profile.d；加入这几行后即会读取。\n依据：%[1]s(1) 中关于启动文件的说明\n风险：本身没有；撤销时只删除这几行。", shell)
}

func whyFish() lang.Text {
	return lang.T(
		"fish reads no /etc/profile; this says the same in its language.\nSource: fish(1), configuration files\nRisk: every fish reads it; it starts no program.",
		"fish 不读取 /etc/profile；此文件以 fish 的语法写出同样的设置。\n依据：fish(1) 中关于配置文件的说明\n风险：每个 fish 都会读取；文件不启动任何程序。")
}

func whyDirenv() lang.Text {
	return lang.T(
		"A project's .envrc may say `use goxin`, and Go follows its .go-version or go.mod.\nSource: direnv-stdlib(1)\nRisk: direnv runs only those .envrc files that somebody allowed.",
		"项目的 .envrc 可写 `use goxin`，Go 便随 .go-version 或 go.mod 切换。\n依据：direnv-stdlib(1)\n风险：direnv 只执行经过允许的 .envrc。")
}
