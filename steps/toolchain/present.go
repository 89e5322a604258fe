package toolchain

import (
	"context"
	"go/version"
	"path"
	"regexp"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/origin"
	"goxin/steps/overlay"
	"goxin/steps/stock"
)

// usual are the directories a Go stands in that goxin did not put there. Those below
// /usr/lib are where the packages of distributions have it.
var usual = []string{"/usr/local/go", "/opt/go", "/usr/lib/golang", "/usr/lib64/golang"}

var versioned = regexp.MustCompile(`^go-1\.[0-9]+$`)

// Here is what there is on a machine, without asking anybody and without judging the
// Gos that goxin did not install.
func Here(m machine.Machine) (*Seen, error) {
	s := new(Seen)
	all, err := goroot.List(m)
	if err != nil {
		return nil, lang.Errorf(err, "cannot read %s", "无法读取 %s", goroot.Base).WithHint("run goxin as root", "请以 root 身份运行")
	}
	for _, i := range all {
		_, err := m.Lstat(goroot.Link(i.Toolchain.Version))
		s.Installed = append(s.Installed, Installed{
			Dir: i.Dir, Version: i.Toolchain.Version, Arch: i.Toolchain.Arch, Current: i.Current, Linked: err == nil,
			Built: goroot.IsBuilt(i.Dir),
		})
	}
	for _, dir := range elsewhere(m) {
		s.Others = append(s.Others, Other{Dir: dir, Distro: strings.HasPrefix(dir, "/usr/lib"), Version: versionIn(m, dir), Current: leads(m, dir)})
	}
	return s, nil
}

// leads says whether the link to the Go in use leads to dir.
func leads(m machine.Machine, dir string) bool {
	to, err := m.Readlink(goroot.Current)
	return err == nil && to == dir
}

// elsewhere are the directories with a Go that goxin did not put there.
func elsewhere(m machine.Machine) []string {
	dirs := slices.Clone(usual)
	names, _ := m.ReadDir("/usr/lib") // a tree may have none
	for _, n := range names {
		if versioned.MatchString(n) {
			dirs = append(dirs, "/usr/lib/"+n)
		}
	}
	return slices.DeleteFunc(dirs, func(dir string) bool {
		info, err := m.Stat(dir + "/bin/go")
		return err != nil || !info.Mode.IsRegular()
	})
}

// versionIn reads the version that a tree says it has; "" where it does not.
func versionIn(m machine.Machine, dir string) string {
	text, err := m.ReadFile(path.Join(dir, "VERSION"))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if v := strings.TrimSpace(first); version.IsValid(v) {
		return v
	}
	return ""
}

// guard finds out of each that goxin installed whether it is root's alone.
func (l *looker) guard(ctx context.Context) error {
	for i := range l.seen.Installed {
		l.seen.Installed[i].Exposed = l.exposed(ctx, l.seen.Installed[i].Dir)
	}
	return ctx.Err()
}

// exposed is what others than root can change of a tree; the tree itself where that
// cannot be told.
func (l *looker) exposed(ctx context.Context, dir string) string {
	g, err := goroot.GuardOf(l.m)
	if err != nil {
		return dir
	}
	exposed, err := g.Tree(ctx, dir)
	if err != nil {
		return dir
	}
	return exposed
}

// judge finds out what each of the others is.
func (l *looker) judge(ctx context.Context) error {
	for i := range l.seen.Others {
		o := &l.seen.Others[i]
		l.say(engine.Say(lang.F("looking at the Go in %s", "正在查看 %s 中的 Go", o.Dir)))
		f, err := l.ask.Tree(ctx, l.m, o.Dir, l.options())
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			continue // it stays unjudged, and is never taken
		}
		o.Verdict, o.Differs = string(f.Verdict), len(f.Differs)
		if f.Toolchain.Version != "" {
			o.Version, o.Arch = f.Toolchain.Version, f.Toolchain.Arch
		}
		if o.Verdict == authentic {
			o.Exposed = l.exposed(ctx, o.Dir)
		}
	}
	return nil
}

// distribution asks the package manager about its own Go.
func (l *looker) distribution(ctx context.Context) error {
	name := map[string]string{"apt": "golang-go", "dnf": "golang"}[stock.Manager(l.facts)]
	if name == "" || !l.facts.Running {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	seen, err := l.ask.Packages.Look(within, l.m, l.facts, name)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil && seen.Asked { // a manager that does not answer in time is done without
		l.seen.Package = Package{name, seen.Installed[name], seen.Available[name]}
	}
	return nil
}

// bootstrap is the Go that w is built with: one that goxin installed and that is still
// what it was, one that is proved to be a release, else the distribution's, which its
// packages vouch for. What others than root can change is none, and on an old-world
// kernel no release is: it would die there.
func (l *looker) bootstrap(ctx context.Context, w *Wanted) *Build {
	oldest := bootstrap(w.Version)
	fits := func(v, arch string) bool {
		return arch == l.seen.Arch && version.IsValid(v) && version.Compare(v, oldest) >= 0
	}
	for _, i := range l.seen.Installed {
		if !fits(i.Version, i.Arch) || i.Exposed != "" {
			continue
		}
		l.say(engine.Say(lang.F("looking at the Go in %s", "正在查看 %s 中的 Go", i.Dir)))
		f, err := l.ask.Tree(ctx, l.m, i.Dir, l.options())
		if err == nil && (f.Verdict == origin.Authentic && !oldWorld(l.facts) || f.Verdict == origin.Recorded) {
			return l.build(Build{Bootstrap: i.Dir, Version: i.Version, Verdict: string(f.Verdict)})
		}
	}
	for _, distro := range []bool{false, true} {
		for _, o := range l.seen.Others {
			arch := o.Arch
			if arch == "" && o.Distro {
				arch = l.seen.Arch // its packages are of this machine
			}
			if fits(o.Version, arch) && (o.Verdict == authentic && !distro && !oldWorld(l.facts) || o.Distro && distro) && l.exposed(ctx, o.Dir) == "" {
				return l.build(Build{Bootstrap: o.Dir, Version: o.Version, Distro: distro, Verdict: o.Verdict})
			}
		}
	}
	if oldWorld(l.facts) && len(l.cat.Vendor) > 0 {
		w.Trouble = trouble(lang.Errorf(nil, "cannot build %s: that takes %s or newer to build with, and none that can be relied on is here", "无法编译 %s：需要 %s 或更新的 Go 作为引导，而本机没有可信的", w.Version, oldest).
			WithHint("install Loongson's own first: how: vendor, versions: [%s]", "请先安装龙芯自行编译的版本：how: vendor，versions: [%s]", strings.TrimPrefix(l.cat.Vendor[0].Version, "go")))
		return nil
	}
	w.Trouble = trouble(lang.Errorf(nil, "cannot build %s: that takes %s or newer to build with, and none that can be relied on is here", "无法编译 %s：需要 %s 或更新的 Go 作为引导，而本机没有可信的", w.Version, oldest).
		WithHint("install a release first (`goxin toolchain install %s`), or the distribution's package of Go", "请先安装一个官方版本（`goxin toolchain install %s`），或安装系统自带的 golang 包", strings.TrimPrefix(oldest, "go")))
	return nil
}

// build completes how w is built: on an old-world kernel, with goxin's overlay.
func (l *looker) build(b Build) *Build {
	if l.a.How == howOverlay {
		b.Overlay = overlay.Number
	}
	return &b
}
