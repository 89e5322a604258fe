package service

import (
	"slices"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/sandbox"
)

// Questions are asked of the machine the run is about.
func (s Step) Questions(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	a, err := readAnswers(v)
	if err != nil {
		a, _ = readAnswers(engine.Values{KeyBinary: "/"}) // what is wrong is said where it is planned
	}
	id, f := hs.First()
	h, err := newHost(hs, sv, id, a)
	if err != nil {
		h = &host{id, hs.Name(id), id, f, &seen{UserNS: true}, a}
	}
	var out []engine.Question
	for _, f := range s.Fields() {
		if h.skips(f.Key, v) {
			continue
		}
		q := engine.Question{Field: f, Default: f.Default, Why: h.why(f.Key, hs.Order)}
		if f.Key == KeyUser && a.Name != "" {
			q.Default = a.Name
		}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		} else if f.Key == KeyDetails {
			q.Default = detailed(v)
		}
		out = append(out, q)
	}
	return out
}

// skips are the questions that have no answer here.
func (h *host) skips(key string, v engine.Values) bool {
	port := v.Number(KeyPort, 8080) > 0
	nodes := h.facts.CPU.NUMA
	if slices.Contains(details(), key) && !v.Bool(KeyDetails, detailed(v)) {
		return true
	}
	switch key {
	case KeyModule:
		return v.Text(KeyBinary, "") != ""
	case KeyHealth, KeyOpenPort:
		return !port
	case KeyNUMA:
		return !nodes.Known || nodes.Value < 2
	case KeyBurst, KeyWindow:
		return v.Text(KeyRestart, onErr) == "no"
	}
	return false
}

// details are the questions that most services have no answer of their own to.
func details() []string {
	return []string{KeyDescription, KeyUser, KeyType, KeyEnvironment, KeySecrets, KeyCPUQuota, KeyNoFile, KeyRestart, KeyBurst, KeyWindow, KeyNUMA}
}

// detailed says whether one of them has been answered.
func detailed(v engine.Values) bool {
	return slices.ContainsFunc(details(), func(key string) bool { _, said := v[key]; return said })
}

func (h *host) why(key string, all []machine.ID) lang.Text {
	switch key {
	case KeyName:
		return lang.T("Short and of small letters: it becomes a file name and an account.", "宜短且用小写：会成为文件名与账户名。")
	case KeyBinary:
		switch {
		case !h.seen.Problem.Empty():
			return op.VisibleText(h.seen.Problem)
		case h.seen.Go != "":
			return lang.F("Built with %s for %s.", "由 %s 构建，面向 %s。", h.seen.Go, h.seen.Arch)
		case len(all) > 1:
			return lang.T("On a pair with two kinds of processor, name a path with {arch} in it.", "若两台机器处理器不同，请在路径中使用 {arch}。")
		}
		return lang.T("What go build made; copied, so that nobody but root can change what runs.", "即 go build 的产物；会复制一份，使运行的程序只有 root 能修改。")
	case KeyModule:
		if h.seen.After != "" {
			return lang.T("There is no Go to build it with yet.", "目前还没有可用于构建的 Go。")
		}
		return lang.T("Only where there is no program yet.", "仅在还没有程序时填写。")
	case KeyDetails:
		return lang.T("No, for a usual service.", "一般服务无需调整。")
	case KeyArgs, KeyDescription, KeyEnvironment:
		return lang.T("As the program wants it.", "按程序需要填写。")
	case KeyUser:
		return lang.T("One account for one service: what it does and may do is its own.", "一个服务一个账户：行为与权限互不混淆。")
	case KeyPort:
		return lang.T("It is asked whether it answers there before the step is done.", "步骤完成前会确认该端口有响应。")
	case KeyHealth:
		return lang.T("A program can listen and be unwell; nginx and keepalived can ask the same path.", "能监听不代表正常；nginx 与 keepalived 也可检查同一路径。")
	case KeyOpenPort:
		return lang.T("No, unless clients come straight to it.", "除非客户端直接访问，否则不需要。")
	case KeyType:
		return h.whyType()
	case KeySecrets:
		return lang.T("Passwords and keys belong there and nowhere else.", "密码与密钥只应放在这里。")
	case KeyDirectories:
		return lang.T("None, if all that it keeps is in a database.", "若数据都在数据库中，则不需要。")
	case KeyMemoryMax:
		if t := h.facts.Memory.Total; t.Known {
			return lang.F("The machine has %d MiB.", "本机内存 %d MiB。", t.Value>>20)
		}
		return lang.T("How much memory the machine has is not known.", "无法得知本机内存大小。")
	case KeyCPUQuota:
		if n := h.facts.CPU.Logical; n.Known {
			return lang.F("The machine has %d CPUs; a quota is for machines that are shared.", "本机有 %d 个 CPU；配额适用于多服务共用的机器。", n.Value)
		}
		return lang.T("A quota is for machines that are shared.", "配额适用于多服务共用的机器。")
	case KeyNoFile:
		return lang.T("Each connection is an open file; systemd's own soft limit is 1024.", "每个连接占一个文件描述符；systemd 默认软限制仅 1024。")
	case KeyRestart, KeyBurst, KeyWindow:
		return lang.T("Five starts within a minute are no accident: then it stays down and is seen.", "一分钟内启动五次已非偶然：此后保持停止，便于发现。")
	case KeyNUMA:
		return lang.F("This machine has %d nodes.", "本机有 %d 个节点。", h.facts.CPU.NUMA.Value)
	case KeyHarden:
		return h.whyHarden()
	}
	return lang.Text{}
}

func (h *host) whyType() lang.Text {
	switch {
	case h.seen.SHA256 == "":
		return lang.T("The program is looked at once it is named.", "指定程序后会进行检查。")
	case h.seen.Notifies:
		return lang.T("The program knows $NOTIFY_SOCKET.", "程序中含有 $NOTIFY_SOCKET。")
	}
	return lang.T("The program does not know $NOTIFY_SOCKET.", "程序中没有 $NOTIFY_SOCKET。")
}

func (h *host) whyHarden() lang.Text {
	if !h.facts.Init.Version.Known {
		return lang.T("Which systemd this machine has is not known.", "无法得知本机 systemd 版本。")
	}
	lines, skipped := h.lines(sandbox.Strict)
	return lang.F("systemd %d takes %d of %d lines on this processor.", "本机 systemd %d 在此处理器上支持 %[3]d 项中的 %[2]d 项。", h.systemd(), len(lines), len(lines)+len(skipped))
}
