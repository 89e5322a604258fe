package toolchain

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
	"goxin/steps/origin"
	"goxin/steps/race"
	"goxin/steps/steptest"
)

func TestCapturedMachinesArePlannedTheNewest(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, name string, m machine.Machine, h engine.Hosts) {
		s := online().step()
		v := engine.Values{}
		sv := steptest.Survey(t, s, m, h, v)
		steptest.Golden(t, "captured-"+name, steptest.Plan(t, s, m, h, sv, v))
	})
}

// situation is a machine and answers, for a golden.
type situation struct {
	name   string
	world  world
	facts  func(*detect.Facts)
	files  map[string]string
	links  map[string]string
	values engine.Values
}

func on(arch string, more ...func(*detect.Facts)) func(*detect.Facts) {
	return func(f *detect.Facts) {
		f.Arch.GOARCH = steptest.Fact(arch)
		f.Running = true
		for _, m := range more {
			m(f)
		}
	}
}

func oldKernel(f *detect.Facts) { f.Kernel.World = steptest.Fact("old") }

func installedAs(dir string) map[string]string {
	return map[string]string{dir + "/VERSION": "go1.25.10\n", dir + "/bin/go": ""}
}

var dir125old = goroot.Dir(linux("go1.25.10", "arm64"), h1(linux("go1.25.10", "arm64")))

