package verify

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	openpgp1 "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"goxin/assets/lang"
)

var (
	born   = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	signed = born.AddDate(1, 0, 0)
	now    = born.AddDate(6, 0, 0)
)

func at(t time.Time, change ...func(*packet.Config)) *packet.Config {
	c := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256, Time: func() time.Time { return t }}
	for _, f := range change {
		f(c)
	}
	return c
}

func key(t testing.TB, name string, change ...func(*packet.Config)) *openpgp1.Entity {
	t.Helper()
	e, err := openpgp1.NewEntity(name, "", name+"@example.com", at(born, change...))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func rsaKey(c *packet.Config) { c.Algorithm, c.RSABits = packet.PubKeyAlgoRSA, 2048 }

func public(t testing.TB, es ...*openpgp1.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, e := range es {
		if err := e.Serialize(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func ring(t testing.TB, es ...*openpgp1.Entity) Keyring {
	t.Helper()
	if len(es) == 0 {
		return Keyring{}
	}
	k, err := ReadKeys(public(t, es...))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func print(e *openpgp1.Entity) string { return fingerprintOf(e.PrimaryKey) }

func fingerprintOf(pk *packet.PublicKey) string {
	return strings.ToUpper(string(hexOf(pk.Fingerprint)))
}

func hexOf(b []byte) []byte {
	const digits = "0123456789abcdef"
	var out []byte
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return out
}

func clear(t testing.TB, text string, c *packet.Config, es ...*openpgp1.Entity) []byte {
	t.Helper()
	var ks []*packet.PrivateKey
	for _, e := range es {
		ks = append(ks, e.PrivateKey)
	}
	var b bytes.Buffer
	w, err := clearsign.EncodeMulti(&b, ks, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.Bytes()
}

func detached(t testing.TB, e *openpgp1.Entity, data []byte, c *packet.Config) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := openpgp1.DetachSign(&b, e, bytes.NewReader(data), c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// kindOf is an error's kind, as tables have it.
func kindOf(err error) string {
	var bad *BadSignatureError
	var unknown *UnknownKeyError
	var future *FutureError
	var malformed *MalformedError
	switch {
	case err == nil:
		return "good"
	case errors.Is(err, ErrNoSignature):
		return "none"
	case errors.As(err, &bad):
		return "bad"
	case errors.As(err, &unknown):
		return "unknown"
	case errors.As(err, &future):
		return "future"
	case errors.As(err, &malformed):
		return "malformed"
	}
	return err.Error()
}

func TestAClearsignedTextIsJudgedByItsSignatures(t *testing.T) {
	vendor, other := key(t, "vendor"), key(t, "other")
	text := "Origin: Example\n- dashed\nDate: today  \n"
	good := clear(t, text, at(signed), vendor)
	two := clear(t, text, at(signed), other, vendor)
	for _, c := range []struct {
		name string
		ring Keyring
		data []byte
		at   time.Time
		want string
	}{
		{"good", ring(t, vendor), good, now, "good"},
		{"good, and nobody asks the clock", ring(t, vendor), good, time.Time{}, "good"},
		{"one of two is known", ring(t, vendor), two, now, "good"},
		{"the other of two is known", ring(t, other), two, now, "good"},
		{"unknown", ring(t, other), good, now, "unknown"},
		{"no keys at all", Keyring{}, good, now, "unknown"},
		{"changed", ring(t, vendor), bytes.Replace(good, []byte("Example"), []byte("exAmple"), 1), now, "bad"},
		{"from the future", ring(t, vendor), good, signed.Add(-time.Hour), "future"},
		{"a clock minutes behind", ring(t, vendor), good, signed.Add(-time.Minute), "good"},
		{"something before it", ring(t, vendor), append([]byte("Origin: Evil\n"), good...), now, "none"},
		{"something after it", ring(t, vendor), append(bytes.Clone(good), "\nOrigin: Evil\n"...), now, "malformed"},
		{"two of them", ring(t, vendor), append(append(bytes.Clone(good), '\n'), good...), now, "malformed"},
		{"cut short", ring(t, vendor), good[:len(good)/2], now, "malformed"},
		{"too much", ring(t, vendor), make([]byte, MaxClearsigned+1), now, "malformed"},
		{"nothing", ring(t, vendor), nil, now, "none"},
	} {
		got, ev, err := c.ring.Clearsigned(c.data, c.at)
		if kindOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if c.want == "good" && (string(got) != strings.ReplaceAll(text, "  \n", "\n") || len(ev) == 0) {
			t.Errorf("%s: text %q, evidence %v", c.name, got, ev)
		}
	}
	_, ev, _ := ring(t, vendor).Clearsigned(two, now)
	var verdicts []Verdict
	for _, e := range ev {
		verdicts = append(verdicts, e.Verdict)
		if e.Verdict == Good && (e.Key != print(vendor) || !e.Signed.Equal(signed) || e.Kind != "clearsigned") {
			t.Errorf("evidence: %+v", e)
		}
		if e.Verdict == Unknown && e.Key != print(other) {
			t.Errorf("evidence of the unknown: %+v", e)
		}
	}
	if !reflect.DeepEqual(verdicts, []Verdict{Unknown, Good}) {
		t.Errorf("verdicts: %v", verdicts)
	}
}

func TestAKeyIsJudgedAtTheTimeOfTheSignature(t *testing.T) {
	data := []byte("data")
	year := func(c *packet.Config) { c.KeyLifetimeSecs = 365 * 24 * 3600 }
	expired := key(t, "expired", year)
	early := key(t, "early")
	revoked := key(t, "revoked")
	compromised := key(t, "compromised")
	sigRevoked := detached(t, revoked, data, at(signed))
	sigCompromised := detached(t, compromised, data, at(signed))
	if err := revoked.RevokeKey(packet.KeyRetired, "", at(signed.AddDate(1, 0, 0))); err != nil {
		t.Fatal(err)
	}
	if err := compromised.RevokeKey(packet.KeyCompromised, "", at(signed.AddDate(1, 0, 0))); err != nil {
		t.Fatal(err)
	}
	renewed := key(t, "renewed")
	sigRenewed := detached(t, renewed, data, at(signed))
	for _, id := range renewed.Identities { // exported with its newest self-signature only
		id.SelfSignature.CreationTime = signed.AddDate(2, 0, 0)
		if err := id.SelfSignature.SignUserId(id.UserId.Id, renewed.PrimaryKey, renewed.PrivateKey, at(signed.AddDate(2, 0, 0))); err != nil {
			t.Fatal(err)
		}
		id.Signatures = []*packet.Signature{id.SelfSignature}
	}
	for _, c := range []struct {
		name string
		key  *openpgp1.Entity
		sig  []byte
		want string
	}{
		{"expired since", expired, detached(t, expired, data, at(born.AddDate(0, 6, 0))), "good"},
		{"expired before", expired, resigned(t, expired, data, born.AddDate(2, 0, 0)), "bad"},
		{"older than its key", early, resigned(t, early, data, born.AddDate(-1, 0, 0)), "bad"},
		{"retired since", revoked, sigRevoked, "good"},
		{"retired before", revoked, resigned(t, revoked, data, signed.AddDate(2, 0, 0)), "bad"},
		{"compromised since", compromised, sigCompromised, "bad"},
		{"self-signature renewed since", renewed, sigRenewed, "good"},
	} {
		if _, err := ring(t, c.key).Detached(bytes.NewReader(data), c.sig, now); kindOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// resigned signs at a time at which the library would not.
func resigned(t testing.TB, e *openpgp1.Entity, data []byte, when time.Time) []byte {
	t.Helper()
	sig := &packet.Signature{
		Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: e.PrimaryKey.PubKeyAlgo, Hash: crypto.SHA256,
		CreationTime: when, IssuerKeyId: &e.PrimaryKey.KeyId,
	}
	h := crypto.SHA256.New()
	h.Write(data)
	if err := sig.Sign(h, e.PrivateKey, at(when)); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sig.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestASubkeyCountsAsItsPrimary(t *testing.T) {
	e := key(t, "vendor")
	if err := e.AddSigningSubkey(at(born.AddDate(0, 1, 0))); err != nil {
		t.Fatal(err)
	}
	data := []byte("data")
	sig := detached(t, e, data, at(signed)) // the library takes the newest signing key
	ev, err := ring(t, e).Detached(bytes.NewReader(data), sig, now)
	if err != nil || ev[0].Key != print(e) {
		t.Errorf("%+v, %v; want %s", ev, err, print(e))
	}
	if id := signatures(sig, false)[0].issuer; id == e.PrimaryKey.KeyId {
		t.Error("the subkey did not sign")
	}
	stranger := key(t, "stranger")
	stranger.Subkeys = e.Subkeys // bound by another primary
	k, err := ReadKeys(public(t, stranger))
	if err == nil {
		_, err = k.Detached(bytes.NewReader(data), sig, now)
	}
	if err == nil {
		t.Error("somebody else's subkey counts")
	}
}

func TestSHA1CountsForPackagesOnly(t *testing.T) {
	e := key(t, "vendor", rsaKey)
	ev, err := ring(t, e).RPMHeader(rpmFile("glibc", "aarch64", func(h []byte) (int32, []byte) {
		return tagRSA, v3Signature(t, e, h, signed, crypto.SHA1)
	}), now)
	if err != nil || !ev[0].Weak || ev[0].Note.Empty() {
		t.Errorf("RPM header: %+v, %v", ev, err)
	}
	data := []byte("data") // the library makes none: one is written as if it had
	sig := resigned(t, e, data, signed)
	sig = bytes.Replace(sig, []byte{4, 0, 1, 8}, []byte{4, 0, 1, 2}, 1)
	_, err = ring(t, e).Detached(bytes.NewReader(data), sig, now)
	if kindOf(err) != "bad" || !strings.Contains(err.Error(), "SHA-1") {
		t.Errorf("detached: %v", err)
	}
}

// v3Signature is what obs-sign and old rpm make.
func v3Signature(t testing.TB, e *openpgp1.Entity, data []byte, when time.Time, algo crypto.Hash) []byte {
	t.Helper()
	hashed := binary.BigEndian.AppendUint32([]byte{0}, uint32(when.Unix()))
	h := algo.New()
	h.Write(append(bytes.Clone(data), hashed...))
	sum := h.Sum(nil)
	raw, err := rsa.SignPKCS1v15(nil, e.PrivateKey.PrivateKey.(*rsa.PrivateKey), algo, sum)
	if err != nil {
		t.Fatal(err)
	}
	body := append([]byte{3, 5}, hashed...)
	body = binary.BigEndian.AppendUint64(body, e.PrimaryKey.KeyId)
	body = append(body, 1, map[crypto.Hash]byte{crypto.SHA1: 2, crypto.SHA256: 8}[algo], sum[0], sum[1])
	bits := len(raw) * 8
	for raw[0]>>7 == 0 { // an MPI has no leading zero bits; the test only needs whole bytes
		if raw[0] != 0 {
			for b := raw[0]; b>>7 == 0; b <<= 1 {
				bits--
			}
			break
		}
		raw, bits = raw[1:], bits-8
	}
	body = append(binary.BigEndian.AppendUint16(body, uint16(bits)), raw...)
	return append([]byte{0x89, byte(len(body) >> 8), byte(len(body))}, body...)
}

func TestAnRPMHeaderSignedWithVersion3IsGoodAsItIsForRPM(t *testing.T) {
	e := key(t, "vendor", rsaKey)
	good := rpmFile("glibc", "aarch64", func(h []byte) (int32, []byte) { return tagRSA, v3Signature(t, e, h, signed, crypto.SHA256) })
	ev, err := ring(t, e).RPMHeader(good, now)
	if err != nil || ev[0].Key != print(e) || !ev[0].Signed.Equal(signed) {
		t.Errorf("%+v, %v", ev, err)
	}
	late := rpmFile("glibc", "aarch64", func(h []byte) (int32, []byte) {
		s := v3Signature(t, e, h, signed, crypto.SHA256)
		s[8]++ // the time is signed too
		return tagRSA, s
	})
	if _, err := ring(t, e).RPMHeader(late, now); kindOf(err) != "bad" {
		t.Errorf("with another time: %v", err)
	}
	data := []byte("data")
	if _, err := ring(t, e).Detached(bytes.NewReader(data), v3Signature(t, e, data, signed, crypto.SHA256), now); kindOf(err) != "none" {
		t.Errorf("detached: %v", err)
	}
}

// rpmFile makes a package of a lead, signature header and header.
func rpmFile(name, arch string, sign func(header []byte) (tag int32, value []byte)) []byte {
	header := rpmSection(map[int32]string{tagName: name, tagVersion: "1.0", tagRelease: "1", tagArch: arch}, 0, nil)
	out := append([]byte{0xed, 0xab, 0xee, 0xdb, 3, 0}, make([]byte, 90)...)
	if sign != nil {
		tag, value := sign(header)
		out = append(out, rpmSection(nil, tag, value)...)
	} else {
		out = append(out, rpmSection(nil, 0, nil)...)
	}
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	return append(append(out, header...), "payload"...)
}

func rpmSection(texts map[int32]string, tag int32, value []byte) []byte {
	var index, store []byte
	add := func(tag int32, kind, count int, v []byte) {
		for _, n := range []int{int(tag), kind, len(store), count} {
			index = binary.BigEndian.AppendUint32(index, uint32(n))
		}
		store = append(store, v...)
	}
	for _, tag := range []int32{tagName, tagVersion, tagRelease, tagArch} {
		if s, ok := texts[tag]; ok {
			add(tag, typeString, 1, append([]byte(s), 0))
		}
	}
	switch {
	case tag == tagOpenPGP:
		add(tag, typeStringArray, 1, append([]byte(base64.StdEncoding.EncodeToString(value)), 0))
	case tag != 0:
		add(tag, typeBin, len(value), value)
	}
	out := []byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}
	out = binary.BigEndian.AppendUint32(out, uint32(len(index)/16))
	out = binary.BigEndian.AppendUint32(out, uint32(len(store)))
	return append(append(out, index...), store...)
}

func TestAnRPMHeaderIsReadAndJudged(t *testing.T) {
	e := key(t, "vendor")
	for _, tag := range []int32{tagDSA, tagRSA, tagOpenPGP} {
		file := rpmFile("glibc", "aarch64", func(h []byte) (int32, []byte) { return tag, detached(t, e, h, at(signed)) })
		if ev, err := ring(t, e).RPMHeader(file, now); err != nil || len(ev) != 1 || ev[0].Kind != "rpm-header" {
			t.Errorf("tag %d: %+v, %v", tag, ev, err)
		}
	}
	file := rpmFile("glibc", "aarch64", func(h []byte) (int32, []byte) { return tagRSA, detached(t, e, h, at(signed)) })
	r, err := ReadRPM(file)
	if err != nil || r.Name != "glibc" || r.Arch != "aarch64" || r.Version != "1.0" || r.Release != "1" || string(file[r.HeaderEnd:]) != "payload" {
		t.Errorf("%+v, %v", r, err)
	}
	for n := range r.HeaderEnd {
		if _, err := ReadRPM(file[:n]); err == nil || n >= 4 && !errors.Is(err, ErrShort) {
			t.Fatalf("its first %d bytes: %v", n, err)
		}
	}
	changed := bytes.Clone(file)
	changed[r.HeaderEnd-4] ^= 1
	if _, err := ring(t, e).RPMHeader(changed, now); kindOf(err) != "bad" {
		t.Errorf("changed: %v", err)
	}
	if _, err := ring(t, e).RPMHeader(rpmFile("glibc", "aarch64", nil), now); kindOf(err) != "none" {
		t.Errorf("unsigned: %v", err)
	}
	if _, err := ring(t, key(t, "other")).RPMHeader(file, now); kindOf(err) != "unknown" {
		t.Errorf("unknown: %v", err)
	}
	if _, err := ReadRPM([]byte("!<arch>\ndebian-binary" + strings.Repeat(" ", 100))); kindOf(err) != "malformed" {
		t.Errorf("a Debian package: %v", err)
	}
}

func TestKeysAreReadInEveryFormTheyComeIn(t *testing.T) {
	a, b := key(t, "a"), key(t, "b")
	arm := func(e *openpgp1.Entity) string {
		var out bytes.Buffer
		w, err := armor.Encode(&out, "PGP PUBLIC KEY BLOCK", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Serialize(w); err != nil {
			t.Fatal(err)
		}
		w.Close()
		return out.String()
	}
	for name, blobs := range map[string][][]byte{
		"binary, both in one":      {public(t, a, b)},
		"binary, one each":         {public(t, a), public(t, b)},
		"armoured, one each":       {[]byte(arm(a)), []byte(arm(b))},
		"two blocks in one file":   {[]byte("# keys\n" + arm(a) + "\nand\n\n" + arm(b))},
		"armoured and binary":      {[]byte(arm(a)), public(t, b)},
		"something that is no key": {append(append(detached(t, a, nil, at(signed)), public(t, a)...), public(t, b)...)},
	} {
		k, err := ReadKeys(blobs...)
		if err != nil || !reflect.DeepEqual(k.Fingerprints(), []string{print(a), print(b)}) {
			t.Errorf("%s: %v, %v", name, k.Fingerprints(), err)
		}
	}
	for _, blob := range []string{"", "hello", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"} {
		if _, err := ReadKeys([]byte(blob)); err == nil {
			t.Errorf("%q has keys", blob)
		}
	}
	k, _ := ReadKeys(public(t, a, b))
	spaced := strings.ToLower(print(b)[:20] + " " + print(b)[20:])
	if got := k.Only(spaced).Fingerprints(); !reflect.DeepEqual(got, []string{print(b)}) {
		t.Errorf("only b: %v", got)
	}
	if got := k.Only().Fingerprints(); len(got) != 2 {
		t.Errorf("no pin: %v", got)
	}
	if !k.Only("00").Empty() {
		t.Error("a pin nobody has")
	}
}

func TestErrorsSpeakBothLanguages(t *testing.T) {
	for _, err := range []error{
		ErrNoSignature, &UnknownKeyError{"AB"}, &BadSignatureError{"AB", lang.T("why", "原因")},
		&FutureError{"AB", now}, malformed("an RPM header", "RPM 头部"),
	} {
		en, zh := lang.Message(err, lang.EN), lang.Message(err, lang.ZH)
		if en == "" || zh == "" || en == zh || en != err.Error() {
			t.Errorf("%q, %q", en, zh)
		}
	}
}
