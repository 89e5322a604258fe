package toolchain

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Questions are asked of the machine the run is about: which versions, from where, and
// only where it matters, whether to build, adopt and remove.
func (s Step) Questions(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	id, f := hs.First()
	seen, err := SeenOn(sv, id)
	if err != nil {
		seen = &Seen{}
	}
	var out []engine.Question
	for _, f2 := range s.Fields() {
		q := engine.Question{Field: f2, Default: f2.Default}
		was, answered := v[f2.Key]
		if answered {
			q.Default = was
		}
		ask := true
		switch f2.Key {
		case keyVersions:
			if _, chosen := v[keyHow]; chosen || !oldWorld(f) { // else it is looked up anew once it is
				q.Why = seen.whyVersions()
			}
		case keyUse:
			ask = len(seen.Wanted)+len(seen.Installed) > 1
			q.Options = seen.useOptions()
			if c, ok := seen.current(); ok {
				q.Why = lang.F("%s is in use now; programs that run keep it.", "当前使用 %s；正在运行的程序不受影响。", c.Version)
			}
		case keySource:
			q.Why = seen.whySource()
		case keyHow:
			ask = answered || oldWorld(f)
			if oldWorld(f) {
				q.Why = whyOldWorld()
				if !answered {
					q.Default = howVendor
				}
			}
			q.Options = slices.DeleteFunc(slices.Clone(f2.Options), func(o engine.Option) bool {
				return forOldWorld(o.Value) != oldWorld(f) && o.Value != howAuto && o.Value != was
			})
		case keyAdopt:
			ask = slices.ContainsFunc(seen.Others, func(o Other) bool { return o.Verdict == authentic && o.Arch == seen.Arch })
			for _, o := range seen.Others {
				if o.Verdict == authentic {
					q.Why = lang.F("%s is %s, as the Go project released it.", "%s 是官方发布的 %s。", o.Dir, o.Version)
				}
			}
		case keyRemove, keySelftest:
			ask = answered
		default: // the proxies and the note belong to the file
			ask = answered && f2.Key != keyGave
		}
		if ask || answered && f2.Key != keyGave {
			out = append(out, q)
		}
	}
	return out
}

// useOptions are what is asked for and what is there.
func (s *Seen) useOptions() []engine.Option {
	var out []engine.Option
	add := func(v string, t lang.Text) {
		if v != "" && !slices.ContainsFunc(out, func(o engine.Option) bool { return o.Value == v }) {
			out = append(out, engine.Option{Value: v, Title: t})
		}
	}
	for _, w := range s.Wanted {
		add(strings.TrimPrefix(w.Version, "go"), lang.Same(w.Version))
	}
	for _, i := range s.Installed {
		t := lang.F("%s, installed", "%s（已安装）", i.Version)
		if i.Current {
			t = lang.F("%s, in use", "%s（使用中）", i.Version)
		}
		add(strings.TrimPrefix(i.Version, "go"), t)
	}
	return out
}

func (s *Seen) whyVersions() lang.Text {
	var en, zh []string
	for _, w := range s.Wanted {
		if _, one := wish(w.Asked).release(); !one && w.Version != "" {
			t := lang.F("%s is %s", "%s 为 %s", w.Asked, w.Version)
			en, zh = append(en, t.EN), append(zh, t.ZH)
		}
	}
	for _, i := range s.Installed {
		t := lang.F("%s is there", "已有 %s", i.Version)
		en, zh = append(en, t.EN), append(zh, t.ZH)
	}
	if len(en) == 0 {
		return lang.Text{}
	}
	return lang.T(strings.Join(en, ", ")+".", strings.Join(zh, "，")+"。")
}

func (s *Seen) whySource() lang.Text {
	if len(s.Race.Results) == 0 {
		return lang.Text{}
	}
	if !s.Race.Results[0].Usable {
		if s.cutOff() {
			return lang.F("This machine reaches none of %d sites. Without a network: put the archive in a directory, such as a stick's, and name it here.", "本机无法连接任何站点（共 %d 个）。没有网络时，请把安装包放入一个目录（如 U 盘），并在此填写该目录。", len(s.Race.Results))
		}
		return lang.F("None of %d sites has it for this machine.", "%d 个站点均不可用。", len(s.Race.Results))
	}
	best, _ := s.site(s.Race.Results[0].ID)
	return lang.F("The quickest of %d: %s, %s; compared in %.1f s with %.1f MiB.", "%d 个站点中最快：%s，%s；用时 %.1f 秒，流量 %.1f MiB。",
		len(s.Race.Results), best.Name, rate(s.Race.Results[0].Rate), s.Race.Took.Seconds(), float64(s.Race.Bytes)/(1<<20))
}