func situations() []situation {
	usrLocal := map[string]string{"/usr/local/go/bin/go": "", "/usr/local/go/VERSION": "go1.26.8\n"}
	is := func(dir, v string, verdict origin.Verdict, differs int) map[string]*origin.Finding {
		return map[string]*origin.Finding{dir: {Toolchain: linux(v, "arm64"), Verdict: verdict, Differs: make([]origin.Difference, differs)}}
	}
	with := func(w world, found map[string]*origin.Finding) world { w.found = found; return w }
	distro := map[string]string{"/usr/lib/golang/bin/go": "", "/usr/lib/golang/VERSION": "go1.15.7\n"}
	newer := map[string]string{"/usr/lib/go-1.24/bin/go": "", "/usr/lib/go-1.24/VERSION": "go1.24.4\n"}
	dead := world{sites: map[string]race.Result{}, offline: true}
	lost := online()
	lost.order = []string{"mirror", "cnproxy"}
	lost.sites = map[string]race.Result{"mirror": {Why: race.NotFound, Status: 404}, "cnproxy": {Why: race.HTML}}
	return []situation{
		{name: "latest", world: online(), facts: on("arm64")},
		{name: "two-versions-and-one-in-use", world: online(), facts: on("arm64"), values: engine.Values{"versions": []string{"1.26.8", "1.25"}, "use": "1.25"}},
		{name: "a-line-behind-a-gap", world: online(), facts: on("arm64"), values: engine.Values{"versions": []string{"1.25.10"}, "goproxy": []string{"https://goproxy.cn"}}},
		{name: "no-such-version", world: online(), facts: on("arm64"), values: engine.Values{"versions": []string{"1.26.80"}}},
		{name: "no-such-line", world: online(), facts: on("arm64"), values: engine.Values{"versions": []string{"1.31"}}},
		{name: "no-mirror-answers", world: dead, facts: on("arm64"), values: engine.Values{"versions": []string{"1.26.8"}}},
		{name: "no-mirror-has-it", world: lost, facts: on("arm64"), values: engine.Values{"versions": []string{"1.26.8"}}},
		{name: "offline-and-not-in-the-catalogue", world: dead, facts: on("arm64"), values: engine.Values{"versions": []string{"1.26.9"}}},
		{name: "offline-latest-is-the-catalogues", world: dead, facts: on("arm64")},
		{name: "a-site-given-as-url", world: online(), facts: on("arm64"), values: engine.Values{"versions": []string{"1.26.8"}, "source": "https://mirror.example.org/go/"}},
		{name: "too-little-room", world: online(), facts: on("arm64"), values: engine.Values{"versions": []string{"1.26.8", "1.25.14"}}},
		{name: "old-world", world: online(), facts: on("loong64", oldKernel)},
		{name: "old-world-asked-to-build", world: online(), facts: on("loong64", oldKernel), files: newer, values: engine.Values{"how": "build", "versions": []string{"1.26.8"}}},
		{name: "old-world-by-its-vendor", world: online(), facts: on("loong64", oldKernel), values: engine.Values{"how": "vendor"}},
		{name: "old-world-by-its-vendor-and-not-pinned", world: online(), facts: on("loong64", oldKernel), values: engine.Values{"how": "vendor", "versions": []string{"1.25.11"}}},
		{name: "old-world-overlaid", world: with(online(), map[string]*origin.Finding{"/usr/lib/go-1.24": {Toolchain: linux("go1.24.4", "loong64"), Verdict: origin.Vendor}}), facts: on("loong64", oldKernel), files: newer, values: engine.Values{"how": "overlay", "versions": []string{"1.26.8"}}},
		{name: "old-world-and-a-release-that-cannot-run-to-build-with", world: with(online(), map[string]*origin.Finding{"/usr/local/go": {Toolchain: linux("go1.26.8", "loong64"), Verdict: origin.Authentic}}), facts: on("loong64", oldKernel), files: usrLocal, values: engine.Values{"how": "overlay", "versions": []string{"1.26.9"}}},
		{name: "old-world-overlaid-and-nothing-to-build-with", world: online(), facts: on("loong64", oldKernel), values: engine.Values{"how": "overlay", "versions": []string{"1.26.8"}}},
		{name: "old-world-overlay-of-an-unknown-line", world: online(), facts: on("loong64", oldKernel), files: newer, values: engine.Values{"how": "overlay", "versions": []string{"1.24.6"}}},
		{name: "an-overlay-on-a-hybrid-kernel", world: online(), facts: on("loong64", func(f *detect.Facts) {
			f.Kernel.World = detect.Fact[string]{From: lang.T("it takes signal sets of both worlds", "它接受两个世界的信号集")}
		}), values: engine.Values{"how": "overlay", "versions": []string{"1.26.8"}}},
		{name: "an-overlay-in-the-new-world", world: online(), facts: on("arm64"), values: engine.Values{"how": "overlay", "versions": []string{"1.26.8"}}},
		{name: "a-processor-without-go", world: online(), facts: on("", func(f *detect.Facts) { f.Arch.Machine = steptest.Fact("sw_64") })},
		{name: "execution-control", world: online(), facts: on("arm64", func(f *detect.Facts) {
			f.Security.KYSEC, f.Security.SELinux = steptest.Fact("on"), steptest.Fact("disabled")
		}), values: engine.Values{"versions": []string{"1.26.8"}}},
		{name: "adopted", world: with(online(), is("/usr/local/go", "go1.26.8", origin.Authentic, 0)), facts: on("arm64"), files: usrLocal, values: engine.Values{"versions": []string{"1.26.8"}}},
		{name: "not-adopted", world: with(online(), is("/usr/local/go", "go1.26.8", origin.Authentic, 0)), facts: on("arm64"), files: usrLocal, values: engine.Values{"versions": []string{"1.26.8"}, "adopt": false}},
		{name: "changed-by-hand", world: with(online(), is("/usr/local/go", "go1.26.8", origin.Except, 1)), facts: on("arm64"), files: usrLocal, values: engine.Values{"versions": []string{"1.26.8"}}},
		{name: "a-distributions-go-too-old", world: with(online(), is("/usr/lib/golang", "go1.15.7", origin.Vendor, 0)), facts: on("arm64"), files: distro, values: engine.Values{"versions": []string{"1.26.8"}}},
		{name: "built", world: with(online(), is("/usr/lib/go-1.24", "go1.24.4", origin.Vendor, 0)), facts: on("arm64"), files: newer, values: engine.Values{"versions": []string{"1.26.8"}, "how": "build"}},
		{name: "nothing-to-build-with", world: with(online(), is("/usr/lib/golang", "go1.15.7", origin.Vendor, 0)), facts: on("arm64"), files: distro, values: engine.Values{"versions": []string{"1.26.8"}, "how": "build"}},
		{
			name: "switched", world: online(), facts: on("arm64"), files: installedAs(dir125old),
			links:  map[string]string{goroot.Current: dir125old[len(goroot.Base)+1:]},
			values: engine.Values{"versions": []string{"1.26.8"}},
		},
		{
			name: "removed", world: online(), facts: on("arm64"), files: installedAs(dir125old),
			links:  map[string]string{goroot.Link("go1.25.10"): target(dir125old)},
			values: engine.Values{"versions": []string{}, "use": "keep", "remove": []string{"1.25.10", "1.24.1"}},
		},
		{
			name: "the-one-in-use-is-not-removed", world: online(), facts: on("arm64"), files: installedAs(dir125old),
			links:  map[string]string{goroot.Current: dir125old[len(goroot.Base)+1:]},
			values: engine.Values{"versions": []string{}, "remove": []string{"1.25.10"}},
		},
		{name: "used-and-not-there", world: online(), facts: on("arm64"), files: installedAs(dir125old), values: engine.Values{"versions": []string{}, "use": "1.25.11"}},
		{name: "tree", world: world{tree: true}, facts: func(f *detect.Facts) { on("arm64")(f); f.Running = false }, values: engine.Values{"versions": []string{"1.26.8"}}},
		{name: "nothing-asked", world: online(), facts: on("arm64"), values: engine.Values{"versions": []string{}}},
	}
}

