package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"goxin/assets/lang"
	"goxin/assets/mirrors"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/race"
	"goxin/steps/repo"
	"goxin/steps/verify"
)

// Survey reads the machines' sources and, on a machine that runs, asks the
// candidates: six seconds and 24 MiB at most. It changes nothing.
func (s Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	out := make(survey, len(h.Order))
	for _, id := range h.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		l := looker{m: m, facts: h.Facts[id], answers: a, say: say, load: s.Catalogue}
		if out[id], err = l.look(ctx); err != nil {
			return nil, err
		}
	}
	return json.Marshal(out)
}

// Resurvey: which of the candidates is taken, and whether others are written
// behind it, is no reason to ask them again. A site that was not asked is.
func (Step) Resurvey(old, now engine.Values) bool {
	a, err := readAnswers(old)
	b, err2 := readAnswers(now)
	if err != nil || err2 != nil || a.Catalogue != b.Catalogue {
		return true
	}
	return a.Source != b.Source && (a.Source != sourceFastest || b.isURL())
}

// looker surveys one machine.
type looker struct {
	m       machine.Machine
	facts   *detect.Facts
	answers answers
	say     func(engine.Progress)
	load    func() (*mirrors.Catalogue, error) // nil: mirrors.Load

	seen    *Seen
	vars    repo.Vars
	product mirrors.Product
	targets []race.Target
}

func (l *looker) look(ctx context.Context) (*Seen, error) {
	l.seen = &Seen{Manager: manager(l.facts)}
	cat, err := l.catalogue()
	if err != nil {
		return nil, err
	}
	src, err := repo.ReadAll(l.m, l.facts)
	if err != nil {
		return nil, lang.Errorf(err, "cannot read the package sources", "无法读取软件源配置").
			WithHint("run goxin as root", "请以 root 身份运行")
	}
	l.vars = src.Vars
	for _, u := range src.Unread {
		l.seen.Unread = append(l.seen.Unread, Unread{u.File, u.Why})
	}
	if p, ok := cat.For(l.facts.OS.Product.Value, l.version(), l.facts.Arch.GOARCH.Value); ok && l.facts.OS.Product.Known {
		l.product, l.seen.Product = p, p.ID
	}
	l.seen.Plain = l.facts.Running && !l.product.Gated && !l.trusts() && !usesTLS(src)
	if err := l.sources(src); err != nil {
		return nil, err
	}
	l.seen.Ordered = l.ordered(ctx)
	if l.answers.Source != sourceKeep && len(l.targets) > 0 {
		if err := l.race(ctx); err != nil {
			return nil, err
		}
	}
	return l.seen, nil
}

// version is what the catalogue tells a product's releases apart by: Kylin
// server's service pack and UOS's edition are part of it.
func (l *looker) version() string {
	v := l.facts.OS.Version.Value
	more := ""
	switch l.facts.OS.Product.Value {
	case "kylin-server":
		more = l.facts.OS.ServicePack.Value
	case "uos-server", "uos-desktop":
		more = l.facts.OS.Edition.Value
	}
	if more != "" {
		v += "-" + more
	}
	return v
}

func manager(f *detect.Facts) string {
	switch m := f.Packages.Manager; {
	case !m.Known:
		return ""
	case m.Value == "yum":
		return "dnf"
	default:
		return m.Value
	}
}

func (l *looker) catalogue() (*mirrors.Catalogue, error) {
	load := l.load
	if load == nil {
		load = mirrors.Load
	}
	cat, err := load()
	if err != nil || l.answers.Catalogue == "" {
		return cat, err
	}
	data, err := l.m.ReadFile(l.answers.Catalogue)
	if err == nil {
		var site *mirrors.Catalogue
		if site, err = mirrors.Parse(l.answers.Catalogue, data); err == nil {
			return cat.Merge(site), nil
		}
	}
	return nil, lang.Errorf(err, "cannot use the catalogue %s", "无法使用镜像目录 %s", op.Visible(l.answers.Catalogue)).
		WithHint("correct the file, or leave %s out of the answers", "请修正该文件，或从应答中去掉 %s", keyCatalogue)
}

// trusts reports whether the machine has certificate authorities to judge
// https:// by.
func (l *looker) trusts() bool {
	for _, name := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem"} {
		if i, err := l.m.Stat(name); err == nil && i.Size > 0 {
			return true
		}
	}
	return false
}

// usesTLS reports whether the machine has a source on https:// already, which will
// have been tried.
func usesTLS(src *repo.Sources) bool {
	for _, f := range src.Files {
		for _, e := range f.Entries() {
			if e.Enabled && len(e.URLs) > 0 && strings.HasPrefix(e.URLs[0], "https://") || strings.HasPrefix(e.Metalink, "https://") {
				return true
			}
		}
	}
	return false
}

// ordered: dnf goes through the lines of baseurl; apt has had mirror+file: since
// 1.6 (apt-transport-mirror(1)).
func (l *looker) ordered(ctx context.Context) bool {
	if l.seen.Manager != "apt" {
		return l.seen.Manager == "dnf"
	}
	have, err := op.Installed(ctx, l.m, "apt", "apt")
	if err != nil {
		return false
	}
	var major, minor int
	if n, _ := fmt.Sscanf(have["apt"], "%d.%d", &major, &minor); n != 2 {
		return false
	}
	return major > 1 || major == 1 && minor >= 6
}

