package drill

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"goxin/steps/wire"
)

// Watch is who owns an address as the wire tells it, over time: for the metrics that
// node_exporter reads from a file, and for people. The zero Watch with VIP and Interface
// has heard nothing.
type Watch struct {
	VIP       netip.Addr
	Interface string

	owners  []string // MACs, "here" for this machine
	advert  *wire.Router
	heardAt time.Time
	now     time.Time
	foreign map[int]netip.Addr // VRID → who
}

// Here is what a Watch calls the machine it runs on.
const Here = "here"

// Hear takes what was heard until now. It says whether the owners are others than before.
func (w *Watch) Hear(h wire.Heard, now time.Time) (changed bool) {
	w.now = now
	before := w.owners
	w.owners = nil
	if f := h.Probed; f != nil {
		if f.Local {
			w.owners = append(w.owners, Here)
		}
		w.owners = append(w.owners, f.MACs...)
	}
	w.foreign = map[int]netip.Addr{}
	for _, r := range h.Routers {
		if !slices.Contains(r.Advert.Addresses, w.VIP) {
			w.foreign[r.Advert.VRID] = r.From
			continue
		}
		if at := now.Add(-r.Age); !at.Before(w.heardAt) {
			w.advert, w.heardAt = &r, at
		}
	}
	return !slices.Equal(before, w.owners)
}

// Owners are who answer for the address: MACs, and Here.
func (w *Watch) Owners() []string { return w.owners }

// Metrics are what node_exporter's textfile collector reads (the text format of
// Prometheus, version 0.0.4). What was never heard has no line.
func (w *Watch) Metrics() []byte {
	var b strings.Builder
	put := func(name, help, labels string, value float64) {
		if help != "" {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
		}
		fmt.Fprintf(&b, "%s{%s} %g\n", name, labels, value)
	}
	vip := fmt.Sprintf("vip=%q", w.VIP)
	put("goxin_vip_owners", "Nodes that answer ARP for the virtual address: 1 is right.", vip, float64(len(w.owners)))
	for i, o := range w.owners {
		help := ""
		if i == 0 {
			help = "Who answers, by hardware address."
		}
		put("goxin_vip_owner", help, fmt.Sprintf("%s,owner=%q", vip, o), 1)
	}
	if w.advert != nil {
		put("goxin_vip_advert_age_seconds", "Since the last VRRP advertisement for the address was heard.", vip, w.now.Sub(w.heardAt).Seconds())
		put("goxin_vip_advert_interval_seconds", "How often its owner says that it advertises.", vip, w.advert.Advert.Interval.Seconds())
		put("goxin_vip_vrid", "Its virtual router ID.", vip, float64(w.advert.Advert.VRID))
	}
	put("goxin_vrrp_foreign_routers", "Virtual routers of others on the segment.", fmt.Sprintf("interface=%q", w.Interface), float64(len(w.foreign)))
	first := true
	for id := range 256 {
		if from, is := w.foreign[id]; is {
			help := ""
			if first {
				help, first = "One of them: 2 says that it has the ID of ours.", false
			}
			value := 1.0
			if w.advert != nil && w.advert.Advert.VRID == id {
				value = 2
			}
			put("goxin_vrrp_foreign_router", help, fmt.Sprintf("interface=%q,vrid=\"%d\",from=%q", w.Interface, id, from), value)
		}
	}
	put("goxin_vip_watched_timestamp_seconds", "When this was seen.", vip, float64(w.now.UnixMilli())/1000)
	return []byte(b.String())
}
