package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Port lets a port, or a whole IP protocol, through the firewall that is in force:
// firewalld, iptables, or a chain of nftables. Where nothing filters there is nothing to
// do. It only ever adds one rule, now and in the file that the firewall starts from,
// and Undo takes that rule out again; what others add meanwhile stays.
//
// It refuses to switch a firewall on or off, and to guess at one that is managed by a
// program it does not know (ufw).
type Port struct {
	Port     int            `json:"port,omitempty"` // 0: all of Protocol
	Protocol string         `json:"protocol"`       // tcp, udp or vrrp
	From     []netip.Prefix `json:"from,omitempty"` // who may; empty: everybody
	// Interface is where it comes in, which is what a zone of firewalld is chosen by;
	// empty: that of the default route.
	Interface string    `json:"interface,omitempty"`
	Reason    lang.Text `json:"reason"`
}

type portState struct {
	Firewall string `json:"firewall,omitempty"` // firewalld, iptables, nftables, ufw; "": none filters
	Where    string `json:"where,omitempty"`    // the zone, the chains
	Live     bool   `json:"live,omitempty"`     // let through now
	Saved    bool   `json:"saved,omitempty"`    // and after the next boot, or nothing would filter then
	File     string `json:"file,omitempty"`     // the file that says so
	Made     bool   `json:"made,omitempty"`     // that file would be made
}

// The firewalls.
const (
	firewalld = "firewalld"
	iptables  = "iptables"
	nftables  = "nftables"
	ufw       = "ufw"
)

// wall is one firewall in force on a machine.
type wall interface {
	look(ctx context.Context, m machine.Machine, o *Port) (portState, error)
	open(ctx context.Context, m machine.Machine, o *Port, say func(lang.Text)) error // now
	close(ctx context.Context, m machine.Machine, o *Port) error                     // now
	saved(m machine.Machine, o *Port) ([]saved, error)                               // in which files, and how
}

// saved is a file with the lines that a firewall starts from.
type saved struct {
	file string
	from string // the file to begin with, where there is none; "": it is not made
	add  func(text string, lines string) (string, bool)
	line string // what is added: whole lines
}

// Kind is "port".
func (o *Port) Kind() string { return "port" }

// Target is the port as firewalls write it, and from whom.
func (o *Port) Target() string {
	s := o.Protocol
	if o.Port > 0 {
		s = fmt.Sprintf("%d/%s", o.Port, o.Protocol)
	}
	for i, p := range o.From {
		s += map[bool]string{true: " ", false: ", "}[i == 0] + address(p)
	}
	return s
}

// address is a prefix without its length where it is one address.
func address(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.Masked().String()
}

// Why is the step's reason.
func (o *Port) Why() lang.Text { return o.Reason }

// ByHand is firewalld's; who has another firewall knows its words.
func (o *Port) ByHand() []string {
	var out []string
	for _, r := range o.firewalldRules() {
		out = append(out, "firewall-cmd --add-"+r.kind+"="+Quote(r.value), "firewall-cmd --permanent --add-"+r.kind+"="+Quote(r.value))
	}
	return out
}

// wall finds the firewall that is in force; nil for none.
func (o *Port) wall(ctx context.Context, m machine.Machine) (wall, string, error) {
	if !running(m) {
		return nil, "", nil
	}
	if up, err := tells(ctx, m, "running", "firewall-cmd", "--state"); err != nil || up {
		return firewalldWall{}, firewalld, err
	}
	if on, err := ufwOn(m); err != nil || on {
		return nil, ufw, err
	}
	tables, err := nftRuleset(ctx, m)
	if err != nil {
		return nil, "", err
	}
	if w, err := iptablesOf(ctx, m, tables); err != nil || len(w) > 0 {
		return w, iptables, err
	}
	if chains := tables.filtering(); len(chains) > 0 {
		return nftWall{chains}, nftables, nil
	}
	return nil, "", nil
}

// tells runs a program and reports whether it ends well and says line; one that is not
// there says nothing.
func tells(ctx context.Context, m machine.Machine, line string, argv ...string) (bool, error) {
	said := line == ""
	err := m.Run(ctx, machine.Command{Argv: argv, Timeout: time.Minute}, func(l string) {
		said = said || strings.TrimSpace(l) == line
	})
	var no *machine.ExitError
	switch {
	case machine.MissingProgram(err), errors.Is(err, machine.ErrNotRunning):
		return false, nil
	case errors.As(err, &no):
		return false, nil
	}
	return err == nil && said, err
}

