package peer

import (
	"io"
	"time"
)

// protocol is the version that both ends must speak.
const protocol = 1

// patientHello is how long a handshake may take.
const patientHello = 20 * time.Second

// owner is the process that calls: of the clients that an agent still keeps and that have
// no line, those whose process has died may be ended.
type owner struct {
	Home  string `json:"home"`  // a digest of the host's name and machine-id
	Boot  string `json:"boot"`  // that host's boot
	PID   int    `json:"pid"`   // there
	Start string `json:"start"` // when that process started, in ticks since the boot: proc(5)
}

// hello is what a client begins a line with.
type hello struct {
	Protocol int    `json:"protocol"`
	Client   string `json:"client"` // a name of its own, made up
	Owner    owner  `json:"owner"`
	Resume   bool   `json:"resume"` // only if the client is known
	Got      uint64 `json:"got"`
}

// welcome is what the agent answers.
type welcome struct {
	Protocol int              `json:"protocol"`
	Boot     string           `json:"boot"` // of the agent's host
	Known    bool             `json:"known"`
	Got      uint64           `json:"got"`
	Now      time.Time        `json:"now"`
	Idle     map[string]owner `json:"idle,omitempty"` // clients without a line, but for this one
}

// proceed ends the handshake.
type proceed struct {
	End []string `json:"end,omitempty"` // clients that nobody is behind any more
}

// within closes conn if f takes longer than d.
func within(d time.Duration, conn io.Closer, f func() error) error {
	t := time.AfterFunc(d, func() { _ = conn.Close() })
	defer t.Stop()
	return f()
}
