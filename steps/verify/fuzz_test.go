package verify

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

// What comes from a mirror may be anything; nothing of it may break goxin or count as
// signed when it is not what was signed.

func FuzzRPMHeader(f *testing.F) {
	e := key(f, "vendor")
	good := rpmFile("glibc", "aarch64", func(h []byte) (int32, []byte) { return tagDSA, detached(f, e, h, at(signed)) })
	k := ring(f, e)
	r, err := ReadRPM(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:120])
	f.Add(rpmFile("a", "noarch", nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := k.RPMHeader(b, now); err != nil {
			return
		}
		got, err := ReadRPM(b)
		if err != nil || !bytes.Equal(got.header, r.header) {
			t.Errorf("another header is signed: %v", err)
		}
	})
}

func FuzzClearsigned(f *testing.F) {
	e := key(f, "vendor")
	const text = "Origin: Example\n"
	good := clear(f, text, at(signed), e)
	k := ring(f, e)
	f.Add(good)
	f.Add(good[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, _, err := k.Clearsigned(b, now); err == nil && string(bytes.TrimSpace(got)) != "Origin: Example" {
			t.Errorf("another text is signed: %q", got)
		}
	})
}

func FuzzDetached(f *testing.F) {
	e := key(f, "vendor")
	f.Add(detached(f, e, []byte("data"), at(signed)))
	f.Add([]byte("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"))
	k := ring(f, e)
	f.Fuzz(func(t *testing.T, sig []byte) {
		if _, err := k.Detached(bytes.NewReader([]byte("other data")), sig, now); err == nil {
			t.Error("other data is signed")
		}
	})
}

func FuzzReadKeys(f *testing.F) {
	f.Add(public(f, key(f, "vendor")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := ReadKeys(b); err == nil && k.Empty() {
			t.Error("keys without a key")
		}
	})
}

func FuzzRelease(f *testing.F) {
	e := key(f, "google")
	good := binarySig(f, e, tarball, made)
	f.Add(good)
	f.Add(armoured(f, good))
	f.Add(append(bytes.Clone(good), good...))
	k := ring(f, e)
	f.Fuzz(func(t *testing.T, sig []byte) {
		if ev, err := k.Release(strings.NewReader("other data"), sig, Policy{Now: today}); err == nil {
			t.Errorf("other data is signed: %+v", ev)
		}
		if ev, err := k.Release(bytes.NewReader(tarball), sig, Policy{Now: today}); err == nil && (len(ev) == 0 || ev[0].Key != print(e)) {
			t.Errorf("signed by nobody: %+v", ev)
		}
	})
}

func FuzzProof(f *testing.F) {
	text, err := os.ReadFile("testdata/go1.26.8.linux-amd64.proof")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:700])
	f.Add(bytes.Replace(text, []byte(sumA), []byte(sumB), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProof(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Text(), b) {
			t.Errorf("%q is written as %q", b, p.Text())
		}
		if h1, _, err := p.H1(LogKey, tool); err == nil && h1 != sumA {
			t.Errorf("another hash is proved: %s", h1)
		}
	})
}

// FuzzLookup lets a server say anything, with the honest log's tiles behind it.
func FuzzLookup(f *testing.F) {
	l := newLog(f).fill(5)
	l.add(record(tool, sumA))
	l.fill(300)
	honest := l.get(5, 300)
	answer, err := honest(context.Background(), "/lookup/")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(answer)
	f.Add(bytes.Replace(answer, []byte(sumA), []byte(sumB), 1))
	f.Add([]byte("5\n\n\n"))
	known := l.head(200)
	f.Fuzz(func(t *testing.T, b []byte) {
		get := func(ctx context.Context, path string) ([]byte, error) {
			if strings.HasPrefix(path, "/lookup/") {
				return b, nil
			}
			return honest(ctx, path)
		}
		p, newest, err := Prove(t.Context(), get, l.key, tool, known)
		if err != nil {
			return
		}
		if h1, _, err := p.H1(l.key, tool); h1 != sumA || err != nil || len(newest) == 0 {
			t.Errorf("%q, %v", h1, err)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(strings.Repeat("ab", 32) + " 0755 00000000012 bin/go\n"))
	f.Add([]byte(strings.Repeat("00", 32) + " 0644 00000000000 ../x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ReadManifest(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if _, err := m.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		again, err := ReadManifest(&out)
		if err != nil || len(again.Files) != len(m.Files) || again.H1(tool) != m.H1(tool) {
			t.Errorf("what was written is not read: %v", err)
		}
	})
}
