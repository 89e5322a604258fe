package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// benchPair is two machines that become a pair in one way after the other, and a client.
type benchPair struct {
	lab     *Lab
	group   string
	nodes   [2]Machine
	client  Machine
	ports   [2]string // the bridge's ends of their cables
	hostKey [2]string // of the second machine and of the client
}

// newBenchPair makes the machines. They get packages from the client, goxin is on the
// first one and on the client, and the service behind nginx lies in /root/web of both.
func newBenchPair(ctx context.Context, l *Lab) (b *benchPair, err error) {
	dir, err := os.MkdirTemp("", "goxin-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir+"/goxin", "./cmd/goxin")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	archive, err := l.Repository(ctx)
	if err != nil {
		return nil, err
	}
	mirrors, err := l.program(ctx, "mirrorsd")
	if err != nil {
		return nil, err
	}
	web, err := l.program(ctx, "web")
	if err != nil {
		return nil, err
	}
	b = &benchPair{lab: l, group: fmt.Sprintf("bench-%d", os.Getpid())}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.down(context.WithoutCancel(ctx)))
		}
	}()
	for _, m := range []struct {
		is      *Machine
		name    string
		address string
		spec    Spec
	}{
		{&b.client, "client", clientAddress, Spec{Uses: []string{archive, mirrors}, Binds: []string{archive + ":/srv/archive", mirrors + ":/srv/mirrorsd"}}},
		{&b.nodes[0], "a1", firstAddress, Spec{Packages: []string{"psmisc"}}}, // killall, for the usual recipe's check
		{&b.nodes[1], "a2", secondAddress, Spec{Packages: []string{"psmisc"}}},
	} {
		m.spec.Name, m.spec.Group = b.group+"-"+m.name, b.group
		if *m.is, err = l.Start(ctx, m.spec); err != nil {
			return b, err
		}
		if err = b.files(ctx, *m.is, map[string]string{"/etc/systemd/system/lab-address.service": addressUnit(m.address), "/etc/hosts": pairNames}); err != nil {
			return b, err
		}
		if _, err = b.sh(ctx, *m.is, "systemctl -q enable --now lab-address\n"+ownHostKey); err != nil {
			return b, err
		}
	}
	if err = b.serve(ctx); err != nil {
		return b, err
	}
	key, err := os.ReadFile(filepath.Join(archive, "lab.asc"))
	if err != nil {
		return b, err
	}
	for i, m := range b.nodes {
		if b.ports[i], err = l.bridgePort(ctx, b.group, m); err != nil {
			return b, err
		}
		if _, err = b.sh(ctx, m, "mkdir -p /etc/apt/keyrings"); err != nil {
			return b, err
		}
		if err = b.files(ctx, m, map[string]string{"/etc/apt/keyrings/lab.asc": string(key), "/etc/dpkg/dpkg.cfg.d/lab": "force-unsafe-io\n"}); err != nil {
			return b, err
		}
		// The drill cuts links by nft, and a handover is relayed by it.
		if _, err = b.sh(ctx, m, packagesFrom(archiveAddress(0))+"\nDEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends nftables"); err != nil {
			return b, err
		}
		if err = m.Put(ctx, web, "/root/web", 0o755); err != nil {
			return b, err
		}
	}
	for _, m := range []Machine{b.client, b.nodes[0]} {
		if err = m.Put(ctx, dir+"/goxin", program, 0o755); err != nil {
			return b, err
		}
	}
	return b, b.openDoors(ctx)
}

// serve has the client be the archive.
func (b *benchPair) serve(ctx context.Context) error {
	at := archiveAddress(0)
	legs := fmt.Sprintf(`[{"name": "archive", "address": %q, "device": "host0", "root": "/srv/archive/%s"}]`, at, Good)
	if err := b.files(ctx, b.client, map[string]string{"/run/legs.json": legs}); err != nil {
		return err
	}
	_, err := b.sh(ctx, b.client, "mkdir -p /run/mirrorsd; ip address add "+at+"/24 dev host0\n"+
		"systemd-run --quiet --unit=mirrorsd --property=Type=notify --property=NotifyAccess=all /srv/mirrorsd /run/legs.json")
	return err
}

