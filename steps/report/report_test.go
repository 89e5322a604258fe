package report

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

var update = flag.Bool("update", false, "write the goldens")

// step is a step that has only its questions.
type step struct {
	engine.Step
	id     string
	fields []engine.Field
}

func (s step) ID() string             { return s.id }
func (s step) Fields() []engine.Field { return s.fields }

func knownSteps() []engine.Step {
	return []engine.Step{
		step{id: "kernel", fields: []engine.Field{
			{Key: "profile", Kind: engine.Choice, Title: lang.T("What is the machine for?", "这台机器用来做什么？"), Options: []engine.Option{{Value: "web", Title: lang.T("Web services", "网站服务")}}},
			{Key: "set", Kind: engine.Map, Title: lang.T("Further parameters", "其他参数")},
			{Key: "limit", Kind: engine.Number, Title: lang.T("Open files", "打开文件数"), Default: int64(65536)},
			{Key: "swap", Kind: engine.Confirm, Title: lang.T("Keep swap?", "保留交换区？"), Default: false},
			{Key: "asked", Kind: engine.Text, Title: lang.T("Never asked", "从未问过")},
		}},
		step{id: "toolchain", fields: []engine.Field{
			{Key: "versions", Kind: engine.Many, Title: lang.T("Which Go?", "哪些 Go 版本？"), Options: []engine.Option{{Value: "latest", Title: lang.T("The newest", "最新版")}}},
			{Key: "token", Kind: engine.Secret, Title: lang.T("Token", "令牌")},
		}},
	}
}

func at(s string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-11-22 "+s)
	if err != nil {
		panic(err)
	}
	return t
}

func known[T any](v T, from string) detect.Fact[T] {
	f := detect.Fact[T]{Value: v, Known: true}
	f.From = same2(f.From, from)
	return f
}

// same2 is from in the type that Fact.From has.
func same2[S any](_ S, from string) S {
	var s any = from
	if t, ok := s.(S); ok {
		return t
	}
	s = lang.Same(from)
	return s.(S)
}

