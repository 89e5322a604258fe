package op

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// ruleset is what `nft --json list ruleset` says (libnftables-json(5)), as far as it is
// needed here.
type ruleset struct {
	chains []nftChain
	rules  []nftRule
}

type nftChain struct {
	Family string `json:"family"`
	Table  string `json:"table"`
	Name   string `json:"name"`
	Hook   string `json:"hook"`
	Policy string `json:"policy"`
}

type nftRule struct {
	Family  string                       `json:"family"`
	Table   string                       `json:"table"`
	Chain   string                       `json:"chain"`
	Handle  int                          `json:"handle"`
	Comment string                       `json:"comment"`
	Expr    []map[string]json.RawMessage `json:"expr"`
}

// nftRuleset asks nft; a machine without nft has no ruleset.
func nftRuleset(ctx context.Context, m machine.Machine) (ruleset, error) {
	var out bytes.Buffer
	err := m.Run(ctx, machine.Command{Argv: []string{"nft", "--json", "list", "ruleset"}, Timeout: time.Minute}, func(line string) {
		out.WriteString(line)
	})
	if machine.MissingProgram(err) || errors.Is(err, machine.ErrNotRunning) {
		return ruleset{}, nil
	}
	if err != nil {
		return ruleset{}, err
	}
	return parseRuleset(out.Bytes())
}

func parseRuleset(b []byte) (r ruleset, err error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return r, nil // nothing at all
	}
	var all struct {
		Nftables []struct {
			Chain *nftChain `json:"chain"`
			Rule  *nftRule  `json:"rule"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return r, lang.Because(err, "what nft says is not understood", "无法理解 nft 的输出")
	}
	for _, o := range all.Nftables {
		if o.Chain != nil {
			r.chains = append(r.chains, *o.Chain)
		}
		if o.Rule != nil {
			r.rules = append(r.rules, *o.Rule)
		}
	}
	return r, nil
}

// filtering are the chains that what comes in has to pass and that end with a no: by
// their policy, or by a last rule that stops everything.
func (r ruleset) filtering() []nftChain {
	var out []nftChain
	for _, c := range r.chains {
		if c.Hook == "input" && slices.Contains([]string{"inet", "ip", "ip6"}, c.Family) && (c.Policy == "drop" || r.ends(c)) {
			out = append(out, c)
		}
	}
	return out
}

func (r ruleset) ends(c nftChain) bool {
	stops := false
	for _, rule := range r.rules {
		if rule.Family == c.Family && rule.Table == c.Table && rule.Chain == c.Name {
			stops = rule.stops()
		}
	}
	return stops
}

// stops says whether a rule drops or rejects whatever it sees.
func (r nftRule) stops() bool {
	no := false
	for _, e := range r.Expr {
		for k := range e {
			switch k {
			case "drop", "reject":
				no = true
			case "counter", "log", "limit":
			default:
				return false
			}
		}
	}
	return no
}

// nftWall is a set of chains that somebody wrote by hand, or a distribution.
type nftWall struct{ chains []nftChain }

// mark is how a rule of ours is known.
func (o *Port) mark() string { return "goxin: " + o.Target() }

func (c nftChain) String() string { return strings.Join([]string{c.Family, c.Table, c.Name}, " ") }

// nftRules are the rules for one chain; none where its family has none of From.
func (o *Port) nftRules(c nftChain) []string {
	match := "meta l4proto " + o.Protocol
	if o.Port > 0 {
		match = fmt.Sprintf("%s dport %d", o.Protocol, o.Port)
	}
	end := fmt.Sprintf(" accept comment %q", o.mark())
	if len(o.From) == 0 {
		return []string{match + end}
	}
	var out []string
	for _, p := range o.From {
		family := "ip"
		if p.Addr().Is6() {
			family = "ip6"
		}
		if c.Family == "inet" || c.Family == family {
			out = append(out, family+" saddr "+address(p)+" "+match+end)
		}
	}
	return out
}

// ours are the handles of the rules of ours in a chain.
func (o *Port) ours(r ruleset, c nftChain) []int {
	var out []int
	for _, rule := range r.rules {
		if rule.Family == c.Family && rule.Table == c.Table && rule.Chain == c.Name && rule.Comment == o.mark() {
			out = append(out, rule.Handle)
		}
	}
	return out
}

func (w nftWall) look(ctx context.Context, m machine.Machine, o *Port) (s portState, err error) {
	r, err := nftRuleset(ctx, m)
	if err != nil {
		return s, err
	}
	s.Live = true
	var names []string
	for _, c := range w.chains {
		names = append(names, c.String())
		s.Live = s.Live && len(o.ours(r, c)) >= len(o.nftRules(c))
	}
	s.Where = "chain " + strings.Join(names, ", ")
	return s, nil
}

func (w nftWall) open(ctx context.Context, m machine.Machine, o *Port, say func(lang.Text)) error {
	if err := w.close(ctx, m, o); err != nil { // half of them
		return err
	}
	var script strings.Builder
	for _, c := range w.chains {
		for _, rule := range o.nftRules(c) {
			fmt.Fprintf(&script, "insert rule %s %s\n", c, rule)
		}
	}
	return nft(ctx, m, script.String(), say)
}

func (w nftWall) close(ctx context.Context, m machine.Machine, o *Port) error {
	r, err := nftRuleset(ctx, m)
	if err != nil {
		return err
	}
	var script strings.Builder
	for _, c := range w.chains {
		for _, h := range o.ours(r, c) {
			fmt.Fprintf(&script, "delete rule %s handle %d\n", c, h)
		}
	}
	return nft(ctx, m, script.String(), nil)
}

// nft runs a script, which is done whole or not at all.
func nft(ctx context.Context, m machine.Machine, script string, say func(lang.Text)) error {
	if script == "" {
		return nil
	}
	return m.Run(ctx, machine.Command{Argv: []string{"nft", "-f", "-"}, Stdin: strings.NewReader(script), Timeout: time.Minute}, quoting(say))
}

// saved is the script that nftables.service loads; a chain that another program makes
// at boot is not in it.
func (w nftWall) saved(m machine.Machine, o *Port) ([]saved, error) {
	var out []saved
	for _, file := range []string{"/etc/nftables.conf", "/etc/sysconfig/nftables.conf"} {
		text, exists, err := saved{file: file}.read(m)
		if err != nil {
			return nil, err
		}
		if !exists || strings.TrimSpace(text) == "" {
			continue
		}
		var lines strings.Builder
		for _, c := range w.chains {
			for _, rule := range o.nftRules(c) {
				fmt.Fprintf(&lines, "insert rule %s %s\n", c, rule)
			}
		}
		out = append(out, saved{file: file, add: atEnd, line: lines.String()})
		break
	}
	return out, nil
}

func atEnd(text, lines string) (string, bool) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		return "", false
	}
	return text + lines, true
}
