package detect_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/assets/lang/langtest"
	"goxin/detect"
	"goxin/detect/machine"
)

// TestEveryFactSaysInBothLanguagesHowItWasLearnt looks at all facts of all machines,
// as they run and as trees of files.
func TestEveryFactSaysInBothLanguagesHowItWasLearnt(t *testing.T) {
	for _, name := range assets.Machines() {
		m := shared(t, name)
		for _, m := range []machine.Machine{m, machine.Root(m.(machine.Rooted).HostPath("/"))} {
			inBothLanguages(t, name, facts(t, m))
		}
	}
}

// TestAMachineThatTellsNothingSaysSoInBothLanguages is where most facts are not known.
func TestAMachineThatTellsNothingSaysSoInBothLanguages(t *testing.T) {
	for _, arch := range []string{"aarch64", "x86_64", "loongarch64", "mips64", "riscv64", "sw_64", "vax"} {
		inBothLanguages(t, arch, facts(t, made(t, arch, nil)))
		inBothLanguages(t, arch, facts(t, made(t, arch, map[string]string{
			"/proc/cpuinfo": "<dir>", "/proc/meminfo": "x\n", "/proc/self/status": "x\n", "/proc/self/cgroup": "0::/\n",
			"/proc/self/mountinfo": "x\n", "/etc/os-release": "# nothing\n", "/usr/bin/dnf": "", "/bin/sh": "#!\n", "/etc/kysec": "<dir>",
		})))
		inBothLanguages(t, arch, facts(t, made(t, arch, map[string]string{
			"/etc/os-release": "ID=acme\nPRETTY_NAME=\"Acme Linux 1\"\n", "/usr/bin/dnf": "", "/usr/bin/apt-get": "", "/usr/bin/dpkg": "",
			"/var/lib/rpm/Packages": "", "/var/lib/dpkg/status": "", "/lib/ld-musl-x.so.1": "", "/proc/1/comm": "init\n",
		})))
		inBothLanguages(t, arch, facts(t, made(t, arch, map[string]string{
			"/etc/os-release": "ID=kylin\nNAME=Kylin\nVERSION_ID=4.0\n", "/usr/bin/apt-get": "", "/usr/bin/dpkg": "",
			"/lib64/libc.so.6": "no banner", "/sbin/init": "-> /lib/openrc-init",
		})))
	}
}

func inBothLanguages(t *testing.T, name string, f *detect.Facts) {
	t.Helper()
	eachFact("", reflect.ValueOf(*f), func(path string, fact reflect.Value) {
		from := fact.FieldByName("From").Interface().(lang.Text)
		if from.EN == "" || from.ZH == "" {
			t.Errorf("%s: %s does not say how it was learnt: %+v", name, path, from)
		}
		if prose := langtest.EnglishIn(from.ZH); len(prose) > 0 {
			t.Errorf("%s: %s in Chinese: %q has %q", name, path, from.ZH, prose)
		}
		if han := langtest.ChineseIn(from.EN); len(han) > 0 {
			t.Errorf("%s: %s in English: %q has %q", name, path, from.EN, han)
		}
	})
	for _, w := range f.Warnings {
		if text := detect.Warn(w, f); len(langtest.EnglishIn(text.ZH)) > 0 || len(langtest.ChineseIn(text.EN)) > 0 {
			t.Errorf("%s: %s: %+v", name, w, text)
		}
	}
}

// TestFactsReadBackInBothLanguages also reads what has one language only.
func TestFactsReadBackInBothLanguages(t *testing.T) {
	for _, name := range assets.Machines() {
		want := facts(t, shared(t, name))
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got detect.Facts
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(&got, want) {
			t.Errorf("%s: other facts after JSON", name)
		}
	}
	for in, want := range map[string]detect.Fact[int]{
		`{"value":4,"known":true,"from":"/proc/cpuinfo"}`:            {Value: 4, Known: true, From: lang.Same("/proc/cpuinfo")},
		`{"value":0,"known":false,"from":"no x","from_zh":"没有 x"}`:   {From: lang.T("no x", "没有 x")},
		`{"value":0,"known":false,"from":"no x","new":1}`:            {From: lang.Same("no x")},
		`{"value":1,"known":true,"from":"uname -m","from_zh":""}`:    {Value: 1, Known: true, From: lang.Same("uname -m")},
		`{"value":1,"known":true,"from":"a","from_zh":"甲","zh":"乙"}`: {Value: 1, Known: true, From: lang.T("a", "甲")},
	} {
		var got detect.Fact[int]
		if err := json.Unmarshal([]byte(in), &got); err != nil || got != want {
			t.Errorf("%s: %+v %v", in, got, err)
		}
	}
	var f detect.Fact[int]
	if err := json.Unmarshal([]byte(`{"value":"four"}`), &f); err == nil {
		t.Error("a word read as a number")
	}
	b, err := json.Marshal(detect.Fact[string]{Value: "x", Known: true, From: lang.Same("/x")})
	if want := `{"value":"x","known":true,"from":"/x"}`; err != nil || string(b) != want {
		t.Errorf("%s %v, want %s", b, err, want)
	}
}
