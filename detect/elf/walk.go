package elf

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

const maxDepth = 64 // directories below one another

// seen is a file a walk came by.
type seen struct {
	name  string
	given bool // named by the person, not found in a directory
	obj   *Object
	err   error
}

// walk reads every regular file of paths and below them, each once, sorted by
// name. Links are followed only where they are given themselves; pseudo file
// systems are left out, and so is every file that is neither program, shared
// object nor, if given, script.
func walk(ctx context.Context, m machine.Machine, real func(string) string, paths []string) ([]seen, error) {
	found := make(chan seen, 64)
	var mu sync.Mutex
	var out []seen
	var readers sync.WaitGroup
	for range min(4, runtime.GOMAXPROCS(0)+1) {
		readers.Go(func() {
			for s := range found {
				if s.err == nil {
					s.obj, s.err = Read(m, s.name)
				}
				if s.skip() {
					continue
				}
				mu.Lock()
				out = append(out, s)
				mu.Unlock()
			}
		})
	}
	w := walker{ctx: ctx, m: m, out: found, been: map[string]bool{}}
	var err error
	for _, p := range paths {
		if err = w.given(real(path.Clean(p)), p); err != nil {
			break
		}
	}
	close(found)
	readers.Wait()
	if err != nil {
		return nil, err
	}
	// What was named and come by too is judged as what was named.
	slices.SortFunc(out, func(a, b seen) int {
		switch {
		case a.name != b.name:
			return strings.Compare(a.name, b.name)
		case a.given == b.given:
			return 0
		case a.given:
			return -1
		}
		return 1
	})
	return slices.CompactFunc(out, func(a, b seen) bool { return a.name == b.name }), nil
}

// skip says whether there is nothing to say of it.
func (s *seen) skip() bool {
	switch {
	case s.err != nil:
		// Gone meanwhile, or not ours to read: only what was asked for by name
		// has to be readable. Damaged headers are told.
		return !s.given && !errors.Is(s.err, ErrDamaged)
	case s.given:
		return false
	}
	return !s.obj.Dynamic() && !s.obj.newWorldStatic()
}

type walker struct {
	ctx  context.Context
	m    machine.Machine
	out  chan<- seen
	been map[string]bool
}

func (w *walker) given(name, asked string) error {
	info, err := w.m.Stat(name)
	switch {
	case err != nil:
		return err
	case info.Mode.IsDir():
		return w.dir(name, 0)
	case !info.Mode.IsRegular():
		return &fs.PathError{Op: "read", Path: asked, Err: lang.Because(nil, "neither a file nor a directory", "既不是文件也不是目录")}
	}
	w.out <- seen{name: name, given: true}
	return nil
}

func (w *walker) dir(name string, depth int) error {
	if w.been[name] || depth > maxDepth || name == "/proc" || name == "/sys" || name == "/dev" {
		return nil
	}
	w.been[name] = true
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	names, err := w.m.ReadDir(name)
	if err != nil {
		if depth > 0 && (errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)) {
			return nil
		}
		return err
	}
	for _, base := range names {
		full := path.Join(name, base)
		info, err := w.m.Lstat(full)
		switch {
		case err != nil:
		case info.Mode.IsDir():
			if err := w.dir(full, depth+1); err != nil {
				return err
			}
		case info.Mode.IsRegular() && info.Size >= minELF && mayBeELF(base):
			w.out <- seen{name: full}
		}
	}
	return nil
}

// mayBeELF spares opening what is never a program: in a /usr, nine files of ten.
func mayBeELF(base string) bool {
	switch path.Ext(base) {
	case ".py", ".pyc", ".h", ".hpp", ".c", ".cc", ".go", ".gz", ".xz", ".html", ".xml", ".json", ".js", ".ts", ".css",
		".md", ".txt", ".png", ".svg", ".mo", ".pm", ".pl", ".rb", ".sh", ".a", ".o", ".java", ".class", ".jar",
		".list", ".md5sums", ".conf", ".yaml", ".yml", ".tcl", ".vim", ".el", ".elc", ".ko", ".zip", ".rst", ".gir", ".pc", ".la":
		return false
	}
	return true
}
