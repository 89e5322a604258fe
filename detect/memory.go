package detect

import (
	"context"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/mem"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

func probeMemory(h *host, f *Facts) {
	m := &f.Memory
	if !h.running {
		m.Total, m.Swap = unknown[uint64](h.why), unknown[uint64](h.why)
		m.PageSize = unknown[int](h.why)
		return
	}
	m.PageSize = known(h.kernel.PageSize, "getpagesize(2)")
	const file = "/proc/meminfo"
	total, swap, err := h.meminfo(file)
	if err != nil || total == 0 {
		why := lacks(file, "MemTotal")
		if err != nil {
			why = told(err)
		}
		m.Total, m.Swap = unknown[uint64](why), unknown[uint64](why)
		return
	}
	m.Total = known(total, file+" MemTotal")
	m.Swap = known(swap, file+" SwapTotal")
}

// meminfo asks gopsutil, with its root moved to where the machine's files are.
// (Its SwapMemory asks this host's kernel whatever root it is given, so the swap
// comes from meminfo too.) Of a machine whose files this host cannot reach by
// name, the same file is read through it.
func (h *host) meminfo(file string) (total, swap uint64, err error) {
	text, err := h.read(file) // gopsutil takes a missing file for an empty one
	if err != nil {
		return 0, 0, err
	}
	r, ok := h.m.(machine.Rooted)
	if !ok {
		return parseMeminfo(text)
	}
	env := common.EnvMap{common.HostProcEnvKey: r.HostPath("/proc")}
	v, err := mem.VirtualMemoryWithContext(context.WithValue(h.ctx, common.EnvKey, env))
	if err != nil {
		return 0, 0, &lang.Error{Text: lang.Same(file), Cause: err}
	}
	return v.Total, v.SwapTotal, nil
}

// parseMeminfo reads "MemTotal:  263500000 kB".
func parseMeminfo(s string) (total, swap uint64, err error) {
	for line := range strings.Lines(s) {
		key, value, _ := strings.Cut(line, ":")
		var to *uint64
		switch key {
		case "MemTotal":
			to = &total
		case "SwapTotal":
			to = &swap
		default:
			continue
		}
		kib, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 54)
		if err != nil {
			return 0, 0, lang.Errorf(nil, "/proc/meminfo: cannot read %q", "/proc/meminfo：无法解析 %q", strings.TrimSpace(line))
		}
		*to = kib * 1024
	}
	return total, swap, nil
}
