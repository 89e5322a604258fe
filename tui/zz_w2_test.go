package tui

import (

	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	tea "github.com/charmbracelet/bubbletea"
	"goxin/assets/lang"
	"goxin/steps/engine"
)

type w2Step struct{ fakeStep }

func (w2Step) Fields() []engine.Field {
	return []engine.Field{
		{Key: "a", Kind: engine.Choice, Title: lang.T("Which service keeps the time?", "由哪个服务校时？"), Help: lang.T("One service only: two of them pull on one clock. The others are stopped and disabled.", "只能有一个"), Options: []engine.Option{{Value: "auto", Title: lang.T("The one in use", "x")}, {Value: "chrony"}, {Value: "timesyncd", Title: lang.T("systemd-timesyncd", "x")}, {Value: "keep", Title: lang.T("Leave it alone", "x")}}, Default: "auto"},
		{Key: "b", Kind: engine.List, Title: lang.T("Which time servers?", "使用哪些时间服务器？"), Help: lang.T("Host names or addresses", "x"), Default: []string{"ntp.aliyun.com", "ntp.tencent.com", "cn.pool.ntp.org"}},
		{Key: "c", Kind: engine.Confirm, Title: lang.T("Set a clock that is far off at once?", "x"), Default: true},
		{Key: "d", Kind: engine.Number, Title: lang.T("Seconds to wait until the clock is right", "x"), Default: int64(60)},
	}
}
func (s w2Step) Questions(_ engine.Hosts, _ engine.Survey, v engine.Values) []engine.Question {
	var qs []engine.Question
	for _, f := range s.Fields() {
		qs = append(qs, engine.Question{Field: f, Default: f.Default, Why: lang.T("Signatures", "x")})
	}
	return qs
}

func TestW2(t *testing.T) {
	d := drive(t, &fakeSession{}, func(c *Config) { c.Steps = []engine.Step{w2Step{fakeStep{"clock"}}} })
	d.app.Update(tea.WindowSizeMsg{Width: 40, Height: 12})
	d.keys("enter", "enter")
	p := d.app.page.(*askPage)
	for i, l := range strings.Split(p.form.View(), "\n") {
		t.Log(i, l)
	}
	for _, q := range p.questions {
		t.Log(q.Key, lipgloss.Height(p.fields[q.Key].widget.View()))
		t.Log(p.fields[q.Key].widget.View())
	}
	t.Log(d.app.View())
}
