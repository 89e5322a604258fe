package origin

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

func unxz(s string) (string, error) {
	b, err := io.ReadAll(io.LimitReader(newXZ(bufio.NewReader(strings.NewReader(s))), 1<<24))
	return string(b), err
}

func TestXZIsReadInEveryShapeItComesIn(t *testing.T) {
	text := strings.Repeat("all of it, ", 20_000)
	one := xzipped(t, text, xz.WriterConfig{})
	blocks := xzipped(t, text, xz.WriterConfig{BlockSize: 10_001})
	for name, c := range map[string]struct{ in, want string }{
		"one block":                 {one, text},
		"many blocks":               {blocks, text},
		"nothing":                   {xzipped(t, "", xz.WriterConfig{}), ""},
		"with CRC32":                {xzipped(t, text, xz.WriterConfig{CheckSum: xz.CRC32}), text},
		"with SHA-256":              {xzipped(t, text, xz.WriterConfig{CheckSum: xz.SHA256}), text},
		"without checks":            {xzipped(t, text, xz.WriterConfig{NoCheckSum: true}), text},
		"two streams":               {one + blocks, text + text},
		"two streams, with padding": {one + "\x00\x00\x00\x00\x00\x00\x00\x00" + blocks + "\x00\x00\x00\x00", text + text},
	} {
		if got, err := unxz(c.in); got != c.want || err != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestXZThatIsDamagedIsAnError(t *testing.T) {
	good := xzipped(t, strings.Repeat("all of it, ", 2_000), xz.WriterConfig{BlockSize: 10_001, DictCap: 4096})
	for n := range len(good) {
		if _, err := unxz(good[:n]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("its first %d of %d bytes: %v", n, len(good), err)
		}
	}
	dict := bytes.Replace([]byte(good), []byte{0x21, 1}, []byte{0x21, 1}, 1)
	dict[bytes.Index(dict, []byte{0x21, 1})+2] = 40 // 4 GiB
	for name, b := range map[string]string{
		"a page":              "<html>not found</html>",
		"something behind":    good + "x",
		"zeros, but not four": good + "\x00\x00",
		"a huge dictionary":   string(dict),
	} {
		if _, err := unxz(b); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// FuzzXZ compares with a reader that also checks the checks.
func FuzzXZ(f *testing.F) {
	f.Add([]byte(xzipped(f, "hello", xz.WriterConfig{DictCap: 4096})))
	f.Add([]byte(xzipped(f, strings.Repeat("hello ", 1000), xz.WriterConfig{BlockSize: 1000, DictCap: 4096})))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := unxz(string(b))
		if err != nil || len(b) == 0 {
			return
		}
		r, err := xz.NewReader(bytes.NewReader(b))
		if err != nil {
			return // it looks at more than this one
		}
		want, err := io.ReadAll(io.LimitReader(r, 1<<24))
		if err == nil && string(want) != got {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// FuzzSniff looks at anything's beginning.
func FuzzSniff(f *testing.F) {
	f.Add(tarGz(f, []entry{{"go/VERSION", "go1.26.8\n"}}))
	f.Add(moduleZip(f, tool, map[string]string{"VERSION": "go1.26.8\n"}))
	f.Add([]byte(program("go")))
	f.Fuzz(func(t *testing.T, b []byte) {
		what, o := sniff(b)
		if (what == Other) != (o.Format == "") {
			t.Errorf("%s, to be unpacked as %q", what, o.Format)
		}
		if v := release(b); v != "" && !strings.HasPrefix(string(b), v) {
			t.Errorf("%q is a version", v)
		}
		if _, arch, ok := platform(b); ok && arch == "" {
			t.Error("a platform without a name")
		}
		if name, ok := called(string(b)); ok && name.Version == "" {
			t.Errorf("%q is the name of an archive of no version", b)
		}
	})
}
