package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Addresses of a pair: those of the machines, and one that is free.
const (
	firstAddress  = "10.77.0.1"
	secondAddress = "10.77.0.2"
	clientAddress = "10.77.0.3"
	pairVIP       = "10.77.0.100"
)

// archiveAddress is the client's address as the archive of a machine's release.
func archiveAddress(machine int) string { return fmt.Sprintf("10.77.0.%d", 11+machine) }

// pairKey is the key that the first machine and the client have root's door on the
// second one opened with.
const pairKey = "/root/.ssh/id_ed25519"

// addressUnit gives a machine its address whenever it boots.
func addressUnit(address string) string {
	return `[Unit]
Description=Address of the lab
DefaultDependencies=no
Before=network.target shutdown.target
Conflicts=shutdown.target
Wants=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip link set host0 up
ExecStart=/usr/sbin/ip address replace ` + address + `/24 dev host0

[Install]
WantedBy=multi-user.target
`
}

// pairNames are the machines' names, as /etc/hosts has them.
const pairNames = "127.0.0.1 localhost\n" + firstAddress + " a1\n" + secondAddress + " a2\n" + clientAddress + " client\n"

// packagesFrom has apt know one archive, and what is in it.
func packagesFrom(address string) string {
	return `. /etc/os-release
echo "deb [signed-by=/etc/apt/keyrings/lab.asc] http://deb.debian.org/debian $VERSION_CODENAME main" >/etc/apt/sources.list
echo "` + address + ` deb.debian.org" >>/etc/hosts
rm -rf /var/lib/apt/lists/*
apt-get update -qq`
}

// ownHostKey gives a machine a host key of its own, and no other.
const ownHostKey = `rm -f /etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
systemctl restart ssh`

// onBridge runs a script where the bridge of a group's machines is: what they see of
// it is what happens to cables and switches.
func (l *Lab) onBridge(group, script string) (string, error) {
	pid := l.groupMember(group)
	if pid == 0 {
		return "", fmt.Errorf("no machine of the group %s runs", group)
	}
	out, err := exec.Command("nsenter", "--net=/proc/"+strconv.Itoa(pid)+"/ns/net", "--", "sh", "-ec", script).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// bridgePort is the bridge's end of a machine's cable.
func (l *Lab) bridgePort(ctx context.Context, group string, m Machine) (string, error) {
	index, err := m.ReadFile(ctx, "/sys/class/net/host0/iflink")
	if err != nil {
		return "", err
	}
	links, err := l.onBridge(group, "ip -o link")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(links) {
		if f := strings.Fields(line); f[0] == strings.TrimSpace(string(index))+":" {
			name, _, _ := strings.Cut(strings.TrimSuffix(f[1], ":"), "@")
			return name, nil
		}
	}
	return "", fmt.Errorf("%s has no cable", m.Name())
}

// dropping has the bridge drop what matches, as nft says it ("ip protocol 112"),
// beside what it drops already; dropNothing undoes it.
func dropping(match string) string {
	return `nft add table bridge lab
nft 'add chain bridge lab forward { type filter hook forward priority 0; }'
nft 'add rule bridge lab forward ` + match + ` drop'`
}

const dropNothing = "nft add table bridge lab; nft delete table bridge lab"
