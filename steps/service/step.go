package service

import (
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/sandbox"
)

// Step is the service step.
type Step struct{}

var (
	_ engine.Step       = Step{}
	_ engine.Surveyor   = Step{}
	_ engine.Resurveyor = Step{}
	_ engine.Noter      = Step{}
	_ engine.Crosser    = Step{}
	_ engine.Prover     = Step{}
	_ engine.Paired     = Step{}
)

// Field keys, as they stand in an answers file.
const (
	KeyName        = "name"
	KeyBinary      = "binary"
	KeyModule      = "module"
	KeyArgs        = "args"
	KeyDescription = "description"
	KeyUser        = "user"
	KeyPort        = "port"
	KeyHealth      = "health"
	KeyOpenPort    = "open_port"
	KeyType        = "type"
	KeyEnvironment = "environment"
	KeySecrets     = "environment_file"
	KeyDirectories = "directories"
	KeyMemoryMax   = "memory_max"
	KeyCPUQuota    = "cpu_quota"
	KeyNoFile      = "nofile"
	KeyRestart     = "restart"
	KeyBurst       = "restart_burst"
	KeyWindow      = "restart_window"
	KeyNUMA        = "numa"
	KeyHarden      = "harden"
	KeyDetails     = "details"
)

const (
	auto  = "auto"
	none  = "none"
	yes   = "yes"
	onErr = "on-failure"

	notify     = "notify"
	execType   = "exec"
	simpleType = "simple"

	usualFiles  = 524288 // systemd's own hard limit
	smallestMax = 16 << 20
)

// Paired says that the step is done on both machines.
func (Step) Paired() bool { return true }

