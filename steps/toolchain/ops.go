package toolchain

import (
	"go/version"
	"path"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
)

// ops are in the order in which they are done: nothing is linked before it is there
// and proved, and nothing goes before its successor is in use.
func (p *plan) ops() []engine.Op {
	var out []engine.Op
	if len(p.wanted) == 0 && p.use == "" && len(p.gone) == 0 {
		return nil
	}
	for _, d := range []string{goroot.Top, goroot.Base, goroot.Bin, goroot.Removed} {
		out = append(out, &op.Dir{Path: d, Mode: 0o755, Owner: machine.RootOwner, Reason: whyDir})
	}
	for _, w := range p.wanted {
		if t := w.tree(p.seen.LogKey, p.seen.Arch); t != nil {
			out = append(out, t)
		}
		if l := p.label(w); l != nil {
			out = append(out, l)
		}
		out = append(out, &op.Link{Path: goroot.Link(w.Version), To: target(w.Dir), Reason: whyLink})
	}
	if p.use != "" {
		to := p.use
		if goroot.Inside(to) {
			to = path.Base(to)
		}
		out = append(out, &op.Link{Path: goroot.Current, To: to, Reason: whyUse})
	}
	for _, g := range p.gone {
		if g.Linked {
			out = append(out, &op.Link{Path: goroot.Link(g.Version), Reason: whyGone})
		}
		out = append(out, &op.Tree{Dir: g.Dir, Absent: true, Reason: whyGone})
	}
	return out
}

// target is what the link in goroot.Bin says: a relative path, where that can be, so
// that a tree that becomes a machine keeps it.
func target(dir string) string {
	if goroot.Inside(dir) {
		return "../go/" + path.Base(dir) + "/bin/go"
	}
	return dir + "/bin/go"
}

// tree is the toolchain itself; nil where it is somebody else's, or there and nothing
// proves it any more.
func (w Wanted) tree(logKey, arch string) *op.Tree {
	if w.Adopted || len(w.Sources) == 0 {
		return nil
	}
	want := &op.Want{Toolchain: w.Module, H1: w.H1, Proof: w.Proof, LogKey: logKey, Size: w.Size, Read: w.Read}
	if w.Format == formatTar {
		want.SHA256, want.From, want.Signature = w.SHA256, w.From, w.Signature
	}
	t := &op.Tree{Dir: w.Dir, Archive: &op.Archive{Sources: w.Sources, Format: w.Format}, Want: want, Reason: w.reason()}
	if w.Build != nil {
		// make.bash keeps its cache in pkg/obj of the tree (cmd/dist), which nobody needs
		// afterwards; programs that somebody else built must not be among the new ones.
		t.Make = &op.Make{
			With: w.Build.what(), Overlay: w.Build.Overlay,
			Argv: []string{"bash", "make.bash"}, Dir: "src", Clear: []string{"bin", "pkg/tool"}, Drop: []string{"pkg/obj"},
			Env: []string{
				// For what goxin runs on; cmd/dist takes uname(1) at its word.
				"GOHOSTOS=linux", "GOHOSTARCH=" + arch, "GOOS=linux", "GOARCH=" + arch,
				"GOROOT_BOOTSTRAP=" + w.Build.Bootstrap, "GOTOOLCHAIN=local", "GOENV=off", "GOFLAGS=", "GOPROXY=off", "CGO_ENABLED=0", "HOME=", "GOCACHE={tree}/pkg/obj/go-build",
			},
		}
	}
	return t
}

// OnlyMarkedRun says that only marked programs run on the machine.
func OnlyMarkedRun(f *detect.Facts) bool {
	k := f.Security.KYSEC
	return k.Known && (k.Value == "on" || k.Value == "warning")
}

func (p *plan) kysec() bool { return OnlyMarkedRun(p.facts) }

func (p *plan) selinux() bool {
	s := p.facts.Security.SELinux
	return s.Known && (s.Value == "enforcing" || s.Value == "permissive")
}

// label marks a tree's programs where something controls what runs; nil elsewhere.
func (p *plan) label(w Wanted) *op.Label {
	if w.Adopted || !p.kysec() && !p.selinux() {
		return nil
	}
	return &op.Label{Dir: w.Dir, Names: programs(w.Version, p.seen.Arch), KYSEC: p.kysec(), SELinux: p.selinux(), Reason: whyLabel}
}

// programs are those that every toolchain of a version has: what build, test, vet and
// fmt run. From Go 1.25 on the others are built when they are called.
func programs(v, arch string) []string {
	out := []string{"bin/go", "bin/gofmt"}
	tools := []string{"asm", "cgo", "compile", "cover", "link", "vet"}
	if version.Compare(v, "go1.23") >= 0 {
		tools = append(tools, "preprofile")
	}
	for _, t := range tools {
		out = append(out, "pkg/tool/linux_"+arch+"/"+t)
	}
	return out
}
