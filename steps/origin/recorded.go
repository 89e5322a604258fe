package origin

import (
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/goroot"
	"goxin/steps/overlay"
	"goxin/steps/verify"
)

// kept is what was written down beside a tree when it was unpacked. The zero value is
// nothing.
type kept struct {
	dir      string
	record   *goroot.Record   // nil: there is none
	manifest *verify.Manifest // nil: there is none
	sum      string           // SHA-256 of the manifest's file, in hexadecimal
	// exposed names what others than root can change of all this; "" where there is
	// nothing.
	exposed func() (string, error)
}

func (k *kept) proof() *verify.Proof {
	if k.record == nil {
		return nil
	}
	return k.record.Proof
}

// guarded says of a directory and the files beside it by what others than root could
// change them.
func guarded(m machine.Machine, dir string) (string, error) {
	g, err := goroot.GuardOf(m)
	if err != nil {
		return "", err
	}
	for _, name := range []string{goroot.Manifest(dir), goroot.Evidence(dir)} {
		info, err := m.Lstat(name)
		if err != nil || !g.Alone(info) || !info.Mode.IsRegular() {
			return name, err
		}
	}
	return g.Way(dir)
}

// recorded gives the verdict Recorded where that can be: goxin installed the tree on
// this machine, nobody but root can have changed what it wrote down then, all files
// are still those, and what it believed then is what it would believe today.
func (f *Finding) recorded(o *Options, odd []string, k *kept) bool {
	r, built := k.record, goroot.IsBuilt(k.dir)
	if !o.Records || r == nil || k.manifest == nil || !goroot.Inside(k.dir) || built != (len(r.Made) > 0) {
		return false
	}
	is, ok := goroot.Parse(k.dir)
	switch {
	case !ok || is != f.Toolchain || is.Version != r.Toolchain.Version || !built && is != r.Toolchain,
		r.Manifest != k.sum, !built && k.manifest.H1(is) != r.H1:
		f.note(lang.T("its name, its manifest and the record of its installation do not belong together", "其目录名、清单与安装记录彼此不符"))
		return false
	case len(compare(k.manifest, f.Manifest, odd, all)) > 0:
		return false
	case r.Overlay != 0 && (r.Overlay != overlay.Number || f.without() == nil):
		f.note(lang.F("its record speaks of goxin's overlay %d, and that is not what is in its source", "安装记录称含有 goxin 第 %d 版补丁，而源码中的内容与之不符", r.Overlay))
		return false
	}
	if exposed, err := k.exposed(); err != nil || exposed != "" {
		f.note(lang.F("the record of its installation is not believed: others than root can change %s", "不采信其安装记录：非 root 用户可以修改 %s", exposed))
		return false
	}
	rests := believed(o, r)
	if len(rests) == 0 {
		f.note(lang.T("the record of its installation tells nothing that would be believed today", "其安装记录中没有如今仍可采信的依据"))
		return false
	}
	f.Built, f.Overlay, f.Evidence = built, r.Overlay, append(f.Evidence, rests...)
	f.note(lang.F("this rests on the record in %s, which root of this machine can change, and on no proof that could be checked again", "此结论依据 %s 中的安装记录（本机 root 可以修改），而非可重新核验的证明", goroot.Evidence(k.dir)))
	if built {
		with := r.With
		if with.Empty() {
			with = lang.T("a Go that the record does not name", "记录中未注明的 Go")
		}
		f.note(lang.F("it was built here with %s: what that puts into a program is in this one too", "它是在本机用 %s 编译的：后者写入程序的内容也会在其中", with))
	}
	f.end(Recorded, f.Why)
	return true
}

// believed is what of a record would be believed today: that the archive had the digest
// that is known of it, or that a signature of Google's key was good; of what was built,
// also that the log proves the source.
func believed(o *Options, r *goroot.Record) []verify.Evidence {
	built := len(r.Made) > 0
	at := lang.T("the record of its installation on this machine", "本机上的安装记录")
	if built {
		at = lang.T("the record of its build on this machine", "本机上的编译记录")
	}
	names := []string{r.Toolchain.Archive()}
	if built {
		names = append(names, archive(verify.Toolchain{Version: r.Toolchain.Version}))
	}
	var out []verify.Evidence
	other := false // another digest is published than the record has
	for _, name := range names {
		if o.Digest == nil {
			break
		}
		want, from := o.Digest(name)
		if !strings.EqualFold(want, r.SHA256) {
			other = other || want != ""
			continue
		}
		if want != "" {
			out = append(out, verify.Evidence{
				Kind: verify.Digest, Verdict: verify.Good, Note: lang.Same("sha256 " + r.SHA256),
				RestsOn: lang.F("%s: it came from %s, and the SHA-256 of that is in %s", "%s：来自 %s，其 SHA-256 见于%s", at, name, from),
			})
		}
	}
	if len(out) == 0 && other && !built {
		return nil // whatever else was found good then
	}
	for _, e := range r.Evidence {
		if e.Kind == verify.Detached && e.Verdict == verify.Good && e.Key == verify.GoogleKey {
			e.RestsOn = lang.F("%s: the archive had a good signature by %s", "%s：归档带有有效签名，签名密钥为 %s", at, e.RestsOn)
			out = append(out, e)
		}
	}
	if built && r.Proof != nil {
		if h1, e, err := r.Proof.H1(o.logKey(), r.Toolchain); err == nil && h1 == r.H1 {
			e.RestsOn = lang.F("%s, for what it was built from: %s", "%s（针对所用源码）：%s", at, e.RestsOn)
			out = append(out, e)
		}
	}
	return out
}
