// Package elf tells what a program or shared object needs of the dynamic loader,
// and whether a machine has it. It reads ELF headers and nothing else: no
// program is run, no loader asked, so it works on a tree of another architecture
// and on files nobody trusts. It does not know packages, and it does not judge
// symbols: as the loader does at start, it compares names and versions.
package elf

import (
	"slices"
	"strings"
)

// Kind is what a file is to the loader.
type Kind string

// The kinds of file there are.
const (
	Program   Kind = "program"    // started by the kernel, with an interpreter
	Library   Kind = "library"    // a shared object
	Static    Kind = "static"     // a program without interpreter, at fixed addresses
	StaticPIE Kind = "static-pie" // the same, position-independent
	Script    Kind = "script"     // begins with #!
	Other     Kind = "other"      // ELF, but nothing a loader takes: object file, core, separate debug information
	NotELF    Kind = "not-elf"
)

// Arch is what has to be equal for two objects to live in one process.
type Arch struct {
	Class   int    `json:"class"`   // 32 or 64
	Little  bool   `json:"little"`  // byte order
	Machine uint16 `json:"machine"` // e_machine, as in elf.h
	ABI     uint32 `json:"abi"`     // the bits of e_flags that name a calling convention
}

// Object is what an ELF file says of itself.
type Object struct {
	Kind   Kind   `json:"kind"`
	Arch   Arch   `json:"arch"`
	Flags  uint32 `json:"flags"`            // e_flags
	OSABI  byte   `json:"osabi"`            // e_ident[EI_OSABI]
	Interp string `json:"interp,omitempty"` // PT_INTERP; of a script, the program after #!

	Soname     string   `json:"soname,omitempty"`
	Needed     []string `json:"needed,omitempty"`   // DT_NEEDED, in order
	RPath      []string `json:"rpath,omitempty"`    // DT_RPATH, without what DT_RUNPATH overrides
	RunPath    []string `json:"runpath,omitempty"`  // DT_RUNPATH
	HasRunPath bool     `json:"-"`                  // there is a DT_RUNPATH, be it empty
	NoDefLib   bool     `json:"nodeflib,omitempty"` // DF_1_NODEFLIB: the default directories are not searched

	Needs    []VersionNeed `json:"needs,omitempty"`    // symbol versions it wants of others
	Versions []string      `json:"versions,omitempty"` // symbol versions it defines

	// Truncated is true where a name in the tables could not be read and was
	// left out: what is told is then less than what the file holds.
	Truncated bool `json:"truncated,omitempty"`
}

// VersionNeed is a symbol version that must be there when the object is loaded.
type VersionNeed struct {
	File    string `json:"file"`    // libc.so.6
	Version string `json:"version"` // GLIBC_2.34
	Weak    bool   `json:"weak,omitempty"`
}

// Dynamic says whether a loader has anything to do with it.
func (o *Object) Dynamic() bool { return o.Kind == Program || o.Kind == Library }

// Defines says whether the object satisfies a need for version. One that has no
// versions at all satisfies every need: the loader only warns.
func (o *Object) Defines(version string) bool {
	return len(o.Versions) == 0 || slices.Contains(o.Versions, version)
}

// linux says whether the object is made for Linux: FreeBSD's and Solaris' files
// name themselves in e_ident.
func (o *Object) linux() bool {
	switch o.OSABI {
	case 0, 3, 64, 97: // SYSV, GNU/Linux, ARM EABI, ARM
		return !strings.HasPrefix(o.Interp, "/libexec/ld-elf") && o.Interp != "/usr/lib/amd64/ld.so.1"
	}
	return false
}

// World is which of LoongArch's two ABIs the object is made for, "old" or "new";
// "" where it is for another architecture. The interpreter tells; of a shared
// object, the versions it wants of glibc, whose new world begins at 2.36; then
// the object ABI in its flags (early tools of the new world wrote the old one).
func (o *Object) World() string {
	if o.Arch.Machine != machineLoongArch || o.Arch.Class != 64 {
		return ""
	}
	switch {
	case o.Interp == "/lib64/ld.so.1":
		return "old"
	case strings.Contains(o.Interp, "ld-linux-loongarch-"), strings.Contains(o.Interp, "ld-musl-"):
		return "new"
	}
	world := ""
	for _, n := range o.Needs {
		if minor, ok := glibcMinor(n.Version); ok {
			if minor < 36 {
				return "old"
			}
			world = "new"
		}
	}
	// libc itself: its oldest version is its world.
	for _, v := range o.Versions {
		if minor, ok := glibcMinor(v); ok {
			if minor < 36 {
				return "old"
			}
			world = "new"
		}
	}
	if world != "" {
		return world
	}
	const objectABI, v1 = 0xc0, 0x40 // EF_LOONGARCH_OBJABI_MASK, EF_LOONGARCH_OBJABI_V1
	if o.Flags&objectABI == v1 {
		return "new"
	}
	return "old"
}

// newWorldStatic says whether the object is a program for LoongArch's new ABI that
// no loader stands up for: an old kernel kills it without a word.
func (o *Object) newWorldStatic() bool {
	return (o.Kind == Static || o.Kind == StaticPIE) && o.World() == "new"
}

// glibcMinor reads 34 off GLIBC_2.34.
func glibcMinor(version string) (int, bool) {
	rest, ok := strings.CutPrefix(version, "GLIBC_2.")
	if !ok || rest == "" || len(rest) > 4 {
		return 0, false
	}
	n := 0
	for _, c := range rest {
		if c == '.' { // GLIBC_2.2.5
			break
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
