package peer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"goxin/steps/engine"
)

// built is a program that upstream Go builds for an architecture.
func built(t *testing.T, goarch string) []byte {
	t.Helper()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(1) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, source)
	c.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestALoongArchPeerGetsNoGoxinThatDiesInTheOldWorld(t *testing.T) {
	offers := func(program []byte, sum string) func(string) (io.ReadCloser, string, error) {
		if sum == "" {
			s := sha256.Sum256(program)
			sum = hex.EncodeToString(s[:])
		}
		return func(string) (io.ReadCloser, string, error) { return io.NopCloser(bytes.NewReader(program)), sum, nil }
	}
	upstream := built(t, "loong64")
	for name, c := range map[string]struct {
		program []byte
		sum     string
		want    string
	}{
		"built by upstream Go":  {upstream, "", "does not ask which of LoongArch's worlds it is in"},
		"for another processor": {built(t, "arm64"), "", "it is for another processor"},
		"no program":            {[]byte("goxin"), "", "cannot read it as a program"},
		"cut short":             {upstream[:len(upstream)/2], "", "cannot"},
		"another by now":        {upstream, strings.Repeat("0", 64), "it changed while it was read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := bothWorlds(offers(c.program, c.sum))("loong64")
			var refused engine.Refusal
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if f, _, err := bothWorlds(offers([]byte("whatever"), ""))("arm64"); err != nil {
		t.Error(err)
	} else if b, _ := io.ReadAll(f); string(b) != "whatever" {
		t.Errorf("other processors get %q", b)
	}
}
