package report

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// The files of testdata/sig are ssh-keygen's own (OpenSSH 9.2): keys of several kinds,
// what `ssh-keygen -Y sign` made of one report, and some that are none of it.
func sigFile(t testing.TB, name string) []byte {
	b, err := os.ReadFile("testdata/sig/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var day = time.Date(2026, 11, 22, 14, 32, 0, 0, time.UTC)

func TestWhatSSHKeygenSignedIsVerified(t *testing.T) {
	report := sigFile(t, "report")
	signers, err := ParseSigners(sigFile(t, "allowed_signers"), time.UTC)
	if err != nil || len(signers) != 4 {
		t.Fatalf("%d signers, %v", len(signers), err)
	}
	for _, c := range []struct{ sig, who string }{
		{"ed25519.sig", "ed25519@example.com"},
		{"sha256.sig", "ed25519@example.com"},
		{"ecdsa.sig", "ecdsa@example.com"},
		{"rsa.sig", "rsa@example.com"},
	} {
		key, err := Verify(report, sigFile(t, c.sig))
		if err != nil {
			t.Errorf("%s: %v", c.sig, err)
			continue
		}
		if who := signers.Who(key, day); !slices.Equal(who, []string{c.who}) {
			t.Errorf("%s: by %v", c.sig, who)
		}
	}
}

func TestWhatIsNoSignatureOfThisReportIsRefused(t *testing.T) {
	report := sigFile(t, "report")
	good := string(sigFile(t, "ed25519.sig"))
	for name, c := range map[string]struct {
		sig  string
		want error // nil: any
	}{
		"of another report":           {string(sigFile(t, "other.sig")), ErrChanged},
		"made for files":              {string(sigFile(t, "namespace.sig")), ErrMalformed},
		"by a key of 1024 bits":       {string(sigFile(t, "weak.sig")), nil},
		"nothing":                     {"", ErrMalformed},
		"something before it":         {"x\n" + good, ErrMalformed},
		"something after it":          {good + "x\n", ErrMalformed},
		"another one after it":        {good + good, ErrMalformed},
		"an end in the middle":        {good[:100], ErrMalformed},
		"not base64":                  {strings.Replace(good, "U1NIU0lH", "U1NI*0lH", 1), ErrMalformed},
		"not SSHSIG":                  {strings.Replace(good, "U1NIU0lH", "U1NIU0lI", 1), ErrMalformed},
		"without end":                 {good + strings.Repeat("\n", MostSignature), ErrMalformed},
		"of another kind of PEM file": {strings.ReplaceAll(good, "SSH SIGNATURE", "PGP SIGNATURE"), ErrMalformed},
	} {
		key, err := Verify(report, []byte(c.sig))
		if err == nil || key != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, key %v", name, err, key)
		}
	}
	if _, err := Verify(report, []byte(strings.ReplaceAll(good, "\n", "\r\n"))); err != nil {
		t.Errorf("sent as mail: %v", err)
	}
}

func TestAReportAlteredByOneBitIsRefused(t *testing.T) {
	report, sig := sigFile(t, "report"), sigFile(t, "ed25519.sig")
	for i := range report {
		for bit := range 8 {
			bad := slices.Clone(report)
			bad[i] ^= 1 << bit
			if _, err := Verify(bad, sig); !errors.Is(err, ErrChanged) {
				t.Fatalf("byte %d, bit %d: %v", i, bit, err)
			}
		}
	}
	for _, bad := range [][]byte{nil, report[1:], report[:len(report)-1], append(slices.Clone(report), '\n')} {
		if _, err := Verify(bad, sig); !errors.Is(err, ErrChanged) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func TestASignatureAlteredByOneBitIsOfNobodyWhoIsTrusted(t *testing.T) {
	report, sig := sigFile(t, "report"), sigFile(t, "ed25519.sig")
	signers, err := ParseSigners(sigFile(t, "allowed_signers"), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sig {
		for bit := range 8 {
			bad := slices.Clone(sig)
			bad[i] ^= 1 << bit
			// A line's end may move without a change of what is said.
			if strings.Join(strings.Fields(string(bad)), "") == strings.Join(strings.Fields(string(sig)), "") {
				continue
			}
			if key, err := Verify(report, bad); err == nil && signers.Who(key, day) != nil {
				t.Fatalf("byte %d, bit %d is believed", i, bit)
			}
		}
	}
}

func TestASignedReportIsVerified(t *testing.T) {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := Sign([]byte("report"), key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Verify([]byte("report"), sig)
	if err != nil || Fingerprint(got) != Fingerprint(key.PublicKey()) {
		t.Fatalf("%v, %v", got, err)
	}
	if !strings.HasPrefix(Line(got), "ssh-ed25519 AAAA") || strings.Contains(Line(got), "\n") {
		t.Errorf("line %q", Line(got))
	}
}

func TestWhoMaySignIsAsSSHKeygenReadsIt(t *testing.T) {
	key, err := Verify(sigFile(t, "report"), sigFile(t, "ed25519.sig"))
	if err != nil {
		t.Fatal(err)
	}
	line := Line(key)
	east := time.FixedZone("", 8*3600)
	for _, c := range []struct {
		file, who string // who: "": nobody
	}{
		{"a@b " + line, "a@b"},
		{"  a@b,c@d \t" + line + " a comment", "a@b,c@d"},
		{"# a@b " + line, ""},
		{"\n\n\"a b@c\" " + line, "a b@c"},
		{"a@b cert-authority " + line, ""},
		{`a@b namespaces="goxin-report" ` + line, "a@b"},
		{`a@b namespaces="file,goxin-*" ` + line, "a@b"},
		{`a@b namespaces="file,git" ` + line, ""},
		{`a@b namespaces="*,!goxin-report" ` + line, ""},
		{`a@b namespaces="" ` + line, ""},
		{`a@b namespaces="[a-z]oxin-report" ` + line, ""},
		{`a@b valid-after="20260101",valid-before="20270101" ` + line, "a@b"},
		{`a@b valid-after="20261123" ` + line, ""},
		{`a@b valid-before="20261122143200Z" ` + line, ""},
		{`a@b valid-before="20261122143201Z" ` + line, "a@b"},
		{`a@b valid-before="202611222233" ` + line, "a@b"}, // 14:33 UTC
		{`a@b valid-before="202611222232" ` + line, ""},
		{`a@b valid-before="20200101" ` + line + "\nc@d " + line, "c@d"},
	} {
		signers, err := ParseSigners([]byte(c.file), east)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if who := strings.Join(signers.Who(key, day), ","); who != c.who {
			t.Errorf("%s: %q, want %q", c.file, who, c.who)
		}
	}
	for _, bad := range []string{
		"a@b", line, "a@b ssh-ed25519", "a@b ssh-ed25519 AAAA", `"a@b ` + line, "a@b frobnicate " + line,
		`a@b valid-before="2026" ` + line, `a@b valid-before="2026112a" ` + line, `a@b valid-after ` + line, `a@b namespaces="x ` + line,
	} {
		if s, err := ParseSigners([]byte("\n"+bad), east); err == nil {
			t.Errorf("%q: %+v", bad, s)
		} else if !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v names no line", bad, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	report := sigFile(f, "report")
	for _, name := range []string{"ed25519.sig", "ecdsa.sig", "rsa.sig", "weak.sig", "namespace.sig", "other.sig"} {
		f.Add(sigFile(f, name))
	}
	keys, err := ParseSigners(sigFile(f, "allowed_signers"), time.UTC)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sig []byte) {
		key, err := Verify(report, sig)
		if (key == nil) == (err == nil) {
			t.Fatalf("key %v, error %v", key, err)
		}
		if err == nil && keys.Who(key, day) != nil {
			// Only ssh-keygen's own are by these keys, however they are written.
			again, err := unarmor(sig)
			if err != nil || again.Namespace != Namespace {
				t.Fatalf("believed: %q", sig)
			}
		}
	})
}

func FuzzSigners(f *testing.F) {
	f.Add(sigFile(f, "allowed_signers"))
	f.Add([]byte("a@b cert-authority,namespaces=\"a,!b\",valid-after=\"20260101Z\" ssh-ed25519 AAAA"))
	f.Add([]byte("\"a b\" x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		signers, err := ParseSigners(data, time.UTC)
		if err != nil {
			return
		}
		for _, s := range signers {
			signers.Who(s.Key, day)
		}
	})
}
