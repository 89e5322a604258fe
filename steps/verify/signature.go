package verify

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/big"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"goxin/assets/lang"
)

// skew is how far a signature may be ahead of the clock here.
const skew = 5 * time.Minute

// maxSignatures bounds the work one file can ask for.
const maxSignatures = 32

// signature is a signature packet being checked: of version 4 and later as the
// library has it, or of version 3, which it does not read.
type signature struct {
	v4      *packet.Signature
	v3      *v3
	hash    hash.Hash
	write   hash.Hash // hash, behind line endings made canonical where it is of type text
	issuer  uint64
	name    string // the issuer as far as the signature tells
	created time.Time
	algo    crypto.Hash
}

// v3 is RFC 4880 §5.2.2: version 3, then 5, type and time (hashed), the issuer,
// algorithms, the digest's first two bytes, one number.
type v3 struct {
	hashed [5]byte
	sig    []byte
}

// signatures reads the binary packets in blob. Packets that are no signatures, or
// of kinds nobody reads, are passed over; version 3 only where old is set.
func signatures(blob []byte, old bool) []*signature {
	var out []*signature
	packets := packet.NewOpaqueReader(bytes.NewReader(blob))
	for len(out) < maxSignatures {
		p, err := packets.Next()
		if err != nil {
			break
		}
		if p.Tag != 2 || len(p.Contents) == 0 {
			continue
		}
		var s *signature
		if p.Contents[0] == 3 && old {
			s, err = readV3(p.Contents)
		} else if p.Contents[0] > 3 {
			s, err = readV4(p)
		}
		if err == nil && s != nil {
			out = append(out, s)
		}
	}
	return out
}

func readV4(p *packet.OpaquePacket) (*signature, error) {
	parsed, err := p.Parse()
	if err != nil {
		return nil, err
	}
	sig, ok := parsed.(*packet.Signature)
	if !ok || sig.IssuerKeyId == nil {
		return nil, errors.New("no issuer")
	}
	if sig.SigType != packet.SigTypeBinary && sig.SigType != packet.SigTypeText {
		return nil, errors.New("not a signature of a document")
	}
	h, err := sig.PrepareVerify()
	if err != nil {
		return nil, err
	}
	s := &signature{v4: sig, hash: h, write: h, issuer: *sig.IssuerKeyId, created: sig.CreationTime, algo: sig.Hash}
	if sig.SigType == packet.SigTypeText {
		s.write = openpgp.NewCanonicalTextHash(h)
	}
	s.name = fmt.Sprintf("%016X", s.issuer)
	if len(sig.IssuerFingerprint) > 0 {
		s.name = strings.ToUpper(hex.EncodeToString(sig.IssuerFingerprint))
	}
	return s, nil
}

func readV3(b []byte) (*signature, error) {
	const fixed = 19
	if len(b) < fixed+2 || b[1] != 5 || b[2] != 0 {
		return nil, errors.New("not a binary signature of version 3")
	}
	algo := map[byte]crypto.Hash{2: crypto.SHA1, 8: crypto.SHA256, 9: crypto.SHA384, 10: crypto.SHA512, 11: crypto.SHA224}[b[16]]
	if (b[15] != 1 && b[15] != 3) || algo == 0 {
		return nil, errors.New("neither RSA nor a hash that counts")
	}
	bits := int(binary.BigEndian.Uint16(b[fixed:]))
	n := (bits + 7) / 8
	if len(b) < fixed+2+n {
		return nil, io.ErrUnexpectedEOF
	}
	h := algo.New()
	s := &signature{v3: &v3{sig: b[fixed+2 : fixed+2+n]}, hash: h, write: h, algo: algo}
	copy(s.v3.hashed[:], b[2:7])
	s.created = time.Unix(int64(binary.BigEndian.Uint32(b[3:7])), 0)
	s.issuer = binary.BigEndian.Uint64(b[7:15])
	s.name = fmt.Sprintf("%016X", s.issuer)
	return s, nil
}

// judge checks all signatures after everything that is signed was written to them; one
// good one is enough.
func (k Keyring) judge(sigs []*signature, kind Kind, at time.Time) ([]Evidence, error) {
	out, failed := k.each(sigs, kind, at)
	return out, sum(out, failed)
}