func (w situation) lay(t *testing.T) (machine.Machine, engine.Hosts) {
	t.Helper()
	m, _ := steptest.Tree(t, w.files)
	for name, to := range w.links {
		if err := m.Mkdir(goroot.Bin, 0o755, machine.Keep); err != nil && len(w.files) > 0 && name != goroot.Current {
			t.Fatal(err)
		}
		if err := m.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	f := &detect.Facts{}
	w.facts(f)
	return spacious{m, 80 << 30}, steptest.Hosts(m, f)
}

// spacious is a machine with a disk of its own.
type spacious struct {
	machine.Machine
	free uint64
}

func (s spacious) Space(string) (machine.Space, error) {
	return machine.Space{Free: s.free, Total: 100 << 30}, nil
}

func TestSituations(t *testing.T) {
	for _, w := range situations() {
		t.Run(w.name, func(t *testing.T) {
			m, h := w.lay(t)
			if w.name == "too-little-room" {
				m = spacious{m, 350 << 20}
			}
			s := w.world.step()
			sv := steptest.Survey(t, s, m, h, w.values)
			steptest.Golden(t, w.name, steptest.Plan(t, s, m, h, sv, w.values))
		})
	}
}

// Whoever reads a refusal at night has to know what to do next, in either language.
func TestEveryRefusalSaysWhatToDo(t *testing.T) {
	refused := map[string]bool{}
	for _, w := range situations() {
		m, h := w.lay(t)
		if w.name == "too-little-room" {
			m = spacious{m, 350 << 20}
		}
		s := w.world.step()
		_, err := s.Ops(h, steptest.Survey(t, s, m, h, w.values), w.values)
		if err == nil {
			continue
		}
		var r engine.Refusal
		refused[w.name] = errors.As(err, &r)
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			if lang.Hint(err, l) == "" {
				t.Errorf("%s: no hint: %v", w.name, err)
			}
		}
		if !strings.HasPrefix(err.Error(), "cannot ") || lang.Message(err, lang.ZH) == err.Error() {
			t.Errorf("%s: %v", w.name, err)
		}
	}
	for _, w := range []string{"no-such-version", "no-mirror-answers", "too-little-room", "old-world", "tree", "used-and-not-there", "offline-and-not-in-the-catalogue"} {
		if r, ok := refused[w]; !ok || r {
			t.Errorf("%s: refused %t, an error %t", w, r, ok)
		}
	}
}

