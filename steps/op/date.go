package op

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"goxin/detect/machine"
)

// Told is what a host says of the time.
type Told struct {
	Host string `json:"host"`
	// Behind is how far the machine's clock is behind the host's; negative: ahead.
	// Date counts whole seconds, so it is right to half a second and half the round
	// trip.
	Behind time.Duration `json:"behind"`
}

const (
	askTime = 3 * time.Second // for all hosts together
	agree   = 5 * time.Second // hosts that are no further apart say the same
)

// AskTime asks hosts ("host" or "host:port") for the time: the Date of a HEAD
// request, in plain HTTP. TLS would judge certificates by the very clock that may
// be wrong, and a wrong answer of one host is outvoted. They are asked all at
// once, directly and, where the machine has an http_proxy, through that as well;
// those that do not answer within three seconds are not in the result, which is
// in the order of hosts.
func AskTime(ctx context.Context, m machine.Machine, hosts []string) []Told {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	via := []string{""}
	if p := proxy(m); p != "" {
		via = append(via, p)
	}
	answers := make([]*Told, len(hosts))
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, h := range hosts {
		ctx, heard := context.WithCancel(ctx)
		defer heard()
		for _, p := range via {
			all.Add(1)
			go func() {
				defer all.Done()
				behind, ok := askHost(ctx, m, h, p)
				mu.Lock()
				defer mu.Unlock()
				if ok && answers[i] == nil {
					answers[i] = &Told{h, behind}
					heard() // the other way is not waited for
				}
			}()
		}
	}
	all.Wait()
	var out []Told
	for _, a := range answers {
		if a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// Behind is the median of what hosts told, if more than half of them are about
// there: else nobody knows.
func Behind(told []Told) (time.Duration, bool) {
	if len(told) == 0 {
		return 0, false
	}
	all := make([]time.Duration, len(told))
	for i, t := range told {
		all[i] = t.Behind
	}
	slices.Sort(all)
	mid := all[(len(all)-1)/2]
	n := 0
	for _, d := range all {
		if (d - mid).Abs() <= agree {
			n++
		}
	}
	return mid, n*2 > len(all)
}

// proxy is the host:port of http_proxy. One that asks who goes there is left out:
// the time is not worth a password on the wire.
func proxy(m machine.Machine) string {
	v := m.Getenv("http_proxy")
	if v == "" {
		v = m.Getenv("HTTP_PROXY")
	}
	v = strings.TrimPrefix(v, "http://")
	v, _, _ = strings.Cut(v, "/")
	if v == "" || strings.ContainsAny(v, "@ ") {
		return ""
	}
	return withPort(v)
}

func withPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host
	}
	return host + ":80"
}

func askHost(ctx context.Context, m machine.Machine, host, via string) (time.Duration, bool) {
	at, what := withPort(host), "/"
	if via != "" {
		at, what = via, "http://"+host+"/"
	}
	conn, err := m.Dial(ctx, "tcp", at)
	if err != nil {
		return 0, false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	sent := m.Now()
	if _, err := io.WriteString(conn, "HEAD "+what+" HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: goxin\r\nConnection: close\r\n\r\n"); err != nil {
		return 0, false
	}
	r := bufio.NewReader(io.LimitReader(conn, 32<<10))
	first, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(first, "HTTP/1.") {
		return 0, false
	}
	got := m.Now()
	date, ok := readDate(r)
	return date.Sub(sent.Add(got.Sub(sent) / 2)), ok
}

// readDate is the middle of the second that an answer's Date names. One out of a
// cache is as old as its Age.
func readDate(r *bufio.Reader) (date time.Time, ok bool) {
	var age time.Duration
	for {
		line, err := r.ReadString('\n')
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "date":
			t, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", value)
			if err != nil {
				return t, false
			}
			date, ok = t.Add(time.Second/2), true
		case "age":
			if n, err := strconv.ParseUint(value, 10, 31); err == nil {
				age = time.Duration(n) * time.Second
			}
		case "":
			return date.Add(age), ok
		}
		if err != nil {
			return date.Add(age), ok
		}
	}
}
