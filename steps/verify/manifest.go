package verify

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Manifest is every regular file of a tree: what was unpacked, and what should
// still be there. Names are slash-separated and relative to the tree's top.
type Manifest struct{ Files []ManifestFile }

// ManifestFile is one file of a Manifest.
type ManifestFile struct {
	Name   string
	Mode   fs.FileMode // permission bits
	Size   int64
	SHA256 [sha256.Size]byte
}

// Sort puts the files in the order of their names, in which a Manifest is written.
func (m *Manifest) Sort() {
	slices.SortFunc(m.Files, func(a, b ManifestFile) int { return cmp.Compare(a.Name, b.Name) })
}

// left are the directories of a release that its module does not have
// (cmd/distpack, modArch, as of Go 1.21).
var left = []string{"api/", "doc/", "misc/", "test/"}

// InModule says whether a file of a GOROOT is part of the toolchain's module.
func InModule(name string) bool {
	return !slices.ContainsFunc(left, func(dir string) bool { return strings.HasPrefix(name, dir) })
}

// H1 is the hash that the checksum database holds of the toolchain t, computed over
// the files of its GOROOT: cmd/distpack makes the module from the same files as the
// archive, without four directories and with every go.mod called _go.mod, and
// dirhash.Hash1 hashes it. The order of Files does not matter.
func (m *Manifest) H1(t Toolchain) string {
	prefix := ToolchainModule + "@" + t.ModuleVersion() + "/"
	type line struct {
		name string
		sum  [sha256.Size]byte
	}
	lines := make([]line, 0, len(m.Files))
	for _, f := range m.Files {
		if !InModule(f.Name) {
			continue
		}
		name := f.Name
		switch dir, base := path.Split(name); base {
		case "go.mod":
			name = dir + "_go.mod"
		case "_go.mod": // no release has one: it must not pass for the go.mod that is missing
			name = dir + "__go.mod"
		}
		lines = append(lines, line{name, f.SHA256})
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.name, b.name) })
	h := sha256.New()
	b := make([]byte, 0, 512)
	for _, l := range lines {
		b = hex.AppendEncode(b[:0], l.sum[:])
		b = append(b, "  "...)
		b = append(b, prefix...)
		b = append(b, l.name...)
		b = append(b, '\n')
		h.Write(b)
	}
	return "h1:" + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// WriteTo writes the manifest as text, a line for each file: the digest, the mode in
// octal, the size, the name. sha256sum -c reads what `cut -c1-65,82-` would leave; the
// columns have a fixed width.
func (m *Manifest) WriteTo(w io.Writer) (int64, error) {
	b := bufio.NewWriter(w)
	var n int64
	for _, f := range m.Files {
		k, err := fmt.Fprintf(b, "%x %04o %011d %s\n", f.SHA256, f.Mode.Perm(), f.Size, f.Name)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, b.Flush()
}

// maxManifest bounds the files of a manifest that is read.
const maxManifest = 1_000_000

// ReadManifest reads what WriteTo wrote. Errors tell the line.
func ReadManifest(r io.Reader) (*Manifest, error) {
	m := new(Manifest)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		f, err := manifestLine(lines.Text())
		if err != nil {
			return nil, malformed("line %d of a manifest: %s", "清单第 %d 行：%s", n, err)
		}
		if k := len(m.Files); k == maxManifest || k > 0 && m.Files[k-1].Name >= f.Name {
			return nil, malformed("line %d of a manifest: too many files, or not in order", "清单第 %d 行：文件过多，或顺序不对", n)
		}
		m.Files = append(m.Files, f)
	}
	return m, lines.Err()
}

func manifestLine(s string) (f ManifestFile, err error) {
	part := strings.SplitN(s, " ", 4)
	if len(part) != 4 || len(part[0]) != 2*sha256.Size {
		return f, io.ErrUnexpectedEOF
	}
	if _, err = hex.Decode(f.SHA256[:], []byte(part[0])); err != nil {
		return f, err
	}
	mode, err := strconv.ParseUint(part[1], 8, 9)
	if err != nil {
		return f, err
	}
	f.Mode = fs.FileMode(mode)
	if f.Size, err = strconv.ParseInt(part[2], 10, 64); err != nil {
		return f, err
	}
	if f.Name = part[3]; !fs.ValidPath(f.Name) {
		return f, fs.ErrInvalid
	}
	return f, nil
}
