package origin

import (
	"context"
	"time"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/steps/verify"
)

// With is the options with what a catalogue of releases knows: its proofs come first,
// and o.Lookup is asked for what it does not have.
func (o Options) With(c *golang.Catalogue) Options {
	next := o.Lookup
	o.Lookup = func(ctx context.Context, t verify.Toolchain) (*verify.Proof, error) {
		if f, ok := c.Find(t.Version, t.OS, t.Arch); ok && f.Proof != "" {
			return verify.ParseProof([]byte(f.Proof))
		}
		if next == nil {
			return nil, lang.Errorf(nil, "goxin carries no proof of %s, and the log was not asked", "goxin 未随附 %s 的证明，也未查询透明日志", t)
		}
		return next(ctx, t)
	}
	o.Digest = func(base string) (string, lang.Text) {
		t, ok := called(base)
		if !ok {
			return "", lang.Text{}
		}
		f, ok := c.Find(t.Version, t.OS, t.Arch)
		if !ok || base != archive(t) {
			return "", lang.Text{}
		}
		return f.SHA256, lang.F("the list of releases in goxin, from %s", "goxin 内置的发行版列表，来自 %s", f.From)
	}
	o.Released = func(version string) time.Time {
		r, _ := c.Release(version)
		return r.Date
	}
	return o
}

// archive is what the ordinary archive of a toolchain is called, or of a release's
// sources.
func archive(t verify.Toolchain) string {
	if t.OS == "" {
		return t.Version + ".src.tar.gz"
	}
	return t.Archive()
}

// Heads are the signed tree heads that a catalogue's proofs lead to: what the log has
// shown others (Remote.Know).
func Heads(c *golang.Catalogue) (heads [][]byte) {
	seen := map[string]bool{}
	for _, r := range c.Releases {
		for _, f := range r.Files {
			p, err := verify.ParseProof([]byte(f.Proof))
			if err == nil && !seen[string(p.Head())] {
				seen[string(p.Head())] = true
				heads = append(heads, p.Head())
			}
		}
	}
	return heads
}
