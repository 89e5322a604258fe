package peer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"path"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Hop is a host that a connection goes through.
type Hop struct {
	User string // "": root
	Host string
	Port int // 0: 22
	// HostKey is the fingerprint of its key, "SHA256:…"; "": known_hosts has to vouch for it.
	HostKey string
}

func (h Hop) port() int {
	if h.Port == 0 {
		return 22
	}
	return h.Port
}

func (h Hop) address() string { return net.JoinHostPort(h.Host, strconv.Itoa(h.port())) }

func (h Hop) user() string {
	if h.User == "" {
		return "root"
	}
	return h.User
}

// Target is a peer and how to get there.
type Target struct {
	User     string // "": root
	Host     string
	Port     int    // 0: 22
	HostKey  string // as a Hop's
	Identity string // file of a private key, at home; "": the agent's, and those in ~/.ssh
	// Password gives the password to log in with, where no key will do; Become that of
	// sudo. Either may be nil, and is asked once at most.
	Password func() (string, error)
	Become   func() (string, error)
	Jump     []Hop // in the order they are passed through
	// Binary opens goxin for an architecture and gives its SHA-256 in hex; nil: Release.
	Binary   func(goarch string) (io.ReadCloser, string, error)
	Patience time.Duration // how long a line that is cut is tried to have back; 0: a minute
	Say      func(lang.Text)
}

func (t Target) hop() Hop { return Hop{User: t.User, Host: t.Host, Port: t.Port, HostKey: t.HostKey} }

func (t Target) say(en, zh string, args ...any) {
	if t.Say != nil {
		t.Say(lang.F(en, zh, args...))
	}
}

// Dial connects: the agent is put on the peer where it is not there yet, and started. All
// files and connections this takes are home's.
func Dial(ctx context.Context, home machine.Machine, t Target) (*Machine, error) {
	who := ownerAt(home)
	h := newHost(home, t, sessionName(who.Home))
	return h.machine(ctx, who)
}

func (h *host) machine(ctx context.Context, who owner) (*Machine, error) {
	home, t := h.home, h.t
	m := newMachine(t.Host, who, h.line, func(o owner) bool { return alive(home, who, o) }, options{patience: t.Patience})
	if _, err := m.session(ctx); err != nil {
		return nil, err
	}
	return m, nil
}

// sessionName names the session process of a home: another version of the protocol has
// another one.
func sessionName(home string) string { return strconv.Itoa(protocol) + "-" + home }

// ownerAt is this process, as home knows it.
func ownerAt(home machine.Machine) owner {
	id, _ := home.ReadFile("/etc/machine-id") // two homes of one image differ in their names
	k, _ := home.Kernel()
	sum := sha256.Sum256([]byte(k.Hostname + "\n" + string(id)))
	o := owner{Home: hex.EncodeToString(sum[:8]), Boot: bootOf(home)}
	if self, err := home.Readlink("/proc/self"); err == nil {
		o.PID, _ = strconv.Atoi(self)
		o.Start, _ = startOf(home, o.PID)
	}
	return o
}

// startOf is when a process started; false where there is none.
func startOf(home machine.Machine, pid int) (string, bool) {
	b, err := home.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", false
	}
	// The name, in parentheses, may hold anything; the start is the 22nd field, proc(5).
	i := strings.LastIndexByte(string(b), ')')
	f := strings.Fields(string(b[i+1:]))
	if len(f) < 20 {
		return "", false
	}
	return f[19], true
}

// alive says whether a process of this home may still be there.
func alive(home machine.Machine, here, o owner) bool {
	if o.Boot != here.Boot || o.PID == 0 || here.PID == 0 {
		return o.Boot == here.Boot
	}
	start, ok := startOf(home, o.PID)
	return ok && start == o.Start
}

// Release finds goxin for an architecture: this very program where that is its own, else
// goxin-GOARCH beside it, or in dist beside it.
func Release(home machine.Machine) func(goarch string) (io.ReadCloser, string, error) {
	return func(goarch string) (io.ReadCloser, string, error) {
		names := []string{machine.Self}
		if goarch != ourArch {
			self, err := home.Readlink(machine.Self)
			if err != nil {
				return nil, "", lang.Errorf(err, "cannot find this program", "找不到本程序")
			}
			beside := path.Join(path.Dir(self), "goxin-"+goarch)
			names = []string{beside, path.Join(path.Dir(self), "dist", "goxin-"+goarch)}
		}
		for _, n := range names {
			if sum, err := digest(home, n); err == nil {
				f, err := home.Open(n)
				return f, sum, err
			}
		}
		return nil, "", refuse("cannot find goxin for %s: there is no %s", "找不到 %s 架构的 goxin：没有 %s", goarch, names[0]).
			hint("put it there; it is in the release folder", "请将其放在该处；发布目录中有此文件")
	}
}

func digest(home machine.Machine, name string) (string, error) {
	f, err := home.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
