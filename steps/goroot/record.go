package goroot

import (
	"encoding/json"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/verify"
)

// Record is what the file Evidence(dir) says: where a tree came from, and what that
// rests on. The proof in it can be checked again by anybody, without a network.
type Record struct {
	Toolchain verify.Toolchain  `json:"toolchain"` // of the archive
	H1        string            `json:"h1"`        // of the archive's files, as the log would know them
	SHA256    string            `json:"sha256"`    // of the archive, in hexadecimal
	Size      int64             `json:"size"`      // of the archive, in bytes
	Sources   []Part            `json:"sources"`   // which bytes of it came from where
	Evidence  []verify.Evidence `json:"evidence"`
	Proof     *verify.Proof     `json:"proof,omitempty"`
	Made      []string          `json:"made,omitempty"`    // the command that then built the tree
	With      lang.Text         `json:"with,omitzero"`     // what Made was run with: the Go, and what speaks for that
	Overlay   int               `json:"overlay,omitempty"` // goxin's overlay that went into the sources before; 0: none
	Manifest  string            `json:"manifest"`          // SHA-256 of the file Manifest(dir)
}

// Part is some bytes of an archive: From counts from 0, To is the first that is not
// of it.
type Part struct {
	Source string `json:"source"` // an address, or a file
	From   int64  `json:"from"`
	To     int64  `json:"to"`
}

// ReadRecord reads Evidence(dir). There may be none: fs.ErrNotExist.
func ReadRecord(m machine.Machine, dir string) (*Record, error) {
	text, err := m.ReadFile(Evidence(dir))
	if err != nil {
		return nil, err
	}
	return ParseRecord(text)
}

// ParseRecord reads what such a file says.
func ParseRecord(text []byte) (*Record, error) {
	r := new(Record)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, lang.Because(err, "not a record of a toolchain", "不是工具链的记录")
	}
	return r, nil
}

// Text is the record as the file has it.
func (r *Record) Text() []byte {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err) // plain data
	}
	return append(b, '\n')
}
