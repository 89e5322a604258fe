package ha

import (
	"strings"
	"testing"
)

// keepalived 2.3.3 of Debian 13 left this file behind, in a directory that nobody else
// could read.
func TestWhatKeepalivedWouldLeaveBehindIsWrittenForIt(t *testing.T) {
	for _, c := range []struct {
		name, version string
		somebodys     bool
		want          int // nodes that get it
	}{
		{"too old to name itself", "2.3.1", false, 0},
		{"one that does", "2.3.2", false, 2},
		{"its own file of before", "2.3.3", true, 0},
	} {
		w := newWorld()
		for _, n := range w.seen {
			n.Keepalived, n.Named = c.version, c.somebodys
		}
		plan := files(t, w)
		if got := strings.Count(plan, ": file "+protocolConf+"\n"); got != c.want {
			t.Errorf("%s: on %d nodes, want %d", c.name, got, c.want)
		}
		if c.want > 0 && strings.LastIndex(plan, ": unit keepalived.service") < strings.LastIndex(plan, protocolConf) {
			t.Errorf("%s: it comes after keepalived has started", c.name)
		}
	}
}
