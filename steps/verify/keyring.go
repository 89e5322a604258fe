package verify

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"goxin/assets/lang"
)

// Keyring is the keys that are known. The zero value knows none. It may be used by several
// at once.
type Keyring struct {
	entities openpgp.EntityList
	alone    *sync.Mutex // a key that is asked notes what it found out of itself
}

// ReadKeys reads public keys: each blob is armoured, with any number of blocks
// and text between them, or binary. A key that cannot be used is left out; a blob
// without a single key is an error.
func ReadKeys(blobs ...[]byte) (Keyring, error) {
	k := Keyring{alone: new(sync.Mutex)}
	for _, blob := range blobs {
		if len(blob) > MaxKeys {
			return Keyring{}, lang.Errorf(nil, "cannot read the keys: they have more than %d bytes", "无法读取公钥：超过 %d 字节", MaxKeys)
		}
		before := len(k.entities)
		for _, part := range dearmour(blob) {
			k.entities = append(k.entities, entities(part)...)
		}
		if len(k.entities) == before {
			return Keyring{}, lang.Errorf(nil, "cannot read the keys: there is no OpenPGP public key", "无法读取公钥：其中没有 OpenPGP 公钥").
				WithHint("give the key as gpg --export or gpg --export --armor writes it", "请提供 gpg --export 或 gpg --export --armor 导出的公钥")
		}
	}
	return k, nil
}

// dearmour gives the blocks of public keys in armoured text, or a binary blob as
// it is.
func dearmour(blob []byte) [][]byte {
	const begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	if !bytes.Contains(blob, []byte(begin)) {
		return [][]byte{blob}
	}
	var out [][]byte
	for _, block := range strings.Split(string(blob), begin)[1:] {
		a, err := armor.Decode(strings.NewReader(begin + block))
		if err != nil {
			continue
		}
		if body, err := io.ReadAll(a.Body); err == nil {
			out = append(out, body)
		}
	}
	return out
}

// entities are the keys in a blob that can be read at all.
func entities(blob []byte) (out openpgp.EntityList) {
	packets := packet.NewReader(bytes.NewReader(blob))
	for range 4096 {
		e, err := openpgp.ReadEntity(packets)
		if err == nil {
			out = append(out, e)
		} else if errors.Is(err, io.EOF) || !skipToKey(packets) {
			return out
		}
	}
	return out
}

// skipToKey leaves the next primary key as the packet to be read.
func skipToKey(packets *packet.Reader) bool {
	for range 4096 {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false
		}
		if pk, ok := p.(*packet.PublicKey); ok && err == nil && !pk.IsSubkey {
			packets.Unread(p)
			return true
		}
	}
	return false
}

// Only is the part of the keyring whose primary keys have one of the fingerprints
// (40 hex digits, blanks and case do not matter); all of it when there are none.
func (k Keyring) Only(fingerprints ...string) Keyring {
	if len(fingerprints) == 0 {
		return k
	}
	out := Keyring{alone: k.alone}
	for _, e := range k.entities {
		if slices.ContainsFunc(fingerprints, func(f string) bool {
			return strings.EqualFold(strings.Join(strings.Fields(f), ""), fingerprint(e))
		}) {
			out.entities = append(out.entities, e)
		}
	}
	return out
}

// Fingerprints are the primary keys', in upper-case hexadecimal.
func (k Keyring) Fingerprints() []string {
	var out []string
	for _, e := range k.entities {
		out = append(out, fingerprint(e))
	}
	return out
}

// Empty says that no key is known.
func (k Keyring) Empty() bool { return len(k.entities) == 0 }

func fingerprint(e *openpgp.Entity) string {
	return strings.ToUpper(hex.EncodeToString(e.PrimaryKey.Fingerprint))
}
