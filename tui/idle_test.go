package tui

import (
	"context"
	"crypto/x509"
	"io"
	"io/fs"
	"net"
	"sync/atomic"
	"testing"

	"goxin/detect/machine"
)

// watched is a machine that tells of each time something is asked of it.
type watched struct {
	machine.Machine
	asked func(what, name string)
}

func (w watched) HostPath(name string) string { return w.Machine.(machine.Rooted).HostPath(name) }

func (w watched) RootCAs() *x509.CertPool {
	return w.Machine.(interface{ RootCAs() *x509.CertPool }).RootCAs()
}

func (w watched) Stat(name string) (machine.Info, error) {
	w.asked("stat", name)
	return w.Machine.Stat(name)
}

func (w watched) Lstat(name string) (machine.Info, error) {
	w.asked("lstat", name)
	return w.Machine.Lstat(name)
}

func (w watched) ReadDir(name string) ([]string, error) {
	w.asked("readdir", name)
	return w.Machine.ReadDir(name)
}

func (w watched) Open(name string) (io.ReadCloser, error) {
	w.asked("open", name)
	return w.Machine.Open(name)
}

func (w watched) ReadFile(name string) ([]byte, error) {
	w.asked("read", name)
	return w.Machine.ReadFile(name)
}

func (w watched) WriteFile(name string, data []byte, mode fs.FileMode, o machine.Owner) error {
	w.asked("write", name)
	return w.Machine.WriteFile(name, data, mode, o)
}

func (w watched) Append(name string, data []byte, mode fs.FileMode) error {
	w.asked("append", name)
	return w.Machine.Append(name, data, mode)
}

func (w watched) Lock(name string, note []byte) (func() error, error) {
	w.asked("lock", name)
	return w.Machine.Lock(name, note)
}

func (w watched) Run(ctx context.Context, c machine.Command, out func(string)) error {
	w.asked("run", c.Argv[0])
	return w.Machine.Run(ctx, c, out)
}

func (w watched) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.asked("dial", address)
	return w.Machine.Dial(ctx, network, address)
}

// A machine may take seconds to answer; a key may not. So nothing that a key does, and
// nothing that is drawn, may ask the machine: only what goes on beside the screen does.
func TestNoKeyWaitsForTheMachine(t *testing.T) {
	var d *driver
	var asked atomic.Int64 // programs run beside one another
	here := "machine"
	demonstrated(t, shown[0], func(at *driver, page string) {
		d, here = at, page
		d.inside = true
		d.app.View()
		d.app.page.Keys()
		d.inside = false
	}, func(m machine.Machine) machine.Machine {
		return watched{m, func(what, name string) {
			asked.Add(1)
			if d != nil && d.inside {
				t.Errorf("after %s: %s %s while a key was dealt with", here, what, name)
			}
		}}
	})
	if n := asked.Load(); n < 1000 {
		t.Errorf("the machine was asked %d times in a whole session: it is not the one that is watched", n)
	}
}