func TestWhatIsWantedAndToBeRemovedIsContradictory(t *testing.T) {
	for _, v := range []engine.Values{
		{"versions": []string{"1.26.8"}, "remove": []string{"go1.26.8"}},
		{"versions": []string{}, "use": "go1.26.8", "remove": []string{"1.26.8"}},
	} {
		if got := (Step{}).Cross(v); got[keyRemove] == nil {
			t.Errorf("%v: %v", v, got)
		}
	}
	for _, v := range []engine.Values{{}, {"versions": []string{"1.26"}, "remove": []string{"1.26.7"}}, {"use": "keep", "remove": []string{"1.2.3"}}} {
		if got := (Step{}).Cross(v); len(got) > 0 {
			t.Errorf("%v: %v", v, got)
		}
	}
}

func TestAnswersAreJudgedBeforeAnythingIsAsked(t *testing.T) {
	fields := map[string]engine.Field{}
	for _, f := range (Step{}).Fields() {
		fields[f.Key] = f
	}
	for key, values := range map[string][2][]string{
		keySource:  {{"", "/mnt/usb", "https://mirrors.example.com/golang/", "http://10.0.0.5:8080/go"}, {"usb", "../x", "ftp://x/y", "https://", "http://a b/", "/mnt/\n", "https://x/?q"}},
		keyGoproxy: {{"https://goproxy.cn", "http://10.0.0.5/"}, {"direct", "off", "goproxy.cn", "https://a,b", ""}},
		keyUse:     {{"keep", "1.26", "latest", "1.26.8", ""}, {"newest", "1.26.8 "}},
		keyRemove:  {{"1.26.8", "go1.27rc1"}, {"latest", "1.26", "*"}},
	} {
		for i, list := range values {
			for _, s := range list {
				if err := fields[key].Check(s); (err != nil) != (i == 1) {
					t.Errorf("%s %q: %v", key, s, err)
				}
			}
		}
	}
}

func TestSwitchingAndRemovingAskNobodyAgain(t *testing.T) {
	s := Step{}
	base := engine.Values{"versions": []string{"1.26"}}
	for want, all := range map[bool][]engine.Values{
		false: {{"versions": []string{"1.26"}, "use": "1.26"}, {"versions": []string{"1.26"}, "remove": []string{"1.2.3"}}},
		true:  {{}, {"versions": []string{"1.26"}, "source": "/mnt"}, {"versions": []string{"1.26"}, "how": "build"}, {"versions": []string{"1.26"}, "goproxy": []string{"https://x"}}},
	} {
		for _, v := range all {
			if s.Resurvey(base, v) != want {
				t.Errorf("%v: %t", v, !want)
			}
		}
	}
}

func TestTheSavedFileTellsWhatLatestWas(t *testing.T) {
	w := situation{world: online(), facts: on("arm64")}
	m, h := w.lay(t)
	s := w.world.step()
	v := s.Recall(h, steptest.Survey(t, s, m, h, nil), nil)
	if got := v.Text(keyGave, ""); !strings.HasPrefix(got, "go1.26.9 h1:") {
		t.Error(got)
	}
}

// A survey that is decoded again plans the same: it lies in the journal.
func TestASurveySurvivesTheJournal(t *testing.T) {
	w := situation{world: online(), facts: on("arm64"), values: engine.Values{"versions": []string{"1.26.8", "1.25"}}}
	m, h := w.lay(t)
	s := w.world.step()
	sv := steptest.Survey(t, s, m, h, w.values)
	var seen survey
	if err := json.Unmarshal(sv, &seen); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(seen)
	if err != nil || string(again) != string(sv) {
		t.Errorf("%v\n%s\n%s", err, sv, again)
	}
	items, err := (Step{}).Ops(h, sv, w.values)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(items, func(it engine.Item) bool { return it.Op.Kind() == "tree" })
	tree := items[i].Op.(*op.Tree)
	if tree.Want.Proof == "" || tree.Want.LogKey != testKey || len(tree.Archive.Sources) < 2 {
		t.Errorf("%+v", tree.Want)
	}
	if _, err := (Step{}).Ops(h, engine.Survey("{"), nil); err == nil {
		t.Error("a broken survey is taken")
	}
}
