package peer

import (
	"net/netip"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	remote "goxin/detect/machine/peer"
	"goxin/steps/answers"
	"goxin/steps/engine"
)

// Step is the peer step. It keeps the connection that its survey made for whoever joins
// the machine.
type Step struct{ pool *pool }

// New is a step without a connection yet.
func New() Step { return Step{pool: new(pool)} }

var (
	_ engine.Step     = Step{}
	_ engine.Surveyor = Step{}
	_ engine.Noter    = Step{}
	_ engine.Crosser  = Step{}
	_ engine.Joiner   = Step{}
	_ engine.Doubter  = Step{}
)

// Field keys, as they stand in an answers file.
const (
	KeyAddress      = "address"
	KeyHostKey      = "host_key"
	KeyIdentity     = "identity"
	KeyPassword     = "password"
	KeySudoPassword = "sudo_password"
	KeyJump         = "jump"
)

const (
	sshPort = 22
	// worthTelling and tooFar are how far apart two clocks may be.
	worthTelling = time.Second
	tooFar       = 5 * time.Minute
)

// ID is "peer".
func (Step) ID() string { return "peer" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Peer", "对端机器") }

// Fields are the keys under steps.peer.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: KeyAddress, Kind: engine.Text, Default: "", Check: checkAddress,
			Title: lang.T("Which is the other machine of the pair? (user@host:port; empty: there is none)", "另一台机器是哪台？（user@host:port；留空表示没有）"),
			Help: lang.T("By SSH; root on port 22 where nothing else is said. goxin puts itself there, under /var/lib/goxin/agent, and works through it.",
				"通过 SSH 连接，默认 root、22 端口。goxin 会把自身放到对端的 /var/lib/goxin/agent 下，由其代为操作。"),
		},
		{
			Key: KeyHostKey, Kind: engine.Text, Default: "", Check: checkHostKey,
			Title: lang.T("By which host key is it known? (SHA256:…; empty: known_hosts says)", "它的主机密钥指纹是什么？（SHA256:…；留空则以 known_hosts 为准）"),
			Help: lang.T("On that machine's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
				"在对端自己的控制台上运行：ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"),
		},
		{
			Key: KeyIdentity, Kind: engine.Text, Default: "", Check: checkIdentity,
			Title: lang.T("With which key does one log in? (a file; empty: ssh-agent, then ~/.ssh)", "用哪个密钥登录？（文件路径；留空则用 ssh-agent 及 ~/.ssh 中的密钥）"),
			Help:  lang.T("One with a passphrase has to be in ssh-agent.", "有口令保护的密钥请加入 ssh-agent。"),
		},
		{
			Key: KeyPassword, Kind: engine.Secret,
			Title: lang.T("With which password, where no key will do? (env:, file: or prompt:)", "密钥不可用时的登录口令？（env:、file: 或 prompt:）"),
			Help:  lang.T("Only where it is found is written down.", "只记录到哪里取，不记录口令本身。"),
		},
		{
			Key: KeySudoPassword, Kind: engine.Secret,
			Title: lang.T("And sudo's? (env:, file: or prompt:; empty: the same, or none)", "sudo 的口令？（env:、file: 或 prompt:；留空则与登录口令相同，或无需口令）"),
			Help:  lang.T("Not for root, nor where sudo asks for none.", "以 root 登录，或 sudo 免口令时无需填写。"),
		},
		{
			Key: KeyJump, Kind: engine.Text, Default: "", Check: checkJump,
			Title: lang.T("Through which hosts? (user@host:port, in order, with commas; empty: straight)", "经由哪些跳板机？（user@host:port，按顺序，用逗号分隔；留空为直连）"),
			Help: lang.T("As ssh -J. Each has to be in known_hosts, or has its fingerprint behind it: gate#SHA256:…",
				"同 ssh -J。每台都应在 known_hosts 中，或在其后注明指纹：gate#SHA256:…"),
		},
	}
}