// acceptance is a run with one of everything.
func acceptance() (*engine.RunRecord, Options) {
	f := &detect.Facts{Running: true, Warnings: []string{detect.WarnPages64K}}
	f.Hostname = known("kp-01", "uname(2)")
	f.Arch.Machine, f.Arch.GOARCH = known("aarch64", "uname(2)"), known("arm64", "uname(2)")
	f.CPU.Model, f.CPU.Vendor = known("Kunpeng-920", "/proc/cpuinfo"), known("HiSilicon", "/proc/cpuinfo")
	f.CPU.Cores, f.CPU.LSE = known(64, "/sys/devices/system/cpu"), known(true, "/proc/cpuinfo")
	f.Memory.Total, f.Memory.PageSize = known(uint64(256<<30), "/proc/meminfo"), known(65536, "auxv")
	f.OS.Name, f.OS.Product, f.OS.Version, f.OS.ServicePack = known("Kylin Linux Advanced Server V10 (Lance)", "/etc/os-release"), known("kylin-server", "/etc/os-release"), known("V10", "/etc/os-release"), known("SP3", "/etc/.productinfo")
	f.Security.UOSIntegrity = known("absent", "-")
	f.Disks = []detect.Disk{
		{For: "/", Path: "/", Space: known(machine.Space{Free: 100 << 30, Total: 400 << 30}, "statfs(2)")},
		{For: "/etc", Path: "/etc", Space: known(machine.Space{Free: 100 << 30, Total: 400 << 30}, "statfs(2)")},
	}
	f.Network = []detect.Interface{{Name: "enp1s0", State: "up", MTU: 1500, Speed: 10000}, {Name: "docker0", State: "up", Virtual: true}}
	why := lang.T("It is needed.\nSource: sysctl.d(5)\nRisk: none known.", "需要它。\n依据：sysctl.d(5)\n风险：未知。")
	rec := &engine.RunRecord{
		Version: 1, Goxin: "1.2.0", Order: []machine.ID{"local"}, Facts: map[machine.ID]*detect.Facts{"local": f},
		Info:  engine.RunInfo{ID: 7, Status: engine.StatusApplied, Time: at("06:32:00"), Owner: "person"},
		Ended: at("06:39:12"), Confirm: 2 * time.Minute,
		Steps: []engine.StepRecord{
			{
				Step: "kernel", Title: lang.T("Kernel", "内核"), Began: at("06:32:01"), Ended: at("06:32:05"), Done: true,
				Values: engine.Values{"profile": "web", "set": map[string]string{"vm.swappiness": "1", "net.core.somaxconn": "65535"}, "old_key": "x"},
				Notes: []engine.Note{
					{Warn: true, Text: lang.T("tuned also sets some of them", "tuned 也会设置其中一部分")},
					{Text: lang.T("fs.file-max stays as it is", "fs.file-max 保持不变")},
				},
				Changes: []engine.ChangeRecord{
					{
						On: "local", Kind: "file", Target: "/etc/sysctl.d/zz-goxin.conf", Status: "done", Why: why, Outcome: engine.OK, Began: at("06:32:02"), Ended: at("06:32:02"),
						Diff: engine.Diff{Action: engine.Update, Note: lang.T("mode 0600 → 0644", "权限 0600 → 0644"), Hunks: []engine.Hunk{
							{Lines: []engine.Line{{Action: engine.None, Old: 1, New: 1, Text: "# site"}, {Action: engine.Delete, Old: 2, Text: "vm.swappiness = 60"}, {Action: engine.Create, New: 2, Text: "vm.swappiness = 1"}}},
							{Lines: []engine.Line{{Action: engine.Create, New: 40, Text: "\tnet.core.somaxconn = 65535"}}},
						}},
					},
					{
						On: "local", Kind: "sysctl", Target: "net.core.somaxconn", Status: "done", Why: why, Began: at("06:32:02"), Ended: at("06:32:04"),
						Outcome: engine.Outcome{Kind: engine.Clamped, By: lang.T("the container's host", "容器的宿主机"), Got: "4096"},
						Diff: engine.Diff{Action: engine.Update, Table: lang.T("running kernel", "运行中的内核"), Rows: []engine.Row{
							{Action: engine.Update, Name: "net.core.somaxconn", Now: "128", Then: "65535", Note: lang.T("at once", "立即生效")},
						}},
					},
					{On: "local", Kind: "dir", Target: "/etc/sysctl.d", Status: "skipped", Diff: engine.Diff{Action: engine.None}, Began: at("06:32:02"), Ended: at("06:32:02")},
				},
			},
			{
				Step: "toolchain", Title: lang.T("Go toolchain", "Go 工具链"), Began: at("06:32:05"), Ended: at("06:39:12"), Done: true,
				Values: engine.Values{"versions": []string{"latest", "1.25"}, "token": "hunter2"},
				Notes:  []engine.Note{{Text: lang.T("go1.26.8 will be proved by Go's transparency log, Google's signature.", "go1.26.8：验证依据为 Go 的透明日志、Google 的签名。")}},
				Changes: []engine.ChangeRecord{{
					On: "local", Kind: "tree", Target: "/usr/local/goxin/go/1.26.8", Status: "done", Why: why, Outcome: engine.OK, Began: at("06:32:06"), Ended: at("06:38:59"),
					Diff: engine.Diff{Action: engine.Create, Rows: []engine.Row{
						{Action: engine.Create, Name: "https://go.dev/dl/", Note: lang.T("source", "来源")},
						{Action: engine.Create, Name: "h1:ZOmGe1On=", Note: lang.T("Go's transparency log, by the proof at hand", "Go 透明日志，证明已具备")},
					}},
				}},
				Proved: []lang.Text{lang.T("go1.26.8 runs: go version go1.26.8 linux/arm64", "go1.26.8 可以运行：go version go1.26.8 linux/arm64")},
			},
		},
	}
	return rec, Options{
		Steps: knownSteps(), Goxin: "1.3.0", Now: at("08:00:00").In(time.FixedZone("CST", 8*3600)),
		Drift: []engine.Drift{{Run: 7, Step: "kernel", On: "local", Target: "net.core.somaxconn", Diff: engine.Diff{
			Action: engine.Update, Rows: []engine.Row{{Action: engine.Update, Name: "net.core.somaxconn", Now: "1024", Then: "4096"}},
		}}},
	}
}