// ID is "service".
func (Step) ID() string { return "service" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Service", "服务") }

// Fields are the keys under steps.service.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: KeyName, Kind: engine.Text, Default: "app", Check: checkName,
			Title: lang.T("What is the service called?", "服务叫什么名字？"),
			Help:  lang.T("The unit, the program in /usr/local/bin and, unless you say otherwise, the account have this name.", "单元、/usr/local/bin 下的程序以及（除非另行指定）账户都用这个名字。"),
		},
		{
			Key: KeyBinary, Kind: engine.Text, Default: "", Check: checkPath,
			Title: lang.T("Which program? (a path on this machine; {arch}: arm64, amd64, loong64)", "哪个程序？（本机上的路径；{arch} 代表 arm64、amd64、loong64 等架构名）"),
			Help:  lang.T("It is copied to /usr/local/bin; on a pair, to both machines, each with the program for its processor.", "复制到 /usr/local/bin；双机时两台都复制，各用与其处理器相符的程序。"),
		},
		{
			Key: KeyModule, Kind: engine.Text, Default: "", Check: checkPath,
			Title: lang.T("Or which module is to be built? (its main package's directory)", "或者构建哪个模块？（main 包所在目录）"),
			Help:  lang.T("Built with the Go of this machine, without cgo, for each machine's processor. Leave it empty where a program is named.", "用本机的 Go 构建，不用 cgo，按每台机器的处理器编译。已指定程序时留空。"),
		},
		{
			Key: KeyArgs, Kind: engine.Text, Default: "", Check: checkArgs,
			Title: lang.T("With which arguments?", "带哪些参数？"),
			Help:  lang.T("Words as a shell takes them; quotes hold a word together, and nothing is expanded.", "按 shell 的方式分词；引号可括起含空格的参数，不做任何展开。"),
		},
		{
			Key: KeyPort, Kind: engine.Number, Min: 0, Max: 65535, Default: int64(8080),
			Title: lang.T("On which TCP port does it listen? (0: on none)", "监听哪个 TCP 端口？（0 表示不监听）"),
			Help:  lang.T("Proved once it runs. Below 1024 it gets that one privilege and no other.", "运行后会验证。低于 1024 时只授予该项特权。"),
		},
		{
			Key: KeyHealth, Kind: engine.Text, Default: "", Check: checkHealth,
			Title: lang.T("Which path says that it is well? (/healthz; empty: a connection is enough)", "哪个路径用于健康检查？（如 /healthz；留空则能连上即可）"),
			Help:  lang.T("Asked over plain HTTP on its port; any answer from 200 to 399 is well.", "通过其端口以 HTTP 访问；状态码 200～399 即为健康。"),
		},
		{
			Key: KeyOpenPort, Kind: engine.Confirm, Default: false,
			Title: lang.T("Open the port in the firewall?", "在防火墙中放行该端口？"),
			Help:  lang.T("Only where a firewall filters: firewalld, nftables or iptables. Behind nginx on the same machine it is not needed.", "仅当有防火墙（firewalld、nftables 或 iptables）生效时才会改动。前面有本机 nginx 时不需要。"),
		},
		{
			Key: KeyDirectories, Kind: engine.Many, Default: []string{},
			Title: lang.T("Which directories of its own does it write to?", "需要写入哪些自己的目录？"),
			Help:  lang.T("It can write to nothing else.", "除此之外一律不可写。"),
			Options: []engine.Option{
				{Value: "state", Title: lang.T("data: /var/lib/NAME", "数据：/var/lib/名称"), Help: lang.Same("$STATE_DIRECTORY")},
				{Value: "cache", Title: lang.T("cache: /var/cache/NAME", "缓存：/var/cache/名称"), Help: lang.Same("$CACHE_DIRECTORY")},
				{Value: "logs", Title: lang.T("log files: /var/log/NAME", "日志：/var/log/名称"), Help: lang.T("$LOGS_DIRECTORY; what it prints goes to the journal anyway", "$LOGS_DIRECTORY；标准输出本来就会进入 journal")},
				{Value: "runtime", Title: lang.T("sockets: /run/NAME", "套接字：/run/名称"), Help: lang.T("$RUNTIME_DIRECTORY; gone when it stops", "$RUNTIME_DIRECTORY；停止后消失")},
			},
		},
		{
			Key: KeyMemoryMax, Kind: engine.Text, Default: "", Check: checkMemory,
			Title: lang.T("How much memory at most? (512M, 2G, 80%; empty: no limit of its own)", "最多使用多少内存？（512M、2G、80%；留空则不单独限制）"),
			Help:  lang.T("MemoryMax=, and GOMEMLIMIT at 90 % of it, so that Go collects harder before the kernel kills.", "即 MemoryMax=，并将 GOMEMLIMIT 设为其 90%，让 Go 在内核杀进程之前先加紧回收。"),
		},
		{
			Key: KeyHarden, Kind: engine.Choice, Default: string(sandbox.Strict),
			Title: lang.T("How much is forbidden to it?", "对它限制到什么程度？"),
			Help:  lang.T("Each line is written only where this systemd knows it, and proved.", "只写入本机 systemd 支持的限制，并逐行验证。"),
			Options: []engine.Option{
				{Value: string(sandbox.Strict), Title: lang.T("all that a Go service does without", "Go 服务用不到的一律禁止"), Help: lang.T("exposure of 2.0 and below", "暴露度 2.0 以下")},
				{Value: string(sandbox.Standard), Title: lang.T("the usual", "常用限制"), Help: lang.T("lets it list network interfaces, make machine code, and change owners and priorities", "允许列举网卡、生成机器码、更改属主与优先级")},
				{Value: none, Title: lang.T("nothing", "不限制"), Help: lang.T("only the account", "仅使用独立账户")},
			},
		},
		{
			Key: KeyDetails, Kind: engine.Confirm, Default: false,
			Title: lang.T("Look at the finer points too? (account, environment, start, restarts, limits)", "还要看细节吗？（账户、环境变量、启动方式、重启、限额）"),
			Help:  lang.T("Only whether they are asked: what is not asked has its default.", "只决定是否询问；未询问的取默认值。"),
		},
		{
			Key: KeyDescription, Kind: engine.Text, Default: "", Check: checkLine,
			Title: lang.T("What is it, in one line?", "用一句话说明它是什么"),
			Help:  lang.T("systemctl status shows it.", "会显示在 systemctl status 中。"),
		},
		{
			Key: KeyUser, Kind: engine.Text, Default: "", Check: checkUser,
			Title: lang.T("As which user does it run? (empty: one with its name)", "以哪个用户运行？（留空则与服务同名）"),
			Help:  lang.T("A system account without a password is made if there is none of that name.", "若无此账户，则创建一个无密码的系统账户。"),
		},
		{
			Key: KeyType, Kind: engine.Choice, Default: auto,
			Title: lang.T("How does systemd learn that it is up?", "systemd 如何得知服务已就绪？"),
			Help:  lang.T("Tried before anything is written.", "写入之前会先试运行。"),
			Options: []engine.Option{
				{Value: auto, Title: lang.T("by the program", "由程序决定"), Help: lang.T("notify if the program knows how, else exec", "程序支持则用 notify，否则用 exec")},
				{Value: notify, Title: lang.T("notify: it says so", "notify：程序主动通知"), Help: lang.T("READY=1 to $NOTIFY_SOCKET once it serves", "开始服务后向 $NOTIFY_SOCKET 发送 READY=1")},
				{Value: execType, Title: lang.T("exec: it was started", "exec：程序已启动"), Help: lang.T("a program that cannot be started is noticed", "能发现无法启动的程序")},
				{Value: simpleType, Title: lang.T("simple: it was forked", "simple：进程已派生"), Help: lang.T("reported as up even if it cannot be started", "即使无法启动也会报告成功")},
			},
		},
		{
			Key: KeyEnvironment, Kind: engine.Map, Check: checkEnvironment,
			Title: lang.T("Environment variables", "环境变量"),
			Help:  lang.T("No secrets: answers are kept. Those belong in a file of their own, which the next question names.", "请勿填写密钥：应答会被保存。密钥应放在独立文件中，由下一项指定。"),
		},
		{
			Key: KeySecrets, Kind: engine.Text, Default: "", Check: checkPath,
			Title: lang.T("A file with more of them, for secrets? (empty: none)", "存放密钥的环境文件？（留空则无）"),
			Help:  lang.T("NAME=value lines, made by you on each machine, best root's with mode 0600: systemd reads it as root. goxin never opens it.", "内容为 NAME=value 行，由您在每台机器上创建，建议属 root、权限 0600：由 systemd 以 root 读取，goxin 不会打开。"),
		},
		{
			Key: KeyCPUQuota, Kind: engine.Text, Default: "", Check: checkQuota,
			Title: lang.T("How much processor time at most? (150%: one and a half CPUs; empty: no limit)", "最多使用多少 CPU？（150% 即一个半核；留空则不限）"),
			Help:  lang.T("CPUQuota=. Go 1.25 and newer follow it; an older program gets a GOMAXPROCS that fits.", "即 CPUQuota=。Go 1.25 及以上会自动跟随；更旧的程序会配上相应的 GOMAXPROCS。"),
		},
		{
			Key: KeyNoFile, Kind: engine.Number, Min: 1024, Max: 1 << 30, Default: int64(usualFiles),
			Title: lang.T("How many open files and connections?", "最多打开多少文件与连接？"),
			Help:  lang.T("LimitNOFILE=, soft and hard.", "即 LimitNOFILE=，软硬限制相同。"),
		},
		{
			Key: KeyRestart, Kind: engine.Choice, Default: onErr,
			Title: lang.T("When is it started again?", "何时自动重启？"),
			Help:  lang.T("By systemd, after a second.", "由 systemd 在一秒后重启。"),
			Options: []engine.Option{
				{Value: onErr, Title: lang.T("when it fails", "失败时"), Help: lang.T("crashes, signals, time-outs, exit codes", "崩溃、信号、超时、非零退出码")},
				{Value: "always", Title: lang.T("whenever it ends", "无论为何退出"), Help: lang.T("also after exit code 0", "包括正常退出")},
				{Value: "no", Title: lang.T("never", "从不"), Help: lang.T("you start it by hand", "由人工启动")},
			},
		},
		{
			Key: KeyBurst, Kind: engine.Number, Min: 1, Max: 1000, Default: int64(5),
			Title: lang.T("After how many starts does systemd give up?", "启动多少次后放弃？"),
			Help:  lang.T("StartLimitBurst=, within the time below.", "即 StartLimitBurst=，按下一项的时间窗计。"),
		},
		{
			Key: KeyWindow, Kind: engine.Number, Min: 1, Max: 86400, Default: int64(60),
			Title: lang.T("Within how many seconds?", "在多少秒之内？"),
			Help:  lang.T("StartLimitIntervalSec=.", "即 StartLimitIntervalSec=。"),
		},
		{
			Key: KeyNUMA, Kind: engine.Choice, Default: auto,
			Title: lang.T("Memory of several NUMA nodes", "跨 NUMA 节点的内存"),
			Help:  lang.T("On machines with more than one node only.", "仅对多节点机器有意义。"),
			Options: []engine.Option{
				{Value: auto, Title: lang.T("where it pays", "按需"), Help: lang.T("spread over the nodes if the program may need more than one node has", "当程序可能用到超过单个节点的内存时，均匀分布到各节点")},
				{Value: none, Title: lang.T("leave it to the kernel", "由内核决定"), Help: lang.T("memory of the node that first touches it", "由首次访问的节点分配")},
			},
		},
	}
}