// sources takes the files over, and for each enabled repository of the vendor's
// makes a target of the race.
func (l *looker) sources(src *repo.Sources) error {
	for _, f := range src.Files {
		at := len(l.seen.Files)
		used := false
		for i, e := range f.Entries() {
			if !e.Enabled || e.Shadowed != "" {
				continue
			}
			r := Repo{File: at, Entry: i, ID: e.ID, Target: -1, Signed: !e.Unsigned, URLs: e.URLs}
			if list, ok := src.MirrorLists[listOf(e.URLs)]; ok {
				r.URLs = list
			}
			l.place(&r, e)
			l.seen.Repos = append(l.seen.Repos, r)
			used = true
		}
		if !used {
			continue
		}
		info, err := l.m.Stat(f.Name)
		if err != nil {
			return lang.Errorf(err, "cannot read %s", "无法读取 %s", op.Visible(f.Name))
		}
		l.seen.Files = append(l.seen.Files, Source{f.Name, f.Bytes(), info.Mode.Perm()})
	}
	if len(l.seen.Repos) == 0 && l.product.ID != "" {
		l.fresh()
	}
	return nil
}

// listOf is the file of an apt mirror list, where the URL names one.
func listOf(urls []string) string {
	if len(urls) == 0 {
		return ""
	}
	name, _ := strings.CutPrefix(urls[0], "mirror+file:")
	return strings.TrimPrefix(name, "//")
}

// place finds out whose a repository is.
func (l *looker) place(r *Repo, e *repo.Entry) {
	switch {
	case l.product.ID == "":
		r.Why = whyProduct
		return
	case len(e.Types) > 0 && !contains(e.Types, "deb"):
		r.Why = whySource
		return
	}
	var at place
	ok := false
	if len(r.URLs) > 0 {
		at, ok = locate(l.product, l.vars, r.URLs[0])
	} else if k, found := l.byID(e.ID); found && (e.Mirrorlist != "" || e.Metalink != "") {
		at, ok = place{Rest: k.Path}, true
	}
	switch {
	case !ok:
		r.Why = whyForeign
		return
	case !r.Signed && !l.product.Gated:
		r.Why = whyUnsigned
		return
	case !known(l.vars.Expand(l.product.Official + at.Rest)):
		r.Why = whyVariable
		return
	}
	r.Rest, r.Target = at.Rest, len(l.targets)
	l.targets = append(l.targets, l.target(e))
}

func (l *looker) byID(id string) (mirrors.Repo, bool) {
	for _, r := range l.product.Repos {
		if r.ID == id {
			return r, true
		}
	}
	return mirrors.Repo{}, false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (l *looker) target(e *repo.Entry) race.Target {
	t := race.Target{ID: e.ID, Format: "rpm", Arch: l.vars["basearch"], Components: e.Components, Main: len(l.targets) == 0}
	if e.Format != repo.RPM {
		t.Format, t.Arch = "deb", l.dpkgArch()
		if len(e.Suites) > 0 {
			t.Suite = e.Suites[0]
		}
	}
	t.Keys, t.Fingerprints = l.keys(e)
	return t
}

// dpkgArch is dpkg's name for the machine; LoongArch's worlds differ in it.
func (l *looker) dpkgArch() string {
	switch a := l.facts.Arch.GOARCH.Value; a {
	case "mips64le":
		return "mips64el"
	case "loong64":
		if l.facts.Kernel.UserWorld.Value == "old" {
			return "loongarch64"
		}
		return a
	default:
		return a
	}
}

// keys are those the package manager judges by: the repository's own, else the
// vendor's on this machine, else all that apt trusts.
func (l *looker) keys(e *repo.Entry) (verify.Keyring, []string) {
	var blobs [][]byte
	take := func(b []byte) {
		if _, err := verify.ReadKeys(b); err == nil { // a damaged key must not hide the others
			blobs = append(blobs, b)
		}
	}
	add := func(name string) {
		if b, err := l.m.ReadFile(name); err == nil {
			take(b)
		}
	}
	for _, k := range e.Keys {
		switch name := strings.TrimPrefix(k, "file://"); {
		case strings.HasPrefix(name, "/"):
			add(l.vars.Expand(name))
		case strings.Contains(k, "BEGIN PGP"):
			take([]byte(k))
		}
	}
	var prints []string
	for _, k := range l.product.Keys {
		if k.Path != "" {
			add(k.Path)
		}
		if k.Fingerprint != "" {
			prints = append(prints, k.Fingerprint)
		}
	}
	if len(blobs) == 0 && e.Format != repo.RPM {
		add("/etc/apt/trusted.gpg")
		names, _ := l.m.ReadDir("/etc/apt/trusted.gpg.d") // often not there
		for _, n := range names {
			add("/etc/apt/trusted.gpg.d/" + n)
		}
	}
	ring, _ := verify.ReadKeys(blobs...)
	return ring, prints
}

// race asks the candidates. A machine that cannot ask anybody is not raced.
func (l *looker) race(ctx context.Context) error {
	cands := l.candidates()
	// Nothing is sent by opening a socket.
	c, err := l.m.Dial(ctx, "udp", "127.0.0.1:9")
	if errors.Is(err, machine.ErrNotRunning) {
		return nil
	}
	if err == nil {
		_ = c.Close()
	}
	rep, err := race.Run(ctx, l.m, l.targets, cands, race.Limits{}, func(rs []race.Result) {
		if l.say != nil {
			l.say(l.progress(rs))
		}
	})
	if err != nil {
		return lang.Errorf(err, "cannot compare the mirrors", "无法比较软件源")
	}
	l.seen.Race, l.seen.Raced = rep, true
	return nil
}
