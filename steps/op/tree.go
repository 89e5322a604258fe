package op

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// Tree is a directory of Go: unpacked from an archive whose origin is proved, or
// moved away. Under its name it is whole or not there. Beside it stand its manifest
// and a record of its origin (package goroot), which come before it and go after it.
//
// What is in the directory is known by its manifest: sizes, modes and owners of all
// files. That its bytes are still those is for `goxin verify` to say; here it would
// cost a second at every look.
//
// A tree that is there and is not the one that is wanted, or no longer whole, is
// somebody's by now: it goes to Trash, and comes back with Undo.
type Tree struct {
	Dir     string   `json:"dir"`
	Archive *Archive `json:"archive,omitempty"`
	Want    *Want    `json:"want,omitempty"`
	Make    *Make    `json:"make,omitempty"`
	Absent  bool     `json:"absent,omitempty"` // moved to Trash; Archive and Want are nil
	// Trash is the directory for what is moved away, on the same file system;
	// empty: goroot.Removed. It has to be there.
	Trash  string    `json:"trash,omitempty"`
	Reason lang.Text `json:"reason"`
}

// Archive is where the files come from.
type Archive struct {
	Sources []string `json:"sources"` // http(s) addresses, or absolute paths on the machine, to be tried in this order
	Format  string   `json:"format"`  // unpack.TarGz or unpack.Zip
}

// Want is what the archive has to be. All that is set must hold; H1 with its Proof,
// SHA256 or Signature has to be.
type Want struct {
	Toolchain verify.Toolchain `json:"toolchain"`
	H1        string           `json:"h1,omitempty"`        // of its files, as the log has it
	Proof     string           `json:"proof,omitempty"`     // verify.Proof's text
	LogKey    string           `json:"log_key,omitempty"`   // of the log; empty: Go's own, verify.LogKey
	SHA256    string           `json:"sha256,omitempty"`    // of the archive, in hexadecimal
	From      lang.Text        `json:"from,omitzero"`       // who says SHA256
	Signature []byte           `json:"signature,omitempty"` // of the archive, by Google
	Size      int64            `json:"size,omitempty"`      // of the archive, in bytes
	// Read is the SHA-256 of an archive that was read before, in hexadecimal. It proves
	// nothing, and holds the archive to what was looked at then.
	Read string `json:"read,omitempty"`
}

// Make is a command that builds the tree in what was unpacked. In Argv and Env,
// "{tree}" is the directory where it stands then.
type Make struct {
	Argv  []string  `json:"argv"`
	Dir   string    `json:"dir,omitempty"` // in the tree
	Env   []string  `json:"env,omitempty"`
	Clear []string  `json:"clear,omitempty"` // names in the tree that are removed first
	Drop  []string  `json:"drop,omitempty"`  // names in the tree that are removed afterwards
	With  lang.Text `json:"with,omitzero"`   // what it is built with, for the record: "go1.24.4 in DIR, …"

	// Overlay is which of goxin's overlays goes into the sources first (overlay.Number);
	// 0: none.
	Overlay int `json:"overlay,omitempty"`
}

// How a tree stands.
const (
	treeNone     = ""
	treeWhole    = "whole"    // as its manifest says, and what is wanted
	treeDamaged  = "damaged"  // not as its manifest says, or somebody else's to change
	treeUnlisted = "unlisted" // without a manifest and record that belong together
	treeOther    = "other"    // whole, and another one than is wanted
)

type treeState struct {
	Is       string `json:"is,omitempty"`
	Look     string `json:"look,omitempty"`     // digest of names, sizes, modes and owners
	Differs  string `json:"differs,omitempty"`  // the first file that is not as the manifest says
	How      string `json:"how,omitempty"`      // changed, missing, added or open
	Manifest string `json:"manifest,omitempty"` // SHA-256 of the file
	Record   string `json:"record,omitempty"`   // SHA-256 of the file
	// Slot is where the tree would go. What stands there later was moved by us.
	Slot string `json:"slot,omitempty"`
}

