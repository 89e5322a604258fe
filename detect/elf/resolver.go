package elf

import (
	"path"
	"strings"
	"sync"

	"goxin/detect/machine"
)

// Resolver finds libraries as the loaders of one machine would. It remembers
// what it has read, so it is for one look at a machine that stands still. It is
// safe for concurrent use, one caller at a time getting on.
type Resolver struct {
	m machine.Machine

	mu     sync.Mutex
	files  map[string]*opened // by the name it was looked for under
	real   map[string]string
	dirs   map[string]bool
	places map[placeKey]*place
	trees  map[string]map[string][]string
	native map[Arch]bool
}

// opened is a file that was looked for; obj is nil where err says why.
type opened struct {
	obj *Object
	err error
}

// NewResolver is for the machine m, a running one or a tree of any architecture.
func NewResolver(m machine.Machine) *Resolver {
	return &Resolver{
		m: m, files: map[string]*opened{}, real: map[string]string{}, dirs: map[string]bool{},
		places: map[placeKey]*place{}, trees: map[string]map[string][]string{}, native: map[Arch]bool{},
	}
}

// open reads the file name, once.
func (r *Resolver) open(name string) *opened {
	f := r.files[name]
	if f == nil {
		f = &opened{}
		if dir := path.Dir(name); !r.isDir(dir) {
			f.err = errNoFile
		} else {
			f.obj, f.err = r.readRegular(name)
		}
		r.files[name] = f
	}
	return f
}

// readRegular refuses what is not a regular file: opening a device may do
// something.
func (r *Resolver) readRegular(name string) (*Object, error) {
	info, err := r.m.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode.IsRegular() {
		return nil, errNoFile
	}
	return Read(r.m, name)
}

func (r *Resolver) isDir(dir string) bool {
	is, ok := r.dirs[dir]
	if !ok {
		info, err := r.m.Stat(dir)
		is = err == nil && info.Mode.IsDir()
		r.dirs[dir] = is
	}
	return is
}

func (r *Resolver) exists(name string) bool {
	_, err := r.m.Stat(name)
	return err == nil
}

// realPath is name with every link resolved, so that two names of one file are
// one; name itself where that fails.
func (r *Resolver) realPath(name string) string {
	links := 0
	return r.resolveLinks(name, &links)
}

func (r *Resolver) resolveLinks(name string, links *int) string {
	if name == "/" || name == "." || name == "" {
		return name
	}
	if real, ok := r.real[name]; ok {
		return real
	}
	dir, base := path.Split(strings.TrimRight(name, "/"))
	dir = r.resolveLinks(strings.TrimRight(dir, "/")+"/", links)
	var real string
	switch base {
	case "", ".":
		real = dir
	case "..":
		real = path.Dir(dir)
	default:
		real = path.Join(dir, base)
		if target, err := r.m.Readlink(real); err == nil {
			if *links++; *links > 40 {
				return name
			}
			if !strings.HasPrefix(target, "/") {
				target = dir + "/" + target
			}
			real = r.resolveLinks(target, links)
		}
	}
	r.real[name] = real
	return real
}

// isNative says whether programs of architecture a can start here: a loader for
// them is there, or the machine's own programs are of it.
func (r *Resolver) isNative(a Arch) bool {
	a.ABI = 0
	is, ok := r.native[a]
	if ok {
		return is
	}
	pf := a.platform()
	for _, l := range append([]string{pf.muslLoader()}, pf.loaders...) {
		if l == "" {
			continue
		}
		if f := r.open(l); f.obj != nil && sameMachine(f.obj.Arch, a) {
			is = true
		}
	}
	if own, ok := r.ownArch(); ok && sameMachine(own, a) {
		is = true
	}
	r.native[a] = is
	return is
}

func sameMachine(a, b Arch) bool {
	return a.Class == b.Class && a.Little == b.Little && a.Machine == b.Machine
}

// OwnArch is the architecture of the machine's own programs.
func (r *Resolver) OwnArch() (Arch, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ownArch()
}

func (r *Resolver) ownArch() (Arch, bool) {
	for _, name := range [...]string{"/bin/sh", "/usr/bin/env", "/bin/bash", "/bin/busybox", "/sbin/init", "/lib64/libc.so.6"} {
		if f := r.open(name); f.obj != nil && f.obj.Kind != NotELF && f.obj.Kind != Script {
			return f.obj.Arch, true
		}
	}
	return Arch{}, false
}

// Lookup finds the library soname for programs of architecture a as a program
// without search path of its own would: in the cache and the default
// directories.
func (r *Resolver) Lookup(a Arch, soname string) (name string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.closure("/", &Object{Kind: Program, Arch: a})
	lib := c.find(soname, c.nodes[0])
	return lib.Path, lib.Problem == ""
}
