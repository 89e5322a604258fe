package tui

import (
	"testing"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

func TestOneOfAListIsPicked(t *testing.T) {
	var p *choosePage
	d := drive(t, &fakeSession{}, func(c *Config) { c.Mark = lang.T("SIMULATED", "模拟") })
	p = &choosePage{
		questionnaire: questionnaire{App: d.app, titles: true}, title: lang.T("Which machine?", "哪台机器？"),
		options: []engine.Option{{Value: "a", Title: lang.T("Kunpeng 920", "鲲鹏 920")}, {Value: "b", Title: lang.T("Loongson 3A6000", "龙芯 3A6000")}},
	}
	d.app.first, d.app.page = p, nil
	d.run(d.app.enter(place{stage: atMachine}))
	d.sees("SIMULATED", "Which machine?", "Loongson 3A6000").keys("down", "enter")
	if p.value != "b" || !d.quit {
		t.Errorf("picked %q", p.value)
	}
}
