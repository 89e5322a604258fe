package toolchain

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/race"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// The formats and kinds of sites, as the ops and the catalogue call them.
const (
	formatTar   = unpack.TarGz
	formatZip   = unpack.Zip
	kindArchive = "archive"
	kindProxy   = "goproxy"
)

// most is how many sites a toolchain's bytes may come from, one after another.
const most = 5

// url is where a site has what w comes from.
func (s Site) url(w Wanted) string {
	switch {
	case s.Kind == kindProxy:
		return s.URL + "/" + moduleDir + "/" + w.Module.ModuleVersion() + ".zip"
	case w.Build != nil:
		return s.URL + "/" + w.Version + ".src.tar.gz"
	}
	return s.URL + "/" + w.Module.Archive()
}

func (s Site) format() string {
	if s.Kind == kindProxy {
		return formatZip
	}
	return formatTar
}

// fits says whether what a site has of w can be proved: a module only by the log, and
// of a source archive the log knows nothing.
func (s Site) fits(w Wanted) bool {
	if s.Kind == kindProxy {
		return w.H1 != ""
	}
	return w.Build == nil || w.SHA256 != ""
}

// sites are those of the catalogue and the proxies of the answers, or the one that was
// given, which may be a mirror of archives or a proxy: the race tells.
func (l *looker) sites() []Site {
	if isURL(l.a.Source) {
		name := lang.Same(host(l.a.Source))
		return []Site{{ID: "archive", Name: name, Kind: kindArchive, URL: l.a.Source}, {ID: "goproxy", Name: name, Kind: kindProxy, URL: l.a.Source}}
	}
	var out []Site
	for _, p := range l.seen.Proxies {
		if !slices.ContainsFunc(l.cat.Sources, func(s golang.Source) bool { return s.URL == p.URL }) {
			out = append(out, Site{ID: p.URL, Name: lang.Same(host(p.URL)), Kind: kindProxy, URL: p.URL})
		}
	}
	for _, s := range l.cat.Sources {
		out = append(out, Site{ID: s.ID, Name: s.Name, Kind: s.Kind, URL: s.URL, Official: s.Official})
	}
	return out
}

func host(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	h, _, _ := strings.Cut(rest, "/")
	return h
}

// race finds out who has the first of the toolchains that are to come quickest, and
// gives all of them their sources in that order.
func (l *looker) race(ctx context.Context) error {
	var first *Wanted
	for i := range l.seen.Wanted {
		w := &l.seen.Wanted[i]
		if w.Trouble != nil || w.Adopted || len(w.Sources) > 0 {
			continue
		}
		if w.H1 == "" && w.SHA256 == "" {
			continue // it is there, and nothing proves it: it is left alone
		}
		if l.shelf != nil { // what is there and was not brought again
			continue
		}
		if !w.There && first == nil {
			first = w
		}
	}
	l.seen.Sites = l.sites()
	if l.shelf != nil {
		l.seen.Sites = nil
		return nil
	}
	if first != nil && !l.seen.Asked {
		l.stranded()
		return nil
	}
	if first != nil {
		if err := l.compare(ctx, *first); err != nil {
			return err
		}
	}
	for i := range l.seen.Wanted {
		if w := &l.seen.Wanted[i]; w.Trouble == nil && !w.Adopted && (w.Build != nil || !oldWorld(l.facts)) {
			l.assign(w)
			l.sign(ctx, w)
		}
	}
	return ctx.Err()
}

// stranded says of what is not there that nobody can bring it.
func (l *looker) stranded() {
	for i := range l.seen.Wanted {
		w := &l.seen.Wanted[i]
		if w.Trouble == nil && !w.There {
			w.Trouble = trouble(lang.Errorf(nil, "cannot fetch %s: there is no network to ask here", "无法下载 %s：此处没有网络", w.Version).
				WithHint("put %s in a directory of this tree and say where: source: DIR", "请把 %s 放入本系统树的一个目录并指明：source: 目录", w.Module.Archive()))
		}
	}
}

