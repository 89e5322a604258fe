package demo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// site is a web server: how far away it is, how quick, and what it answers.
type site struct {
	trip   time.Duration // there and back
	rate   float64       // bytes a second
	pause  time.Duration // until its first answer, at pace 1 and by no clock: to be watched
	answer func(path string) answer
}

// answer is what a path gives.
type answer struct {
	status int // 0: not there
	kind   string
	size   int64
	body   io.ReaderAt
}

func text(kind, s string) answer {
	return answer{status: http.StatusOK, kind: kind, size: int64(len(s)), body: strings.NewReader(s)}
}

func file(b []byte) answer {
	return answer{status: http.StatusOK, kind: "application/octet-stream", size: int64(len(b)), body: bytes.NewReader(b)}
}

// network is all there is to reach: sites by host.
type network struct {
	sim      *sim
	sites    map[string]*site
	roots    *x509.CertPool
	tls      *tls.Config
	vendor   *vendor
	releases *releases
}

func newNetwork(s *sim) (*network, error) {
	n := &network{sim: s, sites: map[string]*site{}, roots: x509.NewCertPool()}
	if err := n.certify(); err != nil {
		return nil, err
	}
	var err error
	if n.vendor, err = newVendor(n); err != nil {
		return nil, err
	}
	if n.releases, err = newReleases(n); err != nil {
		return nil, err
	}
	for _, h := range []string{"mirrors.aliyun.com", "repo.huaweicloud.com", "mirrors.cloud.tencent.com", "mirrors.tuna.tsinghua.edu.cn", "mirrors.ustc.edu.cn"} {
		if n.sites[h] == nil { // they tell the time
			n.sites[h] = &site{trip: 30 * time.Millisecond, rate: 20e6, answer: func(string) answer { return answer{} }}
		}
	}
	return n, nil
}

// certify makes the authority that the machine trusts, and certificates for whoever is
// asked for.
func (n *network) certify() error {
	caKey, ca, err := n.certificate("goxin demo", nil, nil)
	if err != nil {
		return err
	}
	n.roots.AddCert(ca)
	key, _, err := n.certificate("goxin demo", nil, nil)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	made := map[string]*tls.Certificate{}
	n.tls = &tls.Config{
		MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true, Time: n.sim.clock.rightNow,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			mu.Lock()
			defer mu.Unlock()
			if c := made[h.ServerName]; c != nil {
				return c, nil
			}
			leaf, err := n.sign(h.ServerName, key.Public().(ed25519.PublicKey), ca, caKey)
			if err != nil {
				return nil, err
			}
			made[h.ServerName] = &tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: key}
			return made[h.ServerName], nil
		},
	}
	return nil
}

func (n *network) certificate(name string, parent *x509.Certificate, by ed25519.PrivateKey) (ed25519.PrivateKey, *x509.Certificate, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if by == nil {
		by = key
	}
	der, err := n.sign(name, public, parent, by)
	if err != nil {
		return nil, nil, err
	}
	c, err := x509.ParseCertificate(der)
	return key, c, err
}

func (n *network) sign(name string, key ed25519.PublicKey, parent *x509.Certificate, by ed25519.PrivateKey) ([]byte, error) {
	now := n.sim.clock.rightNow()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.AddDate(0, -6, 0), NotAfter: now.AddDate(2, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: parent == nil,
	}
	if parent == nil {
		parent = t
	}
	return x509.CreateCertificate(rand.Reader, t, parent, key, by)
}

// deaf is a socket that nothing is sent on.
type deaf struct{ *wire }

func (n *network) dial(ctx context.Context, network, addr string, l *lane) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if strings.HasPrefix(network, "udp") {
		return deaf{newWire(n.sim.clock, 1)}, nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	s := n.sites[host]
	switch {
	case s == nil && net.ParseIP(host) == nil:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	case s == nil:
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.EHOSTUNREACH}
	case port != "80" && port != "443":
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	if err := n.sim.clock.rest(ctx, s.trip); err != nil {
		return nil, err
	}
	w := newWire(n.sim.clock, s.rate)
	go n.serve(w.server, s, l, port == "443")
	return w, nil
}

// serve answers until the client goes.
func (n *network) serve(ws *wireServer, s *site, l *lane, secure bool) {
	defer ws.Close()
	var conn net.Conn = ws
	if secure {
		t := tls.Server(ws, n.tls)
		if t.Handshake() != nil {
			return
		}
		conn = t
	}
	r := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if n.respond(ws, conn, req, s, l, secure) != nil || req.Close {
			return
		}
	}
}

// aside is a request of which only the beginning of something small is wanted, at the
// same time as others: it takes nobody's time.
const aside = "bytes=0-2047"

// begins is the first and the last byte that are asked for; the last is below 0 where all
// of the file is.
func begins(req *http.Request) (first, last int64) {
	r, ok := strings.CutPrefix(req.Header.Get("Range"), "bytes=")
	if !ok {
		return 0, -1
	}
	if k, _ := fmt.Sscanf(r, "%d-%d", &first, &last); k == 1 {
		last = math.MaxInt64 - 1
	} else if k != 2 || first < 0 {
		return 0, -1
	}
	return first, last
}

func (n *network) respond(ws *wireServer, conn net.Conn, req *http.Request, s *site, l *lane, secure bool) error {
	a := s.answer(strings.TrimPrefix(req.URL.Path, "/"))
	if a.status == 0 {
		a = text("text/plain", "not found\n")
		a.status = http.StatusNotFound
	}
	ws.sent, ws.next = 0, piece{takes: s.trip}
	switch {
	case l == nil:
		ws.next.count, ws.bulk = n.sim.clock.pass, true
	case req.Header.Get("Range") != aside:
		if l.first() {
			ws.next.takes += s.trip
			if secure {
				ws.next.takes += s.trip
			}
			ws.next.rest = s.pause
		}
		if from, _ := begins(req); from > 0 { // one of the final, which are to be seen one by one
			ws.next.rest = 350 * time.Millisecond
		}
		ws.next.count = l.pass
	}
	from, to := int64(0), a.size
	status := a.status
	if first, last := begins(req); last >= 0 && status == http.StatusOK {
		from, to, status = first, min(last, a.size-1)+1, http.StatusPartialContent
		if from >= a.size {
			from, to, status = 0, 0, http.StatusRequestedRangeNotSatisfiable
		}
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: demo\r\nContent-Type: %s\r\nContent-Length: %d\r\n", status, http.StatusText(status),
		n.sim.clock.rightNow().UTC().Format(http.TimeFormat), a.kind, to-from)
	if status == http.StatusPartialContent {
		fmt.Fprintf(&head, "Content-Range: bytes %d-%d/%d\r\n", from, to-1, a.size)
	}
	head.WriteString("\r\n")
	if _, err := conn.Write(head.Bytes()); err != nil || req.Method == http.MethodHead {
		return err
	}
	buf := make([]byte, 32<<10)
	for from < to {
		k, err := a.body.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		if k == 0 {
			return err
		}
		if _, err := conn.Write(buf[:k]); err != nil {
			return err
		}
		from += int64(k)
	}
	return nil
}
