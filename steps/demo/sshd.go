package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"strings"

	"golang.org/x/crypto/ssh"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/detect/machine/peer"
)

// sshd is a real server of SSH on a simulated machine: the same library at both ends.
func (s *sim) sshd(ctx context.Context, conn net.Conn, host ssh.Signer) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	cfg := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-OpenSSH_simulated",
		PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if string(password) != Password {
				return nil, lang.Because(nil, "another password", "口令不符")
			}
			return nil, nil
		},
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil },
	}
	cfg.AddHostKey(host)
	c, channels, requests, err := ssh.NewServerConn(conn, cfg)
	if err != nil {
		_ = conn.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	for n := range channels {
		if n.ChannelType() != "session" {
			_ = n.Reject(ssh.UnknownChannelType, "simulated")
			continue
		}
		ch, requests, err := n.Accept()
		if err != nil {
			break
		}
		if !s.pair.served.begin(func() { s.session(ctx, c.User(), ch, requests) }) {
			break // the connection goes with ctx
		}
	}
}

// session runs the one command of a session.
func (s *sim) session(ctx context.Context, user string, ch ssh.Channel, requests <-chan *ssh.Request) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for r := range requests {
		if r.Type != "exec" || len(r.Payload) < 4 {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		line := string(r.Payload[4:])
		s.pair.served.begin(func() {
			l := login{sim: s, ctx: ctx, root: user == "root", in: ch, out: ch, err: ch.Stderr()}
			code := 2
			if argv, ok := shellWords(line); ok {
				code = l.run(argv)
			}
			_, _ = ch.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(code)))
			_ = ch.Close()
		})
	}
}

// login is somebody who logged in and runs a command.
type login struct {
	*sim
	ctx  context.Context
	root bool
	in   io.Reader
	out  io.Writer
	err  io.Writer
}

// run runs it, and gives its exit status. Of shell scripts those are known by which goxin
// begins on a peer.
func (l *login) run(argv []string) int {
	switch {
	case len(argv) == 0:
		return 0
	case argv[0] == "sudo":
		return l.sudo(argv[1:])
	case argv[0] == "sh" && len(argv) > 2 && argv[1] == "-c":
		return l.script(argv[2], argv[3:])
	case strings.HasPrefix(argv[0], "/") && len(argv) == 4 && argv[1] == "agent" && argv[2] == "--session":
		if !l.exists(argv[0]) {
			return l.no(127, "sh: %s: not found\n", argv[0])
		}
		if err := peer.Relay(l.ctx, l.sim, argv[3], argv[0], l.in, l.out); err != nil {
			return 1
		}
		return 0
	}
	err := l.Run(l.ctx, machine.Command{Argv: argv}, func(line string) { fmt.Fprintln(l.out, line) })
	var exit *machine.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.Code
	case machine.MissingProgram(err):
		return l.no(127, "sh: %s: command not found\n", argv[0])
	}
	return l.no(126, "sh: %s: %v\n", argv[0], err)
}

func (l *login) no(code int, format string, args ...any) int {
	fmt.Fprintf(l.err, format, args...)
	return code
}

// sudo asks everybody but root for the password.
func (l *login) sudo(args []string) int {
	prompt, asks := "[sudo] password: ", true
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch a := args[0]; a {
		case "-n":
			asks = false
		case "-p":
			if len(args) > 1 {
				prompt, args = args[1], args[1:]
			}
		}
		last := args[0] == "--"
		args = args[1:]
		if last {
			break
		}
	}
	if !l.root {
		if !asks {
			return l.no(1, "sudo: a password is required\n")
		}
		_, _ = io.WriteString(l.err, prompt)
		if word, err := readLine(l.in); err != nil || word != Password {
			return l.no(1, "sudo: 1 incorrect password attempt\n")
		}
	}
	as := *l
	as.root = true
	return as.run(args)
}

// readLine reads no byte more than the line has.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); len(line) < 1<<10; {
		if _, err := io.ReadFull(r, one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return string(line), nil
		}
		line = append(line, one[0])
	}
	return string(line), io.ErrShortBuffer
}

func (l *login) script(text string, args []string) int {
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	switch {
	case strings.HasSuffix(text, `exec "$@"`) && len(args) > 1: // the beginning of its output is marked
		fmt.Fprintf(l.out, "\n%s\n", args[0])
		return l.run(args[1:])
	case strings.HasPrefix(text, "uname -s;"):
		uid := 1000
		if l.root {
			uid = 0
		}
		fmt.Fprintf(l.out, "Linux\n%s\n%d\n", l.kernel.Machine, uid)
		return 0
	case strings.HasPrefix(text, `sha256sum "$0"`):
		if b, err := l.Machine.ReadFile(arg(0)); err == nil {
			fmt.Fprintf(l.out, "%s  %s\n", sum(b), arg(0))
		}
		return 0
	case strings.Contains(text, `cat >"$new"`):
		return l.upload(arg(0), arg(1))
	}
	return l.no(127, "sh: the simulated shell does not know this script\n")
}

// upload takes a program whose digest is known.
func (l *login) upload(name, digest string) int {
	var b bytes.Buffer
	if _, err := b.ReadFrom(l.in); err != nil || !l.root {
		return l.no(1, "sh: %s: Permission denied\n", name)
	}
	if got := sum(b.Bytes()); got != digest {
		return l.no(9, "it arrived as %s\n", got)
	}
	err := l.mkdirs(path.Dir(name))
	if err == nil {
		err = l.write(name, b.Bytes(), 0o700)
	}
	if err != nil {
		return l.no(1, "sh: %s: %v\n", name, err)
	}
	return 0
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
