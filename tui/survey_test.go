package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// raceStep is a mirror step: a survey that compares, a text with options.
type raceStep struct{ fakeStep }

func race() raceStep { return raceStep{fakeStep{"mirror"}} }

func withRace(c *Config) { c.Steps = []engine.Step{race()} }

func (raceStep) Survey(context.Context, map[machine.ID]machine.Machine, engine.Hosts, engine.Values, func(engine.Progress)) (engine.Survey, error) {
	return nil, errors.New("the session of these tests surveys")
}

func (raceStep) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: "source", Kind: engine.Text, Title: lang.T("Where do packages come from?", "软件包从哪里来？"), Help: lang.T("The best first.", "最优的在最前。"), Default: "fastest",
			Check: func(v string) error {
				if strings.Contains(v, "ftp:") {
					return lang.Errorf(nil, "ftp is not spoken here", "不支持 ftp")
				}
				return nil
			},
		},
		{Key: "official", Kind: engine.Confirm, Title: lang.T("Keep the vendor's as a fallback?", "保留官方源作后备？"), Default: true},
	}
}

func (s raceStep) Questions(_ engine.Hosts, _ engine.Survey, v engine.Values) []engine.Question {
	fs := s.Fields()
	fs[0].Options = []engine.Option{
		{Value: "fastest", Title: lang.T("the fastest        Vendor's own, 41 MB/s", "最快的             官方源，41 MB/s")},
		{Value: "official", Title: lang.T("Vendor's own       today      38 ms   41 MB/s  the best", "官方源             当天       38 ms   41 MB/s  最快")},
		{Value: "inhouse", Title: lang.T("In house 10.2.0.5  12 days     2 ms  112 MB/s  12 days behind, so it lost", "站内镜像 10.2.0.5  12 天       2 ms  112 MB/s  落后 12 天，因此不选"), Help: lang.T("The fastest, and 12 days behind the vendor: 37 security updates are missing.", "最快，但落后官方 12 天，缺 37 个安全更新。")},
		{Value: "keep", Title: lang.T("as it is now", "保持现状")},
	}
	var qs []engine.Question
	for _, f := range fs {
		qs = append(qs, engine.Question{Field: f, Default: f.Default, Why: lang.T("Signatures are checked before speed.", "先核对签名，再比速度。")})
	}
	return qs
}

// Resurvey: only another address is something new to look at.
func (raceStep) Resurvey(old, new engine.Values) bool {
	return strings.Contains(new.Text("source", ""), "://") && old.Text("source", "") != new.Text("source", "")
}

func raceTable() *engine.Table {
	t := &engine.Table{Columns: []engine.Column{
		{Title: lang.T("candidate", "候选")},
		{Title: lang.T("as of", "新鲜度"), Right: true},
		{Title: lang.T("first byte", "首字节"), Right: true},
		{Title: lang.T("rate", "速率"), Right: true},
		{Title: lang.T("verdict", "结论")},
	}}
	row := func(m engine.Mark, cells ...lang.Text) {
		t.Rows = append(t.Rows, engine.TableRow{Key: cells[0].EN, Mark: m, Cells: cells})
	}
	none := lang.Same("—")
	row(engine.Best, lang.T("Vendor's own", "麒麟官方"), lang.T("today", "当天"), lang.Same("38 ms"), lang.Same("41 MB/s"), lang.T("the best", "最快"))
	row(engine.Good, lang.T("Mirror C", "镜像丙"), lang.T("today", "当天"), lang.Same("55 ms"), lang.Same("23 MB/s"), lang.T("can be a fallback", "可作后备"))
	row(engine.Good, lang.T("In house 10.2.0.5", "站内镜像 10.2.0.5"), lang.T("12 days", "12 天前"), lang.Same("2 ms"), lang.Same("112 MB/s"), lang.T("12 days behind, 37 security updates are missing", "落后 12 天，缺 37 个安全更新"))
	row(engine.Waiting, lang.T("Mirror A", "镜像甲"), lang.T("today", "当天"), lang.Same("61 ms"), lang.Text{}, lang.T("measuring…", "测速中…"))
	row(engine.Waiting, lang.T("Mirror F", "镜像己"), lang.Text{}, lang.Text{}, lang.Text{}, lang.Text{})
	row(engine.Unusable, lang.T("Mirror B", "镜像乙"), none, none, none, lang.T("has no V10SP3", "没有 V10SP3"))
	row(engine.Unusable, lang.T("Mirror D", "镜像丁"), none, none, none, lang.T("answers with a login page", "返回登录页"))
	row(engine.Unusable, lang.T("Mirror E", "镜像戊"), lang.T("today", "当天"), none, none, lang.T("its signature does not match", "签名不符"))
	return t
}