var (
	serviceName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)
	envName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	quotaForm   = regexp.MustCompile(`^[1-9][0-9]{0,5}%$`)
)

func checkName(s string) error {
	if !serviceName.MatchString(s) {
		return lang.Errorf(nil, "%q is no name for a service", "%q 不能用作服务名", s).
			WithHint("small letters, digits, - and _, the first one a letter, 31 at most", "小写字母、数字、- 与 _，以字母开头，最多 31 个字符")
	}
	return nil
}

func checkUser(s string) error {
	if s == "" {
		return nil
	}
	return checkName(s)
}

func checkPath(s string) error {
	if s == "" || path.IsAbs(s) && path.Clean(s) == s && printable(s) {
		return nil
	}
	return lang.Errorf(nil, "%q is no absolute path", "%q 不是绝对路径", s).WithHint("begin it with /, without .. and //", "请以 / 开头，不含 .. 与 //")
}

func checkArgs(s string) error {
	_, err := words(s)
	return err
}

func checkLine(s string) error {
	if !printable(s) {
		return lang.Errorf(nil, "it has characters that do not show", "含有不可见字符").WithHint("write one line of plain text", "请填写一行普通文本")
	}
	return nil
}

func checkHealth(s string) error {
	if s == "" || strings.HasPrefix(s, "/") && printable(s) && !strings.ContainsAny(s, " #") {
		return nil
	}
	return lang.Errorf(nil, "%q is no path of a URL", "%q 不是 URL 路径", s).WithHint("begin it with /: /healthz", "请以 / 开头，例如 /healthz")
}

