package unpack

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// refused unpacks into a real directory and demands a refusal, the same of Read, and
// that nothing is left: no file, no goroutine.
func refused(t *testing.T, archive io.Reader, again io.Reader, o Options, name string, why lang.Text) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine is left
		t.Helper()
		dir := t.TempDir()
		st, err := machine.Root(dir).Stage("/go")
		if err != nil {
			t.Fatal(err)
		}
		res, err := Into(t.Context(), archive, st, o)
		if res != nil {
			t.Error("it has a result")
		}
		same(t, err, name, why)
		if err := st.Discard(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		if again != nil {
			_, err = Read(t.Context(), again, o)
			same(t, err, name, why)
		}
	})
}

func same(t *testing.T, err error, name string, why lang.Text) {
	t.Helper()
	var unsafe *UnsafeError
	if !errors.As(err, &unsafe) {
		t.Fatalf("%v (%T), want a refusal: %s", err, err, why.EN)
	}
	if unsafe.Name != name || unsafe.Why != why {
		t.Errorf("%q: %s; want %q: %s", unsafe.Name, unsafe.Why.EN, name, why.EN)
	}
	if text := unsafe.Text(); text.EN == text.ZH || strings.ContainsAny(text.EN, "\x1b\x00\n") || unsafe.Hint().Empty() {
		t.Errorf("%q", text)
	}
}

func TestEveryUnsafeNameIsRefusedInBothFormats(t *testing.T) {
	top := func(o Options) Options { o.Top = "go/"; return o }
	for _, c := range []struct {
		story   string
		entries []entry
		o       func(Options) Options
		name    string // of the refused entry; empty: the last
		why     lang.Text
	}{
		{story: "climbing at once", entries: files("a", "../etc/cron.d/x"), why: whyClimbs},
		{story: "climbing later", entries: files("a/b/../../../x"), why: whyClimbs},
		{story: "climbing, and back", entries: files("a/../a/x"), why: whyClimbs},
		{story: "two dots alone", entries: files(".."), why: whyClimbs},
		{story: "a directory that climbs", entries: files("../"), why: whyClimbs},
		{story: "climbing behind the top", entries: files("go/x", "go/../x"), o: top, why: whyClimbs},
		{story: "absolute", entries: files("/etc/passwd"), why: whyAbsolute},
		{story: "absolute behind the top", entries: files("go//etc/passwd"), o: top, why: whyNotPlain},
		{story: "a dot", entries: files("./a"), why: whyNotPlain},
		{story: "a dot within", entries: files("a/./b"), why: whyNotPlain},
		{story: "two slashes", entries: files("a//b"), why: whyNotPlain},
		{story: "a directory with two slashes", entries: files("a//"), why: whyNotPlain},
		{story: "a backslash", entries: files(`..\x`), why: whyCharacters},
		{story: "a newline", entries: files("a\nb"), why: whyCharacters},
		{story: "an escape sequence", entries: files("a\x1b[2J"), why: whyCharacters},
		{story: "delete", entries: files("a\x7f"), why: whyCharacters},
		{story: "a right-to-left override", entries: files("a\u202egpj.sh"), why: whyCharacters},
		{story: "no-break space", entries: files("a\u00a0b"), why: whyCharacters},
		{story: "not UTF-8", entries: files("a\xff"), why: whyCharacters},
		{story: "a part too long", entries: files(strings.Repeat("x", 256)), why: whyLongName},
		{story: "outside", entries: files("go/x", "gone/x"), o: top, why: whyOutside},
		{story: "the top as a file", entries: files("go"), o: top, why: whyOutside},
		{story: "too deep", entries: files("1/2/3/4", "1/2/3/4x/5"), why: whyTooDeep},
		{story: "twice", entries: files("a/b", "a/c", "a/b"), why: whyDuplicate},
		{story: "but for case", entries: files("a/README", "a/readme"), why: whyCase},
		{story: "a directory but for case", entries: files("src/a", "Src/b"), why: whyCase},
		{story: "a listed directory but for case", entries: files("src/a", "SRC/"), why: whyCase},
		{story: "but for case, outside of ASCII", entries: files("þ", "Þ"), why: whyCase},
		{story: "the Kelvin sign", entries: files("k", "\u212a"), why: whyCase},
		{story: "the long s", entries: files("S", "ſ"), why: whyCase},
		{story: "below a file", entries: files("a", "a/b"), why: whyBelowFile},
		{story: "far below a file", entries: files("a", "a/b/c"), why: whyBelowFile},
		{story: "a file for a directory", entries: files("a/b", "a"), why: whyDuplicate},
		{story: "a directory for a file", entries: files("a", "a/"), why: whyDuplicate},
		{story: "two names become one", entries: files("a/_go.mod", "a/go.mod"), why: whyDuplicate, o: func(o Options) Options {
			o.Rename = func(s string) string { return strings.ReplaceAll(s, "_go.mod", "go.mod") }
			return o
		}},
		{story: "a foreign file", entries: files("a", "b"), why: whyForeign, o: func(o Options) Options {
			o.Rename = func(s string) string { return strings.ReplaceAll(s, "b", "") }
			return o
		}},
		{story: "too many", entries: files(numbered(101)...), why: whyTooMany},
		{story: "too many directories", entries: files(strings.Split(strings.Repeat("d/ ", 100)+"d/", " ")...), why: whyTooMany},
		{story: "too large a file", entries: []entry{{name: "a", data: strings.Repeat("0", 1<<20+1)}}, why: whyLargeFile},
		{story: "no files", entries: files("a/"), why: whyNoFiles, name: "-"},
	} {
		t.Run(c.story, func(t *testing.T) {
			name := c.entries[len(c.entries)-1].name
			if c.name == "-" {
				name = ""
			}
			for _, format := range []string{TarGz, Zip} {
				o := small(format)
				if c.o != nil {
					o = c.o(o)
				}
				b := map[string]func(testing.TB, ...entry) []byte{TarGz: tarGz, Zip: zipOf}[format](t, c.entries...)
				refused(t, bytes.NewReader(b), bytes.NewReader(b), o, name, c.why)
			}
		})
	}
}

