package mirror

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/assets/mirrors"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/race"
	"goxin/steps/repo"
	"goxin/steps/steptest"
)

const day = 24 * time.Hour

var now = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// result is how a candidate did that serves everything.
func result(id string, rate float64, why race.Reason) race.Result {
	return race.Result{ID: id, Usable: why == "" || why == race.Slow || why == race.Stale, Serves: []bool{true, true}, Published: now, FirstByte: 12 * time.Millisecond, Rate: rate, Why: why, Signed: "0123456789ABCDEF0123456789ABCDEF01234567"}
}

// seen is a dnf machine with two repositories, raced with this outcome.
func seen(results ...race.Result) *Seen {
	s := &Seen{
		Product: "openeuler", Manager: "dnf", Ordered: true, Raced: true,
		Files: []Source{{"/etc/yum.repos.d/openEuler.repo", []byte("[OS]\nbaseurl=https://repo.openeuler.org/openEuler-24.03-LTS/OS/$basearch/\ngpgcheck=1\n\n[update]\nbaseurl = https://repo.openeuler.org/openEuler-24.03-LTS/update/$basearch/\ngpgcheck = 1"), 0o644}},
		Repos: []Repo{
			{ID: "OS", Rest: "openEuler-24.03-LTS/OS/$basearch/", URLs: []string{"https://repo.openeuler.org/openEuler-24.03-LTS/OS/$basearch/"}, Signed: true},
			{Entry: 1, ID: "update", Rest: "openEuler-24.03-LTS/update/$basearch/", URLs: []string{"https://repo.openeuler.org/openEuler-24.03-LTS/update/$basearch/"}, Target: 1, Signed: true},
		},
		Sites: []Site{{ID: siteOfficial, Name: lang.T("the vendor's own", "官方源"), Prefix: "https://repo.openeuler.org/"}},
		Race:  race.Report{Results: results, Took: 3 * time.Second, Bytes: 5 << 20},
	}
	for _, r := range results {
		if r.ID != siteOfficial {
			s.Sites = append(s.Sites, Site{ID: r.ID, Name: lang.Same(r.ID), Prefix: "https://" + r.ID + ".example.com/openeuler/"})
		}
	}
	return s
}

// deb makes of it an apt machine with one source in a list.
func deb(s *Seen) *Seen {
	s.Manager = "apt"
	s.Files = []Source{{"/etc/apt/sources.list", []byte("deb http://deb.debian.org/debian bookworm main # ours\r\ndeb http://ppa.example.org/x bookworm main"), 0o644}}
	s.Repos = []Repo{
		{ID: "debian", Rest: "debian", URLs: []string{"http://deb.debian.org/debian"}, Signed: true},
		{Entry: 1, ID: "http://ppa.example.org/x bookworm", URLs: []string{"http://ppa.example.org/x"}, Target: -1, Why: whyForeign, Signed: true},
	}
	return s
}

func planned(t *testing.T, s *Seen, v engine.Values) (engine.Hosts, engine.Survey) {
	t.Helper()
	h := engine.Hosts{Order: []machine.ID{"local"}, Facts: map[machine.ID]*detect.Facts{"local": {Running: true}}}
	sv, err := json.Marshal(survey{"local": s})
	if err != nil {
		t.Fatal(err)
	}
	return h, sv
}

