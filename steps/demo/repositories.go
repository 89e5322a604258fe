package demo

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"goxin/assets/lang"
	"goxin/assets/mirrors"
	"goxin/steps/repo"
)

// vendor is who signs this machine's packages: a key made for the demo, which stands in
// the tree where the real vendor's does.
type vendor struct {
	net        *network
	key        *openpgp.Entity
	arch       string // as rpm and dpkg call it
	components []string
	pack       string // name of the package that speed is measured with
	head       []byte // its beginning; the rest is zeros
	catalogue  *mirrors.Catalogue

	mu   sync.Mutex
	made map[string][]byte
}

// packSize is that package's size in bytes.
const packSize = 9 << 20

// condition is what a mirror is like.
type condition int

const (
	fine condition = iota
	stale
	absent   // it has not this product
	captive  // a network that wants a login first
	tampered // changed on the way: the signature does not hold
)

// invented are the mirrors of the simulated network.
var invented = []struct {
	id, host string
	name     lang.Text
	is       condition
	trip     time.Duration
	rate     float64
	pause    time.Duration
}{
	{"site", "10.2.0.5", lang.T("site mirror 10.2.0.5", "站内镜像 10.2.0.5"), stale, 2 * time.Millisecond, 112e6, 300 * time.Millisecond},
	{"mirror-a", "a.mirrors.example", lang.T("mirror A", "镜像甲"), fine, 20 * time.Millisecond, 18.4e6, 1000 * time.Millisecond},
	{"mirror-b", "b.mirrors.example", lang.T("mirror B", "镜像乙"), absent, 24 * time.Millisecond, 30e6, 700 * time.Millisecond},
	{"mirror-c", "c.mirrors.example", lang.T("mirror C", "镜像丙"), fine, 18 * time.Millisecond, 23.1e6, 1100 * time.Millisecond},
	{"mirror-d", "d.mirrors.example", lang.T("mirror D", "镜像丁"), captive, 9 * time.Millisecond, 30e6, 500 * time.Millisecond},
	{"mirror-e", "e.mirrors.example", lang.T("mirror E", "镜像戊"), tampered, 15 * time.Millisecond, 35e6, 900 * time.Millisecond},
}

func newVendor(n *network) (*vendor, error) {
	s := n.sim
	v := &vendor{net: n, made: map[string][]byte{}, arch: s.kernel.Machine, pack: "kernel-core"}
	switch {
	case s.deb():
		v.arch = s.debArch()
	case s.facts.Arch.GOARCH.Value == "mips64le":
		v.arch = "mips64el"
	}
	var err error
	if v.key, err = openpgp.NewEntity("Demo vendor", "not a real one", "vendor@example.com", v.signing(-365*24*time.Hour)); err != nil {
		return nil, err
	}
	if v.head, err = v.packHead(); err != nil {
		return nil, err
	}
	if v.catalogue, err = mirrors.Load(); err != nil {
		return nil, err
	}
	if err := v.adopt(); err != nil {
		return nil, err
	}
	src, err := repo.ReadAll(s.Machine, s.facts)
	if err != nil {
		return nil, err
	}
	good := func(host string) {
		if host != "" && n.sites[host] == nil {
			n.sites[host] = &site{trip: 12667 * time.Microsecond, rate: 41e6, pause: 800 * time.Millisecond, answer: v.answers(fine)}
		}
	}
	for _, f := range src.Files {
		for _, e := range f.Entries() {
			v.carry(e.Components)
			for _, u := range append(e.URLs, e.Metalink, e.Mirrorlist) {
				good(host(src.Vars.Expand(u)))
			}
		}
	}
	for _, p := range v.catalogue.Products {
		good(host(p.Official))
		for _, r := range p.Repos { // written where a machine has no sources
			v.carry(r.Components)
		}
	}
	for _, m := range invented {
		n.sites[m.host] = &site{trip: m.trip, rate: m.rate, pause: m.pause, answer: v.answers(m.is)}
	}
	return v, nil
}

