package runtime

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Step is the runtime step.
type Step struct{}

var (
	_ engine.Step     = Step{}
	_ engine.Surveyor = Step{}
	_ engine.Noter    = Step{}
	_ engine.Crosser  = Step{}
	_ engine.Prover   = Step{}
)

// Field keys, as they stand in an answers file.
const (
	KeyGOGC       = "gogc"
	KeyMemoryMax  = "memory_max"
	KeyHeadroom   = "headroom"
	KeyGOMAXPROCS = "gomaxprocs"
	KeyTHP        = "thp"
	KeyLevel      = "level"
)

const (
	auto        = "auto"
	off         = "off"
	keep        = "keep"
	portable    = "portable"
	thisCPU     = "this-cpu"
	goGC        = 100 // Go's own GOGC
	usualRoom   = 10  // per cent
	mostProcs   = 1024
	smallestMax = 16 << 20 // bytes: below, a Go program spends its time collecting
)

// ID is "runtime".
func (Step) ID() string { return "runtime" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Go runtime", "Go 运行时") }

// Fields are the keys under steps.runtime.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: KeyGOGC, Kind: engine.Text, Default: strconv.Itoa(goGC), Check: checkGOGC,
			Title: lang.T("How far may the heap grow before it is collected? (GOGC, per cent)", "堆增长到多少再回收？（GOGC，百分比）"),
			Help: lang.T("100 is Go's own: memory twice the live heap at most. 20 lowers the peak and collects five times as often; 200 the other way. off: only the memory limit makes it collect.",
				"Go 默认 100：内存最多为存活堆的两倍。20 峰值更低，但回收频率约为五倍；200 则相反。off：仅由内存上限触发回收。"),
		},
		{
			Key: KeyMemoryMax, Kind: engine.Text, Default: "", Check: checkMemory,
			Title: lang.T("How much memory may one service have? (512M, 2G, 80%; empty: the machine's)", "单个服务可用多少内存？（512M、2G、80%；留空即整机）"),
			Help: lang.T("The value of its unit's MemoryMax=. GOMEMLIMIT is set below it, so that Go collects harder before the kernel kills.",
				"与服务单元的 MemoryMax= 一致。GOMEMLIMIT 取略低的值，让 Go 在内核杀进程之前先加紧回收。"),
		},
		{
			Key: KeyHeadroom, Kind: engine.Number, Min: 5, Max: 30, Default: int64(usualRoom),
			Title: lang.T("How much of it stays free for what is not Go's heap? (per cent)", "其中留多少给 Go 堆以外的部分？（百分比）"),
			Help: lang.T("The program itself, C libraries, files in the page cache. Go's guide says 5 to 10.",
				"程序自身、C 库、文件页缓存等。Go 官方 GC 指南建议 5～10。"),
		},
		{
			Key: KeyGOMAXPROCS, Kind: engine.Text, Default: auto, Check: checkProcs,
			Title: lang.T("How many processors at once? (GOMAXPROCS)", "同时使用多少处理器？（GOMAXPROCS）"),
			Help: lang.T("auto: Go 1.25 and newer follow the CPU quota by themselves, also while it changes, and setting it turns that off; an older Go under a quota gets the quota.",
				"auto：Go 1.25 及以上会自动跟随 CPU 配额（配额变化也跟随），手动设置反而会关闭这一能力；更旧的 Go 若受配额限制，则按配额设置。"),
		},
		{
			Key: KeyTHP, Kind: engine.Choice, Default: auto,
			Title: lang.T("Transparent huge pages", "透明大页（THP）"),
			Help:  lang.T("For the whole machine, now and at boot.", "对整机生效，包括当前和开机后。"),
			Options: []engine.Option{
				{Value: auto, Title: lang.T("by architecture", "按架构"), Help: lang.T("madvise; never on MIPS", "madvise；MIPS 上为 never")},
				{Value: "madvise", Title: lang.T("madvise: who asks", "madvise：仅限主动申请的程序"), Help: lang.T("Go's heap does not ask since 1.21", "Go 1.21 起，Go 堆不再主动申请")},
				{Value: "never", Title: lang.T("never", "never：关闭"), Help: lang.T("as some databases want it", "部分数据库有此要求")},
				{Value: "always", Title: lang.T("always: everybody", "always：所有程序"), Help: lang.T("fewer TLB misses for big heaps, more memory", "大堆的 TLB 未命中更少，内存占用更多")},
				{Value: keep, Title: lang.T("as it is", "保持现状"), Help: lang.T("goxin does not touch it", "goxin 不改动")},
			},
		},
		{
			Key: KeyLevel, Kind: engine.Choice, Default: portable,
			Title: lang.T("For which processors does a compiler here build?", "在本机编译的程序面向哪些处理器？"),
			Help:  lang.T("GOAMD64 and GOARM64 of builds on this machine.", "即本机编译时的 GOAMD64、GOARM64。"),
			Options: []engine.Option{
				{Value: portable, Title: lang.T("all of the architecture", "同架构全部处理器"), Help: lang.T("what is built here runs everywhere", "编译结果到处可用")},
				{Value: thisCPU, Title: lang.T("this one and newer", "本机及更新的处理器"), Help: lang.T("faster in places; refuses to start on older ones", "部分代码更快；在更旧的处理器上拒绝启动")},
			},
		},
	}
}

