package ha

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/stock"
	"goxin/steps/vrrp"
)

// Step is the high-availability step. The zero Step asks the machines' own package managers.
type Step struct{ Ask *stock.Ask }

var (
	_ engine.Step       = Step{}
	_ engine.Surveyor   = Step{}
	_ engine.Resurveyor = Step{}
	_ engine.Noter      = Step{}
	_ engine.Prover     = Step{}
	_ engine.Paired     = Step{}
)

// Field keys, as they stand in an answers file.
const (
	KeyVIP        = "vip"
	KeyInterface  = "interface"
	KeyVRID       = "vrid"
	KeyAdvert     = "advert"
	KeyPort       = "port"
	KeyUpstream   = "upstream"
	KeyHealth     = "health"
	KeyCheckEvery = "check_every"
	KeyFirewall   = "firewall"
	KeyNonlocal   = "nonlocal_bind"
	KeyReplace    = "replace"
	KeyDrill      = "drill"
)

const (
	auto    = "auto"
	keep    = "keep"
	replace = "replace"
	full    = "full"
	quick   = "quick"
	none    = "none"

	usualUpstream = "127.0.0.1:8080"
)

// Paired says that the step is done on both machines.
func (Step) Paired() bool { return true }

// ID is "ha".
func (Step) ID() string { return "ha" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("HA pair", "双机高可用") }

// Fields are the keys under steps.ha.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: KeyVIP, Kind: engine.Text, Check: checkVIP,
			Title: lang.T("Which address do the two share? (virtual IP)", "两台机器共用哪个地址？（虚拟 IP）"),
			Help:  lang.T("A free IPv4 address of the network both are in: 192.168.1.100. goxin asks by ARP whether somebody has it.", "两台机器所在网络中的一个空闲 IPv4 地址，例如 192.168.1.100。goxin 会用 ARP 探测它是否已被占用。"),
		},
		{
			Key: KeyInterface, Kind: engine.Text, Default: auto, Check: checkInterface,
			Title: lang.T("On which interface? (auto: the one in that network)", "使用哪个网卡？（auto：该网络所在的网卡）"),
			Help:  lang.T("VRRP goes over the interface that has the address: a line of its own would say that all is well when the clients' line is cut.", "VRRP 与虚拟 IP 走同一网卡：若另拉一条心跳线，业务线断了它仍会报告正常。"),
		},
		{
			Key: KeyVRID, Kind: engine.Number, Min: 0, Max: 255, Default: int64(0),
			Title: lang.T("Virtual router ID (0: choose a free one)", "虚拟路由器 ID（VRID，0 表示自动选择空闲值）"),
			Help:  lang.T("Other pairs on the segment must not have it. goxin listens for them.", "同一网段的其他主备组不能使用相同的值。goxin 会先监听网段。"),
		},
		{
			Key: KeyAdvert, Kind: engine.Text, Default: auto, Check: checkAdvert,
			Title: lang.T("How often does the owner say that it lives? (200ms, 1s; auto)", "主节点多久通告一次？（200ms、1s；auto）"),
			Help: lang.T("After three of them without a word the other takes over. Short: a dead node is missed sooner. Long: a node that only stood still for a moment is not taken for dead.",
				"连续三个间隔没有通告，对方就接管。间隔短，节点故障发现得快；间隔长，短暂停顿的节点不会被误判为故障。"),
		},
		{
			Key: KeyPort, Kind: engine.Number, Min: 1, Max: 65535, Default: int64(80),
			Title: lang.T("On which port does nginx answer?", "nginx 监听哪个端口？"),
			Help:  lang.T("HTTP, on every address of the node, so that nginx starts on the node that does not own the address too.", "HTTP，监听节点的所有地址，这样不持有虚拟 IP 的节点也能启动 nginx。"),
		},
		{
			Key: KeyUpstream, Kind: engine.List, Default: []string{usualUpstream}, Check: checkUpstream,
			Title: lang.T("Where does it pass requests on to?", "请求转发到哪里？"),
			Help:  lang.T("The service on the node itself, as a rule: what it answers is what the check of this node sees.", "通常是本节点上的服务：健康检查看到的正是它的响应。"),
		},
		{
			Key: KeyHealth, Kind: engine.Text, Default: "/", Check: checkPath,
			Title: lang.T("Which path shows that a node serves?", "用哪个路径判断节点可用？"),
			Help:  lang.T("It has to answer with 2xx or 3xx, through nginx, from the service behind it.", "经由 nginx 访问后端服务，须返回 2xx 或 3xx。"),
		},
		{
			Key: KeyCheckEvery, Kind: engine.Number, Min: 1, Max: 60, Default: int64(1),
			Title: lang.T("How often is it asked? (seconds)", "多久检查一次？（秒）"),
			Help:  lang.T("Two failures in a row move the address. This finds an nginx that hangs; one that is gone is known at once.", "连续两次失败就切换。这项检查用于发现卡死的 nginx；nginx 退出则立即可知。"),
		},
		{
			Key: KeyFirewall, Kind: engine.Confirm, Default: true,
			Title: lang.T("Open the firewall for the port, and for VRRP from the other node?", "在防火墙中放行该端口，以及来自对方节点的 VRRP？"),
			Help:  lang.T("IP protocol 112, from the other node's address only. Nothing where nothing filters.", "IP 协议 112，仅限对方节点的地址。没有过滤规则时不做任何事。"),
		},
		{
			Key: KeyNonlocal, Kind: engine.Confirm, Default: false,
			Title: lang.T("May programs listen on the address where the node does not own it?", "不持有虚拟 IP 时也允许程序监听该地址？"),
			Help:  lang.T("net.ipv4.ip_nonlocal_bind. For virtual hosts of your own that listen on the address by name; goxin's listens on all.", "net.ipv4.ip_nonlocal_bind。仅当您自己的虚拟主机监听该地址时需要；goxin 的配置监听所有地址。"),
		},
		{
			Key: KeyReplace, Kind: engine.Choice, Default: keep,
			Title: lang.T("What becomes of a keepalived.conf that somebody wrote?", "已有的 keepalived.conf 如何处理？"),
			Help:  lang.T("The other files of nginx stay in any case.", "nginx 的其他配置文件在任何情况下都保留。"),
			Options: []engine.Option{
				{Value: keep, Title: lang.T("keep it: goxin stops", "保留：goxin 停止"), Help: lang.T("nothing is changed on either machine", "两台机器都不做改动")},
				{Value: replace, Title: lang.T("replace it: undo brings it back", "替换：撤销时恢复"), Help: lang.T("the plan shows the difference", "计划中会显示差异")},
			},
		},
		{
			Key: KeyDrill, Kind: engine.Choice, Default: full,
			Title: lang.T("Prove the failover by a drill?", "用演练验证故障切换？"),
			Help:  lang.T("goxin does to the pair what it is there for, one thing after the other, and measures what clients lose. Each fault is put back by a timer of the node itself.", "goxin 逐一制造主备组要应对的故障，并测量客户端的损失。每个故障都由节点自身的定时器恢复。"),
			Options: []engine.Option{
				{Value: full, Title: lang.T("all faults", "全部故障"), Help: lang.T("some minutes; answers are lost for seconds", "需要数分钟；会有数秒请求丢失")},
				{Value: quick, Title: lang.T("handing over, and nginx gone", "主动切换与 nginx 退出"), Help: lang.T("under a minute", "一分钟以内")},
				{Value: none, Title: lang.T("no", "不演练"), Help: lang.T("`goxin drill` does it later", "之后可用 `goxin drill`")},
			},
		},
	}
}

