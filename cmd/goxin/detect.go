package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
)

func (a *app) detectCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "detect",
		Short: a.s("What this machine is, and how each fact was learnt", "本机是什么，以及每项事实的来源"),
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := detect.Detect(c.Context(), a.machine())
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(struct {
					Version int `json:"version"`
					*detect.Facts
				}{1, f})
			}
			a.printFacts(f)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

// printFacts lists every fact under the name it has in the JSON, so that what a
// person sees is what a script asks for.
func (a *app) printFacts(f *detect.Facts) {
	a.result(f.Title().In(a.lang))
	a.result("")
	walkFacts("", reflect.ValueOf(f).Elem(), func(name, value string, from lang.Text) {
		a.result(strings.TrimRight(fmt.Sprintf("%-24s %-36s %s", name, value, from.In(a.lang)), " "))
	})
	for i, key := range f.Warnings {
		if i == 0 {
			a.result("")
		}
		a.result("! " + detect.Warn(key, f).In(a.lang))
	}
}

// walkFacts calls each for every detect.Fact below v: its path, its value, or
// "?" where it is not known, and how it was learnt.
func walkFacts(path string, v reflect.Value, each func(name, value string, from lang.Text)) {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Fact["):
		value := "?"
		if v.FieldByName("Known").Bool() {
			value = factText(v.FieldByName("Value"))
		}
		each(path, value, v.FieldByName("From").Interface().(lang.Text))
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if path != "" {
				name = path + "." + name
			}
			if k := t.Field(i).Type.Kind(); k == reflect.Struct || k == reflect.Slice {
				walkFacts(name, v.Field(i), each)
			}
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			e := v.Index(i)
			name := path
			if first := e.Field(0); first.Kind() == reflect.String { // its name or path
				name += "[" + first.String() + "]"
			}
			if strings.HasPrefix(e.Type().Field(e.NumField()-1).Type.Name(), "Fact[") {
				walkFacts(name, e, each)
				continue
			}
			each(name, factText(e), lang.Text{})
		}
	}
}

// factText is a value as people write it.
func factText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		if v.Len() == 0 {
			return "-"
		}
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, factText(v.Index(i)))
		}
		if len(parts) == 0 {
			return "-"
		}
		return strings.Join(parts, " ")
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			parts = append(parts, name+"="+factText(v.Field(i)))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(v.Interface())
}
