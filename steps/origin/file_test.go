package origin

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ulikunitz/xz"

	"goxin/assets/lang"
	"goxin/steps/verify"
)

func key(t testing.TB, name string) (e *openpgp.Entity, public []byte) {
	t.Helper()
	e, err := openpgp.NewEntity(name, "", name+"@example.com", pgp(now.AddDate(-3, 0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return e, b.Bytes()
}

func pgp(at time.Time) *packet.Config {
	return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256, Time: func() time.Time { return at }}
}

func sign(t testing.TB, e *openpgp.Entity, data string) string {
	t.Helper()
	var b bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&b, e, strings.NewReader(data), pgp(now.AddDate(0, 0, -9))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	w.Close()
	return b.String()
}

func xzipped(t testing.TB, s string, c xz.WriterConfig) string {
	t.Helper()
	var b bytes.Buffer
	w, err := c.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.String()
}

const archiveFile = "/tmp/go1.26.8.linux-arm64.tar.gz"

func file(t *testing.T, w *world, name string, o Options) *Finding {
	t.Helper()
	f, err := File(t.Context(), w, name, o)
	if err != nil {
		t.Fatal(err)
	}
	content, err := w.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(content); f.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("sha256 of %s: %s", name, f.SHA256)
	}
	return f
}

func TestAnArchiveIsAuthenticByTheLogWhoeverPackedIt(t *testing.T) {
	w := newWorld(t)
	files := entries("go/", release1268())
	reversed := make([]entry, 0, len(files))
	for _, f := range files {
		reversed = append([]entry{f}, reversed...)
	}
	for name, content := range map[string][]byte{
		archiveFile:                            tarGz(t, files),
		"/tmp/go.tgz":                          tarGz(t, reversed),
		"/tmp/without-doc.tar.gz":              tarGz(t, entries("go/", with(map[string]string{"doc/README.md": ""}))),
		"/tmp/module.zip":                      moduleZip(t, tool, release1268()),
		"/tmp/v0.0.1-go1.26.8.linux-arm64.zip": moduleZip(t, tool, release1268()),
	} {
		w.put("/", map[string]string{name: string(content)})
		f := file(t, w, name, w.online())
		what := GoArchive
		if strings.HasSuffix(name, ".zip") {
			what = GoModule
		}
		if f.Verdict != Authentic || f.What != what || f.Toolchain != tool || f.H1 != w.h1[tool] || len(f.Evidence) != 1 || f.Evidence[0].Kind != verify.Log {
			t.Errorf("%s: %s: %+v", name, f.Text().EN, f)
		}
	}
}

func TestAnArchiveThatIsNotTheReleaseIsTold(t *testing.T) {
	evil := with(map[string]string{"src/fmt/print.go": "evil"})
	good := tarGz(t, entries("go/", release1268()))
	for _, c := range []struct {
		name, file string
		content    []byte
		verdict    Verdict
		text       string
	}{
		{"a file changed", archiveFile, tarGz(t, entries("go/", evil)), Except, "except src/fmt/print.go"},
		{"a file changed, as a module", "/tmp/x.zip", moduleZip(t, tool, evil), Except, "except src/fmt/print.go"},
		{"an older one under its name", "/tmp/go1.26.9.linux-arm64.tar.gz", good, Refused, "by its name it is go1.26.9 linux/arm64, by its content go1.26.8 linux/arm64"},
		{"another platform's name", "/tmp/go1.26.8.linux-amd64.tar.gz", good, Refused, "by its name it is go1.26.8 linux/amd64"},
		{"under the name of the sources", "/tmp/go1.26.8.src.tar.gz", good, Refused, "by its name it is go1.26.8 source"},
		{"a module in another's names", "/tmp/x.zip", moduleZip(t, verify.Toolchain{Version: "go1.26.9", OS: "linux", Arch: "arm64"}, release1268()), Refused, "go1.26.9.linux-arm64, by its content go1.26.8"},
		{"a name that climbs", archiveFile, tarGz(t, append(entries("go/", release1268()), entry{"go/../../etc/passwd", "x"})), Refused, "climbs"},
		{"cut off", archiveFile, good[:len(good)/2], Refused, "ends early"},
		{"something behind it", archiveFile, append(bytes.Clone(good), "trailing"...), Refused, "behind the archive's end"},
		{"something else in a directory go", "/tmp/x.tar.gz", tarGz(t, []entry{{"go/main.go", "package main"}}), Unproved, "no signature beside it"},
		{"something else", "/tmp/x.tar.gz", tarGz(t, []entry{{"x", "x"}}), Unproved, "no signature beside it"},
		{"empty", "/tmp/empty", nil, Unproved, "no signature beside it"},
		{"gzip of nothing", "/tmp/x.gz", []byte(gzipped(t, "")), Unproved, "no signature beside it"},
		{"the beginning of a zip", "/tmp/x.zip", []byte("PK\x03\x04"), Unproved, "no signature beside it"},
	} {
		w := newWorld(t)
		w.put("/", map[string]string{c.file: string(c.content)})
		f := file(t, w, c.file, w.online())
		if f.Verdict != c.verdict || !strings.Contains(f.Text().EN, c.text) || f.Text().ZH == "" {
			t.Errorf("%s: %s: %s", c.name, f.Verdict, f.Text().EN)
		}
	}
}

func TestASignatureIsFoundBesideItsFile(t *testing.T) {
	e, public := key(t, "vendor")
	tar := string(bytes.Repeat([]byte("linux-6.6/Makefile "), 9000))
	small := xzipped(t, tar, xz.WriterConfig{BlockSize: 50_000})
	for _, c := range []struct {
		name  string
		files map[string]string
		file  string
		sig   string
		note  string
	}{
		{name: ".asc", file: "/t/x.bin", files: map[string]string{"x.bin": "data", "x.bin.asc": sign(t, e, "data")}},
		{name: ".sig", file: "/t/x.bin", files: map[string]string{"x.bin": "data", "x.bin.sig": sign(t, e, "data")}},
		{name: ".sign", file: "/t/x.bin", files: map[string]string{"x.bin": "data", "x.bin.sign": sign(t, e, "data")}},
		{name: "of the tar in an xz", file: "/t/l.tar.xz", files: map[string]string{"l.tar.xz": small, "l.tar.sign": sign(t, e, tar)}, note: "of the uncompressed archive"},
		{name: "of the tar in a gz", file: "/t/l.tar.gz", files: map[string]string{"l.tar.gz": gzipped(t, tar), "l.tar.sign": sign(t, e, tar)}, note: "of the uncompressed archive"},
		{name: "of the xz itself", file: "/t/l.tar.xz", files: map[string]string{"l.tar.xz": small, "l.tar.xz.asc": sign(t, e, small)}},
		{name: "named, of the tar", file: "/t/l.tar.xz", sig: "/t/l.tar.sign", files: map[string]string{"l.tar.xz": small, "l.tar.sign": sign(t, e, tar)}, note: "of the uncompressed archive"},
		{name: "named by any name, of the tar", file: "/t/l.tar.xz", sig: "/t/s", files: map[string]string{"l.tar.xz": small, "s": sign(t, e, tar)}, note: "of the uncompressed archive"},
		{name: "named by any name, of the xz", file: "/t/l.tar.xz", sig: "/t/s", files: map[string]string{"l.tar.xz": small, "s": sign(t, e, small)}},
	} {
		w := newWorld(t)
		w.put("/t", c.files)
		f := file(t, w, c.file, Options{Keys: [][]byte{public}, Now: now, Sig: c.sig})
		if f.Verdict != Authentic || f.What != Other || len(f.Evidence) != 1 || f.Evidence[0].Kind != verify.Detached || f.Evidence[0].Note.EN != c.note {
			t.Errorf("%s: %s, %+v", c.name, f.Text().EN, f.Evidence)
		}
		if f := file(t, w, c.file, Options{Now: now, Sig: c.sig}); f.Verdict != Unproved || f.Evidence[0].Verdict != verify.Unknown || !strings.Contains(f.Text().EN, "none of the keys") {
			t.Errorf("%s, without the key: %s", c.name, f.Text().EN)
		}
	}
}

func TestASignatureThatDoesNotHoldIsRefused(t *testing.T) {
	e, public := key(t, "vendor")
	tar := strings.Repeat("linux-6.6/Makefile ", 9000)
	packed := xzipped(t, tar, xz.WriterConfig{BlockSize: 50_000})
	flipped := []byte(packed)
	flipped[40] ^= 1 // in the first block
	good := sign(t, e, "data")
	for _, c := range []struct {
		name, file string
		files      map[string]string
		text       string
	}{
		{"of other data", "x", map[string]string{"x": "other", "x.asc": good}, "not of this content"},
		{"empty", "x", map[string]string{"x": "data", "x.asc": ""}, "there is no signature"},
		{"a web page", "x", map[string]string{"x": "data", "x.asc": "<html>"}, "malformed"},
		{"a megabyte", "x", map[string]string{"x": "data", "x.asc": good + strings.Repeat("\n", 1<<20)}, "malformed"},
		{"of another tar", "l.tar.xz", map[string]string{"l.tar.xz": packed, "l.tar.sign": good}, "not of this content"},
		{"of a damaged xz", "l.tar.xz", map[string]string{"l.tar.xz": string(flipped), "l.tar.sign": sign(t, e, tar)}, "l"},
		{"of an xz that breaks off", "l.tar.xz", map[string]string{"l.tar.xz": packed[:len(packed)/2], "l.tar.sign": sign(t, e, tar)}, "does not unpack"},
		{"of an xz that goes on", "l.tar.xz", map[string]string{"l.tar.xz": packed + xzipped(t, "more", xz.WriterConfig{}), "l.tar.sign": sign(t, e, tar)}, "not of this content"},
		{"of something that is not packed", "l.tar.xz", map[string]string{"l.tar.xz": tar, "l.tar.sign": sign(t, e, tar)}, "does not unpack"},
		{"of a damaged gz", "l.tar.gz", map[string]string{"l.tar.gz": gzipped(t, tar)[:60], "l.tar.sign": sign(t, e, tar)}, "does not unpack"},
	} {
		w := newWorld(t)
		w.put("/t", c.files)
		f := file(t, w, "/t/"+c.file, Options{Keys: [][]byte{public}, Now: now})
		if f.Verdict != Refused || !strings.Contains(f.Text().EN, c.text) || f.Text().ZH == f.Text().EN {
			t.Errorf("%s: %s: %s", c.name, f.Verdict, f.Text().EN)
		}
	}
}

func TestABadSignatureSpoilsAnArchiveTheLogWouldProve(t *testing.T) {
	e, public := key(t, "google")
	w := newWorld(t)
	good := tarGz(t, entries("go/", release1268()))
	w.put("/", map[string]string{archiveFile: string(good), archiveFile + ".asc": sign(t, e, string(good))})
	o := w.online()
	o.Keys = [][]byte{public}
	if f := file(t, w, archiveFile, o); f.Verdict != Authentic || len(f.Evidence) != 2 {
		t.Errorf("both: %s, %+v", f.Text().EN, f.Evidence)
	}
	o.Released = func(string) time.Time { return now }
	if f := file(t, w, archiveFile, o); f.Verdict != Refused || !strings.Contains(f.Text().EN, "long before the release") {
		t.Errorf("signed before: %s", f.Text().EN)
	}
	o.Released = nil
	w.put("/", map[string]string{archiveFile + ".asc": sign(t, e, "other")})
	if f := file(t, w, archiveFile, o); f.Verdict != Refused {
		t.Errorf("bad: %s", f.Text().EN)
	}
	w.put("/", map[string]string{archiveFile: string(tarGz(t, entries("go/", with(map[string]string{"go.env": "x"}))))})
	changed, _ := w.ReadFile(archiveFile)
	w.put("/", map[string]string{archiveFile + ".asc": sign(t, e, string(changed))})
	if f := file(t, w, archiveFile, o); f.Verdict != Except || differs(f) != "changed go.env" {
		t.Errorf("signed, but not what the log has: %s", f.Text().EN)
	}
}

func TestTheSourcesOfAReleaseNeedASignature(t *testing.T) {
	e, public := key(t, "google")
	src := string(tarGz(t, entries("go/", map[string]string{"VERSION": "go1.26.8\n", "src/all.bash": "#!/bin/bash\n"})))
	const name = "/tmp/go1.26.8.src.tar.gz"
	w := newWorld(t)
	w.put("/", map[string]string{name: src})
	if f := file(t, w, name, w.online()); f.Verdict != Unproved || f.What != GoSource || f.Text().EN != "nothing proves this go1.26.8 source: there is no signature beside it (.asc, .sig, .sign)" {
		t.Errorf("%s: %s", f.What, f.Text().EN)
	}
	w.put("/", map[string]string{name + ".asc": sign(t, e, src)})
	if f := file(t, w, name, Options{Keys: [][]byte{public}, Now: now}); f.Verdict != Authentic || f.Text().EN != "authentic go1.26.8 source" {
		t.Errorf("%s", f.Text().EN)
	}
	if f := file(t, w, name, Options{Now: now}); f.Verdict != Unproved { // not by Google
		t.Errorf("%s", f.Text().EN)
	}
}

func TestADigestThatIsKnownCounts(t *testing.T) {
	w := newWorld(t)
	good := tarGz(t, entries("go/", release1268()))
	w.put("/", map[string]string{archiveFile: string(good)})
	sum := sha256.Sum256(good)
	from := lang.T("the list", "列表")
	digest := func(s string) func(string) (string, lang.Text) {
		return func(base string) (string, lang.Text) {
			if base != "go1.26.8.linux-arm64.tar.gz" {
				t.Errorf("asked for %s", base)
			}
			return s, from
		}
	}
	right, wrong := hex.EncodeToString(sum[:]), strings.Repeat("00", 32)
	offline := Options{LogKey: w.key, Digest: digest(right)}
	if f := file(t, w, archiveFile, offline); f.Verdict != Authentic || len(f.Evidence) != 1 || f.Evidence[0].RestsOn != from {
		t.Errorf("right: %s, %+v", f.Text().EN, f.Evidence)
	}
	offline.Digest = digest(wrong)
	if f := file(t, w, archiveFile, offline); f.Verdict != Refused || !strings.Contains(f.Text().EN, "another SHA-256") {
		t.Errorf("wrong: %s", f.Text().EN)
	}
	offline.Digest = digest("")
	if f := file(t, w, archiveFile, offline); f.Verdict != Unproved {
		t.Errorf("none: %s", f.Text().EN)
	}
	o := w.online() // the log proves the files, so that they were only packed anew
	o.Digest = digest(wrong)
	if f := file(t, w, archiveFile, o); f.Verdict != Authentic || len(f.Notes) != 2 || f.Evidence[1].Verdict != verify.Bad {
		t.Errorf("packed anew: %s, %v", f.Text().EN, f.Notes)
	}
}

func TestFilesThatCannotBeReadAreErrors(t *testing.T) {
	_, public := key(t, "vendor")
	w := newWorld(t)
	w.put("/t", map[string]string{"x": "data"})
	for name, o := range map[string]Options{
		"/nowhere": {}, "/t": {}, "/t/x": {Sig: "/t/none"}, "/t/./x": {Keys: [][]byte{[]byte("no key")}},
	} {
		if f, err := File(t.Context(), w, name, o); err == nil || !strings.HasPrefix(err.Error(), "cannot verify "+name) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	if _, err := File(t.Context(), w, "/nowhere", Options{Keys: [][]byte{public}}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestNamesOfArchives(t *testing.T) {
	for name, want := range map[string]verify.Toolchain{
		"go1.26.8.linux-amd64.tar.gz":            {Version: "go1.26.8", OS: "linux", Arch: "amd64"},
		"go1.27rc3.linux-loong64.tar.gz":         {Version: "go1.27rc3", OS: "linux", Arch: "loong64"},
		"go1.26.8.linux-armv6l.tar.gz":           {Version: "go1.26.8", OS: "linux", Arch: "arm"},
		"go1.21.src.tar.gz":                      {Version: "go1.21"},
		"v0.0.1-go1.26.8.linux-arm64.zip":        {Version: "go1.26.8", OS: "linux", Arch: "arm64"},
		"golang-1.19_1.19.8.orig.tar.gz":         {},
		"go1.26.8.linux-amd64.tar.gz.asc":        {},
		"x-go1.26.8.linux-amd64.tar.gz":          {},
		"go1.26.8.linux-amd64 (1).tar.gz":        {},
		"gopls-go1.26.8.linux-amd64.tar.gz":      {},
		"go1.26.8.linux-amd64.tar.gz/../x":       {},
		"go1.26.8.linux-amd64.tar.gz\ngo.tar.gz": {},
	} {
		got, ok := called(name)
		if got != want || ok != (want.Version != "") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAProgramTellsItsPlatform(t *testing.T) {
	for arch, head := range map[string]string{
		"386": "\x01\x01\x03\x00", "amd64": "\x02\x01\x3e\x00", "arm": "\x01\x01\x28\x00", "arm64": "\x02\x01\xb7\x00", "loong64": "\x02\x01\x02\x01",
		"mips": "\x01\x02\x00\x08", "mipsle": "\x01\x01\x08\x00", "mips64": "\x02\x02\x00\x08", "mips64le": "\x02\x01\x08\x00",
		"ppc64": "\x02\x02\x00\x15", "ppc64le": "\x02\x01\x15\x00", "riscv64": "\x02\x01\xf3\x00", "s390x": "\x02\x02\x00\x16",
		"": "\x02\x01\xff\x00",
	} {
		b := "\x7fELF" + head[:2] + "\x01\x00" + strings.Repeat("\x00", 8) + "\x02\x00" + head[2:]
		if head[1] == 2 {
			b = "\x7fELF" + head[:2] + "\x01\x00" + strings.Repeat("\x00", 8) + "\x00\x02" + head[2:]
		}
		os, got, ok := platform([]byte(b))
		if got != arch || ok != (arch != "") || ok && os != "linux" {
			t.Errorf("%q: %q %q", arch, os, got)
		}
		if _, _, ok := platform([]byte(b[:19])); ok {
			t.Errorf("%q: half a header", arch)
		}
		if _, _, ok := platform([]byte(b[:7] + "\x09" + b[8:])); ok {
			t.Errorf("%q: FreeBSD's", arch)
		}
	}
}

// Of releases before Go 1.21 the log has another set of files, so that its record alone
// decides nothing: neither against an archive nor for it.
func TestARecordThatCannotBeComparedDoesNotSpeakForAnArchive(t *testing.T) {
	w := newWorld(t)
	old := verify.Toolchain{Version: "go1.20.14", OS: "linux", Arch: "arm64"}
	w.h1[old] = w.h1[tool]
	evil := with(map[string]string{"VERSION": "go1.20.14", "bin/go": program("evil")})
	w.put("/srv", map[string]string{old.Archive(): string(tarGz(t, entries("go/", evil)))})
	o := w.online()
	o.Module = nil
	f, err := File(t.Context(), w, "/srv/"+old.Archive(), o)
	if err != nil || f.Verdict != Unproved {
		t.Errorf("%s: %s, %v", f.Verdict, f.Text().EN, err)
	}
}

func TestASignatureDoesNotExcuseAnotherDigestThanThePublishedOne(t *testing.T) {
	w := newWorld(t)
	e, public := key(t, "somebody")
	archive := string(tarGz(t, entries("go/", release1268())))
	w.put("/", map[string]string{archiveFile: archive, archiveFile + ".asc": sign(t, e, archive)})
	o := Options{LogKey: w.key, Keys: [][]byte{public}, Now: now}
	if f := file(t, w, archiveFile, o); f.Verdict != Authentic {
		t.Errorf("by the signature alone: %s", f.Text().EN)
	}
	o.Digest = func(string) (string, lang.Text) { return strings.Repeat("00", 32), lang.T("the list", "列表") }
	if f := file(t, w, archiveFile, o); f.Verdict != Refused {
		t.Errorf("with another digest: %s", f.Text().EN)
	}
}

// Google signs the archives of all systems, and some have programs that look like
// Linux's. Under another's name each would hold with its own signature.
func TestAnArchiveForAnotherSystemIsNotTakenForItsName(t *testing.T) {
	for story, change := range map[string]map[string]string{
		"a program that is no ELF": {"bin/go": "\xcf\xfa\xed\xfe" + strings.Repeat("mach-o", 9)},
		"tools of another system":  {"pkg/tool/linux_arm64/compile": "", "pkg/tool/linux_arm64/link": "", "pkg/tool/illumos_arm64/compile": "x"},
	} {
		w := newWorld(t)
		e, public := key(t, "somebody")
		archive := string(tarGz(t, entries("go/", with(change))))
		w.put("/", map[string]string{archiveFile: archive, archiveFile + ".asc": sign(t, e, archive)})
		f := file(t, w, archiveFile, Options{LogKey: w.key, Keys: [][]byte{public}, Now: now})
		if f.Verdict != Refused || !strings.Contains(f.Text().EN, "by its name it is go1.26.8 linux/arm64") {
			t.Errorf("%s: %s: %s", story, f.Verdict, f.Text().EN)
		}
	}
}
