package ha

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"path"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/stock"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

const (
	keepalivedConf = "/etc/keepalived/keepalived.conf"
	protocolConf   = "/etc/iproute2/rt_addrprotos.d/keepalived.conf"
	nginxConf      = "/etc/nginx/conf.d/goxin.conf"
	mark           = "# Managed by goxin" // the first line of every file of the step
)

// node is what was looked up on one machine.
type node struct {
	Interfaces []iface      `json:"interfaces,omitempty"`
	Interface  string       `json:"interface,omitempty"` // the one in the address's network, or as answered
	Address    netip.Prefix `json:"address,omitzero"`    // the node's own there, with its network
	MAC        string       `json:"mac,omitempty"`
	Holds      string       `json:"holds,omitempty"` // the interface that has the virtual address
	Packages   *stock.Seen  `json:"packages,omitempty"`
	Keepalived string       `json:"keepalived,omitempty"` // 2.2.7: what is there, else what would come
	Conf       string       `json:"conf,omitempty"`       // keepalived.conf as it stands
	Named      bool         `json:"named,omitempty"`      // somebody else wrote protocolConf
	NginxSays  string       `json:"nginx_says,omitempty"` // of a configuration that is broken already
	Exits      bool         `json:"exits,omitempty"`      // the kernel tells of processes that end (CONFIG_PROC_EVENTS)
	Relays     bool         `json:"relays,omitempty"`     // nft takes the relay's rules
	// Files are SHA-256 of nginx's other files and of the certificates they name.
	Files map[string]string `json:"files,omitempty"`
	Skew  time.Duration     `json:"skew,omitempty"`  // its clock, ahead of the first machine's
	Doubt time.Duration     `json:"doubt,omitempty"` // how far that may be off
	// What came of the wire; nil: it was not asked.
	Found  *wire.Found   `json:"found,omitempty"`  // who has the virtual address
	Peer   *wire.Found   `json:"peer,omitempty"`   // who has the other node's
	Heard  *wire.Heard   `json:"heard,omitempty"`  // on the segment
	Passes *wire.Arrived `json:"passes,omitempty"` // protocol 112, from here to the other node
	Deaf   lang.Text     `json:"deaf,omitzero"`    // why the wire could not be asked
}

type iface struct {
	Name      string         `json:"name"`
	MAC       string         `json:"mac,omitempty"`
	Addresses []netip.Prefix `json:"addresses,omitempty"`
}

// survey is what the step looks up, by machine.
type survey map[machine.ID]*node

func read(sv engine.Survey) (survey, error) {
	s := survey{}
	if len(sv) > 0 {
		if err := json.Unmarshal(sv, &s); err != nil {
			return nil, engine.BadSurvey(err)
		}
	}
	return s, nil
}

// ours says whether a file is one that the step wrote.
func ours(content string) bool { return strings.HasPrefix(content, mark) }

// look reads one machine. What cannot be read is taken for absent.
func (s Step) look(ctx context.Context, m machine.Machine, f *detect.Facts, a answers) (*node, error) {
	n := &node{}
	var err error
	if n.Packages, err = s.asker().Look(ctx, m, f, packages...); err != nil {
		return nil, err
	}
	if n.Conf, err = text(m, keepalivedConf); err != nil {
		return nil, err
	}
	named, err := text(m, protocolConf)
	if err != nil {
		return nil, err
	}
	n.Named = named != "" && !ours(named)
	n.Files = nginxFiles(m)
	if !f.Running {
		return n, nil
	}
	if n.Interfaces, err = interfaces(ctx, m); err != nil {
		return nil, err
	}
	n.choose(a)
	n.Keepalived = keepalivedVersion(ctx, m)
	if n.Keepalived == "" {
		n.Keepalived = vrrp.Capabilities(upstream(n.Packages.Available["keepalived"])).Version
	}
	n.NginxSays = nginxBroken(ctx, m)
	n.Exits = procEvents(m) && !f.Container.Value
	n.Relays = relays(ctx, m)
	return n, nil
}

// upstream is a package's version without what the distribution adds: 1:2.2.7-1+b2.
func upstream(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v = rest
	}
	v, _, _ = strings.Cut(v, "-")
	return v
}

func (s Step) asker() stock.Ask {
	if s.Ask != nil {
		return *s.Ask
	}
	return stock.Real()
}

// packages are called alike by rpm and by Debian.
var packages = []string{"keepalived", "nginx"}

// text is a file as it stands; "" where there is none.
func text(m machine.Machine, name string) (string, error) {
	data, err := m.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", lang.Errorf(err, "cannot read %s", "无法读取 %s", name).WithHint("see what it is: ls -l %s", "查看：ls -l %s", name)
	}
	return string(data), nil
}

