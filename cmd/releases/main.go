// Releases makes the catalogue's log.json anew: every release that a module proxy serves, with the proof
// that its hash is in the checksum database. A release that the proxy does not serve
// is left out; steps/verify finds it online.
//
//	go run ./cmd/releases -proxy https://proxy.golang.org > assets/golang/log.json
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/version"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"goxin/assets/golang"
	"goxin/steps/verify"
)

// The first release whose module is made as today: cmd/distpack came with Go 1.21.
const first = "go1.21"

var (
	listed = regexp.MustCompile(`^v0\.0\.1-(go[0-9.]+)\.linux-([a-z0-9]+)$`)
	archs  = []string{"amd64", "arm64", "loong64", "mips64le", "riscv64"}
)

func main() {
	proxy := flag.String("proxy", "https://proxy.golang.org", "module proxy that serves the checksum database too")
	flag.Parse()
	entries, err := collect(context.Background(), strings.TrimSuffix(*proxy, "/"))
	if err == nil {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "\t")
		err = e.Encode(entries)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// log asks one proxy and remembers the tiles.
type log struct {
	proxy string
	mu    sync.Mutex
	tiles map[string][]byte
}

func (l *log) get(ctx context.Context, path string) ([]byte, error) {
	l.mu.Lock()
	b, known := l.tiles[path]
	l.mu.Unlock()
	if known {
		return b, nil
	}
	b, err := fetch(ctx, l.proxy+"/sumdb/sum.golang.org"+path)
	if err == nil && strings.HasPrefix(path, "/tile/") {
		l.mu.Lock()
		l.tiles[path] = b
		l.mu.Unlock()
	}
	return b, err
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 16<<20))
}

func collect(ctx context.Context, proxy string) ([]golang.Entry, error) {
	list, err := fetch(ctx, proxy+"/"+verify.ToolchainModule+"/@v/list")
	if err != nil {
		return nil, err
	}
	seen := make(map[verify.Toolchain]bool)
	for _, v := range strings.Fields(string(list)) {
		m := listed.FindStringSubmatch(v)
		if m == nil || version.Compare(m[1], first) < 0 {
			continue
		}
		for _, a := range archs { // not every proxy lists all that it serves
			seen[verify.Toolchain{Version: m[1], OS: "linux", Arch: a}] = true
		}
	}
	var (
		l    = &log{proxy: proxy, tiles: make(map[string][]byte)}
		mu   sync.Mutex
		out  []golang.Entry
		some sync.WaitGroup
		slot = make(chan struct{}, 8)
	)
	for t := range seen {
		some.Go(func() {
			slot <- struct{}{}
			defer func() { <-slot }()
			e, err := l.entry(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s: left out: %v\n", t, err)
				return
			}
			out = append(out, e)
		})
	}
	some.Wait()
	slices.SortFunc(out, func(a, b golang.Entry) int {
		return cmp.Or(version.Compare(b.Version, a.Version), cmp.Compare(a.Arch, b.Arch))
	})
	return out, nil
}

func (l *log) entry(ctx context.Context, t verify.Toolchain) (golang.Entry, error) {
	e := golang.Entry{Version: t.Version, OS: t.OS, Arch: t.Arch}
	p, _, err := verify.Prove(ctx, l.get, verify.LogKey, t, nil)
	if err != nil {
		return e, err
	}
	if e.H1, _, err = p.H1(verify.LogKey, t); err != nil {
		return e, err
	}
	e.Proof = string(p.Text())
	at := l.proxy + "/" + verify.ToolchainModule + "/@v/" + t.ModuleVersion()
	info, err := fetch(ctx, at+".info")
	if err != nil {
		return e, err
	}
	var when struct{ Time time.Time }
	if err := json.Unmarshal(info, &when); err != nil {
		return e, err
	}
	e.Date = when.Time
	e.Module, err = size(ctx, at+".zip")
	return e, err
}

// size is what a HEAD tells; 0 where the proxy does not have the module itself.
func size(ctx context.Context, url string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return max(resp.ContentLength, 0), nil
}
