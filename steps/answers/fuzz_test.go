package answers

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"goxin/assets/lang"
)

// Whatever the bytes, decoding ends in answers or in problems with places; and
// what decodes is written so that it decodes to the same.
func FuzzDecode(f *testing.F) {
	for _, data := range hostileFiles(f) {
		f.Add(data)
	}
	for _, s := range awkward {
		f.Add([]byte(head + "  mirror: {url: " + doubleQuoted(s) + "}\n"))
		f.Add([]byte(head + "  mirror:\n    url: " + s + "\n  odd:\n    010: [" + s + "]\n    text: |\n     " + s))
	}
	steps := append(fakeSteps()[:3:3], oddSteps()...)
	for _, s := range []string{"\nhosts:\n- match: {hostname: \"a*\"}\n  steps:\n    odd: {map: {a: b}}\n", "steps: {odd: {map: {? a}, number: 1, confirm: true, secret: env:A}}"} {
		f.Add([]byte("version: 1\n" + s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Decode("f", data, steps)
		if err != nil {
			var p *Problems
			if !errors.As(err, &p) || len(p.List) == 0 || file != nil {
				t.Fatalf("%v with %v", err, file)
			}
			_ = p.In(lang.ZH)
			return
		}
		saved := file.Encode(steps, lang.EN)
		again, err := Decode("f", saved, steps)
		if err != nil || !reflect.DeepEqual(again, file) {
			t.Fatalf("%v\n%s\n%#v\n%#v", err, saved, file, again)
		}
		if twice := again.Encode(steps, lang.EN); !bytes.Equal(twice, saved) {
			t.Fatalf("saved again\n%s\nwas\n%s", twice, saved)
		}
		if _, changed, err := Upgrade("f", data); err != nil || changed {
			t.Fatalf("upgrade: %v, %v", changed, err)
		}
	})
}
