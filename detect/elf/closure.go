package elf

import (
	"errors"
	"path"
	"strings"

	"goxin/assets/lang"
)

var errNoFile = lang.Because(nil, "no such file", "没有这个文件")

// Limits of one program: real ones need a few hundred libraries.
const (
	maxObjects = 4096
	maxProbes  = 1 << 18 // names tried
)

// ErrTooLarge is a program whose libraries want ever more libraries.
var ErrTooLarge = lang.Because(nil, "more libraries than any program has", "牵涉的库多得不合常理")

// Problem is why a need is not met.
type Problem string

// The problems there are.
const (
	NotFound      Problem = "not-found"
	WrongArch     Problem = "wrong-architecture" // found, but for another processor
	NotLoadable   Problem = "not-loadable"       // found, but no shared object
	LacksVersion  Problem = "lacks-version"      // found, but older than what is wanted
	OtherWorld    Problem = "other-world"        // LoongArch: made for the other ABI
	NoInterpreter Problem = "no-interpreter"     // the program cannot even start
)

// Lib is one need and what became of it.
type Lib struct {
	Name    string  `json:"name"`              // as it is needed: libc.so.6, or the interpreter's path
	Path    string  `json:"path,omitempty"`    // where it was found, in the loader's words: links not resolved
	How     string  `json:"how,omitempty"`     // rpath, runpath, cache, default, path, loaded
	By      string  `json:"by"`                // the object that needs it
	Problem Problem `json:"problem,omitempty"` // "" when met
	Version string  `json:"version,omitempty"` // of LacksVersion
}

// Closure is everything an object draws in when it is loaded.
type Closure struct {
	Object *Object `json:"object"`
	// Libs has each need of each object once: first what the loader meets
	// first. A need that is met by what is loaded already is How "loaded".
	Libs []Lib `json:"libs"`
}

// Resolve finds what the loader would load for the object name, breadth first
// as ld.so(8) does, without LD_LIBRARY_PATH and LD_PRELOAD. An object that no
// loader takes has no needs.
func (r *Resolver) Resolve(name string) (*Closure, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.resolve(name)
	if err != nil {
		return nil, err
	}
	return &Closure{Object: c.nodes[0].obj, Libs: c.libs}, nil
}

func (r *Resolver) resolve(name string) (*closure, error) {
	// The kernel tells a program where it is with links resolved.
	name = r.realPath(name)
	f := r.open(name)
	if f.err != nil {
		return nil, f.err
	}
	c := r.closure(name, f.obj)
	if !f.obj.Dynamic() {
		return c, nil
	}
	err := c.load()
	return c, err
}

// node is a loaded object.
type node struct {
	obj    *Object
	path   string // as found
	real   string
	loader *node // who asked for it first
}

// closure is a loader at work.
type closure struct {
	r      *Resolver
	place  *place
	nodes  []*node
	byName map[string]*node
	byReal map[string]*node
	libs   []Lib
	probes int
}

func (r *Resolver) closure(name string, o *Object) *closure {
	c := &closure{r: r, place: r.place(o), byName: map[string]*node{}, byReal: map[string]*node{}}
	c.add(&node{obj: o, path: name, real: name}, name)
	return c
}

func (c *closure) add(n *node, name string) {
	c.nodes = append(c.nodes, n)
	c.byReal[n.real] = n
	c.call(n, name)
	if n.obj.Soname != "" {
		c.call(n, n.obj.Soname)
	}
}

// call lets n be known by name too.
func (c *closure) call(n *node, name string) {
	if _, taken := c.byName[name]; !taken {
		c.byName[name] = n
	}
}

func (c *closure) load() error {
	c.interpreter()
	for i := 0; i < len(c.nodes); i++ {
		n := c.nodes[i]
		for _, name := range n.obj.Needed {
			lib := c.find(name, n)
			c.libs = append(c.libs, lib)
			if len(c.nodes) > maxObjects || len(c.libs) > 16*maxObjects || c.probes > maxProbes {
				return ErrTooLarge
			}
		}
	}
	c.versions()
	return nil
}

// interpreter loads the loader itself, which may also be needed by name.
func (c *closure) interpreter() {
	root := c.nodes[0]
	names := []string{root.obj.Interp}
	if root.obj.Interp == "" {
		pf := root.obj.Arch.platform()
		if names = pf.loaders; c.place.flavour == musl {
			names = []string{pf.muslLoader()}
		}
	}
	problem := Problem("")
	for _, name := range names {
		if !strings.HasPrefix(name, "/") {
			continue
		}
		f := c.r.open(name)
		switch {
		case f.err != nil:
			problem = NoInterpreter
			continue
		case !sameMachine(f.obj.Arch, root.obj.Arch):
			problem = WrongArch
			continue
		}
		n := &node{obj: f.obj, path: name, real: c.r.realPath(name)}
		// libc.so.6 may be its own root; the loader is loaded beside it.
		if c.byReal[n.real] == nil {
			c.nodes = append(c.nodes, n)
			c.byReal[n.real] = n
			c.call(n, name)
			if n.obj.Soname != "" {
				c.call(n, n.obj.Soname)
			}
		}
		return
	}
	if root.obj.Interp == "" {
		return
	}
	if root.obj.World() != "" && c.otherLoader() {
		problem = OtherWorld
	}
	c.libs = append(c.libs, Lib{Name: root.obj.Interp, By: root.path, Problem: problem})
}

// otherLoader says whether the machine has the other world's loader.
func (c *closure) otherLoader() bool {
	root := c.nodes[0].obj
	for _, l := range root.Arch.platform().loaders {
		if l != root.Interp && c.r.open(l).obj != nil {
			return true
		}
	}
	return false
}

