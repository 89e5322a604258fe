package tui

import "testing"

func TestALessonStandsBeforeEachCommit(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f, func(c *Config) { c.Lesson = true }).toDiff().keys("w")
	d.sees("Lesson", "What is about to happen", "+ make /etc/sysctl.d/zz-goxin.conf", "enter go on to writing")
	d.keys("esc").at(atDiff).keys("w", "enter").sees("Write 5 changes to kp-01?").at(atDiff)
	d.keys("enter").at(atResult)
}

func TestALessonTellsReasonsRisksAndCommands(t *testing.T) {
	d := drive(t, &fakeSession{}, func(c *Config) { c.Lesson = true }).toDiff()
	d.app.height = 100
	d.keys("w").sees("Why", "What could go wrong", "it will win after a restart of tuned", "All of it can be undone", "By hand it would be", "sysctl -w vm.swappiness='1'")
}
