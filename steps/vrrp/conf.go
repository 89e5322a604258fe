package vrrp

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
)

// Conf is what a keepalived.conf says of VRRP. Files it includes are not read.
type Conf struct {
	Strict    bool // vrrp_strict
	Security  bool // enable_script_security
	Version   int  // vrrp_version, 0 where it is not said: 2
	Instances []VirtualRouter
	Includes  []string
	// Unread are lines that mean more than they say: variables and conditions.
	Unread []int
}

// statement is one line of the file, with the block that follows it.
type statement struct {
	words []string
	block []statement
	line  int
}

// mostBytes is the longest file that is read: keepalived's own are a few kilobytes.
const mostBytes = 1 << 20

const mostDeep = 32

// ParseConf reads keepalived.conf: keepalived.conf(5). It knows blocks, comments and quotes;
// what it does not know of it leaves out.
func ParseConf(b []byte) (Conf, error) {
	if len(b) > mostBytes {
		return Conf{}, badConf("it is longer than 1 MiB", "超过 1 MiB")
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return Conf{}, badConf("it is no text", "不是文本")
	}
	p := parser{words: tokens(string(b))}
	all, err := p.statements(0)
	if err != nil {
		return Conf{}, err
	}
	var c Conf
	scripts := map[string]int{}
	for _, s := range all {
		c.top(s, scripts)
	}
	for i := range c.Instances {
		c.Instances[i].resolve(scripts, c.Version)
	}
	return c, nil
}

func badConf(en, zh string, args ...any) error {
	return lang.Because(lang.Because(nil, en, zh, args...), "no keepalived.conf", "不是 keepalived.conf")
}

// token is a word, a brace that stands alone, or the end of a line ("\n").
type token struct {
	text   string
	quoted bool
	line   int
}

func tokens(s string) []token {
	var out []token
	for n, line := range strings.Split(s, "\n") {
		for i := 0; i < len(line); {
			switch c := line[i]; c {
			case ' ', '\t', '\r':
				i++
			case '#', '!':
				i = len(line)
			case '{', '}':
				out = append(out, token{text: string(c), line: n + 1})
				i++
			case '"', '\'':
				end := strings.IndexByte(line[i+1:], c)
				if end < 0 {
					end = len(line) - i - 1
				}
				out = append(out, token{line[i+1 : i+1+end], true, n + 1})
				i += end + 2
			default:
				end := strings.IndexAny(line[i:], " \t\r{}#!\"")
				if end < 0 {
					end = len(line) - i
				}
				out = append(out, token{text: line[i : i+end], line: n + 1})
				i += max(end, 1)
			}
		}
		out = append(out, token{text: "\n", line: n + 1})
	}
	return out
}

type parser struct {
	words []token
	at    int
}

func (p *parser) statements(deep int) ([]statement, error) {
	if deep > mostDeep {
		return nil, badConf("its blocks are nested more than %d deep", "区块嵌套超过 %d 层", mostDeep)
	}
	var out []statement
	var now statement
	flush := func() {
		if len(now.words) > 0 {
			out = append(out, now)
		}
		now = statement{}
	}
	for p.at < len(p.words) {
		t := p.words[p.at]
		p.at++
		switch {
		case !t.quoted && t.text == "\n":
			flush()
		case !t.quoted && t.text == "{":
			if len(now.words) == 0 && len(out) > 0 && out[len(out)-1].block == nil {
				now, out = out[len(out)-1], out[:len(out)-1] // the brace stands on a line of its own
			}
			block, err := p.statements(deep + 1)
			if err != nil {
				return nil, err
			}
			if now.block = block; now.block == nil {
				now.block = []statement{}
			}
			flush()
		case !t.quoted && t.text == "}":
			flush()
			if deep == 0 {
				return nil, badConf("line %d closes a block that is not open", "第 %d 行的右括号没有对应的左括号", t.line)
			}
			return out, nil
		default:
			if len(now.words) == 0 {
				now.line = t.line
			}
			now.words = append(now.words, t.text)
		}
	}
	flush()
	if deep > 0 {
		return nil, badConf("a block is not closed", "有区块没有闭合")
	}
	return out, nil
}

