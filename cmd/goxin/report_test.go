package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"goxin/steps/report"
)

// lockedKey writes a key that has a passphrase, and its public half.
func lockedKey(t *testing.T, passphrase string) (name string, priv ed25519.PrivateKey) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(priv, "test", []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), "key")
	for n, b := range map[string][]byte{name: pem.EncodeToMemory(block), name + ".pub": ssh.MarshalAuthorizedKey(public)} {
		if err := os.WriteFile(n, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return name, priv
}

func TestAPassphraseIsAskedOnTheTerminalAndNotShown(t *testing.T) {
	root := t.TempDir() + "/root"
	if err := layTree("kylin-v10-sp3-kunpeng920", root); err != nil {
		t.Fatal(err)
	}
	if code, out := goxin(t, 0, "apply", "--root", root, "--yes", "--set", "runtime.thp=keep"); code != 0 {
		t.Fatalf("exit %d\n%s", code, out)
	}
	key, _ := lockedKey(t, "four words make it")
	for _, c := range []struct {
		typed, says string
		code        int
	}{
		{"four words make it\r", "r.html", 0},
		{"four words\r", "the passphrase is wrong", 1},
		{"four\x03", "", 130}, // the terminal makes an interrupt of it
	} {
		file := filepath.Join(t.TempDir(), "r.html")
		cmd := exec.Command("goxin", "report", "--root", root, "--lang", "en", "-o", file, "--sign", key)
		tty, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		var seen bytes.Buffer
		for !strings.Contains(seen.String(), "passphrase of ") || !strings.HasSuffix(seen.String(), ": ") {
			b := make([]byte, 512)
			n, err := tty.Read(b)
			seen.Write(b[:n])
			if err != nil {
				t.Fatalf("it did not ask: %q", seen.String())
			}
		}
		if _, err := io.WriteString(tty, c.typed); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(&seen, tty) // ends with an error when goxin has left
		_ = cmd.Wait()
		_ = tty.Close()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(seen.String(), c.says) || strings.Contains(seen.String(), "words") {
			t.Errorf("%q: exit %d, want %d: %q", c.typed, code, c.code, seen.String())
		}
		if _, err := os.Stat(file + ".sig"); (err == nil) != (c.code == 0) {
			t.Errorf("%q: signature %v", c.typed, err)
		}
	}
}

func TestAnAgentSignsForItsPublicKey(t *testing.T) {
	name, priv := lockedKey(t, "not asked")
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: priv}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "agent"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c) }()
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", l.Addr().String())
	a := &app{}
	sig, err := a.signReport(context.Background(), name+".pub", []byte("report"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := report.Verify([]byte("report"), sig); err != nil {
		t.Error(err)
	}
	other, _ := lockedKey(t, "x")
	if _, err := a.signReport(context.Background(), other+".pub", []byte("report")); err == nil || !strings.Contains(err.Error(), "does not have this key") {
		t.Errorf("a key the agent has not: %v", err)
	}
}

// In a directory where everybody may write, a link may stand where the report goes.
func TestAReportIsWrittenInPlaceOfALinkAndNotThroughIt(t *testing.T) {
	dir := t.TempDir()
	victim, name := filepath.Join(dir, "victim"), filepath.Join(dir, "r.html")
	if err := os.WriteFile(victim, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, name); err != nil {
		t.Fatal(err)
	}
	if err := (reportFlags{out: name}).free(); err == nil {
		t.Error("a link is taken for a file")
	}
	if err := writeReport(name, []byte("report"), []byte("signature")); err != nil { // it came in between
		t.Fatal(err)
	}
	for n, want := range map[string]string{victim: "mine", name: "report", name + ".sig": "signature"} {
		if b, err := os.ReadFile(n); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", n, b, err)
		}
	}
	if fi, err := os.Lstat(name); err != nil || fi.Mode() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Whoever made the file first would own what root writes into it.
func TestAReportIsAFileOfItsOwnWhateverStoodThere(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.html")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o666); err != nil {
		t.Fatal(err)
	}
	before, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeReport(name, []byte("report"), nil); err != nil {
		t.Fatal(err)
	}
	after, err := os.Lstat(name)
	if err != nil || os.SameFile(before, after) || after.Mode() != 0o600 {
		t.Errorf("%v, %v", after.Mode(), err)
	}
}
