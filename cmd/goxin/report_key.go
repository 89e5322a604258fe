package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/charmbracelet/x/term"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/steps/report"
)

// mostKey is the largest key file that is read, in bytes.
const mostKey = 64 << 10

// signReport signs a report with the key in a file: a private key, for which a
// passphrase is asked where it has one, or a public one, whose other half the SSH
// agent has.
func (a *app) signReport(ctx context.Context, name string, data []byte) ([]byte, error) {
	b, err := readBounded(name, mostKey)
	if err != nil {
		return nil, usageError{lang.Errorf(err, "cannot read the key %s", "无法读取密钥 %s", name).WithHint(thereHint(name))}
	}
	var key ssh.Signer
	if pub, _, _, _, perr := ssh.ParseAuthorizedKey(b); perr == nil {
		conn, s, err := agentKey(ctx, name, pub)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		key = s
	} else if key, err = a.privateKey(ctx, name, b); err != nil {
		return nil, err
	}
	sig, err := report.Sign(data, key)
	if err != nil {
		return nil, lang.Errorf(err, "cannot sign the report with %s", "无法用 %s 为报告签名", name)
	}
	return sig, nil
}

func (a *app) privateKey(ctx context.Context, name string, b []byte) (ssh.Signer, error) {
	key, err := ssh.ParsePrivateKey(b)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		pass, perr := a.passphrase(ctx, name)
		if perr != nil {
			return nil, perr
		}
		key, err = ssh.ParsePrivateKeyWithPassphrase(b, pass)
		clear(pass)
		if errors.Is(err, x509.IncorrectPasswordError) {
			return nil, lang.Errorf(nil, "cannot open the key %s: the passphrase is wrong", "无法打开密钥 %s：口令不正确", name).WithHint("try again", "请重试")
		}
	}
	if err != nil {
		return nil, usageError{lang.Errorf(err, "cannot use the key %s", "无法使用密钥 %s", name).
			WithHint("--sign takes an SSH key, as ssh-keygen -t ed25519 makes it", "--sign 需要 SSH 密钥，可用 ssh-keygen -t ed25519 生成")}
	}
	return key, nil
}

// passphrase asks for a key's passphrase on the terminal, without showing it.
func (a *app) passphrase(ctx context.Context, name string) ([]byte, error) {
	if !isTerminal(a.in) {
		return nil, usageError{lang.Errorf(nil, "cannot open the key %s: it has a passphrase, and nobody is at the terminal", "无法打开密钥 %s：它有口令，而没有人在终端前", name).
			WithHint("add it to the SSH agent (ssh-add) and name its .pub", "请用 ssh-add 加入 SSH agent，然后指定它的 .pub 文件")}
	}
	tty := a.in.Fd()
	was, err := term.GetState(tty)
	if err != nil {
		return nil, err
	}
	defer func() { _ = term.Restore(tty, was) }()
	// Nothing is echoed from before the question on: who types fast is not shown either.
	mode, err := unix.IoctlGetTermios(int(tty), unix.TCGETS)
	if err != nil {
		return nil, err
	}
	mode.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(tty), unix.TCSETS, mode); err != nil {
		return nil, err
	}
	fmt.Fprint(a.errs, visible(lang.F("passphrase of %s: ", "%s 的口令：", name).In(a.lang)))
	defer fmt.Fprintln(a.errs)
	type typed struct {
		pass []byte
		err  error
	}
	got := make(chan typed, 1)
	go func() {
		pass, err := term.ReadPassword(tty)
		got <- typed{pass, err}
	}()
	select {
	case t := <-got:
		return t.pass, t.err
	case <-ctx.Done(): // the read goes on until the process ends, which is now
		return nil, context.Cause(ctx)
	}
}

// agentKey is the half of a key that the SSH agent has. The connection is to be closed
// when it has signed.
func agentKey(ctx context.Context, name string, pub ssh.PublicKey) (net.Conn, ssh.Signer, error) {
	no := func(err error) error {
		return lang.Errorf(err, "cannot sign with %s: the SSH agent does not do it", "无法用 %s 签名：SSH agent 未能签名", name).
			WithHint("`ssh-add KEY` gives it the private key; or name the private key's file", "用 `ssh-add 密钥` 加入私钥；或直接指定私钥文件")
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", os.Getenv("SSH_AUTH_SOCK"))
	if err != nil {
		return nil, nil, no(err)
	}
	keys, err := agent.NewClient(conn).Signers()
	for _, k := range keys {
		if bytes.Equal(k.PublicKey().Marshal(), pub.Marshal()) {
			return conn, k, nil
		}
	}
	if err == nil {
		err = lang.Errorf(nil, "it does not have this key", "其中没有这个密钥")
	}
	return nil, nil, errors.Join(no(err), conn.Close())
}