func raceProgress() engine.Event {
	return engine.Event{
		What: engine.Surveying, Step: "mirror", Table: raceTable(),
		Text: lang.T("comparing 8 candidates, 9 of 24 MiB", "正在比较 8 个候选，已下载 9 / 24 MiB"),
	}
}

// surveying is a wizard that waits for the survey of its step.
func surveying(t *testing.T, p func(*App) page, stage stage) *driver {
	d := drive(t, &fakeSession{}, withRace)
	d.app.epoch++
	pg := p(d.app)
	d.app.place, d.app.page = place{stage, 0}, pg
	pg.Enter()
	d.clock = d.clock.Add(3 * time.Second)
	pg.Update(raceProgress())
	return d
}

func asking(a *App) page { return &askPage{questionnaire: questionnaire{App: a}} }

func (d *driver) types(s string) *driver {
	for _, r := range s {
		d.keys(string(r))
	}
	return d
}

func TestASurveyServesTheDiffAndTheWayBack(t *testing.T) {
	d := drive(t, &fakeSession{}, withRace).keys("enter", "down", "enter", "enter").at(atDiff)
	d.keys("esc").at(atAsk).keys("enter", "enter").at(atDiff).keys("esc", "esc").at(atMachine).keys("enter").at(atAsk)
	if got := d.fake.called(); strings.Count(got, "survey") != 1 {
		t.Errorf("raced anew for answers that change nothing: %s", got)
	}
	d.keys("r").at(atAsk)
	if got := d.fake.called(); strings.Count(got, "survey") != 2 {
		t.Errorf("r did not measure again: %s", got)
	}
	if v := d.app.answers["mirror"]["source"]; v != "official" {
		t.Errorf("measuring again lost the answer: %v", v)
	}
}

// One mirror that was chosen by name would be all that a race of the answers asks.
func TestMeasuringAgainMeasuresAllThereIsToChooseFrom(t *testing.T) {
	d := drive(t, &fakeSession{}, withRace).keys("enter", "down").at(atAsk).keys("r").at(atAsk)
	if v := d.app.answers["mirror"]["source"]; v != "official" {
		t.Errorf("the answer is %v", v)
	}
	if got := d.fake.surveyed; len(got) != 2 || len(got[1]) != 0 {
		t.Errorf("measured for %v", got)
	}
}

func TestAnAddressOfOnesOwnIsSurveyed(t *testing.T) {
	d := drive(t, &fakeSession{}, withRace).keys("enter", "up", "enter").types("http://10.0.0.1/").keys("enter", "enter").at(atDiff)
	if got := d.fake.called(); strings.Count(got, "survey") != 2 {
		t.Errorf("what was typed was not looked at: %s", got)
	}
}

func TestAStepThatDoesNotSayIsSurveyedAnewForOtherAnswers(t *testing.T) {
	d := drive(t, &fakeSession{}).keys("enter", "down", "enter", "enter").at(atDiff)
	d.keys("esc", "enter", "enter").at(atDiff)
	if got := d.fake.called(); strings.Count(got, "survey") != 2 {
		t.Errorf("calls: %s", got)
	}
}

func TestASurveyFromBeforeAWriteIsNotUsedAgain(t *testing.T) {
	d := drive(t, &fakeSession{applyErr: errLock}, withRace).keys("enter", "enter", "enter").at(atDiff).keys("w", "enter").at(atResult)
	d.keys("r").at(atDiff)
	if got := d.fake.called(); strings.Count(got, "survey") != 2 || !strings.Contains(got, "apply:mirror detect survey:mirror") {
		t.Errorf("calls: %s", got)
	}
	// Another goxin at work may be what changes the machine.
	f := &fakeSession{startErr: &engine.BusyError{Holder: engine.Holder{PID: 1}}}
	drive(t, f, withRace).keys("enter", "enter", "enter", "w", "enter").at(atResult).keys("r").at(atDiff)
	if got := f.called(); strings.Count(got, "survey") != 2 {
		t.Errorf("calls: %s", got)
	}
}

func TestAPlanThatFailedIsTriedAgainWithANewSurvey(t *testing.T) {
	f := &fakeSession{planErr: errLock}
	d := drive(t, f, withRace).keys("enter", "enter", "enter").at(atDiff).sees("cannot be planned")
	f.planErr = nil
	d.keys("r").sees("5 changes")
	if got := f.called(); strings.Count(got, "survey") != 2 {
		t.Errorf("calls: %s", got)
	}
}

