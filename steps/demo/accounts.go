package demo

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/detect/machine"
)

// account is a database of accounts: its mode, and what a machine has in it at first.
type account struct {
	file  string
	mode  fs.FileMode
	first string
}

var accounts = []account{
	{"/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
	{"/etc/shadow", 0o640, "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n"},
	{"/etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n"},
	{"/etc/gshadow", 0o640, "root:*::\nnogroup:*::\n"},
}

// people furnishes the machine with accounts.
func (s *sim) people() error {
	for _, a := range accounts {
		if !s.exists(a.file) {
			if err := s.write(a.file, []byte(a.first), a.mode); err != nil {
				return err
			}
		}
	}
	return nil
}

// useradd is useradd, userdel, groupadd and groupdel: they write the files, under a lock
// and with what was there before beside them.
func (c *call) useradd() error {
	if err := c.wait(70 * time.Millisecond); err != nil {
		return err
	}
	name := c.args[len(c.args)-1]
	_, user := c.account("/etc/passwd", name)
	gid, group := c.account("/etc/group", name)
	if err := c.write("/etc/.pwd.lock", nil, 0o600); err != nil {
		return err
	}
	switch c.name {
	case "groupadd":
		if group {
			return c.refuse(9, "groupadd: group '%s' already exists", name)
		}
		id := c.freeID()
		return c.edit(name, map[string]string{"/etc/group": fmt.Sprintf("%s:x:%d:", name, id), "/etc/gshadow": name + ":!::"})
	case "useradd":
		switch {
		case user:
			return c.refuse(9, "useradd: user '%s' already exists", name)
		case !group:
			return c.refuse(6, "useradd: group '%s' does not exist", name)
		}
		return c.edit(name, map[string]string{
			"/etc/passwd": fmt.Sprintf("%s:x:%s:%s::%s:%s", name, gid, gid, c.after("--home-dir"), c.after("--shell")), "/etc/shadow": name + ":!:20000::::::",
		})
	case "userdel":
		if !user {
			return c.refuse(6, "userdel: user '%s' does not exist", name)
		}
		return c.edit(name, map[string]string{"/etc/passwd": "", "/etc/shadow": "", "/etc/group": "", "/etc/gshadow": ""})
	}
	if !group {
		return c.refuse(6, "groupdel: group '%s' does not exist", name)
	}
	return c.edit(name, map[string]string{"/etc/group": "", "/etc/gshadow": ""})
}

func (c *call) refuse(code int, format string, args ...any) error {
	c.say(format, args...)
	return c.exit(code)
}

// account is the number of a name in a database.
func (s *sim) account(file, name string) (id string, ok bool) {
	for line := range strings.Lines(s.read(file)) {
		if f := strings.Split(line, ":"); len(f) > 3 && f[0] == name {
			return f[2], true
		}
	}
	return "", false
}

// freeID is the highest number of a system account that nobody has.
func (s *sim) freeID() int {
	used := s.read("/etc/passwd") + s.read("/etc/group")
	for id := 999; id > 100; id-- {
		if !strings.Contains(used, ":"+strconv.Itoa(id)+":") {
			return id
		}
	}
	return 100
}

// edit gives a name another line in each database; "" takes it out.
func (c *call) edit(name string, lines map[string]string) error {
	for _, a := range accounts {
		line, asked := lines[a.file]
		if !asked {
			continue
		}
		was := c.read(a.file)
		rest := slices.DeleteFunc(slices.Collect(strings.Lines(was)), func(l string) bool { return strings.HasPrefix(l, name+":") })
		if line != "" {
			rest = append(rest, line+"\n")
		}
		now := strings.Join(rest, "")
		if now == was {
			continue
		}
		if err := c.Machine.WriteFile(a.file+"-", []byte(was), a.mode, machine.Keep); err != nil {
			return err
		}
		if err := c.Machine.WriteFile(a.file, []byte(now), a.mode, machine.Keep); err != nil {
			return err
		}
	}
	return nil
}

// getent looks an account up, in the files alone.
func (c *call) getent() error {
	file := map[string]string{"passwd": "/etc/passwd", "group": "/etc/group"}[c.args[0]]
	for line := range strings.Lines(c.read(file)) {
		if strings.HasPrefix(line, c.args[len(c.args)-1]+":") {
			c.say("%s", strings.TrimRight(line, "\n"))
			return nil
		}
	}
	return c.exit(2)
}
