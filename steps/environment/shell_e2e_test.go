//go:build e2e

package environment

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Shells that have to be installed: apt-get install zsh fish direnv.

func zsh() shellTest {
	return shellTest{"zsh", []string{"zsh", "-f", "-c"}, "set -eu", "emulate sh -c '. FILE'", profile}
}

func TestZshStartsRight(t *testing.T) {
	startsRight(t, zsh())
	posixBetween(t, zsh())
	plain := zsh() // read as it is, without the block
	plain.read = ". FILE"
	startsRight(t, plain)
}

func TestFishStartsRight(t *testing.T) {
	startsRight(t, shellTest{"fish", []string{"fish", "--no-config", "-c"}, "", "source FILE", fish})
}

func TestFishKeepsWhatCameBetween(t *testing.T) {
	s := shellTest{"fish", []string{"fish", "--no-config", "-c"}, "", "source FILE", fish}
	for _, c := range []struct{ between, variable, want string }{
		{"set -gx PATH /opt/mygo/bin $PATH", "PATH", "/opt/mygo/bin:" + ours + ":" + system + ":/home/a/go/bin"},
		{"set -gx GOROOT /opt/mygo", "GOROOT", "/opt/mygo"},
		{"set -gx GOPROXY off", "GOPROXY", "off"},
		{"set -gx PATH /bin", "PATH", ours + ":/bin:/home/a/go/bin"},
		{"set -e HOME; set -gx PATH /bin", "PATH", ours + ":/bin"},
	} {
		seen, _ := s.start(t, map[string]string{"PATH": system, "HOME": "/home/a"}, nil, c.between)
		if seen[c.variable] != c.want {
			t.Errorf("%s: %s is %q, want %q", c.between, c.variable, seen[c.variable], c.want)
		}
	}
}

// zsh reads zshenv itself here: ZDOTDIR is for people's own, so the block goes there.
func TestZshReadsTheBlock(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "goxin.sh")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("goxin.sh", profile(wanted, false))
	for _, c := range []struct {
		flags string
		login bool
		want  bool
	}{{"-c", false, true}, {"-c", true, true}, {"-lc", true, false}, {"-lc", false, true}} {
		write(".zshenv", strings.ReplaceAll(strings.Join(zshLines(c.login, true), "\n"), profileFile, file)+"\n")
		cmd := exec.Command("zsh", c.flags, "print -r -- $PATH; [[ -o shwordsplit ]] && print split")
		cmd.Env = []string{"PATH=" + system, "HOME=/home/a b", "ZDOTDIR=" + dir}
		out, _ := cmd.CombinedOutput()
		want := system + "\n"
		if c.want {
			want = ours + ":" + system + ":/home/a b/go/bin\n"
		}
		if string(out) != want {
			t.Errorf("%+v: %q, want %q", c, out, want)
		}
	}
}

// direnv takes the project's Go on the way in and gives it back on the way out.
func TestDirenvFollowsTheProject(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("lib.sh", direnvLib(), 0o644)
	write("bin/goxin", "#!/bin/sh\n[ \"$1 $2 $3\" = \"toolchain env $PWD\" ] || exit 9\necho \"export GOTOOLCHAIN='go1.2.3+path'\"\n", 0o755)
	write("project/.envrc", "source "+dir+"/lib.sh\nuse goxin\n", 0o644)
	cmd := exec.Command("bash", "--norc", "-euc", `
		cd project && direnv allow . && eval "$(direnv export bash)"
		echo "in $GOTOOLCHAIN"
		cd .. && eval "$(direnv export bash)"
		echo "out $GOTOOLCHAIN"`)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + "/bin:" + system, "HOME=" + dir, "GOTOOLCHAIN=path", "DIRENV_LOG_FORMAT="}
	out, err := cmd.Output()
	if want := "in go1.2.3+path\nout path\n"; err != nil || string(out) != want {
		t.Errorf("%v: %q, want %q", err, out, want)
	}
}
