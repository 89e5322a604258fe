package ha

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"goxin/steps/vrrp"
)

// words are what one node's keepalived.conf is made of.
type words struct {
	caps      vrrp.Caps
	vip       netip.Prefix
	iface     string
	own, peer netip.Addr
	priority  int
	vrid      int
	advert    time.Duration
	every     time.Duration // of the check
	port      int
	health    string
	exits     bool // the kernel tells of processes that end
}

// keepalivedText is keepalived.conf for that version. Both nodes begin as BACKUP and do
// not preempt: so the address moves once, when its owner is lost, and stays. What is
// checked has weight 0: a failure gives the address up at once, with a goodbye, instead
// of taking from a priority that nobody looks at (acassen/keepalived#2599). The check of
// the kernel and that of systemd know of an nginx that is gone within some milliseconds;
// the script finds one that hangs.
func keepalivedText(w words) string {
	var b strings.Builder
	line := func(indent int, format string, args ...any) {
		fmt.Fprintf(&b, strings.Repeat("    ", indent)+format+"\n", args...)
	}
	file := "track_file"
	if !w.caps.TrackFileSection {
		file = "vrrp_track_file" // its name up to 2.0.20
	}
	exits := w.exits && w.caps.TrackProcess

	line(0, "%s: both nodes of the pair have this file, with their own", mark)
	line(0, "# addresses and priority. `goxin check` tells what was changed.")
	line(0, "global_defs {")
	line(1, "enable_script_security")
	line(1, "script_user %s", scriptUser)
	line(1, "vrrp_priority -20")
	line(1, "vrrp_garp_master_refresh 30")
	line(1, "vrrp_higher_prio_send_advert")
	line(0, "}")
	line(0, "")
	line(0, "# Any of these that is not 0 keeps this node from owning the address.")
	for _, t := range []struct {
		name, path string
		first      int // what it holds until somebody writes to it
	}{{"nginx_is_up", vrrp.NginxFile, 1}, {"takes_part", vrrp.AwayFile, 0}} {
		line(0, "%s %s {", file, t.name)
		line(1, `file "%s"`, t.path)
		line(1, "weight 0")
		line(1, "init_file %d", t.first)
		line(0, "}")
	}
	if exits {
		line(0, "")
		line(0, "vrrp_track_process nginx_runs {")
		line(1, "process nginx")
		line(1, "quorum 1")
		line(0, "}")
	}
	line(0, "")
	line(0, "vrrp_script nginx_answers {")
	line(1, `script "%s %d %s %s"`, healthScript, w.port, w.health, seconds(w.every*4/5))
	line(1, "interval %d", int(w.every/time.Second))
	line(1, "timeout %d", int(w.every/time.Second))
	line(1, "fall %d", fall)
	line(1, "rise 2")
	line(1, "weight 0")
	line(1, "init_fail")
	line(0, "}")
	line(0, "")
	line(0, "vrrp_instance %s {", vrrp.Instance)
	line(1, "state BACKUP")
	line(1, "nopreempt")
	line(1, "interface %s", w.iface)
	line(1, "virtual_router_id %d", w.vrid)
	line(1, "priority %d", w.priority)
	line(1, "version 3")
	line(1, "advert_int %s", seconds(w.advert))
	line(1, "check_unicast_src")
	line(1, "unicast_src_ip %s", w.own)
	line(1, "unicast_peer {")
	if w.caps.MinTTL {
		line(2, "%s min_ttl 255", w.peer) // no router between, as multicast would see to
	} else {
		line(2, "%s", w.peer)
	}
	line(1, "}")
	line(1, "virtual_ipaddress {")
	line(2, "%s", w.vip)
	line(1, "}")
	line(1, "track_file {")
	line(2, "nginx_is_up")
	line(2, "takes_part")
	line(1, "}")
	if exits {
		line(1, "track_process {")
		line(2, "nginx_runs")
		line(1, "}")
	}
	line(1, "track_script {")
	line(2, "nginx_answers")
	line(1, "}")
	line(0, "}")
	return b.String()
}

// protocolText is the name that keepalived's addresses have in iproute2: the number is that
// of its routes. Where keepalived finds none it writes one itself when it starts, and no
// package ever takes that away.
const protocolText = mark + `: the name of what keepalived adds.
18	keepalived
`

// seconds writes a time as keepalived and bash read it: 0.2, 1.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
