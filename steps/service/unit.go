package service

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"goxin/steps/runtime"
	"goxin/steps/sandbox"
	"goxin/steps/vrrp"
)

const (
	unitDir = "/etc/systemd/system"
	binDir  = "/usr/local/bin"
)

func (h *host) unitName() string { return h.a.Name + ".service" }
func (h *host) unitFile() string { return unitDir + "/" + h.unitName() }
func (h *host) program() string  { return binDir + "/" + h.a.Name }
func (h *host) envFile() string  { return runtime.Dir + "/" + h.a.Name + ".env" }

// form is what a trial's unit has otherwise than the one that is written.
type form struct {
	program string // what is started
	env     string // the environment file
	trial   bool   // an account and directories that come and go with it
	level   sandbox.Level
}

func (h *host) written() form {
	return form{program: h.program(), env: h.envFile(), level: h.a.Harden}
}

// unit is the unit for this machine's systemd. It says nothing of today or of the host.
func (h *host) unit(f form) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Managed by goxin, for systemd %d.", h.systemd())
	line("# Change it by a drop-in beside it.")
	line("[Unit]")
	line("Description=%s", unitText(h.a.Description))
	line("After=network.target nss-lookup.target")
	line("Before=%s", vrrp.Unit) // of a pair: at a shutdown the address is handed over while this still answers
	line("StartLimitIntervalSec=%d", h.a.Window)
	line("StartLimitBurst=%d", h.a.Burst)
	line("")
	line("[Service]")
	h.start(line, f)
	h.restart(line, f)
	h.limits(line)
	if lines, _ := h.lines(f.level); len(lines) > 0 {
		line("")
		line("# What it cannot do.")
		for _, d := range lines {
			line("%s", d.Line())
		}
	}
	line("")
	line("[Install]")
	line("WantedBy=multi-user.target")
	return b.String()
}

func (h *host) start(line func(string, ...any), f form) {
	line("Type=%s", h.kind())
	if h.kind() == notify {
		line("NotifyAccess=main")
	}
	cmd := []string{unitWord(f.program)}
	for _, a := range h.a.Args {
		cmd = append(cmd, unitWord(a))
	}
	line("ExecStart=%s", strings.Join(cmd, " "))
	if f.trial {
		line("DynamicUser=yes")
	} else {
		line("User=%s", h.a.User)
		line("Group=%s", h.a.User)
	}
	line("EnvironmentFile=-%s", runtime.RuntimeEnv)
	if len(h.variables()) > 0 {
		line("EnvironmentFile=%s", f.env)
	}
	if h.a.Secrets != "" {
		line("EnvironmentFile=%s", unitText(h.a.Secrets))
	}
	for _, d := range directories() {
		if slices.Contains(h.a.Dirs, d.key) {
			line("%sDirectory=%s", d.name, h.a.Name)
			line("%sDirectoryMode=0750", d.name)
		}
	}
	line("TimeoutStartSec=60")
	line("TimeoutStopSec=30")
}

func (h *host) restart(line func(string, ...any), f form) {
	if f.trial {
		line("Restart=no")
		return
	}
	line("Restart=%s", h.a.Restart)
	if h.a.Restart == "no" {
		return
	}
	line("RestartSec=1")
	if h.systemd() >= 254 { // RestartSteps= (systemd.service(5))
		line("RestartSteps=5")
		line("RestartMaxDelaySec=30")
	}
}

func (h *host) limits(line func(string, ...any)) {
	line("LimitNOFILE=%d", h.a.NoFile)
	if n := h.memory(); n > 0 {
		line("MemoryMax=%d", n)
	}
	if h.a.Quota != "" {
		line("CPUQuota=%s", h.a.Quota)
	}
	if nodes := h.spread(); nodes > 0 {
		line("NUMAPolicy=interleave")
		line("NUMAMask=0-%d", nodes-1)
	}
}

// lines are those of the sandbox for this machine, and what is left out.
func (h *host) lines(level sandbox.Level) ([]sandbox.Directive, []sandbox.Skipped) {
	return sandbox.Lines(
		sandbox.Machine{Systemd: h.systemd(), GOARCH: h.facts.Arch.GOARCH.Value, Users: h.seen.UserNS},
		sandbox.Service{Level: level, LowPort: h.a.Port > 0 && h.a.Port < 1024})
}

// systemd is its version; where that is not known, the oldest that goxin meets.
func (h *host) systemd() int {
	if v := h.facts.Init.Version; v.Known && v.Value > 0 {
		return v.Value
	}
	return 239
}

// kind is Type=. exec came with systemd 240.
func (h *host) kind() string {
	switch {
	case h.a.Type != auto && !(h.a.Type == execType && h.systemd() < 240):
		return h.a.Type
	case h.a.Type == auto && h.seen.Notifies:
		return notify
	case h.systemd() < 240:
		return simpleType
	}
	return execType
}

// memory is MemoryMax= in bytes; 0 for none.
func (h *host) memory() uint64 {
	if h.a.Memory.percent > 0 && h.facts.Memory.Total.Known {
		return h.facts.Memory.Total.Value / 100 * uint64(h.a.Memory.percent)
	}
	return h.a.Memory.bytes
}

// spread is over how many NUMA nodes its memory goes; 0: the kernel's own way. It pays
// where the heap may outgrow the node it starts on: what spills over then makes some
// requests slower than others for as long as the process runs.
func (h *host) spread() int {
	nodes := h.facts.CPU.NUMA
	total := h.facts.Memory.Total
	if h.a.NUMA != auto || !nodes.Known || nodes.Value < 2 || !total.Known || h.systemd() < 243 {
		return 0
	}
	if n := h.memory(); n > 0 && n <= total.Value/uint64(nodes.Value) {
		return 0
	}
	return nodes.Value
}

// variables are those of the environment file, as lines.
func (h *host) variables() []string {
	vars := maps.Clone(h.a.Env)
	if vars == nil {
		vars = map[string]string{}
	}
	if n := h.memory(); n > 0 && vars["GOMEMLIMIT"] == "" {
		vars["GOMEMLIMIT"] = fmt.Sprintf("%dMiB", n/10*9>>20)
	}
	if h.a.Quota != "" && olderThan(h.seen.Go, 25) && vars["GOMAXPROCS"] == "" {
		q, _ := strconv.Atoi(strings.TrimSuffix(h.a.Quota, "%"))
		vars["GOMAXPROCS"] = strconv.Itoa(max(int(math.Ceil(float64(q)/100)), 2)) // as Go 1.25 does
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		out = append(out, envLine(k, vars[k]))
	}
	return out
}

func (h *host) environment() string {
	return "# goxin: the environment of " + h.unitName() + ".\n" + strings.Join(h.variables(), "\n") + "\n"
}

// directory is one of systemd's: StateDirectory= and its kin.
type directory struct{ key, name, base string }

func directories() []directory {
	return []directory{{"state", "State", "/var/lib"}, {"cache", "Cache", "/var/cache"}, {"logs", "Logs", "/var/log"}, {"runtime", "Runtime", ""}}
}
