package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// keeper is a step with secrets.
type keeper struct{}

func (keeper) ID() string       { return "keeper" }
func (keeper) Title() lang.Text { return lang.Same("keeper") }
func (keeper) Fields() []engine.Field {
	return []engine.Field{{Key: "a", Kind: engine.Secret}, {Key: "b", Kind: engine.Secret}, {Key: "c", Kind: engine.Secret}, {Key: "d", Kind: engine.Secret}, {Key: "name", Kind: engine.Text}}
}

func (keeper) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question { return nil }

func (keeper) Ops(engine.Hosts, engine.Survey, engine.Values) ([]engine.Item, error) { return nil, nil }

func TestTheSecretsThatAnswersReferToAreKnown(t *testing.T) {
	t.Setenv("CANARY_PASSWORD", "from the environment")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from a file\nnot this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ans := engine.Answers{"keeper": {"a": "env:CANARY_PASSWORD", "b": "file:" + file, "c": "prompt:", "d": "written down by mistake", "name": "no secret"}, "other": {"a": "env:HOME"}}
	if got, want := secretsIn(ans, []engine.Step{keeper{}}), []string{"from the environment", "from a file", "written down by mistake"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if got := secretsIn(engine.Answers{"keeper": {"a": "file:/does/not/exist"}}, []engine.Step{keeper{}}); got != nil {
		t.Errorf("%q", got)
	}
}

// What comes through a pipe comes once, and is for the operation that needs it.
func TestLookingForSecretsReadsNoPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	both, err := os.OpenFile(pipe, os.O_RDWR, 0) // with a writer there, a reader does not wait
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	if _, err := both.WriteString("hunter22\n"); err != nil {
		t.Fatal(err)
	}
	if got := secretAt("file:" + pipe); got != "" {
		t.Errorf("%q was taken out of the pipe", got)
	}
	b := make([]byte, 16)
	if n, err := both.Read(b); err != nil || string(b[:n]) != "hunter22\n" {
		t.Errorf("%q is left, %v", b[:n], err)
	}
}

func TestThePasswordsOfProxiesAreKnown(t *testing.T) {
	env := []string{
		"http_proxy=http://me:p%40ss@proxy:3128/", "HTTPS_PROXY=http://proxy/", "GOPROXY=https://u:hunter22@a.example,direct|https://b.example", "HOME=http://u:no@x/", "no_proxy=localhost", "all_proxy=::bad::", "ftp_proxy=http://tok3n@proxy/",
	}
	if got, want := passwordsIn(env), []string{"p@ss", "p%40ss", "hunter22", "hunter22", "tok3n@"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}
