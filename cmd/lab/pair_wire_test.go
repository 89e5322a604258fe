//go:build e2e

package main

import "context"

// wire runs a script where the machines' bridge is: what they see of it is what
// happens to cables and switches.
func (p *Pair) wire(script string) string {
	p.t.Helper()
	out, err := run.lab.onBridge(p.group, script)
	ok(p.t, err)
	return out
}

// port is the bridge's end of a machine's cable.
func (p *Pair) port(b *Box) string {
	p.t.Helper()
	name, err := run.lab.bridgePort(context.Background(), p.group, b.Machine)
	ok(p.t, err)
	return name
}

// Unplug takes a machine's cable out: it sees its carrier go.
func (p *Pair) Unplug(b *Box) { p.t.Helper(); p.wire("ip link set " + p.port(b) + " down") }

// Cut takes a machine off the segment without its noticing: the carrier stays.
func (p *Pair) Cut(b *Box) { p.t.Helper(); p.wire("ip link set " + p.port(b) + " nomaster") }

// Plug undoes Unplug and Cut.
func (p *Pair) Plug(b *Box) {
	p.t.Helper()
	port := p.port(b)
	p.wire("ip link set " + port + " up; ip link set " + port + " master br0")
}

// Drop has the bridge drop what matches, as nft says it ("ip protocol 112",
// "ip saddr 10.77.0.1 ip protocol 112"), beside what it drops already.
func (p *Pair) Drop(match string) {
	p.t.Helper()
	p.wire(dropping(match))
}

// DropNothing undoes Drop.
func (p *Pair) DropNothing() {
	p.t.Helper()
	p.wire(dropNothing)
}
