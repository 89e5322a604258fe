// Package agent is how lab acts inside a machine without a network: a client
// on the host and a server in the machine that start programs (with or without
// a terminal), copy files and list trees over one byte stream, a virtio serial
// port or a Unix socket. It knows nothing of goxin and shares no code with it,
// so what it reports about a machine is evidence. It does no access control:
// whoever reaches the stream is root in the machine.
package agent

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// chunk is how much data one message carries at most, in bytes.
const chunk = 48 << 10

// message is one line of JSON in either direction. Lines rather than lengths,
// because a machine that is reset or restored in the middle of a message must
// not leave the stream out of step.
type message struct {
	Op       string   `json:"op"`
	ID       uint32   `json:"id,omitempty"`    // which process or transfer
	Nonce    string   `json:"nonce,omitempty"` // hello: which client this stream belongs to now
	Boot     string   `json:"boot,omitempty"`  // hello: the machine's boot id
	Now      int64    `json:"now,omitempty"`   // hello: nanoseconds since 1970; set the clock if not 0
	Argv     []string `json:"argv,omitempty"`
	Env      []string `json:"env,omitempty"`
	Dir      string   `json:"dir,omitempty"`
	Stdin    bool     `json:"stdin,omitempty"`
	TTY      bool     `json:"tty,omitempty"`
	Cols     int      `json:"cols,omitempty"`
	Rows     int      `json:"rows,omitempty"`
	Data     []byte   `json:"data,omitempty"`
	Path     string   `json:"path,omitempty"`
	Mode     uint32   `json:"mode,omitempty"`
	Paths    []string `json:"paths,omitempty"`
	Excludes []string `json:"excludes,omitempty"`
	Signal   int      `json:"signal,omitempty"`
	PID      int      `json:"pid,omitempty"`
	Code     int      `json:"code,omitempty"`
	Error    string   `json:"error,omitempty"`
}

const (
	opHello   = "hello"   // both ways
	opStart   = "start"   // to the machine: run Argv
	opPut     = "put"     // to the machine: make the file Path of the data that follows
	opGet     = "get"     // to the machine: send the file Path
	opTree    = "tree"    // to the machine: list Paths without Excludes
	opIn      = "in"      // to the machine: data for ID; none means end of input
	opResize  = "resize"  // to the machine
	opSignal  = "signal"  // to the machine: signal the process group of ID
	opHangUp  = "hangup"  // to the machine: the terminal of ID is gone
	opStarted = "started" // from the machine
	opOut     = "out"     // from the machine
	opErr     = "err"     // from the machine
	opExit    = "exit"    // from the machine: the last of ID
)

// stream writes and reads messages. Writing is safe for concurrent use.
type stream struct {
	mu sync.Mutex
	w  io.Writer
	r  *bufio.Reader
}

func newStream(rw io.ReadWriter) *stream {
	return &stream{w: rw, r: bufio.NewReaderSize(rw, 2*chunk)}
}

func (s *stream) send(m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("cannot encode %s: %w", m.Op, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Op == opHello {
		// Ends whatever half line the stream's previous user left.
		line = append([]byte{'\n'}, line...)
	}
	_, err = s.w.Write(append(line, '\n'))
	return err
}

// receive returns the next message, skipping what is none.
func (s *stream) receive() (message, error) {
	for {
		line, err := s.r.ReadBytes('\n')
		if err != nil {
			return message{}, err
		}
		if m, ok := decode(line); ok {
			return m, nil
		}
	}
}

func decode(line []byte) (message, bool) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil || m.Op == "" {
		return message{}, false
	}
	return m, true
}

// copyOut sends what r gives as messages of kind op until r ends.
func (s *stream) copyOut(op string, id uint32, r io.Reader) error {
	buf := make([]byte, chunk)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if err := s.send(message{Op: op, ID: id, Data: buf[:n]}); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}
