package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// iptablesWall are the programs whose INPUT chain filters: iptables, ip6tables.
type iptablesWall []string

// iptablesOf finds them. To list a table that is not loaded would load it, so what the
// kernel has is asked first.
func iptablesOf(ctx context.Context, m machine.Machine, r ruleset) (iptablesWall, error) {
	var out iptablesWall
	for _, t := range []struct{ program, names, family string }{
		{"iptables", "/proc/net/ip_tables_names", "ip"},
		{"ip6tables", "/proc/net/ip6_tables_names", "ip6"},
	} {
		names, err := m.ReadFile(t.names)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		has := slices.Contains(strings.Fields(string(names)), "filter") ||
			slices.ContainsFunc(r.chains, func(c nftChain) bool {
				return c.Family == t.family && c.Table == "filter" && c.Name == "INPUT" && c.Hook == "input"
			})
		if !has {
			continue
		}
		var rules []string
		err = m.Run(ctx, machine.Command{Argv: []string{t.program, "-w", "-S", "INPUT"}, Timeout: time.Minute}, func(line string) { rules = append(rules, strings.TrimSpace(line)) })
		if machine.MissingProgram(err) {
			continue // then nftables has to do
		}
		if err != nil {
			return nil, err
		}
		if filters(rules) {
			out = append(out, t.program)
		}
	}
	return out, nil
}

// filters says whether a chain, as -S lists it, ends with a no.
func filters(rules []string) bool {
	no := false
	for _, r := range rules {
		switch {
		case strings.HasPrefix(r, "-P INPUT "):
			no = !strings.HasSuffix(r, " ACCEPT")
		case strings.HasPrefix(r, "-A INPUT -j DROP"), strings.HasPrefix(r, "-A INPUT -j REJECT"):
			no = true
		}
	}
	return no
}

// rules are the rules for one of the programs, in its own words.
func (o *Port) iptablesRules(program string) [][]string {
	proto := o.Protocol
	if proto == "vrrp" {
		proto = "112" // not in every /etc/protocols
	}
	match := []string{"-p", proto}
	if o.Port > 0 {
		match = append(match, "-m", proto, "--dport", fmt.Sprint(o.Port))
	}
	match = append(match, "-m", "comment", "--comment", o.mark(), "-j", "ACCEPT")
	if len(o.From) == 0 {
		return [][]string{match}
	}
	var out [][]string
	for _, p := range o.From {
		if p.Addr().Is6() == (program == "ip6tables") {
			out = append(out, append([]string{"-s", p.Masked().String()}, match...))
		}
	}
	return out
}

func (w iptablesWall) look(ctx context.Context, m machine.Machine, o *Port) (s portState, err error) {
	s.Live, s.Where = true, "chain INPUT of "+strings.Join(w, ", ")
	for _, program := range w {
		for _, r := range o.iptablesRules(program) {
			is, err := w.is(ctx, m, program, r)
			if err != nil {
				return s, err
			}
			s.Live = s.Live && is
		}
	}
	return s, nil
}

func (w iptablesWall) is(ctx context.Context, m machine.Machine, program string, rule []string) (bool, error) {
	return tells(ctx, m, "", append([]string{program, "-w", "-C", "INPUT"}, rule...)...)
}

func (w iptablesWall) each(ctx context.Context, m machine.Machine, o *Port, verb string, say func(lang.Text)) error {
	for _, program := range w {
		for _, r := range o.iptablesRules(program) {
			is, err := w.is(ctx, m, program, r)
			if err == nil && is == (verb == "-D") {
				err = m.Run(ctx, machine.Command{Argv: append([]string{program, "-w", verb, "INPUT"}, r...), Timeout: time.Minute}, quoting(say))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (w iptablesWall) open(ctx context.Context, m machine.Machine, o *Port, say func(lang.Text)) error {
	return w.each(ctx, m, o, "-I", say)
}

func (w iptablesWall) close(ctx context.Context, m machine.Machine, o *Port) error {
	return w.each(ctx, m, o, "-D", nil)
}

// saved are the files that iptables-services and netfilter-persistent load.
func (w iptablesWall) saved(m machine.Machine, o *Port) ([]saved, error) {
	files := map[string][]string{
		"iptables":  {"/etc/sysconfig/iptables", "/etc/iptables/rules.v4"},
		"ip6tables": {"/etc/sysconfig/ip6tables", "/etc/iptables/rules.v6"},
	}
	var out []saved
	for _, program := range w {
		var lines strings.Builder
		for _, r := range o.iptablesRules(program) {
			for i, word := range r {
				if strings.ContainsAny(word, " :") {
					r[i] = `"` + word + `"`
				}
			}
			lines.WriteString("-A INPUT " + strings.Join(r, " ") + "\n")
		}
		for _, file := range files[program] {
			if _, err := m.Stat(file); errors.Is(err, fs.ErrNotExist) || lines.Len() == 0 {
				continue
			} else if err != nil {
				return nil, err
			}
			out = append(out, saved{file: file, add: firstOfFilter, line: lines.String()})
			break
		}
	}
	return out, nil
}

// firstOfFilter adds rules before the first of the filter table: after its chains.
func firstOfFilter(text, lines string) (string, bool) {
	at, inside := 0, false
	for line := range strings.Lines(text) {
		word := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(word, "*"):
			inside = word == "*filter"
		case inside && (strings.HasPrefix(word, "-") || word == "COMMIT"):
			return text[:at] + lines + text[at:], true
		}
		at += len(line)
	}
	return "", false
}