func render(t *testing.T, r *Report, l lang.Lang) (html, md string) {
	h, err := r.HTML(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(h), string(r.Markdown(l))
}

func TestGoldens(t *testing.T) {
	rec, o := acceptance()
	r := Make(rec, o)
	golden := func(name string, got []byte) {
		name = "testdata/" + name
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil || string(want) != string(got) {
			t.Errorf("%s is another now (%v): look at it, then -update", name, err)
		}
	}
	for _, l := range []lang.Lang{lang.ZH, lang.EN} {
		html, md := render(t, r, l)
		golden("report."+string(l)+".html", []byte(html))
		golden("report."+string(l)+".md", []byte(md))
	}
	j, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden("report.json", j)
	var back Report
	if err := json.Unmarshal(j, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := back.JSON(); err != nil || string(again) != string(j) {
		t.Errorf("the JSON form does not read back: %v", err)
	}
}

func TestTheVerdictIsWhatBecameOfTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		want Verdict
		with func(*engine.RunRecord, *Options)
	}{
		"as asked":            {Good, func(*engine.RunRecord, *Options) {}},
		"it deviates":         {Remarks, func(r *engine.RunRecord, _ *Options) { r.Steps[0].Changes[1].Outcome.Kind = engine.Refused }},
		"it drifted":          {Remarks, func(_ *engine.RunRecord, o *Options) { o.Drift = []engine.Drift{{Target: "x"}} }},
		"check cannot look":   {Remarks, func(_ *engine.RunRecord, o *Options) { o.Checked = errors.New("no") }},
		"a step was undone":   {Remarks, func(r *engine.RunRecord, _ *Options) { r.Steps[0].Changes[0].Status = "undone" }},
		"something was left":  {Remarks, func(r *engine.RunRecord, _ *Options) { r.Steps[0].Changes[0].Status = "left" }},
		"not all was reached": {Remarks, func(r *engine.RunRecord, _ *Options) { r.Steps[0].Changes[0].Status = "planned" }},
		"it waits":            {Remarks, func(r *engine.RunRecord, _ *Options) { r.Info.Status = engine.StatusAwaiting }},
		"it failed":           {Bad, func(r *engine.RunRecord, _ *Options) { r.Info.Status = engine.StatusFailed }},
		"it was undone":       {Bad, func(r *engine.RunRecord, _ *Options) { r.Info.Status = engine.StatusUndone }},
		"it was interrupted":  {Bad, func(r *engine.RunRecord, _ *Options) { r.Info.Status = engine.StatusInterrupted }},
		"it died in the act":  {Bad, func(r *engine.RunRecord, _ *Options) { r.Steps[0].Changes[0].Status = "doing" }},
		"it waits and failed": {Bad, func(r *engine.RunRecord, _ *Options) {
			r.Info.Status, r.Error = engine.StatusAwaiting, lang.T("no", "不")
		}},
	} {
		rec, o := acceptance()
		o.Drift, rec.Steps[0].Changes[1].Outcome = nil, engine.OK
		c.with(rec, &o)
		r := Make(rec, o)
		if r.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, r.Verdict, c.want)
		}
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			p := page{r, l}
			if c.want != Good && name != "it was undone" && name != "it failed" && len(p.Remarks()) < 2 { // one is the note
				t.Errorf("%s: nothing says so: %q", name, p.Remarks())
			}
		}
	}
}

