package origin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"go/version"
	"maps"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/goroot"
	"goxin/steps/overlay"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// goEnv is go.env as releases have it since there is one (Go 1.21): the file of a
// GOROOT that is edited most.
var goEnv = verify.ManifestFile{
	Name: "go.env", Mode: 0o644, Size: 505,
	SHA256: [sha256.Size]byte{
		0x98, 0xfc, 0xab, 0x78, 0xe1, 0x55, 0xe9, 0xfa, 0x0c, 0x36, 0xb1, 0x88, 0x74, 0xad, 0xd3, 0x07,
		0x24, 0xd0, 0x4c, 0x24, 0x52, 0x07, 0x81, 0x17, 0xc7, 0x86, 0x18, 0x10, 0x7e, 0xbf, 0xbc, 0x9e,
	},
}

// judge compares the files of a toolchain with what the log says of it. k is what was
// written down when it was installed, with a proof perhaps; odd are names of things that
// are no files.
func (f *Finding) judge(ctx context.Context, o *Options, odd []string, k *kept) error {
	f.H1 = f.Manifest.H1(f.Toolchain)
	if o.Records && goroot.Inside(k.dir) && goroot.IsBuilt(k.dir) {
		// The log knows what was released; what was built here is not that.
		if f.end(Unproved, lang.T("it was built on this machine", "它是在本机编译的")); !f.recorded(o, odd, k) {
			f.since(k.record, k.manifest, odd)
		}
		return nil
	}
	want, err := f.prove(ctx, o, k.proof())
	if err != nil {
		return err
	}
	if want == "" {
		if !f.recorded(o, odd, k) {
			f.since(k.record, k.manifest, odd)
		}
		return nil // the verdict stands
	}
	beside := k.manifest
	f.uncovered()
	if f.H1 == want && beside == nil && len(odd) == 0 {
		f.end(Authentic, lang.Text{})
		return nil
	}
	if plain := f.without(); plain != nil && plain.H1(f.Toolchain) == want && len(odd) == 0 {
		f.Overlay = overlay.Number
		f.end(Overlaid, lang.Text{})
		return nil
	}
	release, covered := f.release(ctx, o, want, beside)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if release != nil {
		f.Differs = compare(release, f.Manifest, odd, covered)
	}
	switch {
	case release != nil && len(f.Differs) == 0:
		f.end(Authentic, lang.Text{})
	case release != nil && rebuilt(release, f.Differs):
		f.end(Vendor, lang.F("most of its programs are not those of %s", "其中大部分程序与 %s 不同", f.Toolchain.Version))
	case release != nil:
		f.end(Except, lang.Text{})
	case f.H1 == want: // no release to compare with, and none needed for this
		for _, name := range odd {
			f.Differs = append(f.Differs, Difference{name, Added})
		}
		if len(odd) == 0 {
			f.end(Authentic, lang.Text{})
		} else {
			f.end(Except, lang.Text{})
		}
	case version.Compare(f.Toolchain.Version, "go1.21") < 0:
		f.end(Unproved, lang.T("releases before Go 1.21 have another set of files in the log; only the archive's signature proves them",
			"Go 1.21 之前的版本在日志中的文件集合不同，只能用发行包的签名证明"))
	default:
		f.end(Refused, lang.T("its files are not those of the release; which of them differ cannot be told here", "其文件与发行版不符；在此无法指出是哪些文件"))
	}
	return nil
}

// without is the manifest of the tree as it was before goxin's overlay went into it; nil
// where that is not in it, or not as it has to be.
func (f *Finding) without() *verify.Manifest {
	pins := overlay.Pins(f.Toolchain.Version)
	has := make(map[string]*verify.ManifestFile, len(f.Manifest.Files))
	out := &verify.Manifest{Files: slices.Clone(f.Manifest.Files)}
	for i := range out.Files {
		has[out.Files[i].Name] = &out.Files[i]
	}
	for _, p := range pins {
		file := has[p.Name]
		if file == nil || hex.EncodeToString(file.SHA256[:]) != p.After {
			return nil
		}
		if p.Before == "" {
			file.Name = "" // it was not there
		} else if _, err := hex.Decode(file.SHA256[:], []byte(p.Before)); err != nil {
			return nil
		}
	}
	if len(pins) == 0 {
		return nil
	}
	out.Files = slices.DeleteFunc(out.Files, func(f verify.ManifestFile) bool { return f.Name == "" })
	return out
}

// since tells what became of a tree since it was installed, where nothing proves it
// now: what was believed then cannot be checked again, but it can be told.
func (f *Finding) since(kept *goroot.Record, beside *verify.Manifest, odd []string) {
	f.Differs = compare(beside, f.Manifest, odd, all)
	switch {
	case beside == nil:
	case len(f.Differs) > 0:
		f.note(lang.F("these files are no longer as they were unpacked: %s", "以下文件与解包时不同：%s", some(f.Differs)))
	case kept != nil:
		for _, e := range kept.Evidence {
			if e.Verdict == verify.Good {
				f.note(lang.F("its files are as they were installed; then it rested on %s", "其文件与安装时一致；当时的依据：%s", e.RestsOn))
			}
		}
	}
}

