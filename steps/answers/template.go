package answers

import (
	"fmt"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// New is an answers file to start from, in language l: every step and every
// field with its options and its default, all of it commented out, so that it
// answers nothing until a person takes the # from the lines they want. Where
// hosts has machines the defaults are those for them, with the reasons.
func New(steps []engine.Step, hosts engine.Hosts, l lang.Lang) []byte {
	w := writer{lang: l, titles: true}
	w.line(0, "# "+lang.T("goxin answers: run them with goxin apply -f FILE", "goxin 应答文件：用 goxin apply -f FILE 执行").In(l))
	w.line(0, "# "+lang.T("A step runs if its key is here. Remove the # at the start of a line to use it;", "写了键的步骤才会执行。删掉行首的 # 即可启用该行；").In(l))
	w.line(0, "# "+lang.T("a key that is absent has its default.", "没有写的键取默认值。").In(l))
	w.line(0, fmt.Sprintf("version: %d", Version))
	w.line(0, "steps:")
	for _, s := range steps {
		w.line(0, "")
		w.title(1, s.Title())
		w.line(0, "#  "+scalarKey(s.ID())+":")
		asked := map[string]engine.Question{}
		if len(hosts.Order) > 0 {
			for _, q := range s.Questions(hosts, nil, engine.Values{}) {
				asked[q.Key] = q
			}
		}
		for _, f := range s.Fields() {
			w.field(f, asked[f.Key])
		}
	}
	w.line(0, "")
	w.line(0, "# "+lang.T("What differs on some machines, applied in order:", "部分主机上的差异，按顺序应用：").In(l))
	w.line(0, "#hosts:")
	w.line(0, `#  - match: {hostname: "web-*", arch: aarch64, os: kylin}`)
	w.line(0, "#    steps: {}")
	return w.Bytes()
}

// field writes one field of the template. Its comments have a second #, so
// that taking away the first leaves a comment.
func (w *writer) field(f engine.Field, q engine.Question) {
	comment := func(s string) {
		if s = oneLine(s); s != "" {
			w.line(0, "#    # "+s)
		}
	}
	comment(f.Title.In(w.lang))
	comment(f.Help.In(w.lang))
	width := 0
	for _, o := range f.Options {
		width = max(width, len(o.Value))
	}
	for _, o := range f.Options {
		w.line(0, strings.TrimRight(fmt.Sprintf("#    #   %-*s  %s", width, oneLine(o.Value), about(o, w.lang)), " "))
	}
	if f.Kind == engine.Number && f.Max > f.Min {
		comment(lang.F("from %d to %d", "%d 到 %d", f.Min, f.Max).In(w.lang))
	}
	if f.Kind == engine.Secret {
		comment(lang.T(`where it is: env:NAME, file:/PATH or "prompt:"`, `到哪里取：env:NAME、file:/PATH 或 "prompt:"`).In(w.lang))
	}
	def := f.Default
	if q.Default != nil {
		def = q.Default
		comment(q.Why.In(w.lang))
	}
	if def == nil {
		w.line(0, "#    # "+scalarKey(f.Key)+": "+example(f)+lang.T("   # no default", "   # 无默认值").In(w.lang))
		return
	}
	one := writer{lang: w.lang}
	one.value(2, f.Key, def)
	for line := range strings.Lines(one.String()) {
		w.line(0, "#"+strings.TrimRight(line, "\n"))
	}
}

// example shows how a value of the field is written.
func example(f engine.Field) string {
	switch f.Kind {
	case engine.Secret:
		return "env:NAME"
	case engine.Choice:
		if len(f.Options) > 0 {
			return scalar(f.Options[0].Value)
		}
	case engine.Many:
		if len(f.Options) > 0 {
			return "[" + scalar(f.Options[0].Value) + "]"
		}
	case engine.List:
		return "[a, b]"
	case engine.Map:
		return "{key: value}"
	case engine.Confirm:
		return "true"
	case engine.Number:
		return fmt.Sprint(max(f.Min, 0))
	}
	return `"text"`
}
