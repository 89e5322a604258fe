// Package peer is the step that names the other machine of a pair: how to get there, by
// which host key it is known, and as whom goxin may work there. It changes nothing itself;
// later steps have both machines in their hands.
//
// It refuses a host that nobody vouches for, one that is this very machine, and one whose
// clock is too far off for what both write to be compared.
package peer
