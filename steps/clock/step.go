package clock

import (
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Step is the time step.
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
	keyServers = "servers"
	keyService = "service"
	keyStep    = "step_clock"
	keyWait    = "wait"
)

// The values of service; chrony and timesyncd name services as well.
const (
	auto      = "auto"
	keep      = "keep"
	chrony    = "chrony"
	timesyncd = "timesyncd"
	ntpd      = "ntpd"
)

// farOff is how many seconds a clock may be off before it is set at once. A time
// service takes care of less, and TLS and package signatures do not mind it.
const farOff = 60

// defaultWait is in seconds. chrony with iburst needs about ten, timesyncd about
// as many, and a name server that is slow to answer comes on top.
const defaultWait = 60

// ID is "time".
func (Step) ID() string { return "time" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Time", "时间") }

// Fields are the keys under steps.time.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: keyServers, Kind: engine.List, Check: checkServer,
			Title: lang.T("Which time servers?", "使用哪些时间服务器？"),
			Help:  lang.T("Host names or addresses of NTP servers, those of your site first of all. Left out, what is configured stays; where nothing is, public servers in China are used.", "NTP 服务器的主机名或地址，优先填本单位内网的。不填则保持现有配置；若未配置任何服务器，则使用国内公共服务器。"),
		},
		{
			Key: keyService, Kind: engine.Choice, Default: auto,
			Title: lang.T("Which service keeps the time?", "由哪个服务校时？"),
			Help:  lang.T("One service only: two of them pull on one clock. The others are stopped and disabled.", "只能有一个：两个服务会互相拉扯时钟。其余的会被停止并禁用。"),
			Options: []engine.Option{
				{Value: auto, Title: lang.T("The one in use", "沿用现有"), Help: lang.T("The one that runs or is installed; chrony where there is none.", "沿用正在运行或已安装的；都没有时安装 chrony。")},
				{Value: chrony, Title: lang.Same("chrony"), Help: lang.T("Asks several servers and outvotes a wrong one; bridges a line that is often down.", "同时询问多台服务器，能排除错误的一台；网络时断时续也能应付。")},
				{Value: timesyncd, Title: lang.Same("systemd-timesyncd"), Help: lang.T("Small; believes one server at a time.", "轻量；一次只信一台服务器。")},
				{Value: keep, Title: lang.T("Leave it alone", "不改动"), Help: lang.T("No service is started, stopped or configured.", "不启动、不停止、不配置任何服务。")},
			},
		},
		{
			Key: keyStep, Kind: engine.Confirm, Default: true,
			Title: lang.T("Set a clock that is far off at once?", "时钟偏差过大时立即校正？"),
			Help:  lang.F("One that is off by more than %d seconds is set by the Date of package mirrors before anything else is done. It cannot be undone. Say no where a running database would mind a jump.", "偏差超过 %d 秒时，先按软件源镜像返回的 Date 校正时钟，再做其他事情。此操作不可撤销。若有正在运行、经不起时间跳变的数据库，请选否。", farOff),
		},
		{
			Key: keyWait, Kind: engine.Number, Min: 0, Max: 3600, Default: int64(defaultWait),
			Title: lang.T("Seconds to wait until the clock is right", "等待同步完成的秒数"),
			Help:  lang.T("The step fails if the service has not synchronised by then. 0 does not wait and proves nothing: for sites without a time server.", "到时仍未同步则本步骤失败。填 0 则不等待，也不验证：适用于没有时间服务器的现场。"),
		},
	}
}

// answers are the step's values with their defaults.
type answers struct {
	Servers []string // nil: what is configured
	Service string
	Step    bool
	Wait    int // seconds
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{
		Service: v.Text(keyService, auto),
		Step:    v.Bool(keyStep, true),
		Wait:    int(max(v.Number(keyWait, defaultWait), 0)),
	}
	seen := map[string]bool{}
	for _, s := range v.List(keyServers) {
		if err := checkServer(s); err != nil {
			return a, err
		}
		if s = strings.ToLower(s); !seen[s] {
			seen[s] = true
			a.Servers = append(a.Servers, s)
		}
	}
	switch a.Service {
	case auto, chrony, timesyncd, keep:
	default:
		return a, lang.Errorf(nil, "cannot use %q to keep the time: goxin does not know it", "无法用 %q 校时：goxin 不认识它", a.Service).
			WithHint("auto, chrony, timesyncd or keep", "可用：auto、chrony、timesyncd、keep")
	}
	for _, err := range (Step{}).Cross(v) {
		return a, err
	}
	return a, nil
}

// Cross finds servers for a service that is to be left alone.
func (Step) Cross(v engine.Values) map[string]error {
	if v.Text(keyService, auto) != keep || len(v.List(keyServers)) == 0 {
		return nil
	}
	return map[string]error{keyServers: lang.Errorf(nil, "service: keep leaves the configuration alone, so no servers can be set", "service: keep 表示不改动配置，因此不能再指定服务器").
		WithHint("remove servers, or choose another service", "请删除 servers，或改选其他 service")}
}