func TestWhatFailedAndWhatWasLeftIsToldWithItsReason(t *testing.T) {
	rec, o := acceptance()
	rec.Info.Status, rec.Error = engine.StatusFailed, lang.T("cannot write /x: it broke", "无法写入 /x：坏了")
	cs := rec.Steps[0].Changes
	cs[0].Status, cs[0].Error = "failed", lang.T("the disk is full", "磁盘已满")
	cs[1].Status, cs[1].Error, cs[1].Back = "left", lang.T("changed since by somebody", "之后被他人改动"), at("07:00:00")
	cs[2].Status, cs[2].Diff, cs[2].Began, cs[2].Ended = "planned", engine.Diff{}, time.Time{}, time.Time{}
	r := Make(rec, o)
	if want := (Counts{Done: 1, Failed: 1, Left: 1, Planned: 1}); r.Run.Counts != want {
		t.Errorf("counts %+v", r.Run.Counts)
	}
	for l, words := range map[lang.Lang][]string{
		lang.EN: {"the disk is full", "changed since by somebody", "it broke", "not reached", "not undone", "2026-11-22 15:00:00", "✗"},
		lang.ZH: {"磁盘已满", "之后被他人改动", "坏了", "未执行", "未撤销", "2026-11-22 15:00:00", "✗"},
	} {
		html, md := render(t, r, l)
		for _, w := range words {
			if !strings.Contains(html, w) || !strings.Contains(strings.ReplaceAll(md, `\`, ""), w) {
				t.Errorf("%s: %q is not told", l, w)
			}
		}
	}
}

func TestARunOfBeforeFactsWereKeptIsReported(t *testing.T) {
	r := Make(&engine.RunRecord{Info: engine.RunInfo{ID: 1, Status: engine.StatusInterrupted}, Order: []machine.ID{"local", "peer:kp-02"}}, Options{})
	html, md := render(t, r, lang.EN)
	for _, s := range []string{html, md} {
		if !strings.Contains(s, "did not keep them") || !strings.Contains(s, "peer:kp-02") {
			t.Error("it is not told")
		}
	}
}

func TestASecretIsNeverShown(t *testing.T) {
	rec, o := acceptance() // its token is no reference
	rec.Steps[0].Changes[0].Diff.Hunks[0].Lines[0].Text = "baseurl=https://kp:s3cret@mirror/$basearch"
	rec.Steps[0].Changes[0].Diff.Note = lang.Same("http://:s3cret@x and ftp://kp:s3@cret@x")
	rec.Steps[0].Changes[0].Diff.Hunks[0].Lines[1].Text = "proxy_password = s3cret"
	rec.Steps[0].Changes[0].Error = lang.Same("dnf said:\npassword=s3cret\nhttps://s3cret@x/")
	rec.Steps[0].Values["set"] = map[string]string{"proxy": "socks5://u:s3cret@h"}
	rec.Steps[1].Values["token"] = "hunter2"
	r := Make(rec, o)
	j, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	all := string(j)
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		html, md := render(t, r, l)
		all += html + md
	}
	for _, s := range []string{"s3cret", "s3@", "hunter2"} {
		if i := strings.Index(all, s); i >= 0 {
			t.Errorf("%q is shown: %q", s, all[max(0, i-60):i+20])
		}
	}
	if !strings.Contains(all, "https://********@mirror/$basearch") {
		t.Error("the address is gone with its password")
	}
	rec.Steps[1].Values["token"] = "env:MIRROR_TOKEN"
	if html, _ := render(t, Make(rec, o), lang.EN); !strings.Contains(html, "env:MIRROR_TOKEN") {
		t.Error("a reference is no secret")
	}
}

// hostile is what a machine, a mirror or a journal may say.
const hostile = "<script>alert(1)</script>\"'><img src=x onerror=y>{{.}}\x1b[2J\x07\x00\r\xff\xfe\u202egnp\u2028|a|b|\n# injected\n- injected\n> injected\n```\n````\n[x](javascript:y)<!-- --> &lt; ]]> \\"

// taint puts s into every string that a value has.
func taint(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			taint(v.Elem(), s)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				taint(v.Field(i), s)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			taint(v.Index(i), s)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(v.String() + s)
		}
	}
}

func tainted(s string) *Report {
	rec, o := acceptance()
	for i, st := range rec.Steps {
		id := st.Step
		taint(reflect.ValueOf(&rec.Steps[i]), s)
		rec.Steps[i].Step = id
		for j, c := range st.Changes {
			rec.Steps[i].Changes[j].Status = c.Status
		}
		rec.Steps[i].Values = engine.Values{"profile": s, "set": map[string]string{s: s}, "list": []string{s, s}, s: s, "token": s}
	}
	taint(reflect.ValueOf(&o.Drift), s)
	taint(reflect.ValueOf(rec.Facts["local"]), s)
	rec.Error, rec.Goxin, rec.Info.Owner = lang.Same(s), s, s
	o.Checked = errors.New(s)
	rec.Steps[0].Changes[2].Status = "planned"
	rec.Steps[0].Changes = append(rec.Steps[0].Changes, engine.ChangeRecord{Kind: s, Target: s, Status: "failed", Error: lang.Same(s)}, engine.ChangeRecord{Kind: s, Target: s, Status: s})
	return Make(rec, o)
}

var tags = regexp.MustCompile(`<[^>]*>?`)

// markup is every kind of tag in a page, with its attributes.
func markup(html string) map[string]bool {
	all := map[string]bool{}
	for _, tag := range tags.FindAllString(html, -1) {
		all[tag] = true
	}
	return all
}

func TestWhatAHostileMachineSaysIsShownAndDoesNothing(t *testing.T) {
	// Every tag of a report is one that stands in the template.
	ours := markup(regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(pageHTML, ""))
	for _, tag := range []string{`<tr class="add">`, `<tr class="del">`, `<tr class="default">`, `<table class="verdict bad">`, `<html lang="en">`, `<html lang="zh-CN">`} {
		ours[tag] = true
	}
	r := tainted(hostile)
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		html, md := render(t, r, l)
		for tag := range markup(html) {
			if !ours[tag] {
				t.Errorf("%s: a tag that is not ours: %q", l, tag)
			}
		}
		for name, s := range map[string]string{"html": html, "md": md} {
			if !utf8.ValidString(s) {
				t.Errorf("%s %s: not UTF-8", l, name)
			}
			if i := strings.IndexFunc(s, func(r rune) bool { return acts(r) && r != '\n' && r != '\t' }); i >= 0 {
				t.Errorf("%s %s: acts on a screen: %q", l, name, s[max(0, i-20):i+4])
			}
			if !strings.Contains(s, `x1b[2J`) && !strings.Contains(s, `x1b\[2J`) {
				t.Errorf("%s %s: the escape is not shown", l, name)
			}
		}
		sane(t, md)
	}
	j, err := r.JSON()
	if err != nil || !json.Valid(j) {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(j), "\x1b\x00\r") || strings.Contains(string(j), "<script>") {
		t.Error("the JSON acts")
	}
}

