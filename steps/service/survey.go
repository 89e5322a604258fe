package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/runtime"
	"goxin/steps/scratch"
)

// buildDir has what the step built, one program for each architecture: an interrupted run
// goes on with it. What the compiler keeps there goes with `goxin prune`.
const buildDir = scratch.Builds

// seen is what was looked up for one machine.
type seen struct {
	Source   string    `json:"source,omitempty"` // the program for it, on the machine the run is about
	SHA256   string    `json:"sha256,omitempty"` // in hexadecimal
	Size     int64     `json:"size,omitempty"`   // bytes
	Arch     string    `json:"arch,omitempty"`   // as uname -m has it
	Kind     elf.Kind  `json:"kind,omitempty"`
	Go       string    `json:"go,omitempty"`       // the Go it was built with; "" for another program
	Notifies bool      `json:"notifies,omitempty"` // it has $NOTIFY_SOCKET in it
	After    string    `json:"after,omitempty"`    // the step that has to be done before it can be built
	Problem  lang.Text `json:"problem,omitzero"`   // why it cannot be used
	Hint     lang.Text `json:"hint,omitzero"`
	UserNS   bool      `json:"userns"`       // user namespaces can be made
	Up       bool      `json:"up,omitempty"` // a unit of the name runs already
}

type survey map[machine.ID]*seen

// Resurvey is needed for another program or name.
func (Step) Resurvey(old, now engine.Values) bool {
	for _, k := range []string{KeyBinary, KeyModule, KeyName, KeySecrets} {
		if old.Text(k, "") != now.Text(k, "") {
			return true
		}
	}
	return false
}

// Survey reads the program for each machine, building it first where a module is named.
func (Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	out := make(survey, len(h.Order))
	home := ms[h.Order[0]]
	if home == nil {
		return nil, engine.NoMachine(h.Order[0])
	}
	for _, id := range h.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		if say != nil {
			say(engine.Say(lang.F("looking at the program for %s", "正在查看 %s 的程序", h.Name(id))))
		}
		s, err := look(ctx, home, m, h, v)
		if err != nil {
			return nil, err
		}
		out[id] = s
	}
	return json.Marshal(out)
}

func look(ctx context.Context, home, m machine.Machine, h engine.Hosts, v engine.Values) (*seen, error) {
	f := h.Facts[m.ID()]
	s := &seen{UserNS: userNamespaces(m)}
	name := v.Text(KeyName, "app")
	s.Up = f.Running && unitUp(ctx, m, name+".service")
	s.Source = strings.ReplaceAll(v.Text(KeyBinary, ""), "{arch}", f.Arch.GOARCH.Value)
	if manager := f.Init.Name; f.Running && manager.Known && manager.Value != "systemd" {
		return s, nil // nothing is built that cannot be a service
	}
	if dir := v.Text(KeyModule, ""); dir != "" && s.Source == "" {
		if goroot, _ := runtime.Find(home); goroot == "" {
			s.After = "toolchain"
			return s, nil
		}
		built, err := build(ctx, home, dir, name, f.Arch.GOARCH.Value)
		if err != nil {
			s.trouble(err)
			return s, ctx.Err()
		}
		s.Source = built
	}
	if s.Source == "" {
		return s, nil
	}
	if file := v.Text(KeySecrets, ""); file != "" {
		if _, err := m.Stat(file); err != nil {
			s.trouble(lang.Errorf(err, "cannot use the environment file %s on %s", "无法使用 %[2]s 上的环境文件 %[1]s", file, h.Name(m.ID())).
				WithHint("make it there first: install -m 600 /dev/null %s", "请先在该机器上创建：install -m 600 /dev/null %s", file))
			return s, nil
		}
	}
	if err := s.read(ctx, home); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.trouble(err)
	}
	return s, nil
}

// trouble is for Ops to tell: what cannot be used is no reason for the survey to fail.
func (s *seen) trouble(err error) {
	s.Problem = lang.T(lang.Message(err, lang.EN), lang.Message(err, lang.ZH))
	s.Hint = lang.T(lang.Hint(err, lang.EN), lang.Hint(err, lang.ZH))
}