// find is the search of dl-load.c, or of musl's dynlink.c, for what n needs.
func (c *closure) find(name string, n *node) Lib {
	lib := Lib{Name: name, By: n.path}
	if c.place.flavour == musl && muslOwn(name) {
		name = c.place.muslSelf(c)
	}
	if m := c.byName[name]; m != nil {
		lib.Path, lib.How = m.path, "loaded"
		return lib
	}
	try := func(file, how string) bool {
		ok, problem := c.try(file, name, n)
		if ok {
			lib.Path, lib.How, lib.Problem = file, how, ""
		} else if problem != "" && lib.Problem == "" {
			lib.Path, lib.Problem = file, problem
		}
		return ok
	}
	if strings.Contains(name, "/") {
		file, ok := c.place.expand(name, path.Dir(n.path))
		if ok && strings.HasPrefix(file, "/") && try(file, "path") {
			return lib
		}
	} else if c.search(name, n, try) {
		return lib
	}
	if lib.Problem == "" {
		lib.Problem = NotFound
	}
	return lib
}

// search hands try every place of name in the loader's order until one does.
func (c *closure) search(name string, n *node, try func(file, how string) bool) bool {
	p := c.place
	in := func(dirs []string, origin, how string) bool {
		for _, d := range dirs {
			if d, ok := p.expand(d, origin); ok && strings.HasPrefix(d, "/") && c.inDir(d, name, how, try) {
				return true
			}
		}
		return false
	}
	if p.flavour == musl {
		// musl knows no difference of the two, and inherits both.
		for l := n; l != nil; l = l.loader {
			if in(l.obj.RPath, path.Dir(l.path), "rpath") || in(l.obj.RunPath, path.Dir(l.path), "runpath") {
				return true
			}
		}
		return in(p.system, "", "default")
	}
	if in(p.first, "", "default") {
		return true
	}
	if !n.obj.HasRunPath {
		main := false
		for l := n; l != nil; l = l.loader {
			main = main || l == c.nodes[0]
			if in(l.obj.RPath, path.Dir(l.path), "rpath") {
				return true
			}
		}
		if root := c.nodes[0]; !main && in(root.obj.RPath, path.Dir(root.path), "rpath") {
			return true
		}
	}
	if in(n.obj.RunPath, path.Dir(n.path), "runpath") {
		return true
	}
	if p.cache != nil {
		for _, file := range p.cache.lookup(name, p.cpu) {
			if n.obj.NoDefLib && c.isSystem(path.Dir(file)) {
				continue
			}
			if try(file, "cache") {
				return true
			}
		}
	}
	if in(p.conf, "", "cache") {
		return true
	}
	return !n.obj.NoDefLib && in(p.system, "", "default")
}

func (c *closure) isSystem(dir string) bool {
	for _, d := range c.place.system {
		if d == dir {
			return true
		}
	}
	return false
}

// inDir tries a directory: what is made for this CPU first.
func (c *closure) inDir(dir, name, how string, try func(file, how string) bool) bool {
	if !c.r.isDir(dir) {
		return false
	}
	if len(c.place.cpu.dirs) > 0 && c.r.isDir(dir+"/glibc-hwcaps") {
		for _, sub := range c.place.cpu.dirs {
			if try(dir+"/glibc-hwcaps/"+sub+"/"+name, how) {
				return true
			}
		}
	}
	return try(strings.TrimRight(dir, "/")+"/"+name, how)
}

// try loads file if it is there and fits. Without a problem it is not there.
func (c *closure) try(file, name string, by *node) (ok bool, p Problem) {
	c.probes++
	f := c.r.open(file)
	switch {
	case f.obj == nil && errors.Is(f.err, ErrDamaged):
		return false, NotLoadable
	case f.obj == nil:
		return false, ""
	case f.obj.Kind == NotELF, f.obj.Kind == Script:
		return false, NotLoadable
	case f.obj.Arch != c.nodes[0].obj.Arch && !c.mixes(f.obj.Arch):
		return false, WrongArch
	case !f.obj.Dynamic() && f.obj.Kind != StaticPIE:
		return false, NotLoadable
	}
	real := c.r.realPath(file)
	if n := c.byReal[real]; n != nil {
		c.call(n, name)
		return true, ""
	}
	c.add(&node{obj: f.obj, path: file, real: real, loader: by}, name)
	return true, ""
}

// mixes says whether an object of architecture a may join though its flags
// differ: what has no float ABI in its flags goes with any.
func (c *closure) mixes(a Arch) bool {
	root := c.nodes[0].obj.Arch
	return sameMachine(root, a) && (root.ABI == 0 || a.ABI == 0)
}

// muslSelf is the name musl's own libraries all have: the loader's.
func (p *place) muslSelf(c *closure) string {
	if i := c.nodes[0].obj.Interp; i != "" {
		return i
	}
	return c.nodes[0].obj.Arch.platform().muslLoader()
}

// versions checks what dl-version.c does: for each version wanted of a loaded
// library, that it is defined there. musl does not check.
func (c *closure) versions() {
	if c.place.flavour == musl {
		return
	}
	for _, n := range c.nodes {
		for _, need := range n.obj.Needs {
			m := c.byName[need.File]
			if m == nil || need.Weak || m.obj.Defines(need.Version) {
				continue
			}
			lib := Lib{Name: need.File, Path: m.path, By: n.path, Problem: LacksVersion, Version: need.Version}
			if w := n.obj.World(); w != "" && w != m.obj.World() {
				lib.Problem = OtherWorld
			}
			c.libs = append(c.libs, lib)
		}
	}
}
