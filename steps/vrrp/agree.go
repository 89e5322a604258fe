package vrrp

import (
	"fmt"
	"slices"
	"strings"

	"goxin/assets/lang"
)

// Finding is something two nodes do not agree on, or that keeps one of them from doing its part.
type Finding struct {
	// Broken says that no failover, or two owners, will come of it; otherwise it is a trap.
	Broken bool
	Text   lang.Text
}

// Agree compares what the two nodes of a pair are told: keepalived -t sees one of them
// only.
func Agree(a, b Conf) []Finding {
	var out []Finding
	broken := func(en, zh string, args ...any) { out = append(out, Finding{true, lang.F(en, zh, args...)}) }
	trap := func(en, zh string, args ...any) { out = append(out, Finding{false, lang.F(en, zh, args...)}) }

	for _, x := range a.Instances {
		i := slices.IndexFunc(b.Instances, func(y VirtualRouter) bool { return y.Name == x.Name })
		if i < 0 {
			broken("only one node has the instance %s", "实例 %s 只在一个节点上", x.Name)
			continue
		}
		y := b.Instances[i]
		for _, d := range []struct {
			what string
			a, b any
		}{
			{"virtual_router_id", x.VRID, y.VRID},
			{"version", x.Version, y.Version},
			{"advert_int", x.Advert, y.Advert},
			{"virtual_ipaddress", strings.Join(x.Addresses, " "), strings.Join(y.Addresses, " ")},
			{"authentication", x.Auth != "", y.Auth != ""},
			{"auth_pass", x.Auth, y.Auth},
			{"unicast", len(x.Peers) > 0, len(y.Peers) > 0},
		} {
			if d.a == d.b {
				continue
			}
			if d.what == "auth_pass" { // not for anybody's eyes
				broken("instance %s: the nodes' passwords differ", "实例 %s：两个节点的口令不同", x.Name)
				continue
			}
			broken("instance %s: %s is %v on one node and %v on the other", "实例 %s：%s 在一个节点上为 %v，在另一个节点上为 %v", x.Name, d.what, d.a, d.b)
		}
		if x.Priority == y.Priority {
			broken("instance %s: both nodes have priority %d", "实例 %s：两个节点的优先级同为 %d", x.Name, x.Priority)
		}
		if !slices.Equal(x.Tracks, y.Tracks) {
			trap("instance %s: the nodes do not track the same: %s, and %s", "实例 %s：两个节点的检查项不同：%s；%s", x.Name, words(x.Tracks), words(y.Tracks))
		}
		if len(x.Peers) > 0 && len(y.Peers) > 0 && (!mirrored(x, y) || !mirrored(y, x)) {
			broken("instance %s: each node's unicast_peer has to be the other's unicast_src_ip", "实例 %s：各节点的 unicast_peer 必须是对方的 unicast_src_ip", x.Name)
		}
	}
	for _, y := range b.Instances {
		if !slices.ContainsFunc(a.Instances, func(x VirtualRouter) bool { return y.Name == x.Name }) {
			broken("only one node has the instance %s", "实例 %s 只在一个节点上", y.Name)
		}
	}
	for _, f := range append(Traps(a), Traps(b)...) {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func mirrored(x, y VirtualRouter) bool {
	return !x.Source.IsValid() || slices.Contains(y.Peers, x.Source)
}

func words(s []string) string {
	if len(s) == 0 {
		return "-"
	}
	return strings.Join(s, " ")
}

// Traps are what is known to go wrong in one node's configuration, whatever the other has.
func Traps(c Conf) []Finding {
	var out []Finding
	say := func(broken bool, en, zh string, args ...any) {
		out = append(out, Finding{broken, lang.F(en, zh, args...)})
	}
	for _, i := range c.Instances {
		if i.NoPreempt && len(i.Weighted) > 0 {
			// acassen/keepalived#2599, #2483
			say(true, "instance %s: %s takes from the priority, and with nopreempt the other node never looks at it: the address will not move", "实例 %s：%s 只降低优先级，而在 nopreempt 下对方不会理会优先级：地址不会漂移", i.Name, words(i.Weighted))
		}
		if i.NoPreempt && i.State == "MASTER" {
			say(false, "instance %s: keepalived drops nopreempt where the state is MASTER", "实例 %s：state 为 MASTER 时 keepalived 会忽略 nopreempt", i.Name)
		}
		if c.Strict && (len(i.Peers) > 0 || i.Auth != "") {
			say(true, "instance %s: vrrp_strict forbids unicast peers and passwords", "实例 %s：vrrp_strict 不允许单播对端和口令", i.Name)
		}
		if i.Auth != "" {
			say(false, "instance %s: the password goes over the wire in clear text, cut to 8 characters; it protects nothing", "实例 %s：口令以明文传输，且只取前 8 个字符，起不到保护作用", i.Name)
		}
		if i.Version == 2 && i.Advert%1e9 != 0 {
			say(true, "instance %s: VRRP version 2 counts whole seconds; advert_int is %s", "实例 %s：VRRP 第 2 版只支持整秒，而 advert_int 为 %s", i.Name, fmt.Sprint(i.Advert))
		}
		if len(i.Tracks) == 0 {
			say(false, "instance %s: nothing is checked, so only the loss of the whole node moves the address", "实例 %s：没有任何检查，只有整机失效时地址才会漂移", i.Name)
		}
	}
	return out
}
