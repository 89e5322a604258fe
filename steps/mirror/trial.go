package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/repo"
)

// trialDir is where the package manager tries new sources: gone at the next boot,
// whatever happens.
const trialDir = "/run/goxin-trial"

// Proofs are a trial with a throw-away cache before anything is written, and the
// package lists read afterwards, for the steps that follow.
func (Step) Proofs(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Proof {
	a, err := readAnswers(v)
	if err != nil {
		return nil
	}
	var out []engine.Proof
	for _, id := range hs.Order {
		s, err := SeenOn(sv, id)
		if err != nil || !hs.Facts[id].Running || s.Manager == "" {
			continue
		}
		p, err := s.plan(a)
		if err != nil {
			continue
		}
		if len(p.moved) > 0 && s.Raced {
			out = append(out, engine.Proof{
				On: id, First: true,
				Title: lang.F("%s reads the package lists of %s into a throw-away cache", "%s 用一次性缓存试读 %s 的软件包列表", s.Manager, s.name(p.choice.Sites[0].ID)),
				Prove: p.try,
			})
		}
		if s.Manager != "dnf" {
			continue
		}
		out = append(out, engine.Proof{
			On: id, Title: lang.F("%s has read the package lists", "%s 已刷新软件包列表", s.Manager),
			Prove: s.refresh,
		})
	}
	return out
}

// try has the package manager read what it will have to read, from the chosen
// site alone: a fallback must not hide that the first does not do.
func (p *plan) try(ctx context.Context, m machine.Machine) (seen lang.Text, err error) {
	if err := sweep(m, trialDir); err != nil {
		return seen, err
	}
	defer func() { err = errors.Join(err, sweep(m, trialDir)) }()
	for _, d := range []string{trialDir, trialDir + "/sources", trialDir + "/lists", trialDir + "/cache"} {
		if err := m.Mkdir(d, 0o755, machine.RootOwner); err != nil {
			return seen, err
		}
	}
	argv := p.tryDnf
	if p.seen.Manager == "apt" {
		argv = p.tryApt
	}
	c, err := argv(m)
	if err != nil {
		return seen, err
	}
	if err := op.ReadLists(ctx, m, nil, c...); err != nil {
		return seen, engine.Refusal{Err: lang.Errorf(err, "cannot read the package lists of %s", "无法读取 %s 的软件包列表", p.seen.name(p.choice.Sites[0].ID)).
			WithHint("nothing was changed; choose another mirror, or compare them again: goxin mirrors", "尚未改动任何内容；请另选镜像，或重新比较：goxin mirrors")}
	}
	return lang.F("repositories read: %d", "已读取软件仓库：%d 个", len(p.moved)), nil
}

func (p *plan) tryApt(m machine.Machine) ([]string, error) {
	var b strings.Builder
	for _, r := range p.moved {
		e := r.entry
		fmt.Fprintf(&b, "Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\n", r.urls[0], strings.Join(e.Suites, " "), strings.Join(e.Components, " "))
		if len(e.Archs) > 0 {
			fmt.Fprintf(&b, "Architectures: %s\n", strings.Join(e.Archs, " "))
		}
		if len(e.Keys) > 0 {
			fmt.Fprintf(&b, "Signed-By: %s\n", strings.Join(e.Keys, " "))
		}
		b.WriteString("\n")
	}
	if err := m.WriteFile(trialDir+"/sources/goxin.sources", []byte(b.String()), 0o644, machine.RootOwner); err != nil {
		return nil, err
	}
	return append([]string{"apt-get", "update"}, "-o", "Dir::Etc::SourceList=/dev/null", "-o", "Dir::Etc::SourceParts="+trialDir+"/sources",
		"-o", "Dir::State::Lists="+trialDir+"/lists", "-o", "Dir::Cache="+trialDir+"/cache", "-o", "APT::Sandbox::User=root"), nil
}

func (p *plan) tryDnf(m machine.Machine) ([]string, error) {
	argv := []string{"dnf", "-y", "--setopt=reposdir=" + trialDir + "/sources", "--setopt=cachedir=" + trialDir + "/cache", "--disablerepo=*"}
	for i, f := range p.files {
		parsed, err := repo.Parse(f.Name, f.Content)
		if err != nil {
			return nil, err
		}
		for _, r := range p.moved {
			if p.seen.Files[r.File].Name != f.Name {
				continue
			}
			if err := parsed.Entries()[r.Entry].SetURLs(r.urls[0]); err != nil {
				return nil, err
			}
			argv = append(argv, "--enablerepo="+r.ID, "--setopt="+r.ID+".skip_if_unavailable=0")
		}
		name := fmt.Sprintf("%s/sources/%d.repo", trialDir, i)
		if err := m.WriteFile(name, parsed.Bytes(), 0o644, machine.RootOwner); err != nil {
			return nil, err
		}
	}
	return append(argv, "makecache"), nil
}

// refresh has dnf read its package lists for real, so that what is wrong with
// them comes out now. apt's are an op of their own.
func (s *Seen) refresh(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if err := op.ReadLists(ctx, m, nil, "dnf", "-y", "makecache"); err != nil {
		return lang.Text{}, lang.Errorf(err, "cannot read the package lists", "无法刷新软件包列表").
			WithHint("one of the machine's own repositories may not answer: see dnf makecache", "可能是本机配置的某个软件仓库没有响应：请查看 dnf makecache 的输出")
	}
	return lang.T("as the sources say now", "与现有软件源一致"), nil
}

// sweep removes a directory and all in it; that there is none is fine.
func sweep(m machine.Machine, dir string) error {
	info, err := m.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode.IsDir() {
		var names []string
		names, err = m.ReadDir(dir)
		for _, n := range names {
			if err == nil {
				err = sweep(m, dir+"/"+n)
			}
		}
	}
	if err != nil {
		return err
	}
	return m.Remove(dir)
}