// ufwOn reads /etc/ufw/ufw.conf (ufw(8)): its rules stand in iptables, and are its own.
func ufwOn(m machine.Machine) (bool, error) {
	data, err := m.ReadFile("/etc/ufw/ufw.conf")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	for line := range strings.Lines(string(data)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && k == "ENABLED" {
			return strings.EqualFold(strings.Trim(v, `"' `), "yes"), err
		}
	}
	return false, err
}

// Observe asks the firewall in force whether it lets this through.
func (o *Port) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, _, err := o.look(ctx, m)
	if err != nil {
		return engine.State{}, o.unreadable(err)
	}
	return engine.NewState(s, nil), nil
}

func (o *Port) unreadable(err error) error {
	return cannot(exited(err), "cannot read the firewall's rules", "无法读取防火墙规则").
		WithHint("run goxin as root, and see what the firewall says: firewall-cmd --list-all, nft list ruleset, iptables -S", "请以 root 身份运行，并查看防火墙状态：firewall-cmd --list-all、nft list ruleset、iptables -S")
}

func (o *Port) look(ctx context.Context, m machine.Machine) (s portState, w wall, err error) {
	w, name, err := o.wall(ctx, m)
	if err == nil && w != nil {
		if s, err = w.look(ctx, m, o); err == nil {
			err = o.lookSaved(m, w, &s)
		}
	}
	s.Firewall = name
	return s, w, err
}

// lookSaved reads the files that the firewall starts from. Saved is set by a wall that
// knows better.
func (o *Port) lookSaved(m machine.Machine, w wall, s *portState) error {
	files, err := w.saved(m, o)
	if err != nil {
		return err
	}
	all := true
	for _, f := range files {
		text, exists, err := f.read(m)
		if err != nil {
			return err
		}
		if !exists && f.from == "" {
			continue // nothing filters after a boot, or not from here
		}
		if !has(text, f.line) {
			all = false
			s.File, s.Made = f.file, !exists
		}
	}
	s.Saved = s.Saved || all
	if s.Saved {
		s.File, s.Made = "", false
	}
	return nil
}

// read gives the file, or what it would begin with.
func (f saved) read(m machine.Machine) (text string, exists bool, err error) {
	data, err := m.ReadFile(f.file)
	if err == nil || !errors.Is(err, fs.ErrNotExist) || f.from == "" {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
			return "", false, err
		}
		return string(data), err == nil, err
	}
	data, err = m.ReadFile(f.from)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(data), false, err
}

// has says whether whole lines stand in text one after the other.
func has(text, lines string) bool { return strings.Contains("\n"+text, "\n"+lines) }

// Diff is what is not let through yet.
func (o *Port) Diff(s engine.State) engine.Diff {
	was, _, err := decode[portState](o, s)
	switch {
	case err != nil:
		return engine.Diff{Action: engine.Update, Note: lang.F("%s", "%s", err)}
	case was.Firewall == "":
		return engine.Diff{Action: engine.None, Note: lang.T("no firewall filters here", "本机没有生效的防火墙")}
	case was.Firewall == ufw:
		return engine.Diff{Action: engine.Create, Note: lang.T("ufw filters here: to be opened by hand", "本机由 ufw 过滤：需手工放行")}
	case was.Live && was.Saved:
		return engine.Diff{Action: engine.None}
	}
	d := engine.Diff{Action: engine.Create, Note: lang.F("in %s, %s", "位于 %s，%s", was.Firewall, Visible(was.Where))}
	row := func(yes bool, name, then string) {
		if !yes {
			d.Rows = append(d.Rows, engine.Row{Action: engine.Create, Name: name, Then: then})
		}
	}
	row(was.Live, o.Target(), "accept")
	row(was.Saved, o.Target(), Visible(was.File))
	return d
}

// Do lets it through, now and after the next boot.
func (o *Port) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	fail := func(err error) (engine.Outcome, error) {
		return engine.Outcome{}, cannot(exited(err), "cannot open %s in the firewall", "无法在防火墙中放行 %s", o.Target())
	}
	s, w, err := o.look(ctx, m)
	if err != nil {
		return engine.Outcome{}, o.unreadable(err)
	}
	if s.Firewall == ufw {
		return engine.Outcome{Kind: engine.Refused, By: lang.F("ufw manages this firewall: ufw allow %s", "此防火墙由 ufw 管理：ufw allow %s", o.Target())}, nil
	}
	if w == nil {
		return engine.OK, nil
	}
	if !s.Saved {
		if err := o.save(m, w); err != nil {
			return fail(err)
		}
	}
	if !s.Live {
		if err := w.open(ctx, m, o, say); err != nil {
			return fail(err)
		}
	}
	return engine.OK, o.tidy(m, w)
}

