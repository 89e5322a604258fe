package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// script does everything a Machine can and tells what came of it, so that two machines
// can be held against one another. It works in dir, and calls the echo server at addr.
func script(m machine.Machine, dir, addr string) string {
	var b strings.Builder
	note := func(what string, v any, err error) {
		s := fmt.Sprintf("%s: %v", what, v)
		if err != nil {
			s += " | " + lang.Message(err, lang.EN) + " | " + lang.Message(err, lang.ZH)
			for _, is := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, exec.ErrNotFound, syscall.ENOTDIR, syscall.ENOTEMPTY, syscall.ENODATA, context.Canceled} {
				if errors.Is(err, is) {
					s += fmt.Sprintf(" | is %v", is)
				}
			}
			var exit *machine.ExitError
			var locked *machine.LockedError
			if errors.As(err, &exit) {
				s += fmt.Sprintf(" | %+v", *exit)
			}
			if errors.As(err, &locked) {
				s += fmt.Sprintf(" | held: %s", locked.Note)
			}
		}
		b.WriteString(strings.ReplaceAll(s, dir, "DIR") + "\n")
	}
	at := func(name string) string { return dir + "/" + name }
	did := func(what string, err error) { note(what, "", err) }

	did("write", m.WriteFile(at("a"), bytes.Repeat([]byte("0123456789abcdef"), 20000), 0o640, machine.Keep))
	did("append", m.Append(at("a"), []byte("end"), 0o600))
	did("write empty", m.WriteFile(at("empty"), nil, 0o4755, machine.Keep))
	did("write a name that is not UTF-8", m.WriteFile(at("\xff\xfe"), []byte("x"), 0o600, machine.Keep))
	did("write below a file", m.WriteFile(at("a/b"), []byte("x"), 0o600, machine.Keep))
	did("mkdir", m.Mkdir(at("d"), 0o700, machine.Keep))
	did("mkdir again", m.Mkdir(at("d"), 0o700, machine.Keep))
	did("symlink", m.Symlink("../a", at("l")))
	did("rename", m.Rename(at("l"), at("d/l")))
	did("chmod", m.Chmod(at("d"), 0o750))
	did("chown", m.Chown(at("d"), machine.Owner{UID: os.Getuid(), GID: os.Getgid()}))
	did("remove a full one", m.Remove(at("d")))
	did("set-xattr", m.SetXattr(at("a"), "user.goxin", []byte{0, 255}))
	did("set-xattr empty", m.SetXattr(at("empty"), "user.goxin", []byte{}))
	v, err := m.Xattr(at("a"), "user.goxin")
	note("xattr", v, err)
	v, err = m.Xattr(at("empty"), "user.goxin")
	note("xattr empty", v, err)
	did("unset xattr", m.SetXattr(at("a"), "user.goxin", nil))
	v, err = m.Xattr(at("a"), "user.goxin")
	note("no xattr", v, err)
	did("clean", m.Clean(at("a")))

	i, err := m.Stat(at("d/l"))
	note("stat", i, err)
	i, err = m.Lstat(at("d/l"))
	note("lstat", i, err)
	i, err = m.Stat(at("nothing"))
	note("stat nothing", i, err)
	names, err := m.ReadDir(dir)
	note("readdir", fmt.Sprintf("%q", names), err)
	names, err = m.ReadDir(at("nothing"))
	note("readdir nothing", names, err)
	s, err := m.Readlink(at("d/l"))
	note("readlink", s, err)
	data, err := m.ReadFile(at("a"))
	note("read", fmt.Sprintf("%d %.20q", len(data), data), err)
	data, err = m.ReadFile(at("empty"))
	note("read empty", len(data), err)
	_, err = m.ReadFile(at("d"))
	did("read a directory", err)
	f, err := m.Open(at("a"))
	if err == nil {
		data, err = io.ReadAll(f)
		_ = f.Close()
	}
	note("open", len(data), err)
	_, err = m.Open(at("nothing"))
	did("open nothing", err)
	space, err := m.Space(at("nothing/yet"))
	note("space", space.Total, err)
	k, err := m.Kernel()
	note("kernel", k, err)
	note("getenv", m.Getenv("HOME"), nil)
	did("kernel-write elsewhere", m.WriteKernel(at("a"), []byte("x")))
	did("kernel-write", m.WriteKernel("/proc/self/comm", []byte("peer")))

	release, err := m.Lock(at("lock"), []byte("first"))
	did("lock", err)
	_, again := m.Lock(at("lock"), []byte("second"))
	did("lock again", again)
	if err == nil {
		did("unlock", release())
	}
	release, err = m.Lock(at("lock"), []byte("third"))
	did("lock anew", err)
	if err == nil {
		did("unlock", release())
	}

	var lines []string
	run := func(what string, c machine.Command) {
		lines = nil
		err := m.Run(context.Background(), c, func(l string) { lines = append(lines, l) })
		note(what, fmt.Sprintf("%q", lines), err)
	}
	run("run", machine.Command{Argv: []string{"sh", "-c", "pwd; echo $X; cat; printf 'a\\377b'"}, Env: []string{"X=y"}, Dir: dir, Stdin: strings.NewReader(strings.Repeat("line of input\n", 20))})
	run("run and fail", machine.Command{Argv: []string{"sh", "-c", "echo wrong >&2; exit 3"}})
	run("run nothing", machine.Command{Argv: []string{"no-such-program"}})
	run("run nowhere", machine.Command{Argv: []string{"true"}, Dir: at("nothing")})
	ctx, cancel := context.WithCancel(context.Background())
	err = m.Run(ctx, machine.Command{Argv: []string{"sh", "-c", "echo there; exec sleep 1000"}}, func(string) { cancel() })
	did("run and cancel", err)

	conn, err := m.Dial(context.Background(), "tcp", addr)
	did("dial", err)
	if err == nil {
		_, err = conn.Write([]byte("hello over there\n"))
		did("send", err)
		got, err := io.ReadAll(conn)
		note("receive", string(got), err)
		did("hang up", conn.Close())
	}
	_, err = m.Dial(context.Background(), "tcp", "127.0.0.1:1")
	note("dial nobody", errors.Is(err, syscall.ECONNREFUSED), nil)

	st, err := m.Stage(at("stage"))
	did("stage", err)
	if err == nil {
		note("path", st.Path(), nil)
		did("stage mkdir", st.Mkdir("bin", 0o755))
		did("stage symlink", st.Symlink("bin", "sbin"))
		did("stage climb", st.Mkdir("../x", 0o755))
		w, err := st.Create("bin/p", 0o755)
		did("create", err)
		if err == nil {
			for range 3 {
				_, err := w.Write(bytes.Repeat([]byte("p"), 70000))
				did("fill", err)
			}
			did("close", w.Close())
		}
		_, err = st.Create("bin/p", 0o755)
		did("create again", err)
		did("commit", st.Commit())
		did("discard", st.Discard())
	}
	i, err = m.Stat(at("stage/bin/p"))
	note("staged", i, err)
	st, err = m.Stage(at("other"))
	did("stage", err)
	if err == nil {
		did("discard", st.Discard())
		did("commit after all", st.Commit())
	}
	did("remove", m.Remove(at("empty")))
	did("remove all", m.RemoveAll(at("stage")))
	did("remove nothing", m.Remove(at("nothing")))
	names, err = m.ReadDir(dir)
	note("readdir", fmt.Sprintf("%q", names), err)
	return b.String()
}

// differ is where two transcripts part.
func differ(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("it parts at line %d:\n%s\nwant:\n%s", i, a, b)
		}
	}
}

// room is an empty directory in memory.
func room(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "goxin-peer-")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// echo answers each connection with the line it gets, and hangs up.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 17)
				if _, err := io.ReadFull(c, b); err == nil {
					_, _ = c.Write(b)
				}
			}()
		}
	}()
	return l.Addr().String()
}