func (c *Conf) top(s statement, scripts map[string]int) {
	name := ""
	if len(s.words) > 1 {
		name = s.words[1]
	}
	switch word := s.words[0]; {
	case strings.HasPrefix(word, "$") || strings.HasPrefix(word, "@"):
		c.Unread = append(c.Unread, s.line)
	case word == "include":
		c.Includes = append(c.Includes, name)
	case word == "global_defs":
		for _, g := range s.block {
			switch g.words[0] {
			case "vrrp_strict":
				c.Strict = true
			case "enable_script_security":
				c.Security = true
			case "vrrp_version":
				c.Version = g.number(1)
			}
		}
	case word == "vrrp_script" || word == "vrrp_track_process" || word == "track_file" || word == "vrrp_track_file":
		for _, g := range s.block {
			if g.words[0] == "weight" {
				scripts[name] = g.number(1)
			}
		}
		if _, said := scripts[name]; !said && strings.HasSuffix(word, "track_file") {
			scripts[name] = 1 // keepalived.conf(5): the weight of a file is 1 unless it is said
		}
	case word == "vrrp_instance":
		c.Instances = append(c.Instances, instance(name, s.block))
	}
}

func (s statement) word(i int) string {
	if i < len(s.words) {
		return s.words[i]
	}
	return ""
}

func (s statement) number(i int) int {
	n, _ := strconv.Atoi(s.word(i))
	return n
}

// VirtualRouter is a vrrp_instance.
type VirtualRouter struct {
	Name      string
	State     string // MASTER, BACKUP, "" where it is not said: BACKUP
	Interface string
	VRID      int
	Priority  int
	Version   int
	Advert    time.Duration
	NoPreempt bool
	Source    netip.Addr   // unicast_src_ip
	Peers     []netip.Addr // sorted
	Addresses []string     // virtual_ipaddress, sorted, each without its device
	Auth      string       // PASS 1111
	Weighted  []string     // what it tracks with a weight that is not 0
	Tracks    []string     // what it tracks, sorted
	weights   map[string]int
}

func instance(name string, block []statement) VirtualRouter {
	i := VirtualRouter{Name: name, Priority: 100, Advert: time.Second, weights: map[string]int{}}
	for _, s := range block {
		switch s.words[0] {
		case "state":
			i.State = strings.ToUpper(s.word(1))
		case "interface":
			i.Interface = s.word(1)
		case "virtual_router_id":
			i.VRID = s.number(1)
		case "priority":
			i.Priority = s.number(1)
		case "version":
			i.Version = s.number(1)
		case "advert_int":
			if f, err := strconv.ParseFloat(s.word(1), 64); err == nil && f > 0 && f <= 255 {
				i.Advert = time.Duration(f*100+0.5) * 10 * time.Millisecond
			}
		case "nopreempt":
			i.NoPreempt = true
		case "unicast_src_ip":
			i.Source, _ = netip.ParseAddr(s.word(1))
		case "unicast_peer":
			for _, p := range s.block {
				if a, err := netip.ParseAddr(p.words[0]); err == nil {
					i.Peers = append(i.Peers, a)
				}
			}
		case "virtual_ipaddress", "virtual_ipaddress_excluded":
			for _, p := range s.block {
				i.Addresses = append(i.Addresses, p.words[0])
			}
		case "authentication":
			for _, p := range s.block {
				i.Auth = strings.TrimSpace(i.Auth + " " + p.word(1))
			}
		case "track_script", "track_file", "track_process":
			for _, p := range s.block {
				i.Tracks = append(i.Tracks, p.words[0])
				if at := slices.Index(p.words, "weight"); at > 0 {
					i.weights[p.words[0]] = p.number(at + 1)
				}
			}
		}
	}
	slices.SortFunc(i.Peers, netip.Addr.Compare)
	slices.Sort(i.Addresses)
	slices.Sort(i.Tracks)
	return i
}

// resolve fills in what the rest of the file decides.
func (i *VirtualRouter) resolve(scripts map[string]int, version int) {
	if i.Version == 0 {
		i.Version = max(version, 2)
	}
	for _, t := range i.Tracks {
		w, own := i.weights[t]
		if !own {
			w = scripts[t]
		}
		if w != 0 {
			i.Weighted = append(i.Weighted, t)
		}
	}
}
