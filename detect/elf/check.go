package elf

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
)

// Finding is a library that is not as some objects need it.
type Finding struct {
	Library string   `json:"library"`           // as it is needed; of a program that cannot start, its interpreter
	Problem Problem  `json:"problem"`           // never ""
	Version string   `json:"version,omitempty"` // what it lacks
	Found   string   `json:"found,omitempty"`   // what is there instead
	Beside  string   `json:"beside,omitempty"`  // where a private copy is that fits
	By      []string `json:"by"`                // the objects that need it, sorted
	// Programs are those that cannot start for it, sorted; none where only
	// shared objects were looked at.
	Programs []string `json:"programs,omitempty"`
}

// Unfit is a file that was not judged, and why.
type Unfit struct {
	Path  string `json:"path"`
	Arch  string `json:"arch,omitempty"`  // of programs for another processor
	Cause string `json:"cause,omitempty"` // of damaged files
	// Why is Cause for people.
	Why lang.Text `json:"-"`
}

// Report is what Check found.
type Report struct {
	Objects int `json:"objects"` // programs and shared objects judged
	// Missing is what has to be provided before everything works.
	Missing []Finding `json:"missing"`
	// Beside is what the loader alone would not find and is no concern: see
	// Check.
	Beside []Finding `json:"beside"`
	// Foreign files are of a processor or system this machine cannot run.
	Foreign []Unfit `json:"foreign"`
	// Damaged files are no sound ELF.
	Damaged []Unfit `json:"damaged"`
	// Static are programs for LoongArch that need no loader and are made for its
	// new ABI: a kernel of the old one kills them without a word. Which kernel
	// there is, headers do not tell.
	Static []Unfit `json:"static,omitempty"`
}

// Check judges paths, files and directories with all below them, and tells what
// is missing.
//
// A shared object is not loaded by itself, as ldd(1) would have it, but by a
// program, which passes its own search path on, may have loaded the library by
// its full name already, or is started with a LD_LIBRARY_PATH. So a library that
// the loader would not find for such an object is missing only if
//
//   - none of the programs looked at that draw the object in finds it there,
//   - it is not in the private directories beside: those of the object, and
//     above it up to the top of its installation (beside.go), and
//   - it is in none of the directories that the objects looked at have in their
//     own RPATH and RUNPATH, those of other installations excepted.
//
// For programs only the second holds, since somebody has to start them: such a
// finding of Beside names them in Programs.
//
// Files of a directory that are for another processor are listed as Foreign;
// one that was named itself is Missing its loader.
func (r *Resolver) Check(ctx context.Context, paths ...string) (*Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	files, err := walk(ctx, r.m, r.realPath, paths)
	if err != nil {
		return nil, err
	}
	k := &check{
		r: r, rep: &Report{Missing: []Finding{}, Beside: []Finding{}, Foreign: []Unfit{}, Damaged: []Unfit{}},
		met: map[problemKey]string{}, bad: map[problemKey]bool{}, own: map[string]bool{},
	}
	for _, f := range files {
		if f.err == nil {
			r.files[f.name] = &opened{obj: f.obj}
		}
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := k.file(f); err != nil {
			return nil, err
		}
	}
	k.judge()
	return k.rep, nil
}

type problemKey struct {
	by, name, version string
}

// trouble is a need that is not met when root is loaded.
type trouble struct {
	root    string
	program bool
	lib     Lib
}

type check struct {
	r        *Resolver
	rep      *Report
	troubles []trouble
	met      map[problemKey]string // needs a program meets, and with what
	bad      map[problemKey]bool   // needs a program leaves unmet
	own      map[string]bool       // directories of RPATHs and RUNPATHs
	ownDirs  []string              // the same in order
}