func checkVIP(s string) error {
	wrong := func(en, zh string) error {
		return lang.Errorf(nil, "%q %s", "%q %s", s, lang.T(en, zh)).WithHint("write one IPv4 address: 192.168.1.100", "请填写一个 IPv4 地址：192.168.1.100")
	}
	a, _, err := parseVIP(s)
	switch {
	case err != nil:
		return wrong("is no address", "不是地址")
	case !a.Is4():
		return wrong("is an IPv6 address: only IPv4 is moved", "是 IPv6 地址：目前只支持 IPv4")
	case a.IsLoopback() || a.IsMulticast() || a.IsUnspecified() || a.As4()[0] == 0 || a.As4()[0] >= 240:
		return wrong("is an address that no machine can have", "不是机器可以使用的地址")
	}
	return nil
}

// parseVIP reads an address, with or without the length of its network; bits is 0 without.
func parseVIP(s string) (a netip.Addr, bits int, err error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Addr(), p.Bits(), err
	}
	a, err = netip.ParseAddr(s)
	return a, 0, err
}

func checkInterface(s string) error {
	// Linux: at most 15 bytes, no slash, no white space, and not . or ..
	// Nor what the configuration files and units it stands in would read a meaning into.
	ok := s != "" && len(s) <= 15 && s != "." && s != ".." && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/"'\{}#!$@;%`, r)
	}) < 0
	if !ok {
		return lang.Errorf(nil, "%q is no name of an interface", "%q 不是网卡名", s).WithHint("see: ip -br link; or auto", "查看：ip -br link；或填 auto")
	}
	return nil
}

func checkAdvert(s string) error {
	if s == auto {
		return nil
	}
	// A hundredth of a second is what the packet counts; below 50 ms a busy node is dead.
	if d, err := time.ParseDuration(s); err != nil || d < 50*time.Millisecond || d > 40*time.Second || d%(10*time.Millisecond) != 0 {
		return lang.Errorf(nil, "%q is neither auto nor a time from 50ms to 40s in steps of 10ms", "%q 既不是 auto，也不是 50ms～40s 之间、以 10ms 为单位的时间", s).
			WithHint("200ms on machines of metal, 1s on virtual ones", "物理机填 200ms，虚拟机填 1s")
	}
	return nil
}

