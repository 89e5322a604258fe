package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// newest is the highest number of a system call that LoongArch's kernel 4.19 has: rseq.
// The old world's vendors took that list; calls beyond it are ENOSYS there.
const newest = 293

const unixPackage = "golang.org/x/sys/unix"

// pkg is a package that goes into goxin for loong64.
type pkg struct {
	ImportPath, Dir string
	GoFiles         []string
	Standard        bool
}

// packages are goxin's own, its dependencies and the standard library's.
func packages(t *testing.T) []pkg {
	t.Helper()
	release, err := pinned(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,Standard", "goxin/cmd/goxin")
	c.Env = append(os.Environ(), "GOTOOLCHAIN="+release, "GOOS=linux", "GOARCH=loong64", "CGO_ENABLED=0")
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func (p pkg) parse(t *testing.T, fset *token.FileSet) (files []*ast.File) {
	t.Helper()
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// numbers are a package's constants for system calls by name: SYS_OPENAT2 is 437.
func numbers(files []*ast.File) map[string]int {
	all := map[string]int{}
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				s := s.(*ast.ValueSpec)
				for i, name := range s.Names {
					if !strings.HasPrefix(strings.TrimPrefix(name.Name, "_"), "SYS_") && !strings.HasSuffix(name.Name, "Trap") || i >= len(s.Values) {
						continue
					}
					if v, ok := s.Values[i].(*ast.BasicLit); ok {
						if n, err := strconv.Atoi(v.Value); err == nil {
							all[name.Name] = n
						}
					}
				}
			}
		}
	}
	return all
}

// reaching are the functions of a package that make a system call beyond newest, by
// themselves or through one another, with the calls they make.
func reaching(files []*ast.File) map[string][]string {
	beyond := numbers(files)
	names := map[string]map[string]bool{} // of what a function mentions
	for _, f := range files {
		for _, d := range f.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || d.Body == nil || d.Recv != nil {
				continue
			}
			says := map[string]bool{}
			ast.Inspect(d.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					says[id.Name] = true
				}
				return true
			})
			names[d.Name.Name] = says
		}
	}
	calls := map[string][]string{}
	for more := true; more; {
		more = false
		for f, says := range names {
			for s := range says {
				add := calls[s]
				if beyond[s] > newest {
					add = []string{s}
				}
				for _, a := range add {
					if !slices.Contains(calls[f], a) {
						calls[f], more = append(calls[f], a), true
					}
				}
			}
		}
	}
	return calls
}

// refuses are uses of what an old-world kernel refuses or lacks, as "file:line what".
func refuses(fset *token.FileSet, f *ast.File, lacks map[string][]string, nr map[string]int) (found []string) {
	say := func(n ast.Node, format string, args ...any) {
		at := fset.Position(n.Pos())
		found = append(found, fmt.Sprintf("%s/%s:%d: ", filepath.Base(filepath.Dir(at.Filename)), filepath.Base(at.Filename), at.Line)+fmt.Sprintf(format, args...))
	}
	names := map[string]string{} // what an import is called here
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		if path != unixPackage && path != "syscall" {
			continue
		}
		name := filepath.Base(path)
		if i.Name != nil {
			name = i.Name.Name
		}
		if name == "." {
			say(i, "imports everything of %s: nobody sees what it calls", path)
		}
		names[name] = path
	}
	of := func(e ast.Expr) (path, name string) {
		if s, ok := e.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				return names[x.Name], s.Sel.Name
			}
		}
		return "", ""
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			// These give the kernel a signal set, if they have one, by the size that the new
			// world wants. Without one it looks at no size.
			if path, name := of(n.Fun); path == unixPackage && (name == "Pselect" || name == "Ppoll") {
				if last, ok := n.Args[len(n.Args)-1].(*ast.Ident); !ok || last.Name != "nil" {
					say(n, "%s with a signal set, of a size that the old world refuses", name)
				}
			}
		case *ast.SelectorExpr:
			if n.Sel.Name == "UseCgroupFD" || n.Sel.Name == "CgroupFD" {
				say(n, "%s wants clone3, which the old world lacks", n.Sel.Name)
			}
			path, name := of(n)
			switch {
			case path == "":
			case name == "PthreadSigmask" || name == "Signalfd" || strings.HasPrefix(name, "SYS_RT_SIG") || strings.HasPrefix(name, "SYS_SIGNALFD") || name == "SYS_PSELECT6" || name == "SYS_PPOLL":
				say(n, "%s passes a signal set of the size that the old world refuses", name)
			case path == unixPackage && lacks[name] != nil:
				say(n, "%s makes %s, which the old world lacks", name, strings.Join(lacks[name], ", "))
			case nr[name] > newest:
				say(n, "%s is %d, which the old world lacks", name, nr[name])
			}
		case *ast.KeyValueExpr:
			if k, ok := n.Key.(*ast.Ident); ok && (k.Name == "UseCgroupFD" || k.Name == "CgroupFD") {
				say(n, "%s wants clone3, which the old world lacks", k.Name)
			}
		}
		return true
	})
	return found
}

