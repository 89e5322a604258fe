package detect

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// cgroupLine is a line of /proc/self/cgroup (cgroups(7)): "4:memory:/user.slice".
type cgroupLine struct {
	controllers []string // none on the version 2 hierarchy
	path        string
}

func parseCGroup(s string) []cgroupLine {
	var out []cgroupLine
	for line := range strings.Lines(s) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 || !isDigits(parts[0]) || !strings.HasPrefix(parts[2], "/") {
			continue
		}
		c := cgroupLine{path: parts[2]}
		if parts[1] != "" {
			c.controllers = strings.Split(parts[1], ",")
		}
		out = append(out, c)
	}
	return out
}

// probeCGroup finds the memory limit that holds for goxin: the lowest on the way
// from its own group up to the root it can see.
func probeCGroup(h *host, f *Facts) {
	m := &f.Memory
	if !h.running {
		m.Limit, m.CGroup = unknown[uint64](h.why), unknown[int](h.why)
		return
	}
	const file = "/proc/self/cgroup"
	text, err := h.read(file)
	mounts, mountsErr := h.mountTable()
	if err != nil || mountsErr != nil {
		if err == nil {
			err = mountsErr
		}
		m.Limit, m.CGroup = unknown[uint64](told(err)), unknown[int](told(err))
		return
	}
	lines := parseCGroup(text)
	// A controller belongs to one hierarchy; version 1's says so in its line.
	for _, l := range lines {
		if slices.Contains(l.controllers, "memory") {
			h.memoryLimit(m, 1, l.path, "memory.limit_in_bytes", mounts, func(x mount) bool {
				return x.kind == "cgroup" && slices.Contains(x.super, "memory")
			})
			return
		}
	}
	for _, l := range lines {
		if l.controllers == nil {
			h.memoryLimit(m, 2, l.path, "memory.max", mounts, func(x mount) bool { return x.kind == "cgroup2" })
			return
		}
	}
	none := lang.F("%s: no memory controller", "%s：没有 memory 控制器", file)
	m.CGroup, m.Limit = known(0, none), known(uint64(0), none)
}

func (h *host) memoryLimit(m *Memory, version int, group, file string, mounts []mount, is func(mount) bool) {
	i := slices.IndexFunc(mounts, is)
	if i < 0 {
		none := lang.T("the memory hierarchy is not mounted", "memory 控制器的层级未挂载")
		m.CGroup, m.Limit = known(0, none), known(uint64(0), none)
		return
	}
	point := mounts[i].point
	m.CGroup = known(version, "/proc/self/mountinfo "+point)
	// Inside a container the path may be the host's: strip what the mount shows.
	if rest, ok := strings.CutPrefix(group, strings.TrimSuffix(mounts[i].root, "/")); ok {
		group = path.Clean("/" + rest)
	}
	group = path.Clean("/" + group)
	limit, from := uint64(0), lang.F("no limit in %s from %s up", "从 %[2]s 逐级向上，%[1]s 均未设上限", file, path.Join(point, group))
	for dir := path.Join(point, group); within(dir, point); dir = path.Dir(dir) {
		name := path.Join(dir, file)
		if n, ok := parseLimit(h.line(name)); ok {
			if limit == 0 || n < limit {
				limit, from = n, lang.Same(name)
			}
		}
		if dir == point || dir == "/" {
			break
		}
	}
	m.Limit = known(limit, from)
}

// parseLimit reads a limit; "max" and version 1's "more than there can be"
// (2^63 rounded down to the page size) are none.
func parseLimit(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n > 0 && n < 1<<62
}
