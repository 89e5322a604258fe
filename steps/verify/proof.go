package verify

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof is what shows, without a network, that a record is in Go's transparency log:
// the record, the log's signed head, and the hashes that lead from one to the other
// (RFC 6962, section 2.1.1). It proves nothing by itself: H1 checks it.
type Proof struct {
	id     int64
	record []byte
	hashes tlog.RecordProof
	head   []byte
}

// proofLine is the first line of a proof's text.
const proofLine = "goxin proof 1\n"

// Limits on a proof's text. One of 2026 has 27 hashes and 1.6 KB.
const (
	maxProof  = 64 << 10
	maxHashes = 64
)

// ParseProof reads what Text wrote. It checks the form only.
func ParseProof(text []byte) (*Proof, error) {
	bad := func(en, zh string) (*Proof, error) { return nil, malformed("a proof: "+en, "证明："+zh) }
	if len(text) > maxProof {
		return bad("it is too long", "过长")
	}
	rest, ok := bytes.CutPrefix(text, []byte(proofLine))
	if !ok {
		return bad("its first line is not "+strings.TrimSpace(proofLine), "首行不是 "+strings.TrimSpace(proofLine))
	}
	p := new(Proof)
	var err error
	if p.id, p.record, rest, err = tlog.ParseRecord(rest); err != nil || p.id < 0 {
		return bad("there is no record in it", "其中没有记录")
	}
	for {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok || len(p.hashes) > maxHashes {
			return bad("its hashes do not end", "哈希列表没有结尾")
		}
		rest = after
		if len(line) == 0 {
			break
		}
		h, err := tlog.ParseHash(string(line))
		if err != nil || h.String() != string(line) {
			return bad("a hash is none", "有一个哈希无效")
		}
		p.hashes = append(p.hashes, h)
	}
	if p.head = rest; len(p.head) == 0 {
		return bad("there is no tree head in it", "其中没有树头")
	}
	if !bytes.Equal(p.Text(), text) {
		return bad("it is written in another way than goxin does", "写法与 goxin 的不同")
	}
	return p, nil
}

// Text is the proof as text that fits into a JSON string: the record as a lookup
// answers it, an empty line, the hashes, an empty line, the signed head.
func (p *Proof) Text() []byte {
	var b bytes.Buffer
	b.WriteString(proofLine)
	fmt.Fprintf(&b, "%d\n%s\n", p.id, p.record)
	for _, h := range p.hashes {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteByte('\n')
	b.Write(p.head)
	return b.Bytes()
}

// MarshalText makes a proof a JSON string.
func (p *Proof) MarshalText() ([]byte, error) { return p.Text(), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Proof) UnmarshalText(text []byte) error {
	q, err := ParseProof(bytes.Clone(text))
	if err == nil {
		*p = *q
	}
	return err
}

// Head is the signed tree head that the proof leads to.
func (p *Proof) Head() []byte { return bytes.Clone(p.head) }

// H1 checks the proof with the log's key (LogKey, but in tests) and gives the hash that
// the record tells of t. Errors are *ForgedError and *NoLineError.
func (p *Proof) H1(key string, t Toolchain) (h1 string, ev Evidence, err error) {
	if err := t.Check(); err != nil {
		return "", Evidence{}, err
	}
	tree, err := openHead(p.head, key)
	if err != nil {
		return "", Evidence{}, err
	}
	if err := tlog.CheckRecord(p.hashes, tree.N, tree.Hash, p.id, tlog.RecordHash(p.record)); err != nil {
		return "", Evidence{}, forged("the record is not in the tree that is signed", "该记录不在已签名的树中")
	}
	if h1, err = p.line(t); err != nil {
		return "", Evidence{}, err
	}
	return h1, evidenceOfLog(key, p.id, tree.N, t), nil
}

// line finds the one line "path version h1:…" of t's files in the record. The line of
// its go.mod, "version/go.mod", is another.
func (p *Proof) line(t Toolchain) (h1 string, err error) {
	found := 0
	for line := range strings.Lines(string(p.record)) {
		if rest, ok := strings.CutPrefix(line, ToolchainModule+" "+t.ModuleVersion()+" "); ok {
			h1 = strings.TrimSuffix(rest, "\n")
			found++
		}
	}
	if found != 1 || !IsH1(h1) {
		return "", &NoLineError{t, found}
	}
	return h1, nil
}

// IsH1 says whether s has the form of a hash of a module: "h1:" and a SHA-256 in base64.
func IsH1(s string) bool {
	digest, ok := strings.CutPrefix(s, "h1:")
	b, err := base64.StdEncoding.Strict().DecodeString(digest)
	return ok && err == nil && len(b) == 32 && len(digest) == 44
}
