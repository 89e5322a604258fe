package drill

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/vrrp"
)

// node is what a fault has to know of the machine it is done to.
type node struct {
	service   string
	iface     string
	nft       bool
	iptables  bool
	arptables bool
	container string // its kind; "": none
	free      uint64 // bytes where nginx logs
	own       bool   // that is a file system of its own, with nobody else's files
	memory    bool   // it is one in memory
	unit      bool   // vrrp.Unit is there
	home      bool   // goxin runs on it
}

// act is a fault as commands for its victim.
type act struct {
	set  [][]string
	back [][]string // idempotent, and right after half of set
	// away says that the line to the victim may go with the fault: it is set by a unit
	// of its own after a moment, and taken back by the timer alone.
	away bool
	// reboots: nothing is taken back, the machine comes back.
	reboots bool
	fills   bool
}

// fillUnit holds a disk full for as long as it runs: its file has no name any more, so
// the room is free again once the unit has ended, whatever ended it.
const fillUnit = "goxin-drill-fill"

const logs = "/var/log"

// plan is how a fault is done to n; or why it cannot be. Pure.
func plan(f vrrp.Fault, n node) (act, lang.Text) {
	a, cannot := planned(f, n)
	if n.unit && len(a.back) > 0 && !a.away && !a.fills { // it stops with either
		a.back = append(slices.Clone(a.back), []string{"systemctl", "start", vrrp.Unit})
	}
	return a, cannot
}

func planned(f vrrp.Fault, n node) (act, lang.Text) {
	ctl := func(verb string, more ...string) []string {
		return append(append([]string{"systemctl", verb}, more...), n.service)
	}
	web := [][]string{ctl("reset-failed"), ctl("start")}
	switch f {
	case vrrp.FaultSwitchover:
		return handover(n), lang.Text{}
	case vrrp.FaultNginxStopped:
		return act{set: [][]string{ctl("stop")}, back: web}, lang.Text{}
	case vrrp.FaultNginxKilled:
		return act{set: [][]string{ctl("kill", "--signal=SIGKILL")}, back: web}, lang.Text{}
	case vrrp.FaultNginxHangs:
		return act{set: [][]string{ctl("kill", "--signal=SIGSTOP")}, back: append([][]string{ctl("kill", "--signal=SIGCONT")}, web...)}, lang.Text{}
	case vrrp.FaultKeepalivedStopped:
		return act{set: [][]string{{"systemctl", "stop", "keepalived"}}, back: keepalivedBack}, lang.Text{}
	case vrrp.FaultKeepalivedKilled:
		return act{set: [][]string{{"systemctl", "kill", "--signal=SIGKILL", "keepalived"}}, back: keepalivedBack}, lang.Text{}
	case vrrp.FaultSplit:
		return split(n)
	case vrrp.FaultLink:
		return cut(n)
	case vrrp.FaultDisk:
		return fill(n)
	case vrrp.FaultOff:
		if n.home {
			return act{}, lang.T("goxin runs on it", "goxin 正运行在该节点上")
		}
		return act{away: true, reboots: true, set: [][]string{{"systemctl", "reboot", "--force", "--force"}}}, lang.Text{}
	}
	return act{}, lang.T("no such fault is known", "没有这种故障")
}

const table = "goxin_drill"

// split drops what the two nodes say to each other, both ways, and nothing else.
func split(n node) (act, lang.Text) {
	switch {
	case n.nft:
		return act{
			set: [][]string{{"nft", strings.Join([]string{
				"add table inet " + table,
				"add chain inet " + table + " in_chain { type filter hook input priority -300; policy accept; }",
				"add chain inet " + table + " out_chain { type filter hook output priority -300; policy accept; }",
				"add rule inet " + table + " in_chain meta l4proto 112 drop",
				"add rule inet " + table + " out_chain meta l4proto 112 drop",
			}, "; ")}},
			back: [][]string{{"nft", "add table inet " + table + "; delete table inet " + table}},
		}, lang.Text{}
	case n.iptables:
		rule := func(verb, chain string) []string {
			return []string{"iptables", "-w", verb, chain, "-p", "112", "-m", "comment", "--comment", table, "-j", "DROP"}
		}
		return act{
			set:  [][]string{rule("-I", "INPUT"), rule("-I", "OUTPUT")},
			back: [][]string{unless(rule("-C", "INPUT"), rule("-D", "INPUT")), unless(rule("-C", "OUTPUT"), rule("-D", "OUTPUT"))},
		}, lang.Text{}
	}
	return act{}, lang.T("neither nft nor iptables is there", "没有 nft，也没有 iptables")
}

