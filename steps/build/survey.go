package build

import (
	"context"
	"encoding/json"
	"go/version"
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/scratch"
	"goxin/steps/stock"
)

// survey is what the step looks up, by machine.
type survey map[machine.ID]*seen

// seen is what one machine has.
type seen struct {
	Stock stock.Seen `json:"stock"`
	Go    string     `json:"go,omitempty"`    // GOROOT of the Go to build with; "" where there is none yet
	World string     `json:"world,omitempty"` // of that Go on LoongArch: old, new
	// Room is the most that is free where proofs build, in bytes.
	Room detect.Fact[uint64] `json:"room"`
	// Compilers and Emulators are paths by GOARCH; the machine's own compiler is gcc.
	Compilers map[string]string `json:"compilers,omitempty"`
	Emulators map[string]string `json:"emulators,omitempty"`
}

// Survey looks for a Go, for compilers and for emulators, and asks the package manager
// for the compilers that could be had.
func (s Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, hs engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	a, err := readAnswers(v)
	if err != nil {
		a, _ = readAnswers(nil) // Ops says it
	}
	out := make(survey, len(hs.Order))
	for _, id := range hs.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		if say != nil {
			say(engine.Say(lang.F("looking for compilers on %s", "正在查找 %s 上的编译器", string(id))))
		}
		f := hs.Facts[id]
		h := &host{facts: f, a: a}
		if out[id], err = look(m, h); err != nil {
			return nil, err
		}
		st, err := s.asker().Look(ctx, m, f, h.couldWant()...)
		if err != nil {
			return nil, err
		}
		out[id].Stock = *st
	}
	return json.Marshal(out)
}

// look is the part that files tell.
func look(m machine.Machine, h *host) (*seen, error) {
	s := &seen{Compilers: map[string]string{}, Emulators: map[string]string{}}
	s.Room.From = lang.Same("statfs(2)")
	for _, base := range scratch.Bases() {
		if space, err := m.Space(base); err == nil && (!s.Room.Known || space.Free > s.Room.Value) {
			s.Room.Value, s.Room.Known = space.Free, true
		}
	}
	var err error
	if s.Go, err = findGo(m, h.own()); err != nil {
		return nil, lang.Errorf(err, "cannot look for Go in %s", "无法在 %s 中查找 Go", goroot.Base).
			WithHint("run goxin as root", "请以 root 身份运行")
	}
	if s.Go != "" {
		if o, err := elf.Read(m, path.Join(s.Go, "bin/go")); err == nil {
			s.World = o.World()
		}
	}
	for _, p := range h.targets() {
		names := []string{p.compiler()}
		if p.arch == h.own() {
			names = []string{"gcc"}
		} else if e := program(m, p.emulators()...); e != "" {
			s.Emulators[p.arch] = e
		}
		if c := program(m, names...); c != "" && p.cgo {
			s.Compilers[p.arch] = c
		}
	}
	return s, nil
}

// program is the first of names that is in the directories programs are run from;
// "" where none is.
func program(m machine.Machine, names ...string) string {
	for _, n := range names {
		for _, dir := range []string{"/usr/local/bin", "/usr/bin"} {
			if info, err := m.Stat(path.Join(dir, n)); err == nil && info.Mode.IsRegular() && info.Mode&0o111 != 0 {
				return path.Join(dir, n)
			}
		}
	}
	return ""
}

// findGo is the GOROOT to build with: the release in use, another that goxin
// installed for this processor, or what somebody else put where Go usually is.
func findGo(m machine.Machine, own string) (string, error) {
	list, err := goroot.List(m)
	if err != nil {
		return "", err
	}
	dirs := []string{goroot.Current}
	slices.SortFunc(list, func(a, b goroot.Installed) int { return version.Compare(b.Toolchain.Version, a.Toolchain.Version) })
	for _, i := range list {
		if i.Toolchain.OS == "linux" && i.Toolchain.Arch == own {
			dirs = append(dirs, i.Dir)
		}
	}
	dirs = append(dirs, "/usr/local/go", "/usr/lib/golang")
	names, _ := m.ReadDir("/usr/lib") // where it is not, nothing is in it
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "go-1.") })
	slices.SortFunc(names, func(a, b string) int { return version.Compare("go"+b[len("go-"):], "go"+a[len("go-"):]) })
	for _, n := range names {
		dirs = append(dirs, path.Join("/usr/lib", n))
	}
	for _, dir := range dirs {
		if info, err := m.Stat(path.Join(dir, "bin/go")); err == nil && info.Mode.IsRegular() && info.Mode&0o111 != 0 {
			return dir, nil
		}
	}
	return "", nil
}

// seenOn decodes what was seen on one machine. A step planned without a survey knows
// nothing of it.
func seenOn(sv engine.Survey, id machine.ID, f *detect.Facts) (*seen, error) {
	if len(sv) > 0 {
		var s survey
		if err := json.Unmarshal(sv, &s); err != nil {
			return nil, engine.BadSurvey(err)
		}
		if found := s[id]; found != nil {
			return found, nil
		}
	}
	return &seen{Stock: stock.Seen{Manager: stock.Manager(f)}}, nil
}