func checkEnvironment(s string) error {
	name, value, _ := strings.Cut(s, "=")
	switch {
	case !envName.MatchString(name):
		return lang.Errorf(nil, "%q is no name of a variable", "%q 不是变量名", name).WithHint("letters, digits and _, the first one no digit", "字母、数字与 _，不以数字开头")
	case !printable(value):
		return lang.Errorf(nil, "the value of %s has characters that do not show", "%s 的值含有不可见字符", name).WithHint("write one line", "请写成一行")
	}
	return nil
}

func checkMemory(s string) error {
	_, err := parseSize(s)
	return err
}

func checkQuota(s string) error {
	if s == "" || quotaForm.MatchString(s) {
		return nil
	}
	return lang.Errorf(nil, "%q is no share of processor time", "%q 不是 CPU 份额", s).WithHint("write 50%% for half a CPU, 200%% for two", "半个 CPU 写 50%%，两个写 200%%")
}

// printable says whether s is one line that a terminal shows as it is.
func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
	}) < 0
}

// size is an amount of memory: so many bytes, or so many per cent of the machine's.
type size struct {
	bytes   uint64
	percent int
}

// parseSize reads the values systemd's MemoryMax= takes (systemd.resource-control(5)):
// bytes with K, M, G or T to the base of 1024, or a percentage. Empty is zero.
func parseSize(s string) (size, error) {
	bad := func() (size, error) {
		return size{}, lang.Errorf(nil, "%q is no amount of memory", "%q 不是内存大小", s).
			WithHint("write 512M, 2G or 80%%; at least 16M", "请写成 512M、2G 或 80%%，至少 16M")
	}
	if s == "" {
		return size{}, nil
	}
	if digits, ok := strings.CutSuffix(s, "%"); ok {
		n, err := strconv.ParseUint(digits, 10, 8)
		if err != nil || n < 1 || n > 100 {
			return bad()
		}
		return size{percent: int(n)}, nil
	}
	shift := map[byte]uint{'K': 10, 'M': 20, 'G': 30, 'T': 40}[s[len(s)-1]]
	digits := s
	if shift > 0 {
		digits = s[:len(s)-1]
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n > math.MaxInt64>>shift || n<<shift < smallestMax {
		return bad()
	}
	return size{bytes: n << shift}, nil
}

// answers are the step's values with their defaults.
type answers struct {
	Name, Binary, Module  string
	Args                  []string
	Description, User     string
	Port                  int
	Health                string
	Open                  bool
	Type                  string
	Env                   map[string]string
	Secrets               string
	Dirs                  []string
	Memory                size
	MemoryText, Quota     string
	NoFile, Burst, Window int64
	Restart, NUMA         string
	Harden                sandbox.Level
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{
		Name: v.Text(KeyName, "app"), Binary: v.Text(KeyBinary, ""), Module: v.Text(KeyModule, ""), Description: v.Text(KeyDescription, ""), User: v.Text(KeyUser, ""),
		Port: int(v.Number(KeyPort, 8080)), Health: v.Text(KeyHealth, ""), Open: v.Bool(KeyOpenPort, false), Type: v.Text(KeyType, auto),
		Env: v.Map(KeyEnvironment), Secrets: v.Text(KeySecrets, ""), Dirs: v.List(KeyDirectories), MemoryText: v.Text(KeyMemoryMax, ""), Quota: v.Text(KeyCPUQuota, ""),
		NoFile: v.Number(KeyNoFile, usualFiles), Burst: v.Number(KeyBurst, 5), Window: v.Number(KeyWindow, 60),
		Restart: v.Text(KeyRestart, onErr), NUMA: v.Text(KeyNUMA, auto), Harden: sandbox.Level(v.Text(KeyHarden, string(sandbox.Strict))),
	}
	for _, f := range (Step{}).Fields() {
		if err := checkField(f, v[f.Key]); err != nil {
			return a, lang.Errorf(err, "cannot use %s", "无法使用 %s", f.Key)
		}
	}
	for _, f := range (Step{}).Fields() {
		if err := (Step{}).Cross(v)[f.Key]; err != nil {
			return a, lang.Errorf(err, "cannot use %s", "无法使用 %s", f.Key)
		}
	}
	if a.User == "" {
		a.User = a.Name
	}
	if a.Description == "" {
		a.Description = a.Name
	}
	a.Args, _ = words(v.Text(KeyArgs, ""))
	a.Memory, _ = parseSize(a.MemoryText)
	return a, nil
}

func checkField(f engine.Field, value any) error {
	offered := func(s string) error {
		if f.Options != nil && !slices.ContainsFunc(f.Options, func(o engine.Option) bool { return o.Value == s }) {
			return lang.Errorf(nil, "%q is not offered", "没有 %q 这个选项", s).WithHint("see `goxin answers new`", "参见 `goxin answers new`")
		}
		if f.Check != nil {
			return f.Check(s)
		}
		return nil
	}
	switch v := value.(type) {
	case string:
		return offered(v)
	case []string:
		for _, s := range v {
			if err := offered(s); err != nil {
				return err
			}
		}
	case map[string]string:
		for k, s := range v {
			if err := offered(k + "=" + s); err != nil {
				return err
			}
		}
	case int64:
		if v < f.Min || v > f.Max {
			return lang.Errorf(nil, "%d is not from %d to %d", "%d 不在 %d～%d 之间", v, f.Min, f.Max).WithHint("choose a number between", "请在此范围内取值")
		}
	}
	return nil
}

// Cross finds a program that is missing or there twice, and a port that is to be opened
// and is not there.
func (Step) Cross(v engine.Values) map[string]error {
	out := map[string]error{}
	binary, module := v.Text(KeyBinary, ""), v.Text(KeyModule, "")
	switch {
	case binary == "" && module == "":
		out[KeyBinary] = lang.Errorf(nil, "no program is named", "未指定程序").WithHint("name a program, or a module to build", "请指定程序，或要构建的模块")
	case binary != "" && module != "":
		out[KeyModule] = lang.Errorf(nil, "a program is named too", "同时指定了程序").WithHint("leave one of the two empty", "请将其中一项留空")
	}
	if v.Number(KeyPort, 8080) == 0 {
		if v.Bool(KeyOpenPort, false) {
			out[KeyOpenPort] = lang.Errorf(nil, "there is no port to open", "没有可放行的端口").WithHint("answer port", "请填写 port")
		}
		if v.Text(KeyHealth, "") != "" {
			out[KeyHealth] = lang.Errorf(nil, "there is no port to ask on", "没有可供检查的端口").WithHint("answer port", "请填写 port")
		}
	}
	if v.Text(KeyUser, "") == "root" {
		out[KeyUser] = lang.Errorf(nil, "root needs no account, and a service should not be root", "服务不应以 root 运行").WithHint("leave it empty: a port below 1024 is no reason", "请留空：监听 1024 以下端口也不需要 root")
	}
	return out
}
