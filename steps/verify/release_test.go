package verify

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	openpgp1 "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"goxin/assets/keys"
)

var (
	tarball = []byte("go1.26.8 as it is")
	today   = Written().AddDate(0, 1, 0)
	made    = Written().AddDate(0, 0, -10)
)

// signWith makes a signature of any kind, at any time.
func signWith(t testing.TB, e *openpgp1.Entity, data []byte, when time.Time, kind packet.SignatureType, algo crypto.Hash) []byte {
	t.Helper()
	pk := e.PrivateKey
	sig := &packet.Signature{
		Version: 4, SigType: kind, PubKeyAlgo: pk.PubKeyAlgo, Hash: algo,
		CreationTime: when, IssuerKeyId: &pk.KeyId, IssuerFingerprint: pk.Fingerprint,
	}
	h := algo.New()
	h.Write(data)
	if err := sig.Sign(h, pk, at(when)); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sig.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func binarySig(t testing.TB, e *openpgp1.Entity, data []byte, when time.Time) []byte {
	t.Helper()
	return signWith(t, e, data, when, packet.SigTypeBinary, crypto.SHA256)
}

// sha1Signature is a true signature with SHA-1, which the library makes no more (RFC
// 9580, section 5.2.3).
func sha1Signature(t testing.TB, e *openpgp1.Entity, data []byte, when time.Time) []byte {
	t.Helper()
	hashed := append([]byte{4, 0, 1, 2, 0, 6, 5, 2}, binary.BigEndian.AppendUint32(nil, uint32(when.Unix()))...)
	h := crypto.SHA1.New()
	h.Write(data)
	h.Write(hashed)
	h.Write([]byte{4, 0xff, 0, 0, 0, byte(len(hashed))})
	sum := h.Sum(nil)
	raw, err := rsa.SignPKCS1v15(nil, e.PrivateKey.PrivateKey.(*rsa.PrivateKey), crypto.SHA1, sum)
	if err != nil {
		t.Fatal(err)
	}
	n := new(big.Int).SetBytes(raw)
	body := append(hashed, 0, 10, 9, 16)
	body = binary.BigEndian.AppendUint64(body, e.PrimaryKey.KeyId)
	body = append(body, sum[0], sum[1])
	body = binary.BigEndian.AppendUint16(body, uint16(n.BitLen()))
	body = append(body, n.Bytes()...)
	return append([]byte{0x89, byte(len(body) >> 8), byte(len(body))}, body...)
}

func armoured(t testing.TB, sig []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, "PGP SIGNATURE", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(sig); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return append(b.Bytes(), '\n')
}

func TestAReleaseNeedsEverySignatureToBeGood(t *testing.T) {
	google, other := key(t, "google", rsaKey), key(t, "other", rsaKey)
	revoked := key(t, "revoked")
	ofRevoked := binarySig(t, revoked, tarball, made)
	if err := revoked.RevokeKey(packet.KeyCompromised, "", at(made.AddDate(0, 0, 5))); err != nil {
		t.Fatal(err)
	}
	short := key(t, "short", func(c *packet.Config) { c.KeyLifetimeSecs = 365 * 24 * 3600 })
	stranger := key(t, "stranger")
	all := ring(t, google, other, revoked, short)
	good := binarySig(t, google, tarball, made)
	join := func(sigs ...[]byte) []byte { return bytes.Join(sigs, nil) }
	userID := []byte{0xcd, 2, 'h', 'i'} // a packet of a user's name
	v3 := v3Signature(t, google, tarball, made, crypto.SHA256)
	for _, c := range []struct {
		name string
		sig  []byte
		pol  Policy
		want string
	}{
		{"binary", good, Policy{}, "good"},
		{"armoured", armoured(t, good), Policy{}, "good"},
		{"armoured, with blank lines around", join([]byte("\n\n"), armoured(t, good), []byte("\n")), Policy{}, "good"},
		{"SHA-384", signWith(t, google, tarball, made, packet.SigTypeBinary, crypto.SHA384), Policy{}, "good"},
		{"SHA-512", signWith(t, google, tarball, made, packet.SigTypeBinary, crypto.SHA512), Policy{}, "good"},
		{"two keys that are known", join(good, binarySig(t, other, tarball, made)), Policy{}, "good"},
		{"its key is pinned", good, Policy{Fingerprints: []string{print(google)}}, "good"},
		{"in time for the release", good, Policy{Released: made.AddDate(0, 0, 6)}, "good"},
		{"by a key that expired since", binarySig(t, short, tarball, born.AddDate(0, 6, 0)), Policy{}, "good"},

		{"another key is pinned", good, Policy{Fingerprints: []string{print(other)}}, "unknown"},
		{"by a key nobody knows", binarySig(t, stranger, tarball, made), Policy{}, "unknown"},
		{"by a revoked key", ofRevoked, Policy{}, "bad"},
		{"of other data", binarySig(t, google, []byte("other data"), made), Policy{}, "bad"},
		{"made after the key expired", binarySig(t, short, tarball, made), Policy{}, "bad"},
		{"made before the key", binarySig(t, google, tarball, born.AddDate(-1, 0, 0)), Policy{}, "bad"},
		{"with SHA-1", sha1Signature(t, google, tarball, made), Policy{}, "bad"},
		{"with SHA-224", signWith(t, google, tarball, made, packet.SigTypeBinary, crypto.SHA224), Policy{}, "bad"},
		{"of type text", signWith(t, google, tarball, made, packet.SigTypeText, crypto.SHA256), Policy{}, "bad"},
		{"long before the release", good, Policy{Released: made.AddDate(0, 1, 0)}, "bad"},
		{"a good one and a bad one", join(good, binarySig(t, other, []byte("x"), made)), Policy{}, "bad"},
		{"a bad one and a good one", join(binarySig(t, other, []byte("x"), made), good), Policy{}, "bad"},
		{"a good one and one with SHA-224", join(good, signWith(t, google, tarball, made, packet.SigTypeBinary, crypto.SHA224)), Policy{}, "bad"},
		{"a good one and one of tomorrow", join(good, binarySig(t, other, tarball, today.AddDate(0, 0, 1))), Policy{}, "future"},
		{"a good one and a stranger's", join(good, binarySig(t, stranger, tarball, made)), Policy{}, "unknown"},
		{"of tomorrow", binarySig(t, google, tarball, today.AddDate(0, 0, 1)), Policy{}, "future"},

		{"nothing", nil, Policy{}, "none"},
		{"blanks", []byte(" \n"), Policy{}, "none"},
		{"an armour around nothing", armoured(t, nil), Policy{}, "none"},
		{"a web page", []byte("<html>"), Policy{}, "malformed"},
		{"a megabyte of armour", armoured(t, bytes.Repeat(good, 1<<20/len(good))), Policy{}, "malformed"},
		{"two armours", join(armoured(t, good), armoured(t, good)), Policy{}, "malformed"},
		{"text before the armour", join([]byte("hello\n"), armoured(t, good)), Policy{}, "malformed"},
		{"text behind the armour", join(armoured(t, good), []byte("hello\n")), Policy{}, "malformed"},
		{"an armour that breaks off", armoured(t, good)[:200], Policy{}, "malformed"},
		{"a signature that breaks off", good[:len(good)-1], Policy{}, "malformed"},
		{"something behind it", join(good, []byte{0}), Policy{}, "malformed"},
		{"another packet behind it", join(good, userID), Policy{}, "malformed"},
		{"another packet before it", join(userID, good), Policy{}, "malformed"},
		{"one of version 3", v3, Policy{}, "malformed"},
		{"a good one and one of version 3", join(good, v3), Policy{}, "malformed"},
		{"one of a key", signWith(t, google, tarball, made, packet.SigTypePositiveCert, crypto.SHA256), Policy{}, "malformed"},
		{"nine", bytes.Repeat(good, 9), Policy{}, "malformed"},
	} {
		c.pol.Now = today
		ev, err := all.Release(iotest.OneByteReader(bytes.NewReader(tarball)), c.sig, c.pol)
		if kindOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if c.name == "with SHA-1" && !strings.Contains(ev[0].Note.EN, "SHA-1") { // and not for being wrong
			t.Errorf("%s: %+v", c.name, ev)
		}
		for _, e := range ev {
			if e.Kind != Detached || e.Key == "" || (e.Verdict == Good) == e.RestsOn.Empty() || e.Verdict != Good && e.Note.Empty() {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
		if bad := slices.ContainsFunc(ev, func(e Evidence) bool { return e.Verdict != Good }); err == nil && (bad || len(ev) == 0) {
			t.Errorf("%s is good with %+v", c.name, ev)
		}
	}
	changed := bytes.Clone(tarball)
	for i := range changed {
		changed[i] ^= 1
		if _, err := all.Release(bytes.NewReader(changed), good, Policy{Now: today}); kindOf(err) != "bad" {
			t.Errorf("byte %d changed: %v", i, err)
		}
		changed[i] ^= 1
	}
	broken := errors.New("broken pipe")
	if _, err := all.Release(io.MultiReader(bytes.NewReader(tarball), iotest.ErrReader(broken)), good, Policy{Now: today}); !errors.Is(err, broken) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

func TestAClockOf1970IsNotBelieved(t *testing.T) {
	e := key(t, "google")
	k := ring(t, e)
	for _, clock := range []time.Time{time.Unix(0, 0), {}, Written().AddDate(0, 0, -1)} {
		ev, err := k.Release(bytes.NewReader(tarball), binarySig(t, e, tarball, made), Policy{Now: clock})
		if err != nil || !strings.Contains(ev[0].Note.EN, "clock says") || !strings.Contains(ev[0].Note.ZH, "时钟") {
			t.Errorf("%v: %+v, %v", clock, ev, err)
		}
		if _, err := k.Release(bytes.NewReader(tarball), binarySig(t, e, tarball, today), Policy{Now: clock}); !errors.As(err, new(*FutureError)) {
			t.Errorf("%v, signed since: %v", clock, err)
		}
	}
	ev, err := k.Release(bytes.NewReader(tarball), binarySig(t, e, tarball, made), Policy{Now: today})
	if err != nil || !ev[0].Note.Empty() {
		t.Errorf("%+v, %v", ev, err)
	}
	// A board whose clock is merely behind the signature by minutes.
	if _, err := k.Release(bytes.NewReader(tarball), binarySig(t, e, tarball, today.Add(4*time.Minute)), Policy{Now: today}); err != nil {
		t.Error(err)
	}
}

func TestASubkeyCountsOnlyWhereThePinnedPrimaryBoundIt(t *testing.T) {
	e := key(t, "google")
	if err := e.AddSigningSubkey(at(born.AddDate(0, 1, 0))); err != nil {
		t.Fatal(err)
	}
	sig := detached(t, e, tarball, at(made))
	pinned := Policy{Fingerprints: []string{print(e)}, Now: today}
	ev, err := ring(t, e).Release(bytes.NewReader(tarball), sig, pinned)
	if err != nil || ev[0].Key != print(e) {
		t.Errorf("%+v, %v", ev, err)
	}
	thief := key(t, "thief") // it takes the subkey along, which its own key never bound
	thief.Subkeys = e.Subkeys
	k, err := ReadKeys(public(t, thief))
	if err == nil {
		_, err = k.Release(bytes.NewReader(tarball), sig, Policy{Now: today})
	}
	if err == nil {
		t.Error("a subkey counts for a key that did not bind it")
	}
	if _, err := ring(t, e).Release(bytes.NewReader(tarball), sig, Policy{Fingerprints: []string{fingerprintOf(e.Subkeys[0].PublicKey)}, Now: today}); kindOf(err) != "unknown" {
		t.Errorf("a pin of the subkey: %v", err)
	}
}

func TestTheKeyThatIsCarriedIsGooglesAndHasItsSubkeys(t *testing.T) {
	k, err := ReadKeys(keys.Google())
	if err != nil || !slices.Equal(k.Fingerprints(), []string{GoogleKey}) {
		t.Fatalf("%v, %v", k.Fingerprints(), err)
	}
	var subkeys []string
	for _, s := range k.entities[0].Subkeys {
		subkeys = append(subkeys, fingerprintOf(s.PublicKey))
	}
	for _, want := range []string{ // toolchains of 2021 to 2027
		"2F528D36D67B69EDF998D85778BD65473CB3BD13", "8461EFA0E74ABAE010DE66994EB27DB2A3B88B8B",
		"A5F483CD733A4EBAEA378B2AE88979FB9B30ACF2", "0F06FF86BEEAF4E71866EE5232EE5355A6BC6E42",
	} {
		if !slices.Contains(subkeys, want) {
			t.Errorf("%s is missing in %v", want, subkeys)
		}
	}
}
