package answers

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"goxin/detect"
	"goxin/steps/engine"
)

func fact(s string) detect.Fact[string] { return detect.Fact[string]{Value: s, Known: true} }

func facts() *detect.Facts {
	return &detect.Facts{
		Arch: detect.Arch{Machine: fact("aarch64"), GOARCH: fact("arm64")},
		OS:   detect.OS{ID: fact("kylin"), Product: fact("kylin-server")},
	}
}

func TestOverridesAreForTheHostsThatMatch(t *testing.T) {
	for _, c := range []struct {
		m     Match
		facts *detect.Facts
		want  bool
	}{
		{Match{Hostname: "web-*"}, facts(), true},
		{Match{Hostname: "WEB-1"}, facts(), true},
		{Match{Hostname: "web-?"}, nil, true},
		{Match{Hostname: "db-*"}, facts(), false},
		{Match{Hostname: "web"}, facts(), false},
		{Match{Arch: "aarch64"}, facts(), true},
		{Match{Arch: "arm64"}, facts(), true},
		{Match{Arch: "loong64"}, facts(), false},
		{Match{Arch: "arm64"}, nil, false},
		{Match{Arch: "arm64"}, &detect.Facts{}, false},
		{Match{OS: "kylin"}, facts(), true},
		{Match{OS: "kylin-server"}, facts(), true},
		{Match{OS: "uos"}, facts(), false},
		{Match{Hostname: "web-*", Arch: "arm64", OS: "kylin"}, facts(), true},
		{Match{Hostname: "web-*", Arch: "arm64", OS: "uos"}, facts(), false},
		{Match{}, facts(), false},
	} {
		f := &File{Steps: engine.Answers{}, Hosts: []Override{{c.m, engine.Answers{"time": {}}}}}
		if _, got := f.For("web-1", c.facts)["time"]; got != c.want {
			t.Errorf("%+v: %v", c.m, got)
		}
	}
}

func TestALaterOverrideWinsAndMapsMerge(t *testing.T) {
	f := &File{
		Steps: engine.Answers{"kernel": {"profile": "base", "set": map[string]string{"a.a": "1", "a.b": "1"}}, "devtools": {"packages": []string{"gcc"}}},
		Hosts: []Override{
			{Match{Hostname: "*"}, engine.Answers{"kernel": {"profile": "web", "swap": true}, "time": {}}},
			{Match{Hostname: "other"}, engine.Answers{"mirror": {}}},
			{Match{Arch: "arm64"}, engine.Answers{"kernel": {"profile": "database", "set": map[string]string{"a.b": "2", "a.c": "2"}}, "devtools": {"packages": []string{"make"}}}},
		},
	}
	before := f.For("none", nil)
	got := f.For("web-1", facts())
	want := engine.Answers{
		"kernel":   {"profile": "database", "swap": true, "set": map[string]string{"a.a": "1", "a.b": "2", "a.c": "2"}},
		"devtools": {"packages": []string{"make"}}, "time": {},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	got["kernel"]["set"].(map[string]string)["a.a"] = "changed"
	got["devtools"]["packages"].([]string)[0] = "changed"
	if after := f.For("none", nil); !reflect.DeepEqual(after, before) || len(f.Hosts[2].Steps["kernel"]["set"].(map[string]string)) != 2 {
		t.Errorf("the file changed: %v", after)
	}
	if again := f.For("web-1", facts()); !reflect.DeepEqual(again, want) {
		t.Errorf("the second time: %v", again)
	}
}

func TestSetChangesOneValue(t *testing.T) {
	a := engine.Answers{"kernel": {"profile": "base", "set": map[string]string{"a.a": "1"}}}
	shared := a["kernel"]["set"].(map[string]string)
	err := Set(a, fakeSteps(), "kernel.profile=web", "kernel.set.vm.swappiness=010", "kernel.set.a.a=x=y", "kernel.limit=2048", "kernel.swap=true",
		"devtools.sets=c, git", "devtools.packages=", "mirror.token=env:A", "mirror.url=")
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Answers{
		"kernel":   {"profile": "web", "limit": int64(2048), "swap": true, "set": map[string]string{"a.a": "x=y", "vm.swappiness": "010"}},
		"devtools": {"sets": []string{"c", "git"}, "packages": []string{}},
		"mirror":   {"token": "env:A", "url": ""},
	}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got  %v\nwant %v", a, want)
	}
	if shared["a.a"] != "1" {
		t.Error("the caller's map changed")
	}
}

func TestAWrongSetSaysWhichAndChangesNothing(t *testing.T) {
	for arg, want := range map[string]string{
		"":                    `--set "": cannot read it: STEP.KEY=VALUE is expected`,
		"kernel":              "--set kernel: cannot read it: STEP.KEY=VALUE is expected",
		"kernel=web":          "--set kernel=…: cannot read it: STEP.KEY=VALUE is expected",
		"kernel.profile":      "--set kernel.profile: cannot read it: STEP.KEY=VALUE is expected",
		"kernal.profile=web":  "--set kernal.profile=…: cannot use kernal: there is no such step",
		"kernel.profil=web":   "--set kernel.profil=…: cannot use kernel.profil: there is no such key",
		"kernel.profile.x=w":  "--set kernel.profile.x=…: cannot use kernel.profile.x: there is no such key",
		"kernel.profile=wbe":  "--set kernel.profile=…: cannot use wbe for kernel.profile: there is no such option",
		"kernel.limit=010":    "--set kernel.limit=…: cannot read kernel.limit: 010 is one number to some",
		"kernel.limit=1":      "--set kernel.limit=…: cannot use 1 for kernel.limit: it is not from 1024 to 1048576",
		"kernel.limit=":       "--set kernel.limit=…: cannot read kernel.limit:",
		"kernel.swap=yes":     "--set kernel.swap=…: cannot read kernel.swap: true or false is expected",
		"kernel.set=1":        "--set kernel.set=…: cannot set kernel.set as a whole: it is a map",
		"kernel.set.=1":       "--set kernel.set.=…: cannot set kernel.set as a whole: it is a map",
		"kernel.set.nodot=1":  "--set kernel.set.nodot=…: cannot use nodot=1 for kernel.set: a parameter has a dot",
		"kernel.set.a.b=1\n2": "--set kernel.set.a.b=…: cannot read kernel.set.a.b:",
		"devtools.sets=c,x":   "--set devtools.sets=…: cannot use x for devtools.sets: there is no such option",
		"mirror.url=a b":      `--set mirror.url=…: cannot use "a b" for mirror.url: an address has no blanks`,
		"mirror.url=\x1b[31m": "--set mirror.url=…: cannot read mirror.url: it has a control character",
		"mirror.\x1b=1":       `--set "mirror.\x1b"=…: cannot use mirror."\x1b": there is no such key`,
	} {
		a := engine.Answers{"time": {}}
		err := Set(a, fakeSteps(), "kernel.profile=web", arg)
		var p *Problems
		if !errors.As(err, &p) || len(p.List) != 1 || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got  %v\nwant %s", arg, err, want)
		}
		if !reflect.DeepEqual(a, engine.Answers{"time": {}}) {
			t.Errorf("%q changed %v", arg, a)
		}
	}
	err := Set(engine.Answers{}, fakeSteps(), "kernel.profile=x", "time.a=1")
	var p *Problems
	if !errors.As(err, &p) || len(p.List) != 2 {
		t.Errorf("not both: %v", err)
	}
}