func TestPlans(t *testing.T) {
	fast, ours, stale := result("fast", 40e6, ""), result(siteOfficial, 8e6, race.Slow), result("stale", 90e6, race.Stale)
	stale.Behind, stale.Published = 12*day, now.Add(-12*day)
	slow, html := result("slow", 1e6, race.Slow), result("page", 0, race.HTML)
	half := result("fast", 40e6, "")
	half.Serves = []bool{true, false}
	unsigned := func(s *Seen) *Seen {
		for i := range s.Repos {
			s.Repos[i].Signed = false
		}
		return s
	}
	gated := result(siteOfficial, 0, race.Unauthorized)
	gated.Status, gated.Gated, gated.Usable = 401, true, false
	for _, c := range []struct {
		name string
		seen *Seen
		v    engine.Values
	}{
		{"fastest-with-fallbacks", seen(fast, ours, slow, stale, html), engine.Values{}},
		{"fastest-alone", seen(fast, ours), engine.Values{keyFallbacks: false}},
		{"named", seen(fast, ours, slow), engine.Values{keySource: "slow"}},
		{"named-unfit", seen(fast, ours, html), engine.Values{keySource: "page"}},
		{"named-stale", seen(fast, ours, stale), engine.Values{keySource: "stale", keyFallbacks: false}},
		{"named-unknown", seen(fast, ours), engine.Values{keySource: "nobody"}},
		{"not-all-served", seen(half, ours), engine.Values{}},
		{"keep", seen(), engine.Values{keySource: sourceKeep}},
		{"apt-list", deb(seen(fast, ours, slow)), engine.Values{}},
		{"apt-alone", deb(seen(fast, ours)), engine.Values{keyFallbacks: false}},
		{"none-fit", seen(html, result(siteOfficial, 0, race.Dead)), engine.Values{}},
		{"not-activated", seen(gated), engine.Values{}},
		{"unsigned-stays-with-the-vendor", unsigned(seen(fast, ours)), engine.Values{}},
		{"unsigned-is-not-moved", unsigned(seen(fast, ours)), engine.Values{keySource: "fast"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, sv := planned(t, c.seen, c.v)
			steptest.Golden(t, c.name, render(h, sv, c.v))
		})
	}
}

func TestARefusalOfAMirrorIsARefusal(t *testing.T) {
	v := engine.Values{keySource: "page"}
	h, sv := planned(t, seen(result(siteOfficial, 1e6, ""), result("page", 0, race.HTML)), v)
	_, err := Step{}.Ops(h, sv, v)
	var no engine.Refusal
	if !errors.As(err, &no) || lang.Hint(err, lang.ZH) == "" {
		t.Errorf("got %v", err)
	}
}

func TestFastestRecallsWhatItGaveAndNothingElseDoes(t *testing.T) {
	h, sv := planned(t, seen(result("fast", 41.4e6, ""), result(siteOfficial, 8e6, race.Slow)), nil)
	v := engine.Values{keySource: sourceFastest}
	got := Step{}.Recall(h, sv, v)
	if got.Text(keyGave, "") != "fast, 41 MB/s, 2026-11-20" || v.Text(keyGave, "") != "" {
		t.Errorf("got %v, and the answers given became %v", got, v)
	}
	if got := (Step{}).Recall(h, sv, engine.Values{keySource: "fast"}); got.Text(keyGave, "") != "" {
		t.Errorf("a mirror by name recalls %v", got)
	}
	items, err := Step{}.Ops(h, sv, v)
	again, err2 := Step{}.Ops(h, sv, got)
	if err != nil || err2 != nil || fmt.Sprint(items) == "" || len(items) != len(again) {
		t.Fatalf("%v %v", err, err2)
	}
	a, _ := json.Marshal(items[0].Op)
	b, _ := json.Marshal(again[0].Op)
	if string(a) != string(b) {
		t.Error("what is recalled changes the plan")
	}
}

func TestARaceHoldsForEveryAnswerItCanGive(t *testing.T) {
	for _, c := range []struct {
		old, now engine.Values
		want     bool
	}{
		{engine.Values{}, engine.Values{keySource: "aliyun"}, false},
		{engine.Values{}, engine.Values{keySource: sourceFastest, keyFallbacks: false}, false},
		{engine.Values{}, engine.Values{keySource: sourceKeep}, false},
		{engine.Values{}, engine.Values{keySource: "https://mirror.example.com/x/"}, true},
		{engine.Values{keySource: "aliyun"}, engine.Values{keySource: "tuna"}, true},
		{engine.Values{keySource: sourceKeep}, engine.Values{}, true},
		{engine.Values{}, engine.Values{keyCatalogue: "/etc/goxin/mirrors.yaml"}, true},
	} {
		if got := (Step{}).Resurvey(c.old, c.now); got != c.want {
			t.Errorf("%v then %v: asked anew %v, want %v", c.old, c.now, got, c.want)
		}
	}
}

