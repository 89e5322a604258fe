package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

const (
	maxRedirects = 5
	readBuffer   = 64 << 10
	maxHeaders   = 64 << 10
)

// Options are what a Client may do.
type Options struct {
	Budget    *Budget        // bytes on the wire; nil: no limit
	HTTP1     bool           // never try HTTP/2
	UserAgent string         // "goxin/1" if empty
	FirstByte time.Duration  // how long until the first byte of a body; 0: the context decides
	PerHost   int            // connections to one host; 0: two
	RootCAs   *x509.CertPool // nil: those of a Truster, else of the system goxin runs on
}

// Client asks HTTP servers through one machine. It is safe for concurrent use.
type Client struct {
	o       Options
	now     func() time.Time
	modern  *http.Client // HTTP/2 where a server has it
	old     *http.Client // HTTP/1.1 only
	stalled sync.Map     // hosts on which HTTP/2 stalled

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

// Truster is a machine that trusts certificate authorities of its own: one whose
// network is a simulation.
type Truster interface {
	RootCAs() *x509.CertPool
}

// New is a client of m's network and proxies. Close it.
func New(m machine.Machine, o Options) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "goxin/1"
	}
	if o.PerHost == 0 {
		o.PerHost = 2
	}
	if t, ok := m.(Truster); ok && o.RootCAs == nil {
		o.RootCAs = t.RootCAs()
	}
	c := &Client{o: o, now: m.Now, conns: make(map[net.Conn]struct{})}
	c.old = c.client(m, false)
	c.modern = c.old
	if !o.HTTP1 {
		c.modern = c.client(m, true)
	}
	return c
}

func (c *Client) client(m machine.Machine, h2 bool) *http.Client {
	t := &http.Transport{
		Proxy: proxy(m.Getenv),
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return c.dial(ctx, m, network, address)
		},
		TLSClientConfig:        &tls.Config{RootCAs: c.o.RootCAs, Time: m.Now, MinVersion: tls.VersionTLS12},
		DisableCompression:     true, // bytes as they lie there, and ranges that mean them
		MaxConnsPerHost:        c.o.PerHost,
		MaxResponseHeaderBytes: maxHeaders,
		ReadBufferSize:         readBuffer,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(h2)
	return &http.Client{Transport: t, CheckRedirect: follow}
}

func (c *Client) dial(ctx context.Context, m machine.Machine, network, address string) (net.Conn, error) {
	conn, err := m.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	k := &counted{Conn: conn, budget: c.o.Budget}
	k.closed = func(k net.Conn) {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.conns, k)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	c.conns[k] = struct{}{}
	return k, nil
}

// Close ends every connection, also those in use.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	conns := make([]net.Conn, 0, len(c.conns))
	for k := range c.conns {
		conns = append(conns, k)
	}
	c.mu.Unlock()
	for _, k := range conns {
		k.Close()
	}
	c.old.CloseIdleConnections()
	c.modern.CloseIdleConnections()
}

func follow(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return lang.Because(nil, "redirected more than %d times", "重定向超过 %d 次", maxRedirects).Like(errRedirect)
	}
	for _, v := range via {
		if v.URL.String() == r.URL.String() {
			return lang.Because(nil, "redirected in a loop, to %s", "循环重定向到 %s", r.URL.Redacted()).Like(errRedirect)
		}
	}
	if via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return lang.Because(nil, "redirected from https to %s", "从 https 重定向到 %s", r.URL.Redacted()).Like(errRedirect)
	}
	return nil
}

// Get asks for a range of a file and returns when the first byte of the body is
// there (or the body is empty). A stalled or broken HTTP/2 is tried once more over
// HTTP/1.1. Errors are *Error. Close the body.
func (c *Client) Get(ctx context.Context, url string, r Range) (*Response, error) {
	header := http.Header{}
	if r.Length > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", r.From, r.From+r.Length-1))
	}
	return c.get(ctx, url, header, r)
}

// get asks with more headers; of r only the length matters, as the body's limit.
func (c *Client) get(ctx context.Context, url string, header http.Header, r Range) (*Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &Error{NotRunnable, err}
	}
	if s := req.URL.Scheme; (s != "http" && s != "https") || req.URL.Host == "" {
		return nil, &Error{NotRunnable, lang.Because(nil, "%q is no address of a web server", "%q 不是网站地址", url)}
	}
	req.Header = header
	req.Header.Set("User-Agent", c.o.UserAgent)
	if _, known := c.stalled.Load(req.URL.Host); c.modern == c.old || known {
		resp, _, err := c.try(req, c.old, c.o.FirstByte, r)
		return resp, err
	}
	resp, h2, err := c.try(req, c.modern, c.o.FirstByte, r)
	if err == nil || !h2 || ctx.Err() != nil || Why(err) == Redirects || Why(err) == OverBudget {
		return resp, err
	}
	c.stalled.Store(req.URL.Host, true)
	resp, _, err = c.try(req, c.old, c.o.FirstByte/2, r)
	return resp, err
}

// try makes one request. h2 says that it was over HTTP/2; that has half of the time.
func (c *Client) try(req *http.Request, client *http.Client, limit time.Duration, r Range) (resp *Response, h2 bool, err error) {
	var at atomic.Int32
	var isH2 atomic.Bool
	ctx, cancel := context.WithCancelCause(req.Context())
	stall := func() { cancel(errStall) }
	timers := new(timers)
	timers.add(limit, stall)
	trace := &httptrace.ClientTrace{
		TLSHandshakeStart: func() { at.Store(int32(stageTLS)) },
		GotConn: func(info httptrace.GotConnInfo) {
			at.Store(int32(stageHeaders))
			if t, ok := info.Conn.(*tls.Conn); ok && t.ConnectionState().NegotiatedProtocol == "h2" {
				isH2.Store(true)
				timers.add(limit/2, stall)
			}
		},
	}
	fail := func(err error) (*Response, bool, error) {
		timers.stop()
		if ctx.Err() != nil {
			err = context.Cause(ctx) // the request's own error says less
		}
		if c.o.Budget.Left() == 0 {
			err = ErrOverBudget.With(err) // an answer that was cut looks malformed
		}
		cancel(nil)
		return nil, isH2.Load(), &Error{why(err, stage(at.Load())), err}
	}
	answer, err := client.Do(req.Clone(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		return fail(err)
	}
	at.Store(int32(stageBody))
	b := &body{from: answer.Body, left: r.Length, cancel: cancel, ctx: ctx}
	if err := b.first(); err != nil {
		answer.Body.Close()
		return fail(err)
	}
	timers.stop()
	return &Response{
		Status: answer.StatusCode, Header: answer.Header, Length: answer.ContentLength,
		ETag: answer.Header.Get("ETag"), URL: answer.Request.URL.String(), Protocol: answer.Proto, Body: b,
	}, isH2.Load(), nil
}
