package mirrors

import (
	"strings"
	"testing"

	"goxin/assets/lang"
)

func TestABadCatalogueIsRefusedWithItsPlace(t *testing.T) {
	const head = "products:\n- id: openeuler\n"
	for name, x := range map[string]struct{ text, says string }{
		"an unknown key":            {head + "  mirors: []\n", "f:3:3: unknown field"},
		"a wrong type":              {head + "  mirrors: 5\n", "f:3:"},
		"a list for a text":         {"products:\n- id: [a]\n  mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}]\n", "f:2:7: a text is expected"},
		"a key twice":               {head + "  id: b\n", "f:3:"},
		"nothing":                   {"", "f: no products"},
		"no products":               {"products: []\n", "f: no products"},
		"another document":          {"a: b\n", "f:1:1: unknown field"},
		"broken YAML":               {"products: [\n", "f:1:"},
		"an anchor":                 {"products: &a\n- id: x\n", "f:1:11: a catalogue has no anchors"},
		"an alias":                  {"products: *a\n", "a catalogue has no anchors"},
		"a tag":                     {"products: !!python/object x\n", "f:1:11: a catalogue has no anchors"},
		"brackets without end":      {strings.Repeat("[", 100000), "deep nesting"},
		"dashes without end":        {strings.Repeat("- ", 100000) + "a", "deep nesting"},
		"too much":                  {strings.Repeat("#", largest+1), "256 KiB"},
		"no scheme":                 {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: mirror.example/openeuler/}]\n", "f:3:"},
		"another scheme":            {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: file:///srv/}]\n", "is no prefix"},
		"no slash at the end":       {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: http://mirror.example}]\n", "is no prefix"},
		"a second line in a URL":    {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: \"http://a/\\ngpgcheck=0\\n/\"}]\n", "is no prefix"},
		"a password in a URL":       {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: http://u:p@a/}]\n", "is no prefix"},
		"a name in one language":    {head + "  mirrors: [{id: a, name: {en: A}, url: http://a/}]\n", "both languages"},
		"a mirror twice":            {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}, {id: a, name: {en: A, zh: A}, url: http://b/}]\n", "twice"},
		"a mirror called fastest":   {head + "  mirrors: [{id: fastest, name: {en: A, zh: A}, url: http://a/}]\n", "means something else"},
		"a product twice":           {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}]\n- id: openeuler\n  mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}]\n", "twice"},
		"a short fingerprint":       {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}]\n  keys: [{fingerprint: B25E7F66}]\n", "40 hexadecimal digits"},
		"a key from elsewhere":      {head + "  mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}]\n  keys: [{path: keys/a}]\n", "absolute"},
		"a section in a repository": {head + "  vendor: [a/]\n  official: http://a/\n  repos: [{id: \"a]\\n[b\", name: A, path: x/}]\n", "without blanks"},
		"a path that climbs":        {head + "  vendor: [a/]\n  official: http://a/\n  repos: [{id: a, name: A, path: x/../y}]\n", "below a site"},
		"a bad pattern":             {head + "  versions: [\"[\"]\n  mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}]\n", "no pattern"},
		"a vendor with a scheme":    {head + "  vendor: [http://a/]\n  official: http://a/\n", "without a scheme"},
		"neither site nor mirrors":  {head, "neither"},
		"an unknown product":        {"products:\n- id: openeular\n  mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}]\n", "openeular"},
	} {
		c, err := Parse("f", []byte(x.text))
		if err == nil || c != nil || !strings.Contains(lang.Message(err, lang.EN), x.says) {
			t.Errorf("%s: %v, want %q", name, err, x.says)
		}
		if zh := lang.Message(err, lang.ZH); err != nil && zh == "" {
			t.Errorf("%s: nothing in Chinese", name)
		}
	}
}

func TestAllThatIsWrongInTheValuesIsSaidAtOnce(t *testing.T) {
	_, err := Parse("f", []byte("products:\n- id: a\n  mirrors:\n  - {id: A, name: {en: x, zh: x}, url: ftp://a/}\n  keys: [{fingerprint: 1}]\n"))
	got := lang.Message(err, lang.EN)
	for _, place := range []string{"f:4:10: ", "f:4:40: ", "f:5:24: "} {
		if !strings.Contains(got, place) {
			t.Errorf("no %s in\n%s", place, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(embedded[:4000])
	f.Add([]byte("products: [{id: openeuler, mirrors: [{id: a, name: {en: A, zh: A}, url: http://a/}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := Parse("f", data); err == nil && len(c.Products) == 0 {
			t.Error("a catalogue of nothing")
		}
	})
}
