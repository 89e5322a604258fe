package detect

import (
	"strconv"
	"strings"

	"goxin/assets/lang"
)

const cpuDir, nodeDir = "/sys/devices/system/cpu", "/sys/devices/system/node"

// probeTopology counts CPUs, cores, sockets and memory nodes from /sys, where
// it is, and else from what cpuinfo says.
func probeTopology(h *host, c *CPU, why lang.Text) {
	if !h.running {
		n := unknown[int](why)
		c.Logical, c.Cores, c.Sockets, c.NUMA = n, n, n, n
		return
	}
	online, ok := parseList(h.line(cpuDir + "/online"))
	switch {
	case ok:
		c.Logical = known(len(online), cpuDir+"/online")
	case len(h.cpus.cpus) > 0:
		c.Logical = known(len(h.cpus.cpus), cpuinfoFile)
		for i := range h.cpus.cpus {
			online = append(online, i)
		}
	default:
		c.Logical = unknown[int](why)
	}
	cores, sockets := map[string]bool{}, map[string]bool{}
	for _, n := range online {
		dir := cpuDir + "/cpu" + strconv.Itoa(n) + "/topology/"
		socket := h.line(dir + "physical_package_id")
		if socket == "" {
			break
		}
		core := h.line(dir + "core_id")
		sockets[socket] = true
		cores[socket+"/"+core] = true
	}
	switch {
	case len(cores) > 0:
		c.Cores = known(len(cores), cpuDir+"/cpu*/topology")
		c.Sockets = known(len(sockets), cpuDir+"/cpu*/topology")
	default:
		c.Cores, c.Sockets = topologyOf(h.cpus)
	}
	if nodes, ok := parseList(h.line(nodeDir + "/online")); ok {
		c.NUMA = known(len(nodes), nodeDir+"/online")
	} else if n := countNodes(h.list(nodeDir)); n > 0 {
		c.NUMA = known(n, nodeDir)
	} else {
		c.NUMA = unknown[int](absent(nodeDir))
	}
}

// topologyOf reads x86's "physical id" and "core id", LoongArch's "package" and "core".
func topologyOf(info cpuinfo) (cores, sockets Fact[int]) {
	coreSet, socketSet := map[string]bool{}, map[string]bool{}
	var keys lang.Text
	for _, cpu := range info.cpus {
		for _, k := range [][2]string{{"physical id", "core id"}, {"package", "core"}} {
			if cpu[k[0]] != "" && cpu[k[1]] != "" {
				keys = lang.F("%s %q and %q", "%s %q 与 %q", cpuinfoFile, k[0], k[1])
				socketSet[cpu[k[0]]] = true
				coreSet[cpu[k[0]]+"/"+cpu[k[1]]] = true
			}
		}
	}
	if keys.Empty() {
		why := unknown[int](lang.F("neither %s/cpu*/topology nor %s tells", "%s/cpu*/topology 与 %s 均未说明", cpuDir, cpuinfoFile))
		return why, why
	}
	return known(len(coreSet), keys), known(len(socketSet), keys)
}

func countNodes(names []string) int {
	n := 0
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, "node"); ok && isDigits(rest) {
			n++
		}
	}
	return n
}
