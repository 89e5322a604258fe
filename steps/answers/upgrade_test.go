package answers

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"goxin/assets/lang"
)

// future is a format two versions on: version 2 called profile purpose, 3 has
// no swap.
func future() format {
	return format{now: 3, migrations: []migration{
		{1, func(src []byte) ([]byte, error) {
			return bytes.ReplaceAll(src, []byte("purpose:"), []byte("profile:")), nil
		}},
		{2, func(src []byte) ([]byte, error) {
			if bytes.Contains(src, []byte("broken")) {
				return nil, errors.New("broken")
			}
			return bytes.ReplaceAll(src, []byte("    swap: true\n"), nil), nil
		}},
	}}
}

const old = "# mine, not version: 1\nversion: 1 # keep\nsteps:\n  kernel:\n    purpose: web # why\n    swap: true\n"

func TestMigrationsLeadToTheCurrentVersionAndKeepComments(t *testing.T) {
	got, changed, err := upgrade("f", []byte(old), future())
	want := "# mine, not version: 1\nversion: 3 # keep\nsteps:\n  kernel:\n    profile: web # why\n"
	if err != nil || !changed || string(got) != want {
		t.Errorf("%v, %v, got\n%s\nwant\n%s", changed, err, got, want)
	}
	if _, err := decode("f", got, fakeSteps(), future()); err != nil {
		t.Error(err)
	}
	got, changed, err = upgrade("f", got, future())
	if err != nil || changed || string(got) != want {
		t.Errorf("again: %v, %v, %s", changed, err, got)
	}
	got, changed, err = upgrade("f", []byte("version: 2\nsteps: {}\n"), future())
	if err != nil || !changed || string(got) != "version: 3\nsteps: {}\n" {
		t.Errorf("from the middle: %v, %v, %s", changed, err, got)
	}
}

func TestAnOlderFileIsRefusedWithTheCommandThatUpgradesIt(t *testing.T) {
	_, err := decode("a.yaml", []byte(old), fakeSteps(), future())
	text, hint := first(t, err)
	if text != "a.yaml:2:10: cannot read version 1 of answers: this goxin reads version 3" || hint != "goxin answers upgrade a.yaml" {
		t.Errorf("%s\n%s", text, hint)
	}
}

func TestTheCurrentVersionIsLeftAlone(t *testing.T) {
	src := []byte("\xef\xbb\xbfversion: 1\r\nsteps: {}\r\n")
	got, changed, err := Upgrade("f", src)
	if err != nil || changed || !bytes.Equal(got, src) {
		t.Errorf("%q, %v, %v", got, changed, err)
	}
}

func TestUnknownVersionsAreNotUpgraded(t *testing.T) {
	for src, want := range map[string]string{
		"version: 2\n":  "f:1:10: cannot read version 2 of answers: this goxin reads version 1",
		"version: 0\n":  "f:1:10: cannot read version 0 of answers: there never was one",
		"version: x\n":  "f:1:10: cannot tell the version of these answers",
		"steps: {}\n":   "f:1:1: cannot tell the version of these answers: version is missing",
		"":              "f: cannot find answers: the file is empty",
		"version: [1\n": "f:1:10: cannot read YAML: brackets do not match",
	} {
		got, changed, err := Upgrade("f", []byte(src))
		if err == nil || changed || got != nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", src, err)
		}
	}
	_, _, err := upgrade("f", []byte("version: 2\nsteps: {broken: 1}\n"), future())
	if got := lang.Message(err, lang.ZH); got != "无法升级 f（版本 2）：broken" {
		t.Errorf("a migration that fails: %s", got)
	}
}
