package origin

import (
	"testing"

	"goxin/assets/golang"
	"goxin/steps/verify"
)

func TestEveryCarriedProofHoldsWithoutANetwork(t *testing.T) {
	c, err := golang.Load()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range c.Releases {
		for _, f := range r.Files {
			if f.Proof == "" {
				continue
			}
			n++
			p, err := verify.ParseProof([]byte(f.Proof))
			if err != nil {
				t.Errorf("%s %s/%s: %v", r.Version, f.OS, f.Arch, err)
				continue
			}
			h1, _, err := p.H1(verify.LogKey, verify.Toolchain{Version: r.Version, OS: f.OS, Arch: f.Arch})
			if err != nil || h1 != f.H1 {
				t.Errorf("%s %s/%s: %s, not %s: %v", r.Version, f.OS, f.Arch, h1, f.H1, err)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d proofs", n)
	}
}
