// Package ha is the step that makes a pair of two machines: one address, owned by one of
// them at a time, with nginx behind it. keepalived moves the address within a fraction of
// a second of nginx, keepalived or the node going away; what takes longer is predicted,
// and the drill measures it.
//
// It refuses to begin where two nodes do not see each other, their clocks are apart,
// somebody has the address or the VRID already, or a configuration written by hand would
// be overwritten unasked. It refuses weights, preemption and passwords: the first two
// keep an address from moving or move it twice, the third protects nothing.
package ha
