package toolchain

import (
	"strings"
	"testing"

	"goxin/assets/lang"
)

func TestVersionsAreWrittenAsPeopleWriteThem(t *testing.T) {
	for _, good := range []string{"latest", "1.26", "1.26.8", "go1.26.8", "go1.26", "1.27rc2", "1.9beta1", "1.4"} {
		if err := checkWish(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "1", "2.0", "1.26.8-1", "1.26.8.linux-amd64", "../1.26", "1.26.8 ", "v1.26.8", "1.26.x", "newest", "1.026", "1.26rc", "go", "1.26.8\n", "1.9999.1",
	} {
		err := checkWish(bad)
		if err == nil || lang.Hint(err, lang.ZH) == "" || lang.Message(err, lang.ZH) == err.Error() {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestALineIsItsNewestReleaseAndNoCandidate(t *testing.T) {
	known := []string{"go1.25.14", "go1.26.8", "go1.27rc1", "go1.26.11", "go1.26rc3", "go1.26.9", "go1.26.8", "go1.3.3"}
	for asked, want := range map[wish]string{
		"latest": "go1.26.11 go1.26.9 go1.26.8 go1.25.14 go1.3.3", "1.26": "go1.26.11 go1.26.9 go1.26.8", "go1.25": "go1.25.14",
		"1.26.8": "go1.26.8", "1.27rc1": "go1.27rc1", "1.27": "", "1.26.10": "",
	} {
		if got := strings.Join(asked.newest(known), " "); got != want {
			t.Errorf("%s: %s", asked, got)
		}
	}
}

func TestAVersionThatIsNotThereWasMeantToBeAnother(t *testing.T) {
	known := []string{"go1.25.14", "go1.26.8", "go1.26.10", "go1.26.11"}
	for v, want := range map[string]string{
		"go1.26.80": "go1.26.8", "go1.26.12": "go1.26.11", "go1.62.8": "go1.26.8", "go1.25.1": "go1.25.14", "go1.26.99": "go1.26.11", "go1.4": "",
	} {
		if got := nearest(v, known); got != want {
			t.Errorf("%s: %q", v, got)
		}
	}
}

func TestALineThatIsNotThereIsTakenForOneAndNotForARelease(t *testing.T) {
	known := []string{"go1.27.4", "go1.26.8", "go1.23.0", "go1.26.11"}
	for asked, want := range map[string]string{"1.36": "did you mean 1.26?", "1.277": "did you mean 1.27?", "1.30": "the newest is go1.27.4", "1.26.80": "did you mean go1.26.8?"} {
		if got := lang.Hint(unknown(asked, "amd64", known), lang.EN); got != want {
			t.Errorf("%s: %s", asked, got)
		}
	}
}

func TestBuildingTakesAGoOfTwoLinesBefore(t *testing.T) {
	for v, want := range map[string]string{
		"go1.19.8": "go1.4", "go1.21.0": "go1.17", "go1.22.1": "go1.20", "go1.23.0": "go1.20", "go1.24rc1": "go1.22", "go1.25.3": "go1.22", "go1.26.8": "go1.24", "go1.27.0": "go1.24",
	} {
		if got := bootstrap(v); got != want {
			t.Errorf("%s: %s", v, got)
		}
	}
}

func TestTheGateKnowsWhatWasFixedWhere(t *testing.T) {
	for v, want := range map[string]bool{
		"go1.15.7": true, "go1.24.13": true, "go1.25.12": true, "go1.25.13": false, "go1.25.14": false,
		"go1.26rc2": true, "go1.26.5": true, "go1.26.6": false, "go1.27rc2": true, "go1.27rc3": false, "go1.27.0": false, "devel": true,
	} {
		if gated(v) != want {
			t.Errorf("%s: %t", v, !want)
		}
	}
}

func TestAProxysListIsReadForThisMachine(t *testing.T) {
	list := "v0.0.1-go1.26.8.linux-amd64\nv0.0.1-go1.26.8.linux-arm64\nv0.0.1-go1.26.9.windows-amd64\r\nv0.0.1-go1.27rc1.linux-arm64\n" +
		"v0.0.1-go1.26.8/../x.linux-arm64\nv0.0.1-go1.26.8-1.linux-arm64\ngarbage\n\n<html>"
	if got := strings.Join(versionsIn([]byte(list), "arm64"), " "); got != "go1.26.8 go1.27rc1" {
		t.Error(got)
	}
}

func FuzzVersionsIn(f *testing.F) {
	f.Add([]byte("v0.0.1-go1.26.8.linux-amd64\n"), "amd64")
	f.Fuzz(func(t *testing.T, list []byte, arch string) {
		for _, v := range versionsIn(list, arch) {
			if strings.ContainsAny(v, "/\\ \n\r\x00-") {
				t.Errorf("%q would be part of a path", v)
			}
		}
	})
}

func FuzzVersionOf(f *testing.F) {
	f.Add("go1.26.8.linux-amd64.tar.gz", "amd64")
	f.Fuzz(func(t *testing.T, name, arch string) {
		if releaseFile.MatchString(name) && strings.ContainsAny(name, "/\x00") {
			t.Errorf("%q is no name", name)
		}
		if v := versionOf(name, arch, false); releaseFile.MatchString(name) && v != "" && !strings.HasPrefix(v, "go1") {
			t.Errorf("%q has version %q", name, v)
		}
	})
}
