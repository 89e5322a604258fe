package environment

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shellTest is a shell and how it is made to read the file that a test wrote.
type shellTest struct {
	shell string
	argv  []string // a script follows
	// strict makes errors and unset variables fatal; "" where the shell cannot.
	strict string
	// read is the command that reads FILE as the shell's own start-up file does.
	read string
	// text is the file.
	text func([]setting, bool) string
}

func posixShells() []shellTest {
	return []shellTest{
		{"sh", []string{"sh", "-c"}, "set -eu", ". FILE", profile},
		{"bash", []string{"bash", "--norc", "-c"}, "set -eu", ". FILE", profile},
		{"bash, strictly POSIX", []string{"bash", "--norc", "--posix", "-c"}, "set -eu", ". FILE", profile},
	}
}

var wanted = []setting{{"GOPROXY", "https://a.example|https://b.example,direct"}, {"GOSUMDB", "sum.golang.org https://sums.example"}, {"GOTOOLCHAIN", "path"}, {"GOPRIVATE", "git.example.com/*,*.corp.example"}}

const (
	ours   = "/usr/local/goxin/go/current/bin:/usr/local/goxin/bin"
	system = "/usr/bin:/bin"
)

// start reads the file twice in a new shell with the environment env, with between
// run between the readings, and gives the environment that programs then see.
// DIR in env and files is the test's directory. It fails where anything is printed.
func (s shellTest) start(t *testing.T, env, files map[string]string, between string) (seen map[string]string, dir string) {
	t.Helper()
	dir = t.TempDir()
	text := strings.ReplaceAll(s.text(wanted, false), buildFile, filepath.Join(dir, "build.env"))
	write := func(name, text string) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("goxin", text)
	for name, text := range files {
		write(name, text)
	}
	read := strings.ReplaceAll(s.read, "FILE", filepath.Join(dir, "goxin"))
	script := strings.Join([]string{s.strict, read, between, read, "command env"}, "\n")
	program, err := exec.LookPath(s.argv[0])
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, append(s.argv[1:], script)...)
	c.Dir = dir
	c.Env = []string{"TERM=dumb"}
	for k, v := range env {
		c.Env = append(c.Env, k+"="+strings.ReplaceAll(v, "DIR", dir))
	}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("%v\n%s\n%s", err, errs.String(), out.String())
	}
	seen = make(map[string]string)
	for line := range strings.Lines(out.String()) {
		k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			t.Fatalf("printed beside the environment: %q", line)
		}
		seen[k] = v
	}
	return seen, dir
}

func all(s []setting) map[string]string {
	out := make(map[string]string)
	for _, v := range s {
		out[v.name] = v.value
	}
	return out
}