func (s treeState) there() bool { return s.Is != treeNone }

// Kind is "tree".
func (o *Tree) Kind() string { return "tree" }

// Target is the directory.
func (o *Tree) Target() string { return Visible(o.Dir) }

// Why is the step's reason.
func (o *Tree) Why() lang.Text { return o.Reason }

// ByHand is curl, sha256sum and tar; what the log proves no command of the
// system's can check.
func (o *Tree) ByHand() []string {
	if o.Absent {
		return []string{"mv " + Quote(o.Dir) + " " + Quote(o.trash()+"/"), "rm -f " + Quote(goroot.Manifest(o.Dir)) + " " + Quote(goroot.Evidence(o.Dir))}
	}
	if o.Archive == nil || o.Want == nil || len(o.Archive.Sources) == 0 {
		return []string{"# " + o.Target()}
	}
	var out []string
	file := o.Archive.Sources[0]
	if isURL(file) {
		u := file
		file = path.Base(pathOf(u))
		out = append(out, "curl -fL -o "+Quote(file)+" "+Quote(u))
	}
	if o.Want.SHA256 != "" {
		out = append(out, "echo "+Quote(o.Want.SHA256+"  "+file)+" | sha256sum -c")
	} else {
		out = append(out, "goxin verify "+Quote(file))
	}
	if o.Archive.Format == unpack.Zip {
		top := unpack.GoZip(o.Want.Toolchain).Top
		out = append(out, "unzip "+Quote(file)+" && mv "+Quote(strings.TrimSuffix(top, "/"))+" "+Quote(o.Dir))
	} else {
		out = append(out, "mkdir "+Quote(o.Dir)+" && tar -xzf "+Quote(file)+" --strip-components=1 -C "+Quote(o.Dir))
	}
	if o.Make != nil {
		here := strings.NewReplacer(inTree, o.Dir)
		if o.Make.Overlay != 0 {
			out = append(out, "# goxin's overlay "+itoa(o.Make.Overlay)+" goes into "+Quote(path.Join(o.Dir, "src/runtime"))+" first")
		}
		s := "cd " + Quote(path.Join(o.Dir, o.Make.Dir)) + " && "
		for _, e := range o.Make.Env {
			k, v, _ := strings.Cut(here.Replace(e), "=")
			s += k + "=" + Quote(v) + " "
		}
		for i, a := range o.Make.Argv {
			if i > 0 {
				s += " "
			}
			s += Quote(here.Replace(a))
		}
		out = append(out, s)
	}
	return out
}

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

func pathOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Path
	}
	return address
}

// sourceName is a source as people see it: the host, or the file.
func sourceName(s string) string {
	if u, err := url.Parse(s); err == nil && isURL(s) {
		return Visible(u.Host)
	}
	return Visible(s)
}

func (o *Tree) trash() string {
	if o.Trash != "" {
		return o.Trash
	}
	return goroot.Removed
}

// slot is the first free name in Trash.
func (o *Tree) slot(m machine.Machine) (string, error) {
	base := path.Join(o.trash(), path.Base(o.Dir))
	for n, name := 2, base; ; n++ {
		_, err := m.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		name = base + "~" + itoa(n)
	}
}

// Observe looks at every file's size, mode and owner. Blob is the manifest and the
// record there are.
func (o *Tree) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	s, beside, err := o.look(m)
	if err != nil {
		return engine.State{}, cannotRead(err, o.Dir)
	}
	return engine.NewState(s, beside.blob()), nil
}

