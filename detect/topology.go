package detect

import (
	"slices"
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
	cores, sockets := h.sharing(online)
	switch {
	case cores > 0:
		c.Cores = known(cores, cpuDir+"/cpu*/topology")
		c.Sockets = known(sockets, cpuDir+"/cpu*/topology")
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

// sharing counts the cores and sockets of CPUs; 0 where nothing tells. A machine may be
// at the other end of a line and have hundreds of CPUs, so each is asked only for what
// those before it have not told: a socket's first CPU names the socket's others, a core's
// first CPU the core's, and where no core has two, as smt/active says, none is asked.
func (h *host) sharing(cpus []int) (cores, sockets int) {
	if sockets = h.groups(cpus, "core_siblings_list"); sockets == 0 {
		return h.numbered(cpus)
	}
	if h.line(cpuDir+"/smt/active") == "0" {
		return len(cpus), sockets
	}
	if cores = h.groups(cpus, "thread_siblings_list"); cores == 0 {
		return h.numbered(cpus)
	}
	return cores, sockets
}

// groups counts the groups that a list in each CPU's topology puts them in; 0 where one
// does not tell.
func (h *host) groups(cpus []int, list string) int {
	n, told := 0, make(map[int]bool, len(cpus))
	for _, cpu := range cpus {
		if told[cpu] {
			continue
		}
		its, ok := parseList(h.line(topologyDir(cpu) + list))
		if !ok || !slices.Contains(its, cpu) {
			return 0
		}
		for _, other := range its {
			told[other] = true
		}
		n++
	}
	return n
}

// numbered asks each CPU for the numbers of its core and socket: captures have had those
// alone.
func (h *host) numbered(cpus []int) (cores, sockets int) {
	coreSet, socketSet := map[string]bool{}, map[string]bool{}
	for _, cpu := range cpus {
		socket := h.line(topologyDir(cpu) + "physical_package_id")
		if socket == "" {
			break
		}
		socketSet[socket] = true
		coreSet[socket+"/"+h.line(topologyDir(cpu)+"core_id")] = true
	}
	return len(coreSet), len(socketSet)
}

func topologyDir(cpu int) string { return cpuDir + "/cpu" + strconv.Itoa(cpu) + "/topology/" }

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
