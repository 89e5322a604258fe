package toolchain

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/goroot"
	"goxin/steps/scratch"
	"goxin/steps/verify"
)

// Waste is what `goxin prune` removes for good.
type Waste struct {
	Path string
	Size int64 // bytes of the files in it
	What lang.Text
}

// FindWaste finds what `remove` moved aside, and what runs that were killed left where
// toolchains are unpacked and programs are tried. The caller sees to it that no run is
// under way.
func FindWaste(ctx context.Context, m machine.Machine) ([]Waste, error) {
	var out []Waste
	add := func(dir string, what lang.Text, is func(name string, info machine.Info) bool) error {
		names, err := m.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return lang.Errorf(err, "cannot read %s", "无法读取 %s", dir).WithHint("run goxin as root", "请以 root 身份运行")
		}
		for _, n := range names {
			p := path.Join(dir, n)
			info, err := m.Lstat(p)
			if err != nil || !is(n, info) {
				continue
			}
			size, err := weigh(ctx, m, p, info)
			if err != nil {
				return err
			}
			out = append(out, Waste{p, size, what})
		}
		return nil
	}
	kernel, err := m.Kernel()
	me := kernel.UID
	if err != nil {
		me = 0
	}
	removed := func(string, machine.Info) bool { return true }
	left := func(n string, _ machine.Info) bool {
		return strings.HasPrefix(n, ".") && strings.HasSuffix(n, ".goxin-new")
	}
	// Others can write to /var/tmp: what is not ours is not ours to remove.
	tried := func(n string, info machine.Info) bool {
		return info.Mode.IsDir() && info.UID == me && info.Mode.Perm() == 0o700 && scratched(n)
	}
	err = add(goroot.Removed, lang.T("removed before", "先前移除的"), removed)
	for _, dir := range []string{goroot.Base, goroot.Bin, goroot.Top} {
		err = errors.Join(err, add(dir, lang.T("left by an interrupted run", "中断运行的残留"), left))
	}
	for _, dir := range scratch.Bases() {
		err = errors.Join(err, add(dir, lang.T("left by an interrupted proof", "中断验证的残留"), tried))
	}
	kept := func(n string, _ machine.Info) bool { return n == "cache" || n == "gopath" }
	err = errors.Join(err, add(scratch.Builds, lang.T("the compiler's, of services that were built", "构建服务程序时编译器留下的缓存"), kept))
	return out, err
}

// scratched says whether a name is one that scratch.Make gives.
func scratched(name string) bool {
	rest, ok := strings.CutPrefix(name, "goxin-")
	i := strings.LastIndexByte(rest, '-')
	return ok && i > 0 && len(rest) == i+2 && rest[i+1] >= '0' && rest[i+1] <= '9'
}

// weigh is the size of the files in p; links are not followed.
func weigh(ctx context.Context, m machine.Machine, p string, info machine.Info) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	if !info.Mode.IsDir() {
		return info.Size, nil
	}
	names, err := m.ReadDir(p)
	if err != nil {
		return 0, lang.Errorf(err, "cannot read %s", "无法读取 %s", p)
	}
	var sum int64
	for _, n := range names {
		below := path.Join(p, n)
		info, err := m.Lstat(below)
		if err != nil {
			continue // it went meanwhile
		}
		size, err := weigh(ctx, m, below, info)
		if err != nil {
			return 0, err
		}
		sum += size
	}
	return sum, nil
}

// ProvedBy are the kinds of evidence that were written down when a toolchain was
// installed, the strongest first; nil where there is none.
func ProvedBy(m machine.Machine, dir string) []string {
	r, err := goroot.ReadRecord(m, dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, k := range []verify.Kind{verify.Log, verify.Detached, verify.Digest} {
		if slices.ContainsFunc(r.Evidence, func(e verify.Evidence) bool { return e.Kind == k && e.Verdict == verify.Good }) {
			out = append(out, string(k))
		}
	}
	return out
}
