package toolchain

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/origin"
	"goxin/steps/verify"
)

// How long somebody is waited for: a list that does not come is done without.
const (
	firstByte = 4 * time.Second
	patience  = 8 * time.Second
	maxList   = 4 << 20
)

// Survey looks at the Gos that are there, finds out what the versions that are asked
// for mean, what proves each, and who has it quickest. It changes nothing.
func (s Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	if say == nil {
		say = func(engine.Progress) {}
	}
	ask := s.asker()
	cat, err := ask.Catalogue()
	if err != nil {
		return nil, err
	}
	out := make(survey, len(h.Order))
	for _, id := range h.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		l := looker{ask: ask, cat: cat, m: m, facts: h.Facts[id], a: a, say: say}
		if err := l.look(ctx); err != nil {
			return nil, err
		}
		out[id] = l.seen
	}
	return json.Marshal(out)
}

// looker surveys one machine.
type looker struct {
	ask   Ask
	cat   *golang.Catalogue
	m     machine.Machine
	facts *detect.Facts
	a     answers
	say   func(engine.Progress)
	seen  *Seen
	shelf *shelf // the directory that is the source; nil: none
	heads [][]byte
}

func (l *looker) look(ctx context.Context) (err error) {
	if l.seen, err = Here(l.m); err != nil {
		return err
	}
	l.heads = origin.Heads(l.cat)
	for _, i := range l.seen.Installed {
		l.remember(i.Dir)
	}
	if l.ask.Key != verify.LogKey {
		l.seen.LogKey = l.ask.Key
	}
	if arch := l.facts.Arch.GOARCH; arch.Known {
		l.seen.Arch = arch.Value
	}
	if l.seen.Asked, err = l.ask.Network(ctx, l.m); err != nil {
		return err
	}
	l.proxies()
	if err := l.guard(ctx); err != nil {
		return err
	}
	if err := l.judge(ctx); err != nil {
		return err
	}
	if err := l.distribution(ctx); err != nil {
		return err
	}
	if l.seen.Arch == "" {
		return nil
	}
	if l.a.local() {
		l.shelf = openShelf(l.m, l.a.Source)
	}
	if err := l.list(ctx); err != nil {
		return err
	}
	for _, w := range l.a.Versions {
		if err := l.want(ctx, wish(w)); err != nil {
			return err
		}
	}
	l.room()
	return l.race(ctx)
}

// proxies are the GOPROXYs: those of the answers, of the environment, of the
// catalogue.
func (l *looker) proxies() {
	urls := l.a.Goproxy
	if len(urls) == 0 {
		for _, u := range origin.Proxies(l.m.Getenv("GOPROXY")) {
			if checkProxy(u) != nil {
				l.seen.Secret = l.seen.Secret || strings.Contains(u, "@")
				continue
			}
			urls = append(urls, u)
		}
	}
	if isURL(l.a.Source) && !slices.Contains(urls, l.a.Source) {
		urls = append([]string{l.a.Source}, urls...)
	}
	official := func(url string) bool {
		return slices.ContainsFunc(l.cat.Sources, func(s golang.Source) bool {
			return s.Official && s.Kind == kindProxy && strings.TrimSuffix(url, "/") == s.URL
		})
	}
	for _, u := range urls {
		l.seen.Proxies = append(l.seen.Proxies, Proxy{strings.TrimSuffix(u, "/"), official(u)})
	}
	if len(l.seen.Proxies) > 0 && !isURL(l.a.Source) {
		return
	}
	for _, s := range l.cat.Sources {
		if s.Kind == kindProxy {
			l.seen.Proxies = append(l.seen.Proxies, Proxy{s.URL, s.Official})
		}
	}
}

func (l *looker) proxyURLs() []string {
	out := make([]string, len(l.seen.Proxies))
	for i, p := range l.seen.Proxies {
		out[i] = p.URL
	}
	return out
}

