package clock

import (
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Questions are asked of the machine the run is about.
func (s Step) Questions(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	id, f := hs.First()
	h, err := newHost(hs, sv, id)
	if err != nil {
		h = &host{id: id, facts: f, seen: &Seen{}}
	}
	if h.container() {
		return nil // the clock is the host's
	}
	a, err := readAnswers(v)
	if err != nil {
		a, _ = readAnswers(nil) // what is wrong is said where it is planned
	}
	name := h.chosen(a)
	fields := map[string]engine.Field{}
	for _, f := range s.Fields() {
		fields[f.Key] = f
	}
	var out []engine.Question
	for _, key := range []string{keyService, keyServers, keyStep, keyWait} {
		q := engine.Question{Field: fields[key], Default: fields[key].Default}
		switch key {
		case keyService:
			q.Why = h.whyService()
		case keyServers:
			if name == "" || name == ntpd {
				continue
			}
			q.Default, q.Why = h.servers(name)
		case keyStep:
			if behind, known := h.behind(); known {
				q.Why = lang.F("Here the clock is %s.", "本机时钟%s。", away(behind))
				if behind.Abs() < 2e9 {
					q.Why = lang.T("Here the clock is right to a second.", "本机时钟误差在 1 秒以内。")
				}
			} else {
				q.Why = lang.T("How far this clock is off could not be seen; nothing is set without that.", "无法得知本机时钟的偏差；此时不会校正。")
			}
		case keyWait:
			if name == "" && h.inUse() == "" {
				continue
			}
			q.Why = lang.F("%d seconds are enough where the servers answer. Without any, say 0.", "服务器可达时 %d 秒足够；没有时间服务器请填 0。", defaultWait)
		}
		if was, answered := v[key]; answered {
			q.Default = was
		}
		out = append(out, q)
	}
	return out
}

func (h *host) whyService() lang.Text {
	name := h.inUse()
	switch {
	case name != "":
		s := h.seen.Services[name]
		if s.Running {
			return lang.F("%s runs here.", "本机正在运行 %s。", s.Unit)
		}
		return lang.F("%s is enabled here.", "本机已启用 %s。", s.Unit)
	case h.masked() != "":
		return lang.F("%s is masked here, and stays so unless it is named.", "本机的 %s 已被屏蔽；除非点名选它，否则保持不变。", h.seen.Services[h.masked()].Unit)
	}
	a, _ := readAnswers(nil)
	s, installed := h.found(h.chosen(a))
	if installed {
		return lang.F("No time service is on; %s is installed.", "没有启用校时服务；已安装 %s。", s.Unit)
	}
	return lang.T("No time service is installed; chrony would be.", "没有安装校时服务；将安装 chrony。")
}

// servers are those to offer for a service, and why.
func (h *host) servers(name string) (any, lang.Text) {
	s, _ := h.found(name)
	if list := s.configured(); len(list) > 0 {
		return list, lang.F("They are configured now, in %s.", "目前已配置，见 %s。", op.Visible(s.Sources[0].File))
	}
	switch {
	case len(s.Sources) > 0:
		return []string(nil), lang.F("A reference clock is configured in %s; it stays.", "%s 中配置了参考时钟，保持不变。", op.Visible(s.Sources[0].File))
	case name == timesyncd:
		return []string(nil), lang.T("None is configured: the servers built into systemd-timesyncd are asked, which the distribution chose.", "没有配置服务器：使用 systemd-timesyncd 内置的、由发行版选定的服务器。")
	}
	list := publicServers()
	return list, lang.F("None is configured. %s are public servers in China (Alibaba Cloud, Tencent Cloud, NTP pool).", "没有配置服务器。%s 是国内的公共服务器（阿里云、腾讯云、NTP pool）。", strings.Join(list, ", "))
}
