package elf

import (
	"path"
	"slices"
	"strings"
)

// Limits of looking around an installation.
const (
	maxClimb     = 5     // directories upwards
	maxTreeDepth = 5     // and downwards
	maxTreeNames = 20000 // names in all
)

// elsewhere is where the library of a trouble is that the loader alone would not
// find; "" where it is missing. Check says by which rule.
func (k *check) elsewhere(t trouble) string {
	l := t.lib
	switch {
	case l.Problem == NoInterpreter, l.Problem == OtherWorld:
		return ""
	case l.Name == l.Path, strings.HasPrefix(l.Name, "/"):
		return "" // only that very file would do
	}
	root := k.r.open(t.root).obj
	if root == nil {
		return ""
	}
	name := path.Base(l.Name)
	fits := func(file string) bool {
		f := k.r.open(file)
		return file != l.Path && f.obj != nil && f.obj.Kind == Library && f.obj.Arch == root.Arch &&
			(l.Version == "" || f.obj.Defines(l.Version))
	}
	if !t.program {
		by := k.r.realPath(l.By)
		if at := k.met[problemKey{by, l.Name, ""}]; at != "" && !k.bad[k.key(l)] {
			return at
		}
	}
	for _, from := range []string{k.r.realPath(l.By), t.root} {
		if at := k.r.installed(path.Dir(from), name, fits); at != "" {
			return at
		}
	}
	if t.program {
		return ""
	}
	for _, d := range k.ownDirs {
		// What belongs to one whole installation is of no use to another.
		if p := k.r.prefix(d); p != "" && !strings.HasPrefix(t.root, p+"/") {
			continue
		}
		if file := path.Join(d, name); k.r.isDir(d) && fits(file) {
			return k.r.realPath(file)
		}
	}
	return ""
}

// installed looks for name in dir and below, then in the directory above, up to
// the top of what dir is an installation of: a directory with a bin or lib of
// its own (/opt/app, /usr/lib/jvm/java-17), or the last below those that belong
// to nobody (/usr/lib/firefox).
func (r *Resolver) installed(dir, name string, fits func(string) bool) string {
	for range maxClimb {
		if public(dir) {
			return ""
		}
		for _, file := range r.tree(dir)[name] {
			if fits(file) {
				return file
			}
		}
		if r.whole(dir) {
			return ""
		}
		dir = path.Dir(dir)
	}
	return ""
}

// whole says whether dir is the top of an installation with all its parts.
func (r *Resolver) whole(dir string) bool {
	return r.isDir(dir+"/bin") || r.isDir(dir+"/lib") || r.isDir(dir+"/lib64")
}

// prefix is the installation dir is part of; "" where it is of none.
func (r *Resolver) prefix(dir string) string {
	dir = r.realPath(dir)
	for range maxClimb {
		if public(dir) {
			return ""
		}
		if r.whole(dir) {
			return dir
		}
		dir = path.Dir(dir)
	}
	return ""
}

// public says whether a directory holds the things of many.
func public(dir string) bool {
	parent, base := path.Split(dir)
	switch parent = path.Clean(parent); parent {
	case "/", "/usr", "/usr/local":
		switch base {
		case "", "usr", "local", "opt", "home", "root", "srv", "var", "tmp", "mnt", "media", "etc", "run",
			"lib", "lib32", "lib64", "libx32", "libexec", "bin", "sbin", "games", "share", "src":
			return true
		}
	case "/var":
		return base == "lib" || base == "opt" || base == "tmp" || base == "cache"
	case "/home":
		return true
	case "/lib", "/usr/lib", "/usr/local/lib":
		return strings.Contains(base, "-linux-") // x86_64-linux-gnu
	}
	return false
}

// tree lists the shared objects below top by their names, nearest first.
func (r *Resolver) tree(top string) map[string][]string {
	if t := r.trees[top]; t != nil {
		return t
	}
	t := map[string][]string{}
	left := maxTreeNames
	level := []string{top}
	for depth := 0; depth < maxTreeDepth && len(level) > 0; depth++ {
		var next []string
		for _, dir := range level {
			names, err := r.m.ReadDir(dir)
			if err != nil {
				continue
			}
			for _, base := range names {
				if left--; left < 0 {
					break
				}
				full := path.Join(dir, base)
				if strings.Contains(base, ".so") {
					t[base] = append(t[base], full)
					continue
				}
				if info, err := r.m.Lstat(full); err == nil && info.Mode.IsDir() {
					next = append(next, full)
				}
			}
		}
		slices.Sort(next)
		level = next
	}
	r.trees[top] = t
	return t
}