func numbered(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("f%d", i))
	}
	return out
}

func TestEveryEntryThatIsNoFileIsRefused(t *testing.T) {
	for _, c := range []struct {
		story string
		entry entry
		why   lang.Text
	}{
		{"a link out", entry{name: "a", kind: tar.TypeSymlink, to: "/etc"}, whyLink},
		{"a link within", entry{name: "a", kind: tar.TypeSymlink, to: "ok"}, whyLink},
		{"a hard link out", entry{name: "a", kind: tar.TypeLink, to: "/etc/shadow"}, whyHardLink},
		{"a hard link within", entry{name: "a", kind: tar.TypeLink, to: "ok"}, whyHardLink},
		{"a character device", entry{name: "a", kind: tar.TypeChar}, whyDevice},
		{"a block device", entry{name: "a", kind: tar.TypeBlock}, whyDevice},
		{"a pipe", entry{name: "a", kind: tar.TypeFifo}, whyDevice},
		{"a contiguous file", entry{name: "a", kind: tar.TypeCont}, whyKind},
		{"a kind of its own", entry{name: "a", kind: 'Z'}, whyKind},
	} {
		t.Run(c.story, func(t *testing.T) {
			b := tarGz(t, entry{name: "ok", data: "ok"}, c.entry)
			refused(t, bytes.NewReader(b), bytes.NewReader(b), small(TarGz), "a", c.why)
		})
	}
	for _, c := range []struct {
		story string
		mode  fs.FileMode
		why   lang.Text
	}{
		{"a link", fs.ModeSymlink | 0o777, whyLink},
		{"a device", fs.ModeDevice | 0o600, whyDevice},
		{"a pipe", fs.ModeNamedPipe | 0o600, whyDevice},
		{"a directory with the name of a file", fs.ModeDir | 0o755, whyDevice},
	} {
		t.Run("zip: "+c.story, func(t *testing.T) {
			b := zipWith(t, func(h *zip.FileHeader) { h.SetMode(c.mode) }, entry{name: "a", data: "/etc/shadow"})
			refused(t, bytes.NewReader(b), bytes.NewReader(b), small(Zip), "a", c.why)
		})
	}
}

// sparseTar is what `tar --sparse --format=posix` and `--format=gnu` write: a file that
// says to be larger than its data.
func TestSparseFilesAreRefused(t *testing.T) {
	pax := &tar.Header{Name: "a", Mode: 0o644, Typeflag: tar.TypeReg, Size: 512 + 3}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	data := "1\n0\n3\n"
	if err := w.WriteHeader(pax); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, data+strings.Repeat("\x00", 512-len(data))+"abc") //nolint:errcheck // a buffer
	w.Close()
	// archive/tar writes no GNU.sparse records: a header of its own before the file has them
	records := paxRecord("GNU.sparse.major", "1") + paxRecord("GNU.sparse.minor", "0") +
		paxRecord("GNU.sparse.name", "a") + paxRecord("GNU.sparse.realsize", "3")
	x := rawTar(t, entry{name: "x", data: records})
	x = x[:1024]
	x[156] = tar.TypeXHeader
	checksum(x[:512])
	raw := gz(t, append(x, b.Bytes()...))
	refused(t, bytes.NewReader(raw), bytes.NewReader(raw), small(TarGz), "a", whySparse)

	old := rawTar(t, entry{name: "a", data: "abc"})
	old[156] = tar.TypeGNUSparse
	copy(old[257:], "ustar  \x00")
	copy(old[386:], "00000000000\x0000000000003\x00")
	copy(old[483:], "00000000003\x00")
	checksum(old[:512])
	raw = gz(t, old)
	refused(t, bytes.NewReader(raw), bytes.NewReader(raw), small(TarGz), "a", whySparse)
}