func checkGOGC(s string) error {
	if s == off {
		return nil
	}
	if n, err := strconv.Atoi(s); err != nil || n < 1 || n > 10000 || strconv.Itoa(n) != s {
		return lang.Errorf(nil, "%q is neither a whole number from 1 to 10000 nor off", "%q 既不是 1～10000 的整数，也不是 off", s).
			WithHint("100 is Go's own", "Go 默认值为 100")
	}
	return nil
}

func checkProcs(s string) error {
	if s == auto {
		return nil
	}
	if n, err := strconv.Atoi(s); err != nil || n < 1 || n > mostProcs || strconv.Itoa(n) != s {
		return lang.Errorf(nil, "%q is neither auto nor a whole number from 1 to 1024", "%q 既不是 auto，也不是 1～1024 的整数", s).
			WithHint("auto is right on nearly every machine", "绝大多数机器用 auto 即可")
	}
	return nil
}

func checkMemory(s string) error {
	_, err := parseSize(s)
	return err
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
	GOGC       string
	Memory     size
	MemoryText string
	Headroom   int64
	Procs      string
	THP        string
	Level      string
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{
		GOGC: v.Text(KeyGOGC, strconv.Itoa(goGC)), MemoryText: v.Text(KeyMemoryMax, ""), Headroom: v.Number(KeyHeadroom, usualRoom),
		Procs: v.Text(KeyGOMAXPROCS, auto), THP: v.Text(KeyTHP, auto), Level: v.Text(KeyLevel, portable),
	}
	for _, f := range (Step{}).Fields() {
		s, said := v[f.Key].(string)
		if !said {
			continue
		}
		var err error
		switch {
		case f.Check != nil:
			err = f.Check(s)
		case f.Kind == engine.Choice && !offers(f, s):
			err = lang.Errorf(nil, "%q is not offered", "没有 %q 这个选项", s).WithHint("see `goxin answers new`", "参见 `goxin answers new`")
		}
		if err != nil {
			return a, lang.Errorf(err, "cannot use %s", "无法使用 %s", f.Key)
		}
	}
	if a.Headroom < 5 || a.Headroom > 30 {
		return a, lang.Errorf(nil, "cannot leave %d %% of the memory free", "无法预留 %d%% 的内存", a.Headroom).WithHint("write 5 to 30", "请填写 5～30")
	}
	a.Memory, _ = parseSize(a.MemoryText)
	for key, err := range (Step{}).Cross(v) {
		return a, lang.Errorf(err, "cannot use %s", "无法使用 %s", key)
	}
	return a, nil
}

func offers(f engine.Field, s string) bool {
	for _, o := range f.Options {
		if o.Value == s {
			return true
		}
	}
	return false
}

// Cross finds a collector that is off with nothing to limit the memory.
func (Step) Cross(v engine.Values) map[string]error {
	if v.Text(KeyGOGC, "") == off && v.Text(KeyMemoryMax, "") == "" {
		return map[string]error{KeyGOGC: lang.Errorf(nil, "off takes a limit of the service's own: without one it takes the whole machine before it collects",
			"设为 off 时必须给服务单独设定内存上限：否则占满整机内存之前都不会回收").
			WithHint("answer memory_max too (512M, 2G, 80%%)", "请同时填写 memory_max（512M、2G、80%%）")}
	}
	return nil
}

// mib writes bytes as Go's runtime reads them, amount as a person does.
func mib(n uint64) string    { return fmt.Sprintf("%dMiB", n>>20) }
func amount(n uint64) string { return fmt.Sprintf("%d MiB", n>>20) }
