package machine

import (
	"encoding/base64"
	"unicode/utf8"
)

// Bytes is a string that need not be UTF-8, as names of files and targets of links are:
// those of a GBK system stay what they are. In JSON it stands as it is where it can, else
// in base64 behind a NUL, which no name has.
type Bytes string

// MarshalText never fails.
func (b Bytes) MarshalText() ([]byte, error) {
	if utf8.ValidString(string(b)) && (b == "" || b[0] != 0) {
		return []byte(b), nil
	}
	return []byte("\x00" + base64.StdEncoding.EncodeToString([]byte(b))), nil
}

// UnmarshalText fails on base64 that is none.
func (b *Bytes) UnmarshalText(text []byte) error {
	if len(text) > 0 && text[0] == 0 {
		d, err := base64.StdEncoding.DecodeString(string(text[1:]))
		*b = Bytes(d)
		return err
	}
	*b = Bytes(text)
	return nil
}
