package environment

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Questions are asked of the machine the run is about.
func (s Step) Questions(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	a, err := readAnswers(v)
	if err != nil {
		a, _ = readAnswers(nil) // what is wrong is said where it is planned
	}
	id, f := hs.First()
	h, err := newHost(hs, sv, id, a)
	if err != nil {
		h = &host{id, f, &seen{}, a}
	}
	var out []engine.Question
	for _, f := range s.Fields() {
		q := engine.Question{Field: f, Default: f.Default}
		if f.Key == keyProxy {
			q.Default = slices.Clone(h.proxies())
		}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		}
		switch f.Key {
		case keyShells:
			q.Why = h.whyShells()
		case keyProxy:
			q.Why = h.whyProxies()
		case keySumDB:
			q.Why = lang.T("It holds the hash of every public module and toolchain, so that no proxy can change one unnoticed.", "其中有每个公开模块与工具链的哈希，代理因此无法暗中改动内容。")
		case keyToolchain:
			q.Why = lang.T("Those installed: goxin has checked each of them, and nothing is downloaded behind anybody's back.", "选“已安装的版本”：每个版本都经 goxin 核验，不会在不知情时下载。")
		case keyPrivate:
			q.Why = lang.T("Empty where everything is public. Otherwise the names of your own modules would go to the proxies and the checksum database.", "全部使用公开模块时留空；否则内部模块名会被发往代理与校验和数据库。")
		case keyDirenv:
			q.Why = lang.T("direnv is installed here.", "本机已安装 direnv。")
			if !h.seen.Direnv {
				q.Why = lang.T("direnv is not installed here; the hook waits for it.", "本机尚未安装 direnv；钩子在安装后才起作用。")
			}
		}
		out = append(out, q)
	}
	return out
}

func (h *host) whyShells() lang.Text {
	var here, not []string
	for _, s := range []struct {
		name  string
		there bool
	}{{shellBash, h.seen.Bash != ""}, {shellZsh, h.seen.Zsh != ""}, {shellFish, h.seen.Fish}} {
		if s.there {
			here = append(here, s.name)
		} else {
			not = append(not, s.name)
		}
	}
	switch {
	case len(here) == 0:
		return lang.T("None of them is here; login shells are set up in any case.", "本机一个也没有；登录 shell 总会配置。")
	case len(not) == 0:
		return lang.T("All are here.", "本机都有。")
	}
	return lang.F("Here: %s; not here: %s.", "本机有：%s；没有：%s。", lang.List(here...), lang.List(not...))
}

func (h *host) whyProxies() lang.Text {
	switch {
	case h.seen.Secret:
		return lang.T("This machine's GOPROXY has a name or password in it and is not taken over: everybody may read the file. Put them into ~/.netrc.", "本机的 GOPROXY 带有用户名或密码，因文件所有人可读而不予采用；请改放在 ~/.netrc 中。")
	case len(h.seen.Proxies) > 0:
		return lang.F("This machine's GOPROXY is %s.", "本机的 GOPROXY 为 %s。", op.Visible(strings.Join(h.seen.Proxies, ",")))
	}
	return lang.T("No GOPROXY is set here. For sites in China goproxy.cn comes first, since proxy.golang.org cannot be counted on there; elsewhere leave out goproxy.cn. Neither is trusted: the checksum database is.",
		"本机未设置 GOPROXY。国内站点优先 goproxy.cn，因为 proxy.golang.org 在国内访问不稳定；在其他地区可去掉 goproxy.cn。代理都无需信任，内容由校验和数据库核对。")
}
