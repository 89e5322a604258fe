package mirror

import (
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/repo"
)

// aptMirrors is where apt's mirror lists are kept (apt-transport-mirror(1) leaves
// the place to us).
const aptMirrors = "/etc/apt/mirrors"

// Ops are the files of package sources as they should be.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	return hs.Ops(func(id machine.ID) ([]engine.Op, error) {
		s, err := SeenOn(sv, id)
		if err != nil {
			return nil, err
		}
		p, err := s.plan(a)
		if err != nil {
			return nil, err
		}
		return p.ops(), nil
	})
}

// plan is what one machine's sources should be.
type plan struct {
	seen    *Seen
	choice  choice
	files   []Source            // those with a repository of the vendor's, as they should be
	lists   map[string][]string // apt mirror lists by file
	order   []string            // their names in order
	moved   []moved
	unmoved []Repo // the chosen site does not have them
	unsafe  []Repo // their signatures are not checked, and the site is not the vendor's
}

// moved is a repository and the URLs it should have.
type moved struct {
	Repo
	entry *repo.Entry
	urls  []string
}

func (s *Seen) plan(a answers) (*plan, error) {
	c, err := s.choose(a)
	if err != nil {
		return nil, err
	}
	p := &plan{seen: s, choice: c, lists: map[string][]string{}}
	if len(c.Sites) == 0 {
		return p, nil
	}
	files, err := s.parsed()
	if err != nil {
		return nil, err
	}
	touched := map[int]bool{}
	for _, r := range s.vendors() {
		if !r.Signed && c.Sites[0].ID != siteOfficial {
			p.unsafe = append(p.unsafe, r)
			continue
		}
		urls := s.urlsOf(r, c.Sites)
		if len(urls) == 0 {
			p.unmoved = append(p.unmoved, r)
			continue
		}
		e := files[r.File].Entries()[r.Entry]
		if err := e.SetURLs(p.written(e, r, urls)...); err != nil {
			return nil, lang.Errorf(err, "cannot edit %s", "无法编辑 %s", op.Visible(e.File))
		}
		p.moved = append(p.moved, moved{r, e, urls})
		touched[r.File] = true
	}
	if len(p.moved) == 0 && len(p.unsafe) > 0 {
		return nil, engine.Refusal{Err: lang.Errorf(nil, "cannot use %s: the signatures of these repositories are not checked (gpgcheck=0)", "无法使用 %s：这些软件仓库未启用签名校验（gpgcheck=0）", s.name(c.Sites[0].ID)).
			WithHint("only the vendor's own site is written then: source: official; or have the signatures checked first", "此时只能写官方源：source: official；或先启用签名校验")}
	}
	for i, f := range files {
		if touched[i] {
			p.files = append(p.files, Source{s.Files[i].Name, f.Bytes(), s.Files[i].Mode})
		}
	}
	return p, nil
}

// urlsOf are a repository's URLs at those of the sites that have it; none where the
// first has not.
func (s *Seen) urlsOf(r Repo, sites []Site) []string {
	var out []string
	for i, site := range sites {
		res, ok := s.result(site.ID)
		serves := !s.Raced || ok && r.Target < len(res.Serves) && res.Serves[r.Target]
		if !serves && i == 0 {
			return nil
		}
		if !serves || !r.Signed && site.ID != siteOfficial {
			continue
		}
		if site.Prefix == "" {
			return r.URLs
		}
		out = append(out, site.Prefix+r.Rest)
	}
	return out
}

// written are the URLs as the entry has them: apt takes several by way of a list.
func (p *plan) written(e *repo.Entry, r Repo, urls []string) []string {
	if e.Format == repo.RPM || len(urls) == 1 {
		return urls
	}
	name := aptMirrors + "/goxin-" + listName(r.Rest) + ".list"
	if _, there := p.lists[name]; !there {
		p.lists[name] = urls
		p.order = append(p.order, name)
	}
	return []string{"mirror+file:" + name}
}

// listName is a file's name made from a path below a site.
func listName(rest string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(strings.Trim(rest, "/")))
}

func (p *plan) ops() []engine.Op {
	var out []engine.Op
	if len(p.order) > 0 {
		out = append(out, &op.Dir{Path: aptMirrors, Mode: 0o755, Owner: machine.RootOwner, Reason: whyList})
	}
	for _, name := range p.order {
		var b strings.Builder
		for i, u := range p.lists[name] {
			b.WriteString(u + "\tpriority:" + string(rune('1'+i)) + "\n")
		}
		out = append(out, &op.File{Path: name, Content: b.String(), Mode: 0o644, Owner: machine.RootOwner, Reason: whyList})
	}
	if len(p.files) > 0 && p.files[0].Name == "/etc/yum.repos.d/goxin.repo" {
		out = append(out, &op.Dir{Path: path.Dir(p.files[0].Name), Mode: 0o755, Owner: machine.RootOwner, Reason: p.reason()})
	}
	for _, f := range p.files {
		out = append(out, &op.File{Path: f.Name, Content: string(f.Content), Mode: op.Mode(f.Mode), Owner: machine.Keep, Reason: p.reason()})
	}
	if p.seen.Manager == "apt" {
		out = append(out, &op.Lists{Reason: whyLists})
	}
	return out
}

var whyList = lang.T("apt goes through the list in order where one does not answer.\nSource: apt-transport-mirror(1)\nRisk: none known; the signature of the package lists is checked whatever the site.",
	"某个源没有响应时，apt 会按列表顺序使用下一个。\n依据：apt-transport-mirror(1)\n风险：暂无已知风险；无论来自哪个站点，软件包列表的签名都会校验。")

var whyLists = lang.T("The steps that follow install what the package lists offer.\nSource: apt-get(8)\nRisk: none; the lists are a cache.",
	"后续步骤按软件包列表安装。\n依据：apt-get(8)\n风险：无；列表只是缓存。")

// reason says which site it is and how it did.
func (p *plan) reason() lang.Text {
	name := p.seen.name(p.choice.Sites[0].ID)
	if !p.seen.Raced {
		return lang.F("Packages come from %s.\nSource: the answers\nRisk: nobody could be asked from here, so it was not seen to serve these repositories.",
			"软件包改从 %s 获取。\n依据：应答文件\n风险：此处无法联网询问，未能确认它提供这些软件仓库。", name)
	}
	b := p.choice.Best
	return lang.F("Packages come from %s: first byte after %s, %s, published %s.\nSource: measured on this machine, with the very repositories it uses\nRisk: a mirror may fall behind later; signatures are checked as before.",
		"软件包改从 %s 获取：首字节 %s，速率 %s，发布于 %s。\n依据：在本机上以其实际使用的软件仓库实测\n风险：镜像以后可能落后；签名校验不变。",
		name, latency(b.FirstByte), rate(b.Rate), published(b.Published))
}
