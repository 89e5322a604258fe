package whichgo

import (
	"go/version"
	"strings"
)

// Kind is a place that may decide.
type Kind string

// The places, in the order in which they are asked.
const (
	ByPath      Kind = "path"      // the first go in PATH
	ByEnv       Kind = "env"       // the environment
	ByUser      Kind = "user"      // the file of `go env -w`
	ByGoEnv     Kind = "go.env"    // go.env in GOROOT
	ByDefault   Kind = "default"   // nobody says anything
	ByToolchain Kind = "toolchain" // the toolchain line of go.work or go.mod
	ByGoLine    Kind = "go"        // their go line
)

// Trouble is why no Go would run.
type Trouble string

// The troubles.
const (
	NoTrouble   Trouble = ""
	NoGo        Trouble = "no-go"        // no program called go in PATH
	Shim        Trouble = "shim"         // the first is not a go command: what it starts is its own affair
	NoGoroot    Trouble = "no-goroot"    // GOROOT leads nowhere
	BadSetting  Trouble = "bad-setting"  // GOTOOLCHAIN says nothing the go command knows
	BadLine     Trouble = "bad-line"     // the toolchain line does
	NotInPath   Trouble = "not-in-path"  // the toolchain may only come from PATH and is not there
	WrongName   Trouble = "wrong-name"   // a program in PATH is not what its name says
	BadModules  Trouble = "bad-modules"  // GO111MODULE says nothing the go command knows
	BadWorkPath Trouble = "bad-workpath" // GOWORK is no absolute path
)

// Decision is which Go runs, and why.
type Decision struct {
	// Toolchain is its name, "go1.26.8"; where Trouble is set, the one looked for.
	Toolchain string `json:"toolchain"`
	// Program is what runs; "" where it is to be downloaded, or there is none.
	Program string `json:"program"`
	// By is the place that decided, of the places asked the last that changed
	// something. ByPath: the first go in PATH runs itself.
	By Kind `json:"by"`
	// Setting is GOTOOLCHAIN as it counts, and SettingBy who says it.
	Setting   string `json:"gotoolchain"`
	SettingBy Kind   `json:"gotoolchain_by"`
	// Download says that the go command would fetch it from GOPROXY.
	Download bool    `json:"download,omitempty"`
	Trouble  Trouble `json:"trouble,omitempty"`
}

// mode is what GOTOOLCHAIN allows beyond its minimum.
type mode struct {
	least string // toolchain; "local": the program's own
	auto  bool   // go.work and go.mod may ask for a newer one
	path  bool   // which has to be in PATH
}

// readSetting reads GOTOOLCHAIN: local, path, auto, go1.26.8, and the last or local
// with +path or +auto.
func readSetting(s string) (m mode, ok bool) {
	switch s {
	case "auto":
		return mode{"local", true, false}, true
	case "path":
		return mode{"local", true, true}, true
	}
	least, suffix, plus := strings.Cut(s, "+")
	if plus && suffix != "auto" && suffix != "path" || least != "local" && versionOf(least) == "" {
		return mode{}, false
	}
	return mode{least, plus, suffix == "path"}, true
}

// Decide says which Go runs. Commands that name a version themselves (go get,
// go install m@v) may ask for a newer one later; that is not known here.
func Decide(s *Situation) Decision {
	if len(s.Programs) == 0 {
		return Decision{By: ByPath, Trouble: NoGo}
	}
	here := s.Programs[0]
	d := Decision{Toolchain: here.Version, Program: here.Path, By: ByPath}
	local := versionOf(here.Version)
	switch {
	case here.Version == "":
		d.Trouble = Shim
		return d
	case local == "" || version.Compare(local, first) < 0: // it knows nothing of other toolchains
		return d.rooted(s)
	}
	modules, by := s.Setting("GO111MODULE")
	switch modules {
	case "", "on":
	case "off":
		d.By = by
		return d.rooted(s)
	case "auto":
		if s.Module.Path == "" || s.Module.Ignored {
			return d.rooted(s)
		}
	default: // switching is off, and the go command complains later
		d.By, d.Trouble = by, BadModules
		return d
	}
	d.Setting, d.SettingBy = s.Setting("GOTOOLCHAIN")
	if d.Setting == "" {
		return d.rooted(s)
	}
	m, ok := readSetting(d.Setting)
	if !ok {
		d.By, d.Program, d.Trouble = d.SettingBy, "", BadSetting
		return d
	}
	want, newest := "local", local
	if m.least != "local" {
		want, newest, d.By = m.least, versionOf(m.least), d.SettingBy
	}
	if m.auto {
		if g, err := s.Setting("GOWORK"); g != "" && g != "off" && g != "auto" && !strings.HasPrefix(g, "/") {
			d.By, d.Program, d.Trouble = err, "", BadWorkPath
			return d
		}
		if !d.module(s.Module, &want, &newest) {
			return d
		}
	}
	if want == "local" || want == here.Version {
		return d.rooted(s)
	}
	d.Toolchain, d.Program = want, ""
	if !strings.HasPrefix(want, "go1") {
		d.Trouble = BadSetting
		return d
	}
	p, named := s.Named[want]
	switch {
	case named && p.Version != "" && p.Version != want:
		d.Program, d.Trouble = p.Path, WrongName
	case named:
		d.Program = p.Path
	case m.path:
		d.Trouble = NotInPath
	case s.Cached[want] != "":
		d.Program = s.Cached[want]
	default:
		d.Download = true
	}
	return d.rooted(s)
}

// rooted finds a GOROOT that leads nowhere. The go command that starts another one
// takes GOROOT out of its environment; what the file of `go env -w` says stays.
func (d Decision) rooted(s *Situation) Decision {
	handed := d.Program != "" && d.Program != s.Programs[0].Path
	if d.Trouble == NoTrouble && s.NoGOROOT && (s.GOROOTBy == ByUser || s.GOROOTBy == ByEnv && !handed) {
		d.Trouble = NoGoroot
	}
	return d
}

// module lets go.work or go.mod ask for more than newest; false: its toolchain line
// stops the go command.
func (d *Decision) module(m Module, want, newest *string) bool {
	if m.Path == "" || m.Ignored || m.Toolchain == "default" {
		return true
	}
	if m.Toolchain != "" {
		v := versionOf(m.Toolchain)
		if v == "" {
			d.Toolchain, d.Program, d.By, d.Trouble = m.Toolchain, "", ByToolchain, BadLine
			return false
		}
		if version.Compare(v, *newest) > 0 {
			*want, *newest, d.By = m.Toolchain, v, ByToolchain
		}
	}
	if v := versionOf("go" + m.Go); version.Compare(v, *newest) > 0 {
		*want, *newest, d.By = Release(m.Go), v, ByGoLine
	}
	return true
}
