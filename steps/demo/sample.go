package demo

import (
	"maps"
	"slices"

	"goxin/steps/engine"
)

// A service to set up is on the machine: its module, and the program as somebody has
// built it.
const (
	sampleModule  = "/root/hello"
	sampleProgram = sampleModule + "/hello"
)

const sampleMod = "module hello\n\ngo 1.21\n"

const sampleSource = `// hello answers on port 8080, and tells systemd when it does.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	l, err := net.Listen("tcp", ":8080")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET")); err == nil {
		fmt.Fprint(c, "READY=1")
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	_ = http.Serve(l, nil)
}
`

// sample puts it there.
func (s *sim) sample() error {
	arch := s.facts.Arch.GOARCH.Value
	for name, text := range map[string]string{sampleModule + "/go.mod": sampleMod, sampleModule + "/main.go": sampleSource} {
		if err := s.write(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return s.write(sampleProgram, stub{Version: "go1.21.13", Source: sampleSource, Arch: arch}.encode(arch), 0o755)
}

// Answers are what there is in the demo to answer with: where the second machine is, a
// program to make a service of, and an address that is free.
func (d *Demo) Answers() engine.Answers {
	service := engine.Values{"name": "hello", "module": sampleModule, "health": "/"}
	if d.sim.facts.Kernel.World.Value == "old" { // for which there is no Go to build it with
		service = engine.Values{"name": "hello", "binary": sampleProgram, "health": "/"}
	}
	return engine.Answers{
		"peer":    {"address": secondAddress.String()},
		"service": service,
		"ha":      {"vip": sharedAddress.String()},
	}
}

// Purposes are those of all, with what there is in the demo to answer their steps with.
func (d *Demo) Purposes(all []engine.Purpose) []engine.Purpose {
	out := slices.Clone(all)
	for i := range out {
		p := &out[i]
		if p.Answers = maps.Clone(p.Answers); p.Answers == nil {
			p.Answers = engine.Answers{}
		}
		for id, v := range d.Answers() {
			if slices.Contains(p.Steps, id) {
				p.Answers[id] = v
			}
		}
	}
	return out
}