func (l *looker) compare(ctx context.Context, w Wanted) error {
	var all []race.Object
	for _, s := range l.seen.Sites {
		if s.fits(w) {
			o := race.Object{ID: s.ID, Name: s.Name, URL: s.url(w), Official: s.Official, Magic: race.MagicGzip}
			if s.Kind == kindProxy {
				o.Magic = race.MagicZip
			}
			all = append(all, o)
		}
	}
	rep, err := l.ask.Race(ctx, l.m, all, race.Limits{}, func(rs []race.Result) { l.say(l.progress(w, rs)) })
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return lang.Errorf(err, "cannot compare the sites that have %s", "无法比较提供 %s 的站点", w.Version)
	}
	l.seen.Race = rep
	return nil
}

// assign gives w the sites that have it, the quickest first, all of the format that
// the quickest has.
func (l *looker) assign(w *Wanted) {
	order := l.seen.Sites
	if l.raced() {
		order = nil
		for _, r := range l.seen.Race.Results { // best first
			if s, ok := l.seen.site(r.ID); ok && r.Usable {
				order = append(order, s)
			}
		}
	}
	for _, s := range order {
		if !s.fits(*w) || w.Format != "" && s.format() != w.Format || len(w.Sources) == most {
			continue
		}
		w.Format = s.format()
		w.Sources = append(w.Sources, s.url(*w))
	}
	if file, ok := l.cat.Find(w.Module.Version, w.Module.OS, w.Module.Arch); ok && w.Format == formatZip {
		w.Size = file.Module
	}
	if w.Build != nil && w.Format == formatTar {
		w.H1, w.Proof, w.Evidence = "", "", nil // of the source archive the log knows nothing
		w.Dir = l.dir(w)
	}
	if len(w.Sources) == 0 && !w.There {
		w.Trouble = l.nobody(*w)
	}
}

func (l *looker) raced() bool { return len(l.seen.Race.Results) > 0 }

func (s *Seen) site(id string) (Site, bool) {
	i := slices.IndexFunc(s.Sites, func(c Site) bool { return c.ID == id })
	if i < 0 {
		return Site{}, false
	}
	return s.Sites[i], true
}

// nobody says that no site has w, and of each why.
func (l *looker) nobody(w Wanted) *Trouble {
	var reasons []lang.Text
	names := map[lang.Text][]lang.Text{}
	for _, r := range l.seen.Race.Results {
		s, _ := l.seen.site(r.ID)
		why := r.Text()
		if why.Empty() {
			why = lang.T("no answer", "无响应")
		}
		if len(names[why]) == 0 {
			reasons = append(reasons, why)
		}
		if !slices.Contains(names[why], s.Name) {
			names[why] = append(names[why], s.Name)
		}
	}
	var en, zh []string
	for _, why := range reasons {
		who := joined(names[why])
		en, zh = append(en, who.EN+": "+why.EN), append(zh, who.ZH+"："+why.ZH)
	}
	err := lang.Errorf(nil, "cannot fetch %s: no site has it for this machine (%s)", "无法下载 %s：没有可用的站点（%s）", w.Version,
		lang.T(strings.Join(en, "; "), strings.Join(zh, "；")))
	if l.seen.cutOff() {
		return trouble(err.WithHint("this machine reaches none of them: is the network up, DNS right, the proxy set (https_proxy)? Without a network bring %s in a directory: source: DIR",
			"本机无法连接任何站点：请检查网络、DNS 与代理（https_proxy）；没有网络时，把 %s 放入一个目录：source: 目录", w.Module.Archive()))
	}
	return trouble(err.WithHint("name a mirror or GOPROXY that you reach (source: https://…), or bring %s in a directory: source: DIR",
		"请指定可访问的镜像或 GOPROXY（source: https://…），或把 %s 放入一个目录：source: 目录", w.Module.Archive()))
}