func (k *check) file(f seen) error {
	if f.err != nil {
		if !errors.Is(f.err, ErrDamaged) {
			return f.err
		}
		k.rep.Damaged = append(k.rep.Damaged, damaged(f.name, f.err))
		return nil
	}
	o, name := f.obj, f.name
	if o.Kind == Script {
		return k.script(f)
	}
	if !o.Dynamic() {
		if o.newWorldStatic() {
			k.rep.Static = append(k.rep.Static, Unfit{Path: name, Arch: o.Arch.String()})
		}
		return nil
	}
	if !o.linux() || !k.r.isNative(o.Arch) {
		if !f.given {
			k.rep.Foreign = append(k.rep.Foreign, Unfit{Path: name, Arch: o.Arch.String()})
			return nil
		}
		k.trouble(name, o, Lib{Name: loaderOf(o), By: name, Problem: WrongArch})
		return nil
	}
	c, err := k.r.resolve(name)
	if err != nil {
		k.rep.Damaged = append(k.rep.Damaged, damaged(name, err))
		return nil
	}
	k.rep.Objects++
	k.learn(c)
	world := slices.ContainsFunc(c.libs, func(l Lib) bool { return l.Name == o.Interp && l.Problem == OtherWorld })
	for _, l := range c.libs {
		// Of the other world nothing fits: that is said once.
		if l.Problem == "" || world && l.Name != o.Interp {
			continue
		}
		k.trouble(name, o, l)
	}
	return nil
}

func damaged(name string, err error) Unfit {
	return Unfit{Path: name, Cause: err.Error(), Why: lang.F("%s", "%s", err)}
}

// script judges the interpreter of a script.
func (k *check) script(f seen) error {
	i := f.obj.Interp
	if !strings.HasPrefix(i, "/") {
		return nil
	}
	at := k.r.open(i)
	if at.err != nil {
		k.troubles = append(k.troubles, trouble{f.name, true, Lib{Name: i, By: f.name, Problem: NoInterpreter}})
		return nil
	}
	if at.obj.Kind == Script { // one level is enough to be useful
		return nil
	}
	return k.file(seen{name: k.r.realPath(i), given: true, obj: at.obj})
}

func (k *check) trouble(root string, o *Object, l Lib) {
	k.troubles = append(k.troubles, trouble{root, o.Kind == Program, l})
}

// learn keeps what one closure tells about others.
func (k *check) learn(c *closure) {
	root := c.nodes[0]
	for _, n := range c.nodes {
		for _, dirs := range [][]string{n.obj.RPath, n.obj.RunPath} {
			for _, d := range dirs {
				d, ok := c.place.expand(d, path.Dir(n.path))
				if ok && strings.HasPrefix(d, "/") && !k.own[d] {
					k.own[d] = true
					k.ownDirs = append(k.ownDirs, d)
				}
			}
		}
	}
	if root.obj.Kind != Program {
		return
	}
	for _, l := range c.libs {
		if l.Problem == "" {
			k.met[k.key(l)] = l.Path
		} else {
			k.bad[k.key(l)] = true
		}
	}
}

func (k *check) key(l Lib) problemKey {
	return problemKey{k.r.realPath(l.By), l.Name, l.Version}
}

// judge sorts the troubles into missing and beside.
func (k *check) judge() {
	missing, beside := map[findingKey]*Finding{}, map[findingKey]*Finding{}
	for _, t := range k.troubles {
		l, into := t.lib, missing
		at := k.elsewhere(t)
		if at != "" {
			into = beside
		}
		key := findingKey{l.Name, l.Problem, l.Version, l.Path, at}
		f := into[key]
		if f == nil {
			f = &Finding{Library: l.Name, Problem: l.Problem, Version: l.Version, Found: l.Path, Beside: at}
			into[key] = f
		}
		f.By = append(f.By, l.By)
		if t.program {
			f.Programs = append(f.Programs, t.root)
		}
	}
	k.rep.Missing, k.rep.Beside = sorted(missing), sorted(beside)
}

type findingKey struct {
	library string
	problem Problem
	version string
	found   string
	beside  string
}

func sorted(m map[findingKey]*Finding) []Finding {
	out := make([]Finding, 0, len(m))
	for _, f := range m {
		for _, list := range []*[]string{&f.By, &f.Programs} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Library, b.Library), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Problem, b.Problem),
			cmp.Compare(a.Found, b.Found), cmp.Compare(a.Beside, b.Beside))
	})
	return out
}