// cut takes the node off the segment as a switch does that has died: nothing passes, the
// carrier stays. Taking the interface down would lose routes that nobody puts back.
func cut(n node) (act, lang.Text) {
	if n.nft {
		chain := func(family, name, hook, way string) []string {
			return []string{
				fmt.Sprintf("add chain %s %s %s { type filter hook %s priority -300; policy accept; }", family, table, name, hook),
				fmt.Sprintf("add rule %s %s %s %s %s drop", family, table, name, way, n.iface),
			}
		}
		lines := []string{"add table inet " + table, "add table arp " + table}
		lines = append(lines, chain("inet", "in_chain", "prerouting", "iifname")...)
		lines = append(lines, chain("inet", "out_chain", "postrouting", "oifname")...)
		lines = append(lines, chain("arp", "in_chain", "input", "iifname")...)
		lines = append(lines, chain("arp", "out_chain", "output", "oifname")...)
		return act{
			away: true,
			set:  [][]string{{"nft", strings.Join(lines, "; ")}},
			back: [][]string{{"nft", "add table inet " + table + "; delete table inet " + table + "; add table arp " + table + "; delete table arp " + table}},
		}, lang.Text{}
	}
	if !n.iptables || !n.arptables {
		return act{}, lang.T("nft is not there, nor iptables with arptables", "没有 nft，也没有 iptables 加 arptables")
	}
	var a act
	a.away = true
	for _, r := range [][3]string{{"iptables", "INPUT", "-i"}, {"iptables", "OUTPUT", "-o"}, {"arptables", "INPUT", "-i"}, {"arptables", "OUTPUT", "-o"}} {
		rule := []string{r[1], r[2], n.iface, "-j", "DROP"}
		put, take := append([]string{r[0], "-I"}, rule...), append([]string{r[0], "-D"}, rule...)
		a.set, a.back = append(a.set, put), append(a.back, maybe(take))
	}
	return a, lang.Text{}
}

// mostMemory is how much of a machine's memory may be taken to fill a file system there.
const mostMemory = 256 << 20

// fill leaves nothing of the disk that nginx logs to.
func fill(n node) (act, lang.Text) {
	switch {
	case n.memory && n.free > mostMemory:
		return act{}, lang.F("%s is in memory, and filling it would take %d MiB of that", "%s 位于内存中，写满会占用 %d MiB 内存", logs, n.free>>20)
	case n.container != "" && !n.own:
		return act{}, lang.F("a container (%s) shares its disk with others", "容器（%s）与他人共用磁盘", n.container)
	}
	script := fmt.Sprintf(`exec 3<>%[1]s/.goxin-drill; rm -f %[1]s/.goxin-drill; o=0; n=%[2]d; while [ $n -ge 4096 ]; do if fallocate -o $o -l $n /proc/self/fd/3 2>/dev/null; then o=$((o+n)); else n=$((n/2)); fi; done; exec sleep %[3]d`,
		logs, max(n.free, 1<<20), int(deadMan.Seconds()))
	return act{
		set: [][]string{{
			"systemd-run", "--unit=" + fillUnit, "--collect", fmt.Sprintf("--property=RuntimeMaxSec=%d", int(deadMan.Seconds())), "/bin/sh", "-c", script,
		}},
		back:  [][]string{maybe([]string{"systemctl", "stop", fillUnit + ".service"})},
		fills: true,
	}, lang.Text{}
}

// handover moves the address as a person does who plans it: the node is told to give it up.
// The unit has all of what goes with that. Of a pair that has none, keepalived is stopped,
// which says goodbye but no more.
func handover(n node) act {
	if !n.unit {
		return act{set: [][]string{{"systemctl", "stop", "keepalived"}}, back: keepalivedBack}
	}
	return act{set: [][]string{{"systemctl", "stop", vrrp.Unit}}, back: [][]string{{"systemctl", "reset-failed", vrrp.Unit}}}
}

var keepalivedBack = [][]string{{"systemctl", "reset-failed", "keepalived"}, {"systemctl", "start", "keepalived"}}

// maybe runs a command whose failure means that there was nothing to do.
func maybe(argv []string) []string {
	return []string{"/bin/sh", "-c", shell(argv) + " 2>/dev/null || true"}
}

// unless takes a rule away if it is there.
func unless(check, take []string) []string {
	return []string{"/bin/sh", "-c", "if " + shell(check) + " 2>/dev/null; then " + shell(take) + "; fi"}
}

// script is commands one after the other, whatever comes of each.
func script(commands [][]string) string {
	var all []string
	for _, c := range commands {
		all = append(all, shell(c))
	}
	return strings.Join(all, "; ")
}

// shell is a command as a shell takes it.
func shell(argv []string) string {
	var b strings.Builder
	for i, a := range argv {
		if i > 0 {
			b.WriteByte(' ')
		}
		if plain.MatchString(a) {
			b.WriteString(a)
			continue
		}
		b.WriteString("'" + strings.ReplaceAll(a, "'", `'\''`) + "'")
	}
	return b.String()
}

var (
	plain = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)
	// names of units and of interfaces, as they may stand in nft's and systemd's own words
	safe = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@:-]{0,63}$`)
)
