package answers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Schema is the JSON Schema (draft 2020-12) of the answers file, for editors:
// the keys of steps in their order, with titles and help in language l. It is
// looser than Decode where a step's own Check judges.
func Schema(steps []engine.Step, l lang.Lang) []byte {
	all := object{}
	for _, s := range steps {
		all = append(all, member{s.ID(), stepSchema(s, l)})
	}
	ref := object{{"$ref", "#/$defs/steps"}}
	root := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", lang.T("goxin answers", "goxin 应答文件").In(l)},
		{"type", "object"},
		{"properties", object{
			{"version", object{{"const", Version}}},
			{"steps", ref},
			{"hosts", object{
				{"description", lang.T("what differs on some machines, applied in order", "部分主机上的差异，按顺序应用").In(l)},
				{"type", []string{"array", "null"}},
				{"items", object{
					{"type", "object"},
					{"properties", object{{"match", matchSchema(l)}, {"steps", ref}}},
					{"required", []string{"match"}},
					{"additionalProperties", false},
				}},
			}},
		}},
		{"required", []string{"version"}},
		{"anyOf", []object{{{"required", []string{"steps"}}}, {{"required", []string{"hosts"}}}}},
		{"additionalProperties", false},
		{"$defs", object{{"steps", object{
			{"description", lang.T("a step runs if its key is here; {} means its defaults", "写了键的步骤才会执行；{} 表示用默认值").In(l)},
			{"type", []string{"object", "null"}},
			{"properties", all},
			{"additionalProperties", false},
		}}}},
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		panic(fmt.Sprintf("a default that has no JSON form: %v", err)) // a bug in a step, whatever the machine
	}
	return out.Bytes()
}

func matchSchema(l lang.Lang) object {
	text := func(en, zh string) object {
		return object{{"description", lang.T(en, zh).In(l)}, {"type", "string"}, {"minLength", 1}}
	}
	arch := text("uname -m or GOARCH", "uname -m 或 GOARCH")
	return object{
		{"type", "object"},
		{"properties", object{
			{"hostname", text("a pattern: * stands for anything, ? for one character", "模式：* 代表任意内容，? 代表一个字符")},
			{"arch", append(arch, member{"enum", arches()})},
			{"os", text("os-release ID or product: kylin, kylin-server", "os-release 的 ID 或产品名：kylin、kylin-server")},
		}},
		{"minProperties", 1},
		{"additionalProperties", false},
	}
}

func stepSchema(s engine.Step, l lang.Lang) object {
	fields := object{}
	for _, f := range s.Fields() {
		fields = append(fields, member{f.Key, fieldSchema(f, l)})
	}
	return object{
		{"title", s.Title().In(l)},
		{"type", []string{"object", "null"}},
		{"properties", fields},
		{"additionalProperties", false},
	}
}

func fieldSchema(f engine.Field, l lang.Lang) object {
	// Text is kept as written, so 1.0 and true are text too.
	written := object{{"type", []string{"string", "number", "boolean"}}}
	out := object{{"title", f.Title.In(l)}}
	if h := help(f, l); h != "" {
		out = append(out, member{"description", h})
	}
	switch f.Kind {
	case engine.Secret:
		out = append(out, member{"type", "string"}, member{"pattern", `^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+|prompt:)$`})
	case engine.Choice:
		out = append(out, member{"enum", options(f)})
	case engine.Many:
		out = append(out, member{"type", "array"}, member{"items", object{{"enum", options(f)}}}, member{"uniqueItems", true})
	case engine.Confirm:
		out = append(out, member{"type", "boolean"})
	case engine.Number:
		out = append(out, member{"type", "integer"})
		if f.Max > f.Min {
			out = append(out, member{"minimum", f.Min}, member{"maximum", f.Max})
		}
	case engine.List:
		out = append(out, member{"type", "array"}, member{"items", written})
	case engine.Map:
		out = append(out, member{"type", "object"}, member{"additionalProperties", written})
	default:
		out = append(out, written...)
	}
	if f.Default != nil {
		out = append(out, member{"default", f.Default})
	}
	return out
}

// help is a field's help and what its options mean.
func help(f engine.Field, l lang.Lang) string {
	var lines []string
	if h := oneLine(f.Help.In(l)); h != "" {
		lines = append(lines, h)
	}
	for _, o := range f.Options {
		if t := about(o, l); t != "" {
			lines = append(lines, o.Value+lang.T(": ", "：").In(l)+t)
		}
	}
	return strings.Join(lines, "\n")
}

// about is what an option is, in a line.
func about(o engine.Option, l lang.Lang) string {
	var parts []string
	for _, s := range []string{oneLine(o.Title.In(l)), oneLine(o.Help.In(l))} {
		if s != "" && s != o.Value {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, lang.T(": ", "：").In(l))
}

// object is a JSON object that keeps its order.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