// startsRight is everything a shell has to get right, each part once.
func startsRight(t *testing.T, s shellTest) {
	for _, c := range []struct {
		name       string
		env, files map[string]string
		between    string
		path       string            // "" is not compared
		want       map[string]string // beside all that is wanted; "-" is not set
	}{
		{
			"the order of PATH",
			map[string]string{"PATH": system, "HOME": "/home/a"},
			nil, "",
			ours + ":" + system + ":/home/a/go/bin", nil,
		},
		{
			"a home with a blank",
			map[string]string{"PATH": system, "HOME": "/home/a b"},
			nil, "",
			ours + ":" + system + ":/home/a b/go/bin", nil,
		},
		{
			"a home with characters that shells expand",
			map[string]string{"PATH": system, "HOME": "/home/a*[b]?$c'd"},
			nil, "",
			ours + ":" + system + ":/home/a*[b]?$c'd/go/bin", nil,
		},
		{
			"a home that would fall apart in PATH",
			map[string]string{"PATH": system, "HOME": "/home/a:b"},
			nil, "",
			ours + ":" + system, nil,
		},
		{
			"the root for a home",
			map[string]string{"PATH": system, "HOME": "/"},
			nil, "",
			ours + ":" + system + ":/go/bin", nil,
		},
		{
			"some of it is in PATH already",
			map[string]string{"PATH": "/usr/local/goxin/bin:" + system + ":/home/a/go/bin", "HOME": "/home/a"},
			nil, "",
			"/usr/local/goxin/go/current/bin:/usr/local/goxin/bin:" + system + ":/home/a/go/bin", nil,
		},
		{
			"a name that begins alike is another",
			map[string]string{"PATH": "/usr/local/goxin/bin2:" + system, "HOME": "/home/a"},
			nil, "",
			ours + ":/usr/local/goxin/bin2:" + system + ":/home/a/go/bin", nil,
		},
		{
			"GOROOT goes at the first reading",
			map[string]string{"PATH": system, "HOME": "/home/a", "GOROOT": "/usr/local/go"},
			nil, "",
			"",
			map[string]string{"GOROOT": "-"},
		},
		{
			"what the environment says stays",
			map[string]string{"PATH": system, "HOME": "/home/a", "GOPROXY": "off", "GOTOOLCHAIN": "local"},
			nil, "",
			"",
			map[string]string{"GOPROXY": "off", "GOTOOLCHAIN": "local"},
		},
		{
			"an empty variable is none",
			map[string]string{"PATH": system, "HOME": "/home/a", "GOPROXY": ""},
			nil, "",
			"", nil,
		},
		{
			"what go env -w says stays",
			map[string]string{"PATH": system, "HOME": "DIR/a b"},
			map[string]string{"a b/.config/go/env": "GOPROXYX=1\n# GOSUMDB=off\nGOPROXY=off\nGOTOOLCHAIN=local"},
			"",
			"",
			map[string]string{"GOPROXY": "-", "GOTOOLCHAIN": "-"},
		},
		{
			"also where XDG_CONFIG_HOME has it",
			map[string]string{"PATH": system, "HOME": "DIR/home", "XDG_CONFIG_HOME": "DIR/x y"},
			map[string]string{"x y/go/env": "GOPROXY=off\n", "home/.config/go/env": "GOSUMDB=off\n"},
			"",
			"",
			map[string]string{"GOPROXY": "-"},
		},
		{
			"also where GOENV has it",
			map[string]string{"PATH": system, "HOME": "DIR/home", "GOENV": "DIR/e"},
			map[string]string{"e": "GOPROXY=off\n", "home/.config/go/env": "GOSUMDB=off\n"},
			"",
			"",
			map[string]string{"GOPROXY": "-"},
		},
		{
			"but not with GOENV=off",
			map[string]string{"PATH": system, "HOME": "DIR/home", "GOENV": "off"},
			map[string]string{"home/.config/go/env": "GOSUMDB=off\n", "off": "GOPROXY=off\n"},
			"",
			"", nil,
		},
		{
			"the processor's level",
			map[string]string{"PATH": system, "HOME": "/home/a", "GOAMD64": "v1"},
			map[string]string{"build.env": "# for this processor\nGOFLAGS=-x\nGOAMD64=v3\nGOARM64=v8.1,lse"},
			"",
			"",
			map[string]string{"GOAMD64": "v1", "GOARM64": "v8.1,lse", "GOFLAGS": "-"},
		},
		{
			"an empty level",
			map[string]string{"PATH": system, "HOME": "/home/a"},
			map[string]string{"build.env": "GOARM64=\n"},
			"",
			"",
			map[string]string{"GOARM64": "-"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			seen, _ := s.start(t, c.env, c.files, c.between)
			if c.path != "" && seen["PATH"] != c.path {
				t.Errorf("PATH is %q, want %q", seen["PATH"], c.path)
			}
			want := all(wanted)
			for k, v := range c.want {
				want[k] = v
			}
			for k, v := range want {
				if got, set := seen[k]; v == "-" && set || v != "-" && got != v {
					t.Errorf("%s is %q, want %q", k, got, v)
				}
			}
			for k := range seen {
				if strings.Contains(k, "goxin") {
					t.Errorf("left behind: %s", k)
				}
			}
		})
	}
}

func TestPosixShellsStartRight(t *testing.T) {
	for _, s := range posixShells() {
		t.Run(s.shell, func(t *testing.T) {
			t.Parallel()
			startsRight(t, s)
		})
	}
}

