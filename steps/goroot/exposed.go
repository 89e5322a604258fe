package goroot

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// What root runs must be nobody else's to change. Root is here whoever owns the top of
// the file system: on a tree that a person keeps for trying things, that person.

// maxLinks is how many links a path may lead through, as Linux has it.
const maxLinks = 40

// Guard tells what is root's alone.
type Guard struct {
	m   machine.Machine
	uid int
}

// GuardOf is that of a machine.
func GuardOf(m machine.Machine) (Guard, error) {
	info, err := m.Lstat("/")
	return Guard{m, info.UID}, err
}

// Alone says whether a file or directory can be changed by root only, as far as its own
// owner and mode tell.
func (g Guard) Alone(info machine.Info) bool {
	return g.owns(info) && (info.Mode&fs.ModeSymlink != 0 || info.Mode&0o002 == 0 && (info.Mode&0o020 == 0 || info.GID == 0))
}

func (g Guard) owns(info machine.Info) bool { return info.UID == 0 || info.UID == g.uid }

// Way names the first directory or link on the way to name, and name itself, by which
// others than root could put something else in its place; "" where there is none. That
// a group may write above name is left to who set it so: Debian's /usr/local is the
// group staff's, who can become root whenever they want (Debian Policy 9.1.2).
func (g Guard) Way(name string) (exposed string, err error) {
	rest, at := strings.Split(strings.Trim(path.Clean(name), "/"), "/"), "/"
	for links := 0; ; {
		info, err := g.m.Lstat(at)
		if err != nil {
			return "", err
		}
		switch {
		case info.Mode&fs.ModeSymlink != 0:
			if !g.owns(info) {
				return at, nil
			}
			to, err := g.m.Readlink(at)
			if err != nil {
				return "", err
			}
			if links++; links > maxLinks {
				return "", lang.Errorf(nil, "%s leads through too many links", "%s 经过的链接过多", name)
			}
			if !path.IsAbs(to) {
				to = path.Dir(at) + "/" + to
			}
			// The way to where it leads is judged from the top, too.
			rest, at = append(strings.Split(strings.Trim(path.Clean(to), "/"), "/"), rest...), "/"
			continue
		case !g.owns(info), info.Mode&0o002 != 0 && info.Mode&fs.ModeSticky == 0:
			return at, nil
		case len(rest) == 0:
			return "", nil
		}
		at, rest = path.Join(at, rest[0]), rest[1:]
	}
}

// Tree names the first thing on the way to dir or in it that others than root could
// change; "" where there is none. Links in it are not followed.
func (g Guard) Tree(ctx context.Context, dir string) (exposed string, err error) {
	if exposed, err = g.Way(dir); exposed != "" || err != nil {
		return exposed, err
	}
	info, err := g.m.Stat(dir)
	if err != nil {
		return "", err
	}
	return g.below(ctx, dir, info)
}

func (g Guard) below(ctx context.Context, at string, info machine.Info) (string, error) {
	if !g.Alone(info) {
		return at, nil
	}
	if !info.Mode.IsDir() {
		return "", nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	names, err := g.m.ReadDir(at)
	if err != nil {
		return "", err
	}
	for _, n := range names {
		info, err := g.m.Lstat(at + "/" + n)
		if err != nil {
			return "", err
		}
		if exposed, err := g.below(ctx, at+"/"+n, info); exposed != "" || err != nil {
			return exposed, err
		}
	}
	return "", nil
}