func paxRecord(key, value string) string {
	for n := 0; ; n++ {
		if s := fmt.Sprintf("%d %s=%s\n", n, key, value); len(s) == n {
			return s
		}
	}
}

func checksum(header []byte) {
	copy(header[148:], "        ")
	sum := 0
	for _, c := range header {
		sum += int(c)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
}

// endless is a tar.gz that is written while it is read, so that it need not fit
// anywhere.
func endless(write func(w *tar.Writer) error) *io.PipeReader {
	r, w := io.Pipe()
	go func() {
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		err := write(tar.NewWriter(z))
		if err == nil {
			err = z.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

func TestTenGigabytesOfZerosAreRefusedAtTheirHeader(t *testing.T) {
	r := endless(func(w *tar.Writer) error {
		if err := w.WriteHeader(&tar.Header{Name: "go/zeros", Mode: 0o644, Size: 10 << 30}); err != nil {
			return err
		}
		_, err := io.Copy(w, zeroReader{})
		return err
	})
	in := &tally{from: r}
	_, err := Read(t.Context(), in, GoTar())
	r.Close()
	same(t, err, "go/zeros", whyLargeFile)
	if in.n > 4<<20 {
		t.Errorf("%d bytes were read", in.n)
	}
}

type tally struct {
	from io.Reader
	n    int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.n += int64(n)
	return n, err
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestAMillionEntriesAreRefusedAtTheLimit(t *testing.T) {
	last := 0
	r := endless(func(w *tar.Writer) error {
		for last = range 1_000_000 {
			if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("go/%d", last), Mode: 0o644}); err != nil {
				return err
			}
		}
		return w.Close()
	})
	_, err := Read(t.Context(), r, GoTar())
	r.Close()
	same(t, err, "go/60000", whyTooMany)
}

func TestTheWholeIsBounded(t *testing.T) {
	megabyte := strings.Repeat("0", 1<<20)
	var many []entry
	for i := range 5 {
		many = append(many, entry{name: fmt.Sprint(i), data: megabyte})
	}
	b := tarGz(t, many...)
	refused(t, bytes.NewReader(b), bytes.NewReader(b), small(TarGz), "", whyLargeWhole) // headers count, too
	b = zipOf(t, many...)
	refused(t, bytes.NewReader(b), bytes.NewReader(b), small(Zip), "4", whyLargeWhole)

	empty := []byte{0, 0, 0, 0xff, 0xff} // a deflate block of nothing, again and again
	nothing := append(gz(t, nil)[:10], bytes.Repeat(empty, 1<<20)...)
	refused(t, bytes.NewReader(nothing), bytes.NewReader(nothing), small(TarGz), "", whyLargeWhole)

	padded := gz(t, append(rawTar(t, files("a")...), make([]byte, maxPadding+1)...))
	refused(t, bytes.NewReader(padded), bytes.NewReader(padded), small(TarGz), "", whyTrailing)
}

func TestWhatFollowsTheEndIsRefused(t *testing.T) {
	raw := rawTar(t, files("a")...)
	one := gz(t, raw)
	archive := zipOf(t, files("a")...)
	comment := bytes.Clone(archive)
	binary.LittleEndian.PutUint16(comment[len(comment)-2:], 3)
	for story, c := range map[string]struct {
		format string
		b      []byte
	}{
		"a byte behind the gzip stream":   {TarGz, append(bytes.Clone(one), 0)},
		"a script behind the gzip stream": {TarGz, append(bytes.Clone(one), "#!/bin/sh\n"...)},
		"a second gzip stream":            {TarGz, append(bytes.Clone(one), gz(t, rawTar(t, files("b")...))...)},
		"a byte behind the tar":           {TarGz, gz(t, append(bytes.Clone(raw), 1))},
		"a second tar":                    {TarGz, gz(t, append(bytes.Clone(raw), rawTar(t, files("b")...)...))},
		"a byte behind the padding":       {TarGz, gz(t, append(append(bytes.Clone(raw), make([]byte, 9000)...), 1))},
		"a byte behind the zip":           {Zip, append(bytes.Clone(archive), 0)},
		"a second zip":                    {Zip, append(bytes.Clone(archive), zipOf(t, files("b")...)...)},
		"a comment":                       {Zip, append(comment, "abc"...)},
	} {
		t.Run(story, func(t *testing.T) {
			refused(t, bytes.NewReader(c.b), bytes.NewReader(c.b), small(c.format), "", whyTrailing)
		})
	}
	padded := gz(t, append(bytes.Clone(raw), make([]byte, 10<<10)...))
	if _, err := Read(t.Context(), bytes.NewReader(padded), small(TarGz)); err != nil {
		t.Errorf("GNU tar's padding: %v", err)
	}
}

func TestAnArchiveThatIsCutAnywhereIsRefused(t *testing.T) {
	entries := []entry{{name: "a/b", data: "beta"}, {name: "a/c", data: strings.Repeat("gamma ", 200)}, {name: "d"}}
	for format, b := range map[string][]byte{TarGz: tarGz(t, entries...), Zip: zipOf(t, entries...)} {
		for n := range b {
			_, err := Read(t.Context(), bytes.NewReader(b[:n]), small(format))
			var unsafe *UnsafeError
			if !errors.As(err, &unsafe) || unsafe.Why != whyTruncated {
				t.Errorf("%s, %d of %d bytes: %v", format, n, len(b), err)
			}
		}
	}
	raw := rawTar(t, entries...)
	for n := 0; n < len(raw); n += 64 { // the gzip stream is whole, the tar is not
		if _, err := Read(t.Context(), bytes.NewReader(gz(t, raw[:n])), small(TarGz)); err == nil {
			t.Errorf("%d of %d bytes of a tar are taken", n, len(raw))
		}
	}
}

func TestAFlippedByteIsRefusedOrChangesNothing(t *testing.T) {
	entries := []entry{{name: "a/b", data: "beta"}, {name: "a/c", data: strings.Repeat("gamma ", 20), mode: 0o755}}
	for format, b := range map[string][]byte{TarGz: tarGz(t, entries...), Zip: zipOf(t, entries...)} {
		want, err := Read(t.Context(), bytes.NewReader(b), small(format))
		if err != nil {
			t.Fatal(err)
		}
		refusals := 0
		for i := range b {
			bad := bytes.Clone(b)
			bad[i] ^= 0x55
			got, err := Read(t.Context(), bytes.NewReader(bad), small(format))
			var unsafe *UnsafeError
			switch {
			case errors.As(err, &unsafe):
				refusals++
			case err != nil:
				t.Errorf("%s, byte %d: %v", format, i, err)
			case got.SHA256 == want.SHA256 || fmt.Sprint(got.Manifest) != fmt.Sprint(want.Manifest):
				t.Errorf("%s, byte %d: %+v", format, i, got)
			}
		}
		if refusals < len(b)/2 { // the rest are times and the like
			t.Errorf("%s: %d of %d", format, refusals, len(b))
		}
	}
}

// patched is b with the bytes at the n-th place of what replaced.
func patched(t *testing.T, b []byte, n int, what, with string) []byte {
	t.Helper()
	out, at := bytes.Clone(b), 0
	for range n {
		i := bytes.Index(out[at:], []byte(what))
		if i < 0 {
			t.Fatalf("%q is not there %d times", what, n)
		}
		at += i + len(what)
	}
	copy(out[at-len(what):], with)
	return out
}

func TestAZipWhoseDirectoryAndFilesDifferIsRefused(t *testing.T) {
	ok := zipOf(t, entry{name: "one", data: "1"}, entry{name: "two", data: "2"})
	central := bytes.Index(ok, []byte("PK\x01\x02"))
	second := central + bytes.Index(ok[central+1:], []byte("PK\x01\x02")) + 1
	end := bytes.Index(ok, []byte("PK\x05\x06"))
	set := func(at int, b ...byte) []byte {
		out := bytes.Clone(ok)
		copy(out[at:], b)
		return out
	}
	cut := func(from, to int) []byte { return append(bytes.Clone(ok[:from]), ok[to:]...) }
	stored := zipWith(t, func(h *zip.FileHeader) { h.Method = zip.Store }, entry{name: "one", data: "1"})
	other := lang.F("the archive is damaged: %s", "归档已损坏：%s", "04034b00")
	for _, c := range []struct {
		story string
		b     []byte
		name  string
		why   lang.Text
	}{
		{"another name in the directory", patched(t, ok, 2, "two", "tow"), "two", whyContradicts},
		{"a name differs by a byte's case", patched(t, ok, 2, "two", "Two"), "two", whyContradicts},
		{"a file the directory does not have", cut(second, end), "two", whyContradicts},
		{"a file only the directory has", append(append(bytes.Clone(ok[:end]), ok[second:end]...), ok[end:]...), "", whyContradicts},
		{"the other order", append(append(append(bytes.Clone(ok[:central]), ok[second:end]...), ok[central:second]...), ok[end:]...), "one", whyContradicts},
		{"another checksum", set(central+16, 1), "one", whyContradicts},
		{"another packed size", set(central+20, 99), "one", whyContradicts},
		{"another size", set(central+24, 99), "one", whyContradicts},
		{"another method", set(central+10, 0), "one", whyContradicts},
		{"other flags", set(central+8, 0), "one", whyContradicts},
		{"another place", set(second+42, 0), "two", whyContradicts},
		{"another disk", set(central+34, 1), "one", whyContradicts},
		{"the end counts one less", set(end+8, 1, 0, 1, 0), "", whyContradicts},
		{"the end tells another size", set(end+12, 1), "", whyContradicts},
		{"the end tells another place", set(end+16, 1), "", whyContradicts},
		{"a comment that is told and not there", set(end+20, 1), "", whyTruncated},
		{"something before the first file", append([]byte("#!/bin/sh\n"), ok...), "", lang.F("the archive is damaged: %s", "归档已损坏：%s", "622f2123")},
		{"something between two files", append(append(bytes.Clone(ok[:central]), 0), ok[central:]...), "", lang.F("the archive is damaged: %s", "归档已损坏：%s", "014b5000")},
		{"encrypted", set(6, 9), "one", whyMethod},
		{"bzip2", set(8, 12), "one", whyMethod},
		{"no end told", stored, "one", whyNoSize},
		{"a descriptor with another checksum", patched(t, ok, 1, "PK\x07\x08", "PK\x07\x08\x01\x02"), "one", whyWrongSum},
		{"no descriptor", patched(t, ok, 1, "PK\x07\x08", "\x00KP\x04"), "one", lang.F("the archive is damaged: %s", "归档已损坏：%s", "04504b00")},
		{"a signature nobody knows", append(append(bytes.Clone(ok[:0]), "\x00\x4b\x03\x04"...), ok...), "", other},
	} {
		t.Run(c.story, func(t *testing.T) {
			refused(t, bytes.NewReader(c.b), bytes.NewReader(c.b), small(Zip), c.name, c.why)
		})
	}
}

func TestAZipThatTellsSizesBeforehandIsHeldToThem(t *testing.T) {
	raw := func(change func(h *zip.FileHeader)) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: "a", Method: zip.Store, CRC32: 0x352441c2, CompressedSize64: 3, UncompressedSize64: 3}
		change(h)
		f, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, "abc") //nolint:errcheck // a buffer
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if res, err := Read(t.Context(), bytes.NewReader(raw(func(*zip.FileHeader) {})), small(Zip)); err != nil || res.Manifest.Files[0].Size != 3 {
		t.Error(res, err)
	}
	for _, c := range []struct {
		change func(h *zip.FileHeader)
		why    lang.Text
	}{
		{func(h *zip.FileHeader) { h.CRC32++ }, whyWrongSum},
		{func(h *zip.FileHeader) { h.CompressedSize64++ }, whyWrongSum},
		{func(h *zip.FileHeader) { h.UncompressedSize64 = 4; h.CompressedSize64 = 4 }, whyWrongSum},
		{func(h *zip.FileHeader) { h.UncompressedSize64 = 10 << 30; h.CompressedSize64 = 10 << 30 }, whyLargeFile},
	} {
		b := raw(c.change)
		refused(t, bytes.NewReader(b), bytes.NewReader(b), small(Zip), "a", c.why)
	}
	b := raw(func(h *zip.FileHeader) { h.Name = "a/" })
	refused(t, bytes.NewReader(b), bytes.NewReader(b), small(Zip), "a/", whyKind)
}

// Each of these files lies below directories of its own: few entries, and many names to
// be kept in memory.
func TestDirectoriesThatNobodyListedCountToo(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i := range 40 {
		name := "go/" + strings.Repeat(fmt.Sprintf("d%d/", i), 30) + "f"
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	z.Close()
	o := GoTar()
	o.Entries = 1000
	var unsafe *UnsafeError
	if _, err := Read(t.Context(), &b, o); !errors.As(err, &unsafe) || unsafe.Why != whyTooMany {
		t.Error(err)
	}
}
