package origin

import (
	"fmt"

	"goxin/assets/lang"
	"goxin/steps/verify"
)

// Finding is what something turned out to be.
type Finding struct {
	Path      string            `json:"path"`
	What      What              `json:"what"`
	Toolchain verify.Toolchain  `json:"toolchain,omitzero"` // what it says it is; of sources without OS and Arch
	SHA256    string            `json:"sha256,omitempty"`   // of a file, in hexadecimal
	H1        string            `json:"h1,omitempty"`       // of the files of a toolchain, as they are
	Manifest  *verify.Manifest  `json:"-"`                  // those files; nil of other things
	Proof     *verify.Proof     `json:"proof,omitempty"`    // of what H1 should be
	Built     bool              `json:"built,omitempty"`    // of Recorded: on this machine, from source
	Overlay   int               `json:"overlay,omitempty"`  // of Overlaid and Recorded: which of goxin's overlays is in it
	Verdict   Verdict           `json:"verdict"`
	Why       lang.Text         `json:"why,omitzero"` // a clause: why it is not authentic
	Evidence  []verify.Evidence `json:"evidence,omitempty"`
	Differs   []Difference      `json:"differs,omitempty"` // by name
	Notes     []lang.Text       `json:"notes,omitempty"`
}

// What is the kind of thing that was looked at.
type What string

// The kinds of thing.
const (
	GoTree    What = "go-tree"    // an installed GOROOT
	GoArchive What = "go-archive" // go1.26.8.linux-amd64.tar.gz
	GoModule  What = "go-module"  // the same as a module proxy serves it, zip
	GoSource  What = "go-source"  // go1.26.8.src.tar.gz
	Other     What = "file"
)

// Verdict is the end of it.
type Verdict string

// The verdicts.
const (
	Authentic Verdict = "authentic"
	Except    Verdict = "authentic-except"   // the release, but for the files of Differs
	Overlaid  Verdict = "authentic-overlaid" // the release plus goxin's overlay
	Recorded  Verdict = "recorded"           // as this machine's goxin installed it: its record of then speaks for it, and no proof that others could check
	Vendor    Verdict = "vendor"             // no release of Go's: somebody else built it
	Unproved  Verdict = "unproved"           // nothing speaks for it, and nothing against it
	Refused   Verdict = "refused"            // the evidence contradicts it
)

// Difference is a file that is not as in the release.
type Difference struct {
	Name string `json:"name"` // below the top
	How  How    `json:"how"`
}

// How is how a file differs.
type How string

// The ways to differ.
const (
	Changed How = "changed"
	Missing How = "missing"
	Added   How = "added"
)

// Text is the finding in a sentence.
func (f *Finding) Text() lang.Text {
	name := said(f.Toolchain)
	if f.Toolchain.Version == "" {
		name = lang.Same("Go")
	}
	if f.What == Other {
		return f.otherText()
	}
	switch f.Verdict {
	case Authentic:
		return lang.F("authentic %s", "官方原版：%s", name)
	case Except:
		return lang.F("authentic %s except %s", "%s 与官方原版一致，但以下除外：%s", name, some(f.Differs))
	case Overlaid:
		return lang.F("authentic %s plus goxin's overlay %d", "官方原版 %s，加 goxin 第 %d 版补丁", name, f.Overlay)
	case Recorded:
		if f.Overlay != 0 {
			return lang.F("authentic source of %s plus goxin's overlay %d, as goxin built it on this machine", "%s 官方源码加 goxin 第 %d 版补丁，与 goxin 在本机编译时一致", name, f.Overlay)
		}
		if f.Built {
			return lang.F("%s, as goxin built it on this machine", "%s，与 goxin 在本机编译时一致", name)
		}
		return lang.F("%s, as goxin installed it on this machine", "%s，与 goxin 在本机安装时一致", name)
	case Vendor:
		return lang.F("no release of Go's: %s", "不是 Go 官方发行版：%s", f.Why)
	case Unproved:
		return lang.F("nothing proves this %s: %s", "无法证明 %s 的来源：%s", name, f.Why)
	}
	return lang.F("this is not %s: %s", "这不是 %s：%s", name, f.Why)
}

// otherText is the finding of a file that is no Go.
func (f *Finding) otherText() lang.Text {
	switch f.Verdict {
	case Authentic:
		return lang.T("authentic file", "文件验证通过")
	case Unproved:
		return lang.F("nothing proves this file: %s", "无法证明此文件的来源：%s", f.Why)
	}
	return lang.F("this file is not what it should be: %s", "此文件未通过验证：%s", f.Why)
}

// some names the first few.
func some(all []Difference) lang.Text {
	const most = 3
	names := make([]string, 0, most)
	for _, d := range all[:min(most, len(all))] {
		names = append(names, d.Name)
	}
	first := lang.List(names...)
	if more := len(all) - most; more > 0 {
		return lang.F("%s and %d more files", "%s 等，另有 %d 个文件", first, more)
	}
	return first
}

func (d Difference) String() string { return fmt.Sprintf("%s %s", d.How, d.Name) }

func (f *Finding) end(v Verdict, why lang.Text) {
	f.Verdict, f.Why = v, why
}

func (f *Finding) note(t lang.Text) { f.Notes = append(f.Notes, t) }