func TestAReviewedFileCanBeMeasuredAgain(t *testing.T) {
	d := drive(t, &fakeSession{}, withRace, func(c *Config) { c.Review, c.Answers = true, engine.Answers{"mirror": {}} }).keys("enter").at(atDiff)
	d.keys("r").at(atDiff).sees("5 changes")
	if got := d.fake.called(); strings.Count(got, "survey") != 2 || strings.Count(got, "plan") != 2 {
		t.Errorf("calls: %s", got)
	}
}

func TestTheFileTellsWhatFastestGave(t *testing.T) {
	f := &fakeSession{}
	f.plan = func(step string) *engine.StepPlan {
		p := fakePlan(step)
		p.Values = engine.Values{"source": "fastest", "official": true, "found": "mirror-c"}
		return p
	}
	d := drive(t, f, withRace).keys("enter", "enter", "enter").at(atDiff)
	if last := d.saved[len(d.saved)-1]; last["mirror"]["found"] != "mirror-c" {
		t.Fatalf("saved %v", last)
	}
	d.keys("esc").at(atAsk).keys("down", "enter")
	if v := d.app.answers["mirror"]; v["source"] != "official" || v["found"] != "mirror-c" {
		t.Errorf("another source dropped something else: %v", v)
	}
	if got := f.called(); strings.Count(got, "survey") != 1 {
		t.Errorf("what was recalled had the race run again: %s", got)
	}
}

func TestOtherTurnsIntoALineToWriteOn(t *testing.T) {
	d := drive(t, &fakeSession{}, withRace).keys("enter").sees("other…", "question 1 of 2")
	d.keys("down", "down").sees("37 security")
	d.keys("down", "down", "enter").sees("│ >", "question 1 of 2").keys("enter").sees("nothing is written yet")
	d.types("ftp://rr").keys("enter").sees("ftp is not spoken here")
	d.keys("esc").at(atAsk).sees("other: ftp://rr", "as it is now").keys("up", "enter").sees("question 2 of 2")
	if v := d.app.answers["mirror"]["source"]; v != "keep" {
		t.Errorf("source = %v", v)
	}
}

func TestASavedAnswerThatIsNoOptionIsTheOther(t *testing.T) {
	given := engine.Answers{"mirror": {"source": "http://10.0.0.9/kylin"}}
	d := drive(t, &fakeSession{}, withRace, func(c *Config) { c.Answers = given }).keys("enter").sees("▸ other: http://10.0.0.9/kylin")
	d.keys("enter").sees("> http://10.0.0.9/kylin").types("/").keys("enter").sees("question 2 of 2")
	if v := d.app.answers["mirror"]["source"]; v != "http://10.0.0.9/kylin/" {
		t.Errorf("source = %v", v)
	}
}

// huh moves its cursor to the end of a list without moving the answer.
func TestWhatTheCursorShowsIsTheAnswer(t *testing.T) {
	d := drive(t, &fakeSession{}).keys("enter", "end").sees("▸ build").keys("enter")
	if v := d.app.answers["kernel"]["profile"]; v != "build" {
		t.Errorf("the cursor was on build, the answer is %v", v)
	}
}

func TestAListLongerThanTheScreenIsFollowedToItsCursor(t *testing.T) {
	d := drive(t, &fakeSession{}, withRace).keys("enter")
	d.draw([2]int{40, 12}, Plain, lang.EN)
	for range 4 {
		d.keys("down")
		cursor := 0
		for _, l := range strings.Split(d.app.View(), "\n") {
			if strings.HasPrefix(l, " | > ") {
				cursor++
			}
		}
		if cursor != 1 {
			t.Fatalf("the cursor is out of sight:\n%s", d.app.View())
		}
	}
	d.sees("> other")
}

func TestEscCallsASurveyOff(t *testing.T) {
	d := surveying(t, asking, atAsk).sees("looking, nothing is changed", "00:03", "comparing 8 candidates", "▸ Vendor's own", "✗ Mirror B")
	ctx := d.app.pageCtx
	if d.keys("esc").at(atMachine); ctx.Err() == nil {
		t.Error("the survey goes on")
	}
}

func TestAnotherStepsSurveyIsNotDrawnHere(t *testing.T) {
	d := surveying(t, asking, atAsk)
	ev := raceProgress()
	ev.Step, ev.Text, ev.Table = "kernel", lang.T("late", "late"), nil
	d.app.page.Update(ev)
	d.sees("comparing 8 candidates")
}