// interfaces are those of `ip -j address`: with -4 it would leave the hardware addresses out.
func interfaces(ctx context.Context, m machine.Machine) ([]iface, error) {
	var out strings.Builder
	err := m.Run(ctx, machine.Command{Argv: []string{"ip", "-j", "address", "show"}, Timeout: time.Minute}, func(line string) { out.WriteString(line) })
	if err != nil {
		return nil, lang.Errorf(err, "cannot list the addresses", "无法列出地址").
			WithHint("is iproute2 installed? it has `ip`", "请确认已安装 iproute2（提供 ip 命令）")
	}
	return parseInterfaces(out.String())
}

func parseInterfaces(s string) ([]iface, error) {
	var all []struct {
		Name    string `json:"ifname"`
		MAC     string `json:"address"`
		Kind    string `json:"link_type"`
		Entries []struct {
			Family string `json:"family"`
			Local  string `json:"local"`
			Bits   int    `json:"prefixlen"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal([]byte(s), &all); err != nil {
		return nil, lang.Errorf(err, "cannot read what `ip -j address` says", "无法读懂 `ip -j address` 的输出").
			WithHint("its version is too old for -j, or it is not iproute2's", "版本过旧不支持 -j，或并非 iproute2 的 ip")
	}
	var out []iface
	for _, l := range all {
		i := iface{Name: l.Name, MAC: strings.ToLower(l.MAC)}
		for _, e := range l.Entries {
			a, err := netip.ParseAddr(e.Local)
			if err != nil || !a.Is4() || e.Bits < 0 || e.Bits > 32 {
				continue
			}
			i.Addresses = append(i.Addresses, netip.PrefixFrom(a, e.Bits))
		}
		if i.Name != "" && checkInterface(i.Name) == nil && len(i.Addresses) > 0 {
			out = append(out, i)
		}
	}
	return out, nil
}

// choose picks the interface in whose network the virtual address is.
func (n *node) choose(a answers) {
	for _, i := range n.Interfaces {
		for _, p := range i.Addresses {
			switch {
			case p.Addr() == a.VIP:
				n.Holds = i.Name
			case !a.VIP.IsValid() || !p.Contains(a.VIP) || n.Interface != "":
			case a.Interface == auto && i.Name != "lo" || i.Name == a.Interface:
				n.Interface, n.Address, n.MAC = i.Name, p, i.MAC
			}
		}
	}
}

// keepalivedVersion asks keepalived; its first line goes to stderr.
func keepalivedVersion(ctx context.Context, m machine.Machine) string {
	var first string
	_ = m.Run(ctx, machine.Command{Argv: []string{"keepalived", "--version"}, Timeout: time.Minute}, func(line string) { // one that is not there has no version
		if first == "" {
			first = line
		}
	})
	return vrrp.Capabilities(first).Version
}

// nginxBroken is what nginx says of its configuration, where it would not start with it.
func nginxBroken(ctx context.Context, m machine.Machine) string {
	var said []string
	err := m.Run(ctx, machine.Command{Argv: []string{"nginx", "-t", "-q"}, Timeout: time.Minute}, func(line string) {
		if len(said) < 4 {
			said = append(said, op.Visible(line))
		}
	})
	if err == nil || machine.MissingProgram(err) {
		return ""
	}
	return strings.Join(said, "\n")
}

// procEvents says whether the kernel was built to tell of processes that end.
func procEvents(m machine.Machine) bool {
	k, err := m.Kernel()
	if err != nil {
		return false
	}
	data, err := m.ReadFile("/boot/config-" + k.Release)
	return err == nil && strings.Contains(string(data), "\nCONFIG_PROC_EVENTS=y")
}

const mostFiles = 200

// nginxFiles are the hashes of what nginx is told, and of the certificates it is told of.
func nginxFiles(m machine.Machine) map[string]string {
	out := map[string]string{}
	add := func(name string) string {
		data, err := m.ReadFile(name)
		if err != nil || len(out) >= mostFiles || name == nginxConf {
			return ""
		}
		out[name] = engine.NewState(nil, append(data, 0)).Ref // of an empty file too
		return string(data)
	}
	for _, dir := range []string{"/etc/nginx", "/etc/nginx/conf.d", "/etc/nginx/sites-enabled", "/etc/nginx/default.d", "/etc/nginx/snippets"} {
		names, err := m.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, name := range names {
			full := path.Join(dir, name)
			if i, err := m.Stat(full); err != nil || !i.Mode.IsRegular() || i.Size > 1<<20 {
				continue
			}
			for line := range strings.Lines(add(full)) {
				w := strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), ";"))
				if len(w) == 2 && (w[0] == "ssl_certificate" || w[0] == "ssl_certificate_key") && path.IsAbs(w[1]) {
					add(w[1])
				}
			}
		}
	}
	return out
}
