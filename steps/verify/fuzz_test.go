package verify

import (
	"bytes"
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
