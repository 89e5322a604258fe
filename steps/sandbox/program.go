package sandbox

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Places are where the throw-away copy of goxin may stand: where any user can run it, and
// where what a sandbox hides is not. /run may be mounted noexec.
func Places() []string { return []string{"/run", "/usr/local/lib", "/opt"} }

// Program puts a throw-away copy of goxin on m, for systemd to start, and gives its path
// and how to be rid of it.
func Program(ctx context.Context, m machine.Machine) (program string, cleanup func() error, err error) {
	for _, base := range Places() {
		program, cleanup, err = programIn(ctx, m, base)
		if err == nil {
			return program, cleanup, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return "", nil, lang.Errorf(err, "cannot put a copy of goxin where systemd can start it", "无法放置可供 systemd 启动的 goxin 副本").
		WithHint("one of /run, /usr/local/lib and /opt has to let programs run (findmnt -T), and Kylin's execution control too (getstatus)",
			"/run、/usr/local/lib、/opt 之一须允许执行程序（findmnt -T），麒麟的执行控制也须放行（getstatus）")
}

func programIn(ctx context.Context, m machine.Machine, base string) (string, func() error, error) {
	dir, err := freeDir(m, base)
	if err != nil {
		return "", nil, err
	}
	cleanup := func() error { return m.RemoveAll(dir) }
	program := path.Join(dir, "goxin")
	err = m.Run(ctx, machine.Command{Argv: []string{machine.Self, "probe", "copy", program}, Timeout: 2 * time.Minute}, nil)
	if err == nil {
		// Kylin's execution control runs what is marked; elsewhere there is no such program.
		err = m.Run(ctx, machine.Command{Argv: []string{"kysec_set", "-n", "exectl", "-v", "verified", program}, Timeout: time.Minute}, nil)
		if err != nil && machine.MissingProgram(err) {
			err = nil
		}
	}
	if err == nil {
		err = m.Run(ctx, machine.Command{Argv: []string{program, "--version"}, Timeout: time.Minute}, nil)
	}
	if err != nil {
		return "", nil, errors.Join(err, cleanup())
	}
	return program, cleanup, nil
}

// freeDir makes a directory that everybody may go into and only root may write to.
func freeDir(m machine.Machine, base string) (dir string, err error) {
	for i := range 10 {
		dir = path.Join(base, "goxin-probe-"+strconv.Itoa(i))
		if err = m.Mkdir(dir, 0o755, machine.Keep); err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	return "", err
}
