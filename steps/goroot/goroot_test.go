package goroot

import (
	"testing"

	"goxin/steps/steptest"
	"goxin/steps/verify"
)

func TestADirectorysNameTellsWhatIsInIt(t *testing.T) {
	tc := verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: "loong64"}
	dir := Dir(tc, "h1:Z/+e1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=")
	if dir != Base+"/1.26.8-linux-loong64-Z_-e1Onf" {
		t.Error(dir)
	}
	if got, ok := Parse(dir); !ok || got != tc {
		t.Error(got, ok)
	}
	built := Built(tc, "64fb507c00d6f830f71a342feb80b05641b4da5d5ca1d5e06896d5572f8a458c")
	if built != Base+"/1.26.8-linux-loong64-64fb507c-built" || !IsBuilt(built) || IsBuilt(dir) || IsBuilt("/usr/local/go-built") {
		t.Error(built)
	}
	if got, ok := Parse(built); !ok || got != tc {
		t.Error(got, ok)
	}
	// A hash that ends as the mark begins is no mark.
	if odd := Base + "/1.26.8-linux-amd64-AA-built"; IsBuilt(odd) {
		t.Error(odd)
	}
	for _, other := range []string{"current", "1.26.8", "1.26.8-linux-amd64", dir + ".manifest", "x.y-linux-amd64-ZOmGe1On", ".1.26.8-linux-amd64-ZOmGe1On.goxin-new"} {
		if got, ok := Parse(other); ok {
			t.Errorf("%s: %v", other, got)
		}
	}
}

func TestWhatIsThereIsListed(t *testing.T) {
	m, _ := steptest.Tree(t, nil)
	if all, err := List(m); all != nil || err != nil {
		t.Error(all, err)
	}
	const one = "1.26.8-linux-amd64-ZOmGe1On"
	m, _ = steptest.Tree(t, map[string]string{
		Base + "/" + one + "/VERSION":                      "go1.26.8",
		Base + "/1.25.14-linux-amd64-AAAAAAAA/VERSION":     "go1.25.14",
		Base + "/" + one + ".manifest":                     "",
		Base + "/1.24.1-linux-amd64-isafile0":              "",
		Base + "/.1.27.0-linux-amd64-AAAAAAAA.goxin-new/x": "",
	})
	if err := m.Symlink(one, Current); err != nil {
		t.Fatal(err)
	}
	all, err := List(m)
	if err != nil || len(all) != 2 || all[0].Current || !all[1].Current || all[1].Toolchain.Version != "go1.26.8" || all[1].Dir != Base+"/"+one {
		t.Errorf("%+v, %v", all, err)
	}
}
