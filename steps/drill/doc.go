// Package drill proves a pair by breaking it. It does one fault after the other to the
// node that owns the virtual address, while somebody else keeps asking that address, and
// holds what was lost against what the formulas of VRRP promise. It puts everything back.
//
// It refuses to begin on a pair that is not at rest: exactly one owner, all services up,
// every question answered. It refuses a fault that it could not take back without help:
// each is set by the node's own machine after that node's systemd has been given a timer
// that undoes it, whether goxin, its terminal or the network between are there or not. It
// fills no disk that a container shares with its host, and switches off no machine that
// it runs on itself.
package drill