// Cross finds answers that are about a machine that is not named.
func (Step) Cross(v engine.Values) map[string]error {
	if v.Text(KeyAddress, "") != "" {
		return nil
	}
	out := make(map[string]error)
	for _, k := range []string{KeyHostKey, KeyIdentity, KeyPassword, KeySudoPassword, KeyJump} {
		if v.Text(k, "") != "" {
			out[k] = lang.Errorf(nil, "it is of no use without an address", "没有填写 address，此项无意义").
				WithHint("answer address, or leave this out", "请填写 address，或去掉此项")
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func checkAddress(s string) error {
	if s == "" {
		return nil
	}
	_, err := parseHop(s)
	return err
}

func checkHostKey(s string) error {
	if s != "" && !fingerprint(s) {
		return lang.Errorf(nil, "%q is no fingerprint of a host key", "%q 不是主机密钥指纹", s).
			WithHint("SHA256: and 43 characters, as `ssh-keygen -lf` prints it", "应为 SHA256: 加 43 个字符，即 `ssh-keygen -lf` 所输出的")
	}
	return nil
}

func fingerprint(s string) bool {
	return regexp.MustCompile(`^SHA256:[A-Za-z0-9+/]{43}$`).MatchString(s)
}

func checkIdentity(s string) error {
	if s != "" && (!path.IsAbs(s) || path.Clean(s) != s || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' })) {
		return lang.Errorf(nil, "%q is not the absolute path of a file", "%q 不是文件的绝对路径", s).
			WithHint("such as /root/.ssh/id_ed25519", "例如 /root/.ssh/id_ed25519")
	}
	return nil
}

func checkJump(s string) error {
	_, err := parseJump(s)
	return err
}

func parseJump(s string) ([]remote.Hop, error) {
	var out []remote.Hop
	for one := range strings.SplitSeq(s, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		one, key, pinned := strings.Cut(one, "#")
		h, err := parseHop(one)
		if err == nil && pinned && !fingerprint(key) {
			err = checkHostKey(key + " ")
		}
		if err != nil {
			return nil, err
		}
		h.HostKey = key
		out = append(out, h)
	}
	if len(out) > 8 {
		return nil, lang.Errorf(nil, "more than 8 hosts on the way", "跳板机超过 8 台").WithHint("name the shortest way", "请填写最短路径")
	}
	return out, nil
}

// parseHop reads [user@]host[:port]; an IPv6 address with a port stands in brackets.
func parseHop(s string) (remote.Hop, error) {
	bad := func() (remote.Hop, error) {
		return remote.Hop{}, lang.Errorf(nil, "%q is not the address of a machine", "%q 不是机器地址", s).
			WithHint("write host, user@host or user@host:port; an IPv6 address in [brackets]", "请写成 host、user@host 或 user@host:port；IPv6 地址放在 [方括号] 中")
	}
	h := remote.Hop{User: "root", Port: sshPort}
	rest := s
	if user, after, ok := strings.Cut(s, "@"); ok {
		if h.User, rest = user, after; !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]{0,31}$`).MatchString(user) {
			return bad()
		}
	}
	if ip, err := netip.ParseAddr(rest); err == nil && ip.Is6() {
		h.Host = rest
		return h, nil
	}
	port := ""
	if in, ok := strings.CutPrefix(rest, "["); ok {
		host, after, closed := strings.Cut(in, "]")
		ip, err := netip.ParseAddr(host)
		if !closed || err != nil || !ip.Is6() {
			return bad()
		}
		h.Host = host
		if after != "" && after[0] != ':' {
			return bad()
		}
		port = strings.TrimPrefix(after, ":")
		if after == ":" {
			return bad()
		}
	} else {
		host, after, ok := strings.Cut(rest, ":")
		if !regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$`).MatchString(host) || ok && after == "" {
			return bad()
		}
		h.Host, port = host, after
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return bad()
		}
		h.Port = int(n)
	}
	return h, nil
}

// readAnswers checks the values and gives the target; false where they name none.
func readAnswers(v engine.Values) (remote.Target, bool, error) {
	var t remote.Target
	for _, f := range (Step{}).Fields() {
		s := v.Text(f.Key, "")
		var err error
		switch {
		case f.Check != nil:
			err = f.Check(s)
		case f.Kind == engine.Secret && s != "":
			_, err = answers.ParseSecret(s)
		}
		if err != nil {
			return t, false, lang.Errorf(err, "cannot use %s", "无法使用 %s", f.Key)
		}
	}
	address := v.Text(KeyAddress, "")
	if address == "" {
		return t, false, nil
	}
	h, err := parseHop(address)
	if err != nil {
		return t, false, err
	}
	t.User, t.Host, t.Port = h.User, h.Host, h.Port
	t.HostKey, t.Identity = v.Text(KeyHostKey, ""), v.Text(KeyIdentity, "")
	t.Jump, err = parseJump(v.Text(KeyJump, ""))
	return t, true, err
}
