package whichgo

import (
	"bytes"
	"debug/buildinfo"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"goxin/detect/machine"
)

// Variables are those of the environment that bear on which Go runs.
var Variables = []string{
	"PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR",
	"GOENV", "GOROOT", "GOTOOLCHAIN", "GO111MODULE", "GOWORK", "GOMODCACHE", "GOPATH", "GOPROXY",
}

// Look reads on m what the go command would look at in dir, an absolute path.
// getenv is the environment it would run in; of PATH only absolute entries count, of
// GOPROXY what may be shown.
// What cannot be read counts as not there, as it does for the go command.
func Look(m machine.Machine, getenv func(string) string, dir string) *Situation {
	s := &Situation{
		Dir: path.Clean(dir), Env: make(map[string]string),
		Named: make(map[string]Program), Cached: make(map[string]string),
	}
	for _, k := range Variables {
		if v := getenv(k); v != "" {
			s.Env[k] = v
		}
	}
	if p := s.Env["GOPROXY"]; p != "" {
		s.Env["GOPROXY"] = Masked(p)
	}
	l := looker{m, s}
	l.programs()
	if s.User.Path = l.userFile(); s.User.Path != "" {
		s.User.Values = l.settings(s.User.Path)
	}
	l.goroot()
	l.module()
	l.cached()
	s.Pin.Path = l.above(".go-version", "")
	if s.Pin.Path != "" {
		s.Pin.Version = Pinned(l.text(s.Pin.Path))
	}
	return s
}

type looker struct {
	m machine.Machine
	s *Situation
}

// programs finds what is called go, and what has a toolchain's name, in PATH.
func (l looker) programs() {
	looked := make(map[string]bool)
	for dir := range strings.SplitSeq(l.s.Env["PATH"], ":") {
		if !path.IsAbs(dir) || looked[dir] {
			continue // in "." a shell would look, but not the go command
		}
		looked[dir] = true
		names, err := l.m.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, n := range names {
			if n != "go" && versionOf(n) == "" {
				continue
			}
			p, ok := l.program(path.Join(dir, n))
			switch _, seen := l.s.Named[n]; {
			case !ok:
			case n == "go":
				l.s.Programs = append(l.s.Programs, p)
			case !seen:
				l.s.Named[n] = p
			}
		}
	}
}

func (l looker) program(name string) (Program, bool) {
	info, err := l.m.Stat(name)
	if err != nil || !info.Mode.IsRegular() || info.Mode&0o111 == 0 {
		return Program{}, false
	}
	p := Program{Path: name, Real: l.real(name)}
	if b := l.build(name); b != nil && (b.Path == "cmd/go" || b.Path == "") { // before Go 1.18 there was no path
		p.Version = b.GoVersion
		for _, s := range b.Settings {
			if s.Key == "GOARCH" {
				p.Arch = s.Value
			}
		}
	}
	return p, true
}

// build is what the linker wrote into a Go program; nil of any other.
func (l looker) build(name string) *buildinfo.BuildInfo {
	r, err := l.m.Open(name)
	if err != nil {
		return nil
	}
	defer r.Close()
	at, ok := r.(io.ReaderAt)
	if !ok {
		data, err := l.m.ReadFile(name)
		if err != nil {
			return nil
		}
		at = bytes.NewReader(data)
	}
	b, err := buildinfo.Read(at)
	if err != nil {
		return nil
	}
	return b
}

