package whichgo

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// at is a situation with one go in PATH.
func at(version string, change func(*Situation)) *Situation {
	s := &Situation{
		Dir: "/src/p", Env: map[string]string{}, GOROOT: "/go", GOROOTBy: ByPath,
		Programs: []Program{{Path: "/go/bin/go", Real: "/go/bin/go", Version: version, Arch: "arm64"}},
		User:     File{Path: "/root/.config/go/env"}, GoEnv: File{Path: "/go/go.env", Values: map[string]string{"GOTOOLCHAIN": "auto"}},
		Named: map[string]Program{}, Cached: map[string]string{},
	}
	if change != nil {
		change(s)
	}
	return s
}

func named(s *Situation, names ...string) {
	for _, n := range names {
		s.Named[n] = Program{Path: "/bin/" + n, Version: n}
	}
}

// What the Go that runs the other table cannot be brought to: Gos that are not it.
func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name      string
		situation *Situation
		want      Decision
	}{
		{"no go", at("", func(s *Situation) { s.Programs = nil }), Decision{By: ByPath, Trouble: NoGo}},
		{"a shim", at("", nil), Decision{Program: "/go/bin/go", By: ByPath, Trouble: Shim}},
		{
			"a Go from before toolchain lines", at("go1.20.14", func(s *Situation) {
				s.Env["GOTOOLCHAIN"], s.Module = "go1.26.8", Module{Path: "/src/p/go.mod", Go: "1.26", Toolchain: "go1.26.8"}
				named(s, "go1.26.8")
			}),
			Decision{Toolchain: "go1.20.14", Program: "/go/bin/go", By: ByPath},
		},
		{
			"a development version", at("devel go1.27-abcdef", func(s *Situation) { s.Module = Module{Path: "/m", Go: "1.99"} }),
			Decision{Toolchain: "devel go1.27-abcdef", Program: "/go/bin/go", By: ByPath},
		},
		{
			"a vendor's Go by its plain name", at("go1.21.13 (Red Hat 1.21.13-4.el9_5)", func(s *Situation) { s.Env["GOTOOLCHAIN"] = "go1.21.13+path" }),
			Decision{Toolchain: "go1.21.13", By: ByEnv, Setting: "go1.21.13+path", SettingBy: ByEnv, Trouble: NotInPath},
		},
		{
			"a vendor's Go that is new enough", at("go1.21.13 (Red Hat 1.21.13-4.el9_5)", func(s *Situation) { s.Module = Module{Path: "/m", Go: "1.21", Toolchain: "go1.21.13"} }),
			Decision{Toolchain: "go1.21.13 (Red Hat 1.21.13-4.el9_5)", Program: "/go/bin/go", By: ByPath, Setting: "auto", SettingBy: ByGoEnv},
		},
		{
			"a vendor that took GOTOOLCHAIN out of go.env", at("go1.24.1", func(s *Situation) { s.GoEnv.Values = nil; s.Module = Module{Path: "/m", Go: "1.26"} }),
			Decision{Toolchain: "go1.24.1", Program: "/go/bin/go", By: ByPath, SettingBy: ByDefault},
		},
		{
			"from the module cache", at("go1.25.7", func(s *Situation) {
				s.Module = Module{Path: "/m", Go: "1.26"}
				s.Cached["go1.26.0"] = "/cache/bin/go"
			}),
			Decision{Toolchain: "go1.26.0", Program: "/cache/bin/go", By: ByGoLine, Setting: "auto", SettingBy: ByGoEnv},
		},
		{
			"PATH before the module cache", at("go1.25.7", func(s *Situation) {
				s.Module = Module{Path: "/m", Go: "1.26"}
				s.Cached["go1.26.0"] = "/cache/bin/go"
				named(s, "go1.26.0")
			}),
			Decision{Toolchain: "go1.26.0", Program: "/bin/go1.26.0", By: ByGoLine, Setting: "auto", SettingBy: ByGoEnv},
		},
		{
			"the module cache does not count for path", at("go1.25.7", func(s *Situation) {
				s.Env["GOTOOLCHAIN"], s.Module = "path", Module{Path: "/m", Go: "1.26"}
				s.Cached["go1.26.0"] = "/cache/bin/go"
			}),
			Decision{Toolchain: "go1.26.0", By: ByGoLine, Setting: "path", SettingBy: ByEnv, Trouble: NotInPath},
		},
		{
			"down to an older one", at("go1.26.8", func(s *Situation) { s.Env["GOTOOLCHAIN"] = "go1.24.3+path"; named(s, "go1.24.3") }),
			Decision{Toolchain: "go1.24.3", Program: "/bin/go1.24.3", By: ByEnv, Setting: "go1.24.3+path", SettingBy: ByEnv},
		},
		{
			"modules that say nothing known", at("go1.26.8", func(s *Situation) { s.User.Values = map[string]string{"GO111MODULE": "maybe"} }),
			Decision{Toolchain: "go1.26.8", Program: "/go/bin/go", By: ByUser, Trouble: BadModules},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Decide(c.situation); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// Each trouble is told in both languages with what to do, and a table marks one place.
func TestEveryDecisionIsTold(t *testing.T) {
	situations := map[Trouble]*Situation{
		NoTrouble: at("go1.26.8", nil),
		NoGo:      at("", func(s *Situation) { s.Programs = nil }),
		Shim:      at("", nil),
		NoGoroot:  at("go1.26.8", func(s *Situation) { s.GOROOT, s.GOROOTBy, s.NoGOROOT = "/none", ByEnv, true }),
		BadSetting: at("go1.26.8", func(s *Situation) {
			s.Env["GOTOOLCHAIN"] = "new\x1b[2J"
		}),
		BadLine:   at("go1.26.8", func(s *Situation) { s.Module = Module{Path: "/m\x1b", Toolchain: "fast\x1b"} }),
		NotInPath: at("go1.25.7", func(s *Situation) { s.Env["GOTOOLCHAIN"], s.Module = "path", Module{Path: "/m", Go: "1.26"} }),
		WrongName: at("go1.25.7", func(s *Situation) {
			s.Env["GOTOOLCHAIN"] = "go1.26.8"
			s.Named["go1.26.8"] = Program{Path: "/bin/go1.26.8", Version: "go1.26.7"}
		}),
		BadModules:  at("go1.26.8", func(s *Situation) { s.Env["GO111MODULE"] = "maybe" }),
		BadWorkPath: at("go1.26.8", func(s *Situation) { s.Env["GOWORK"] = "w" }),
	}
	for trouble, s := range situations {
		d := Decide(s)
		if d.Trouble != trouble {
			t.Errorf("%s: decided %+v", trouble, d)
		}
		err := d.Err(s)
		if (err == nil) != (trouble == NoTrouble) || d.Text(s).Empty() != (trouble != NoTrouble) {
			t.Errorf("%q: error %v, text %q", trouble, err, d.Text(s))
		}
		table := d.Table(s)
		var told strings.Builder
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			told.WriteString(lang.Message(err, l))
			if err != nil && (lang.Hint(err, l) == "" || lang.Message(err, l) == "") {
				t.Errorf("%s is not told in %s", trouble, l)
			}
			for _, r := range table.Rows {
				if len(r.Cells) != len(table.Columns) {
					t.Errorf("%s: row %q has %d cells", trouble, r.Key, len(r.Cells))
				}
				for _, c := range r.Cells {
					told.WriteString(c.In(l))
				}
			}
		}
		if strings.ContainsRune(told.String(), 0x1b) {
			t.Errorf("%s: what files say acts on the terminal", trouble)
		}
		best := 0
		for _, r := range table.Rows {
			if r.Mark == engine.Best {
				best++
			}
		}
		if want := 1; trouble != NoGo && best != want {
			t.Errorf("%q: %d places are marked as deciding: %+v", trouble, best, table.Rows)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name string
		s    *Situation
		want []string
	}{
		{"nothing", at("go1.26.8", nil), nil},
		{"GOROOT of another version", at("go1.26.8", func(s *Situation) {
			s.Env["GOROOT"], s.GOROOT, s.GOROOTBy, s.GOROOTVersion = "/old", "/old", ByEnv, "go1.19.8"
		}), []string{"GOROOT=/old is in the environment", "that GOROOT is go1.19.8"}},
		{"settings that outlive Gos", at("go1.26.8", func(s *Situation) {
			s.User.Values = map[string]string{"GOROOT": "/old", "GOTOOLCHAIN": "local"}
		}), []string{"env sets GOROOT to /old", "env sets GOTOOLCHAIN to local"}},
		{"an old Go", at("go1.19.8", nil), []string{"older than Go 1.21"}},
		{"a .go-version that nobody reads", at("go1.26.8", func(s *Situation) { s.Pin = Pin{"/src/.go-version", "1.24"} }), []string{"asks for 1.24"}},
		{"a .go-version that happens to hold", at("go1.26.8", func(s *Situation) { s.Pin = Pin{"/src/.go-version", "1.26"} }), nil},
	} {
		got := Decide(c.s).Warnings(c.s)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d warnings: %v", c.name, len(got), got)
			continue
		}
		for i, w := range c.want {
			if !strings.Contains(got[i].EN, w) || got[i].ZH == "" {
				t.Errorf("%s: %q does not say %q", c.name, got[i], w)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	mod := func(goLine, toolchain string) func(*Situation) {
		return func(s *Situation) { s.Module = Module{Path: "/src/p/go.mod", Go: goLine, Toolchain: toolchain} }
	}
	pin := func(v string) func(*Situation) {
		return func(s *Situation) {
			s.Pin = Pin{Path: "/src/p/.go-version", Version: v}
			s.Module = Module{Path: "/src/p/go.mod", Go: "1.99"}
		}
	}
	installed := []string{"go1.26.8", "go1.24.3", "go1.24.11", "go1.20.14", "go1.27rc1"}
	for _, c := range []struct {
		name    string
		project func(*Situation)
		current string
		want    string
		missing string // what the error names
	}{
		{"nothing is asked for", nil, "go1.24.3", "", ""},
		{"the one in use will do", mod("1.24", ""), "go1.26.8", "", ""},
		{"a newer one, and the oldest that will do", mod("1.25", ""), "go1.24.3", "go1.26.8", ""},
		{"the toolchain line by name", mod("1.24", "go1.24.11"), "go1.20.14", "go1.24.11", ""},
		{"a toolchain line that is not there, and a newer one is", mod("1.24", "go1.24.9"), "go1.20.14", "go1.24.11", ""},
		{"a go line above the toolchain line", mod("1.26", "go1.24.11"), "go1.20.14", "go1.26.8", ""},
		{"a candidate is new enough for a language version", mod("1.27", ""), "go1.26.8", "go1.27rc1", ""},
		{"but not for the release", mod("1.27.0", ""), "go1.26.8", "", "go1.27.0"},
		{"nothing is new enough", mod("1.30", ""), "go1.26.8", "", "go1.30.0"},
		{"toolchain default", mod("1.30", "default"), "go1.26.8", "", ""},
		{"no Go in use", mod("1.24.4", ""), "", "go1.24.11", ""},
		{"a go line nobody can read", mod("latest", ""), "", "", ""},
		{"pinned", pin("1.24.3"), "go1.26.8", "go1.24.3", ""},
		{"pinned to a line", pin("1.24"), "go1.26.8", "go1.24.11", ""},
		{"pinned to the one in use", pin("1.26.8"), "go1.26.8", "", ""},
		{"pinned to the line in use, which has a newer one", pin("1.24"), "go1.24.3", "go1.24.11", ""},
		{"pinned to a Go that is in use and not goxin's", pin("1.23"), "go1.23.1", "", ""},
		{"pinned to a candidate", pin("1.27rc1"), "go1.26.8", "go1.27rc1", ""},
		{"pinned to what is not there", pin("1.25.1"), "go1.26.8", "", "go1.25.1"},
		{"pinned to an old line, which is a release", pin("1.20"), "go1.26.8", "go1.20.14", ""},
		{"pinned to what cannot be read", pin(""), "go1.26.8", "", ".go-version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := at(c.current, c.project)
			got, err := Choose(s, slices.Clone(installed), c.current)
			if got.Toolchain != c.want || (err != nil) != (c.missing != "") {
				t.Fatalf("%+v, %v; want %q", got, err, c.want)
			}
			if err != nil && (!strings.Contains(err.Error(), c.missing) || lang.Hint(err, lang.ZH) == "" || !lang.Told(err)) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestFilesAreReadAsTheGoCommandReadsThem(t *testing.T) {
	lines := Lines("GOTOOLCHAIN = path\r\n# GOPROXY=x\ngoproxy=x\n=x\nGOPROXY=a=b\nGOSUMDB\nGOPROXY=c\n")
	if len(lines) != 2 || lines["GOTOOLCHAIN "] != " path\r" || lines["GOPROXY"] != "c" {
		t.Errorf("%q", lines)
	}
	for text, want := range map[string]string{
		"module m\n\n\t go\t1.26 // why\n": "1.26", "gofoo 1\ngo 1.20": "1.20", "go\n": "", "// go 1.26": "", "go 1.26\ngo 1.27": "1.26", "go 1.26\r\n": "1.26",
	} {
		if got := Directive(text, "go"); got != want {
			t.Errorf("%q says %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"1.26.8\n": "1.26.8", "go1.26.8": "1.26.8", "# ours\n\n 1.26 # line\n1.25\n": "1.26", "1.27rc1": "1.27rc1", "1.26.8-acme": "", "system": "", "": "", "../1.26": "", "gogo1.26": "", "1.26.8 1.25": "",
	} {
		if got := Pinned(text); got != want {
			t.Errorf("%q asks for %q, want %q", text, got, want)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	const list = "https://a:b@p.example/x@y,http://u@q.example|direct,off"
	if got := Masked(list); got != "https://***@p.example/x@y,http://***@q.example|direct,off" {
		t.Error(got)
	}
	s := Look(machine.Root(t.TempDir()), func(k string) string { return map[string]string{"GOPROXY": list}[k] }, "/")
	if strings.Contains(s.Env["GOPROXY"], "a:b") {
		t.Error("GOPROXY is shown with its password")
	}
}

func FuzzFiles(f *testing.F) {
	for _, s := range []string{"go 1.26\ntoolchain go1.26.8", "GOTOOLCHAIN=path\n", "1.26.8", "go1.26.8+path", "https://u:p@h/,x|y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p := Pinned(text); p != "" && versionOf("go"+p) != "go"+p {
			t.Errorf("%q is pinned to %q, which is no version", text, p)
		}
		if d := Directive(text, "go"); strings.ContainsAny(d, "\n") {
			t.Errorf("%q has a directive of two lines: %q", text, d)
		}
		for k, v := range Lines(text) {
			if k == "" || strings.Contains(k+v, "\n") {
				t.Errorf("%q sets %q to %q", text, k, v)
			}
		}
		if Masked(Masked(text)) != Masked(text) {
			t.Errorf("%q masked twice is another", text)
		}
		s := at("go1.26.8", func(s *Situation) {
			s.Env["GOTOOLCHAIN"] = text
			s.Module = Module{Path: "/m", Go: Directive(text, "go"), Toolchain: Directive(text, "toolchain")}
		})
		d := Decide(s)
		if (d.Trouble == NoTrouble) == (d.Err(s) != nil) || d.Download && d.Program != "" {
			t.Errorf("%q: %+v, %v", text, d, d.Err(s))
		}
		var told *lang.Error
		if _, err := Choose(s, []string{"go1.26.8"}, ""); err != nil && !errors.As(err, &told) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
