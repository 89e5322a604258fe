package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"goxin/cmd/lab/agent"
	"goxin/steps/drill"
)

// How often each thing is done to each pair.
const (
	kills       = 5
	cuts        = 3
	handovers   = 10
	benchAdvert = 200 * time.Millisecond
)

// benchHA measures what a pair that goxin made loses, beside the one that the usual recipe's
// configuration makes, on the same machines. Nothing is measured by who is measured:
// the client asks, and what happens to the pair happens from outside or by systemd.
func benchHA(ctx context.Context, l *Lab, _ []string) (err error) {
	b, err := newBenchPair(ctx, l)
	if b != nil {
		defer func() { err = errors.Join(err, b.down(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	l.say("two machines and a client are up; goxin makes the pair")
	load := []string{hostLoad()}
	if err := b.byGoxin(ctx); err != nil {
		return err
	}
	o, err := b.measure(ctx, wayOfGoxin)
	if err != nil {
		return fmt.Errorf("goxin's pair: %w", err)
	}
	load = append(load, hostLoad())
	if o.kept, err = b.drilled(ctx); err != nil {
		return fmt.Errorf("goxin's pair: %w", err)
	}
	l.say("goxin takes its pair back; the usual recipe's comes")
	if _, err := b.sh(ctx, b.nodes[0], program+" undo"); err != nil {
		return err
	}
	if err := b.byRecipe(ctx); err != nil {
		return err
	}
	s, err := b.measure(ctx, wayOfRecipe)
	if err != nil {
		return fmt.Errorf("the recipe's pair: %w", err)
	}
	load = append(load, hostLoad())
	haTable(o, s, load)
	return nil
}

// hostLoad is the host's load of the last minute.
func hostLoad() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

// byGoxin makes the pair from answers.
func (b *benchPair) byGoxin(ctx context.Context) error {
	err := b.nodes[0].WriteFile(ctx, "/root/pair.yaml", []byte(`version: 1
steps:
  peer:
    address: root@`+secondAddress+`
    host_key: `+b.hostKey[0]+`
  service:
    name: web
    binary: /root/web
    port: 8080
    health: /healthz
  ha:
    vip: `+pairVIP+`
    health: /healthz
    advert: `+benchAdvert.String()+`
    drill: none
`), 0o600)
	if err == nil {
		_, err = b.sh(ctx, b.nodes[0], program+" apply -f /root/pair.yaml --yes")
	}
	return err
}

// byRecipe makes the pair by hand, as the usual recipe has it: states, priorities, preemption,
// and killall -0 for a check. That is a script here: as one
// line, keepalived would hand "||" to killall.
func (b *benchPair) byRecipe(ctx context.Context) error {
	err := b.both(ctx, `export DEBIAN_FRONTEND=noninteractive
apt-get install -qq -y --no-install-recommends nginx-light keepalived >/dev/null
systemd-run --quiet --unit=web /root/web :8080`)
	if err != nil {
		return err
	}
	for i, m := range b.nodes {
		if err := m.WriteFile(ctx, "/etc/keepalived/check_nginx.sh", []byte("#!/bin/sh\nkillall -0 nginx || systemctl restart nginx\n"), 0o755); err != nil {
			return err
		}
		err := b.files(ctx, m, map[string]string{
			"/etc/nginx/sites-available/default": "server {\n\tlisten 80 default_server;\n\tlocation / { proxy_pass http://127.0.0.1:8080; }\n}\n",
			"/etc/keepalived/keepalived.conf":    fmt.Sprintf(recipeConfiguration, [2]string{"MASTER", "BACKUP"}[i], 100-i),
		})
		if err != nil {
			return err
		}
		if _, err := b.sh(ctx, m, "systemctl restart nginx keepalived"); err != nil {
			return err
		}
	}
	return nil
}

const recipeConfiguration = `global_defs {
    script_user root
}
vrrp_script chk_nginx {
    script "/etc/keepalived/check_nginx.sh"
    interval 2
}
vrrp_instance VI_1 {
    state %s
    interface host0
    virtual_router_id 51
    priority %d
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        ` + pairVIP + `/24
    }
    track_script {
        chk_nginx
    }
}
`

// way is how a pair is operated.
type way struct {
	name       string
	over, back string   // give the address up, on its owner; take part again
	preempts   bool     // the first node takes the address back, some seconds after it can
	watch      []string // what tells of two owners; none: nothing does
}

var (
	wayOfGoxin = way{
		name: "goxin", over: "systemctl stop goxin-vip", back: "systemctl start goxin-vip",
		watch: []string{program, "drill", "--watch", "--every", "1s", "--json"},
	}
	wayOfRecipe = way{name: "the recipe", over: "systemctl stop keepalived", back: "systemctl start keepalived", preempts: true}
)

// figures are what a pair lost.
type figures struct {
	killed, cut []loss
	over, back  []loss
	kept        []int         // lost per switchover of the drill
	noticed     time.Duration // from the cut between them until something said so; 0: nothing did
	healed      time.Duration // from the end of it until one alone had the address
}

func (b *benchPair) measure(ctx context.Context, w way) (f figures, err error) {
	rest := func() (bool, error) {
		if all, err := b.owners(ctx); err != nil || w.preempts && !slices.Equal(all, []int{0}) {
			return false, err
		}
		return b.atRest(ctx)
	}
	slow, err := b.ask(ctx, 10*time.Millisecond)
	if err != nil {
		return f, err
	}
	err = b.measureFaults(ctx, w, slow, rest, &f)
	slow.stop()
	if err != nil {
		return f, err
	}
	quick, err := b.ask(ctx, time.Millisecond)
	if err != nil {
		return f, err
	}
	defer quick.stop()
	for range handovers {
		if err := quick.settle(ctx, rest); err != nil {
			return f, err
		}
		all, err := b.owners(ctx)
		if err != nil {
			return f, err
		}
		owner := b.nodes[all[0]]
		there, err := quick.during(ctx, func() error { _, err := b.sh(ctx, owner, w.over); return err }, b.has(ctx, 1-all[0]))
		if err != nil {
			return f, err
		}
		again, err := quick.during(ctx, func() error { _, err := b.sh(ctx, owner, w.back); return err }, rest)
		if err != nil {
			return f, err
		}
		f.over, f.back = append(f.over, there), append(f.back, again)
		b.lab.say("%s, switched over: %v; and back in service: %v", w.name, there, again)
	}
	return f, nil
}

// measureFaults kills, cuts off and parts, at a hundred requests a second.
func (b *benchPair) measureFaults(ctx context.Context, w way, a *asking, rest func() (bool, error), f *figures) error {
	for i := range kills + cuts + 1 {
		if err := a.settle(ctx, rest); err != nil {
			return err
		}
		all, err := b.owners(ctx)
		if err != nil {
			return err
		}
		owner := all[0]
		switch {
		case i < kills:
			l, err := a.during(ctx, func() error { _, err := b.sh(ctx, b.nodes[owner], "systemctl kill --signal=SIGKILL nginx"); return err }, rest)
			if err != nil {
				return err
			}
			f.killed = append(f.killed, l)
			b.lab.say("%s, nginx killed: %v", w.name, l)
		case i < kills+cuts:
			l, err := a.during(ctx, func() error { return b.cut(owner) }, b.has(ctx, 1-owner))
			if err = errors.Join(err, b.plug(owner)); err != nil {
				return err
			}
			f.cut = append(f.cut, l)
			b.lab.say("%s, node cut off: %v", w.name, l)
		default:
			if err := b.part(ctx, w, f); err != nil {
				return err
			}
		}
	}
	return a.settle(ctx, rest)
}

// splitFor is how long two owners stay if nobody tells.
const splitFor = 10 * time.Second

// part has the two not hear each other, and waits for somebody to notice.
func (b *benchPair) part(ctx context.Context, w way, f *figures) error {
	said := &lines{}
	if w.watch != nil {
		p, err := b.nodes[0].Start(ctx, agent.Command{Argv: w.watch, Stdout: said})
		if err != nil {
			return err
		}
		defer func() {
			_ = p.Signal(syscall.SIGTERM)
			_, _ = p.Wait()
		}()
		if err := until(ctx, calmLimit, func() (bool, error) { return said.has(1), nil }); err != nil {
			return fmt.Errorf("who watches says nothing: %w", err)
		}
	}
	begin := time.Now()
	if _, err := b.lab.onBridge(b.group, dropping("ip protocol 112")); err != nil {
		return err
	}
	err := until(ctx, calmLimit, func() (bool, error) { all, err := b.owners(ctx); return len(all) == 2, err })
	if err == nil {
		switch err = until(ctx, splitFor, func() (bool, error) { return b.tells(ctx, w, said, begin) }); {
		case err == nil:
			f.noticed = time.Since(begin)
		case errors.Is(err, errTooLong):
			err = nil
		}
	}
	_, undone := b.lab.onBridge(b.group, dropNothing)
	if err = errors.Join(err, undone); err != nil {
		return err
	}
	end := time.Now()
	err = until(ctx, calmLimit, func() (bool, error) { all, err := b.owners(ctx); return len(all) == 1, err })
	f.healed = time.Since(end)
	return err
}

// tells says whether anything has told of two owners: what watches, else a unit that
// fails or a warning in a journal.
func (b *benchPair) tells(ctx context.Context, w way, said *lines, since time.Time) (bool, error) {
	if w.watch != nil {
		return said.has(2), nil
	}
	for _, m := range b.nodes {
		out, err := b.sh(ctx, m, fmt.Sprintf("systemctl -q is-active nginx keepalived || echo failed\njournalctl -q -p warning -u keepalived -u nginx --since @%d", since.Unix()))
		if out != "" || err != nil {
			return out != "", err
		}
	}
	return false, nil
}

var errTooLong = errors.New("it takes too long")

func until(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	for end := time.Now().Add(limit); ; {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return errTooLong
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lines are what `goxin drill --watch --json` says.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// has says whether so many owners at once were told of.
func (l *lines) has(owners int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.text.Bytes()) {
		var said struct{ Owners []string }
		if json.Unmarshal(line, &said) == nil && len(said.Owners) == owners {
			return true
		}
	}
	return false
}

// drilled is what is lost in each switchover of the drill. The drill says it, asking from
// the client.
func (b *benchPair) drilled(ctx context.Context) (lost []int, err error) {
	faults := strings.Repeat(",switchover", handovers)[1:]
	r, err := b.nodes[0].Exec(ctx, program, "drill", "--yes", "--json", "--rate", "1000", "--faults", faults,
		"--from", "root@"+clientAddress, "--from-host-key", b.hostKey[1])
	if err != nil {
		return nil, err
	}
	var d drill.Result
	if err := json.Unmarshal([]byte(r.Out), &d); err != nil {
		return nil, fmt.Errorf("goxin drill: exit code %d: %w\n%s", r.Code, err, r.Err)
	}
	for _, row := range d.Rows {
		lost = append(lost, row.Lost)
	}
	if len(lost) != handovers {
		return nil, fmt.Errorf("goxin drill: exit code %d, %d of %d switchovers: %s %s", r.Code, len(lost), handovers, d.Stopped.EN, r.Err)
	}
	return lost, nil
}

// haTable prints both, and which goals hold. A goal has to hold each time.
func haTable(o, s figures, load []string) {
	fmt.Printf("\na pair by goxin (advert %v) beside the usual recipe's (advert 1s), in containers of this machine, asked by a client\n", benchAdvert)
	fmt.Printf("medians, and the worst in brackets; the host's load was %s before, between and after\n\n", strings.Join(load, ", "))
	fmt.Printf("  %-46s %16s %16s %8s\n", "", "goxin", "the recipe", "ratio")
	lost := func(l loss) int { return l.Lost }
	gap := func(l loss) time.Duration { return l.Gap.Round(time.Millisecond) }
	ms := func(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
	cutGoal := 3*benchAdvert + 150*time.Millisecond
	row("nginx killed: lost at 100 a second", of(o.killed, lost), of(s.killed, lost), number, 10)
	row("nginx killed: longest gap", of(o.killed, gap), of(s.killed, gap), ms, 100*time.Millisecond)
	row("node cut off: lost at 100 a second", of(o.cut, lost), of(s.cut, lost), number, -1)
	row("node cut off: longest gap", of(o.cut, gap), of(s.cut, gap), ms, cutGoal)
	row("switched over: lost at 1000 a second", of(o.over, lost), of(s.over, lost), number, 5)
	row("  longest gap", of(o.over, gap), of(s.over, gap), ms, -1)
	row("  and back in service: lost", of(o.back, lost), of(s.back, lost), number, -1)
	row("  by the drill: lost", o.kept, of(s.over, lost), number, 0)
	told := func(f figures) string {
		if f.noticed == 0 {
			return "never"
		}
		return ms(f.noticed)
	}
	holds := "holds"
	if o.noticed == 0 {
		holds = "DOES NOT HOLD"
	}
	fmt.Printf("  %-46s %16s %16s %8s   goal told: %s\n", "split brain: told after", told(o), told(s), "", holds)
	fmt.Printf("  %-46s %16s %16s\n", "  one owner again after", ms(o.healed), ms(s.healed))
	var late time.Duration
	for _, all := range [][]loss{o.killed, o.cut, o.over, s.killed, s.cut, s.over} {
		late = max(late, slices.MaxFunc(all, func(a, b loss) int { return cmp.Compare(a.Late, b.Late) }).Late)
	}
	fmt.Printf("\n  each of %d kills, %d cuts and %d switchovers; the client itself was late by %s at most\n", kills, cuts, handovers, ms(late))
	fmt.Printf("  lost each time by goxin's switchovers: %v; by the drill's: %v; by the recipe's: %v\n", of(o.over, lost), o.kept, of(s.over, lost))
}

func number(n int) string { return fmt.Sprint(n) }

func of[T any](all []loss, what func(loss) T) []T {
	var out []T
	for _, l := range all {
		out = append(out, what(l))
	}
	return out
}

// row is a line of the table. A goal below 0 is none.
func row[T int | time.Duration](what string, o, s []T, text func(T) string, goal T) {
	cell := func(v []T) string { return fmt.Sprintf("%s (%s)", text(median(v)), text(slices.Max(v))) }
	ratio := "-"
	if median(o) > 0 {
		ratio = fmt.Sprintf("%.1f ×", float64(median(s))/float64(median(o)))
	}
	fmt.Printf("  %-46s %16s %16s %8s", what, cell(o), cell(s), ratio)
	if goal >= 0 {
		holds := "holds"
		if slices.Max(o) > goal {
			holds = "DOES NOT HOLD"
		}
		fmt.Printf("   goal at most %s: %s", text(goal), holds)
	}
	fmt.Println()
}