// real is name with its links followed.
func (l looker) real(name string) string {
	rest, at := strings.Split(name, "/"), "/"
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		rest = rest[1:]
		to, err := l.m.Readlink(next)
		if err != nil || links == 40 {
			at = next
			continue
		}
		links++
		if path.IsAbs(to) {
			at = "/"
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	return at
}

func (l looker) text(name string) string {
	data, err := l.m.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(data)
}

// settings are the lines of a file that bear on which Go runs; nil where there is
// none.
func (l looker) settings(name string) map[string]string {
	data, err := l.m.ReadFile(name)
	if err != nil {
		return nil
	}
	out := Lines(string(data))
	maps.DeleteFunc(out, func(k, _ string) bool { return !slices.Contains(Variables, k) })
	if p, ok := out["GOPROXY"]; ok {
		out["GOPROXY"] = Masked(p)
	}
	return out
}

func (l looker) is(name string, want func(fs.FileMode) bool) bool {
	info, err := l.m.Stat(name)
	return err == nil && want(info.Mode)
}

func (l looker) dir(name string) bool { return l.is(name, fs.FileMode.IsDir) }

// userFile is where `go env -w` writes; "" where nothing is read.
func (l looker) userFile() string {
	switch file := l.s.Env["GOENV"]; {
	case file == "off":
		return ""
	case path.IsAbs(file):
		return file
	case file != "":
		return path.Join(l.s.Dir, file)
	}
	config := l.s.Env["XDG_CONFIG_HOME"]
	if config == "" && l.s.Env["HOME"] != "" {
		config = l.s.Env["HOME"] + "/.config"
	}
	if !path.IsAbs(config) {
		return ""
	}
	return path.Join(config, "go/env")
}

// goroot finds the first program's GOROOT, and the go.env it reads. Where both the
// file of `go env -w` and the environment name one, go.env is that of the former,
// everything else is the latter's.
func (l looker) goroot() {
	s := l.s
	user, env := s.User.Values["GOROOT"], s.Env["GOROOT"]
	switch {
	case env != "":
		s.GOROOT, s.GOROOTBy = path.Clean(env), ByEnv
	case user != "":
		s.GOROOT, s.GOROOTBy = path.Clean(user), ByUser
	case len(s.Programs) > 0:
		s.GOROOTBy = ByPath
		for _, up := range []string{"../..", "../../.."} { // bin/go, bin/linux_arm64/go
			if d := path.Join(s.Programs[0].Real, up); l.dir(path.Join(d, "pkg/tool")) {
				s.GOROOT = d
				break
			}
		}
	}
	s.NoGOROOT = s.GOROOT != "" && !l.dir(s.GOROOT)
	if s.GOROOT != "" {
		s.GOROOTVersion, _, _ = strings.Cut(l.text(path.Join(s.GOROOT, "VERSION")), "\n")
	}
	from := s.GOROOT
	if user != "" {
		from = path.Clean(user)
	}
	if from != "" {
		s.GoEnv.Path = path.Join(from, "go.env")
		s.GoEnv.Values = l.settings(s.GoEnv.Path)
	}
}

// above is the nearest file called name in dir or above it, not crossing stop.
func (l looker) above(name, stop string) string {
	for d := l.s.Dir; ; d = path.Dir(d) {
		if f := path.Join(d, name); l.is(f, func(m fs.FileMode) bool { return !m.IsDir() }) {
			return f
		}
		if up := path.Dir(d); up == d || up == stop {
			return ""
		}
	}
}

func (l looker) module() {
	file := ""
	switch w, _ := l.s.Setting("GOWORK"); w {
	case "off":
	case "", "auto":
		file = l.above("go.work", l.s.GOROOT)
	default:
		if _, err := l.m.Stat(w); err == nil {
			file = w
		}
	}
	mod := &l.s.Module
	if file == "" {
		file = l.above("go.mod", "")
		temp := l.s.Env["TMPDIR"]
		if temp == "" {
			temp = "/tmp"
		}
		mod.Ignored = file != "" && l.real(path.Dir(file)) == l.real(path.Clean(temp))
	}
	if file == "" {
		return
	}
	text := l.text(file)
	mod.Path, mod.Go, mod.Toolchain = file, Directive(text, "go"), Directive(text, "toolchain")
}

// cached finds the toolchains in the module cache that run on the first program's
// processor.
func (l looker) cached() {
	cache, _ := l.s.Setting("GOMODCACHE")
	if cache == "" {
		gopath, _ := l.s.Setting("GOPATH")
		if gopath, _, _ = strings.Cut(gopath, ":"); gopath == "" && l.s.Env["HOME"] != "" {
			gopath = l.s.Env["HOME"] + "/go"
		}
		cache = path.Join(gopath, "pkg/mod")
	}
	if !path.IsAbs(cache) || len(l.s.Programs) == 0 {
		return
	}
	const before = "toolchain@v0.0.1-"
	dir := path.Join(cache, "golang.org")
	names, err := l.m.ReadDir(dir)
	if err != nil {
		return
	}
	for _, n := range names {
		name, ok := strings.CutPrefix(n, before)
		if !ok {
			continue
		}
		if name, ok = strings.CutSuffix(name, ".linux-"+l.s.Programs[0].Arch); !ok {
			continue
		}
		if p := path.Join(dir, n, "bin/go"); l.is(p, fs.FileMode.IsRegular) {
			l.s.Cached[name] = p
		}
	}
}
