package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"goxin/assets/lang"
)

// Rooted is a machine whose files this host can reach under other names. The
// machines of Local, Root and OpenRecorded are.
type Rooted interface {
	// HostPath is the name, on this host, of what name (absolute) is on that
	// machine: links are resolved inside it as far as there is something.
	HostPath(name string) string
}

// Option changes how Local, Root and OpenRecorded work.
type Option func(*tree)

// WithEffects has hook called before every primitive side effect, with its kind
// and the name the operation was given: create, write, truncate, fsync, chown,
// chmod, setxattr, rename, remove, mkdir, symlink, fsync-dir, syncfs, kernel,
// lock, unlock, run. While there is a hook, the data of a
// WriteFile or Append goes out in two halves, with write-half in between. An
// error of hook means the process died here: the operation returns that error
// and abandons whatever it has begun, uncleaned. The hook may be called from
// several goroutines.
func WithEffects(hook func(effect, name string) error) Option {
	return func(t *tree) { t.hook = hook }
}

// Fleeting has nothing waited for to be on the disk: no fsync, no syncfs. It is for
// trees that nobody wants to have again after a power cut, such as a demo's.
func Fleeting() Option {
	return func(t *tree) { t.fleeting = true }
}

// tree is a machine's files under a prefix, and, where it is the local machine,
// the rest of it.
type tree struct {
	id     ID
	prefix string // without a final slash: "" is the whole file system
	local  bool   // links are the kernel's to resolve; programs run
	hook   func(effect, name string) error
	// fleeting: nothing is waited for to be on the disk
	fleeting bool
}

// Local is the machine goxin runs on.
func Local(opts ...Option) Machine {
	return newTree(LocalID, "/", true, opts)
}

// Root is the machine whose files stand in dir and that does not run. Symbolic
// links are resolved inside dir, as if it were "/"; programs, network, kernel
// and kernel parameters answer ErrNotRunning. Nothing is checked: where dir is
// not there, everything in it is missing. It does not defend against somebody
// who changes the tree's links meanwhile.
func Root(dir string, opts ...Option) Machine {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	dir = filepath.Clean(dir)
	return newTree(ID("root:"+dir), dir, false, opts)
}

func newTree(id ID, dir string, local bool, opts []Option) *tree {
	if dir == "/" {
		dir = ""
	}
	t := &tree{id: id, prefix: dir, local: local}
	for _, o := range opts {
		o(t)
	}
	return t
}

func (t *tree) ID() ID         { return t.id }
func (t *tree) Now() time.Time { return time.Now() }

func (t *tree) HostPath(name string) string {
	if t.local {
		return name
	}
	if host, err := t.resolve(name, true); err == nil {
		return host
	}
	return t.prefix + filepath.Clean("/"+name)
}

// abandoned is an error of the hook: nothing may be cleaned after it.
type abandoned struct{ error }

func (a abandoned) Unwrap() error { return a.error }

func isAbandoned(err error) bool {
	var a abandoned
	return errors.As(err, &a)
}

func (t *tree) effect(kind, name string) error {
	if t.hook == nil {
		return nil
	}
	if err := t.hook(kind, name); err != nil {
		return abandoned{err}
	}
	return nil
}

// wrap says what failed in the machine's own names instead of the host's.
func wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: bare(err)}
}

// bare strips what the os package says of host names.
func bare(err error) error {
	switch e := err.(type) { //nolint:errorlint // the os package's own outermost layer is what is taken off
	case *fs.PathError:
		return bare(e.Err)
	case *os.LinkError:
		return bare(e.Err)
	case *os.SyscallError:
		return e.Err
	}
	return err
}

func info(fi fs.FileInfo) Info {
	i := Info{Mode: fi.Mode(), Size: fi.Size()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		i.UID, i.GID = int(st.Uid), int(st.Gid)
	}
	return i
}

func notRunning(what lang.Text, id ID) error {
	return lang.Because(ErrNotRunning, "cannot %[1]s on %[2]s", "在 %[2]s 上无法%[1]s", what, id)
}