// carry adds components of Debian's repositories.
func (v *vendor) carry(components []string) {
	for _, c := range components {
		if !slices.Contains(v.components, c) {
			v.components = append(v.components, c)
		}
	}
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// adopt gives all products the invented mirrors and the demo's key.
func (v *vendor) adopt() error {
	var public bytes.Buffer
	if err := v.key.Serialize(&public); err != nil {
		return err
	}
	print := fmt.Sprintf("%X", v.key.PrimaryKey.Fingerprint)
	s, dir := v.net.sim, "/etc/pki/rpm-gpg/"
	for i := range v.catalogue.Products {
		p := &v.catalogue.Products[i]
		p.Mirrors = nil
		tree := strings.Trim(p.ID, "/") + "/"
		for _, m := range invented {
			scheme := "https://"
			if strings.HasPrefix(m.host, "10.") {
				scheme = "http://"
			}
			p.Mirrors = append(p.Mirrors, mirrors.Mirror{ID: m.id, Name: m.name, URL: scheme + m.host + "/" + tree})
		}
		for k := range p.Keys {
			p.Keys[k].Fingerprint = print
		}
		if len(p.Keys) == 0 {
			p.Keys = []mirrors.Key{{Path: "/usr/share/keyrings/vendor.gpg", Fingerprint: print}}
		}
		for _, k := range p.Keys {
			if !s.exists(k.Path) && len(p.Keys) > 1 || p.ID != s.facts.OS.Product.Value || k.Path == "" {
				continue
			}
			if err := s.write(k.Path, public.Bytes(), 0o644); err != nil {
				return err
			}
		}
	}
	names, _ := s.Machine.ReadDir(dir) // a Debian has none
	for _, name := range names {
		if err := s.write(dir+name, public.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// mirrors is the catalogue of the simulated network.
func (n *network) mirrors() (*mirrors.Catalogue, error) { return n.vendor.catalogue, nil }

// signing is how to sign, so long from now.
func (v *vendor) signing(from time.Duration) *packet.Config {
	at := v.net.sim.clock.start.Add(from)
	return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256, Time: func() time.Time { return at }}
}

// published is how old a mirror's index is.
func (v *vendor) published(is condition) time.Duration {
	if is == stale {
		return -(12*24 + 3) * time.Hour
	}
	return -3 * time.Hour
}

const loginPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form action=\"/login\"></form></body></html>\n"

// answers are those of a mirror: whatever the directory, it has a repository.
func (v *vendor) answers(is condition) func(string) answer {
	return func(path string) answer {
		if releases := v.net.releases; strings.HasPrefix(path, "golang/") && is != captive {
			return releases.archive(strings.TrimPrefix(path, "golang/"))
		}
		switch is {
		case absent:
			return answer{}
		case captive:
			return text("text/html; charset=utf-8", loginPage)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.answer(path, is)
	}
}

func (v *vendor) answer(path string, is condition) answer {
	at := v.published(is)
	make := func(build func() []byte) answer {
		key := fmt.Sprint(is, " ", path)
		if v.made[key] == nil {
			v.made[key] = build()
		}
		return file(v.made[key])
	}
	changed := func(b []byte) []byte {
		if is == tampered {
			b = bytes.Replace(b, []byte("<repomd"), []byte("<!-- changed --><repomd"), 1)
			b = bytes.Replace(b, []byte("\nSHA256:"), []byte("\nChanged: yes\nSHA256:"), 1)
		}
		return b
	}
	switch {
	case strings.HasSuffix(path, "repodata/repomd.xml"):
		return make(func() []byte { return changed(v.repomd(at)) })
	case strings.HasSuffix(path, "repodata/repomd.xml.asc"):
		return make(func() []byte {
			var sig bytes.Buffer
			_ = openpgp.ArmoredDetachSign(&sig, v.key, bytes.NewReader(v.repomd(at)), v.signing(at)) // into memory
			return sig.Bytes()
		})
	case strings.HasSuffix(path, "repodata/primary.xml.gz"):
		return make(func() []byte { return packed(v.primary()) })
	case strings.HasSuffix(path, "InRelease"):
		return make(func() []byte { return changed(v.release(path, at)) })
	case strings.HasSuffix(path, "Packages.gz"):
		return make(func() []byte { return packed(v.list()) })
	case strings.HasSuffix(path, ".rpm"), strings.HasSuffix(path, ".deb"):
		return answer{status: 200, kind: "application/octet-stream", size: packSize, body: padded(v.head)}
	}
	return answer{}
}

func packed(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s) // into memory
	_ = z.Close()
	return b.Bytes()
}

// padded is a file that goes on in zeros.
type padded []byte

func (p padded) ReadAt(b []byte, at int64) (int, error) {
	clear(b)
	if at < int64(len(p)) {
		copy(b, p[at:])
	}
	return len(b), nil
}

func (v *vendor) repomd(at time.Duration) []byte {
	t := v.net.sim.clock.start.Add(at).Unix()
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo">
  <revision>%d</revision>
  <data type="primary"><location href="repodata/primary.xml.gz"/><timestamp>%d</timestamp></data>
</repomd>
`, t, t)
}

func (v *vendor) primary() string {
	return fmt.Sprintf(`<?xml version="1.0"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1"><package type="rpm"><name>%s</name><arch>%s</arch><size package="%d"/><location href="Packages/%[1]s.%[2]s.rpm"/><format><rpm:header-range start="280" end="%[4]d"/></format></package></metadata>
`, v.pack, v.arch, packSize, len(v.head))
}

func (v *vendor) list() string {
	return fmt.Sprintf("Package: %s\nArchitecture: %s\nFilename: pool/main/l/%[1]s_%[2]s.deb\nSize: %d\n\n", v.pack, v.arch, packSize)
}

// release is the clearsigned index of the suite that a path names.
func (v *vendor) release(path string, at time.Duration) []byte {
	_, suite, debian := strings.Cut(strings.TrimSuffix(path, "/InRelease"), "dists/")
	var t strings.Builder
	fmt.Fprintf(&t, "Origin: Demo\nSuite: %s\nCodename: %s\nDate: %s\nArchitectures: %s\nComponents: %s\nSHA256:\n", suite, suite,
		v.net.sim.clock.start.Add(at).UTC().Format(time.RFC1123), v.arch, strings.Join(v.components, " "))
	if !debian {
		fmt.Fprintf(&t, " %064d %d Packages.gz\n", 0, 1000)
	}
	for _, c := range v.components {
		fmt.Fprintf(&t, " %064d %d %s/binary-%s/Packages.gz\n", 0, 1000, c, v.arch)
	}
	var signed bytes.Buffer
	w, err := clearsign.Encode(&signed, v.key.PrivateKey, v.signing(at))
	if err != nil {
		return nil
	}
	_, _ = io.WriteString(w, t.String()) // into memory
	_ = w.Close()
	return signed.Bytes()
}

// packHead is the package's lead, signature and header, as rpm reads them
// (rpm-software-management/rpm, docs/manual/format.md), or the magic of a deb.
func (v *vendor) packHead() ([]byte, error) {
	if v.net.sim.deb() {
		return []byte("!<arch>\ndebian-binary   "), nil
	}
	header := rpmTags(map[uint32]string{1000: v.pack, 1001: "1.0", 1002: "1", 1022: v.arch, 1004: "measured with"}, nil)
	var sig bytes.Buffer
	if err := openpgp.DetachSign(&sig, v.key, bytes.NewReader(header), v.signing(-30*24*time.Hour)); err != nil {
		return nil, err
	}
	out := append([]byte{0xed, 0xab, 0xee, 0xdb, 3, 0}, make([]byte, 90)...)
	out = append(out, rpmTags(nil, sig.Bytes())...)
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	return append(out, header...), nil
}

func rpmTags(texts map[uint32]string, sig []byte) []byte {
	const str, bin, dsaHeader = 6, 7, 267 // RPM_STRING_TYPE, RPM_BIN_TYPE, RPMSIGTAG_DSA
	var index, store []byte
	add := func(tag, kind uint32, value []byte, count int) {
		for _, n := range []uint32{tag, kind, uint32(len(store)), uint32(count)} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		store = append(store, value...)
	}
	for _, tag := range []uint32{1000, 1001, 1002, 1004, 1022} {
		if s, ok := texts[tag]; ok {
			add(tag, str, append([]byte(s), 0), 1)
		}
	}
	if sig != nil {
		add(dsaHeader, bin, sig, len(sig))
	}
	out := []byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}
	out = binary.BigEndian.AppendUint32(out, uint32(len(index)/16))
	out = binary.BigEndian.AppendUint32(out, uint32(len(store)))
	return append(append(out, index...), store...)
}
