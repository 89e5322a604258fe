package mirror

import (
	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/race"
)

// choice is which sites the repositories are to have, the first of them first.
type choice struct {
	Sites []Site // empty: everything stays
	Best  race.Result
}

// most is how many sites are written: the chosen one and two fallbacks.
const most = 3

// choose takes the best of the candidates, or the one that was asked for if it is
// fit to be written.
func (s *Seen) choose(a answers) (choice, error) {
	if a.Source == sourceKeep || len(s.vendors()) == 0 {
		return choice{}, nil
	}
	if !s.Raced {
		return s.unseen(a)
	}
	best := race.Result{}
	if a.Source == sourceFastest {
		for _, r := range s.Race.Results { // best first
			if s.signed() || r.ID == siteOfficial {
				best = r
				break
			}
		}
		if !best.Usable {
			return choice{}, s.none()
		}
	} else {
		r, ok := s.result(a.Source)
		if !ok {
			return choice{}, s.unknown(a)
		}
		if !r.Usable {
			return choice{}, engine.Refusal{Err: lang.Errorf(nil, "cannot use %s: %s", "无法使用 %s：%s", s.name(a.Source), r.Text()).
				WithHint("`goxin mirrors` shows which can be used; `source: fastest` takes the best", "`goxin mirrors` 显示哪些可用；`source: fastest` 选取其中最优")}
		}
		best = r
	}
	c := choice{Best: best}
	for _, r := range append([]race.Result{best}, s.Race.Results...) {
		site, ok := s.site(r.ID)
		// What the machine uses now has no prefix that others could be put behind.
		if !ok || !r.Usable || r.ID == best.ID && len(c.Sites) > 0 || len(c.Sites) > 0 && (site.Prefix == "" || r.Why == race.Stale) {
			continue
		}
		c.Sites = append(c.Sites, site)
		if !a.Fallbacks || !s.Ordered || site.Prefix == "" || len(c.Sites) == most {
			break
		}
	}
	return c, nil
}

// unseen chooses where nobody could be asked: a tree keeps what it has, unless a
// site is named.
func (s *Seen) unseen(a answers) (choice, error) {
	if a.Source == sourceFastest {
		return choice{}, nil
	}
	site, ok := s.site(a.Source)
	if !ok {
		return choice{}, s.unknown(a)
	}
	return choice{Sites: []Site{site}}, nil
}

func (s *Seen) unknown(a answers) error {
	return lang.Errorf(nil, "cannot use %q: the catalogue has no such mirror for %s", "无法使用 %q：目录中没有适用于 %s 的此镜像", a.Source, s.Product).
		WithHint("`goxin mirrors` shows those there are; any URL can be given too", "`goxin mirrors` 列出可用的镜像；也可直接给出网址")
}

// none says that nobody was fit, and why the vendor's own was not.
func (s *Seen) none() error {
	var why lang.Text
	gated := false
	for _, r := range s.Race.Results {
		if r.ID == siteOfficial {
			why, gated = r.Text(), r.Status == 401 || r.Status == 403
		}
	}
	err := lang.Errorf(nil, "cannot choose a mirror: none of %d is fit, the vendor's own neither (%s)", "无法选择软件源：%d 个候选均不可用，官方源也不可用（%s）", len(s.Race.Results), why)
	if gated {
		return err.WithHint("activate the system first; without a licence, a mirror of your site's can be given: source: https://…", "请先激活系统；没有授权时，可指定本单位的镜像：source: https://…")
	}
	return err.WithHint("look at each one's reason with `goxin mirrors`; is the network up, the proxy set, the clock right? A mirror of your site's can be given as a URL",
		"用 `goxin mirrors` 查看各自原因；检查网络、代理与时钟；也可直接给出本单位镜像的网址")
}

// name is how a candidate is called.
func (s *Seen) name(id string) lang.Text {
	site, ok := s.site(id)
	switch {
	case !ok:
		return lang.Same(id)
	case site.Name.EN == id || id == noScheme(id) && site.Name.Empty():
		return lang.Same(id)
	}
	return site.Name
}

// signed reports whether the signatures of any of the vendor's repositories are
// checked: of others only the vendor's own site is trusted.
func (s *Seen) signed() bool {
	for _, r := range s.vendors() {
		if r.Signed {
			return true
		}
	}
	return false
}