// userNamespaces says whether the kernel makes any (user_namespaces(7)). Of a tree and of
// a captured machine, where no process is, it is not known, and nothing is left out.
func userNamespaces(m machine.Machine) bool {
	data, err := m.ReadFile("/proc/sys/user/max_user_namespaces")
	if err != nil {
		if _, err := m.Stat("/proc/self/ns"); err != nil {
			return true
		}
		_, err := m.Stat("/proc/self/ns/user")
		return err == nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	return err == nil && n > 0
}

func unitUp(ctx context.Context, m machine.Machine, unit string) bool {
	err := m.Run(ctx, machine.Command{Argv: []string{"systemctl", "is-active", "--quiet", unit}, Timeout: 30 * time.Second}, nil)
	return err == nil
}

// read reads the program: what it is, its digest, and what can be seen in it.
func (s *seen) read(ctx context.Context, home machine.Machine) error {
	o, err := elf.Read(home, s.Source)
	if err != nil {
		e := lang.Errorf(err, "cannot read the program %s", "无法读取程序 %s", s.Source)
		if errors.Is(err, fs.ErrNotExist) {
			return e.WithHint("build it first, or correct the path", "请先构建，或更正路径")
		}
		return e
	}
	s.Kind, s.Arch = o.Kind, o.Arch.String()
	if o.Kind == elf.Script || o.Kind == elf.NotELF {
		s.Arch = ""
	}
	in, err := home.Open(s.Source)
	if err != nil {
		return lang.Errorf(err, "cannot read the program %s", "无法读取程序 %s", s.Source)
	}
	defer in.Close()
	h := sha256.New()
	f := &finder{}
	if s.Size, err = io.Copy(io.MultiWriter(h, f), in); err != nil {
		return lang.Errorf(err, "cannot read the program %s", "无法读取程序 %s", s.Source)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.SHA256, s.Go, s.Notifies = hex.EncodeToString(h.Sum(nil)), f.version, f.notifies
	return nil
}

// finder looks in a program that passes by for what tells how it behaves.
type finder struct {
	tail     []byte
	notifies bool
	version  string
}

// The words: the variable that sd_notify(3) reads, and the mark that Go 1.18 and newer
// put before their version (debug/buildinfo).
const (
	socketVar = "NOTIFY_SOCKET"
	buildMark = "\xff Go buildinf:"
	markEnd   = 32 // bytes from the mark to the version, which has its length before it
	reach     = 128
)

func (f *finder) Write(p []byte) (int, error) {
	b := append(f.tail, p...)
	f.notifies = f.notifies || bytes.Contains(b, []byte(socketVar))
	for rest := b; f.version == ""; {
		at := bytes.Index(rest, []byte(buildMark))
		if at < 0 {
			break
		}
		rest = rest[at:]
		f.version = versionAt(rest)
		rest = rest[len(buildMark):]
	}
	f.tail = bytes.Clone(b[max(len(b)-reach, 0):])
	return len(p), nil
}

func versionAt(b []byte) string {
	if len(b) <= markEnd {
		return ""
	}
	n := int(b[markEnd])
	if n == 0 || n >= 64 || len(b) < markEnd+1+n {
		return ""
	}
	v, _, _ := strings.Cut(string(b[markEnd+1:markEnd+1+n]), " ")
	if !strings.HasPrefix(v, "go1.") || !printable(v) {
		return ""
	}
	return v
}

// olderThan says whether v is known to be below Go 1.minor.
func olderThan(v string, minor int) bool {
	rest, ok := strings.CutPrefix(v, "go1.")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		rest = rest[:end]
	}
	n, err := strconv.Atoi(rest)
	return ok && err == nil && n < minor
}

// build compiles the package in dir, on the machine the run is about, for goarch.
func build(ctx context.Context, m machine.Machine, dir, name, goarch string) (string, error) {
	goroot, _ := runtime.Find(m)
	for _, d := range []string{path.Dir(buildDir), buildDir} {
		if err := m.Mkdir(d, 0o700, machine.Keep); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", lang.Errorf(err, "cannot make directory %s", "无法创建目录 %s", d)
		}
	}
	out := path.Join(buildDir, name+"-"+goarch)
	var said []string
	err := m.Run(ctx, machine.Command{
		Argv: []string{path.Join(goroot, "bin/go"), "build", "-trimpath", "-o", out, "."},
		Dir:  dir, Timeout: 30 * time.Minute,
		Env: []string{"GOOS=linux", "GOARCH=" + goarch, "CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOFLAGS=-buildvcs=false", "GOCACHE=" + path.Join(buildDir, "cache"), "GOPATH=" + path.Join(buildDir, "gopath")},
	}, func(line string) { said = append(said, line) })
	if err != nil {
		if len(said) > 0 {
			err = lang.Quote(strings.Join(said[:min(len(said), 5)], "\n"))
		}
		return "", lang.Errorf(err, "cannot build %s for %s", "无法为 %[2]s 构建 %[1]s", dir, goarch).
			WithHint("see the compiler's own words; without a network its modules have to be there: go mod vendor", "请看编译器的输出；无网络时需先备好依赖：go mod vendor")
	}
	return out, nil
}

// seenOn decodes what was seen for one machine.
func seenOn(sv engine.Survey, id machine.ID) (*seen, error) {
	if len(sv) > 0 {
		var s survey
		if err := json.Unmarshal(sv, &s); err != nil {
			return nil, engine.BadSurvey(err)
		}
		if one := s[id]; one != nil {
			return one, nil
		}
	}
	return &seen{UserNS: true}, nil
}