// inFile is where in its file something was found.
var inFile = regexp.MustCompile(`:[0-9]+: `)

// questions are what the audit finds and may stay.
var questions = map[string]string{
	"machine/sigset_loong64.go: SYS_RT_SIGACTION passes a signal set of the size that the old world refuses": "it passes none: it asks by both sizes which one the kernel takes",
}

func TestNothingInGoxinMakesACallThatAnOldWorldKernelRefuses(t *testing.T) {
	fset := token.NewFileSet()
	all := packages(t)
	at := slices.IndexFunc(all, func(p pkg) bool { return p.ImportPath == unixPackage })
	if at < 0 {
		t.Fatalf("%s is not among the %d packages", unixPackage, len(all))
	}
	files := all[at].parse(t, fset)
	lacks, nr := reaching(files), numbers(files)
	for _, want := range []string{"Openat2", "PidfdOpen", "MoveMount"} { // lest nothing is found where nothing is looked at
		if lacks[want] == nil {
			t.Errorf("%s is not seen to make a call beyond %d", want, newest)
		}
	}
	looked, asked := 0, map[string]bool{}
	for _, p := range all {
		if p.Standard || p.ImportPath == unixPackage {
			continue
		}
		for _, f := range p.parse(t, fset) {
			looked++
			for _, what := range refuses(fset, f, lacks, nr) {
				id := inFile.ReplaceAllString(what, ": ")
				if questions[id] == "" {
					t.Errorf("%s: %s", p.ImportPath, what)
				}
				asked[id] = true
			}
		}
	}
	for id := range questions {
		if !asked[id] {
			t.Errorf("nothing does this any more: %s", id)
		}
	}
	if looked < 500 {
		t.Errorf("only %d files were looked at", looked)
	}
}

// What the standard library knows of calls beyond 4.19, and what it does without them.
func TestTheStandardLibraryHasAWayOutForEachNewerCall(t *testing.T) {
	known := map[string]string{
		"internal/syscall/unix.pidfdSendSignalTrap 424": "os: pids, unless a probe finds pidfds",
		"internal/syscall/unix.pidfdOpenTrap 434":       "os: the probe; ENOSYS means pids",
		"internal/syscall/unix.openat2Trap 437":         "nothing uses it",
		"syscall._SYS_clone3 435":                       "for SysProcAttr.UseCgroupFD alone, which nobody sets",
		"syscall._SYS_faccessat2 439":                   "Faccessat: its flags are judged here where the kernel does not know the call",
		"syscall._SYS_fchmodat2 452":                    "Fchmodat: without flags it is fchmodat; with them EOPNOTSUPP",
	}
	fset := token.NewFileSet()
	for _, p := range packages(t) {
		if !p.Standard {
			continue
		}
		files := p.parse(t, fset)
		says := map[string]int{} // how often a name stands there
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					says[id.Name]++
				}
				return true
			})
		}
		for name, n := range numbers(files) {
			id := fmt.Sprintf("%s.%s %d", p.ImportPath, name, n)
			if n <= newest || says[name] < 2 && ast.IsExported(name) { // one of a list of all
				continue
			}
			if known[id] == "" {
				t.Errorf("it knows a newer call: %s", id)
			}
			delete(known, id)
		}
	}
	for id := range known {
		t.Errorf("it does not know this call any more: %s", id)
	}
}

func TestTheAuditFindsWhatIsRefused(t *testing.T) {
	const source = `package p

import (
	sys "golang.org/x/sys/unix"
	"syscall"
)

func f() {
	sys.PthreadSigmask(0, nil, nil)
	sys.Signalfd(-1, nil, 0)
	sys.Pselect(0, nil, nil, nil, nil, nil)
	sys.Pselect(0, nil, nil, nil, nil, &sys.Sigset_t{})
	sys.Ppoll(nil, nil, set)
	sys.Openat2(0, "", nil)
	sys.Openat(0, "", 0, 0)
	sys.Syscall(sys.SYS_OPENAT2, 0, 0, 0)
	syscall.RawSyscall(syscall.SYS_RT_SIGPROCMASK, 0, 0, 0)
	_ = syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: 3}
	other.Openat2()
}
`
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p/p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := refuses(fset, f, map[string][]string{"Openat2": {"SYS_OPENAT2"}}, map[string]int{"SYS_OPENAT2": 437})
	var lines []string
	for _, g := range got {
		lines = append(lines, strings.Split(g, ":")[1])
	}
	if want := "9 10 12 13 14 16 17 18 18"; strings.Join(lines, " ") != want {
		t.Errorf("lines %v, want %s\n%s", lines, want, strings.Join(got, "\n"))
	}
}