// sane holds Markdown to its own structure: outside of fences no line is one that the
// hostile text made, no raw HTML stands there, and each table's rows have its columns.
func sane(t *testing.T, md string) {
	t.Helper()
	fence, columns := "", 0
	escaped := regexp.MustCompile(`\\.`)
	spans := regexp.MustCompile("`[^`]*`")
	for i, l := range strings.Split(md, "\n") {
		if fence != "" {
			if l == fence {
				fence = ""
			}
			continue
		}
		if strings.HasPrefix(l, "```") {
			fence = strings.TrimSuffix(l, "diff")
			continue
		}
		if regexp.MustCompile(`^\W{0,3}injected`).MatchString(l) {
			t.Errorf("line %d is hostile: %q", i+1, l)
		}
		l := escaped.ReplaceAllString(l, "")
		n := strings.Count(l, "|")
		switch {
		case !strings.HasPrefix(l, "|"):
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("line %d has %d columns, want %d: %q", i+1, n-1, columns-1, l)
		}
		if bare := strings.ReplaceAll(spans.ReplaceAllString(l, ""), "<br>", ""); strings.ContainsAny(bare, "<`") {
			t.Errorf("line %d has HTML: %q", i+1, l)
		}
	}
	if fence != "" {
		t.Error("a fence is not closed")
	}
}

