package libs

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/stock"
)

// survey is what the step looks up, by machine.
type survey map[machine.ID]*Seen

// Seen is what one machine has, lacks, and could get.
type Seen struct {
	// Found is where each required library is; those that are missing are not in it.
	Found map[string]string `json:"found"`
	// Needs are what the programs looked at lack, at most maxNeeds.
	Needs []Need `json:"needs,omitempty"`
	More  int    `json:"more,omitempty"` // needs beyond those
	// Objects are the programs and shared objects judged; Absent the paths that are
	// not there.
	Objects int      `json:"objects,omitempty"`
	Absent  []string `json:"absent,omitempty"`
	// Static are programs that an old-world kernel kills.
	Static []string `json:"static,omitempty"`
	// Offers are by name of a requirement and by SONAME of a need.
	Offers map[string]Offer `json:"offers,omitempty"`
	Stock  stock.Seen       `json:"stock"`
}

// Need is a library that is not as programs need it.
type Need struct {
	elf.Finding
	Count int `json:"count"` // of By, which in a survey names the first few
	// Arch is the processor it is needed for, where that is not the machine's own:
	// i686 on x86_64.
	Arch string `json:"arch,omitempty"`
}

// What is kept for the journal, of paths that may have thousands of programs.
const (
	maxNeeds = 100
	maxBy    = 3
)

// Survey looks for the libraries and asks the package manager about those that
// are missing.
func (s Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	a, err := readAnswers(v)
	if err != nil {
		a, _ = readAnswers(nil) // Ops says it
	}
	if say == nil {
		say = func(engine.Progress) {}
	}
	out := make(survey, len(h.Order))
	for _, id := range h.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		say(engine.Say(lang.F("reading the headers of programs on %s", "正在读取 %s 上程序的文件头", string(id))))
		seen, err := look(ctx, m, h.Facts[id], a)
		if err != nil {
			return nil, err
		}
		wants := seen.wants(h.Facts[id], a)
		say(engine.Say(lang.F("asking the package manager of %s", "正在查询 %s 的包管理器", string(id))))
		st, offers, err := offer(ctx, s.asker(), m, h.Facts[id], wants, a.Packages)
		if err != nil {
			return nil, err
		}
		seen.Stock, seen.Offers = *st, offers
		out[id] = seen
	}
	return json.Marshal(out)
}

// look is the part that headers tell.
func look(ctx context.Context, m machine.Machine, f *detect.Facts, a answers) (*Seen, error) {
	s := &Seen{Found: map[string]string{}}
	r := elf.NewResolver(m)
	for _, q := range required(f, a) {
		if _, at, ok := q.Find(r); ok {
			s.Found[q.Name] = at
		}
	}
	if s.Found["glibc"] == "" && f.Libc.Name.Value == "glibc" {
		s.Found["glibc"] = f.Libc.Name.From.EN // of a captured machine, whose libraries are not whole
	}
	there, absent, err := present(m, a.Paths)
	if err != nil {
		return nil, err
	}
	s.Absent = absent
	if len(there) == 0 {
		return s, nil
	}
	rep, err := r.Check(ctx, there...)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, unreadable(err)
	}
	s.Objects = rep.Objects
	for _, n := range Needs(m, r, rep) {
		switch {
		case slices.Contains(a.Ignore, n.Library):
		case len(s.Needs) == maxNeeds:
			s.More++
		default:
			n.By = n.By[:min(len(n.By), maxBy)]
			n.Programs = n.Programs[:min(len(n.Programs), maxBy)]
			s.Needs = append(s.Needs, n)
		}
	}
	if f.Kernel.World.Value == "old" {
		for _, u := range rep.Static {
			s.Static = append(s.Static, u.Path)
		}
	}
	return s, nil
}

// Needs are what rep found missing on m.
func Needs(m machine.Machine, r *elf.Resolver, rep *elf.Report) []Need {
	own, _ := r.OwnArch()
	out := make([]Need, len(rep.Missing))
	for i, f := range rep.Missing {
		out[i] = Need{Finding: f, Count: len(f.By)}
		if o, err := elf.Read(m, f.By[0]); err == nil && o.Dynamic() && o.Arch.String() != own.String() {
			out[i].Arch = o.Arch.String()
		}
	}
	return out
}

func unreadable(err error) error {
	e := lang.Errorf(err, "cannot look at the libraries", "无法检查依赖库")
	if errors.Is(err, fs.ErrPermission) {
		return e.WithHint("run goxin as root", "请以 root 身份运行")
	}
	return e.WithHint("correct paths", "请检查 paths")
}

// present sorts paths into those that are there and those that are not yet.
func present(m machine.Machine, paths []string) (there, absent []string, err error) {
	for _, p := range paths {
		switch _, err := m.Stat(p); {
		case err == nil:
			there = append(there, p)
		case errors.Is(err, fs.ErrNotExist):
			absent = append(absent, p)
		default:
			return nil, nil, unreadable(err)
		}
	}
	return there, absent, nil
}

// required are the requirements that were asked for, by the names of f's family.
func required(f *detect.Facts, a answers) []Requirement {
	return slices.DeleteFunc(Requirements(f.OS.Family.Value, f.Libc.Version.Value), func(r Requirement) bool {
		return !slices.Contains(a.Require, r.Name)
	})
}

// Find says under which name and where r finds a requirement for the machine's own
// programs; ok is false where it is missing.
func (q Requirement) Find(r *elf.Resolver) (soname, at string, ok bool) {
	arch, known := r.OwnArch()
	if !known {
		return "", "", false
	}
	for _, s := range q.Sonames {
		if at, ok := r.Lookup(arch, s); ok {
			return s, at, true
		}
	}
	return "", "", false
}

// wants are the libraries that a package could bring.
func (s *Seen) wants(f *detect.Facts, a answers) []want {
	var out []want
	for _, q := range required(f, a) {
		if s.Found[q.Name] == "" {
			out = append(out, want{Key: q.Name, Sonames: q.Sonames, Table: q.Packages})
		}
	}
	return append(out, wantsOf(f, s.Needs)...)
}

// wantsOf are the needs among them, each library once.
func wantsOf(f *detect.Facts, needs []Need) []want {
	var out []want
	for _, n := range needs {
		if n.curable() && !slices.ContainsFunc(out, func(w want) bool { return w.Key == n.Library }) {
			out = append(out, wantOf(f, n.Library))
		}
	}
	return out
}

// curable says whether a package could bring it: it is a library, for this
// processor, and simply not there.
func (n *Need) curable() bool {
	return n.Problem == elf.NotFound && n.Arch == "" && checkSoname(n.Library) == nil
}

// seenOn decodes what was seen on one machine. A step planned without a survey
// knows nothing of it.
func seenOn(sv engine.Survey, id machine.ID) (*Seen, error) {
	if len(sv) == 0 {
		return &Seen{}, nil
	}
	var s survey
	if err := json.Unmarshal(sv, &s); err != nil {
		return nil, engine.BadSurvey(err)
	}
	if seen := s[id]; seen != nil {
		return seen, nil
	}
	return &Seen{}, nil
}
