package mirror

import (
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/race"
)

// Why a repository is left alone.
const (
	whyProduct  = "product"  // the catalogue does not know this system
	whySource   = "source"   // source packages
	whyForeign  = "foreign"  // not the vendor's
	whyUnsigned = "unsigned" // its signatures are not checked
	whyVariable = "variable" // its URL has a variable nobody here can fill in
)

// Notes are what was chosen and why, and what was left alone and why.
func (Step) Notes(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	return hs.Notes(func(id machine.ID) ([]engine.Note, error) {
		s, err := SeenOn(sv, id)
		if err != nil {
			return nil, err
		}
		return s.notes(a, hs.Facts[id].Running), nil
	})
}

func (s *Seen) notes(a answers, running bool) []engine.Note {
	var out []engine.Note
	note := func(warn bool, t lang.Text) { out = append(out, engine.Note{Warn: warn, Text: t}) }
	for _, u := range s.Unread {
		note(true, lang.F("cannot read %s (%s): what it says is left as it is.", "无法读取 %s（%s）：其内容保持不变。", op.Visible(u.File), u.Why))
	}
	switch {
	case s.Manager == "":
		note(true, lang.T("neither dnf nor apt is here: there are no sources to choose.", "这里既没有 dnf 也没有 apt：没有可选择的软件源。"))
	case s.Product == "":
		note(true, lang.T("the catalogue does not know this system: its sources stay as they are. A catalogue of your own can be given.", "目录中没有该系统：软件源保持不变。可以提供自有的镜像目录。"))
	case len(s.Repos) == 0:
		note(true, lang.T("no package source is enabled, and none can be made up: the vendor's key or its repositories are not known here.", "没有启用任何软件源，也无法代为生成：此处没有厂商公钥，或不了解其软件仓库。"))
	}
	p, err := s.plan(a)
	if err != nil {
		return out
	}
	s.noteChoice(a, p, running, note)
	for _, r := range p.unmoved {
		note(true, lang.F("%s stays where it is: %s does not have it.", "%s 保持不变：%s 未提供该仓库。", op.Visible(r.ID), s.name(p.choice.Sites[0].ID)))
	}
	for _, r := range p.unsafe {
		note(true, lang.F("%s stays where it is: its signatures are not checked, so only the vendor's own site is written.", "%s 保持不变：未启用签名校验，因此只写官方源。", op.Visible(r.ID)))
	}
	s.noteLeft(note)
	if len(p.moved) > 0 && p.choice.Sites[0].Plain {
		note(false, lang.T("this machine trusts no certificate authority yet, so http:// is written; signatures vouch for what comes.", "本机尚无可信的证书机构，因此写 http://；内容由签名保证。"))
	}
	return out
}

func (s *Seen) noteChoice(a answers, p *plan, running bool, note func(bool, lang.Text)) {
	switch {
	case a.Source == sourceKeep:
		note(false, lang.T("the sources stay; the package lists are read anew.", "软件源保持不变；仅刷新软件包列表。"))
	case len(s.vendors()) == 0:
	case !s.Raced && a.Source == sourceFastest:
		note(false, lang.T("nobody can be asked from here, so the sources stay. Give a mirror of the catalogue or a URL to have it written.", "此处无法联网询问，软件源保持不变。可指定目录中的镜像或网址，由 goxin 写入。"))
	case s.Raced && len(p.choice.Sites) > 0:
		b := p.choice.Best
		note(false, lang.F("%s: %s, first byte after %s, published %s; %s.", "%s：%s，首字节 %s，发布于 %s；%s。", s.name(b.ID), rate(b.Rate), latency(b.FirstByte), published(b.Published), signed(b.Signed)))
		if b.Why == race.Stale {
			note(true, lang.F("%s is %s: what was fixed since is not there.", "%s %s：此后的修复尚未同步。", s.name(b.ID), b.Text()))
		}
		for _, r := range s.Race.Results {
			ours := r.ID == siteOfficial || r.ID == sitePresent
			if r.ID != b.ID && (ours || r.Usable && r.Rate > b.Rate && s.signed()) {
				note(false, lang.F("not %s: %s.", "未选 %s：%s。", s.name(r.ID), r.Text()))
			}
		}
	}
}

// signed says what is known of the signature of a site's package lists.
func signed(how string) lang.Text {
	if how == "" {
		return lang.T("its signature was not judged", "其签名未判定")
	}
	return lang.T("properly signed", "签名有效")
}

// noteLeft names the repositories that are left alone, those of a reason together.
func (s *Seen) noteLeft(note func(bool, lang.Text)) {
	ids := map[string][]string{}
	for _, r := range s.Repos {
		if r.Why != "" {
			ids[r.Why] = append(ids[r.Why], op.Visible(r.ID))
		}
	}
	for _, w := range []struct {
		why  string
		warn bool
		en   string
		zh   string
	}{
		{whyForeign, false, "left alone, since they are not the vendor's: %s.", "保持不变（不是厂商的软件仓库）：%s。"},
		{whyUnsigned, true, "left alone, since their signatures are not checked (gpgcheck=0, trusted=yes): %s. Switch that on first.", "保持不变（未启用签名校验：gpgcheck=0 或 trusted=yes）：%s。请先启用签名校验。"},
		{whyVariable, true, "left alone, since their URLs hold a variable that cannot be filled in here: %s.", "保持不变（网址中含有此处无法求值的变量）：%s。"},
		{whySource, false, "left alone, since they are source packages: %s.", "保持不变（源码包仓库）：%s。"},
	} {
		if list := ids[w.why]; len(list) > 0 {
			note(w.warn, lang.F(w.en, w.zh, strings.Join(list, ", ")))
		}
	}
}
