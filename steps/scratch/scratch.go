// Package scratch is the throw-away directory in which a proof compiles and runs
// something. It is root's alone, under a name that nobody had before; it is gone when
// the proof is over, also one that failed. It refuses to use what somebody put there
// under its name.
package scratch

import (
	"errors"
	"io/fs"
	"path"
	"strconv"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Bases are the directories it may be in, in this order: /var/tmp may be mounted
// noexec, so that what is built there cannot run.
func Bases() []string { return []string{"/var/tmp", "/root"} }

// Builds is where programs are built that are to stay, with what the compiler keeps to be
// quick the next time.
const Builds = "/var/lib/goxin/builds"

// ErrNoExec is the reason of a proof whose program may not run where it was built.
var ErrNoExec = lang.Because(nil, "a program that was just built may not run", "刚编译出的程序不允许运行")

// Use calls use with a new directory and clears it away. Where use returns an
// ErrNoExec it is tried once more in the next base; the error is then the first one's.
func Use(m machine.Machine, name string, use func(dir string) error) error {
	var first error
	for _, base := range Bases() {
		err := useIn(m, base, name, use)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
		if !errors.Is(err, ErrNoExec) {
			break
		}
	}
	return first
}

func useIn(m machine.Machine, base, name string, use func(dir string) error) (err error) {
	dir, err := Make(m, base, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, Clear(m, dir)) }()
	return use(dir)
}

// Make makes BASE/goxin-NAME-N for root alone, N being a number that is free: others
// may write to base. The error says what to do.
func Make(m machine.Machine, base, name string) (dir string, err error) {
	for i := range 10 {
		dir = path.Join(base, "goxin-"+name+"-"+strconv.Itoa(i))
		if err = m.Mkdir(dir, 0o700, machine.Keep); err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	e := lang.Errorf(err, "cannot make a directory in %s", "无法在 %s 中创建目录", base)
	if errors.Is(err, fs.ErrExist) {
		return "", e.WithHint("what is left of interrupted runs is in the way: remove %[1]s/goxin-%[2]s-*", "被中断的运行有残留：请删除 %[1]s/goxin-%[2]s-*", base, name)
	}
	return "", e.WithHint("make room there, or make it writable", "请确认该处有空间且可写")
}

// Clear removes dir and what is in it; links are not followed.
func Clear(m machine.Machine, dir string) error { return m.RemoveAll(dir) }
