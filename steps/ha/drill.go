package ha

import (
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/vrrp"
)

// Drill is the drill of a pair that a run made, by its answers and what it had looked up.
// It names no faults: those are whoever's who asks for it. Facts may be missing: a machine
// without them is taken for a virtual one.
func Drill(hs engine.Hosts, sv engine.Survey, v engine.Values) (drill.Config, error) {
	facts := map[machine.ID]*detect.Facts{}
	for _, id := range hs.Order {
		facts[id] = new(detect.Facts)
		if f := hs.Facts[id]; f != nil {
			facts[id] = f
		}
	}
	hs.Facts = facts
	p, err := newPair(hs, sv, v)
	if err == nil && len(hs.Order) != 2 {
		err = lang.Because(nil, "it takes two machines", "需要两台机器")
	}
	if err != nil {
		return drill.Config{}, err
	}
	return p.config(nil), nil
}

// config is what the drill has to know of the pair.
func (p *pair) config(faults []vrrp.Fault) drill.Config {
	c := drill.Config{
		Home: p.hosts.Order[0], Nodes: [2]machine.ID(p.hosts.Order[:2]), VIP: p.a.VIP,
		Names: map[machine.ID]string{}, Interface: map[machine.ID]string{},
		Port: p.a.Port, Path: p.a.Health, Timing: p.a.timing(virtual(p.hosts)), Faults: faults, Service: nginxUnit,
	}
	for _, id := range c.Nodes {
		c.Interface[id] = p.seen[id].Interface
		if f := p.hosts.Facts[id]; f.Hostname.Known {
			c.Names[id] = f.Hostname.Value
		}
	}
	if c.Names[c.Nodes[0]] == c.Names[c.Nodes[1]] {
		c.Names = nil // both are still called localhost
	}
	return c
}
