package demo

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"goxin/steps/vrrp"
)

// iface is the interface with the machine's address.
func (s *sim) iface() string {
	best := ""
	for _, i := range s.facts.Network {
		switch {
		case i.Virtual:
		case i.State == "up":
			return i.Name
		case best == "":
			best = i.Name
		}
	}
	if best == "" {
		return "eth0"
	}
	return best
}

// forbidding furnishes a machine whose SELinux is in force with the boolean that a proxy
// takes, as the policy is delivered.
func (s *sim) forbidding() error {
	if !s.exists("/sys/fs/selinux/enforce") {
		return nil
	}
	return s.write(path.Join(selinuxBooleans, "httpd_can_network_connect"), []byte("0 0"), 0o644)
}

// wired furnishes the machine with what it knows of its interface, and with goxin, which
// whoever came with it has put under /opt for more than one architecture.
func (s *sim) wired() error {
	arch, i := s.facts.Arch.GOARCH.Value, s.iface()
	goxin := stub{Tool: "goxin"}.encode(arch)
	for name, text := range map[string]string{
		"/sys/class/net/" + i + "/address":               mac(s.place) + "\n",
		"/proc/sys/net/ipv4/conf/" + i + "/arp_ignore":   "0\n",
		"/proc/sys/net/ipv4/conf/" + i + "/arp_announce": "0\n",
		"/opt/goxin/goxin":                               string(goxin),
		"/opt/goxin/goxin-" + arch:                       string(goxin),
		"/usr/sbin/nft":                                  string(stub{Tool: "nft"}.encode(arch)),
	} {
		if err := s.write(name, []byte(text), map[bool]fs.FileMode{true: 0o755, false: 0o644}[strings.HasPrefix(text, "\x7fELF")]); err != nil {
			return err
		}
	}
	if s.exists("/proc/self/exe") {
		return nil
	}
	return s.Machine.Symlink("/opt/goxin/goxin", "/proc/self/exe")
}

// goxin is goxin itself, told to do something on this machine.
func (c *call) goxin() error {
	switch {
	case c.has("--version"):
		c.say("goxin (simulated)")
		return nil
	case len(c.args) == 0:
		return c.exit(2)
	case c.args[0] == "wire":
		return c.wireCommand()
	case c.args[0] == "probe" && len(c.args) == 3 && c.args[1] == "copy":
		return c.write(c.args[2], stub{Tool: "goxin"}.encode(c.facts.Arch.GOARCH.Value), 0o755)
	case c.args[0] == "probe" && len(c.args) > 1:
		return c.probe(c.args[1], nil)
	}
	c.say("goxin: unknown command %q", c.args[0])
	return c.exit(2)
}

// ipCommand is ip(8), as far as it is about addresses.
func (c *call) ipCommand() error {
	var words []string
	for _, a := range c.args {
		if !strings.HasPrefix(a, "-") {
			words = append(words, a)
		}
	}
	if len(words) < 2 || !strings.HasPrefix("address", words[0]) {
		return c.exit(255)
	}
	var on map[string][]netip.Prefix
	name := c.iface()
	c.pair.lan.do(func() {
		n := c.pair.lan.node(c.sim)
		switch words[1] {
		case "add", "replace", "del":
			n.apply(command{argv: append([]string{"ip"}, words...)})
		}
		on = map[string][]netip.Prefix{
			"lo": {netip.MustParsePrefix("127.0.0.1/8")}, name: {netip.PrefixFrom(c.place, segmentBits)},
		}
		if n.holds {
			on[name] = append(on[name], n.vip)
		}
		if n.onLo {
			on["lo"] = append(on["lo"], netip.PrefixFrom(n.vip.Addr(), 32))
		}
	})
	if words[1] != "show" {
		return nil
	}
	type entry struct {
		Family string `json:"family"`
		Local  string `json:"local"`
		Bits   int    `json:"prefixlen"`
	}
	type link struct {
		Name string  `json:"ifname"`
		Kind string  `json:"link_type"`
		MAC  string  `json:"address"`
		Info []entry `json:"addr_info"`
	}
	dev := c.after("dev")
	var all []link
	for k, l := range []link{{Name: "lo", Kind: "loopback", MAC: "00:00:00:00:00:00"}, {Name: name, Kind: "ether", MAC: mac(c.place)}} {
		if dev != "" && dev != l.Name {
			continue
		}
		for _, p := range on[l.Name] {
			l.Info = append(l.Info, entry{"inet", p.Addr().String(), p.Bits()})
			if c.has("-o") {
				c.say("%d: %s    inet %s scope global %s", k+1, l.Name, p, l.Name)
			}
		}
		all = append(all, l)
	}
	if c.has("-j") {
		b, err := json.Marshal(all)
		if err != nil {
			panic(err) // plain data
		}
		c.say("%s", string(b))
	}
	return nil
}

// segmentBits is the length of the network's prefix.
const segmentBits = 24

// nft has no rules but those of a drill, and takes what it is told.
func (c *call) nft() error {
	switch {
	case c.has("list"):
		c.say(`{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}]}`)
	case c.has("-f"):
		if c.c.Stdin != nil {
			if _, err := io.Copy(io.Discard, c.c.Stdin); err != nil {
				return err
			}
		}
	default:
		c.pair.lan.do(func() { c.pair.lan.node(c.sim).apply(command{argv: append([]string{"nft"}, c.args...)}) })
	}
	return c.wait(20 * time.Millisecond)
}

