package whichgo

// Situation is everything the go command looks at before it decides which Go runs.
type Situation struct {
	Dir string `json:"dir"`
	// Env are the variables of the environment that bear on it; an empty one is as
	// one that is not set.
	Env map[string]string `json:"env"`
	// Programs are the programs called go in PATH, first to last: the first is what
	// a shell starts.
	Programs []Program `json:"programs"`
	// GOROOT is where the first program takes its files from, and GOROOTBy who says
	// so: ByEnv, ByUser, or ByPath for the place it was found in. NoGOROOT: there is
	// no such directory. GOROOTVersion is the first line of its VERSION.
	GOROOT        string `json:"goroot"`
	GOROOTBy      Kind   `json:"goroot_by"`
	NoGOROOT      bool   `json:"no_goroot,omitempty"`
	GOROOTVersion string `json:"goroot_version,omitempty"`
	User          File   `json:"user"`   // the file of `go env -w`; Path "" where there is none to read
	GoEnv         File   `json:"go_env"` // go.env in GOROOT
	Module        Module `json:"module"` // go.work or go.mod; Path "" for none
	// Named are the programs in PATH with a toolchain's name: go1.26.8 → path.
	Named map[string]Program `json:"named"`
	// Cached are the toolchains in the module cache: go1.26.8 → its go program.
	Cached map[string]string `json:"cached"`
	// Pin is the nearest .go-version. The go command does not read it.
	Pin Pin `json:"pin"`
}

// Program is a program by a Go's name.
type Program struct {
	Path string `json:"path"` // as PATH leads to it
	Real string `json:"real"` // links followed
	// Version is the toolchain's name the program was built as, "go1.26.8"; "" where
	// it is not a go command, such as another version manager's shim.
	Version string `json:"version"`
	Arch    string `json:"arch,omitempty"` // GOARCH it was built for
}

// File is a file of settings.
type File struct {
	Path   string            `json:"path"`
	Values map[string]string `json:"values,omitempty"`
}

// Module is what go.work or go.mod asks for.
type Module struct {
	Path      string `json:"path"`
	Go        string `json:"go,omitempty"`        // "1.26", of its go line
	Toolchain string `json:"toolchain,omitempty"` // "go1.26.8", of its toolchain line
	// Ignored says that it lies in the system's directory for temporary files itself,
	// where the go command ignores a go.mod (golang/go#26708).
	Ignored bool `json:"ignored,omitempty"`
}

// Pin is a .go-version.
type Pin struct {
	Path    string `json:"path"`
	Version string `json:"version"` // "1.26.8", "1.26"; "" unreadable
}

// Setting is a setting's value as the go command sees it, and who says so.
func (s *Situation) Setting(key string) (value string, by Kind) {
	if v := s.Env[key]; v != "" {
		return v, ByEnv
	}
	if v, ok := s.User.Values[key]; ok { // an empty one counts: it hides go.env's
		return v, ByUser
	}
	if v, ok := s.GoEnv.Values[key]; ok {
		return v, ByGoEnv
	}
	return "", ByDefault
}
