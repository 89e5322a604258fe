package toolchain

import (
	"fmt"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
)

// Room that a toolchain takes, in bytes: go1.26.8 has 270 MB on a file system with
// blocks of 4 KiB, and three times as much while it is built.
const (
	roomRelease = 290 << 20
	roomBuild   = 900 << 20
)

// plan is what is to be true on one machine.
type plan struct {
	facts   *detect.Facts
	seen    *Seen
	a       answers
	wanted  []Wanted
	use     string // GOROOT of what is in use afterwards; "" where that stays as it is
	version string // of it
	gone    []Installed
	missing []string // to be removed, and not there
}

func newPlan(f *detect.Facts, s *Seen, a answers) (*plan, error) {
	p := &plan{facts: f, seen: s, a: a}
	if len(a.Versions) > 0 && s.Arch == "" {
		return nil, p.noPort()
	}
	for _, w := range s.Wanted {
		if w.Trouble != nil {
			return p, w.Trouble.err()
		}
		p.wanted = append(p.wanted, w)
	}
	if err := p.room(); err != nil {
		return p, err
	}
	if err := p.chooseUse(); err != nil {
		return p, err
	}
	if err := p.exposed(); err != nil {
		return p, err
	}
	return p, p.removals()
}

// exposed refuses to use an installed tree that others than root can change, unless it
// is one that is replaced.
func (p *plan) exposed() error {
	replaced := map[string]bool{}
	used := map[string]bool{p.use: true}
	for _, w := range p.wanted {
		replaced[w.Dir] = w.tree("", "") != nil
		used[w.Dir] = true
	}
	for _, i := range p.seen.Installed {
		if i.Exposed != "" && used[i.Dir] && !replaced[i.Dir] {
			return engine.Refusal{Err: lang.Errorf(nil, "cannot use %s: others than root can change %s", "无法使用 %s：非 root 用户可以修改 %s", i.Version, op.Visible(i.Exposed)).
				WithHint("see what was changed (goxin verify %[1]s), then make it root's: chown -R root:root %[1]s; chmod -R go-w %[1]s", "请先检查是否被改动（goxin verify %[1]s），再改归 root：chown -R root:root %[1]s; chmod -R go-w %[1]s", op.Visible(i.Dir))}
		}
	}
	return nil
}

func (p *plan) noPort() error {
	arch := p.facts.Arch
	if !arch.GOARCH.Known {
		return lang.Errorf(nil, "cannot install Go: it is not known what processor this is (%s)", "无法安装 Go：无法判断处理器架构（%s）", op.VisibleText(arch.GOARCH.From)).
			WithHint("look at `goxin detect`", "请查看 `goxin detect`")
	}
	return lang.Errorf(nil, "cannot install Go: there is none for %s", "无法安装 Go：没有适用于 %s 的版本", op.Visible(arch.Machine.Value)).
		WithHint("leave the step out, and build for this machine's kind with another compiler (gccgo, where the distribution has it)", "请去掉此步骤；可改用系统自带的 gccgo 等编译器")
}

// room says how much is needed before anything is begun.
func (p *plan) room() error {
	var need uint64
	for _, w := range p.wanted {
		switch {
		case w.There:
		case w.Build != nil:
			need += roomBuild
		default:
			need += roomRelease
		}
	}
	if need == 0 || p.seen.Free == 0 || need <= p.seen.Free {
		return nil
	}
	return lang.Errorf(nil, "cannot install Go: %s are needed in %s, and %s are free", "无法安装 Go：%[2]s 需要 %[1]s，而剩余 %[3]s", size(need), goroot.Base, size(p.seen.Free)).
		WithHint("make room there: df -h %s; `goxin prune` removes toolchains that were removed before", "请腾出空间：df -h %s；`goxin prune` 可彻底删除先前移除的工具链", "/usr/local")
}

func size(n uint64) lang.Text { return lang.Same(fmt.Sprintf("%d MB", n/1e6)) }

// chooseUse finds the tree that use means.
func (p *plan) chooseUse() error {
	first := func() {
		if len(p.wanted) > 0 {
			p.use, p.version = p.wanted[0].Dir, p.wanted[0].Version
		}
	}
	switch _, there := p.seen.current(); {
	case p.a.Use == useKeep && there:
		return nil
	case p.a.Use == "" || p.a.Use == useKeep:
		first()
		return nil
	}
	all := map[string]string{}
	var versions []string
	for _, i := range p.seen.Installed {
		if i.Arch == p.seen.Arch {
			all[i.Version] = i.Dir
			versions = append(versions, i.Version)
		}
	}
	for _, w := range p.wanted {
		all[w.Version] = w.Dir
		versions = append(versions, w.Version)
		if w.Asked == p.a.Use { // latest is the one that latest gave
			p.use, p.version = w.Dir, w.Version
			return nil
		}
	}
	found := wish(p.a.Use).newest(versions)
	if len(found) == 0 {
		err := lang.Errorf(nil, "cannot use Go %s: it is not installed", "无法使用 Go %s：尚未安装", p.a.Use)
		if near := nearest("go"+p.a.Use, versions); near != "" {
			return err.WithHint("did you mean %[1]s? `goxin toolchain install %[2]s` installs %[2]s", "是否想用 %[1]s？要安装 %[2]s，请执行 `goxin toolchain install %[2]s`", near, p.a.Use)
		}
		return err.WithHint("`goxin toolchain install %s` installs it", "用 `goxin toolchain install %s` 安装", p.a.Use)
	}
	p.version, p.use = found[0], all[found[0]]
	return nil
}

// removals finds the trees that go. The one in use does not.
func (p *plan) removals() error {
	for _, r := range p.a.Remove {
		v, _ := wish(r).release()
		n := len(p.gone)
		for _, i := range p.seen.Installed {
			if i.Version != v {
				continue
			}
			if i.Current && p.use == "" || i.Dir == p.use {
				err := lang.Errorf(nil, "cannot remove %s: it is the one in use", "无法移除 %s：它正在使用中", v)
				if len(p.seen.Installed) == 1 {
					return err.WithHint("it is the only one that goxin installed; `goxin undo` takes that run back", "goxin 只安装了这一个；`goxin undo` 可撤销那次运行")
				}
				return err.WithHint("switch to another first: `goxin toolchain use VERSION`", "请先切换到其他版本：`goxin toolchain use 版本`")
			}
			p.gone = append(p.gone, i)
		}
		if len(p.gone) == n {
			p.missing = append(p.missing, v)
		}
	}
	return nil
}

// Ops are the directories, a tree for each version, its marks for execution control,
// its link, the link to the one in use, and what goes.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	return hs.Ops(func(id machine.ID) ([]engine.Op, error) {
		seen, err := SeenOn(sv, id)
		if err != nil {
			return nil, err
		}
		p, err := newPlan(hs.Facts[id], seen, a)
		if err != nil {
			return nil, err
		}
		return p.ops(), nil
	})
}
