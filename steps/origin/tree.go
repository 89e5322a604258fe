package origin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/goroot"
	"goxin/steps/verify"
)

// Tree says what the GOROOT in dir is, which may be a link. A directory that is no Go
// tree at all is an error.
func Tree(ctx context.Context, m machine.Machine, dir string, o Options) (*Finding, error) {
	dir = path.Clean(dir)
	fail := func(err error) error { return lang.Errorf(err, "cannot verify %s", "无法验证 %s", dir) }
	f := &Finding{Path: dir, What: GoTree}
	if err := f.ask(m, dir); err != nil {
		return nil, fail(err)
	}
	o.say("hashing the files of %s", "计算 %s 中文件的哈希", dir)
	files, err := hashTree(ctx, m, dir)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fail(err)
	}
	f.Manifest = &files.Manifest
	switch {
	case f.Toolchain.Version == "":
		f.end(Vendor, lang.T("its VERSION file names no release", "其 VERSION 文件没有写明发行版本"))
		return f, nil
	case f.Toolchain.OS == "":
		f.end(Unproved, lang.T("it has no program bin/go for Linux", "其中没有 Linux 上的 bin/go 程序"))
		return f, nil
	}
	real := target(m, dir)
	k := &kept{dir: real, record: f.record(m, real), exposed: func() (string, error) { return guarded(m, real) }}
	k.manifest, k.sum = f.beside(m, goroot.Manifest(real))
	return f, f.judge(ctx, &o, files.odd, k)
}

// ask reads what a tree says it is.
func (f *Finding) ask(m machine.Machine, dir string) error {
	var text []byte
	noVersion := regular(m, dir+"/VERSION")
	if noVersion == nil {
		text, noVersion = m.ReadFile(dir + "/VERSION")
	}
	if noVersion != nil && !errors.Is(noVersion, fs.ErrNotExist) {
		return noVersion
	}
	head, noGo := head(m, dir+"/bin/go")
	if noVersion != nil && noGo != nil {
		if _, err := m.Stat(dir); err != nil {
			return err
		}
		return lang.Errorf(nil, "there is neither VERSION nor bin/go in it", "其中既没有 VERSION 也没有 bin/go").
			WithHint("give the top of a Go tree, as `go env GOROOT` tells it, or a file", "请给出 Go 目录树的顶层（即 `go env GOROOT`），或一个文件")
	}
	f.Toolchain.Version = release(text)
	if os, arch, ok := platform(head); ok {
		f.Toolchain.OS, f.Toolchain.Arch = os, arch
	}
	return nil
}

// regular says that there is such a file and that it can be read without waiting:
// whoever holds the other end of a pipe need not write.
func regular(m machine.Machine, name string) error {
	info, err := m.Stat(name)
	if err == nil && !info.Mode.IsRegular() {
		err = lang.Errorf(nil, "%s is no regular file", "%s 不是普通文件", name)
	}
	return err
}

// head is the beginning of a file, as long as it is at most.
func head(m machine.Machine, name string) ([]byte, error) {
	if err := regular(m, name); err != nil {
		return nil, err
	}
	r, err := m.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, headBytes)
	n, err := io.ReadFull(r, b)
	return b[:n], err
}

// target is where a link leads, for what lies beside the tree.
func target(m machine.Machine, dir string) string {
	for range 8 {
		to, err := m.Readlink(dir)
		if err != nil {
			break
		}
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(dir), to)
		}
		dir = path.Clean(to)
	}
	return dir
}

// record is what goxin wrote down when it installed a tree; nil where there is nothing.
func (f *Finding) record(m machine.Machine, dir string) *goroot.Record {
	r, err := goroot.ReadRecord(m, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.note(lang.F("%s cannot be read: %s", "无法读取 %s：%s", goroot.Evidence(dir), err))
	}
	return r
}

// beside is the manifest of what was unpacked, and its file's SHA-256; nil where there
// is none.
func (f *Finding) beside(m machine.Machine, name string) (*verify.Manifest, string) {
	text, err := m.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ""
	}
	var man *verify.Manifest
	if err == nil {
		man, err = verify.ReadManifest(bytes.NewReader(text))
	}
	if err != nil {
		f.note(lang.F("%s cannot be read: %s", "无法读取 %s：%s", name, err))
		return nil, ""
	}
	sum := sha256.Sum256(text)
	return man, hex.EncodeToString(sum[:])
}
