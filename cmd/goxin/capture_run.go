package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/assets/machines/archive"
	"goxin/assets/mirrors"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/replay"
)

// captureRun packs a run with the machine it was on, for walking through it on
// another computer.
func (a *app) captureRun(ctx context.Context, id engine.RunID, w io.Writer) (*engine.RunRecord, error) {
	e, err := a.engine(nil)
	if err != nil {
		return nil, err
	}
	r, err := e.Record(id)
	if err != nil {
		return nil, err
	}
	secrets := append(secretsIn(r.Answers, e.Steps()), passwordsIn(os.Environ())...)
	for _, st := range r.Steps {
		secrets = append(secrets, secretsIn(engine.Answers{st.Step: st.Values}, e.Steps())...)
	}
	public, err := publicHosts()
	if err != nil {
		return nil, err
	}
	of, facts, err := a.collect(ctx)
	if err != nil {
		return nil, err
	}
	clean, err := replay.Scrub(r, replay.Scrubbing{Secrets: secrets, Public: public, Machine: facts})
	if err != nil {
		return nil, lang.Errorf(err, "cannot take the names out of run %d", "无法去除运行 %d 中的名称", r.Info.ID)
	}
	return clean, replay.Pack(w, clean, of)
}

// collect captures the machine; nil for a tree, of which only facts can be had.
func (a *app) collect(ctx context.Context) (*archive.Archive, *detect.Facts, error) {
	m := a.machine()
	f, err := detect.Detect(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	of, err := detect.Collect(ctx, m, f)
	if errors.Is(err, machine.ErrNotRunning) {
		err = nil
	}
	return of, f, err
}

// publicHosts tells the hosts that everybody knows from those of a site: those of
// goxin's catalogues, and those that reasons name as their sources.
func publicHosts() (func(host string) bool, error) {
	var known []string
	add := func(at string) {
		if !strings.Contains(at, "://") {
			at = "https://" + at
		}
		if u, err := url.Parse(at); err == nil {
			known = append(known, u.Hostname())
		}
	}
	packages, err := mirrors.Load()
	if err != nil {
		return nil, err
	}
	for _, p := range packages.Products {
		add(p.Official)
		for _, v := range p.Vendor {
			add(v)
		}
		for _, m := range p.Mirrors {
			add(m.URL)
		}
	}
	releases, err := golang.Load()
	if err != nil {
		return nil, err
	}
	for _, s := range releases.Sources {
		add(s.URL)
	}
	domains := []string{"go.dev", "golang.org", "golang.google.cn", "goproxy.cn", "goproxy.io", "kernel.org", "gnu.org", "freedesktop.org", "github.com", "wikipedia.org"}
	return func(host string) bool {
		return slices.Contains(known, host) || slices.ContainsFunc(domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
	}, nil
}

// tellRun says what is in a pack.
func (a *app) tellRun(r *engine.RunRecord, name string) {
	changes, failed := 0, 0
	for _, st := range r.Steps {
		for _, c := range st.Changes {
			if c.Status != "skipped" {
				changes++
			}
			if !c.Error.Empty() {
				failed++
			}
		}
	}
	a.say("%s holds run %d (%s):", "%s 中是运行 %d（%s）：", name, r.Info.ID, r.Info.Status.Text())
	for _, st := range r.Steps {
		a.say("  %s: its answers, what was found, and %d changes with their diffs", "  %s：应答、探测结果，以及 %d 项改动及其差异", st.Title, len(st.Changes))
	}
	if failed > 0 || !r.Error.Empty() {
		a.say("  what it failed of, with the last lines of output", "  失败原因及最后几行输出")
	}
	a.say("  facts of the machine, without names, addresses and serials", "  机器情况，不含名称、地址和序列号")
	a.say("`goxin demo %s` walks through it on any computer", "在任何电脑上用 `goxin demo %s` 回放", name)
}