// list finds out which versions there are for this platform: in the directory that is
// the source; else those of the catalogue, and those of a proxy where a version is
// asked for that is not there yet.
func (l *looker) list(ctx context.Context) error {
	if l.shelf != nil {
		l.seen.Known = l.shelf.versions(l.seen.Arch, l.builds())
		return nil
	}
	for _, r := range l.cat.Releases {
		for _, f := range r.Files {
			if f.OS == "linux" && f.Arch == l.seen.Arch {
				l.seen.Known = append(l.seen.Known, r.Version)
			}
		}
	}
	if !l.seen.Asked || !slices.ContainsFunc(l.a.Versions, l.open) {
		return nil
	}
	l.say(engine.Say(lang.T("asking which releases of Go there are", "正在查询有哪些 Go 版本")))
	var first error
	for _, p := range l.seen.Proxies {
		found, err := l.listOf(ctx, p.URL)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil && len(found) > 0 {
			l.seen.Known = append(l.seen.Known, found...)
			return nil
		}
		if first == nil && err != nil {
			first = lang.Errorf(err, "%s", "%s", p.URL)
		}
	}
	if first != nil {
		l.seen.Silent = lang.T(lang.Message(first, lang.EN), lang.Message(first, lang.ZH))
	}
	return nil
}

// open says whether a version is not known to be there: latest and lines never are.
func (l *looker) open(w string) bool {
	v, one := wish(w).release()
	if !one {
		return true
	}
	_, there := l.seen.installed(v, l.builds())
	return !there && !slices.Contains(l.seen.Known, v)
}

func (l *looker) listOf(ctx context.Context, proxy string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := l.ask.Get(ctx, l.m, proxy+"/"+verify.ToolchainModule+"/@v/list", maxList)
	if err != nil {
		return nil, err
	}
	return versionsIn(text, l.seen.Arch), nil
}

// versionsIn reads a proxy's list of the toolchain module's versions: those of linux
// on arch.
func versionsIn(list []byte, arch string) []string {
	var out []string
	for line := range strings.Lines(string(list)) {
		v, ok := strings.CutPrefix(strings.TrimSpace(line), "v0.0.1-")
		if v, ok2 := strings.CutSuffix(v, ".linux-"+arch); ok && ok2 && (verify.Toolchain{Version: v, OS: "linux", Arch: arch}).Check() == nil {
			out = append(out, v)
		}
	}
	return out
}

// builds says that it is made here from its source.
func (l *looker) builds() bool { return l.a.How == howBuild || l.a.How == howOverlay }

// room is how much there is where toolchains are put.
func (l *looker) room() {
	for at := goroot.Base; ; at = path.Dir(at) {
		if _, err := l.m.Stat(at); err == nil || at == "/" {
			if s, err := l.m.Space(at); err == nil {
				l.seen.Free = s.Free
			}
			return
		}
	}
}

// want finds out what one version that is asked for means, and what proves it.
func (l *looker) want(ctx context.Context, asked wish) error {
	w := Wanted{Asked: string(asked)}
	tried, err := l.mean(asked)
	if err != nil {
		w.Trouble = trouble(err)
		l.seen.Wanted = append(l.seen.Wanted, w)
		return nil
	}
	var passed string
	for _, v := range tried {
		if _, again := l.seen.wanted(v); again {
			return nil
		}
		w = Wanted{Asked: string(asked), Version: v, Passed: passed}
		if err := l.prepare(ctx, &w); err != nil {
			return err
		}
		if w.Trouble == nil || !w.Trouble.Refused {
			break
		}
		passed = v
	}
	l.seen.Wanted = append(l.seen.Wanted, w)
	return nil
}

// mean gives the versions to try for a wish, the likeliest first. Of latest and a line
// that is the newest that a proxy lists, and the newest that is in the catalogue: who
// makes the list could name what nobody has.
func (l *looker) mean(asked wish) ([]string, *lang.Error) {
	known := l.offered()
	for _, i := range l.seen.Installed {
		if i.Arch == l.seen.Arch {
			known = append(known, i.Version)
		}
	}
	v, one := asked.release()
	found := asked.newest(known)
	switch {
	case one && len(found) == 0 && l.shelf != nil:
		return nil, l.shelf.lacks(v, l.seen.Arch, l.builds())
	case one:
		return []string{v}, nil // a proxy's list may lack it: the log knows
	case len(found) == 0 && l.shelf != nil:
		return nil, l.shelf.lacks(string(asked), l.seen.Arch, l.builds())
	case len(found) == 0 && (!l.seen.Asked || !l.seen.Silent.Empty()):
		return nil, unheard(string(asked), l.seen.Arch, known)
	case len(found) == 0:
		return nil, unknown(string(asked), l.seen.Arch, known)
	}
	tried := found[:1]
	for _, f := range found[1:] {
		if _, there := l.cat.Find(f, "linux", l.seen.Arch); there {
			return append(tried, f), nil
		}
	}
	return tried, nil
}

