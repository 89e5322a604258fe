package environment

import (
	"fmt"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// most is how many lines of others are told one by one.
const most = 12

// Notes are the lines of others that win, or would break things, and what the shells
// do not get.
func (Step) Notes(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	return hs.Notes(func(id machine.ID) ([]engine.Note, error) {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil, err
		}
		return h.notes(), nil
	})
}

func (h *host) notes() []engine.Note {
	var out []engine.Note
	say := func(warn bool, t lang.Text) { out = append(out, engine.Note{Warn: warn, Text: t}) }
	if h.seen.Unread {
		say(true, lang.T("/etc/profile does not read /etc/profile.d: login shells will not find Go. Add to it: `for f in /etc/profile.d/*.sh; do . \"$f\"; done`",
			"/etc/profile 不读取 /etc/profile.d：登录 shell 找不到 Go。请在其中加入：`for f in /etc/profile.d/*.sh; do . \"$f\"; done`"))
	}
	var told, more int
	for _, r := range h.seen.Rivals {
		warn, t := h.rival(r)
		switch {
		case t.Empty():
		case told == most:
			more++
		default:
			told++
			say(warn, t)
		}
	}
	if more > 0 {
		say(true, lang.F("and %d more lines of this kind.", "此类设置另有 %d 行。", more))
	}
	if h.a.has(shellBash) && h.seen.BashReads {
		say(false, lang.F("bash needs no lines of its own: %s reads /etc/profile.d.", "bash 无需另加配置：%s 会读取 /etc/profile.d。", h.seen.Bash))
	}
	if h.a.Toolchain == toolchainAuto {
		say(true, lang.T("GOTOOLCHAIN=auto: whatever Go version a go.mod names is downloaded and run, checked by the checksum database alone.", "GOTOOLCHAIN=auto：任何 go.mod 写明的 Go 版本都会被下载并运行，仅由校验和数据库核对。"))
	}
	if h.a.SumDB == "off" {
		say(true, lang.T("GOSUMDB=off: a proxy may hand out changed modules, and nobody will notice.", "GOSUMDB=off：代理提供被篡改的模块时无从察觉。"))
	}
	if h.a.Direnv && !h.seen.Direnv {
		say(true, lang.T("direnv is not installed: install it with the package manager, where it has it; the hook then works in new shells.", "未安装 direnv：若软件源中有，请用包管理器安装；之后新开的 shell 中钩子即生效。"))
	}
	if h.a.Direnv {
		say(false, lang.F("in a project's .envrc: source %s, then use goxin; then once: direnv allow.", "在项目的 .envrc 中写 source %s 和 use goxin，再执行一次 direnv allow。", direnvFile))
	}
	say(false, lang.T("sudo and services do not read these files: name the program there, /usr/local/goxin/go/current/bin/go.", "sudo 与服务不读取这些文件：请在其中写完整路径 /usr/local/goxin/go/current/bin/go。"))
	return out
}

// rival tells of a line of somebody else's; empty where it changes nothing.
func (h *host) rival(r rival) (warn bool, t lang.Text) {
	at, value := op.Visible(fmt.Sprintf("%s:%d", r.File, r.Line)), op.Visible(r.Value)
	switch r.Name {
	case "PATH":
		if r.Late {
			return true, lang.F("%s puts another Go first into PATH, after goxin's file: that one will run. Take it out: %s", "%s 在 goxin 的文件之后把另一个 Go 放到 PATH 最前，运行的将是它。请删除：%s", at, value)
		}
		return false, lang.Text{}
	case "GOROOT":
		if r.Late {
			return true, lang.F("%s sets GOROOT to %s: every Go would take its files from there and builds fail as soon as the versions differ. Take it out: Go finds its own files.", "%s 把 GOROOT 设为 %s：所有 Go 都会从那里取文件，版本不同就会编译失败。请删除，Go 能自行找到所需文件。", at, value)
		}
		return false, lang.F("%s sets GOROOT to %s; goxin's file takes that back, since Go finds its own files.", "%s 把 GOROOT 设为 %s；goxin 的文件会将其取消，因为 Go 能自行找到所需文件。", at, value)
	case "GO111MODULE":
		if r.Value == "off" {
			return true, lang.F("%s sets GO111MODULE to off: go.mod is not read at all, nor the Go version in it.", "%s 把 GO111MODULE 设为 off：完全不读取 go.mod，包括其中的 Go 版本。", at)
		}
		return false, lang.Text{}
	case "GONOSUMDB", "GONOSUMCHECK", "GOINSECURE":
		return true, lang.F("%s sets %s to %s: such modules are taken unchecked.", "%s 把 %s 设为 %s：这些模块不经校验即被采用。", at, r.Name, value)
	case "GOFLAGS":
		if strings.Contains(r.Value, "-insecure") || strings.Contains(r.Value, "-mod=mod") {
			return true, lang.F("%s sets GOFLAGS to %s, for every build.", "%s 把 GOFLAGS 设为 %s，对所有构建生效。", at, value)
		}
		return false, lang.Text{}
	}
	for _, s := range h.settings() {
		if s.name != r.Name || s.value == r.Value {
			continue
		}
		if r.Own {
			return true, lang.F("%s sets %s to %s, by go env -w: that stays in force for this person, and outlives every Go. If nobody wants it: go env -u %[2]s", "%s 通过 go env -w 把 %s 设为 %s：对该用户继续有效，换了 Go 也不会清除。若已不需要：go env -u %[2]s", at, r.Name, value)
		}
		return true, lang.F("%s sets %s to %s, and that stays in force instead of %s.", "%s 把 %s 设为 %s，仍以它为准，而不是 %s。", at, r.Name, value, s.value)
	}
	return false, lang.Text{}
}