// Diff is the tree as a whole, with what it rests on.
func (o *Tree) Diff(s engine.State) engine.Diff {
	was, _, err := decode[treeState](o, s)
	left := was.Manifest != "" || was.Record != ""
	switch {
	case err != nil:
		return engine.Diff{Action: engine.Update, Note: lang.F("%s", "%s", err)}
	case o.Absent && was.there():
		return engine.Diff{Action: engine.Delete, Note: lang.F("moved to %s", "移至 %s", Visible(was.Slot))}
	case o.Absent && left:
		return engine.Diff{Action: engine.Delete, Note: lang.T("its manifest and record, which are all that is left", "仅剩的清单与来源记录")}
	case o.Absent, was.Is == treeWhole:
		return engine.Diff{Action: engine.None}
	}
	d := engine.Diff{Action: engine.Create, Note: o.note(), Rows: o.rows()}
	if was.there() {
		d.Action = engine.Update
		d.Note = lang.F("%s; the tree that is there goes to %s", "%s；现有目录移至 %s", was.why(), Visible(was.Slot))
	}
	return d
}

// why says what is the matter with a tree.
func (s treeState) why() lang.Text {
	name := Visible(s.Differs)
	switch {
	case s.Is == treeOther:
		return lang.T("another release is there", "现有的是另一个版本")
	case s.Is == treeUnlisted:
		return lang.T("a tree without a manifest of goxin's is there", "现有目录没有 goxin 的清单")
	case s.How == howMissing:
		return lang.F("%s is missing", "缺少 %s", name)
	case s.How == howAdded:
		return lang.F("%s was added", "多出 %s", name)
	case s.How == howOpen:
		return lang.F("others than root can change %s", "非 root 用户可以修改 %s", name)
	}
	return lang.F("%s was changed", "%s 被修改过", name)
}

func (o *Tree) note() lang.Text {
	switch {
	case o.Make == nil:
		return lang.F("%s, %s", "%s，%s", o.Want.toolchain(), o.Archive.format())
	case o.Want == nil:
		return lang.Text{}
	case o.Make.Overlay != 0: // the source may have come with another platform's release
		return lang.F("%s, built from its source plus goxin's overlay %d", "%s，由源码加 goxin 第 %d 版补丁构建", o.Want.Toolchain.Version, o.Make.Overlay)
	}
	return lang.F("%s, built from its source", "%s，由源码构建", o.Want.Toolchain.Version)
}

func (w *Want) toolchain() string {
	if w == nil {
		return ""
	}
	return w.Toolchain.String()
}

func (a *Archive) format() string {
	if a == nil {
		return ""
	}
	return a.Format
}

func (o *Tree) rows() []engine.Row {
	if o.Archive == nil || o.Want == nil {
		return nil
	}
	row := func(name string, note lang.Text) engine.Row {
		return engine.Row{Action: engine.Create, Name: name, Note: note}
	}
	var rows []engine.Row
	for i, s := range o.Archive.Sources {
		note := lang.T("source", "来源")
		if i > 0 {
			note = lang.T("if those before fail", "前者失败时使用")
		}
		if i == 3 && len(o.Archive.Sources) > 4 {
			rows = append(rows, row("…", lang.F("%d more", "另有 %d 个", len(o.Archive.Sources)-i)))
			break
		}
		rows = append(rows, row(sourceName(s), note))
	}
	w := o.Want
	if w.Size > 0 {
		note := lang.T("to fetch", "下载量")
		if len(o.Archive.Sources) > 0 && !isURL(o.Archive.Sources[0]) {
			note = lang.T("to read", "读取量")
		}
		rows = append(rows, row(megabytes(w.Size), note))
	}
	if w.Proof != "" {
		rows = append(rows, row(w.H1, lang.T("Go's transparency log, by the proof at hand", "Go 透明日志，证明已具备")))
	}
	if len(w.Signature) > 0 {
		rows = append(rows, row("OpenPGP "+verify.GoogleKey[len(verify.GoogleKey)-16:], lang.T("signature of Google's release key", "Google 发布密钥的签名")))
	}
	if w.SHA256 != "" {
		rows = append(rows, row("sha256:"+w.SHA256[:min(16, len(w.SHA256))], w.from()))
	}
	return rows
}

func (w *Want) from() lang.Text {
	if w.From.Empty() {
		return lang.T("SHA-256 that is known beforehand", "预先已知的 SHA-256")
	}
	return lang.F("SHA-256 from %s", "SHA-256 来自 %s", VisibleText(w.From))
}