// each judges signatures one by one.
func (k Keyring) each(sigs []*signature, kind Kind, at time.Time) (out []Evidence, failed []error) {
	out = make([]Evidence, len(sigs))
	failed = make([]error, len(sigs))
	for i, s := range sigs {
		e := Evidence{Kind: kind, Verdict: Good, Key: s.name, Signed: s.created, Weak: s.algo == crypto.SHA1}
		key, err := k.check(s, kind == RPMHeader)
		if key != "" {
			e.Key = key
		}
		if err == nil && !at.IsZero() && s.created.After(at.Add(skew)) {
			err = &FutureError{Key: e.Key, Signed: s.created}
		}
		if err == nil {
			e.RestsOn = owner(e.Key)
		}
		if err == nil && e.Weak {
			e.Note = lang.T("signed with SHA-1, which is weak", "使用较弱的 SHA-1 签名")
		}
		if err != nil {
			failed[i], e.Verdict = err, Bad
			var unknown *UnknownKeyError
			if errors.As(err, &unknown) {
				e.Verdict = Unknown
			}
			var told lang.Teller
			if errors.As(err, &told) {
				e.Note = told.Text()
			}
		}
		out[i] = e
	}
	return out, failed
}

// owner is a key as a person knows it.
func owner(key string) lang.Text {
	if key == GoogleKey {
		return lang.F("Google's key for Go's releases, %s", "Google 用于 Go 发行版的密钥 %s", key)
	}
	return lang.F("the OpenPGP key %s, which is trusted here", "此处信任的 OpenPGP 密钥 %s", key)
}

// check finds the key that made s and says whether s holds.
func (k Keyring) check(s *signature, weak bool) (key string, err error) {
	err = &UnknownKeyError{Key: s.name}
	for _, e := range k.entities {
		pk := keyOf(e, s.issuer)
		if pk == nil {
			continue
		}
		key = fingerprint(e)
		k.alone.Lock()
		err = s.holds(e, weak)
		k.alone.Unlock()
		if err == nil {
			return key, nil
		}
	}
	return key, err
}

// keyOf is the key with this id, be it the primary or a subkey.
func keyOf(e *openpgp.Entity, id uint64) *packet.PublicKey {
	if e.PrimaryKey.KeyId == id {
		return e.PrimaryKey
	}
	for _, sub := range e.Subkeys {
		if sub.PublicKey.KeyId == id {
			return sub.PublicKey
		}
	}
	return nil
}

// holds checks the signature itself and that e's key was allowed to make it then.
func (s *signature) holds(e *openpgp.Entity, weak bool) error {
	bad := func(en, zh string, args ...any) error {
		return &BadSignatureError{Key: fingerprint(e), Why: lang.F(en, zh, args...)}
	}
	if (s.algo == crypto.SHA1 && !weak) || s.algo == crypto.MD5 || s.algo == crypto.RIPEMD160 {
		return bad("made with %s, which no longer counts", "使用已不可信的 %s", s.algo.String())
	}
	key, err := s.keyThen(e)
	if err != nil {
		return bad("%v", "%v", err)
	}
	if s.created.Before(key.PublicKey.CreationTime) {
		return bad("older than the key", "签名时间早于密钥")
	}
	if s.v3 == nil && s.v4.SigExpired(s.created) {
		return bad("it has expired", "已过期")
	}
	if s.verify(key.PublicKey) != nil {
		return bad("it is not of this content", "与内容不符")
	}
	return nil
}

// keyThen is the key as it stood when the signature was made. An exported key
// often has only its newest self-signature, younger than the signature: that one
// tells the expiry then.
func (s *signature) keyThen(e *openpgp.Entity) (openpgp.Key, error) {
	config := &packet.Config{InsecureAllowAllKeyFlagsWhenMissing: true}
	if key, ok := e.SigningKeyById(s.created, s.issuer, config); ok {
		return key, nil
	}
	key, ok := e.SigningKeyById(time.Time{}, s.issuer, config)
	switch {
	case !ok:
		return key, lang.Errorf(nil, "the key may not sign", "该密钥不得用于签名")
	case e.Revoked(s.created):
		return key, lang.Errorf(pgperrors.ErrKeyRevoked, "the key may not sign", "该密钥不得用于签名")
	case e.PrimaryKey.KeyExpired(key.PrimarySelfSignature, s.created),
		key.PublicKey.KeyExpired(key.SelfSignature, s.created):
		return key, lang.Errorf(nil, "the key had expired before", "密钥在签名之前已过期")
	case key.SelfSignature.CreationTime.Before(s.created):
		return key, lang.Errorf(nil, "the key was not valid then", "密钥当时无效")
	}
	return key, nil
}

func (s *signature) verify(pk *packet.PublicKey) error {
	if s.v3 == nil {
		return pk.VerifySignature(s.hash, s.v4)
	}
	pub, ok := pk.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errors.New("not an RSA key")
	}
	s.hash.Write(s.v3.hashed[:])
	digest := s.hash.Sum(nil)
	if len(s.v3.sig) > pub.Size() {
		return rsa.ErrVerification
	}
	padded := new(big.Int).SetBytes(s.v3.sig).FillBytes(make([]byte, pub.Size()))
	return rsa.VerifyPKCS1v15(pub, s.algo, digest, padded)
}
