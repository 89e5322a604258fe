package detect

import (
	"strconv"
	"strings"
)

// probeNetwork lists the interfaces but the loopback, by name. Addresses are
// not asked for: they are not facts of a machine but of its site.
func probeNetwork(h *host, f *Facts) {
	if !h.running {
		return
	}
	const dir = "/sys/class/net/"
	for _, name := range h.list(dir[:len(dir)-1]) {
		if name == "lo" || !h.exists(dir+name+"/operstate") {
			continue
		}
		target, _ := h.m.Readlink(dir + name)
		i := Interface{Name: name, State: h.line(dir + name + "/operstate"), Virtual: strings.Contains(target, "/virtual/")}
		i.MTU, _ = strconv.Atoi(h.line(dir + name + "/mtu"))
		// A link that is down, and most virtual ones, answer with an error or -1.
		if speed, err := strconv.Atoi(h.line(dir + name + "/speed")); err == nil && speed > 0 {
			i.Speed = speed
		}
		f.Network = append(f.Network, i)
	}
}