func checkUpstream(s string) error {
	host, port, ok := strings.Cut(s, ":")
	n, err := strconv.Atoi(port)
	_, bad := netip.ParseAddr(host)
	if !ok || err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != port || bad != nil {
		return lang.Errorf(nil, "%q is no address with a port", "%q 不是“地址:端口”", s).WithHint("write 127.0.0.1:8080", "请填写 127.0.0.1:8080")
	}
	return nil
}

func checkPath(s string) error {
	ok := strings.HasPrefix(s, "/") && len(s) <= 200 && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._~-", r))
	}) < 0
	if !ok {
		return lang.Errorf(nil, "%q is no plain path", "%q 不是简单路径", s).WithHint("write /healthz: letters, digits and / . _ ~ -", "请填写 /healthz：只能用字母、数字和 / . _ ~ -")
	}
	return nil
}

// answers are the step's values with their defaults.
type answers struct {
	VIP        netip.Addr
	Bits       int // of the address as it was answered; 0: none were
	Interface  string
	VRID       int
	Advert     time.Duration // 0: auto
	Port       int
	Upstream   []string
	Health     string
	CheckEvery time.Duration
	Firewall   bool
	Nonlocal   bool
	Replace    bool
	Drill      string
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{
		Interface: v.Text(KeyInterface, auto), VRID: int(v.Number(KeyVRID, 0)), Port: int(v.Number(KeyPort, 80)),
		Upstream: v.List(KeyUpstream), Health: v.Text(KeyHealth, "/"),
		CheckEvery: time.Duration(v.Number(KeyCheckEvery, 1)) * time.Second,
		Firewall:   v.Bool(KeyFirewall, true), Nonlocal: v.Bool(KeyNonlocal, false),
		Replace: v.Text(KeyReplace, keep) == replace, Drill: v.Text(KeyDrill, full),
	}
	check := func(key string, err error) error {
		return lang.Errorf(err, "cannot use %s", "无法使用 %s", key)
	}
	for _, f := range (Step{}).Fields() {
		if f.Check == nil {
			continue
		}
		var values []string
		switch x := v[f.Key].(type) {
		case string:
			values = []string{x}
		case []string:
			values = x
		}
		for _, s := range values {
			if err := f.Check(s); err != nil {
				return a, check(f.Key, err)
			}
		}
	}
	vip := v.Text(KeyVIP, "")
	if vip == "" {
		return a, lang.Errorf(nil, "cannot make a pair without an address to share", "没有共用地址，无法组成主备").
			WithHint("answer vip: a free address of the network both machines are in", "请填写 vip：两台机器所在网络中的空闲地址")
	}
	a.VIP, a.Bits, _ = parseVIP(vip)
	if s := v.Text(KeyAdvert, auto); s != auto {
		a.Advert, _ = time.ParseDuration(s)
	}
	if _, said := v[KeyUpstream]; !said {
		a.Upstream = []string{usualUpstream}
	}
	if len(a.Upstream) == 0 {
		return a, check(KeyUpstream, lang.Errorf(nil, "nothing is there to pass requests on to", "没有可转发的后端").WithHint("write 127.0.0.1:8080", "请填写 127.0.0.1:8080"))
	}
	return a, nil
}

// Priorities of the two nodes: different, since all nodes should have their own, and
// high, since the skew is what a hand-over waits for.
const (
	priorityFirst  = 254
	prioritySecond = 253
)

// Fall is how many failures of the check in a row move the address.
const fall = 2

// What systemd and keepalived take to know that nginx has gone, and what two machines add
// to the arithmetic: measured with keepalived 2.2.7 and systemd 252 in containers on two
// busy processors (17 to 50 ms; up to 50 ms, which is what an answer took at rest).
const (
	detects = 50 * time.Millisecond
	settles = 50 * time.Millisecond
)

// timing is what decides how long the pair takes for a failover. virtual: a node is a
// virtual machine.
func (a answers) timing(virtual bool) vrrp.Timing {
	t := vrrp.Timing{
		Version: 3, Advert: a.Advert, Priority: prioritySecond, Detect: detects, Settle: settles,
		CheckEvery: a.CheckEvery, Fall: fall, CheckTimeout: a.CheckEvery,
	}
	if t.Advert == 0 {
		t.Advert = vrrp.Choose(t, virtual)
	}
	return t
}

// virtual says whether one of the machines may be stood still by its host.
func virtual(hs engine.Hosts) bool {
	for _, id := range hs.Order {
		if f := hs.Facts[id]; !f.Virt.Known || f.Virt.Value != "none" {
			return true
		}
	}
	return false
}

// other is the other machine of a pair.
func other(hs engine.Hosts, id machine.ID) machine.ID {
	for _, o := range hs.Order {
		if o != id {
			return o
		}
	}
	return id
}
