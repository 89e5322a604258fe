package peer

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"path"
	"strconv"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// families are the kinds of host keys that are accepted, the preferred first. A server
// has one key of each, so another one may be the one that is known.
func families() [][]string {
	return [][]string{
		{ssh.KeyAlgoED25519},
		{ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521},
		{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256},
	}
}

// trust judges the key of one hop.
type trust struct {
	hop   Hop
	known ssh.HostKeyCallback // of known_hosts; nil: there is none
	// got is the key that was shown last, no what was wrong with it.
	got ssh.PublicKey
	no  error
}

// newTrust reads known_hosts, through home's own names for it.
func newTrust(home machine.Machine, hop Hop) (*trust, error) {
	t := &trust{hop: hop}
	rooted, ok := home.(machine.Rooted)
	if !ok {
		return t, nil
	}
	var files []string
	for _, name := range []string{path.Join(homeDir(home), ".ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"} {
		if _, err := home.Stat(name); err == nil {
			files = append(files, rooted.HostPath(name))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if len(files) == 0 {
		return t, nil
	}
	var err error
	if t.known, err = knownhosts.New(files...); err != nil {
		return nil, lang.Errorf(err, "cannot read known_hosts", "无法读取 known_hosts").WithHint("correct the line, or answer host_key", "请修正该行，或填写 host_key")
	}
	return t, nil
}

// homeDir is where the keys of who runs goxin are.
func homeDir(home machine.Machine) string {
	if d := home.Getenv("HOME"); path.IsAbs(d) {
		return d
	}
	return "/root"
}

// algorithms are what to ask for, in turns: those known of the host are enough where
// there are any.
func (t *trust) algorithms() [][]string {
	if t.hop.HostKey != "" || t.known == nil {
		return families()
	}
	var want *knownhosts.KeyError
	if err := t.known(t.hop.address(), noAddr{}, noKey{}); !errors.As(err, &want) || len(want.Want) == 0 {
		// Perhaps an authority vouches for it; the library asks for certificates too.
		return [][]string{nil}
	}
	var out []string
	for _, f := range families() {
		for _, k := range want.Want {
			if fileType(k.Key.Type()) == fileType(f[0]) {
				out = append(out, f...)
				break
			}
		}
	}
	return [][]string{out}
}

// check is the HostKeyCallback.
func (t *trust) check(address string, remote net.Addr, key ssh.PublicKey) error {
	t.got, t.no = key, nil
	print := ssh.FingerprintSHA256(key)
	changed := &ChangedHostError{Host: t.hop.Host, KeyType: key.Type(), Got: print}
	if t.hop.HostKey != "" {
		if print != t.hop.HostKey {
			changed.Want = []string{t.hop.HostKey}
			t.no = &Refused{changed}
		}
		return t.no
	}
	err := error(&knownhosts.KeyError{})
	if t.known != nil {
		err = t.known(address, remote, key)
	}
	var unknown *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case err == nil:
	case errors.As(err, &revoked):
		changed.Revoked, changed.Where = true, whence(revoked.Revoked)
		t.no = &Refused{changed}
	case errors.As(err, &unknown) && len(unknown.Want) == 0:
		t.no = &Refused{&UnknownHostError{Host: t.hop.Host, KeyType: key.Type(), Fingerprint: print}}
	case errors.As(err, &unknown):
		for _, k := range unknown.Want {
			changed.Want = append(changed.Want, ssh.FingerprintSHA256(k.Key))
		}
		changed.Where = whence(unknown.Want[0])
		t.no = &Refused{changed}
	default:
		t.no = &Refused{lang.Errorf(err, "cannot trust the key of %s", "无法信任 %s 的主机密钥", t.hop.Host)}
	}
	return t.no
}

func whence(k knownhosts.KnownKey) string { return k.Filename + ":" + strconv.Itoa(k.Line) }

// noKey is a key that no host has: known_hosts, asked for it, tells which it knows.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return fs.ErrInvalid }

type noAddr struct{}

func (noAddr) Network() string { return "tcp" }
func (noAddr) String() string  { return "0.0.0.0:0" }

// errSeen ends a handshake that was only about the key.
var errSeen = lang.Because(nil, "the key has been seen", "已取得密钥")

// HostKey asks a host for its key, and goes no further: it authenticates nothing and
// nobody. known says that the key is the pinned one or in known_hosts; one that is
// another than it should be is a *ChangedHostError.
func HostKey(ctx context.Context, home machine.Machine, t Target) (fingerprint, keyType string, known bool, err error) {
	h := newHost(home, t, "")
	conn, err := h.through(ctx)
	if err != nil {
		return "", "", false, err
	}
	tr, err := newTrust(home, t.hop())
	if err != nil {
		_ = conn.close()
		return "", "", false, err
	}
	_, err = h.handshake(ctx, conn, tr, true)
	if tr.got == nil {
		return "", "", false, err
	}
	var unknown *UnknownHostError
	if tr.no != nil && !errors.As(tr.no, &unknown) {
		err = tr.no
	} else {
		err = nil
	}
	return ssh.FingerprintSHA256(tr.got), tr.got.Type(), tr.no == nil, err
}