func (o *Port) save(m machine.Machine, w wall) error {
	files, err := w.saved(m, o)
	if err != nil {
		return err
	}
	for _, f := range files {
		text, exists, err := f.read(m)
		if err != nil {
			return err
		}
		if !exists && f.from == "" || has(text, f.line) {
			continue
		}
		now, ok := f.add(text, f.line)
		if !ok {
			return lang.Errorf(nil, "there is no place for a rule in %s", "%s 中没有可加入规则的位置", f.file).
				WithHint("look at the file: it is not as its firewall writes it", "请检查该文件：其内容不是防火墙应有的格式")
		}
		if err := o.write(m, f, now, exists); err != nil {
			return err
		}
	}
	return nil
}

// write keeps the mode and owner of the file there is, or of the one to begin with.
func (o *Port) write(m machine.Machine, f saved, text string, exists bool) error {
	like := f.file
	if !exists {
		like = f.from
	}
	mode, owner := fs.FileMode(0o600), machine.RootOwner
	if info, err := m.Stat(like); err == nil {
		i := inodeOf(info)
		mode, owner = fs.FileMode(i.Mode), i.owner()
	}
	return m.WriteFile(f.file, []byte(text), mode, owner)
}

// tidy removes what an interrupted write left.
func (o *Port) tidy(m machine.Machine, w wall) error {
	files, err := w.saved(m, o)
	for _, f := range files {
		if err == nil {
			err = m.Clean(f.file)
		}
	}
	return err
}

// Undo takes out what was added: now, and from the files.
func (o *Port) Undo(ctx context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[portState](o, before)
	if err != nil || was.Firewall == "" || was.Firewall == ufw {
		return err
	}
	ours, seen, err := decode[portState](o, after)
	if err != nil {
		return err
	}
	now, w, err := o.look(ctx, m)
	if err != nil {
		return o.unreadable(err)
	}
	if seen && ours == was && now != was && w != nil && !o.marks(w) {
		return notOurs("somebody let it through since", "之后被他人放行")
	}
	if w == nil || now.Firewall != was.Firewall {
		return notOurs("another firewall is in force since: %s", "之后换成了另一个防火墙：%s", now.Firewall)
	}
	if !was.Live {
		err = w.close(ctx, m, o)
	}
	if err == nil && !was.Saved {
		err = o.unsave(m, w, was)
	}
	if err == nil {
		err = o.tidy(m, w)
	}
	if err == nil && !was.Saved {
		err = o.rewritten(m, w)
	}
	if err != nil && !errors.Is(err, engine.ErrNotOurs) {
		return cannot(exited(err), "cannot close %s in the firewall again", "无法在防火墙中撤销放行 %s", o.Target())
	}
	return err
}

// marks says whether our rules can be told from other people's. Of several rules of
// firewalld's, some may be ours where not all of them were made.
func (o *Port) marks(w wall) bool {
	_, plain := w.(firewalldWall)
	return !plain || len(o.firewalldRules()) > 1
}

// rewritten tells of a file that still has our rule, in somebody else's words: it was
// made of what was in force.
func (o *Port) rewritten(m machine.Machine, w wall) error {
	files, err := w.saved(m, o)
	if err != nil {
		return err
	}
	for _, f := range files {
		text, _, err := f.read(m)
		if err != nil {
			return err
		}
		if strings.Contains(text, `"`+o.mark()+`"`) {
			return notOurs("%s was written anew since, and lets it through from the next boot on", "%s 之后被重新生成，重启后仍会放行", f.file)
		}
	}
	return nil
}

func (o *Port) unsave(m machine.Machine, w wall, was portState) error {
	files, err := w.saved(m, o)
	if err != nil {
		return err
	}
	for _, f := range files {
		text, exists, err := f.read(m)
		if err != nil {
			return err
		}
		if !exists || !has(text, f.line) {
			continue
		}
		at := strings.Index("\n"+text, "\n"+f.line)
		rest := text[:at] + text[at+len(f.line):]
		if was.Made && was.File == f.file {
			if template, err := m.ReadFile(f.from); err == nil && string(template) == rest {
				if err := m.Remove(f.file); err != nil {
					return err
				}
				continue
			}
		}
		if err := o.write(m, f, rest, true); err != nil {
			return err
		}
	}
	return nil
}
