// Agentd is the agent's program inside a machine: it serves the Unix socket of
// a container or the virtio serial ports of a virtual machine.
package main

import (
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"goxin/cmd/lab/agent"
)

// directory is where a container's agent listens; the host has bound it there
// and reaches the socket through it.
const directory = "/run/goxin-lab"

func main() {
	log.SetFlags(0)
	if _, err := os.Stat(directory); err == nil {
		log.Fatal(serveSocket(directory + "/agent.sock"))
	}
	// The driver is a module: the ports come when udev has loaded it.
	served := map[string]bool{}
	for {
		for _, device := range ports() {
			if !served[device] {
				served[device] = true
				go servePort(device)
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// ports are the devices of lab's virtio serial ports, by the names QEMU gave
// them: udev's links may not be there yet.
func ports() []string {
	names, _ := filepath.Glob("/sys/class/virtio-ports/*/name")
	var devices []string
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err == nil && strings.HasPrefix(string(b), "goxin-lab.") {
			devices = append(devices, "/dev/"+filepath.Base(filepath.Dir(name)))
		}
	}
	return devices
}

// servePort serves a port for good. It reads as ended while nobody is at its
// far end; closing it then would lose what the next client says first.
func servePort(device string) {
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		log.Fatal(err)
	}
	for {
		_ = agent.Serve(f)
		time.Sleep(50 * time.Millisecond)
	}
}

func serveSocket(name string) error {
	_ = os.Remove(name)
	l, err := net.Listen("unix", name)
	if err != nil {
		return err
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			_ = agent.Serve(conn)
			_ = conn.Close()
		}()
	}
}
