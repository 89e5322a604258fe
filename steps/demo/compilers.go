package demo

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/assets"
	"goxin/detect/machine"
	"goxin/steps/selftest"
)

// stub runs a simulated program.
func (c *call) stub(name string, p stub) error {
	switch base := path.Base(name); {
	case p.Source != "" && p.Arch == c.facts.Arch.GOARCH.Value:
		return c.compiled(p)
	case p.Source != "":
		c.say("%s: cannot execute binary file: Exec format error", name)
		return c.exit(126)
	case p.Tool == "goxin":
		return c.goxin()
	case p.Tool == "go":
		return c.golang(name, p)
	case slices.Contains([]string{"nft", "nginx", "keepalived"}, base):
		return c.program(base)(c)
	case c.has("--version"):
		c.say("%s %s", toolName(base), p.Version)
		return nil
	case strings.HasSuffix(base, "gcc") || strings.HasSuffix(base, "g++") || base == "cc" || base == "c++":
		return c.gcc()
	case base == "chronyc":
		return c.chronyc()
	}
	return nil
}

func toolName(base string) string {
	switch base {
	case "make":
		return "GNU Make"
	case "git":
		return "git version"
	case "gdb":
		return "GNU gdb (GDB)"
	case "strace":
		return "strace -- version"
	}
	return base + " (GCC)"
}

// gcc compiles a program of one file.
func (c *call) gcc() error {
	program, source := c.after("-o"), ""
	for _, a := range c.args {
		if strings.HasSuffix(a, ".c") {
			source = c.read(a)
		}
	}
	if program == "" || source == "" {
		c.say("gcc: fatal error: no input files")
		return c.exit(1)
	}
	if strings.Contains(source, "zlib.h") && !installed(c.load(), "zlib-devel") && !installed(c.load(), "zlib1g-dev") {
		c.say("hello.c:2:10: fatal error: zlib.h: No such file or directory")
		return c.exit(1)
	}
	if err := c.wait(350 * time.Millisecond); err != nil {
		return err
	}
	arch := c.facts.Arch.GOARCH.Value
	return c.output(program, stub{Source: source, Arch: arch, C: true})
}

func (c *call) output(program string, p stub) error {
	return c.Machine.WriteFile(program, p.encode(p.Arch), 0o755, machine.Keep)
}

// golang is the go command: version, env and build.
func (c *call) golang(name string, p stub) error {
	if len(c.args) == 0 {
		return c.exit(2)
	}
	own := c.facts.Arch.GOARCH.Value
	switch c.args[0] {
	case "version":
		if err := c.wait(40 * time.Millisecond); err != nil {
			return err
		}
		c.say("go version %s linux/%s", p.Version, own)
		return nil
	case "env":
		values := map[string]string{
			"GOVERSION": p.Version, "GOROOT": path.Dir(path.Dir(name)), "GOOS": "linux", "GOARCH": own,
			"GOPROXY": "https://proxy.golang.org,direct", "GOSUMDB": "sum.golang.org", "GOTOOLCHAIN": "auto",
		}
		for _, k := range c.args[1:] {
			if v := c.env(k); v != "" {
				values[k] = v
			}
			c.say("%s", values[k])
		}
		return nil
	case "build":
		return c.goBuild(p.Version, own)
	}
	c.say("go %s: unknown command", c.args[0])
	return c.exit(2)
}

func (c *call) goBuild(version, own string) error {
	file := c.args[len(c.args)-1]
	if file == "." {
		file = path.Join(c.c.Dir, "main.go")
	}
	source, program := c.read(file), c.after("-o")
	if source == "" || program == "" {
		c.say("no Go files in %s", c.c.Dir)
		return c.exit(1)
	}
	if err := c.wait(900 * time.Millisecond); err != nil {
		return err
	}
	arch := c.env("GOARCH")
	if arch == "" {
		arch = own
	}
	return c.output(program, stub{Version: version, Source: source, Arch: arch, C: strings.Contains(source, `import "C"`)})
}

// compiled does what a program that was compiled here prints. The programs by which goxin
// tries compilers print one line, which is all that is understood of them.
func (c *call) compiled(p stub) error {
	if err := c.wait(15 * time.Millisecond); err != nil {
		return err
	}
	if p.Source == string(assets.SelfTest()) {
		for _, name := range selftest.Names() {
			c.say(`{"check":%q,"ok":true,"ms":1,"said":"simulated"}`, name)
		}
		return nil
	}
	if strings.Contains(p.Source, "#include <stdio.h>") {
		line := "goxin ok"
		if strings.Contains(p.Source, "zlib.h") {
			z, _ := c.provider("libz.so.1")
			line += ", zlib " + strings.TrimSuffix(upstream(z.version), ".dfsg")
		}
		c.say("%s", line)
		return nil
	}
	line, ok := c.printed(p)
	if !ok {
		c.say("the simulated machine does not understand this program")
		return c.exit(1)
	}
	c.say("%s", line)
	return nil
}

// printed is what the first println or fmt.Printf of a program says.
func (c *call) printed(p stub) (line string, ok bool) {
	f, err := parser.ParseFile(token.NewFileSet(), "main.go", p.Source, parser.SkipObjectResolution)
	if err != nil {
		return "", false
	}
	procs := c.env("GOMAXPROCS")
	if procs == "" {
		procs = strconv.Itoa(c.facts.CPU.Logical.Value)
	}
	gogc := map[string]string{"": "100", "off": "-1"}[c.env("GOGC")]
	if gogc == "" {
		gogc = c.env("GOGC")
	}
	values := map[string]string{
		"runtime.Version": p.Version, "runtime.GOOS/runtime.GOARCH": "linux/" + p.Arch,
		"n": "14", "C.labs": "14", "debug.SetGCPercent": gogc, "runtime.GOMAXPROCS": procs,
	}
	ast.Inspect(f, func(n ast.Node) bool {
		e, is := n.(*ast.CallExpr)
		if ok || !is || len(e.Args) == 0 {
			return !ok
		}
		name := dotted(e.Fun)
		if name != "println" && name != "fmt.Printf" {
			return true
		}
		format, err := strconv.Unquote(dotted(e.Args[0]))
		if err != nil {
			return true
		}
		words := []any{}
		for _, a := range e.Args[1:] {
			v, known := values[dotted(a)]
			if !known {
				return true
			}
			words = append(words, v)
		}
		if ok = true; name == "println" {
			line = strings.TrimSuffix(fmt.Sprintln(append([]any{format}, words...)...), "\n")
		} else {
			line = strings.TrimSuffix(fmt.Sprintf(strings.ReplaceAll(format, "%d", "%s"), words...), "\n")
		}
		return false
	})
	return line, ok
}

// dotted is an expression in the words of values.
func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.BasicLit:
		return e.Value
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	case *ast.CallExpr:
		return dotted(e.Fun)
	case *ast.BinaryExpr:
		return strings.ReplaceAll(dotted(e.X), `"/"`, "/") + strings.ReplaceAll(dotted(e.Y), `"/"`, "/")
	}
	return ""
}
