// Package link opens the sockets that look at an Ethernet segment of this machine: packet
// sockets for ARP and VRRP, raw ones for IP protocol 112, and an asker that puts the same
// question to an address many times a second. `goxin wire` is its only user; everything
// else reads what that prints (steps/wire).
//
// All of it takes root (CAP_NET_RAW), and IPv4. It changes nothing on the machine and
// answers nobody.
package link
