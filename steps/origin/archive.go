package origin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/klauspost/compress/gzip"

	"goxin/assets/lang"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// sniffBytes is how much of a file tells what it is.
const sniffBytes = 64 << 10

// moduleTop is what the names in a toolchain's module begin with.
var moduleTop = regexp.MustCompile(`^golang\.org/toolchain@v0\.0\.1-(go1[0-9a-z.]*)\.([a-z0-9]+)-([a-z0-9]+)/`)

// sniff tells by a file's beginning what it may be, and how to unpack it.
func sniff(head []byte) (What, unpack.Options) {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) && len(head) > 30:
		// APPNOTE 4.3.7: the first name's length is at 26, the name at 30.
		n := int(head[26]) | int(head[27])<<8
		name := head[30:min(len(head), 30+n)]
		if m := moduleTop.FindSubmatch(name); m != nil {
			t := verify.Toolchain{Version: string(m[1]), OS: string(m[2]), Arch: string(m[3])}
			if t.Check() == nil {
				return GoModule, unpack.GoZip(t)
			}
		}
	case isGzip(head):
		z, err := gzip.NewReader(bytes.NewReader(head))
		if err != nil {
			break
		}
		var name [3]byte
		if _, err := io.ReadFull(z, name[:]); err == nil && string(name[:]) == "go/" {
			return GoArchive, unpack.GoTar()
		}
	}
	return Other, unpack.Options{}
}

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}) }

// archiveName is how archives of Go are called: go1.26.8.linux-amd64.tar.gz,
// go1.26.8.src.tar.gz, v0.0.1-go1.26.8.linux-amd64.zip.
var archiveName = regexp.MustCompile(`^(?:v0\.0\.1-)?(go1(?:\.?[0-9a-z]+)*)\.(?:src|([a-z0-9]+)-([a-z0-9]+))\.(?:tar\.gz|zip)$`)

// called is the toolchain that a file's name promises; false where it promises none.
func called(base string) (verify.Toolchain, bool) {
	m := archiveName.FindStringSubmatch(base)
	if m == nil {
		return verify.Toolchain{}, false
	}
	t := verify.Toolchain{Version: m[1], OS: m[2], Arch: strings.TrimSuffix(m[3], "v6l")} // linux-armv6l is GOARCH=arm
	return t, true
}

// archive reads an archive of Go to its end and says what is in it. An archive that is
// not safe to unpack gets its verdict here.
func (f *Finding) archive(ctx context.Context, r io.Reader, o unpack.Options) error {
	in := new(glimpse)
	res, err := unpack.Into(ctx, r, in, o)
	f.Toolchain.Version = release(in.version.Bytes())
	name, named := called(path.Base(f.Path))
	if os, arch, ok := platform(in.program.Bytes()); ok {
		f.Toolchain.OS, f.Toolchain.Arch = os, arch
	} else if f.What == GoArchive && in.program.Len() == 0 {
		f.What = GoSource
	} else if named && name.Version == f.Toolchain.Version && (name.OS != "linux" || !isProgram(in.program.Bytes())) { // the hash covers the name
		f.Toolchain = name
	}
	var unsafe *unpack.UnsafeError
	switch {
	case errors.As(err, &unsafe):
		f.end(Refused, unsafe.Text())
	case err != nil:
		return err
	case f.Toolchain.Version == "": // something else that happens to have a directory go/
		f.What, f.Toolchain = Other, verify.Toolchain{}
	case f.What == GoModule && o.Top != unpack.GoZip(f.Toolchain).Top:
		f.end(Refused, lang.F("by its names it is %s, by its content %s", "文件路径表示 %s，内容却是 %s", strings.Trim(o.Top, "/"), f.Toolchain))
	case named && name != f.Toolchain:
		f.end(Refused, lang.F("by its name it is %s, by its content %s", "文件名表示 %s，内容却是 %s", said(name), said(f.Toolchain)))
	case named && !toolsOf(&res.Manifest, name):
		f.end(Refused, lang.F("by its name it is %s, and its tools are of another system", "文件名表示 %s，其中的工具却属于另一个系统", said(name)))
	default:
		f.Manifest = &res.Manifest
	}
	return nil
}

// toolsOf says whether the tools of a release are t's: an ELF header does not tell all
// systems apart.
func toolsOf(m *verify.Manifest, t verify.Toolchain) bool {
	other := false
	for _, f := range m.Files {
		rest, ok := strings.CutPrefix(f.Name, "pkg/tool/")
		dir, _, _ := strings.Cut(rest, "/")
		switch {
		case ok && dir == t.OS+"_"+t.Arch:
			return true
		case ok && strings.Contains(dir, "_"):
			other = true
		}
	}
	return !other
}

// isProgram says whether a file begins as the programs of the systems do that Go is
// released for: ELF, Mach-O, PE.
func isProgram(head []byte) bool {
	for _, magic := range []string{"\x7fELF", "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "MZ"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// said is a toolchain, or the sources of a release.
func said(t verify.Toolchain) lang.Text {
	if t.OS == "" {
		return lang.F("%s source", "%s 源码", t.Version)
	}
	return lang.Same(t.String())
}

// glimpse is a stage that keeps nothing but what tells a release: VERSION and the
// beginning of bin/go.
type glimpse struct{ version, program first }

func (g *glimpse) Create(name string, _ fs.FileMode) (io.WriteCloser, error) {
	switch path.Clean(name) {
	case "VERSION":
		return &g.version, nil
	case "bin/go":
		return &g.program, nil
	}
	return nothing{}, nil
}

func (*glimpse) Path() string                    { return "" }
func (*glimpse) Mkdir(string, fs.FileMode) error { return nil }
func (*glimpse) Symlink(string, string) error    { return nil }
func (*glimpse) Commit() error                   { return nil }
func (*glimpse) Discard() error                  { return nil }

// first keeps the first kilobyte of what is written to it.
type first struct{ bytes.Buffer }

func (s *first) Write(p []byte) (int, error) {
	s.Buffer.Write(p[:min(len(p), 1024-s.Len())])
	return len(p), nil
}

func (*first) Close() error { return nil }

type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) Close() error                { return nil }