// cutOff says that the machine reached none of the sites.
func (s *Seen) cutOff() bool {
	for _, r := range s.Race.Results {
		if r.Why != race.Dead && r.Why != race.NoName {
			return false
		}
	}
	return len(s.Race.Results) > 0
}

// sign fetches the detached signature that lies beside an archive. It is evidence to
// come: without it, the others do. One that is wrong would have every archive refused,
// so that no mirror's word is taken for it alone: it is the official site's, or two
// have the same.
func (l *looker) sign(ctx context.Context, w *Wanted) {
	if w.Format != formatTar || !l.seen.Asked || w.There {
		return
	}
	var first []byte
	for _, u := range w.Sources {
		within, cancel := context.WithTimeout(ctx, patience)
		sig, err := l.ask.Get(within, l.m, u+".asc", verify.MaxSignature)
		cancel()
		switch {
		case err != nil || !strings.HasPrefix(string(sig), "-----BEGIN PGP SIGNATURE-----"):
		case l.official(u), bytes.Equal(first, sig):
			w.Signature = sig
			return
		case first == nil:
			first = sig
		}
	}
}

// official says whether an address is below a site of the Go project.
func (l *looker) official(address string) bool {
	return slices.ContainsFunc(l.seen.Sites, func(s Site) bool {
		return s.Official && strings.HasPrefix(s.URL, "https://") && strings.HasPrefix(address, s.URL+"/")
	})
}

// Columns of the table of sites.
func columns() []engine.Column {
	return []engine.Column{
		{Title: lang.T("site", "站点")},
		{Title: lang.T("form", "形式")},
		{Title: lang.T("first byte", "首字节"), Right: true},
		{Title: lang.T("rate", "速率"), Right: true},
		{Title: lang.T("verdict", "结论")},
	}
}

// Table is how the sites stand.
func (s *Seen) Table(rs []race.Result, over bool) *engine.Table {
	t := &engine.Table{Columns: columns()}
	for i, r := range rs {
		site, _ := s.site(r.ID)
		form := lang.T("archive", "安装包")
		if site.Kind == kindProxy {
			form = lang.T("module", "模块")
		}
		row := engine.TableRow{Key: r.ID, Cells: []lang.Text{site.Name, form, latency(r), rate(r.Rate), r.Brief()}}
		switch {
		case r.Usable && i == 0 && over:
			row.Mark, row.Cells[4] = engine.Best, lang.T("the best", "最优")
		case r.Usable:
			row.Mark = engine.Good
		case r.Why != "":
			row.Mark = engine.Unusable
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (l *looker) progress(w Wanted, rs []race.Result) engine.Progress {
	known := 0
	for _, r := range rs {
		if r.Usable || r.Why != "" {
			known++
		}
	}
	return engine.Progress{
		Text:  lang.F("comparing %d sites that may have %s, %d known", "正在比较可能提供 %[2]s 的 %[1]d 个站点，已知 %[3]d 个", len(rs), w.Version, known),
		Table: l.seen.Table(rs, false),
	}
}

func rate(r float64) lang.Text {
	switch {
	case r <= 0:
		return lang.Same("—")
	case r >= 10e6:
		return lang.Same(fmt.Sprintf("%.0f MB/s", r/1e6))
	case r >= 1e6:
		return lang.Same(fmt.Sprintf("%.1f MB/s", r/1e6))
	}
	return lang.Same(fmt.Sprintf("%.0f kB/s", r/1e3))
}

func latency(r race.Result) lang.Text {
	if r.FirstByte <= 0 {
		return lang.Same("—")
	}
	return lang.Same(fmt.Sprintf("%d ms", max(r.FirstByte.Milliseconds(), 1)))
}

// name is what a source is called: its host, or the file.
func name(source string) string {
	if isURL(source) {
		return host(source)
	}
	return path.Base(source)
}
