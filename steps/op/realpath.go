package op

import (
	"io/fs"
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// realpath is where name leads once all links on the way are followed, the
// machine's own and not this host's; name's last part need not be there. Where
// links lead round, or a part cannot be looked at, it is as far as it came.
func realpath(m machine.Machine, name string) string {
	at, rest, links := "/", strings.Split(name, "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		target, err := m.Readlink(next)
		if err == nil {
			links++
		}
		if err != nil || links > 40 { // the kernel's own limit
			at = next
			continue
		}
		if path.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at
}

// notRegular says what stands where a file should.
func notRegular(mode fs.FileMode) *lang.Error {
	if mode.IsDir() {
		return lang.Errorf(nil, "it is a directory", "它是一个目录").
			WithHint("move the directory away, or choose another path", "请先移走该目录，或换一个路径")
	}
	return lang.Errorf(nil, "it is not a regular file", "它不是普通文件").
		WithHint("see what it is: ls -l", "请用 ls -l 查看它是什么")
}
