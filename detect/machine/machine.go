// Package machine is every side effect goxin has on one host: files, kernel
// parameters, programs, network, clock. Whatever wants to read or change a
// host takes a Machine, so that crash tests, --root trees, peers and the demo
// see all of it. The package decides nothing: it neither knows what a step is
// nor retries, and it follows no policy beyond doing one thing durably.
package machine

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os/exec"
	"time"

	"goxin/assets/lang"
)

// ID names a machine in a run: "local", "root:DIR", "peer:NAME", "sim:NAME".
type ID string

// Local is the ID of the machine goxin runs on.
const LocalID ID = "local"

// Self names goxin's own program on the machine it runs on, and on a peer its agent's:
// a Command with it runs another of goxin's commands there. Programs that others start
// (systemd) need a file of their own.
const Self = "/proc/self/exe"

// ErrNotRunning is what a tree (--root) answers to anything that only a
// running machine can do: programs, network, kernel parameters.
var ErrNotRunning error = lang.Because(nil, "not a running machine", "并非运行中的机器")

// Info is what Stat and Lstat tell of a file.
type Info struct {
	Mode fs.FileMode `json:"mode"` // type and permission bits, setuid and sticky included
	Size int64       `json:"size"` // bytes
	UID  int         `json:"uid"`
	GID  int         `json:"gid"`
}

// Owner is whom a written file belongs to. Keep leaves that to what is there,
// or, for a new file, to whoever runs goxin.
type Owner struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// Root owns what goxin writes; Keep keeps the owner there is.
var (
	RootOwner = Owner{0, 0}
	Keep      = Owner{-1, -1}
)

// Space is the room of a file system, in bytes.
type Space struct {
	Free  uint64 `json:"free"` // for unprivileged users
	Total uint64 `json:"total"`
}

// Kernel is what only system calls tell: nothing in the file tree does.
type Kernel struct {
	Release     string `json:"release"`      // uname -r
	Version     string `json:"version"`      // uname -v
	Machine     string `json:"machine"`      // uname -m
	Hostname    string `json:"hostname"`     // uname -n
	PageSize    int    `json:"page_size"`    // bytes
	ClockSynced bool   `json:"clock_synced"` // adjtimex(2) without STA_UNSYNC
	UID         int    `json:"uid"`          // effective user id of goxin
	// SigsetSizes are the sizes of a signal set, in bytes, that rt_sigaction(2) takes: 8 in
	// LoongArch's new world, 16 in its old one. Only asked there.
	SigsetSizes []int `json:"sigset_sizes,omitempty"`
}

// Command is a program to run. There is no shell; the environment is LC_ALL=C,
// a fixed PATH and Env.
type Command struct {
	Argv    []string
	Env     []string      // "NAME=value", added
	Dir     string        // working directory; "/" if empty
	Stdin   io.Reader     // nothing if nil
	Timeout time.Duration // 0: ten minutes
}

// ExitError says that a program ran and did not exit with 0.
type ExitError struct {
	Argv   []string
	Code   int    // -1 when killed by a signal
	Stderr string // its last lines, at most 2 KiB
}

// MissingProgram says whether an error of Run means that there is no such
// program to run.
func MissingProgram(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
}

// Machine is one host. All names are absolute paths as that host sees them;
// a missing file is fs.ErrNotExist. Methods are safe for concurrent use.
type Machine interface {
	ID() ID

	Stat(name string) (Info, error)
	Lstat(name string) (Info, error)
	ReadDir(name string) ([]string, error) // names, sorted
	Readlink(name string) (string, error)
	Open(name string) (io.ReadCloser, error)
	ReadFile(name string) ([]byte, error) // at most 64 MiB
	Xattr(name, attr string) ([]byte, error)
	Space(name string) (Space, error)

	// WriteFile makes name hold data, all or nothing, durably: temporary file,
	// fsync, rename, fsync of the directory. A final symbolic link is followed,
	// so the link stays. The SELinux context of a replaced file is kept.
	WriteFile(name string, data []byte, mode fs.FileMode, owner Owner) error
	// Append adds data to name in one write and makes it durable; the file is
	// made with mode if it is not there.
	Append(name string, data []byte, mode fs.FileMode) error
	// Stage opens a directory that will stand under its final name at once
	// (Commit) or not at all (Discard).
	Stage(dir string) (Stage, error)
	Mkdir(name string, mode fs.FileMode, owner Owner) error // one level; fs.ErrExist
	Remove(name string) error                               // file, link or empty directory
	// RemoveAll takes name and all that is in it away: from its name at once, then
	// from the disk. fs.ErrNotExist where there is nothing.
	RemoveAll(name string) error
	Symlink(target, name string) error // atomic; replaces a link
	Rename(from, to string) error
	Chmod(name string, mode fs.FileMode) error
	Chown(name string, owner Owner) error
	SetXattr(name, attr string, value []byte) error
	// Clean removes what an interrupted WriteFile, Symlink, Stage or RemoveAll of
	// name left beside it.
	Clean(name string) error
	// WriteKernel writes to a file of /proc or /sys in place.
	WriteKernel(name string, data []byte) error

	// Run runs a program in a process group of its own and hands each line of
	// its output (both streams) to out, which may be nil.
	Run(ctx context.Context, c Command, out func(line string)) error
	Dial(ctx context.Context, network, address string) (net.Conn, error)

	// Getenv is a variable of the environment goxin was started in there, such as
	// http_proxy; "" in a tree and on a captured machine.
	Getenv(name string) string

	Kernel() (Kernel, error)
	Now() time.Time
	// Lock takes the lock file name for this process without waiting and
	// writes note into it. A held lock is a *LockedError.
	Lock(name string, note []byte) (release func() error, err error)
}

// Stage is a directory being filled. Its methods take slash-separated paths
// relative to it that do not climb, and are safe for concurrent use; a Write goes
// to the file as it comes, so writers of small pieces do better to gather them.
type Stage interface {
	// Path is where it is filled, as the machine names it, so that programs can run
	// there. Nothing should remember it: Commit renames it away.
	Path() string
	Mkdir(name string, mode fs.FileMode) error
	Create(name string, mode fs.FileMode) (io.WriteCloser, error)
	Symlink(target, name string) error
	// Commit makes everything durable with one syncfs and renames the
	// directory to its final name, which must not exist.
	Commit() error
	Discard() error
}

// Lost reports whether an error says that a machine cannot be reached any more: waiting
// was in vain, and whatever else is asked of it is, for now.
func Lost(err error) bool {
	var lost interface{ Lost() bool }
	return errors.As(err, &lost) && lost.Lost()
}

// LockedError says who holds a lock.
type LockedError struct{ Note []byte }

func (e *LockedError) Error() string { return e.Reason().EN }

// Reason is that it is held.
func (e *LockedError) Reason() lang.Text {
	return lang.T("locked by another process", "被其他进程锁住")
}