func TestNumbersGiveWayToNamesAndReasons(t *testing.T) {
	a := drive(t, &fakeSession{}, withRace).app
	for w, want := range map[int][]string{
		100: {"candidate", "as of", "first byte", "rate", "verdict"},
		63:  {"candidate", "as of", "first byte", "verdict"},
		36:  {"candidate", "verdict"},
	} {
		head, rows := a.tableLines(raceTable(), w)
		if got, want := strings.Join(strings.Fields(head), " "), strings.Join(want, " "); got != want {
			t.Errorf("%d cells: %q, want %q", w, got, want)
		}
		for _, r := range append(rows, head) {
			if width(r) > w {
				t.Errorf("%d cells: %q takes %d", w, r, width(r))
			}
		}
		if !strings.Contains(rows[2], "12 days behin") || !strings.Contains(rows[2], "In house") {
			t.Errorf("%d cells: %q", w, rows[2])
		}
	}
	if _, rows := a.tableLines(&engine.Table{Columns: raceTable().Columns, Rows: []engine.TableRow{{Key: "short"}}}, 40); len(rows) != 1 {
		t.Error("a row without cells is not drawn")
	}
}

func TestRowsOfATableScroll(t *testing.T) {
	d := surveying(t, asking, atAsk)
	d.draw([2]int{40, 12}, Plain, lang.EN)
	for range 8 {
		d.keys("down")
	}
	d.sees("x Mirror E", "candidate", "verdict")
}

func TestOnlyTheLastProgressWaits(t *testing.T) {
	f := newFeed()
	for i := range 3 {
		f.notify(engine.Event{What: engine.Surveying, Step: "mirror", Text: lang.F("%d", "%d", i)})
	}
	f.notify(engine.Event{What: engine.PlanReady})
	f.notify(engine.Event{What: engine.Surveying, Step: "mirror"})
	if got := f.take(); len(got) != 3 || got[0].Text.EN != "2" {
		t.Errorf("%v", got)
	}
}

// trying is a plan with a proof that comes first and one that comes last.
func trying(t *testing.T, events ...engine.Event) *driver {
	d := drive(t, &fakeSession{}).toDiff()
	d.app.outcome.plan = fakePlan("kernel")
	p := &writePage{App: d.app}
	d.app.place, d.app.page = place{atWrite, 0}, p
	d.app.epoch++
	p.Enter()
	for _, ev := range events {
		p.Update(ev)
		d.clock = d.clock.Add(5 * time.Second)
	}
	return d
}

var (
	tryList = engine.Event{What: engine.Proving, Text: lang.T("the new sources, tried on a scratch tree", "在临时目录中试用新软件源")}
	sawList = engine.Event{What: engine.Proved, Text: lang.T("the new sources, tried on a scratch tree: 4 repositories, 11,204 packages", "在临时目录中试用新软件源：4 个仓库，11,204 个软件包")}
	tryPage = engine.Event{What: engine.Proving, Text: lang.T("a package can be fetched", "可以取到软件包")}
)

func whole(what engine.What) []engine.Event {
	var out []engine.Event
	for _, it := range fakePlan("kernel").Items {
		out = append(out, engine.Event{What: what, On: it.On, Kind: it.Kind, Target: it.Target})
	}
	return out
}

func TestATrialStandsBeforeTheChangesAndAProofAfterThem(t *testing.T) {
	d := trying(t, tryList).sees("trying it out, nothing is changed yet", "● the new sources", "00:05")
	order := func(texts ...string) {
		t.Helper()
		at := 0
		for _, s := range texts {
			i := strings.Index(d.app.View()[at:], s)
			if i < 0 {
				t.Fatalf("%q is not there, or not in its place:\n%s", s, d.app.View())
			}
			at += i
		}
	}
	order("the new sources", "zz-goxin.conf")
	d = trying(t, append(append([]engine.Event{tryList, sawList}, whole(engine.Done)...), tryPage)...).sees("written, now proving it")
	order("✓ the new sources", "4 repositories", "zz-goxin.conf", "vm.swappiness", "● a package can be fetched")
}

func TestAWaitForALockIsSeenToWait(t *testing.T) {
	doing := whole(engine.Doing)[0]
	d := trying(t, doing, engine.Event{What: engine.Output, Text: lang.Same("Waiting for process with pid 1184 to finish.")})
	d.sees("Waiting for process with pid 1184")
	if strings.Contains(d.app.View(), "silent") {
		t.Error("silent at once")
	}
	d.clock = d.clock.Add(40 * time.Second)
	d.sees("silent for 00:45", "00:50")
}

// unprovedSession fails as a step does whose trial fails: no operation began.
type unprovedSession struct{ *fakeSession }

