package origin

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/verify"
)

// Limits on a tree; go1.26.8 has 15000 files, 14 levels deep, and 220 MB.
const (
	maxBytes = 16 << 30
	maxFiles = 500_000
	maxDepth = 64
)

var errNoDirectory = lang.Errorf(nil, "it is no directory", "它不是目录")

// alone is from how many bytes on a file is a piece of work of its own.
const alone = 1 << 20

// hashed is a tree's files, and what in it is neither file nor directory.
type hashed struct {
	verify.Manifest
	odd []string // links, pipes and such, by name
}

// hashTree hashes the regular files below dir, several at a time. Links are not
// followed, but dir itself may be one.
func hashTree(ctx context.Context, m machine.Machine, dir string) (*hashed, error) {
	if info, err := m.Stat(dir); err != nil || !info.Mode.IsDir() {
		return nil, either(err, errNoDirectory)
	}
	w := &walk{m: m, top: dir + "/"}
	w.more.L = &w.mu
	w.push(task{dir: true})
	stop := context.AfterFunc(ctx, func() { w.fail(context.Cause(ctx)) })
	defer stop()
	var wait sync.WaitGroup
	for range min(8, max(2, runtime.GOMAXPROCS(0))) {
		wait.Go(w.work)
	}
	wait.Wait()
	if w.err != nil {
		return nil, w.err
	}
	w.out.Sort()
	slices.Sort(w.out.odd)
	return &w.out, nil
}

func either(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// task is a directory to list, with the small files in it, or one large file.
type task struct {
	name string // below the top; empty: the top
	dir  bool
	info machine.Info
	deep int
}

// walk is the work that is left and the results so far.
type walk struct {
	m   machine.Machine
	top string

	mu    sync.Mutex
	more  sync.Cond
	todo  []task
	open  int // tasks that are queued or being done
	files int
	bytes int64
	err   error
	out   hashed
}

func (w *walk) push(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.todo = append(w.todo, t)
	w.open++
	w.more.Signal()
}

// pop waits for a task; false when there is none left, or the walk has failed.
func (w *walk) pop() (task, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.todo) == 0 && w.open > 0 && w.err == nil {
		w.more.Wait()
	}
	if len(w.todo) == 0 || w.err != nil {
		return task{}, false
	}
	last := len(w.todo) - 1
	t := w.todo[last]
	w.todo = w.todo[:last]
	return t, true
}

func (w *walk) done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open--; w.open == 0 {
		w.more.Broadcast()
	}
}

func (w *walk) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.more.Broadcast()
}

func (w *walk) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err != nil
}

func (w *walk) work() {
	h := hasher{buf: make([]byte, 128<<10)}
	var mine hashed
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.out.Files = append(w.out.Files, mine.Files...)
		w.out.odd = append(w.out.odd, mine.odd...)
	}()
	for {
		t, ok := w.pop()
		if !ok {
			return
		}
		var err error
		if t.dir {
			err = w.list(t, &h, &mine)
		} else {
			err = w.hash(t, &h, &mine)
		}
		if err != nil {
			w.fail(err)
		}
		w.done()
	}
}

// list hashes the small files of a directory and leaves the rest of it as tasks.
func (w *walk) list(t task, h *hasher, mine *hashed) error {
	if t.deep > maxDepth {
		return lang.Because(nil, "directories are nested too deeply: %s", "目录嵌套过深：%s", t.name)
	}
	names, err := w.m.ReadDir(w.top + t.name)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.files += len(names)
	many := w.files > maxFiles
	w.mu.Unlock()
	if many {
		return lang.Because(nil, "there are too many files", "文件过多")
	}
	for _, name := range names {
		if w.failed() {
			return nil
		}
		if t.name != "" {
			name = t.name + "/" + name
		}
		info, err := w.m.Lstat(w.top + name)
		next := task{name: name, info: info, deep: t.deep + 1}
		switch {
		case err != nil:
			return err
		case info.Mode.IsDir():
			next.dir = true
			w.push(next)
		case !info.Mode.IsRegular():
			mine.odd = append(mine.odd, name)
		case w.large(info.Size):
			return lang.Because(nil, "it is too large", "总量过大")
		case info.Size >= alone:
			w.push(next)
		default:
			if err := w.hash(next, h, mine); err != nil {
				return err
			}
		}
	}
	return nil
}

// large counts a file, and says whether all are too large together.
func (w *walk) large(size int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes += size
	return size > maxBytes || w.bytes > maxBytes
}

func (w *walk) hash(t task, h *hasher, mine *hashed) error {
	f := verify.ManifestFile{Name: t.name, Mode: t.info.Mode.Perm(), Size: t.info.Size}
	r, err := w.m.Open(w.top + t.name)
	if err != nil {
		return err
	}
	defer r.Close()
	// It is as large as it was just now, or somebody makes it grow while it is read.
	if f.SHA256, f.Size, err = h.sum(io.LimitReader(r, t.info.Size+1), w.failed); err != nil {
		return err
	}
	mine.Files = append(mine.Files, f)
	return nil
}

// hasher hashes one file after another in the same buffer.
type hasher struct{ buf []byte }

// sum reads r to its end, or until stop says so.
func (h *hasher) sum(r io.Reader, stop func() bool) (sum [sha256.Size]byte, size int64, err error) {
	n, err := io.ReadFull(r, h.buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // most files, in one go
		return sha256.Sum256(h.buf[:n]), int64(n), nil
	}
	s := sha256.New()
	for {
		s.Write(h.buf[:n])
		size += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			s.Sum(sum[:0])
			return sum, size, nil
		case err != nil:
			return sum, size, err
		case stop():
			return sum, size, context.Canceled
		}
		n, err = r.Read(h.buf)
	}
}
