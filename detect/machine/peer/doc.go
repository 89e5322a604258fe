// Package peer is a machine.Machine that is another host: calls go over SSH to an agent
// there, goxin's own program, which does them on its machine.Local. The line may be cut
// at any byte: both ends keep what the other has not acknowledged and send it again, so
// that a call is done once and answered once, and programs run on meanwhile.
//
// Three layers, each knowing nothing of the next: a link is a connection that outlives
// the lines (SSH sessions) that carry it; HTTP/2 on the link has calls side by side, with
// flow control and cancellation; a call is frames in both directions.
//
// It refuses to speak to a host whose key nobody vouches for, to put a password where
// another user of either host could read it, to run as somebody else than root, and to
// pretend after the agent was lost: what was in the works then fails, by name.
package peer
