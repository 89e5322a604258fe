package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/vrrp"
)

func TestTheDrillIsOfTheNewestPairThatStands(t *testing.T) {
	pair := []string{"peer", "service", "ha"}
	runs := []engine.RunInfo{
		{ID: 1, Status: engine.StatusApplied, Steps: pair},
		{ID: 2, Status: engine.StatusApplied, Steps: pair},
		{ID: 3, Status: engine.StatusUndone, Steps: pair},
		{ID: 4, Status: engine.StatusApplied, Steps: pair}, // its ha failed
		{ID: 5, Status: engine.StatusApplied, Steps: []string{"kernel"}},
		{ID: 6, Status: engine.StatusUnreadable},
	}
	record := func(id engine.RunID) (*engine.RunRecord, error) {
		return &engine.RunRecord{Order: []machine.ID{"local", "peer:b"}, Steps: []engine.StepRecord{
			{Step: "peer", Values: engine.Values{"address": "root@b"}},
			{Step: "ha", Values: engine.Values{"vip": "10.0.0.1"}},
			{Step: "ha", Values: engine.Values{"vip": "10.0.0.2"}, Survey: engine.Survey("{}"), Done: id != 4}, // planned again
		}}, nil
	}
	p, err := newestPair(runs, record)
	if err != nil || p.ha["vip"] != "10.0.0.2" || p.peer["address"] != "root@b" || string(p.survey) != "{}" {
		t.Fatalf("%v %+v", err, p)
	}
	if _, err := newestPair(runs[2:], record); lang.Hint(err, lang.EN) == "" {
		t.Errorf("no pair: %v", err)
	}
	broken := errors.New("disk")
	if _, err := newestPair(runs, func(engine.RunID) (*engine.RunRecord, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestADrillIsReadByPeople(t *testing.T) {
	ms := time.Millisecond
	r := drill.Result{From: "c", Third: true, Rows: []drill.Row{
		{Fault: vrrp.FaultSwitchover, Title: drill.Title(vrrp.FaultSwitchover), Asked: 300, Gap: 11 * ms, Predicted: 15 * ms, Owners: []string{"a1", "a2"}, OK: true, Plot: drill.Plot{Every: 20 * ms, Set: 40 * ms, Back: 100 * ms, Worst: []float64{1, 1, 12, 60, 1, 1, 1}}},
		{Fault: vrrp.FaultNginxKilled, Title: drill.Title(vrrp.FaultNginxKilled), Asked: 300, Lost: 40, Gap: 410 * ms, Predicted: 50 * ms, Healed: 20 * ms, Owners: []string{"a2", "a1"}, Why: lang.T("the gap is more than 1.5 times the prediction", "中断时间超过预测值的 1.5 倍"), Plot: drill.Plot{Every: 20 * ms, Set: 20 * ms, Back: 80 * ms, Worst: []float64{1, -1, -1, 1, 1}}},
		{Fault: vrrp.FaultDisk, Title: drill.Title(vrrp.FaultDisk), Predicted: 15 * ms, Skipped: true, Why: lang.T("a container shares its disk", "容器与他人共用磁盘")},
	}}
	const want = `   fault                   lost  longest gap  predicted  healed  owners
+  switch over, planned   0/300        11 ms      15 ms    0 ms  a1 > a2
-  nginx killed          40/300       410 ms      50 ms   20 ms  a2 > a1
.  disk full                  -            -      15 ms       -  not tried
  nginx killed: the gap is more than 1.5 times the prediction
  disk full: a container shares its disk

answers over time: . up to 10 ms  : 50 ms  | slower  x lost  v fault  ^ taken back
  switch over, planned
    ..:|...
      v  ^
  nginx killed
    .xx..
     v  ^
asked by c, which was neither node
`
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a := &app{out: &output{File: f}, errs: f, lang: lang.EN}
	a.printDrill(r)
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}
