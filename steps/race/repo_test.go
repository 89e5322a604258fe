package race

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"goxin/steps/verify"
)

// bubble is when a machine in virtual time believes it to be at first; keys are made
// before.
var bubble = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func signing(at time.Time) *packet.Config {
	return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256, Time: func() time.Time { return at }}
}

func newKey(name string) *openpgp.Entity {
	e, err := openpgp.NewEntity(name, "", name+"@example.com", signing(bubble.AddDate(-1, 0, 0)))
	if err != nil {
		panic(err)
	}
	return e
}

var vendor = sync.OnceValue(func() *openpgp.Entity { return newKey("vendor") })

func ring(t testing.TB, keys ...*openpgp.Entity) verify.Keyring {
	t.Helper()
	var b bytes.Buffer
	for _, e := range keys {
		if err := e.Serialize(&b); err != nil {
			t.Fatal(err)
		}
	}
	k, err := verify.ReadKeys(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// repository is what a mirror carries, by path.
type repository map[string][]byte

func (r repository) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	b, ok := r[strings.TrimPrefix(req.URL.Path, "/")]
	if !ok {
		http.NotFound(w, req)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(b))
}

func must(_ int, err error) {
	if err != nil {
		panic(err)
	}
}

// moved is a suite in another's place.
func (r repository) moved(from, to string) repository {
	out := repository{}
	for name, b := range r {
		out[strings.Replace(name, "dists/"+from+"/", "dists/"+to+"/", 1)] = b
	}
	return out
}

// payload is what the big packages consist of.
var payload = sync.OnceValue(func() []byte { return bytes.Repeat([]byte("goxin"), 8<<20/5) })

// squeeze compresses by a file name's suffix.
func squeeze(name string, b []byte) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch {
	case strings.HasSuffix(name, ".gz"):
		w = gzip.NewWriter(&out)
	case strings.HasSuffix(name, ".zst"):
		w, err = zstd.NewWriter(&out)
	case strings.HasSuffix(name, ".xz"):
		w, err = xz.NewWriter(&out)
	default:
		return b
	}
	if err != nil {
		panic(err)
	}
	must(w.Write(b))
	w.Close()
	return out.Bytes()
}

// rpmOf is an RPM repository.
type rpmOf struct {
	arch      string
	published time.Time
	key       *openpgp.Entity // of the packages; nil: unsigned
	asc       *openpgp.Entity // of repomd.xml; nil: not served
	suffix    string          // of primary.xml: ".gz" if empty
}

