package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"time"

	"goxin/assets/lang"
)

// RPM is what a package's first bytes tell. The layout is rpm's format v3/v4
// (rpm-software-management/rpm docs/manual/format_v4.md): a lead of 96 bytes, the
// signature header padded to 8 bytes, the header, the payload.
type RPM struct {
	Name, Version, Release, Arch string // Arch is rpm's: "aarch64", "noarch"
	HeaderEnd                    int    // bytes up to the payload
	header                       []byte
	sigs                         [][]byte
}

// ErrShort says that the header reaches beyond the bytes given.
var ErrShort = lang.Because(nil, "the header reaches beyond what was read", "头部超出了已读取的部分")

// Tags of the signature header (267 to 278) and the header (1000 to 1022).
const (
	tagDSA     = 267 // a signature of the header that is not RSA: DSA, EdDSA, ECDSA
	tagRSA     = 268
	tagOpenPGP = 278 // rpm 6: several of them, in base64
	tagName    = 1000
	tagVersion = 1001
	tagRelease = 1002
	tagArch    = 1022

	typeString      = 6
	typeBin         = 7
	typeStringArray = 8
)

// ReadRPM reads the headers of a package from its first bytes.
func ReadRPM(prefix []byte) (*RPM, error) {
	const lead = 96
	if len(prefix) < lead {
		if bytes.HasPrefix(prefix, []byte{0xed, 0xab, 0xee, 0xdb}) {
			return nil, ErrShort
		}
		return nil, malformed("not an RPM package", "不是 RPM 软件包")
	}
	if !bytes.HasPrefix(prefix, []byte{0xed, 0xab, 0xee, 0xdb}) {
		return nil, malformed("not an RPM package", "不是 RPM 软件包")
	}
	signed, n, err := readHeader(prefix[lead:])
	if err != nil {
		return nil, err
	}
	at := lead + (n+7)/8*8
	if at > len(prefix) {
		return nil, ErrShort
	}
	header, n, err := readHeader(prefix[at:])
	if err != nil {
		return nil, err
	}
	r := &RPM{HeaderEnd: at + n, header: prefix[at : at+n]}
	r.Name, r.Version = header.text(tagName), header.text(tagVersion)
	r.Release, r.Arch = header.text(tagRelease), header.text(tagArch)
	for _, tag := range []int32{tagRSA, tagDSA} {
		if e, ok := signed.entries[tag]; ok && e.kind == typeBin {
			r.sigs = append(r.sigs, signed.bytes(e))
		}
	}
	if e, ok := signed.entries[tagOpenPGP]; ok && e.kind == typeStringArray {
		for _, s := range signed.texts(e) {
			if blob, err := base64.StdEncoding.DecodeString(s); err == nil {
				r.sigs = append(r.sigs, blob)
			}
		}
	}
	return r, nil
}

// RPMHeader checks the signature of a package's header from the package's first
// bytes; the header has the payload's digest. ErrShort: give more of them.
func (k Keyring) RPMHeader(prefix []byte, at time.Time) ([]Evidence, error) {
	r, err := ReadRPM(prefix)
	if err != nil {
		return nil, err
	}
	var sigs []*signature
	for _, blob := range r.sigs {
		if len(blob) <= MaxSignature && len(sigs) < maxSignatures {
			sigs = append(sigs, signatures(blob, true)...)
		}
	}
	for _, s := range sigs {
		s.write.Write(r.header)
	}
	return k.judge(sigs, RPMHeader, at)
}

// rpmHeader is an index of entries over a store.
type rpmHeader struct {
	entries map[int32]rpmEntry
	store   []byte
}

type rpmEntry struct {
	kind, offset, count uint32
}

// readHeader reads one header structure and tells its length.
func readHeader(b []byte) (h rpmHeader, n int, err error) {
	const intro, entry = 16, 16
	if len(b) < intro {
		return h, 0, ErrShort
	}
	if !bytes.HasPrefix(b, []byte{0x8e, 0xad, 0xe8, 0x01}) {
		return h, 0, malformed("no RPM header where one should be", "应有 RPM 头部的位置没有头部")
	}
	count, size := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if count > MaxRPMHeader/entry || size > MaxRPMHeader {
		return h, 0, malformed("an RPM header of more than %d bytes", "RPM 头部超过 %d 字节", MaxRPMHeader)
	}
	n = intro + int(count)*entry + int(size)
	if n > len(b) {
		return h, 0, ErrShort
	}
	h = rpmHeader{make(map[int32]rpmEntry), b[intro+int(count)*entry : n]}
	for i := range int(count) {
		e := b[intro+i*entry:]
		at := rpmEntry{binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])}
		if at.offset > size {
			return h, 0, malformed("an RPM header that points beyond itself", "RPM 头部指向了自身之外")
		}
		h.entries[int32(binary.BigEndian.Uint32(e))] = at
	}
	return h, n, nil
}

func (h rpmHeader) bytes(e rpmEntry) []byte {
	rest := h.store[e.offset:]
	return rest[:min(int(e.count), len(rest))]
}

func (h rpmHeader) text(tag int32) string {
	e, ok := h.entries[tag]
	if !ok || e.kind != typeString {
		return ""
	}
	s, _, _ := bytes.Cut(h.store[e.offset:], []byte{0})
	return string(s)
}

func (h rpmHeader) texts(e rpmEntry) (out []string) {
	rest := h.store[e.offset:]
	for range min(e.count, maxSignatures) {
		s, more, ok := bytes.Cut(rest, []byte{0})
		if !ok {
			break
		}
		out, rest = append(out, string(s)), more
	}
	return out
}