// These are said in the POSIX shells' own words.
func TestPosixShellsKeepWhatCameBetween(t *testing.T) {
	for _, s := range posixShells() {
		posixBetween(t, s)
	}
}

func posixBetween(t *testing.T, s shellTest) {
	base := map[string]string{"PATH": system, "HOME": "/home/a"}
	for _, c := range []struct {
		name, between, variable, want string
	}{
		{"a directory somebody put first stays first", "PATH=/opt/mygo/bin:$PATH", "PATH", "/opt/mygo/bin:" + ours + ":" + system + ":/home/a/go/bin"},
		{"a GOROOT of somebody's own stays", "export GOROOT=/opt/mygo", "GOROOT", "/opt/mygo"},
		{"a value of somebody's own stays", "export GOPROXY=off", "GOPROXY", "off"},
		{"PATH made anew by a login within a login", "PATH=/bin; export PATH", "PATH", ours + ":/bin:/home/a/go/bin"},
		{"an odd IFS", "IFS=/:=", "PATH", ours + ":" + system + ":/home/a/go/bin"},
		{"no file names expanded", "set -f", "GOPRIVATE", "git.example.com/*,*.corp.example"},
		{"no PATH at all", "unset PATH; command() { /usr/bin/env; }", "PATH", ours + ":/home/a/go/bin"},
		{"an empty PATH", "PATH=; command() { /usr/bin/env; }", "PATH", ours + ":/home/a/go/bin"},
		{"no home", "unset HOME; PATH=/bin", "PATH", ours + ":/bin"},
	} {
		t.Run(s.shell+", "+c.name, func(t *testing.T) {
			seen, _ := s.start(t, base, nil, c.between)
			if seen[c.variable] != c.want {
				t.Errorf("%s is %q, want %q", c.variable, seen[c.variable], c.want)
			}
		})
	}
}

// What a file defines and does not export would be seen by whoever reads it next.
func TestPosixShellsKeepNothingOfOurs(t *testing.T) {
	for _, s := range posixShells() {
		file := filepath.Join(t.TempDir(), "profile")
		if err := os.WriteFile(file, []byte(profile(wanted, true)), 0o644); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(s.argv[0], append(s.argv[1:], ". "+file+"; set; command -v goxin_default || :")...)
		c.Env = []string{"PATH=" + system, "HOME=/home/a"}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", s.shell, err, out)
		}
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, "goxin_") {
				t.Errorf("%s: left behind: %s", s.shell, line)
			}
		}
	}
}

// The rules of files that everybody's shell reads: no program is started.
func TestProfileStartsNoProgram(t *testing.T) {
	for _, shell := range []string{"sh", "bash"} {
		program, err := exec.LookPath(shell)
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(program, "-c", "PATH=/none\n"+profile(wanted, true))
		c.Env = []string{"HOME=/home/a", "PATH=/none"}
		if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s without any program: %v: %s", shell, err, out)
		}
	}
}

// The block in bash's file is read by shells that are no login shells, and leaves the
// others to /etc/profile.
func TestBashReadsTheBlockOutsideLogins(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "profile")
	if err := os.WriteFile(file, []byte("echo read\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	block := strings.ReplaceAll(strings.Join(bashLines(), "\n"), profileFile, file)
	for _, c := range []struct {
		flags []string
		want  string
	}{{nil, "read\n"}, {[]string{"-l"}, ""}} {
		cmd := exec.Command("bash", append(append([]string{"--noprofile", "--norc"}, c.flags...), "-euc", block)...)
		cmd.Env = []string{"PATH=" + system, "HOME=" + dir}
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != c.want {
			t.Errorf("bash %v: %q (%v), want %q", c.flags, out, err, c.want)
		}
	}
	gone := strings.ReplaceAll(strings.Join(bashLines(), "\n"), profileFile, dir+"/none")
	if out, err := exec.Command("bash", "-euc", gone).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("without the file: %v: %s", err, out)
	}
}
