package detect

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// mount is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	root, point, kind string
	readOnly          bool // the mount or its file system
	super             []string
}

// parseMountinfo skips lines that do not have the format's fields.
func parseMountinfo(s string) []mount {
	var out []mount
	for line := range strings.Lines(s) {
		fields := strings.Fields(line)
		dash := slices.Index(fields, "-")
		if dash < 6 || len(fields) < dash+4 {
			continue
		}
		super := strings.Split(fields[dash+3], ",")
		out = append(out, mount{
			root:     unescapeMount(fields[3]),
			point:    unescapeMount(fields[4]),
			kind:     fields[dash+1],
			readOnly: slices.Contains(strings.Split(fields[5], ","), "ro") || slices.Contains(super, "ro"),
			super:    super,
		})
	}
	return out
}

// unescapeMount undoes the octal escapes of blanks and backslashes.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func (h *host) mountTable() ([]mount, error) {
	if h.mounts == nil && h.mountsErr == nil {
		text, err := h.read("/proc/self/mountinfo")
		h.mounts, h.mountsErr = parseMountinfo(text), err
	}
	return h.mounts, h.mountsErr
}

// mountOf is the mount that holds name: the longest mount point above it, the
// last of those mounted over one another.
func mountOf(mounts []mount, name string) (mount, bool) {
	var best mount
	found := false
	for _, m := range mounts {
		if within(name, m.point) && (!found || len(m.point) >= len(best.point)) {
			best, found = m, true
		}
	}
	return best, found
}

func within(name, dir string) bool {
	return name == dir || dir == "/" || strings.HasPrefix(name, path.Clean(dir)+"/")
}
