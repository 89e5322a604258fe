package elf

import (
	"path"
	"slices"
	"strings"

	"goxin/detect/machine"
)

const maxIncludes = 256 // files one ld.so.conf may draw in

// confDirs gives the directories of /etc/ld.so.conf in order, with what it
// includes, ldconfig(8).
func confDirs(m machine.Machine) []string {
	c := conf{m: m, seen: map[string]bool{}}
	c.read("/etc/ld.so.conf")
	return c.dirs
}

type conf struct {
	m    machine.Machine
	seen map[string]bool
	dirs []string
}

func (c *conf) read(name string) {
	if c.seen[name] || len(c.seen) >= maxIncludes {
		return
	}
	c.seen[name] = true
	data, err := c.m.ReadFile(name)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n,:", r) })
		if len(words) == 0 || words[0] == "hwcap" {
			continue
		}
		if words[0] == "include" {
			for _, pattern := range words[1:] {
				c.include(pattern, path.Dir(name))
			}
			continue
		}
		for _, dir := range words {
			dir, _, _ = strings.Cut(dir, "=") // DIR=TYPE of libc5's days
			if dir = path.Clean(dir); strings.HasPrefix(dir, "/") && !slices.Contains(c.dirs, dir) {
				c.dirs = append(c.dirs, dir)
			}
		}
	}
}

// include reads the files pattern names; only its last component may be a
// pattern, as in every ld.so.conf there is.
func (c *conf) include(pattern, from string) {
	if !strings.HasPrefix(pattern, "/") {
		pattern = path.Join(from, pattern)
	}
	dir, base := path.Split(pattern)
	if !strings.ContainsAny(base, "*?[") {
		c.read(pattern)
		return
	}
	names, err := c.m.ReadDir(path.Clean(dir))
	if err != nil {
		return
	}
	for _, name := range names {
		if strings.HasPrefix(name, ".") {
			continue
		}
		if ok, err := path.Match(base, name); err == nil && ok {
			c.read(path.Join(dir, name))
		}
	}
}
