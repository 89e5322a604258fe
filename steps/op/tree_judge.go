package op

import (
	"encoding/hex"
	"strings"
	"time"

	"goxin/assets/keys"
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/goroot"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// judge says whether an archive is what it has to be.
type judge struct {
	want  *Want
	proof *verify.Proof
	h1    string // what the proof, or the op, says
	log   verify.Evidence
	keys  verify.Keyring
	sig   *verify.Beside // of the archive that is being read
}

// judge refuses what no archive could satisfy, and what any could.
func (o *Tree) judge() (*judge, error) {
	w := o.Want
	if w == nil || o.Archive == nil {
		return nil, lang.Errorf(nil, "nothing says what it should be", "没有说明它应当是什么")
	}
	if w.Proof == "" && w.SHA256 == "" && len(w.Signature) == 0 {
		return nil, lang.Errorf(nil, "nothing proves where it comes from", "没有任何证据可证明其来源").
			WithHint("a proof of Go's transparency log, a signature or a SHA-256 is needed", "需要 Go 透明日志的证明、签名或 SHA-256")
	}
	if err := w.Toolchain.Check(); err != nil {
		return nil, err
	}
	j := &judge{want: w, h1: w.H1}
	if w.Proof != "" {
		p, err := verify.ParseProof([]byte(w.Proof))
		if err != nil {
			return nil, err
		}
		key := w.LogKey
		if key == "" {
			key = verify.LogKey
		}
		h1, ev, err := p.H1(key, w.Toolchain)
		if err != nil {
			return nil, err
		}
		if w.H1 != "" && h1 != w.H1 {
			return nil, lang.Errorf(nil, "the log proves the hash %s, and %s was asked for", "透明日志证明的哈希是 %s，而要求的是 %s", h1, Visible(w.H1))
		}
		j.proof, j.h1, j.log = p, h1, ev
	}
	if len(w.Signature) > 0 {
		var err error
		if j.keys, err = verify.ReadKeys(keys.Google()); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// begin takes up an archive that is about to be read.
func (j *judge) begin(m machine.Machine, from *supplied) (err error) {
	if len(j.want.Signature) == 0 {
		return nil
	}
	j.sig, err = j.keys.Beside(j.want.Signature, verify.Policy{Fingerprints: []string{verify.GoogleKey}, Now: m.Now().Round(time.Second)})
	from.also = j.sig
	return err
}

// end says what an archive that was read is, or why it is not what is wanted.
func (j *judge) end(res *unpack.Result) (*goroot.Record, error) {
	w := j.want
	r := &goroot.Record{
		Toolchain: w.Toolchain, Size: res.Bytes, Proof: j.proof,
		H1: res.Manifest.H1(w.Toolchain), SHA256: hex.EncodeToString(res.SHA256[:]),
	}
	hint := func(e *lang.Error) *lang.Error {
		return e.WithHint("take it from another source; keep this one's address for those who run it", "请换一个来源，并将此来源的地址告知其维护者")
	}
	if w.Size > 0 && w.Size != r.Size {
		return nil, hint(lang.Errorf(nil, "the archive has %d bytes and should have %d", "归档为 %d 字节，应为 %d 字节", r.Size, w.Size))
	}
	if w.Read != "" && !strings.EqualFold(r.SHA256, w.Read) {
		return nil, lang.Errorf(nil, "it was exchanged since it was looked at: its SHA-256 is %s and was %s", "它在检查之后被替换：SHA-256 现为 %s，当时为 %s", r.SHA256, Visible(w.Read)).
			WithHint("run goxin again, which looks at it anew; whoever can write there can exchange it", "请重新运行 goxin 以再次检查；能写入该处的人都能替换它")
	}
	if w.SHA256 != "" {
		if !strings.EqualFold(r.SHA256, w.SHA256) {
			return nil, hint(lang.Errorf(nil, "the archive's SHA-256 is %s and should be %s", "归档的 SHA-256 为 %s，应为 %s", r.SHA256, Visible(w.SHA256)))
		}
		r.Evidence = append(r.Evidence, verify.Evidence{
			Kind: verify.Digest, Verdict: verify.Good,
			Note: lang.Same(r.SHA256), RestsOn: w.from(),
		})
	}
	if j.h1 != "" && r.H1 != j.h1 {
		return nil, hint(lang.Errorf(nil, "its files have the hash %s and should have %s", "其文件的哈希为 %s，应为 %s", r.H1, Visible(j.h1)))
	}
	if j.proof != nil {
		r.Evidence = append(r.Evidence, j.log)
	}
	if j.sig != nil {
		ev, err := j.sig.Evidence()
		if err != nil {
			return nil, err
		}
		r.Evidence = append(r.Evidence, ev...)
	}
	return r, nil
}