func (o rpmOf) build() repository {
	name := "repodata/primary.xml" + o.suffix
	if o.suffix == "" {
		name += ".gz"
	}
	r := repository{}
	var list bytes.Buffer
	fmt.Fprintf(&list, `<?xml version="1.0"?>`+"\n"+`<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="40">`)
	for i := range 40 {
		size, arch, p := 20000+i, o.arch, fmt.Sprintf("Packages/lib%02d-1.0-1.%s.rpm", i, o.arch)
		if i == 30 {
			p = "Packages/kernel-core-5.10-1." + arch + ".rpm"
			b := writeRPM("kernel-core", arch, o.key, payload())
			r[p], size = b, len(b)
		}
		fmt.Fprintf(&list, `<package type="rpm"><name>lib%02d</name><arch>%s</arch><size package="%d"/><location href="%s"/><format><rpm:header-range start="280" end="600"/></format></package>`, i, arch, size, p)
	}
	fmt.Fprint(&list, "</metadata>\n")
	r[name] = squeeze(name, list.Bytes())
	md := fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo">
  <revision>%d</revision>
  <data type="primary"><location href="%s"/><timestamp>%d</timestamp></data>
</repomd>
`, o.published.Unix(), name, o.published.Unix())
	r["repodata/repomd.xml"] = md
	if o.asc != nil {
		var sig bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&sig, o.asc, bytes.NewReader(md), signing(o.published)); err != nil {
			panic(err)
		}
		r["repodata/repomd.xml.asc"] = sig.Bytes()
	}
	return r
}

// writeRPM makes a package as rpm does, as far as anyone looks.
func writeRPM(name, arch string, key *openpgp.Entity, payload []byte) []byte {
	header := rpmTags(map[uint32]string{1000: name, 1001: "1.0", 1002: "1", 1022: arch, 1004: "a summary"}, nil)
	var sig []byte
	if key != nil {
		var b bytes.Buffer
		if err := openpgp.DetachSign(&b, key, bytes.NewReader(header), signing(bubble.AddDate(0, -2, 0))); err != nil {
			panic(err)
		}
		sig = b.Bytes()
	}
	out := append([]byte{0xed, 0xab, 0xee, 0xdb, 3, 0}, make([]byte, 90)...)
	out = append(out, rpmTags(nil, sig)...)
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	return append(append(out, header...), payload...)
}

func rpmTags(texts map[uint32]string, sig []byte) []byte {
	var index, store []byte
	add := func(tag, kind uint32, value []byte, count int) {
		for _, v := range []uint32{tag, kind, uint32(len(store)), uint32(count)} {
			index = binary.BigEndian.AppendUint32(index, v)
		}
		store = append(store, value...)
	}
	for _, tag := range []uint32{1000, 1001, 1002, 1022, 1004} {
		if s, ok := texts[tag]; ok {
			add(tag, 6, append([]byte(s), 0), 1)
		}
	}
	if sig != nil {
		add(267, 7, sig, len(sig))
	}
	out := []byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}
	out = binary.BigEndian.AppendUint32(out, uint32(len(index)/16))
	out = binary.BigEndian.AppendUint32(out, uint32(len(store)))
	return append(append(out, index...), store...)
}

// debOf is a Debian archive of one suite.
type debOf struct {
	suite, arch string
	published   time.Time
	expires     time.Time
	keys        []*openpgp.Entity // of InRelease
	suffix      string            // of Packages: ".gz" if empty
	detached    bool              // Release and Release.gpg instead of InRelease
}

func (o debOf) build() repository {
	name := "main/binary-" + o.arch + "/Packages" + o.suffix
	if o.suffix == "" {
		name += ".gz"
	}
	dir := "dists/" + o.suite + "/"
	r := repository{}
	var list bytes.Buffer
	for i := range 40 {
		size, p := 20000+i, fmt.Sprintf("pool/main/l/lib%02d_1.0_%s.deb", i, o.arch)
		if i == 30 {
			p = "pool/main/l/linux-image_5.10_" + o.arch + ".deb"
			b := append([]byte("!<arch>\ndebian-binary   "), payload()...)
			r[p], size = b, len(b)
		}
		fmt.Fprintf(&list, "Package: lib%02d\nArchitecture: %s\nFilename: %s\nSize: %d\n\n", i, o.arch, p, size)
	}
	r[dir+name] = squeeze(name, list.Bytes())
	var text bytes.Buffer
	fmt.Fprintf(&text, "Origin: Example\nSuite: %s\nCodename: %s\nDate: %s\n", o.suite, o.suite, o.published.UTC().Format(time.RFC1123))
	if !o.expires.IsZero() {
		fmt.Fprintf(&text, "Valid-Until: %s\n", o.expires.UTC().Format(time.RFC1123))
	}
	fmt.Fprintf(&text, "Architectures: %s riscv64\nComponents: main contrib\nSHA256:\n %064d %d %s\n", o.arch, 0, len(r[dir+name]), name)
	if o.detached {
		r[dir+"Release"] = text.Bytes()
		var sig bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&sig, o.keys[0], bytes.NewReader(text.Bytes()), signing(o.published)); err != nil {
			panic(err)
		}
		r[dir+"Release.gpg"] = sig.Bytes()
		return r
	}
	var privates []*packet.PrivateKey
	for _, k := range o.keys {
		privates = append(privates, k.PrivateKey)
	}
	var signed bytes.Buffer
	w, err := clearsign.EncodeMulti(&signed, privates, signing(o.published))
	if err != nil {
		panic(err)
	}
	must(w.Write(text.Bytes()))
	w.Close()
	r[dir+"InRelease"] = signed.Bytes()
	return r
}
