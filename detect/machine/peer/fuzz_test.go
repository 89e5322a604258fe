package peer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"testing"

	"goxin/assets/lang"
)

// What a frame decoder takes is what an encoder made of it.
func FuzzFrame(f *testing.F) {
	f.Add(appendFrame(nil, kindData, []byte("data")))
	f.Add(appendFrame(appendFrame(nil, kindHello, nil), kindOver))
	f.Add([]byte{'C', 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{'C', 0, 0x10, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		var again []byte
		for {
			k, payload, err := readFrame(r)
			if err != nil {
				break
			}
			again = appendFrame(again, k, payload)
		}
		if !bytes.HasPrefix(b, again) {
			t.Errorf("%q became %q", b, again)
		}
		_, _ = io.ReadAll(&data{r: bytes.NewReader(b)})
	})
}

// An error from a hostile agent can be read, in both languages, whatever it is.
func FuzzFault(f *testing.F) {
	for _, err := range []error{fs.ErrNotExist, &fs.PathError{Op: "open", Path: "/\xff", Err: fs.ErrExist}, errors.Join(io.EOF, lang.Quote("x"))} {
		b, _ := json.Marshal(faultOf(err))
		f.Add(b)
	}
	f.Add([]byte(`{"kind":"path"}`))
	f.Add([]byte(`{"kind":"join","all":[null,{"kind":"join"}]}`))
	f.Add([]byte(`{"kind":"sentinel","name":"no such","cause":{"kind":"errno","name":"EBOGUS"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var x *fault
		if json.Unmarshal(b, &x) != nil {
			return
		}
		err := x.err()
		if (err == nil) != (x == nil) {
			t.Fatalf("%s became %v", b, err)
		}
		if err != nil {
			_ = err.Error() + lang.Message(err, lang.ZH) + lang.Hint(err, lang.EN)
			_ = faultOf(err)
		}
	})
}

// A line that carries anything neither breaks the link's promise nor the program.
func FuzzLink(f *testing.F) {
	f.Add(appendFrame(nil, kindCarry, make([]byte, 8), []byte("abc")))
	f.Add(appendFrame(appendFrame(nil, kindCarry, make([]byte, 8), []byte("abc")), kindOver))
	f.Add(appendFrame(nil, kindCarry, []byte{0, 0, 0, 0, 0, 0, 0, 99}))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := newLink(usualPace())
		_ = l.carry(&tape{r: bytes.NewReader(b)}, 0)
		l.fail(io.EOF)
		got, _ := io.ReadAll(l)
		if len(got) > len(b) || uint64(len(got)) != l.got {
			t.Errorf("%d bytes of %d, counted %d", len(got), len(b), l.got)
		}
	})
}

type tape struct{ r io.Reader }

func (t *tape) Read(p []byte) (int, error)  { return t.r.Read(p) }
func (t *tape) Write(p []byte) (int, error) { return len(p), nil }
func (t *tape) Close() error                { return nil }

func FuzzRaw(f *testing.F) {
	for _, s := range []string{"", "a", "\xff", "\x00", "\x00YQ==", "名", "\ufffd", "a\x00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := json.Marshal(request{Name: raw(s)})
		if err != nil {
			t.Fatal(err)
		}
		var q request
		if err := json.Unmarshal(b, &q); err != nil || string(q.Name) != s {
			t.Errorf("%q became %q: %v", s, q.Name, err)
		}
	})
}

func TestAHugeFrameTakesNoMemoryBeforeItComes(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, _, err := readFrame(bytes.NewReader([]byte{'D', 0, 0x0f, 0xff, 0xff, 1, 2})); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		if _, _, err := readFrame(bytes.NewReader([]byte{'D', 0xff, 0xff, 0xff, 0xff})); err == nil || errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / 100; n > 2*chunk {
		t.Errorf("%d bytes for a frame that never came", n)
	}
}

func TestErrorsOfAllKindsArriveAsTheyWere(t *testing.T) {
	deep := error(fs.ErrPermission)
	for range 2 * mostLayers {
		deep = fmt.Errorf("%w", deep)
	}
	for name, err := range map[string]error{
		"a hint":        lang.Errorf(fs.ErrExist, "cannot do %s", "无法做 %s", "it").WithHint("do that", "请那样做"),
		"a reason like": lang.Because(nil, "no", "否").Like(fs.ErrInvalid),
		"deep":          deep,
		"joined":        errors.Join(lang.Quote("one"), fs.ErrClosed),
	} {
		b, e := json.Marshal(faultOf(err))
		var f *fault
		if e == nil {
			e = json.Unmarshal(b, &f)
		}
		if e != nil {
			t.Fatal(e)
		}
		got := f.err()
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			if lang.Message(got, l) != lang.Message(err, l) || lang.Hint(got, l) != lang.Hint(err, l) {
				t.Errorf("%s: %q (%q), want %q (%q)", name, lang.Message(got, l), lang.Hint(got, l), lang.Message(err, l), lang.Hint(err, l))
			}
		}
		for _, s := range []error{fs.ErrExist, fs.ErrInvalid, fs.ErrClosed} {
			if errors.Is(got, s) != errors.Is(err, s) {
				t.Errorf("%s: is %v: %t", name, s, errors.Is(got, s))
			}
		}
	}
}