// apply does a command of a drill, or of the timer that takes its fault back.
func (n *node) apply(cmd command) {
	line := strings.Join(cmd.argv, " ")
	switch {
	case len(cmd.argv) == 0:
	case cmd.argv[0] == "/bin/sh" || cmd.argv[0] == "sh":
		if inner, ok := shellCommands(cmd.argv[len(cmd.argv)-1]); ok {
			for _, c := range inner {
				n.apply(c)
			}
		}
	case cmd.argv[0] == "nft" && strings.Contains(line, "delete table"):
		n.deaf, n.cut = false, false
	case cmd.argv[0] == "nft" && strings.Contains(line, "l4proto 112 drop"):
		n.deaf = true
	case cmd.argv[0] == "nft" && strings.Contains(line, "add chain arp"):
		n.cut = true
	case cmd.argv[0] == "ip" && strings.Contains(line, "dev lo"):
		n.onLo = !strings.Contains(line, " del ")
	case cmd.argv[0] == "echo" && cmd.file != "":
		_ = n.sim.WriteKernel(cmd.file, []byte(strings.Join(cmd.argv[1:], " ")+"\n")) // it was there to be read
	}
}

// shell runs a script: what logins do (shell.go), or the few commands of a drill.
func (c *call) script(text string) error {
	commands, ok := shellCommands(text)
	if !ok {
		c.say("the simulated shell does not understand this script")
		return c.exit(2)
	}
	for _, cmd := range commands {
		switch {
		case cmd.argv[0] == "echo" && cmd.file != "":
			if err := c.WriteKernel(cmd.file, []byte(strings.Join(cmd.argv[1:], " ")+"\n")); err != nil {
				return err
			}
		case cmd.argv[0] == "true":
		default:
			run := c.program(path.Base(cmd.argv[0]))
			if run == nil {
				c.say("sh: %s: command not found", cmd.argv[0])
				return c.exit(127)
			}
			k := *c
			k.name, k.args, k.c.Argv = path.Base(cmd.argv[0]), cmd.argv[1:], cmd.argv
			err := run(&k)
			if err != nil && !strings.Contains(text, "|| true") {
				return err
			}
		}
	}
	return nil
}

// version is what an installed package has.
func (c *call) installedVersion(name string) string {
	for _, h := range c.load() {
		if h.name == name {
			return upstream(h.version)
		}
	}
	return ""
}

// keepalivedCommand tells its version, or tests a configuration.
func (c *call) keepalivedCommand() error {
	if c.has("--version", "-v") {
		c.say("Keepalived v%s (simulated)", c.installedVersion("keepalived"))
		return nil
	}
	if err := c.wait(120 * time.Millisecond); err != nil {
		return err
	}
	file := c.after("-f")
	if file == "" {
		file = keepalivedConf
	}
	if _, err := vrrp.ParseConf([]byte(c.read(file))); err != nil || !c.exists(file) {
		c.say("(%s: Line 1) Configuration file is not usable", file)
		return c.exit(4)
	}
	return nil
}

const keepalivedConf = "/etc/keepalived/keepalived.conf"

// nginxCommand tests nginx's configuration: its braces.
func (c *call) nginxCommand() error {
	if c.has("-v") {
		c.say("nginx version: nginx/%s", c.installedVersion("nginx"))
		return nil
	}
	if err := c.wait(60 * time.Millisecond); err != nil {
		return err
	}
	file := c.after("-c")
	if file == "" {
		file = "/etc/nginx/nginx.conf"
	}
	text := c.read(file) + c.read("/etc/nginx/conf.d/goxin.conf")
	if open, closed := strings.Count(text, "{"), strings.Count(text, "}"); open != closed {
		c.say("nginx: [emerg] unexpected end of file, expecting \";\" or \"}\" in %s", file)
		return c.exit(1)
	}
	if !c.has("-q") {
		c.say("nginx: configuration file %s test is successful", file)
	}
	return nil
}

// pairScript is one of the programs that goxin puts beside keepalived.
func (c *call) pairScript() error {
	switch c.name {
	case "goxin-conf":
		if len(c.args) > 0 {
			c.args = []string{"-t", "-f", c.args[0]}
		}
		return c.keepalivedCommand()
	case "goxin-health":
		status, port := 0, 0
		_, _ = fmt.Sscan(slices.Concat(c.args, []string{"0"})[0], &port)
		if err := c.wait(4 * time.Millisecond); err != nil {
			return err
		}
		c.pair.lan.do(func() {
			c.pair.lan.look()
			status, _ = c.pair.lan.node(c.sim).web(port)
		})
		if status < 200 || status >= 400 {
			return c.exit(1)
		}
	}
	return nil
}

// connect opens a connection to one of the machines, or to the address they share, where
// a web server may listen.
func (g *segment) connect(s *sim, ip netip.Addr, port string) (net.Conn, error) {
	number, _ := strconv.Atoi(port) // 0: nobody listens
	status := nobody
	g.do(func() {
		g.look()
		n := g.node(s)
		if !ip.IsLoopback() {
			n = n.answerer(ip)
		}
		if status = noAnswer; n != nil {
			status, _ = n.web(number)
		}
	})
	switch status {
	case nobody:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case noAnswer:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH}
	}
	client, server := newStream("127.0.0.1:40000", net.JoinHostPort(ip.String(), port))
	go func() {
		defer server.Close()
		if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
			fmt.Fprintf(server, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n", status, http.StatusText(status))
		}
	}()
	return client, nil
}
