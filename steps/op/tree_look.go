package op

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/goroot"
	"goxin/steps/verify"
)

// How a file can be otherwise than its manifest says.
const (
	howChanged = "changed"
	howMissing = "missing"
	howAdded   = "added"
	howOpen    = "open" // others than root can change it
)

// beside is the two files that belong to a tree; nil, which is null in JSON: not there.
type beside struct {
	Manifest []byte `json:"manifest"`
	Record   []byte `json:"record"`
}

func (b beside) blob() []byte {
	if b.Manifest == nil && b.Record == nil {
		return nil
	}
	out, err := json.Marshal(b)
	if err != nil {
		panic(err) // plain data
	}
	return out
}

// lookBeside reads them.
func (o *Tree) lookBeside(m machine.Machine) (b beside, err error) {
	for name, to := range map[string]*[]byte{goroot.Manifest(o.Dir): &b.Manifest, goroot.Evidence(o.Dir): &b.Record} {
		data, err := m.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return b, err
		}
		if *to = data; data == nil {
			*to = []byte{}
		}
	}
	return b, nil
}

func sumOf(b []byte) string {
	if b == nil {
		return ""
	}
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// look is the quick look: nothing is read but the manifest and the record.
func (o *Tree) look(m machine.Machine) (s treeState, b beside, err error) {
	if b, err = o.lookBeside(m); err != nil {
		return s, b, err
	}
	s.Manifest, s.Record = sumOf(b.Manifest), sumOf(b.Record)
	info, err := m.Lstat(o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, b, nil
	}
	if err == nil && !info.Mode.IsDir() {
		err = lang.Errorf(nil, "it is not a directory", "它不是目录").
			WithHint("move it away: a directory is needed here", "请先移走它：这里需要一个目录")
	}
	if err != nil {
		return s, b, err
	}
	guard, err := goroot.GuardOf(m)
	if err != nil {
		return s, b, err
	}
	seen := glance{sum: sha256.New(), guard: guard}
	if err := seen.walk(m, o.Dir, "", info); err != nil {
		return s, b, err
	}
	s.Look = hex.EncodeToString(seen.sum.Sum(nil))
	if s.Slot, err = o.slot(m); err != nil {
		return s, b, err
	}
	s.Is = treeUnlisted
	man, err := verify.ReadManifest(bytes.NewReader(b.Manifest))
	rec, err2 := goroot.ParseRecord(b.Record)
	if err != nil || err2 != nil || rec.Manifest != s.Manifest || len(rec.Made) == 0 && rec.H1 != man.H1(rec.Toolchain) {
		return s, b, nil
	}
	if s.Differs, s.How = seen.against(man); s.How == "" && seen.open != "" {
		s.Differs, s.How = seen.open, howOpen
	}
	switch {
	case s.How != "":
		s.Is = treeDamaged
	case !o.wants(rec):
		s.Is = treeOther
	default:
		s.Is = treeWhole
	}
	return s, b, nil
}

// wants says whether a tree of this origin is the one that is wanted: the hash of
// its files decides, and where nobody knows that, the archive's.
func (o *Tree) wants(r *goroot.Record) bool {
	switch w := o.Want; {
	case w == nil:
		return true
	case r.Toolchain != w.Toolchain, (o.Make != nil) != (len(r.Made) > 0), o.Make != nil && r.Overlay != o.Make.Overlay:
		return false
	case w.H1 != "" && r.H1 != "":
		return r.H1 == w.H1
	case w.SHA256 != "":
		return r.SHA256 == w.SHA256
	}
	return true
}

// glance is all of a tree as ls -lR would tell it.
type glance struct {
	sum   hash.Hash
	files []glanced // what is no directory
	guard goroot.Guard
	open  string // the first thing that is not root's alone; "." is the top
}

type glanced struct {
	name string // from the top
	info machine.Info
}

func (g *glance) walk(m machine.Machine, dir, name string, info machine.Info) error {
	fmt.Fprintf(g.sum, "%q %v %d %d\n", name, info.Mode, info.UID, info.GID)
	g.judge(path.Clean(name), info)
	names, err := m.ReadDir(path.Join(dir, name))
	if err != nil {
		return err
	}
	for _, n := range names {
		at := path.Join(name, n)
		info, err := m.Lstat(dir + "/" + at)
		if err != nil {
			return err
		}
		if info.Mode.IsDir() {
			if err := g.walk(m, dir, at, info); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(g.sum, "%q %v %d %d %d\n", at, info.Mode, info.Size, info.UID, info.GID)
		g.judge(at, info)
		g.files = append(g.files, glanced{at, info})
	}
	return nil
}

func (g *glance) judge(name string, info machine.Info) {
	if g.open == "" && !g.guard.Alone(info) {
		g.open = name
	}
}

// against names the first file that is not as a manifest says.
func (g *glance) against(man *verify.Manifest) (name, how string) {
	slices.SortFunc(g.files, func(a, b glanced) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	left := man.Files
	for _, f := range g.files {
		if len(left) == 0 || f.name < left[0].Name {
			return f.name, howAdded
		}
		if f.name > left[0].Name {
			return left[0].Name, howMissing
		}
		if !f.info.Mode.IsRegular() || f.info.Mode != left[0].Mode || f.info.Size != left[0].Size {
			return f.name, howChanged
		}
		left = left[1:]
	}
	if len(left) > 0 {
		return left[0].Name, howMissing
	}
	return "", ""
}

// listed reads all files of a tree that was built, for its manifest.
func listed(m machine.Machine, dir string) (*verify.Manifest, error) {
	seen := glance{sum: sha256.New()}
	if err := seen.walk(m, dir, "", machine.Info{}); err != nil {
		return nil, err
	}
	man := new(verify.Manifest)
	for _, f := range seen.files {
		if !f.info.Mode.IsRegular() || !fs.ValidPath(f.name) {
			return nil, lang.Errorf(nil, "%s is no file", "%s 不是普通文件", Visible(f.name))
		}
		r, err := m.Open(dir + "/" + f.name)
		if err != nil {
			return nil, err
		}
		h := sha256.New()
		n, err := io.Copy(h, r)
		r.Close()
		if err != nil {
			return nil, err
		}
		file := verify.ManifestFile{Name: f.name, Mode: f.info.Mode.Perm(), Size: n}
		h.Sum(file.SHA256[:0])
		man.Files = append(man.Files, file)
	}
	man.Sort()
	return man, nil
}
