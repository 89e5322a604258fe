package verify

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"goxin/assets/lang"
)

// GoogleKey is the fingerprint of the primary key whose subkeys sign Go's releases
// (go.dev/dl has the signatures; docker-library/golang pins the same key).
const GoogleKey = "EB4C1BFD4F042F6DDDCCEC917721F63BD38B4796"

// early is how much older than its release a signature may be: a release is built and
// signed days before it is announced.
const early = 7 * 24 * time.Hour

// maxReleaseSignatures is how many signatures a release may have.
const maxReleaseSignatures = 8

// Written is a day before which no goxin with these rules was built. A machine whose
// clock is behind it has a wrong clock, and is judged as if it were that day.
func Written() time.Time { return time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC) }

// Policy is what is asked of a release's signature.
type Policy struct {
	Fingerprints []string  // primary keys that may sign; none: all of the keyring
	Released     time.Time // a signature of more than seven days before is refused; zero: not known
	Now          time.Time // the machine's clock; one that is before Written is taken to be wrong
}

// At is the time a signature is judged at.
func (p Policy) At() time.Time {
	if p.Now.Before(Written()) {
		return Written()
	}
	return p.Now
}

// Beside is the detached signatures of one file, which is written to it.
type Beside struct {
	keys Keyring
	sigs []*signature
	pol  Policy
	to   io.Writer
}

// Release checks a detached signature of a release, armoured or binary, and reports
// every signature in it. Its rules are stricter than Detached's: all signatures must
// be good, of type binary, with SHA-256, SHA-384 or SHA-512, by a key the policy
// names, neither from the future nor from long before the release; and there must be
// nothing else in sig.
func (k Keyring) Release(data io.Reader, sig []byte, p Policy) ([]Evidence, error) {
	b, err := k.Beside(sig, p)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{b}, struct{ io.Reader }{data}, make([]byte, 256<<10)); err != nil {
		return nil, err
	}
	return b.Evidence()
}

// Beside is Release for data that comes in pieces: it refuses a malformed signature at
// once, takes the file by Write and gives the same answer by Evidence.
func (k Keyring) Beside(sig []byte, p Policy) (*Beside, error) {
	blob, err := oneBlock(sig)
	if err != nil {
		return nil, err
	}
	b := &Beside{keys: k.Only(p.Fingerprints...), pol: p}
	var to []io.Writer
	packets := packet.NewOpaqueReader(bytes.NewReader(blob))
	for {
		op, err := packets.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || op.Tag != 2 || len(op.Contents) == 0 {
			return nil, malformed("a signature: something else is in it", "签名中有别的内容")
		}
		if len(b.sigs) == maxReleaseSignatures {
			return nil, malformed("a signature: more than %d are in it", "签名文件中多于 %d 个签名", maxReleaseSignatures)
		}
		s, err := readV4(op)
		if op.Contents[0] < 4 || err != nil {
			return nil, malformed("a signature: one in it cannot be read", "签名文件中有一个签名无法解析")
		}
		b.sigs, to = append(b.sigs, s), append(to, s.write)
	}
	if len(b.sigs) == 0 {
		return nil, ErrNoSignature
	}
	b.to = io.MultiWriter(to...)
	return b, nil
}

// oneBlock takes the armour off. gpg reads one block and passes over what is around
// it; here there must be nothing around it but blanks.
func oneBlock(sig []byte) ([]byte, error) {
	const begin, end = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
	if len(sig) > MaxSignature {
		return nil, malformed("a signature of more than %d bytes", "签名超过 %d 字节", MaxSignature)
	}
	text := bytes.TrimSpace(sig)
	switch {
	case len(text) == 0:
		return nil, ErrNoSignature
	case text[0] >= 0x80: // the first byte of a packet has its top bit set
		return sig, nil
	case !bytes.HasPrefix(text, []byte(begin)):
		return nil, malformed("a signature: it does not begin as one", "开头不是签名的格式")
	case !bytes.HasSuffix(text, []byte(end)) || bytes.Count(text, []byte("-----BEGIN")) != 1 || bytes.Count(text, []byte("-----END")) != 1:
		return nil, malformed("a signature: its armour does not end, or is there twice", "签名的 ASCII 封装没有结尾，或不止一份")
	}
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, armour(err)
	}
	blob, err := io.ReadAll(block.Body)
	if err != nil {
		return nil, armour(err)
	}
	return blob, nil
}

// Write takes the next piece of the file.
func (b *Beside) Write(p []byte) (int, error) { return b.to.Write(p) }

// Evidence judges the signatures after the whole file was written; once.
func (b *Beside) Evidence() ([]Evidence, error) {
	ev, failed := b.keys.each(b.sigs, Detached, b.pol.At())
	var unknown error
	for i, s := range b.sigs {
		e := &ev[i]
		if failed[i] == nil {
			if why := b.pol.against(s); !why.Empty() {
				failed[i] = &BadSignatureError{Key: e.Key, Why: why}
				e.Verdict, e.Note, e.RestsOn = Bad, why, lang.Text{}
			} else if b.pol.Now.Before(Written()) {
				e.Note = lang.F("this machine's clock says %s; judged as of %s", "本机时钟为 %s；按 %s 判定",
					b.pol.Now.UTC().Format(time.DateOnly), Written().Format(time.DateOnly))
			}
		}
	}
	for i, e := range ev {
		switch e.Verdict {
		case Bad: // a good one beside it does not excuse it
			return ev, failed[i]
		case Unknown:
			unknown = failed[i]
		}
	}
	return ev, unknown
}

// against is what the policy has against a signature that holds.
func (p Policy) against(s *signature) lang.Text {
	switch {
	case s.v4.SigType != packet.SigTypeBinary:
		return lang.T("it is of text, where line endings do not count; a release is signed as binary", "它是文本签名（不计行尾差异）；发行版应为二进制签名")
	case !slices.Contains([]crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}, s.algo):
		return lang.F("made with %s; SHA-256, SHA-384 or SHA-512 is asked for", "使用 %s；要求 SHA-256、SHA-384 或 SHA-512", s.algo.String())
	case !p.Released.IsZero() && s.created.Before(p.Released.Add(-early)):
		return lang.F("made on %s, long before the release of %s", "签名时间 %s 远早于发布时间 %s",
			s.created.UTC().Format(time.DateOnly), p.Released.UTC().Format(time.DateOnly))
	}
	return lang.Text{}
}