// prove finds the hash that the log tells, by the proof that came along or by asking.
// Where there is none, "" and a verdict.
func (f *Finding) prove(ctx context.Context, o *Options, carried *verify.Proof) (h1 string, err error) {
	if carried != nil {
		h1, err := f.accept(o, carried)
		if err == nil {
			return h1, nil
		}
		f.note(lang.F("the proof that came along does not hold: %s", "随附的证明无效：%s", err))
	}
	if o.Lookup == nil {
		f.end(Unproved, lang.T("there is no proof at hand, and the log was not asked", "手头没有证明，也未查询透明日志"))
		return "", nil
	}
	o.say("looking for the record of %s in Go's transparency log", "在 Go 的透明日志中查找 %s 的记录", f.Toolchain)
	p, err := o.Lookup(ctx, f.Toolchain)
	if err == nil {
		h1, err = f.accept(o, p)
	}
	var none *verify.NotInLogError
	var forged *verify.ForgedError
	var line *verify.NoLineError
	var fork *verify.ForkError
	switch {
	case err == nil:
		return h1, nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.As(err, &none):
		f.end(Vendor, none.Text())
	case errors.As(err, &fork), errors.As(err, &forged), errors.As(err, &line):
		// Somebody lies about the log. That does not speak against the files, but for nothing either.
		f.end(Unproved, lang.F("%s", "%s", err))
	default:
		f.end(Unproved, lang.F("%s", "%s", err))
	}
	return "", nil
}

// accept checks a proof and keeps it.
func (f *Finding) accept(o *Options, p *verify.Proof) (string, error) {
	h1, ev, err := p.H1(o.logKey(), f.Toolchain)
	if err != nil {
		return "", err
	}
	f.Proof, f.Evidence = p, append(f.Evidence, ev)
	return h1, nil
}

// uncovered notes the files that no record speaks of.
func (f *Finding) uncovered() {
	n := 0
	for _, one := range f.Manifest.Files {
		if !verify.InModule(one.Name) {
			n++
		}
	}
	if n > 0 {
		f.note(lang.F("%d files in api, doc, misc and test are no part of the record; nothing is built from them", "api、doc、misc、test 中的 %d 个文件不在记录之内；编译时不会用到它们", n))
	}
}

func all(string) bool { return true }

// release finds the files that the release has, by something whose own hash is the
// proved one, and which files it tells of.
func (f *Finding) release(ctx context.Context, o *Options, want string, beside *verify.Manifest) (*verify.Manifest, func(string) bool) {
	if beside != nil {
		if beside.H1(f.Toolchain) == want {
			return beside, all
		}
		f.note(lang.T("the manifest beside it is not that of the release", "旁边的清单并非该发行版的清单"))
	}
	if f.H1 == want {
		return nil, nil
	}
	if m := withFile(f.Manifest, goEnv); m.H1(f.Toolchain) == want {
		return m, all
	}
	if o.Module == nil {
		return nil, nil
	}
	o.say("reading the release of %s to find what differs", "读取 %s 的发行版以找出差异", f.Toolchain)
	r, err := o.Module(ctx, f.Toolchain)
	if err == nil {
		defer r.Close()
		var res *unpack.Result
		if res, err = unpack.Read(ctx, r, unpack.GoZip(f.Toolchain)); err == nil {
			if res.Manifest.H1(f.Toolchain) == want {
				return &res.Manifest, verify.InModule
			}
			err = lang.Errorf(nil, "what came is not the release", "收到的内容并非该发行版")
		}
	}
	f.note(lang.F("the release could not be read for comparing: %s", "无法读取发行版进行比对：%s", err))
	return nil, nil
}

// withFile is a manifest with one file put in the place of the one there.
func withFile(m *verify.Manifest, file verify.ManifestFile) *verify.Manifest {
	out := &verify.Manifest{Files: slices.Clone(m.Files)}
	out.Files = slices.DeleteFunc(out.Files, func(f verify.ManifestFile) bool { return f.Name == file.Name })
	out.Files = append(out.Files, file)
	out.Sort()
	return out
}

// compare tells how have differs from the release, in the order of names. odd are
// things in place of files; covered says of which names the release tells.
func compare(release, have *verify.Manifest, odd []string, covered func(string) bool) []Difference {
	if release == nil {
		return nil
	}
	how := make(map[string]How)
	sums := make(map[string][sha256.Size]byte, len(release.Files))
	for _, r := range release.Files {
		sums[r.Name] = r.SHA256
		how[r.Name] = Missing
	}
	see := func(name string, same func([sha256.Size]byte) bool) {
		sum, ok := sums[name]
		switch {
		case !ok && covered(name):
			how[name] = Added
		case ok && same(sum):
			delete(how, name)
		case ok:
			how[name] = Changed
		}
	}
	for _, h := range have.Files {
		see(h.Name, func(sum [sha256.Size]byte) bool { return sum == h.SHA256 })
	}
	for _, name := range odd {
		see(name, func([sha256.Size]byte) bool { return false })
	}
	out := make([]Difference, 0, len(how))
	for _, name := range slices.Sorted(maps.Keys(how)) {
		out = append(out, Difference{name, how[name]})
	}
	return out
}

// rebuilt says whether most programs of a release are others: somebody else compiled
// them, with patches or without.
func rebuilt(release *verify.Manifest, differs []Difference) bool {
	program := func(name string) bool { return strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/") }
	of, others := 0, 0
	for _, r := range release.Files {
		if program(r.Name) {
			of++
		}
	}
	for _, d := range differs {
		if d.How != Added && program(d.Name) {
			others++
		}
	}
	return 2*others > of
}
