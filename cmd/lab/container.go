package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"goxin/cmd/lab/agent"
)

// container is a systemd-nspawn machine. Its files are an overlay over the
// base tree, mounted in a mount namespace that goes with it; its network is a
// namespace of its own with one leg on its group's bridge and no way out.
type container struct{ *host }

// hardFiles is the hard limit of open files a container gets at most, as on
// hosts that cut LimitNOFILE of the services in it.
const hardFiles = 20000

func (l *Lab) newContainer(h *host) *container {
	c := &container{h}
	h.dial = func(ctx context.Context) (*agent.Client, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", filepath.Join(h.dir, "io", "agent.sock"))
		if err != nil {
			return nil, err
		}
		return agent.Greet(ctx, conn, false)
	}
	return c
}

// create makes the directories and the first snapshot: an empty overlay.
func (c *container) create(ctx context.Context) error {
	if c.state.Arch != "" {
		if err := c.lab.emulateArch(c.state.Arch); err != nil {
			return err
		}
	}
	tree, err := c.lab.tree(ctx, base{SystemContainer, c.state.Release, c.state.Arch, c.state.Packages})
	if err != nil {
		return err
	}
	program, err := c.lab.agentProgram(ctx)
	if err != nil {
		return err
	}
	c.state.Base, c.state.Uses = tree, append(c.state.Uses, tree, program)
	if err := c.state.save(c.dir); err != nil {
		return err
	}
	for _, sub := range []string{"upper", "work", "root", "io", "snapshots"} {
		if err := os.MkdirAll(filepath.Join(c.dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "upper/etc"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, "upper/etc/hostname"), []byte(c.state.Name+"\n"), 0o644); err != nil {
		return err
	}
	if err := copyFile(program, filepath.Join(c.dir, "agentd"), 0o755); err != nil {
		return err
	}
	return c.keep(Fresh)
}

// bridge joins the network of the group's machines or makes it.
const bridge = `ip link set lo up
ip link show br0 >/dev/null 2>&1 || ip link add br0 type bridge
ip link set br0 up
mount -t overlay lab -o lowerdir=lower,upperdir=upper,workdir=work root`

// again boots a container anew when it has rebooted: systemd-nspawn leaves that
// to its service manager, with this exit code, when it keeps the unit.
const again = `while :; do "$@" || code=$?; [ "${code:-0}" = 133 ] || exit; code=0; done`

func (c *container) boot(ctx context.Context) error {
	lower := filepath.Join(c.dir, "lower")
	_ = os.Remove(lower)
	if err := os.Symlink(c.state.Base, lower); err != nil {
		return err
	}
	lock, err := c.lab.cache.lock("network")
	if err != nil {
		return err
	}
	defer lock.Close()
	prefix := []string{"unshare", "--net", "--mount", "--"}
	if pid := c.lab.groupMember(c.state.Group); pid != 0 {
		prefix = []string{"nsenter", "--net=/proc/" + strconv.Itoa(pid) + "/ns/net", "--", "unshare", "--mount", "--"}
	}
	hard := uint64(hardFiles)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil {
		hard = min(hard, limit.Max)
	}
	argv := []string{
		"sh", "-c", again, "lab", "prlimit", fmt.Sprintf("--nofile=%d:%d", min(1024, hard), hard), "--",
		"systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe",
		"--directory=root", "--machine=" + c.nspawnName(), "--hostname=" + c.state.Name,
		"--network-bridge=br0", "--resolv-conf=off", "--timezone=off", "--link-journal=no",
		"--bind=" + filepath.Join(c.dir, "io") + ":/run/goxin-lab",
		"--bind-ro=" + filepath.Join(c.dir, "agentd") + ":" + agentPath,
	}
	for _, b := range c.state.Binds {
		argv = append(argv, "--bind-ro="+b)
	}
	err = c.launch(bridge, prefix, argv)
	if err != nil {
		return err
	}
	return c.up(ctx)
}

// nspawnName is one of at most 64 characters that nothing else on the host has.
func (c *container) nspawnName() string { return "goxin-lab-" + c.state.Name }

func (c *container) stop() error {
	c.hangUp()
	if err := c.state.kill(); err != nil {
		return err
	}
	// nspawn leaves it when it is killed.
	err := os.Remove("/run/systemd/nspawn/propagate/" + c.nspawnName())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return err
}

func (c *container) Reboot(ctx context.Context) error { return c.reboot(ctx) }

func (c *container) Cut(ctx context.Context) error {
	if err := c.stop(); err != nil {
		return err
	}
	return c.boot(ctx)
}

func (c *container) Snapshot(ctx context.Context, name string) error {
	if _, err := c.Exec(ctx, "sync"); err != nil {
		return err
	}
	if err := c.stop(); err != nil {
		return err
	}
	if err := c.keep(name); err != nil {
		return err
	}
	return c.boot(ctx)
}

// keep copies the overlay of the stopped container.
func (c *container) keep(name string) error {
	to := filepath.Join(c.dir, "snapshots", name)
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return copyTree(filepath.Join(c.dir, "upper"), to)
}

func (c *container) Restore(ctx context.Context, name string) error {
	from := filepath.Join(c.dir, "snapshots", name)
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("cannot restore %s: no snapshot %q", c.state.Name, name)
	}
	if err := c.stop(); err != nil {
		return err
	}
	for _, sub := range []string{"upper", "work"} {
		if err := os.RemoveAll(filepath.Join(c.dir, sub)); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(c.dir, "work"), 0o755); err != nil {
		return err
	}
	if err := copyTree(from, filepath.Join(c.dir, "upper")); err != nil {
		return err
	}
	return c.boot(ctx)
}

func (c *container) Down(context.Context) error {
	if err := c.stop(); err != nil {
		return err
	}
	return os.RemoveAll(c.dir)
}

func copyTree(from, to string) error {
	if out, err := exec.Command("cp", "-a", "--reflink=auto", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot copy %s: %w\n%s", from, err, tail(out))
	}
	return nil
}
