package elf

import (
	"path"
	"strings"
)

// place is where libraries are looked for, for one architecture and loader.
type place struct {
	flavour flavour
	first   []string // before everything else; libLoL alone has them
	cache   *Cache   // nil: dirs of the configuration stand for it
	conf    []string
	system  []string // the default directories
	lib     string   // $LIB
	name    string   // $PLATFORM
	cpu     capabilities
}

// libLoL runs programs of LoongArch's old world on the new one with a loader of
// its own, which has its own directories and configuration (AOSC-Dev/liblol).
const (
	lolLoader = "/lib64/ld.so.1"
	lolTarget = "loongarch64-aosc-linux-gnuow"
	lolPrefix = "/opt/lol"
)

type placeKey struct {
	arch Arch
	f    flavour
	lol  bool
}

// place is where the loader of o looks.
func (r *Resolver) place(o *Object) *place {
	k := placeKey{o.Arch, r.flavour(o), false}
	k.arch.ABI = 0
	k.lol = k.f == glibc && o.World() == "old" && r.exists(lolPrefix+"/support/lib/"+lolTarget)
	if p := r.places[k]; p != nil {
		return p
	}
	p := r.newPlace(k)
	r.places[k] = p
	return p
}

func (r *Resolver) newPlace(k placeKey) *place {
	pf := k.arch.platform()
	if k.f == musl {
		return &place{flavour: musl, system: r.muslDirs(pf)}
	}
	p := &place{flavour: glibc, lib: pf.lib, name: pf.name, cpu: readCPU(r.m, k.arch)}
	p.system, p.lib = r.systemDirs(pf)
	if k.lol {
		support := lolPrefix + "/support/lib/" + lolTarget
		p.first = []string{lolPrefix + "/local/preload-lib", support}
		p.system = append(p.system, lolPrefix+"/local/lib", lolPrefix+"/lib/"+lolTarget, lolPrefix+"/lib")
		p.cache, _ = r.readCache(lolPrefix + "/etc/ld.so.cache")
		return p
	}
	var err error
	if p.cache, err = r.readCache("/etc/ld.so.cache"); err != nil {
		p.conf = confDirs(r.m)
	}
	return p
}

func (r *Resolver) readCache(name string) (*Cache, error) {
	data, err := r.m.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return ParseCache(data)
}

// systemDirs are the directories a distribution's glibc has built in, and what
// $LIB stands for. Debian has its triplets; the others have lib64 where there
// are two sizes of address.
func (r *Resolver) systemDirs(pf platform) (dirs []string, lib string) {
	for _, t := range pf.triplets {
		if r.exists("/lib/"+t) || r.exists("/usr/lib/"+t) {
			return []string{"/lib/" + t, "/usr/lib/" + t, "/lib", "/usr/lib"}, "lib/" + t
		}
	}
	if pf.lib != "lib" && (r.exists("/"+pf.lib+"/libc.so.6") || r.exists("/usr/"+pf.lib+"/libc.so.6")) {
		return []string{"/" + pf.lib, "/usr/" + pf.lib}, pf.lib
	}
	dirs = []string{"/lib", "/usr/lib"}
	if pf.lib != "lib" {
		dirs = append(dirs, "/"+pf.lib, "/usr/"+pf.lib)
	}
	return dirs, "lib"
}

// muslDirs are those of /etc/ld-musl-ARCH.path, or the built-in ones.
func (r *Resolver) muslDirs(pf platform) []string {
	data, err := r.m.ReadFile("/etc/ld-musl-" + pf.musl + ".path")
	if err != nil {
		return []string{"/lib", "/usr/local/lib", "/usr/lib"}
	}
	var dirs []string
	for _, d := range strings.FieldsFunc(string(data), func(c rune) bool { return c == ':' || c == '\n' }) {
		if strings.HasPrefix(d, "/") {
			dirs = append(dirs, d)
		}
	}
	return dirs
}

// flavour is whose loader an object gets: its interpreter tells, or whose
// libraries it wants, or what the machine has.
func (r *Resolver) flavour(o *Object) flavour {
	if o.Interp != "" {
		if strings.Contains(path.Base(o.Interp), "ld-musl") {
			return musl
		}
		return glibc
	}
	for _, n := range o.Needed {
		switch {
		case n == "libc.so.6":
			return glibc
		case n == "libc.so", strings.HasPrefix(n, "libc.musl-"):
			return musl
		}
	}
	pf := o.Arch.platform()
	for _, l := range pf.loaders {
		if r.exists(l) {
			return glibc
		}
	}
	if l := pf.muslLoader(); l != "" && r.exists(l) {
		return musl
	}
	return glibc
}

// expand replaces the dynamic string tokens of ld.so(8). It fails on a token
// this loader does not know: the directory is then not searched.
func (p *place) expand(dir, origin string) (string, bool) {
	if !strings.Contains(dir, "$") {
		return dir, true
	}
	var out strings.Builder
	for dir != "" {
		at := strings.IndexByte(dir, '$')
		if at < 0 {
			out.WriteString(dir)
			break
		}
		out.WriteString(dir[:at])
		token, value, rest := p.token(dir[at+1:], origin)
		if token == "" {
			if p.flavour == musl {
				return "", false
			}
			out.WriteByte('$') // glibc leaves what it does not know
			dir = dir[at+1:]
			continue
		}
		if value == "" {
			return "", false
		}
		out.WriteString(value)
		dir = rest
	}
	return out.String(), true
}

func (p *place) token(s, origin string) (token, value, rest string) {
	body, braced := s, strings.HasPrefix(s, "{")
	if braced {
		body = s[1:]
	}
	for _, t := range [...][2]string{{"ORIGIN", origin}, {"LIB", p.lib}, {"PLATFORM", p.name}} {
		after, ok := strings.CutPrefix(body, t[0])
		if !ok || p.flavour == musl && t[0] != "ORIGIN" {
			continue
		}
		if braced {
			if after, ok = strings.CutPrefix(after, "}"); !ok {
				continue
			}
		}
		return t[0], t[1], after
	}
	return "", "", s
}

// muslOwn says whether musl's loader is that library itself: it holds all of
// the C library, whatever part is asked for.
func muslOwn(name string) bool {
	rest, ok := strings.CutPrefix(name, "lib")
	if !ok {
		return false
	}
	for _, part := range [...]string{"c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet."} {
		if strings.HasPrefix(rest, part) {
			return true
		}
	}
	return false
}
