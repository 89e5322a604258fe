package toolchain

import (
	"context"
	"errors"
	"path"
	"slices"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/fetch"
	"goxin/steps/goroot"
	"goxin/steps/op"
	"goxin/steps/origin"
	"goxin/steps/verify"
)

// authentic is origin's verdict on what is the release and nothing else.
const authentic = string(origin.Authentic)

const maxProof = 64 << 10

// prove asks the checksum database over the machine's network. A proxy that gives
// something forged for an answer does not keep the others from being asked.
func prove(ctx context.Context, m machine.Machine, proxies []string, key string, t verify.Toolchain, known []byte) (*verify.Proof, error) {
	c := fetch.New(m, fetch.Options{FirstByte: firstByte})
	defer c.Close()
	ask := func(proxies ...string) (*verify.Proof, error) {
		o := origin.Online(c, proxies, key)
		o.Know(known)
		return o.Lookup(ctx, t)
	}
	p, err := ask(proxies...)
	if err == nil || !lies(err) {
		return p, err
	}
	for _, one := range proxies {
		if p, err := ask(one); err == nil {
			return p, nil
		}
	}
	return nil, err
}

// lies says that somebody answered, and not with what the log has.
func lies(err error) bool {
	var forged *verify.ForgedError
	var line *verify.NoLineError
	return errors.As(err, &forged) || errors.As(err, &line)
}

// remember keeps the log's head that a toolchain was proved with: what the log shows
// now must not contradict it.
func (l *looker) remember(dir string) {
	if p := l.carried(dir); p != nil {
		l.heads = append(l.heads, p.Head())
	}
}

// carried is the proof in the record beside a toolchain; nil where there is none.
func (l *looker) carried(dir string) *verify.Proof {
	if r, err := goroot.ReadRecord(l.m, dir); err == nil {
		return r.Proof
	}
	return nil
}

// lookup finds the proof of a toolchain: the catalogue's, one that is carried along,
// or the log's own. It is checked.
func (l *looker) lookup(ctx context.Context, t verify.Toolchain) (*verify.Proof, error) {
	good := func(text []byte) *verify.Proof {
		p, err := verify.ParseProof(text)
		if err != nil {
			return nil
		}
		if _, _, err := p.H1(l.ask.Key, t); err != nil {
			return nil
		}
		return p
	}
	if f, ok := l.cat.Find(t.Version, t.OS, t.Arch); ok {
		if p := good([]byte(f.Proof)); p != nil {
			return p, nil
		}
	}
	if there, ok := l.seen.installed(t.Version, false); ok {
		if p := l.carried(there.Dir); p != nil {
			if p := good(p.Text()); p != nil {
				return p, nil
			}
		}
	}
	if l.shelf != nil {
		for _, name := range []string{t.Archive() + ".proof", t.ModuleVersion() + ".proof", path.Join(moduleDir, t.ModuleVersion()+".proof")} {
			if p := good(l.shelf.beside(path.Join(l.shelf.dir, name), maxProof)); p != nil {
				return p, nil
			}
		}
	}
	if !l.seen.Asked {
		return nil, errNothing
	}
	l.say(engine.Say(lang.F("asking Go's transparency log about %s", "正在向 Go 的透明日志查询 %s", t)))
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	return l.ask.Prove(ctx, l.m, l.proxyURLs(), l.ask.Key, t, verify.Newest(l.ask.Key, l.heads...))
}

// digest is the SHA-256 that the catalogue has of a file of this name.
func (l *looker) digest(base string) (string, lang.Text) {
	for _, r := range l.cat.Releases {
		for _, f := range r.Files {
			name := verify.Toolchain{Version: r.Version, OS: f.OS, Arch: f.Arch}.Archive()
			if f.Source {
				name = r.Version + ".src.tar.gz"
			}
			if name == base && f.SHA256 != "" {
				return f.SHA256, f.From
			}
		}
	}
	return "", lang.Text{}
}

func (l *looker) options() origin.Options {
	return origin.Options{
		Lookup: l.lookup, Digest: l.digest, Released: l.released, Now: l.m.Now(), LogKey: l.ask.Key,
		Records: l.facts.Running,
		Say:     func(t lang.Text) { l.say(engine.Say(t)) },
	}
}

func (l *looker) released(version string) time.Time {
	r, _ := l.cat.Release(version)
	return r.Date
}

// evidence is what proves a toolchain that comes over the network: the log's record,
// and the digest of the catalogue. Google's signature comes with the archive.
func (l *looker) evidence(ctx context.Context, w *Wanted) error {
	file, _ := l.cat.Find(w.Version, "linux", l.seen.Arch)
	if w.Build != nil {
		file, _ = l.cat.Find(w.Version, "", "")
	}
	w.SHA256, w.From = file.SHA256, file.From
	p, err := l.lookup(ctx, w.Module)
	var gone *verify.NotInLogError
	if w.Build != nil && errors.As(err, &gone) && w.Module.Arch != "amd64" {
		w.Module.Arch = "amd64" // every module has the same source
		p, err = l.lookup(ctx, w.Module)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		h1, ev, err := p.H1(l.ask.Key, w.Module)
		if err != nil {
			return err // lookup has checked it
		}
		w.H1, w.Proof, w.Evidence = h1, string(p.Text()), []verify.Evidence{ev}
		return nil
	}
	var fork *verify.ForkError
	switch {
	case errors.As(err, &fork):
		w.Trouble = trouble(lang.Errorf(err, "cannot install %s", "无法安装 %s", w.Version).
			WithHint("somebody shows this machine another history than the rest of the world; try another GOPROXY, and tell golang/go of the two heads", "有人向本机展示了与他人不同的历史；请换用其他 GOPROXY，并将两个树头报告给 golang/go")).refused()
	case w.There && w.SHA256 == "":
		// What is there stays. What its archive was is in its record.
		if r, err := goroot.ReadRecord(l.m, w.Dir); err == nil && r.Proof == nil {
			w.SHA256, w.From = r.SHA256, lang.Same(goroot.Evidence(w.Dir))
		}
	case w.There || w.SHA256 != "":
		// What the catalogue knows is proved by its digest.
	case errors.As(err, &gone) && !slices.Contains(l.seen.Known, w.Version):
		w.Trouble = trouble(unknown(w.Version, l.seen.Arch, l.seen.Known))
	default:
		w.Trouble = l.unproved(w.Version, err)
	}
	return nil
}

