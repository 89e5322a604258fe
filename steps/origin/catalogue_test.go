package origin

import (
	"context"
	"errors"
	"testing"

	"goxin/assets/golang"
	"goxin/steps/verify"
)

func TestTheCatalogueIsAskedFirstAndTheLogForTheRest(t *testing.T) {
	c, err := golang.Load()
	if err != nil {
		t.Fatal(err)
	}
	asked := errors.New("the log was asked")
	o := Options{Lookup: func(context.Context, verify.Toolchain) (*verify.Proof, error) { return nil, asked }}.With(c)
	for arch, want := range map[string]string{
		"amd64": "h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=",
		"arm64": "h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=",
	} {
		known := verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: arch}
		p, err := o.Lookup(t.Context(), known)
		if err != nil {
			t.Fatal(err)
		}
		if h1, _, err := p.H1(verify.LogKey, known); h1 != want || err != nil {
			t.Errorf("%s: %s, %v", known, h1, err)
		}
	}
	unknown := verify.Toolchain{Version: "go1.99.1", OS: "linux", Arch: "amd64"}
	if _, err := o.Lookup(t.Context(), unknown); !errors.Is(err, asked) {
		t.Error(err)
	}
	if _, err := (Options{}).With(c).Lookup(t.Context(), unknown); err == nil {
		t.Error("there is a proof from nowhere")
	}
	if sum, from := o.Digest("go1.26.8.linux-amd64.tar.gz"); sum != "d0f743b33e8d8945e6b1f432edd15785c70507121d6e2a723b21285eddf8b57b" || from.Empty() {
		t.Errorf("%s, %s", sum, from.EN)
	}
	for _, name := range []string{"go1.26.8.linux-amd64.zip", "v0.0.1-go1.26.8.linux-amd64.zip", "x.tar.gz", "go1.99.1.src.tar.gz"} {
		if sum, _ := o.Digest(name); sum != "" {
			t.Errorf("%s: %s", name, sum)
		}
	}
	if o.Released("go1.26.8").IsZero() || !o.Released("go1.99.1").IsZero() {
		t.Error("the days of release")
	}
	heads := Heads(c)
	if len(heads) == 0 || verify.Newest(verify.LogKey, heads...) == nil {
		t.Errorf("%d heads", len(heads))
	}
}
