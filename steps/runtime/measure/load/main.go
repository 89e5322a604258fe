// Command load is a small Go service's day in half a second: it allocates over a heap
// that lives, fills and empties maps, passes work between goroutines and answers HTTP
// requests over loopback. It does the same work however long that takes, and prints one
// line of JSON. It is compiled on the machine that is measured, by a Go as old as 1.13.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// result is what is printed.
type result struct {
	Seconds float64 `json:"seconds"` // for all of the work
	P99     float64 `json:"p99"`     // milliseconds of an HTTP request
	Peak    float64 `json:"peak"`    // MiB of memory at the highest; 0: the kernel does not tell
	Sum     uint64  `json:"sum"`     // of the work: the same in every run
	Go      string  `json:"go"`
}

var now = time.Now //nolint:forbidigo // this is no step but what a step has the machine run

func main() {
	if len(os.Args) > 2 && os.Args[2] == "no-huge-pages" {
		again()
	}
	scale := 1
	if len(os.Args) > 1 {
		n, err := strconv.Atoi(os.Args[1])
		if err != nil || n < 1 {
			fail(fmt.Errorf("the scale is a number from 1 on, not %q", os.Args[1]))
		}
		scale = n
	}
	start := now()
	live := tree(17) // 256 Ki nodes that every collection has to walk
	r := result{Go: runtime.Version()}
	r.Sum = allocate(6*scale) + maps(4*scale) + pass(20000*scale)
	slow, sum, err := serve(400 * scale)
	if err != nil {
		fail(err)
	}
	r.Sum += sum + live.count()
	r.Seconds = now().Sub(start).Seconds()
	sort.Float64s(slow)
	r.P99 = slow[len(slow)*99/100]
	r.Peak = peak()
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// again starts this program anew, without huge pages: the setting outlives exec
// (prctl(2), PR_SET_THP_DISABLE).
func again() {
	const setTHPDisable = 41
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, setTHPDisable, 1, 0, 0, 0, 0); e != 0 {
		fail(os.NewSyscallError("prctl", e))
	}
	fail(os.NewSyscallError("execve", syscall.Exec("/proc/self/exe", os.Args[:2], os.Environ())))
}

type node struct {
	left, right *node
	value       [4]uint64
}

func tree(depth int) *node {
	n := &node{value: [4]uint64{uint64(depth)}}
	if depth > 0 {
		n.left, n.right = tree(depth-1), tree(depth-1)
	}
	return n
}

func (n *node) count() uint64 {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

// allocate builds trees and drops them, four at a time.
func allocate(rounds int) uint64 {
	var sum uint64
	var mu sync.Mutex
	for i := 0; i < rounds; i++ {
		var wait sync.WaitGroup
		for j := 0; j < 4; j++ {
			wait.Add(1)
			go func() {
				defer wait.Done()
				c := tree(12).count()
				mu.Lock()
				sum += c
				mu.Unlock()
			}()
		}
		wait.Wait()
	}
	return sum
}

func maps(rounds int) uint64 {
	var sum uint64
	for i := 0; i < rounds; i++ {
		m := map[string][]byte{}
		for j := 0; j < 8000; j++ {
			m["key-"+strconv.Itoa(j*7919%65536)] = make([]byte, 64)
		}
		for j := 0; j < 16000; j++ {
			sum += uint64(len(m["key-"+strconv.Itoa(j)]))
		}
		for k := range m {
			delete(m, k)
		}
	}
	return sum
}

// pass hands work from two goroutines to eight.
func pass(n int) uint64 {
	work, done := make(chan uint64, 64), make(chan uint64)
	var makers sync.WaitGroup
	for i := 0; i < 2; i++ {
		makers.Add(1)
		go func() {
			defer makers.Done()
			for j := 0; j < n/2; j++ {
				work <- uint64(j)
			}
		}()
	}
	go func() {
		makers.Wait()
		close(work)
	}()
	for i := 0; i < 8; i++ {
		go func() {
			var sum uint64
			for w := range work {
				h := w
				for k := 0; k < 50; k++ {
					h = h*6364136223846793005 + 1442695040888963407
				}
				sum += h
			}
			done <- sum
		}()
	}
	var sum uint64
	for i := 0; i < 8; i++ {
		sum += <-done
	}
	return sum
}

type answer struct {
	ID    int               `json:"id"`
	Names []string          `json:"names"`
	Tags  map[string]string `json:"tags"`
}

// serve answers n requests over loopback, eight at a time; the milliseconds of each.
func serve(n int) (slow []float64, sum uint64, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := answer{ID: len(r.URL.Path), Tags: map[string]string{"path": r.URL.Path, "agent": "load"}}
		for i := 0; i < 40; i++ {
			a.Names = append(a.Names, "name-"+strconv.Itoa(i))
		}
		_ = json.NewEncoder(w).Encode(a)
	})}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	const clients = 8
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: time.Minute}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for c := 0; c < clients; c++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := 0; i < n/clients; i++ {
				at := now()
				size, e := get(client, "http://"+l.Addr().String()+"/item/"+strconv.Itoa(1000+i))
				took := now().Sub(at).Seconds() * 1000
				mu.Lock()
				slow, sum = append(slow, took), sum+uint64(size)
				if e != nil {
					err = e
				}
				mu.Unlock()
				if e != nil {
					return
				}
			}
		}()
	}
	wait.Wait()
	return slow, sum, err
}

func get(c *http.Client, url string) (int64, error) {
	r, err := c.Get(url)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	return io.Copy(nowhere{}, r.Body)
}

// nowhere is io.Discard, which came with Go 1.16.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// peak is VmHWM: rusage's figure begins with that of whoever started us.
func peak() float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		w := strings.Fields(lines.Text())
		if len(w) == 3 && w[0] == "VmHWM:" {
			kib, _ := strconv.ParseFloat(w[1], 64)
			return kib / 1024
		}
	}
	return 0
}
