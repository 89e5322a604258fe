//go:build e2e

package main

import "strings"

// firewalled is a machine with firewalld as its distribution brings it: it lets nothing in
// but SSH. What protocols are called it reads from /etc/protocols.
var firewalled = Spec{Packages: []string{"firewalld", "netbase"}}

// zones are all that firewalld lets through now.
func (b *Box) zones() string {
	b.t.Helper()
	return b.Sh("firewall-cmd --state; firewall-cmd --list-all-zones")
}

// letsThePairThrough fails unless firewalld lets clients reach nginx and the other node's
// VRRP pass, now and after it has read its files again.
func (b *Box) letsThePairThrough(peer string) {
	b.t.Helper()
	queries := []string{"--query-port=80/tcp", `--query-rich-rule=rule family="ipv4" source address="` + peer + `" protocol value="vrrp" accept`}
	ask := func(when string, args ...string) {
		b.t.Helper()
		for _, query := range queries {
			if r := b.Try(append(append([]string{"firewall-cmd"}, args...), query)...); strings.TrimSpace(r.Out) != "yes" {
				b.t.Errorf("%s: %v %s: %s%s", when, args, query, r.Out, r.Err)
			}
		}
	}
	ask("after it was opened")
	b.Do("firewall-cmd", "--reload")
	ask("after a reload")
	ask("after a reload", "--permanent")
}

// hasZones fails unless all is let through again that was and nothing else, as it stands
// and after firewalld has read its files again.
func (b *Box) hasZones(before string) {
	b.t.Helper()
	for _, when := range []string{"now", "after a reload"} {
		if diff := Tree(before + "\n").Diff(Tree(b.zones() + "\n")); len(diff) > 0 {
			b.t.Errorf("%s firewalld lets through:\n%s", when, strings.Join(diff, "\n"))
		}
		b.Do("firewall-cmd", "--reload")
	}
}
