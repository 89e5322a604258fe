package op

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"goxin/detect/machine"
)

var errDied = errors.New("died")

// world is a machine that runs, as far as the ops can tell: a tree with /proc/sys
// files that can be written and a service manager.
type world struct {
	machine.Machine
	dir     string
	deny    map[string]error               // by key path: what a write answers
	clamp   map[string]func(string) string // by key path: what becomes of a value
	units   map[string]*fakeUnit           // nil: no systemd
	soft    uint64                         // the manager's defaults
	hard    uint64
	cap     uint64        // the container's hard limit; 0: none
	behind  time.Duration // of the clock; sum leaves it out, since nobody wants a wrong one back
	offline bool
	fixed   bool // the clock
	ran     []string
	effects int
	dieAt   int // the effect to die at; 0: never

	sites   map[string]http.Handler      // web servers, by address
	tools   map[string]tool              // programs, by name
	torn    bool                         // programs can be cut off between two files they write
	marks   map[string]map[string]string // extended attributes, by path and name
	noAttrs bool                         // the file system has none

	packages        *packageWorld // nil: none
	packagesAreDebs bool
}

type fakeUnit struct {
	load, file, active string
	link               string
	etc, run           bool // masked there; what file says otherwise is hidden meanwhile
	broken             bool // does not start
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "goxin-op") // fsync costs nothing there
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { must(os.RemoveAll(dir)) })
	w := &world{dir: dir, soft: 1024, hard: 524288}
	w.deny, w.clamp = map[string]error{}, map[string]func(string) string{}
	w.Machine = machine.Root(w.dir, machine.WithEffects(w.effect))
	for _, d := range []string{"/etc", "/proc/sys/vm", "/proc/sys/net/core", "/proc/sys/fs"} {
		w.mkdir(d)
	}
	return w
}

func (w *world) effect(kind, name string) error {
	w.effects++
	if w.dieAt > 0 && w.effects >= w.dieAt {
		return fmt.Errorf("%w at %s %s", errDied, kind, name)
	}
	return nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *world) mkdir(name string) { must(os.MkdirAll(filepath.Join(w.dir, name), 0o755)) }

func (w *world) write(name, content string, mode fs.FileMode) {
	w.mkdir(filepath.Dir(name))
	must(os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600))
	must(os.Chmod(filepath.Join(w.dir, name), mode))
}

func (w *world) link(target, name string) {
	w.mkdir(filepath.Dir(name))
	must(os.Symlink(target, filepath.Join(w.dir, name)))
}

func (w *world) chown(name string, uid, gid int) {
	must(os.Chown(filepath.Join(w.dir, name), uid, gid))
}

func (w *world) read(name string) string {
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		return "cannot read: " + err.Error()
	}
	return string(b)
}

func (w *world) systemd() {
	w.mkdir("/run/systemd/system")
	w.units = map[string]*fakeUnit{}
}

// sum is everything the world consists of.
func (w *world) sum() string {
	h := sha256.New()
	must(filepath.WalkDir(w.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := os.Lstat(p)
		if err != nil {
			return err
		}
		st := fi.Sys().(*syscall.Stat_t)
		fmt.Fprintln(h, strings.TrimPrefix(p, w.dir), fi.Mode(), st.Uid, st.Gid)
		switch {
		case fi.Mode().IsRegular():
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%q\n", b)
		case fi.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			fmt.Fprintln(h, target)
		}
		return nil
	}))
	names := make([]string, 0, len(w.units))
	for n := range w.units {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		u := *w.units[n]
		if u.active == "failed" {
			u.active = "inactive"
		}
		fmt.Fprintln(h, n, u.loadState(), u.fileState(), u.active)
	}
	fmt.Fprintln(h, w.soft, w.hard)
	for _, name := range slices.Sorted(maps.Keys(w.marks)) {
		if _, err := os.Lstat(filepath.Join(w.dir, name)); err == nil {
			fmt.Fprintln(h, name, w.marks[name])
		}
	}
	if w.packages != nil {
		fmt.Fprint(h, w.packages)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (w *world) Kernel() (machine.Kernel, error) { return machine.Kernel{Release: "6.6.0"}, nil }

func (w *world) WriteKernel(name string, data []byte) error {
	if err := w.effect("kernel", name); err != nil {
		return err
	}
	if err := w.deny[name]; err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	v := strings.TrimSpace(string(data))
	if f := w.clamp[name]; f != nil {
		v = f(v)
	}
	if _, err := os.Stat(filepath.Join(w.dir, name)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, name), []byte(v+"\n"), 0o644)
}