func (s unprovedSession) Start(ctx context.Context, o engine.RunOptions) (RunUnderWay, error) {
	r, err := s.fakeSession.Start(ctx, o)
	return unprovedRun{r.(*fakeRun)}, err
}

type unprovedRun struct{ *fakeRun }

func (r unprovedRun) Apply(context.Context, *engine.StepPlan) (engine.StepResult, error) {
	r.f.emit(engine.Event{What: engine.StepStarted, Step: "kernel", Of: 6})
	r.f.emit(tryList)
	return engine.StepResult{}, lang.Errorf(errLock, "cannot prove: %s", "验证未通过：%s", tryList.Text)
}

func unproven(t *testing.T) *driver {
	return drive(t, &fakeSession{}, func(c *Config) { c.Session = unprovedSession{c.Session.(*fakeSession)} }).toDiff().keys("w", "enter")
}

func TestATrialThatFailedSaysThatNothingWasChanged(t *testing.T) {
	d := unproven(t).at(atResult).sees("nothing was changed", "cannot prove: the new sources", "nothing was changed, nothing to undo")
	if hasKey(d.app.page.Keys(), "u") {
		t.Error("offers to undo nothing")
	}
	d.keys("l").sees("trying: the new sources").keys("esc", "q").sees("Nothing has been written").keys("esc")
	d.keys("r").at(atDiff).sees("nothing written yet")
}

// packagesPlan installs n packages, two of them replacing what is there.
func packagesPlan(n int) func(string) *engine.StepPlan {
	return func(step string) *engine.StepPlan {
		it := engine.Planned{
			On: machine.LocalID, Kind: "packages", Why: lang.T("A compiler and what it needs. Source: the vendor's repositories.", "编译器及其依赖。来源：官方仓库。"),
			ByHand: []string{"dnf install gcc make"},
			Diff:   engine.Diff{Action: engine.CannotUndo, Note: lang.F("%d packages, 212 MB to fetch, 804 MB on disk", "%d 个软件包，下载 212 MB，占用 804 MB", n)},
		}
		var names []string
		for i := range n {
			r := engine.Row{Action: engine.Create, Name: fmt.Sprintf("package-%02d-devel", i+1), Then: "7.3.0-20190804.35.p02.ky10"}
			switch i {
			case 2:
				r.Action, r.Now, r.Note = engine.CannotUndo, "2.28-36.p08.ky10", lang.T("replaced: the older one is no longer offered", "升级：旧版本已不在仓库中")
			case 40:
				r.Action, r.Now = engine.Update, "1.0-1.ky10"
			}
			it.Diff.Rows = append(it.Diff.Rows, r)
			names = append(names, r.Name)
		}
		it.Target = strings.Join(names, " ")
		return &engine.StepPlan{Step: step, Items: append([]engine.Planned{it}, fakePlan(step).Items[0])}
	}
}

func TestEightyPackagesAreReadToTheLast(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {40, 12}} {
		for name, tier := range tiers {
			for _, key := range []string{"down", "pgdown"} {
				d := drive(t, &fakeSession{plan: packagesPlan(80)}).toDiff()
				seen := d.draw(size, tier, lang.EN)
				for range 400 {
					d.keys(key)
					seen += d.app.View()
				}
				for i := 1; i <= 80; i++ {
					if want := fmt.Sprintf("package-%02d-devel", i); !strings.Contains(seen, "+ "+want) && !strings.Contains(seen, "~ "+want) && !strings.Contains(seen, "! "+want) {
						t.Errorf("%v %s %s: %s is never seen", size, name, key, want)
					}
				}
				if !strings.Contains(seen, "zz-goxin.conf") || !strings.Contains(seen, "replaced: the older") {
					t.Errorf("%v %s %s: something is never seen", size, name, key)
				}
			}
		}
	}
}

func TestWhatCannotBeUndoneIsNamedBeforeItIsWritten(t *testing.T) {
	d := drive(t, &fakeSession{plan: packagesPlan(80)}).toDiff().keys("w").sees("Cannot be undone: package-03-devel")
	d.draw([2]int{40, 12}, Plain, lang.ZH)
	d.sees("无法撤销", "enter")
	if got := forGood([]engine.Planned{{Target: "a", Diff: engine.Diff{Action: engine.CannotUndo}}, packagesPlan(5)("").Items[0], {Target: "b", Diff: engine.Diff{Action: engine.CannotUndo}}, {Target: "c", Diff: engine.Diff{Action: engine.CannotUndo}}}); got.EN != "Cannot be undone: a, package-03-devel, b and 1 more" {
		t.Error(got.EN)
	}
}
