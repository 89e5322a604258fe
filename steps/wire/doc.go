// Package wire is what goes over an Ethernet segment, as a machine on it sees it: who
// answers for an address, which VRRP routers advertise, whether IP protocol 112 passes,
// and how an address answers when it is asked a hundred times a second. It is the words
// of that and the asking: the sockets are in steps/wire/link, which goxin's own hidden
// command `goxin wire` opens on the machine in question.
//
// It refuses to judge: what is free, lost too often or owned twice is for the steps to
// say. It sends nothing that a neighbour would learn from: its ARP requests have no
// sender address, its test of protocol 112 is no VRRP advertisement.
package wire
