package overlay

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"path"

	"goxin/assets/lang"
)

// File is one that takes another's place in a GOROOT, or has none to take.
type File struct {
	Name string // below GOROOT
	Data []byte
}

//go:embed sigabi.txt
var sigabi []byte

// edits are what becomes of each file: an anchor that stands there exactly once, and
// what stands there afterwards.
func edits() map[string][][2]string {
	return map[string][][2]string{
		genericFile: {{"//go:build !mips && ", "//go:build !loong64 && !mips && "}},
		linuxFile: {
			{"func osinit() {\n", "func osinit() {\n\tprobeKernelSigABI() // nothing touches signals before\n"},
			{"rtsigprocmask(how, new, old, int32(unsafe.Sizeof(*new)))", "rtsigprocmask(how, new, old, int32(kernelSigsetSize))"},
			{"rt_sigaction(uintptr(sig), new, old, unsafe.Sizeof(sigactiont{}.sa_mask))", "rt_sigaction(uintptr(sig), new, old, kernelSigsetSize)"},
		},
		signalFile: {{
			"func (c *sigctxt) regs() *sigcontext { return &(*ucontext)(c.ctxt).uc_mcontext }",
			"func (c *sigctxt) regs() *sigcontext { return (*sigcontext)(add(c.ctxt, kernelMcontextOff)) }",
		}},
	}
}

// relied are what the overlay takes for granted and does not edit, each exactly once.
func relied() map[string][]string {
	return map[string][]string{
		genericFile: {"\t_NSIG        = 65\n", "type sigset [2]uint32\n", "func sigfillset(mask *uint64) {\n"},
		defsFile:    {"\tsa_handler uintptr\n\tsa_flags   uint64\n\tsa_mask    uint64\n", "\tsa_restorer uintptr\n", "\tsc_pc         uint64\n", "\tsc_regs       [32]uint64\n"},
		systemFile:  {"MOVV\t$SYS_rt_sigprocmask, R11\n", "MOVV\t$SYS_rt_sigaction, R11\n"},
	}
}

// Files are the overlay of a release ("go1.26.8") for an architecture (GOARCH), made of
// what read gives of its GOROOT: the edited files and the one that is added, by name.
// read is asked for names below GOROOT, and says fs.ErrNotExist as usual.
//
// What is not known to the byte is refused, and the error says which file it is.
func Files(release, goarch string, read func(name string) ([]byte, error)) ([]File, error) {
	if goarch != Arch {
		return nil, lang.Errorf(nil, "cannot make the overlay for %s: it is for %s alone", "无法为 %s 生成补丁：它只用于 %s", goarch, Arch).
			WithHint("the other architectures have one world; build for them without it", "其他架构不分新旧世界，直接编译即可")
	}
	pins := Pins(release)
	if pins == nil {
		all := Releases()
		return nil, lang.Errorf(nil, "cannot make the overlay for %s: its runtime is not known", "无法为 %s 生成补丁：不认识它的运行时源码", release).
			WithHint("it is known of %s; take one of these", "已知版本：%s；请改用其中之一", lang.List(all...))
	}
	var out []File
	for _, p := range pins {
		f, err := p.file(read)
		if err != nil {
			return nil, lang.Errorf(err, "cannot make the overlay for %s: %s", "无法为 %s 生成补丁：%s", release, p.Name).
				WithHint("this is not the release's own source; unpack the release anew: go mod download -json golang.org/toolchain@v0.0.1-%s.linux-amd64", "这不是该版本的原始源码；请重新解包发行版：go mod download -json golang.org/toolchain@v0.0.1-%s.linux-amd64", release)
		}
		if f != nil {
			out = append(out, *f)
		}
	}
	return out, nil
}

// file is what a pin's file becomes; nil where it stays.
func (p Pin) file(read func(string) ([]byte, error)) (*File, error) {
	was, err := read(p.Name)
	if p.added() {
		if err == nil {
			return nil, lang.Errorf(nil, "it is there already", "该文件已存在")
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return p.made(sigabi)
	}
	if err != nil {
		return nil, err
	}
	if got := hash(was); got != p.Before {
		return nil, lang.Errorf(nil, "its SHA-256 is %s, that of the release is %s", "其 SHA-256 为 %s，发行版为 %s", got, p.Before)
	}
	for _, text := range relied()[p.Name] {
		if err := once(was, text); err != nil {
			return nil, err
		}
	}
	if !p.edited() {
		return nil, nil
	}
	now := was
	for _, e := range edits()[p.Name] {
		if err := once(now, e[0]); err != nil {
			return nil, err
		}
		now = bytes.Replace(now, []byte(e[0]), []byte(e[1]), 1)
	}
	return p.made(now)
}

// made is the file that came out, if it is Go and what it always is.
func (p Pin) made(data []byte) (*File, error) {
	if _, err := parser.ParseFile(token.NewFileSet(), path.Base(p.Name), data, parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	if got := hash(data); got != p.After {
		return nil, lang.Errorf(nil, "what came out has the SHA-256 %s, wanted is %s", "生成结果的 SHA-256 为 %s，应为 %s", got, p.After)
	}
	return &File{p.Name, data}, nil
}

func once(data []byte, text string) error {
	if n := bytes.Count(data, []byte(text)); n != 1 {
		return lang.Errorf(nil, "%q stands there %d times, not once", "%q 出现了 %d 次，应为 1 次", text, n)
	}
	return nil
}

func hash(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