// unheard is of what nobody said that it is not there.
func unheard(v, arch string, known []string) *lang.Error {
	return lang.Errorf(nil, "cannot tell which release of Go %s is: the catalogue that goxin carries has none for linux/%s, and nobody who could be asked answers", "无法确定 %s 是哪个 Go 版本：goxin 自带的目录中没有适用于 linux/%s 的，也没有可询问的来源应答", v, arch).
		WithHint("put its archive in a directory and say where: source: DIR; the catalogue has %s", "请把安装包放入一个目录并指明：source: 目录；目录中有 %s", lang.List(known...))
}

func unknown(v, arch string, known []string) *lang.Error {
	err := lang.Errorf(nil, "cannot install %s: there is no such release of Go for linux/%s", "无法安装 %s：没有适用于 linux/%s 的此版本", v, arch)
	near := nearestLine(v, known)
	if _, one := wish(v).release(); one {
		near = nearest("go"+strings.TrimPrefix(v, "go"), known)
	}
	if near != "" {
		return err.WithHint("did you mean %s?", "是否想写 %s？", near)
	}
	if newest := wish(latest).newest(known); len(newest) > 0 {
		return err.WithHint("the newest is %s", "最新版本为 %s", newest[0])
	}
	return err.WithHint("see https://go.dev/dl/ for the releases there are", "版本列表见 https://go.dev/dl/")
}

// prepare fills in where a version stands or comes from, and what proves it.
func (l *looker) prepare(ctx context.Context, w *Wanted) error {
	if there, ok := l.seen.installed(w.Version, l.builds()); ok {
		w.Dir, w.There = there.Dir, true
		if there.Built {
			return nil // what was built is what it is
		}
	} else if o, ok := l.adoptable(w.Version); ok && l.a.Adopt && l.a.How != howBuild {
		w.Dir, w.There, w.Adopted = o.Dir, true, true
		return nil
	}
	w.Module = w.toolchain(l.seen.Arch)
	switch {
	case w.There && oldWorld(l.facts): // it is Loongson's own, and no release's
		return nil
	case w.There:
	case l.unfit(w):
		return nil
	case l.a.How == howVendor:
		l.fromVendor(w)
		return nil
	case l.builds():
		if w.Build = l.bootstrap(ctx, w); w.Trouble != nil {
			return nil
		}
	}
	if l.shelf != nil && !w.There {
		return l.fromShelf(ctx, w)
	}
	if err := l.evidence(ctx, w); err != nil {
		return err
	}
	if w.Dir == "" && w.Trouble == nil {
		w.Dir = l.dir(w)
	}
	return nil
}

// adoptable is a Go of somebody else's that is the release.
func (l *looker) adoptable(version string) (Other, bool) {
	i := slices.IndexFunc(l.seen.Others, func(o Other) bool {
		return o.Version == version && o.Arch == l.seen.Arch && o.Verdict == authentic && o.Exposed == ""
	})
	if i < 0 {
		return Other{}, false
	}
	return l.seen.Others[i], true
}

// dir is where a toolchain will stand: its name carries part of what proves it.
func (l *looker) dir(w *Wanted) string {
	hash := w.H1
	if hash == "" {
		hash = w.SHA256
	}
	if w.Build != nil {
		return goroot.Built(w.toolchain(l.seen.Arch), hash)
	}
	return goroot.Dir(w.toolchain(l.seen.Arch), hash)
}

// toolchain is what w is once it is there.
func (w *Wanted) toolchain(arch string) verify.Toolchain {
	return verify.Toolchain{Version: w.Version, OS: "linux", Arch: arch}
}

var errNothing = lang.Because(nil, "nothing proves it", "没有任何证据能证明它")