// unproved says that nothing proves a version. What the log does not know, or knows
// otherwise, is refused; a log that could not be asked is another thing.
func (l *looker) unproved(version string, cause error) *Trouble {
	var gone *verify.NotInLogError
	if errors.Is(cause, errNothing) {
		err := lang.Errorf(nil, "cannot install %s: nothing proves it from here: the catalogue has neither its digest nor its proof for linux/%s, and there is nobody to ask", "无法安装 %s：此处无从验证：目录中没有 linux/%s 的摘要或证明，也无法联网查询", version, l.seen.Arch)
		if near := nearest(version, l.seen.Known); near != "" {
			return trouble(err.WithHint("bring the archive with its .asc in a directory (source: DIR), or take one that the catalogue knows: %s", "请把安装包与其 .asc 放入一个目录（source: 目录），或选用内置目录中的版本：%s", near))
		}
		return trouble(err.WithHint("bring the archive with its .asc in a directory: source: DIR", "请把安装包与其 .asc 放入一个目录：source: 目录"))
	}
	err := lang.Errorf(cause, "cannot install %s: nothing proves it", "无法安装 %s：没有任何证据能证明它", version)
	if errors.As(cause, &gone) || lies(cause) {
		return trouble(err.WithHint("does the version exist? see https://go.dev/dl/; another GOPROXY can be given: goproxy", "该版本是否存在？见 https://go.dev/dl/；也可换用其他 GOPROXY（goproxy）")).refused()
	}
	return trouble(err.WithHint("the log could not be asked: is the network up, the proxy set, the clock right? Without a network bring the archive with its .asc in a directory: source: DIR",
		"无法查询透明日志：请检查网络、代理与时钟；没有网络时，可把安装包与其 .asc 放入一个目录：source: 目录"))
}

// fromShelf judges the file of a directory, all of it: a stick's file may be cut short.
func (l *looker) fromShelf(ctx context.Context, w *Wanted) error {
	file, format := l.shelf.find(w.Version, l.seen.Arch, w.Build != nil)
	if file == "" {
		w.Trouble = trouble(l.shelf.lacks(w.Version, l.seen.Arch, l.builds()))
		return nil
	}
	shown := op.Visible(file)
	l.say(engine.Say(lang.F("reading %s", "正在读取 %s", shown)))
	f, err := l.ask.File(ctx, l.m, file, l.options())
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		w.Trouble = trouble(lang.Errorf(err, "cannot install %s from %s", "无法从 %[2]s 安装 %[1]s", w.Version, shown).
			WithHint("is the stick still there, and can it be read (dmesg)?", "U 盘是否仍在、能否读取（dmesg）？"))
		return nil
	}
	if f.Verdict != origin.Authentic {
		e := lang.Errorf(nil, "cannot install %s from %s: %s", "无法从 %[2]s 安装 %[1]s：%[3]s", w.Version, shown, f.Text())
		if f.Verdict == origin.Unproved {
			e = e.WithHint("put its signature beside it (%s.asc, from go.dev/dl), or let goxin ask the log", "请把签名文件放在旁边（%s.asc，来自 go.dev/dl），或让 goxin 能联网查询日志", path.Base(shown))
		} else {
			e = e.WithHint("copy it anew and compare its size with the original's: a copy that was cut short is the usual cause", "请重新复制，并与原文件比较大小：最常见的原因是复制不完整")
		}
		w.Trouble = trouble(e).refused()
		return nil
	}
	if info, err := l.m.Stat(file); err == nil {
		w.Size = info.Size
	}
	w.Format, w.Sources, w.H1, w.Evidence = format, []string{file}, f.H1, f.Evidence
	w.Read = f.SHA256 // what lies there by the time it is installed may be something else
	if f.Toolchain.Arch != "" {
		w.Module = f.Toolchain
	}
	proved := false
	for _, e := range f.Evidence {
		switch {
		case e.Verdict != verify.Good:
		case e.Kind == verify.Log && f.Proof != nil:
			w.Proof, proved = string(f.Proof.Text()), true
		case e.Kind == verify.Digest:
			w.SHA256, proved = f.SHA256, true
			_, w.From = l.digest(path.Base(file))
		case e.Kind == verify.Detached:
			w.Signature = l.shelf.beside(file+".asc", verify.MaxSignature)
			proved = proved || w.Signature != nil
		}
	}
	w.Dir = l.dir(w)
	if w.Proof == "" {
		w.H1 = "" // it gave the directory its name; nothing proves it alone
	}
	if !proved {
		w.Trouble = l.unproved(w.Version, errNothing).refused()
	}
	return nil
}