// openDoors lets root of the first machine in at the second one and at the client.
func (b *benchPair) openDoors(ctx context.Context) error {
	public, err := b.sh(ctx, b.nodes[0], "mkdir -pm 700 /root/.ssh; ssh-keygen -q -t ed25519 -N '' -C lab -f "+pairKey+"; cat "+pairKey+".pub")
	if err != nil {
		return err
	}
	for i, m := range []Machine{b.nodes[1], b.client} {
		key, err := b.sh(ctx, m, "mkdir -pm 700 /root/.ssh; echo '"+public+"' >/root/.ssh/authorized_keys; ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
		if err != nil {
			return err
		}
		b.hostKey[i] = strings.Fields(key)[1]
	}
	return nil
}

// down removes the machines there are.
func (b *benchPair) down(ctx context.Context) error {
	var failed error
	for _, m := range []Machine{b.client, b.nodes[0], b.nodes[1]} {
		if m != nil {
			failed = errors.Join(failed, m.Down(ctx))
		}
	}
	return failed
}

// sh runs a script that must succeed and gives its output without the spaces around it.
func (b *benchPair) sh(ctx context.Context, m Machine, script string) (string, error) {
	r, err := m.Exec(ctx, "sh", "-ec", script)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("%s: %s: exit code %d\n%s%s", m.Name(), script, r.Code, r.Out, r.Err)
	}
	return strings.TrimSpace(r.Out), err
}

func (b *benchPair) both(ctx context.Context, script string) error {
	for _, m := range b.nodes {
		if _, err := b.sh(ctx, m, script); err != nil {
			return err
		}
	}
	return nil
}

func (b *benchPair) files(ctx context.Context, m Machine, files map[string]string) error {
	for name, text := range files {
		if err := m.WriteFile(ctx, name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// owners are the nodes that have the virtual address, by number.
func (b *benchPair) owners(ctx context.Context) ([]int, error) {
	var all []int
	for i, m := range b.nodes {
		out, err := b.sh(ctx, m, "ip -4 -o address show dev host0")
		if err != nil {
			return nil, err
		}
		if slices.Contains(strings.FieldsFunc(out, func(r rune) bool { return r == ' ' || r == '/' }), pairVIP) {
			all = append(all, i)
		}
	}
	return all, nil
}

// atRest says whether one alone has it, the other is ready to, and all that is to run
// runs. A node whose nginx has just come back is not ready while its check is to succeed
// again: what then befalls the owner finds nobody to take over.
func (b *benchPair) atRest(ctx context.Context) (bool, error) {
	all, err := b.owners(ctx)
	if err != nil || len(all) != 1 {
		return false, err
	}
	if out, err := b.sh(ctx, b.nodes[1-all[0]], "journalctl -q -o cat -u keepalived -n 1 -g 'Entering .* STATE'"); err != nil || !strings.Contains(out, "BACKUP") {
		return false, err
	}
	return b.both(ctx, "systemctl -q is-active nginx keepalived") == nil, ctx.Err()
}

// has says whether a node has the address.
func (b *benchPair) has(ctx context.Context, node int) func() (bool, error) {
	return func() (bool, error) {
		all, err := b.owners(ctx)
		return slices.Contains(all, node), err
	}
}

// cut takes a node off the segment without its noticing; plug puts it back.
func (b *benchPair) cut(node int) error {
	_, err := b.lab.onBridge(b.group, "ip link set "+b.ports[node]+" nomaster")
	return err
}

func (b *benchPair) plug(node int) error {
	_, err := b.lab.onBridge(b.group, "ip link set "+b.ports[node]+" master br0")
	return err
}
