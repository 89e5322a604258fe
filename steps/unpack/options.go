package unpack

import (
	"path"
	"strings"

	"goxin/steps/verify"
)

// The formats.
const (
	TarGz = "tar.gz"
	Zip   = "zip"
)

// Limits bound what an archive may hold. All of them must be set.
type Limits struct {
	Entries int   // whatever has a header; and files and directories, listed or not
	File    int64 // bytes of one file
	Total   int64 // bytes of all files and, each for itself, of the archive and of the tar in it
	Depth   int   // parts of a name, those of Top not counted
}

// GoLimits are those for a release of Go: go1.26.8 has 15036 entries, 215 MB in all,
// its largest file has 30 MB and the deepest lies 13 parts down.
func GoLimits() Limits {
	return Limits{Entries: 60_000, File: 512 << 20, Total: 2 << 30, Depth: 32}
}

// Options say what an archive is and should look like.
type Options struct {
	Format string // TarGz or Zip
	Top    string // what every name begins with, and what is dropped: "go/"; may be empty
	// Rename gives a file below Top the name it is to have; "" says that no such file
	// belongs there, which is refused. May be nil.
	Rename func(name string) string
	// Skip names files, by their final name, that are read past: not written and not
	// in the Manifest. May be nil.
	Skip func(name string) bool
	// Executable says which files get the mode 0755, where the archive does not tell
	// modes; all others get 0644. Nil: the archive's own owner's x bit decides.
	Executable func(name string) bool
	Limits
}

// GoTar is an ordinary archive of Go, binary or source: what go.dev/dl serves as
// tar.gz. Four of its directories (verify.InModule) are not in the toolchain's module:
// a caller whose evidence is the module's h1 alone sets Skip, or has unproved files.
func GoTar() Options {
	return Options{Format: TarGz, Top: "go/", Limits: GoLimits()}
}

// GoZip is the toolchain t as a module proxy serves it. Files come out under the names
// and modes they have in an ordinary archive. A file that the module's h1 would not
// cover is refused.
func GoZip(t verify.Toolchain) Options {
	return Options{
		Format:     Zip,
		Top:        verify.ToolchainModule + "@" + t.ModuleVersion() + "/",
		Rename:     fromModule,
		Executable: executable,
		Limits:     GoLimits(),
	}
}

// fromModule undoes cmd/distpack's renaming of go.mod (archive.go, RenameGoMod). A
// file that is called go.mod in the module would give two trees one h1.
func fromModule(name string) string {
	dir, base := path.Split(name)
	switch {
	case !verify.InModule(name), base == "go.mod":
		return ""
	case base == "_go.mod":
		return dir + "go.mod"
	}
	return name
}

// executable is which files of a release can be run (cmd/distpack/pack.go, mode).
func executable(name string) bool {
	if strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/") {
		return true
	}
	base := path.Base(name)
	switch path.Ext(base) {
	case ".bash", ".sh", ".pl", ".rc":
		return true
	}
	ok, _ := path.Match("go_?*_?*_exec", base)
	return ok
}
