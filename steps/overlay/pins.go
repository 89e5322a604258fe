package overlay

import (
	"go/version"
	"slices"
)

// Number is which overlay this is. It changes with every byte of what it makes.
const Number = 1

// Arch is the one architecture that it is for, as GOARCH says it.
const Arch = "loong64"

// Pin is a file of the runtime, by SHA-256 in hexadecimal: as a release has it, and as
// the overlay leaves it.
type Pin struct {
	Name          string // below GOROOT
	Before, After string // Before is "" of a file that is added
}

func (p Pin) added() bool  { return p.Before == "" }
func (p Pin) edited() bool { return p.Before != p.After && !p.added() }

// The files in question.
const (
	dir         = "src/runtime/"
	genericFile = dir + "os_linux_generic.go"
	linuxFile   = dir + "os_linux.go"
	signalFile  = dir + "signal_linux_loong64.go"
	defsFile    = dir + "defs_linux_loong64.go"
	systemFile  = dir + "sys_linux_loong64.s"
	addedFile   = dir + "os_linux_loong64_sigabi.go"
)

// line is a run of releases whose files in question are the same.
type line struct {
	releases []string // as "go1.26.8", the oldest first
	pins     []Pin
}

// lines are what is known. A release belongs here once its own files were hashed, and
// one of its line was seen to make programs that run in both worlds.
func lines() []line {
	same := func(name, sha256 string) Pin { return Pin{name, sha256, sha256} }
	generic := Pin{genericFile, "ed08e83bbb13787a044b1f12e952bc54f57085d9f5b4e80067c2c1e2d8527167", "5adb10625f6b864c3f4838d6082b3dbd91428d99a97278e617dc17066e703199"}
	signal := Pin{signalFile, "98642d984e74a2d73125c65f63742c55f0a2ba09cce39dd0bc333d5b1ad7060f", "664d0463e13fbba2240a0423ed76bce738093d7e4624dba5c7a6a3b1971e39be"}
	system := same(systemFile, "c16a1fb867eed6163c744d82b43df75a0cacec66c1b3326268fc50e4bfd2fbbf")
	added := Pin{addedFile, "", "597a90f5c8537124cef2c26e1aa13f14aec956d0d6d67ed9d7d297a5ad7fd082"}
	return []line{
		{
			[]string{"go1.25.0", "go1.25.1", "go1.25.5", "go1.25.8", "go1.25.9", "go1.25.10", "go1.25.11", "go1.25.12", "go1.25.13", "go1.25.14"},
			[]Pin{
				generic, signal, system, added,
				{linuxFile, "418af7f7c3407a99793f767c892dbb0a7a0995f817444e5f0b3e531753c4fd31", "877c5460cec85eb3bf11e76ee010751bdec5adbf6d3a4acc47ea175fa51fccd1"},
				same(defsFile, "109b8eaf46038b371bfda6fda80ed190bfa1696ebbd79c2c9d30289d4468bfec"),
			},
		},
		{
			[]string{"go1.26.5", "go1.26.6", "go1.26.7", "go1.26.8", "go1.26.9", "go1.26.10", "go1.26.11"},
			[]Pin{
				generic, signal, system, added,
				{linuxFile, "f211c96802c315ffa23343fc3a672f38713418f46658681da1f4d8187d9462a1", "9f4e16d55fb2e7626d3f5bdd1792033dd4977f110052df8c91c9a304600d722c"},
				same(defsFile, "09924629971e9bfd3b0e7873943a7936cf27a1dbd051e9198aa98a064a69fcee"),
			},
		},
	}
}

// Releases are those that the overlay is made for, the oldest first.
func Releases() []string {
	var all []string
	for _, l := range lines() {
		all = append(all, l.releases...)
	}
	slices.SortFunc(all, version.Compare)
	return all
}

// Knows says whether the overlay is made for a release ("go1.26.8").
func Knows(release string) bool { return slices.Contains(Releases(), release) }

// Pins are the files of a release that the overlay edits, adds or relies upon; none of a
// release that is not known.
func Pins(release string) []Pin {
	for _, l := range lines() {
		if slices.Contains(l.releases, release) {
			return l.pins
		}
	}
	return nil
}
