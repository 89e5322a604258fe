// Mirrorsd is all the package mirrors of a test's network in one program: an
// address each, good ones and hostile ones. It runs in a machine of the lab and
// serves nothing else; how fast an address is is the machine's queueing
// discipline's business.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(log.Lmicroseconds)
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var legs []leg
	if err := json.Unmarshal(data, &legs); err != nil {
		log.Fatal(err)
	}
	for _, l := range legs {
		h, err := l.handler()
		if err != nil {
			log.Fatal(err)
		}
		listener, err := l.listen()
		if err != nil {
			log.Fatal(err)
		}
		s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
		go func() { log.Fatal(s.Serve(listener)) }()
	}
	if err := ready(); err != nil {
		log.Fatal(err)
	}
	select {}
}

// listen listens on the leg's address, and answers through its device alone: by
// the routing table all answers would go through the first one.
func (l leg) listen() (net.Listener, error) {
	c := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) { failed = syscall.BindToDevice(int(fd), l.Device) })
		if err != nil {
			return err
		}
		return failed
	}}
	listener, err := c.Listen(context.Background(), "tcp4", l.Address+":80")
	if err != nil {
		return nil, fmt.Errorf("cannot serve %s: %w", l.Name, err)
	}
	return listener, nil
}

// ready tells systemd that all addresses answer, sd_notify(3).
func ready() error {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte("READY=1"))
	return err
}
