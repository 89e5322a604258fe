//go:build e2e

package report

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// ssh-keygen and this package take each other's signatures, and refuse the same ones.
func TestSSHKeygenAgrees(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Fatal("ssh-keygen is not here: install openssh-client (Debian) or openssh (Kylin, openEuler)")
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	report := []byte("<p>a report 验收</p>\n")
	for _, kind := range [][]string{{"ed25519"}, {"ecdsa", "-b", "256"}, {"ecdsa", "-b", "384"}, {"ecdsa", "-b", "521"}, {"rsa", "-b", "2048"}, {"rsa", "-b", "4096"}} {
		name := filepath.Join(dir, kind[0]+kind[len(kind)-1])
		if out, err := exec.Command("ssh-keygen", append([]string{"-q", "-N", "", "-f", name, "-t"}, kind...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", kind, err, out)
		}
		priv, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ssh.ParsePrivateKey(priv)
		if err != nil {
			t.Fatal(err)
		}
		for _, options := range []string{"", `namespaces="goxin-report" `, `namespaces="git,goxin-*" `, `namespaces="git" `, `valid-before="20200101" `, `valid-after="20200101Z" `, "cert-authority "} {
			list := []byte("kp@example.com " + options + Line(key.PublicKey()) + "\n")
			allowed := file("allowed_signers", list)
			signers, err := ParseSigners(list, time.Local)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := Sign(report, key)
			if err != nil {
				t.Fatal(err)
			}
			c := exec.Command("ssh-keygen", "-Y", "verify", "-n", Namespace, "-I", "kp@example.com", "-f", allowed, "-s", file("report.sig", sig))
			c.Stdin = bytes.NewReader(report)
			out, theirs := c.CombinedOutput()
			by, err := Verify(report, sig)
			if err != nil {
				t.Fatal(err)
			}
			if ours := signers.Who(by, time.Now()); (ours != nil) != (theirs == nil) {
				t.Errorf("%v, %q: trusted %v, and ssh-keygen says %v\n%s", kind, options, ours, theirs, out)
			}
		}
		// The other way round.
		p := file("theirs", report)
		if out, err := exec.Command("ssh-keygen", "-q", "-Y", "sign", "-n", Namespace, "-f", name, p).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", kind, err, out)
		}
		sig, err := os.ReadFile(p + ".sig")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(p + ".sig"); err != nil {
			t.Fatal(err)
		}
		if by, err := Verify(report, sig); err != nil || Fingerprint(by) != Fingerprint(key.PublicKey()) {
			t.Errorf("%v: %v", kind, err)
		}
	}
}
