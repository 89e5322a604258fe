package vrrp

// The names by which the parts of goxin that make a pair, try it and watch it know each
// other's work on a node.
const (
	// Unit stands for being willing to own the address: stopping it hands the address
	// over and keeps the node away from it; starting it lets the node take it again.
	Unit = "goxin-vip.service"
	// StateDir holds the files keepalived watches, of which any that is not 0 keeps the
	// node from owning the address.
	StateDir  = "/run/goxin-vip"
	NginxFile = StateDir + "/nginx" // 1 while systemd knows that nginx is down
	AwayFile  = StateDir + "/away"  // 1 while Unit is stopped
	// Instance is the vrrp_instance of keepalived.conf.
	Instance = "goxin"
	// HandOverKeeps is for how long, in seconds, the node that hands over goes on
	// answering what is still sent to it.
	HandOverKeeps = 1
)