func (w *world) Run(_ context.Context, c machine.Command, out func(string)) error {
	say := func(s string) {
		if out != nil {
			out(s)
		}
	}
	if w.packages != nil {
		return w.packages.run(w, c, say)
	}
	if run, ok := w.tools[c.Argv[0]]; ok {
		return run(w, c, say)
	}
	line := strings.Join(c.Argv, " ")
	reads := len(c.Argv) > 1 && (c.Argv[1] == "show" || c.Argv[1] == "status") || c.Argv[0] == "journalctl"
	if !reads {
		w.ran = append(w.ran, line)
		if err := w.effect("run", line); err != nil {
			return err
		}
	}
	if c.Argv[0] == "date" {
		return w.setClock(c.Argv)
	}
	if w.units == nil {
		return fmt.Errorf("%s: %w", c.Argv[0], fs.ErrNotExist)
	}
	switch {
	case c.Argv[0] == "systemd-run":
		soft, hard := w.soft, w.hard
		if w.cap > 0 {
			soft, hard = min(soft, w.cap), min(hard, w.cap)
		}
		say("Limit                     Soft Limit           Hard Limit           Units     ")
		say(fmt.Sprintf("Max open files            %-20d %-20d files     ", soft, hard))
		return nil
	case c.Argv[0] == "journalctl":
		say("nginx: [emerg] bind() to 0.0.0.0:80 failed")
		return nil
	case line == "systemctl daemon-reload":
		w.reload()
		return nil
	case c.Argv[1] == "show" && len(c.Argv) == 5:
		number := func(n uint64) string {
			if n == math.MaxUint64 {
				return "infinity"
			}
			return fmt.Sprint(n)
		}
		say("DefaultLimitNOFILE=" + number(w.hard))
		say("DefaultLimitNOFILESoft=" + number(w.soft))
		return nil
	}
	name := c.Argv[len(c.Argv)-1]
	u, ok := w.units[filepath.Base(name)]
	if !ok {
		u = &fakeUnit{load: "not-found", active: "inactive"}
	}
	return u.verb(c.Argv[1:len(c.Argv)-1], name, say)
}

// reload reads the drop-ins as systemd would.
func (w *world) reload() {
	w.soft, w.hard = 1024, 524288
	files, _ := filepath.Glob(filepath.Join(w.dir, "etc/systemd/system.conf.d/*.conf"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "DefaultLimitNOFILE="); ok {
				_, err := fmt.Sscanf(v, "%d:%d", &w.soft, &w.hard)
				must(err)
			}
		}
	}
}

func (u *fakeUnit) loadState() string {
	if u.etc || u.run {
		return "masked"
	}
	return u.load
}

// fileState is what UnitFileState says: of links in /etc and /run, those in
// /etc hide the others.
func (u *fakeUnit) fileState() string {
	switch {
	case u.etc:
		return "masked"
	case u.run:
		return "masked-runtime"
	case strings.HasPrefix(u.file, "enabled enabled-runtime"):
		return "enabled"
	}
	return u.file
}

func (u *fakeUnit) verb(args []string, name string, say func(string)) error {
	runtime := len(args) > 1 && args[1] == "--runtime"
	fail := func(s string) error { return fmt.Errorf("systemctl %v: %s", args, s) }
	masked := &u.etc
	if runtime {
		masked = &u.run
	}
	has := func(s string) bool { return slices.Contains(strings.Fields(u.file), s) }
	switch args[0] {
	case "show":
		say("LoadState=" + u.loadState())
		say("UnitFileState=" + u.fileState())
		say("ActiveState=" + u.active)
		say("SubState=whatever")
		say("NeedDaemonReload=no")
	case "status":
		say("● " + name + " - " + u.active)
		return fail("exit 3")
	case "enable":
		switch {
		case u.load == "not-found" || u.etc || u.run:
			return fail("no such unit, or it is masked")
		case has("static"):
		case runtime && has("enabled"):
			u.file = "enabled enabled-runtime"
		case runtime:
			u.file = "enabled-runtime"
		case has("enabled-runtime"):
			u.file = "enabled enabled-runtime"
		default:
			u.file = "enabled"
		}
	case "disable":
		switch {
		case !runtime && (has("linked") || u.link != "" && has("enabled")):
			u.load, u.file = "not-found", ""
		case has("enabled") && has("enabled-runtime") && !runtime:
			u.file = "enabled-runtime"
		case has("enabled") && has("enabled-runtime"):
			u.file = "enabled"
		case has("enabled") && !runtime, has("enabled-runtime") && runtime:
			u.file = "disabled"
		}
	case "link":
		u.load, u.file, u.link = "loaded", "linked", name
	case "mask":
		*masked = true
	case "unmask":
		*masked = false
	case "start":
		if u.loadState() != "loaded" {
			return fail("unit is " + u.loadState())
		}
		if u.broken {
			u.active = "failed"
			return fail("Job failed. See 'journalctl -xe'")
		}
		u.active = "active"
	case "stop":
		u.active = "inactive"
	case "restart":
		u.active = "active"
	case "try-restart":
	default:
		return fail("unknown verb")
	}
	return nil
}
