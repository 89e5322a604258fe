// Package vrrp is what goxin knows of VRRP as keepalived speaks it: how long a failover
// takes, what an advertisement looks like on the wire, which words keepalived's
// configuration may have by version, and what two nodes' configurations must agree on. It
// is arithmetic and parsing.
//
// It refuses to touch a network or a machine, to speak VRRP as a router, and to know
// anything of nginx beyond that it may stop, hang or be killed.
package vrrp
