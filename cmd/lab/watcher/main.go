// Watcher asks an address over and over, as a client that keeps nothing between
// two requests, and meanwhile asks the segment who has the address. It stops when
// its input ends, and then prints what it saw. It runs in a machine of the lab and
// shares no code with what it judges.
//
//	watcher DEVICE ADDRESS PORT PATH EVERY
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"
)

// inTime is when a request is lost that has no complete answer, from its first SYN.
const inTime = 250 * time.Millisecond

func main() {
	if len(os.Args) != 6 {
		log.Fatal("watcher DEVICE ADDRESS PORT PATH EVERY")
	}
	every, err := time.ParseDuration(os.Args[5])
	if err != nil {
		log.Fatal(err)
	}
	address, err := netip.ParseAddr(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	owners, err := listen(os.Args[1], address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("watching")
	seen := watch(net.JoinHostPort(os.Args[2], os.Args[3]), os.Args[4], every, ended, owners)
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		log.Fatal(err)
	}
}

// Seen is what the watcher prints.
type Seen struct {
	Asked  int            `json:"asked"`
	Lost   int            `json:"lost"`
	Gap    time.Duration  `json:"gap"`    // longest time between two answered requests with lost ones between them
	Misses []string       `json:"misses"` // when lost requests began, and why they were; the first hundred
	Nodes  map[string]int `json:"nodes"`  // answers by the name that the node gives itself
	Owners map[string]int `json:"owners"` // ARP answers by hardware address
	Both   int            `json:"both"`   // how often more than one answered
}

type request struct {
	at   time.Duration
	node string
	err  error
}

func watch(address, path string, every time.Duration, ended <-chan struct{}, o *owners) Seen {
	var all []*request
	var open sync.WaitGroup
	tick := time.NewTicker(every)
	defer tick.Stop()
	for begin := time.Now(); ; {
		r := &request{at: time.Since(begin)}
		all = append(all, r)
		open.Go(func() { r.node, r.err = ask(address, path) })
		o.ask(time.Now())
		select {
		case <-ended:
			open.Wait()
			s := sum(all)
			s.Owners, s.Both = o.counts()
			return s
		case <-tick.C:
		}
	}
}

func sum(all []*request) Seen {
	s := Seen{Asked: len(all), Nodes: map[string]int{}}
	last, lost := time.Duration(0), false
	for _, r := range all {
		if r.err != nil {
			s.Lost++
			lost = true
			if len(s.Misses) < 100 {
				s.Misses = append(s.Misses, fmt.Sprintf("%v: %v", r.at.Round(time.Millisecond), r.err))
			}
			continue
		}
		s.Nodes[r.node]++
		if lost {
			s.Gap = max(s.Gap, r.at-last)
		}
		last, lost = r.at, false
	}
	if lost {
		s.Gap = max(s.Gap, all[len(all)-1].at-last)
	}
	return s
}

// ask makes one request on a connection of its own and gives the node that
// answered, by the name in its header.
func ask(address, path string) (node string, err error) {
	deadline := time.Now().Add(inTime)
	conn, err := (&net.Dialer{Deadline: deadline}).Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, address); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s", resp.Status)
	}
	return resp.Header.Get("X-Goxin-Node"), nil
}