func TestWhatNeverEndsIsCut(t *testing.T) {
	r := tainted(strings.Repeat("\x1bx", 1<<20))
	html, md := render(t, r, lang.EN)
	if len(html) > 4<<20 || len(md) > 4<<20 {
		t.Errorf("%d bytes of HTML, %d of Markdown", len(html), len(md))
	}
	rec, o := acceptance()
	lines := make([]engine.Line, 5*mostLines)
	rec.Steps[0].Changes[0].Diff.Hunks = []engine.Hunk{{Lines: lines}, {Lines: lines}}
	rec.Steps[0].Changes[0].Diff.Rows = make([]engine.Row, mostLines)
	c := Make(rec, o).Steps[0].Changes[0]
	if len(c.Diff.Hunks) != 1 || len(c.Diff.Hunks[0].Lines) != mostLines || c.Diff.Rows != nil || c.More != 10*mostLines {
		t.Errorf("%d hunks, %d rows, %d more", len(c.Diff.Hunks), len(c.Diff.Rows), c.More)
	}
}

func TestAReportIsInOneLanguageAndRefersToNothingOutside(t *testing.T) {
	rec, o := acceptance()
	r := Make(rec, o)
	r.Run.Goxin, r.Goxin = "1", "1"
	sentence := regexp.MustCompile(`[a-z]{2,} [a-z]{2,} [a-z]{2,} [a-z]{2,}`)
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		html, md := render(t, r, l)
		for _, no := range []string{"http:", "https:", "src=", "url(", "@import", "<link", "<script"} {
			text := strings.NewReplacer("https://go.dev/dl/", "", "default-src", "", "style-src", "").Replace(html)
			if strings.Contains(text, no) {
				t.Errorf("%s: %s", l, no)
			}
		}
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(html, -1) {
			if m[1][0] != '#' || !strings.Contains(html, `id="`+m[1][1:]+`"`) {
				t.Errorf("%s: leads to %s", l, m[1])
			}
		}
		_, body, _ := strings.Cut(html, "</style>")
		for name, s := range map[string]string{"html": tags.ReplaceAllString(regexp.MustCompile(`<code>[^<]*</code>`).ReplaceAllString(body, " "), " "), "md": md} {
			if l == lang.EN {
				if i := strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }); i >= 0 {
					t.Errorf("%s: Chinese on an English page: %q", name, s[max(0, i-20):i+20])
				}
			} else if m := sentence.FindString(s); m != "" {
				t.Errorf("%s: English on a Chinese page: %q", name, m)
			}
		}
	}
}

func TestHowLongSomethingTook(t *testing.T) {
	for _, c := range []struct {
		d      time.Duration
		en, zh string
	}{
		{0, "< 1 s", "不到 1 秒"},
		{5 * time.Second, "5 s", "5 秒"},
		{432 * time.Second, "7 min 12 s", "7 分 12 秒"},
		{2*time.Hour + 61*time.Second, "2 h 1 min", "2 小时 1 分"},
		{-time.Hour, "the clock was set", "其间校过时钟"},
	} {
		from := at("06:00:00")
		en, zh := page{Lang: lang.EN}.Took(from, from.Add(c.d)), page{Lang: lang.ZH}.Took(from, from.Add(c.d))
		if en != c.en || zh != c.zh {
			t.Errorf("%v: %q %q", c.d, en, zh)
		}
	}
	if s := (page{Lang: lang.EN}).Took(at("06:00:00"), time.Time{}); s != "—" {
		t.Errorf("without end: %q", s)
	}
}

func TestAnswersAreInWords(t *testing.T) {
	rec, o := acceptance()
	var got []string
	for _, s := range Make(rec, o).Steps {
		for _, d := range s.Decisions {
			got = append(got, fmt.Sprintf("%s|%s|%s|%v", d.Title.ZH, d.Answer.EN, d.Answer.ZH, d.Default))
		}
	}
	want := []string{
		"这台机器用来做什么？|Web services|网站服务|false",
		"其他参数|net.core.somaxconn = 65535\nvm.swappiness = 1|net.core.somaxconn = 65535\nvm.swappiness = 1|false",
		"打开文件数|65536|65536|true",
		"保留交换区？|no|否|true",
		"old_key|x|x|false",
		"哪些 Go 版本？|The newest, 1.25|最新版、1.25|false",
		"令牌|not shown|不显示|false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
