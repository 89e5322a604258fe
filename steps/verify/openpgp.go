package verify

import (
	"bytes"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
)

// Clearsigned checks a clearsigned text such as InRelease at a time (zero: the
// clock is not asked). The text is what was signed and nothing else; it is given
// also when the error says that the signature does not hold, for looking at.
func (k Keyring) Clearsigned(data []byte, at time.Time) (text []byte, ev []Evidence, err error) {
	if len(data) > MaxClearsigned {
		return nil, nil, malformed("a clearsigned text of more than %d bytes", "明文签名的文本超过 %d 字节", MaxClearsigned)
	}
	// Whatever is before or behind the signed part would be read by someone as signed.
	if !bytes.HasPrefix(data, []byte("-----BEGIN PGP SIGNED MESSAGE-----")) {
		return nil, nil, ErrNoSignature
	}
	block, rest := clearsign.Decode(data)
	if block == nil {
		return nil, nil, malformed("a clearsigned text that does not end", "明文签名的文本没有结尾")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil, malformed("something unsigned after the signature", "签名之后还有未签名的内容")
	}
	blob, err := io.ReadAll(io.LimitReader(block.ArmoredSignature.Body, MaxSignature))
	if err != nil {
		return block.Plaintext, nil, armour(err)
	}
	sigs := signatures(blob, false)
	for _, s := range sigs {
		s.write.Write(block.Bytes)
	}
	ev, err = k.judge(sigs, Clearsigned, at)
	return block.Plaintext, ev, err
}

// Detached checks a signature, armoured or binary, that lies beside its data.
func (k Keyring) Detached(data io.Reader, sig []byte, at time.Time) ([]Evidence, error) {
	if len(sig) > MaxSignature {
		return nil, malformed("a signature of more than %d bytes", "签名超过 %d 字节", MaxSignature)
	}
	if bytes.HasPrefix(bytes.TrimSpace(sig), []byte("-----BEGIN")) {
		block, err := armor.Decode(bytes.NewReader(sig))
		if err != nil {
			return nil, armour(err)
		}
		if sig, err = io.ReadAll(block.Body); err != nil {
			return nil, armour(err)
		}
	}
	sigs := signatures(sig, false)
	to := make([]io.Writer, len(sigs))
	for i, s := range sigs {
		to[i] = s.write
	}
	if _, err := io.Copy(io.MultiWriter(to...), data); err != nil {
		return nil, err
	}
	return k.judge(sigs, Detached, at)
}
