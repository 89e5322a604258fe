package answers

import (
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// fakeStep is a step of which only the fields matter.
type fakeStep struct {
	id        string
	title     lang.Text
	fields    []engine.Field
	questions []engine.Question
}

func (s fakeStep) ID() string             { return s.id }
func (s fakeStep) Title() lang.Text       { return s.title }
func (s fakeStep) Fields() []engine.Field { return s.fields }
func (s fakeStep) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question {
	return s.questions
}

func (s fakeStep) Ops(engine.Hosts, engine.Survey, engine.Values) ([]engine.Item, error) {
	return nil, nil
}

// crossStep does not swap on a database, and has each parameter once.
type crossStep struct{ fakeStep }

func (crossStep) Cross(v engine.Values) map[string]error {
	wrong := map[string]error{}
	if v.Text("profile", "base") == "database" && v.Bool("swap", false) {
		wrong["swap"] = lang.Errorf(nil, "a database does not swap", "数据库不使用交换分区").WithHint("write false", "请写 false")
	}
	if m := v.Map("set"); m["a.b"] != "" && m["b.a"] != "" {
		wrong["set.b.a"] = lang.Errorf(nil, "it is a.b", "它就是 a.b")
	}
	return wrong
}

// fakeSteps have every kind of field.
func fakeSteps() []engine.Step {
	return []engine.Step{
		fakeStep{id: "mirror", title: lang.T("Mirror", "软件源"), fields: []engine.Field{
			{Key: "url", Kind: engine.Text, Title: lang.T("Address", "地址"), Check: func(s string) error {
				if strings.Contains(s, " ") {
					return lang.Errorf(nil, "an address has no blanks", "地址中不能有空格").WithHint("remove them", "请删除空格")
				}
				return nil
			}},
			{Key: "token", Kind: engine.Secret, Title: lang.T("Token", "令牌"), Help: lang.T("of the mirror", "软件源的令牌")},
		}},
		crossStep{fakeStep{id: "kernel", title: lang.T("Kernel", "内核"), fields: []engine.Field{
			{Key: "profile", Kind: engine.Choice, Title: lang.T("Profile", "方案"), Default: "base", Options: []engine.Option{
				{Value: "base", Title: lang.T("Base", "基础"), Help: lang.T("for every host", "适用于所有主机")},
				{Value: "web", Title: lang.T("Web server", "Web 服务器")},
				{Value: "database", Title: lang.T("Database", "数据库")},
				{Value: "on"},
			}},
			{Key: "set", Kind: engine.Map, Title: lang.T("More parameters", "其他参数"), Check: func(s string) error {
				if !strings.Contains(strings.SplitN(s, "=", 2)[0], ".") {
					return lang.Errorf(nil, "a parameter has a dot in its name", "参数名中应有点号")
				}
				return nil
			}},
			{Key: "limit", Kind: engine.Number, Title: lang.T("Open files", "打开文件数"), Min: 1024, Max: 1 << 20, Default: int64(65536)},
			{Key: "swap", Kind: engine.Confirm, Title: lang.T("Swap", "交换分区"), Default: false},
		}}},
		fakeStep{id: "devtools", title: lang.T("Tools", "开发工具"), fields: []engine.Field{
			{Key: "sets", Kind: engine.Many, Title: lang.T("Sets", "工具集"), Options: []engine.Option{
				{Value: "c"}, {Value: "debug"}, {Value: "git"},
			}, Default: []string{"c", "git"}},
			{Key: "packages", Kind: engine.List, Title: lang.T("Packages", "软件包")},
			{Key: "any", Kind: engine.Number, Title: lang.T("Any number", "任意整数")},
		}},
		fakeStep{id: "time", title: lang.T("Time", "时间")},
	}
}
