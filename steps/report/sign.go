package report

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"path"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"goxin/assets/lang"
)

// Namespace keeps a signature of a report from being taken for one of anything else:
// `ssh-keygen -Y verify -n goxin-report`.
const Namespace = "goxin-report"

// MostSignature is the largest signature that is read, in bytes. One by an RSA key of
// 16384 bits is a tenth of it.
const MostSignature = 64 << 10

// leastRSA is the smallest RSA key that vouches for anything, in bits.
const leastRSA = 2048

// Sign signs the bytes of a report. The result goes beside it, named like it with
// ".sig" at the end; its format is SSHSIG (OpenSSH, PROTOCOL.sshsig).
func Sign(report []byte, key ssh.Signer) ([]byte, error) {
	if err := strong(key.PublicKey()); err != nil {
		return nil, err
	}
	s, err := sshsig.Sign(bytes.NewReader(report), key, sshsig.HashSHA512, Namespace)
	if err != nil {
		return nil, err
	}
	return sshsig.Armor(s), nil
}

// Errors of Verify.
var (
	ErrMalformed = lang.Because(nil, "it is no SSH signature of a report", "不是报告的 SSH 签名")
	ErrChanged   = lang.Because(nil, "the report and its signature do not belong together", "报告与签名不匹配")
)

// Verify tells which key signed these very bytes as a report. Whether that key is to
// be trusted is for Signers to say.
func Verify(report, sig []byte) (ssh.PublicKey, error) {
	s, err := unarmor(sig)
	if err != nil {
		return nil, ErrMalformed.With(err)
	}
	if s.Namespace != Namespace {
		return nil, ErrMalformed.With(lang.Because(nil, "it was made for %q", "它是为 %q 签的", s.Namespace))
	}
	if err := strong(s.PublicKey); err != nil {
		return nil, err
	}
	if err := sshsig.Verify(bytes.NewReader(report), s, s.PublicKey, s.HashAlgorithm, Namespace); err != nil {
		return nil, ErrChanged.With(err)
	}
	return s.PublicKey, nil
}

const (
	armorBegin = "-----BEGIN SSH SIGNATURE-----\n"
	armorEnd   = "\n-----END SSH SIGNATURE-----"
)

// unarmor reads what OpenSSH writes and nothing else: the library's own takes any PEM
// with anything before and after it.
func unarmor(sig []byte) (*sshsig.Signature, error) {
	if len(sig) > MostSignature {
		return nil, lang.Because(nil, "it is too long", "过长")
	}
	s := strings.ReplaceAll(string(sig), "\r\n", "\n")
	s, begins := strings.CutPrefix(s, armorBegin)
	s, ends := strings.CutSuffix(strings.TrimRight(s, "\n"), armorEnd)
	if !begins || !ends {
		return nil, lang.Because(nil, "it does not begin and end as one", "开头或结尾不是签名的格式")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	return sshsig.ParseSignature(raw)
}

// strong refuses keys that others can have, and kinds that are not keys of a person.
func strong(key ssh.PublicKey) error {
	weak := func(en, zh string, args ...any) error {
		return lang.Errorf(nil, "a key of this kind vouches for nothing: "+en, "这类密钥不足为凭："+zh, args...).
			WithHint("use an Ed25519 key: ssh-keygen -t ed25519", "请使用 Ed25519 密钥：ssh-keygen -t ed25519")
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		return nil
	case ssh.KeyAlgoRSA:
		n := 0
		if c, ok := key.(ssh.CryptoPublicKey); ok {
			if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok {
				n = r.N.BitLen()
			}
		}
		if n < leastRSA {
			return weak("RSA with %d bits", "%d 位 RSA", n)
		}
		return nil
	}
	return weak("%s", "%s", clean(key.Type()))
}

// Fingerprint is how a key is told from others: "SHA256:…".
func Fingerprint(key ssh.PublicKey) string { return ssh.FingerprintSHA256(key) }

// Line is a public key as it stands in an allowed_signers file, after a name.
func Line(key ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) }

// Signer is a key that somebody trusts.
type Signer struct {
	Names      []string // whose it is, as the file has it: patterns of principals
	Key        ssh.PublicKey
	namespaces []string
	after      time.Time
	before     time.Time
}

// Signers are the keys of an allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS).
type Signers []Signer

// ParseSigners reads an allowed_signers file. Times without a Z in it are of zone.
// Keys of certificate authorities are passed over: a report is signed by a key itself.
func ParseSigners(data []byte, zone *time.Location) (Signers, error) {
	var out Signers
	for n, l := range strings.Split(string(data), "\n") {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		s, err := parseSigner(l, zone)
		if err != nil {
			return nil, lang.Because(err, "line %d", "第 %d 行", n+1)
		}
		if s.Key != nil {
			out = append(out, s)
		}
	}
	return out, nil
}

func parseSigner(l string, zone *time.Location) (Signer, error) {
	names, rest := word(l)
	if names == "" || rest == "" {
		return Signer{}, lang.Because(nil, "names, then a key, are expected", "应为名称，其后是密钥")
	}
	key, _, options, more, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil {
		return Signer{}, err
	}
	if len(more) > 0 {
		return Signer{}, lang.Because(nil, "more than one key", "密钥不止一个")
	}
	s := Signer{Names: strings.Split(names, ","), Key: key}
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "cert-authority":
			return Signer{}, nil
		case "namespaces":
			s.namespaces = strings.Split(value, ",")
		case "valid-after":
			s.after, err = parseTime(value, zone)
		case "valid-before":
			s.before, err = parseTime(value, zone)
		default:
			err = lang.Because(nil, "unknown option %q", "未知选项 %q", name)
		}
		if err != nil {
			return Signer{}, err
		}
	}
	return s, nil
}

// word is the first word of l, which may be quoted, and what follows it.
func word(l string) (string, string) {
	if strings.HasPrefix(l, `"`) {
		w, rest, ok := strings.Cut(l[1:], `"`)
		if !ok {
			return "", ""
		}
		return w, strings.TrimSpace(rest)
	}
	i := strings.IndexAny(l, " \t")
	if i < 0 {
		return "", ""
	}
	return l[:i], strings.TrimSpace(l[i:])
}

// parseTime reads YYYYMMDD and YYYYMMDDHHMM[SS], with a Z for UTC.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	digits, utc := strings.CutSuffix(s, "Z")
	if utc {
		zone = time.UTC
	}
	for _, form := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(form) == len(digits) {
			return time.ParseInLocation(form, digits, zone)
		}
	}
	return time.Time{}, lang.Because(nil, "%q is no time", "%q 不是时间", s)
}

// Who is whose key this is at a time; nil for a key that is not trusted for reports
// then.
func (ss Signers) Who(key ssh.PublicKey, now time.Time) []string {
	for _, s := range ss {
		if !bytes.Equal(s.Key.Marshal(), key.Marshal()) || s.namespaces != nil && !matches(s.namespaces, Namespace) {
			continue
		}
		if !s.after.IsZero() && now.Before(s.after) || !s.before.IsZero() && !now.Before(s.before) {
			continue
		}
		return s.Names
	}
	return nil
}

// matches holds a name against a list of patterns, of which one may be a "!" that
// refuses.
func matches(patterns []string, name string) bool {
	found := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		ok, err := path.Match(strings.NewReplacer(`\`, `\\`, "[", `\[`).Replace(p), name)
		if err != nil || !ok {
			continue
		}
		if not {
			return false
		}
		found = true
	}
	return found
}