func TestSourceAnswers(t *testing.T) {
	for _, c := range []struct {
		value string
		ok    bool
	}{
		{"fastest", true},
		{"official", true},
		{"tuna", true},
		{"https://mirror.example.com/openeuler/", true},
		{"http://10.2.0.5:8081/kylin", true},
		{"ftp://mirror.example.com/", false},
		{"https://", false},
		{"https:///path", false},
		{"https://user@host/", false},
		{"https://host/a b", false},
		{"https://host/\x1b[2J", false},
		{"--help", false},
		{"", false},
		{"Tuna", false},
	} {
		if err := checkSource(c.value); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.value, err)
		}
	}
}

func TestAnIntranetMirrorIsFoundByTheRepositoryBehindIt(t *testing.T) {
	p := mirrors.Product{
		Vendor: []string{"repo.openeuler.org/"}, Official: "https://repo.openeuler.org/",
		Repos: []mirrors.Repo{{ID: "OS", Path: "openEuler-24.03-LTS/OS/$basearch/"}},
	}
	vars := repo.Vars{"basearch": "aarch64"}
	for _, c := range []struct {
		url, prefix, rest string
		ok                bool
	}{
		{"https://repo.openeuler.org/openEuler-24.03-LTS/EPOL/main/$basearch/", "https://repo.openeuler.org/", "openEuler-24.03-LTS/EPOL/main/$basearch/", true},
		{"http://repo.openeuler.org/openEuler-24.03-LTS/OS/aarch64", "http://repo.openeuler.org/", "openEuler-24.03-LTS/OS/aarch64", true},
		{"http://10.2.0.5/sw/openEuler-24.03-LTS/OS/$basearch/", "http://10.2.0.5/sw/", "openEuler-24.03-LTS/OS/$basearch/", true},
		{"http://10.2.0.5/sw/OS/$basearch/", "", "", false},
		{"https://repo.openeuler.org.example.com/openEuler-24.03-LTS/x/", "", "", false},
	} {
		at, ok := locate(p, vars, c.url)
		if ok != c.ok || at != (place{c.prefix, c.rest}) {
			t.Errorf("%s: %+v, %v", c.url, at, ok)
		}
	}
}

func TestTheCandidatesAreOneTableOnAnEightyColumnScreen(t *testing.T) {
	stale := result("stale", 112e6, race.Stale)
	stale.Behind, stale.Published = 12*day, now.Add(-12*day)
	h, sv := planned(t, seen(result("fast", 41e6, ""), result(siteOfficial, 8e6, race.Slow), stale, result("page", 0, race.HTML)), nil)
	q := Step{}.Questions(h, sv, nil)
	var b strings.Builder
	for _, o := range q[0].Options {
		fmt.Fprintf(&b, "%-10s|%s|%s\n", o.Value, o.Title.EN, o.Help.EN)
		fmt.Fprintf(&b, "%-10s|%s|%s\n", o.Value, o.Title.ZH, o.Help.ZH)
	}
	fmt.Fprintf(&b, "%s\n%s\n", q[0].Why.EN, q[0].Why.ZH)
	steptest.Golden(t, "question", b.String())
}

func TestAptListsAreWrittenInOrder(t *testing.T) {
	h, sv := planned(t, deb(seen(result("fast", 40e6, ""), result("next", 20e6, race.Slow), result("third", 10e6, race.Slow), result("fourth", 5e6, race.Slow))), nil)
	items, err := Step{}.Ops(h, sv, nil)
	if err != nil {
		t.Fatal(err)
	}
	list := items[1].Op.(*op.File)
	if list.Path != "/etc/apt/mirrors/goxin-debian.list" || list.Content != "https://fast.example.com/openeuler/debian\tpriority:1\nhttps://next.example.com/openeuler/debian\tpriority:2\nhttps://third.example.com/openeuler/debian\tpriority:3\n" {
		t.Errorf("%s:\n%s", list.Path, list.Content)
	}
}
