package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// firewalldWall is firewalld(1): a zone for each interface. What it starts from is the
// zone's file in /etc, which hides the package's. It notices within seconds that the file
// has changed, or reads it when it is reloaded next; until then its own word on what is
// permanent is the old one, so the file is asked as well.
type firewalldWall struct{}

// firewalldRule is one rule in firewall-cmd's words and in those of a zone's file.
type firewalldRule struct{ kind, value, xml string }

func (o *Port) firewalldRules() []firewalldRule {
	what, xml := fmt.Sprintf(`port port="%d" protocol="%s"`, o.Port, o.Protocol), fmt.Sprintf(`<port port="%d" protocol="%s"/>`, o.Port, o.Protocol)
	if o.Port == 0 {
		what, xml = fmt.Sprintf(`protocol value="%s"`, o.Protocol), fmt.Sprintf(`<protocol value="%s"/>`, o.Protocol)
	}
	if len(o.From) == 0 {
		if o.Port == 0 {
			return []firewalldRule{{"protocol", o.Protocol, "  " + xml + "\n"}}
		}
		return []firewalldRule{{"port", fmt.Sprintf("%d/%s", o.Port, o.Protocol), "  " + xml + "\n"}}
	}
	var out []firewalldRule
	for _, p := range o.From {
		family := "ipv4"
		if p.Addr().Is6() {
			family = "ipv6"
		}
		out = append(out, firewalldRule{
			"rich-rule", fmt.Sprintf(`rule family="%s" source address="%s" %s accept`, family, address(p), what),
			fmt.Sprintf("  <rule family=\"%s\">\n    <source address=\"%s\"/>\n    %s\n    <accept/>\n  </rule>\n", family, address(p), xml),
		})
	}
	return out
}

// zone is that of the interface, else the default one.
func (o *Port) zone(ctx context.Context, m machine.Machine) (string, error) {
	iface := o.Interface
	if iface == "" {
		iface = defaultRoute(m)
	}
	var zone string
	ask := func(argv ...string) error {
		return m.Run(ctx, machine.Command{Argv: append([]string{"firewall-cmd"}, argv...), Timeout: time.Minute}, func(line string) {
			if line = strings.TrimSpace(line); line != "" && !strings.ContainsAny(line, " /") {
				zone = line
			}
		})
	}
	if iface != "" {
		if err := ask("--get-zone-of-interface=" + iface); err == nil && zone != "" {
			return zone, nil
		}
	}
	zone = ""
	err := ask("--get-default-zone")
	if err == nil && zone == "" {
		err = lang.Because(nil, "firewalld names no default zone", "firewalld 没有给出默认区域")
	}
	return zone, err
}

// defaultRoute is the interface of the default route (proc(5), /proc/net/route).
func defaultRoute(m machine.Machine) string {
	data, err := m.ReadFile("/proc/net/route")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 7 && f[1] == "00000000" && f[7] == "00000000" {
			return f[0]
		}
	}
	return ""
}

func (firewalldWall) query(ctx context.Context, m machine.Machine, o *Port, zone string, more ...string) (bool, error) {
	for _, r := range o.firewalldRules() {
		argv := append([]string{"firewall-cmd", "--zone=" + zone}, more...)
		yes, err := tells(ctx, m, "yes", append(argv, "--query-"+r.kind+"="+r.value)...)
		if err != nil || !yes {
			return false, err
		}
	}
	return true, nil
}

func (w firewalldWall) look(ctx context.Context, m machine.Machine, o *Port) (s portState, err error) {
	zone, err := o.zone(ctx, m)
	if err != nil {
		return s, err
	}
	s.Where = "zone " + zone
	// A zone that lets everything through needs no rule.
	if info, err := zoneFile(m, zone); err == nil && strings.Contains(info, `target="ACCEPT"`) {
		return portState{Where: s.Where, Live: true, Saved: true}, nil
	}
	if s.Live, err = w.query(ctx, m, o, zone); err == nil {
		s.Saved, err = w.query(ctx, m, o, zone, "--permanent")
	}
	return s, err
}

// zoneFile is the zone as it starts, from /etc or from the package.
func zoneFile(m machine.Machine, zone string) (string, error) {
	f := saved{file: etcZone(zone), from: usrZone(zone)}
	text, _, err := f.read(m)
	return text, err
}

func etcZone(zone string) string { return "/etc/firewalld/zones/" + zone + ".xml" }
func usrZone(zone string) string { return "/usr/lib/firewalld/zones/" + zone + ".xml" }

func (firewalldWall) each(ctx context.Context, m machine.Machine, o *Port, verb string, say func(lang.Text)) error {
	zone, err := o.zone(ctx, m)
	if err != nil {
		return err
	}
	for _, r := range o.firewalldRules() {
		is, err := tells(ctx, m, "yes", "firewall-cmd", "--zone="+zone, "--query-"+r.kind+"="+r.value)
		if err != nil {
			return err
		}
		if is == (verb == "add") {
			continue
		}
		argv := []string{"firewall-cmd", "--zone=" + zone, "--" + verb + "-" + r.kind + "=" + r.value}
		if err := m.Run(ctx, machine.Command{Argv: argv, Timeout: time.Minute}, quoting(say)); err != nil {
			return err
		}
	}
	return nil
}

func (w firewalldWall) open(ctx context.Context, m machine.Machine, o *Port, say func(lang.Text)) error {
	return w.each(ctx, m, o, "add", say)
}

func (w firewalldWall) close(ctx context.Context, m machine.Machine, o *Port) error {
	return w.each(ctx, m, o, "remove", nil)
}

func (firewalldWall) saved(m machine.Machine, o *Port) ([]saved, error) {
	zone, err := o.zone(context.Background(), m)
	if err != nil {
		return nil, err
	}
	var lines strings.Builder
	for _, r := range o.firewalldRules() {
		lines.WriteString(r.xml)
	}
	if _, err := m.Stat("/etc/firewalld/zones"); errors.Is(err, fs.ErrNotExist) {
		return nil, lang.Because(nil, "/etc/firewalld/zones is not there", "/etc/firewalld/zones 不存在")
	}
	return []saved{{etcZone(zone), usrZone(zone), beforeLine("</zone>"), lines.String()}}, nil
}

// beforeLine adds lines before the last one that is end.
func beforeLine(end string) func(text, lines string) (string, bool) {
	return func(text, lines string) (string, bool) {
		at := strings.LastIndex("\n"+text, "\n"+end)
		if at < 0 {
			return "", false
		}
		return text[:at] + lines + text[at:], true
	}
}
