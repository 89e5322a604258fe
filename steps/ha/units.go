package ha

import (
	"fmt"
	"net/netip"

	"goxin/steps/vrrp"
)

const (
	unitDir        = "/etc/systemd/system"
	nginxUnit      = "nginx.service"
	keepalivedUnit = "keepalived.service"
	dropIn         = "50-goxin-ha.conf"

	scriptDir    = "/usr/libexec/keepalived" // where SELinux's policy lets keepalived run scripts
	healthScript = scriptDir + "/goxin-health"
	vipScript    = scriptDir + "/goxin-vip"
	confScript   = scriptDir + "/goxin-conf"
	scriptUser   = "keepalived_script" // keepalived's own default; no package makes it
)

// nginxDropIn has systemd restart nginx, and tell keepalived what becomes of it. nginx
// ends by SIGQUIT, gracefully, without a program in between that takes its time to tell
// it so; what is left of a killed nginx goes with it, or its successor cannot listen.
const nginxDropIn = mark + `: keepalived learns of nginx from here.
[Unit]
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=1
KillMode=mixed
KillSignal=SIGQUIT
TimeoutStopSec=5
ExecStop=
ExecStartPost=` + vipScript + ` serves
ExecStopPost=` + vipScript + ` gone
`

// keepalivedDropIn has systemd restart keepalived, take away the address that a killed one
// left, and refuse a configuration that it would not run with, before the running one is
// told to read it.
func keepalivedDropIn(iface string, vip netip.Prefix) string {
	return fmt.Sprintf(mark+`: no address stays behind, no bad configuration is read.
[Unit]
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=1
KillMode=control-group
RuntimeDirectory=goxin-vip
RuntimeDirectoryPreserve=yes
ExecStartPre=%[1]s
ExecStartPre=%[2]s clean %[3]s %[4]s
ExecReload=
ExecReload=%[1]s
ExecReload=/bin/kill -HUP $MAINPID
ExecStopPost=%[2]s clean %[3]s %[4]s
`, confScript, vipScript, iface, vip)
}

// vipService stands for being willing to own the address. It is stopped before nginx and
// before keepalived are, so that whoever stops or restarts those hands the address over
// first, and a shutdown does. While it runs, the relay stands that takes the address from
// the other node without a break; a reload of nftables.service, which flushes all tables,
// has it put back.
func vipService(iface string, vip netip.Prefix) string {
	return fmt.Sprintf(mark+`: stopping this hands the address over and keeps it away.
[Unit]
Description=May own the address %[3]s of the pair
PartOf=%[4]s %[5]s
After=%[4]s %[5]s nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=%[1]s back %[6]s
ExecReload=%[1]s relay %[6]s
ExecStop=%[1]s away %[2]s %[3]s
ExecStopPost=%[1]s alone
TimeoutStopSec=15

[Install]
WantedBy=%[4]s %[5]s
`, vipScript, iface, vip.Addr(), nginxUnit, keepalivedUnit, relayConf)
}

func dropInOf(unit string) (dir, file string) {
	dir = unitDir + "/" + unit + ".d"
	return dir, dir + "/" + dropIn
}

const vipUnitFile = unitDir + "/" + vrrp.Unit
