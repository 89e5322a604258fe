package kernel

import (
	"maps"
	"math"
	"slices"

	"goxin/assets/lang"
	"goxin/detect/sysctl"
	"goxin/steps/engine"
)

// Step is the kernel step.
type Step struct{}

var (
	_ engine.Step     = Step{}
	_ engine.Surveyor = Step{}
	_ engine.Noter    = Step{}
	_ engine.Crosser  = Step{}
)

// The profiles there are.
const (
	profileBase     = "base"
	profileWeb      = "web"
	profileDatabase = "database"
	profileBuild    = "build"
)

// Field keys, as they stand in an answers file.
const (
	keyProfile  = "profile"
	keySet      = "set"
	keyNofile   = "nofile"
	keySoft     = "nofile_soft"
	keyConflict = "comment_conflicts"
)

// defaultNrOpen is the kernel's own fs.nr_open: no process may open more files
// (fs/file.c, sysctl_nr_open). Newer service managers raise it at boot.
const defaultNrOpen = 1 << 20

// ID is "kernel".
func (Step) ID() string { return "kernel" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Kernel", "内核") }

// Fields are the keys under steps.kernel.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: keyProfile, Kind: engine.Choice, Default: profileBase,
			Title: lang.T("What is the machine for?", "这台机器用来做什么？"),
			Help:  lang.T("Every profile contains base. What a profile changes is shown before it is written, and can be undone.", "每个方案都包含“基础”。改动会先显示，再写入，并且可以撤销。"),
			Options: []engine.Option{
				{Value: profileBase, Title: lang.T("Base", "基础"), Help: lang.T("Three settings that are good for every Go service host.", "三项设置，适合任何 Go 服务主机。")},
				{Value: profileWeb, Title: lang.T("Web services", "Web 服务"), Help: lang.T("Many connections: proxies, HTTP, gRPC, QUIC.", "连接多：反向代理、HTTP、gRPC、QUIC。")},
				{Value: profileDatabase, Title: lang.T("Database", "数据库"), Help: lang.T("Steady writes, many maps, asynchronous I/O.", "持续写入、大量内存映射、异步 I/O。")},
				{Value: profileBuild, Title: lang.T("Build machine", "编译机"), Help: lang.T("Many processes, many watched files.", "进程多，被监视的文件多。")},
			},
		},
		{
			Key: keySet, Kind: engine.Map, Check: func(element string) error { return reason(checkSetting(element)) },
			Title: lang.T("Further kernel parameters", "其他内核参数"),
			Help:  lang.T("Keys and values as sysctl shows them. They win over the profile; what is known to be dangerous is refused with the reason.", "键和值的写法与 sysctl 的显示一致。优先于方案；已知有危险的会被拒绝并说明原因。"),
		},
		{
			Key: keyNofile, Kind: engine.Number, Min: 0, Max: 1 << 30, Default: int64(defaultNrOpen),
			Title: lang.T("Open files a program may ask for (hard limit)", "单个程序可打开的文件数（硬限制）"),
			Help:  lang.T("For services and for logins. 0 leaves both alone. Never lowers what is set, never goes above fs.nr_open: a login limit above it locks everybody out.", "对服务和登录会话都生效，0 表示都不改。只升不降，也不会超过 fs.nr_open：登录限制一旦超过它，所有人都无法登录。"),
		},
		{
			Key: keySoft, Kind: engine.Number, Min: 0, Max: 1 << 30, Default: int64(0),
			Title: lang.T("Open files a program gets unasked (soft limit)", "单个程序默认可打开的文件数（软限制）"),
			Help:  lang.T("0 leaves it at what is set, usually 1024. Programs built with Go 1.19 and newer raise it to the hard limit themselves; programs that use select() corrupt memory above 1024. Raise it for programs that do neither.", "0 表示保持现状，通常是 1024。Go 1.19 及以上编译的程序会自行升到硬限制；而使用 select() 的程序超过 1024 会写坏内存。两者都不是的程序才需要调高。"),
		},
		{
			Key: keyConflict, Kind: engine.Confirm, Default: true,
			Title: lang.T("Comment out lines that would win over these settings?", "把会盖过这些设置的配置行注释掉？"),
			Help:  lang.T("Such a line is read after goxin's file and takes the setting back at the next boot or at the next sysctl --system. Undo puts it back.", "这类行在 goxin 的文件之后读取，下次开机或执行 sysctl --system 时会把设置改回去。撤销时会原样恢复。"),
		},
	}
}

// answers are the step's values with their defaults.
type answers struct {
	Profile  string
	Set      map[string]string // canonical key → value
	Hard     uint64            // 0: leave
	Soft     uint64            // 0: leave
	Conflict bool
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{
		Profile:  v.Text(keyProfile, profileBase),
		Set:      make(map[string]string),
		Hard:     uint64(max(v.Number(keyNofile, defaultNrOpen), 0)),
		Soft:     uint64(max(v.Number(keySoft, 0), 0)),
		Conflict: v.Bool(keyConflict, true),
	}
	switch a.Profile {
	case profileBase, profileWeb, profileDatabase, profileBuild:
	default:
		return a, lang.Errorf(nil, "cannot use profile %q: there is no such profile", "无法使用方案 %q：没有这个方案", a.Profile).
			WithHint("base, web, database or build", "可用：base、web、database、build")
	}
	for _, k := range sortedKeys(v.Map(keySet)) {
		value := v.Map(keySet)[k]
		if err := checkSetting(k + "=" + value); err != nil {
			return a, err
		}
		a.Set[sysctl.Canonical(k)] = value
	}
	wrong := crossed(v)
	for _, k := range slices.Sorted(maps.Keys(wrong)) {
		return a, wrong[k]
	}
	return a, nil
}

// Cross finds a soft limit above the hard one, and one parameter set under two
// spellings of its name.
func (Step) Cross(v engine.Values) map[string]error {
	wrong := crossed(v)
	for k, err := range wrong {
		wrong[k] = reason(err)
	}
	return wrong
}

// crossed is Cross with errors that name the keys.
func crossed(v engine.Values) map[string]error {
	wrong := make(map[string]error)
	hard, soft := v.Number(keyNofile, defaultNrOpen), v.Number(keySoft, 0)
	if soft > hard && hard > 0 {
		wrong[keySoft] = lang.Errorf(nil, "cannot set nofile_soft to %d: it is above nofile, %d", "无法把 nofile_soft 设为 %d：超过了 nofile 的 %d", soft, hard).
			WithHint("write at most %d, or raise nofile", "请写不超过 %d 的值，或调高 nofile", hard)
	}
	first := make(map[string]string)
	for _, k := range sortedKeys(v.Map(keySet)) {
		c := sysctl.Canonical(k)
		if was, twice := first[c]; twice {
			wrong[keySet+"."+k] = lang.Errorf(nil, "cannot set %s: it is set as %s as well", "无法设置 %s：又写作 %s，重复了", k, was).
				WithHint("the same key may be written with dots or with slashes; keep one of them", "同一个键用点号或斜杠写是一样的，请只保留一处")
			continue
		}
		first[c] = k
	}
	return wrong
}

const infinity = math.MaxUint64
