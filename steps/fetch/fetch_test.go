package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/detect/machine"
)

// host is a machine whose every name leads to one server.
type host struct {
	machine.Machine
	env  map[string]string
	skew time.Duration

	mu     sync.Mutex
	to     string
	dialed []string
}

func (h *host) Getenv(name string) string { return h.env[name] }
func (h *host) Now() time.Time            { return time.Now().Add(h.skew) }

func (h *host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	h.mu.Lock()
	h.dialed = append(h.dialed, address)
	h.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, network, h.to)
}

func serve(t *testing.T, h http.Handler, change ...func(*httptest.Server)) (*host, *httptest.Server) {
	s := httptest.NewUnstartedServer(h)
	for _, f := range change {
		f(s)
	}
	if s.TLS == nil {
		s.Start()
	}
	t.Cleanup(s.Close)
	return &host{to: s.Listener.Addr().String()}, s
}

// secure serves TLS, with HTTP/2 where h2 is set.
func secure(h2 bool) func(*httptest.Server) {
	return func(s *httptest.Server) {
		s.EnableHTTP2 = h2
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
	}
}

func client(t *testing.T, h *host, o Options) *Client {
	c := New(h, o)
	t.Cleanup(c.Close)
	return c
}

func roots(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func TestARangeEndsWhereItWasAskedToWhateverTheServerSends(t *testing.T) {
	content := strings.Repeat("0123456789", 100)
	for name, handler := range map[string]http.HandlerFunc{
		"ranges": func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
		},
		"no ranges": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, content) },
	} {
		h, _ := serve(t, handler)
		resp, err := client(t, h, Options{}).Get(t.Context(), "http://mirror/file", Range{0, 25})
		if err != nil {
			t.Fatal(name, err)
		}
		b, err := io.ReadAll(resp.Body)
		if string(b) != content[:25] || err != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if want := map[string]int{"ranges": 206, "no ranges": 200}[name]; resp.Status != want {
			t.Errorf("%s: status %d", name, resp.Status)
		}
		resp.Body.Close()
	}
}

func TestAStalledHTTP2IsTriedAgainOverHTTP1(t *testing.T) {
	for _, stalls := range []string{"headers", "body"} {
		var mu sync.Mutex
		var seen []string
		h, s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			seen = append(seen, r.Proto)
			mu.Unlock()
			if r.ProtoMajor == 2 {
				if stalls == "body" {
					w.Header().Set("Content-Length", "2")
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
				return
			}
			fmt.Fprint(w, "ok")
		}), secure(true))
		c := client(t, h, Options{RootCAs: roots(s), FirstByte: 2 * time.Second})
		for range 2 {
			resp, err := c.Get(t.Context(), "https://example.com/x", Range{})
			if err != nil {
				t.Fatal(stalls, err)
			}
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(b) != "ok" || resp.Protocol != "HTTP/1.1" {
				t.Errorf("%s: %q over %s", stalls, b, resp.Protocol)
			}
		}
		if got := strings.Join(seen, " "); got != "HTTP/2.0 HTTP/1.1 HTTP/1.1" {
			t.Errorf("%s: asked over %s", stalls, got)
		}
	}
}

func TestAHostMarkedForHTTP1IsNeverAskedOverHTTP2(t *testing.T) {
	for _, http1 := range []bool{true, false} {
		h, s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }), secure(true))
		resp, err := client(t, h, Options{RootCAs: roots(s), HTTP1: http1}).Get(t.Context(), "https://example.com/", Range{})
		if err != nil {
			t.Fatal(err)
		}
		if (resp.Protocol == "HTTP/1.1") != http1 {
			t.Errorf("HTTP1 %v: %s", http1, resp.Protocol)
		}
		resp.Body.Close()
	}
}

func TestEachFailureHasItsOwnName(t *testing.T) {
	hangs := func(flush bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if flush {
				w.Header().Set("Content-Length", "9")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}
	}
	loop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/a", http.StatusFound) })
	far := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) })
	down := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://mirror/", http.StatusFound) })
	for _, c := range []struct {
		name    string
		handler http.Handler
		url     string
		tls     bool
		trust   bool
		skew    time.Duration
		budget  int64
		want    Failure
	}{
		{name: "no headers", handler: hangs(false), want: NoHeaders},
		{name: "no body", handler: hangs(true), want: NoBody},
		{name: "a loop", handler: loop, want: Redirects},
		{name: "too many redirects", handler: far, want: Redirects},
		{name: "from https to http", handler: down, tls: true, trust: true, url: "https://example.com/", want: Redirects},
		{name: "an unknown authority", handler: hangs(false), tls: true, url: "https://example.com/", want: TLS},
		{name: "a certificate of another name", handler: hangs(false), tls: true, trust: true, url: "https://mirror/", want: TLS},
		{name: "a certificate of tomorrow", handler: hangs(false), tls: true, trust: true, skew: -100 * 365 * 24 * time.Hour, url: "https://example.com/", want: Clock},
		{name: "a certificate of yesterday", handler: hangs(false), tls: true, trust: true, skew: 200 * 365 * 24 * time.Hour, url: "https://example.com/", want: TLS},
		{name: "plain HTTP on a TLS port", handler: hangs(false), url: "https://example.com/", want: TLS},
		{name: "no bytes left", handler: http.NotFoundHandler(), budget: 1, want: OverBudget},
		{name: "no URL", handler: hangs(false), url: "ftp://mirror/", want: NotRunnable},
	} {
		var change []func(*httptest.Server)
		if c.tls {
			change = append(change, secure(false))
		}
		h, s := serve(t, c.handler, change...)
		h.skew = c.skew
		o := Options{FirstByte: 300 * time.Millisecond}
		if c.trust {
			o.RootCAs = roots(s)
		}
		if c.budget > 0 {
			o.Budget = NewBudget(c.budget)
		}
		if c.url == "" {
			c.url = "http://mirror/"
		}
		_, err := client(t, h, o).Get(t.Context(), c.url, Range{})
		if Why(err) != c.want || err == nil {
			t.Errorf("%s: %q (%v), want %q", c.name, Why(err), err, c.want)
		}
	}
	for want, cause := range map[Failure]error{
		Refused: errors.New("dial tcp 192.0.2.1:80: connect: connection refused"),
		NoName:  &net.DNSError{Err: "no such host", Name: "mirror"},
		Dead:    errors.New("connect: no route to host"),
	} {
		if got := why(cause, stageDial); got != want {
			t.Errorf("%v: %s", cause, got)
		}
	}
}

func TestEverythingOnTheWireIsCounted(t *testing.T) {
	h, s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 100_000)) }), secure(false))
	b := NewBudget(1 << 20)
	c := client(t, h, Options{RootCAs: roots(s), Budget: b})
	resp, err := c.Get(t.Context(), "https://example.com/", Range{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); n != 100_000 || err != nil {
		t.Fatal(n, err)
	}
	resp.Body.Close()
	if used := b.Used(); used < 101_000 || used > 120_000 {
		t.Errorf("%d bytes for 100000 in TLS", used)
	}
	small := NewBudget(20_000)
	resp, err = client(t, h, Options{RootCAs: roots(s), Budget: small}).Get(t.Context(), "https://example.com/", Range{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if Why(err) != OverBudget || small.Used() > 20_000+readBuffer {
		t.Errorf("%v after %d bytes", err, small.Used())
	}
}

func TestACloseEndsWhatIsUnderWay(t *testing.T) {
	began := make(chan struct{})
	h, _ := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	}))
	c := New(h, Options{})
	ended := make(chan error)
	go func() {
		_, err := c.Get(context.Background(), "http://mirror/", Range{})
		ended <- err
	}()
	<-began
	c.Close()
	if err := <-ended; err == nil {
		t.Error("it went on")
	}
	if _, err := c.Get(t.Context(), "http://mirror/", Range{}); err == nil {
		t.Error("a closed client connects")
	}
}

func TestTheProxyIsTheMachines(t *testing.T) {
	h, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Host) }))
	h.env = map[string]string{"http_proxy": "proxy.example:3128"}
	resp, err := client(t, h, Options{}).Get(t.Context(), "http://mirror.example/x", Range{})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(b) != "mirror.example" || strings.Join(h.dialed, " ") != "proxy.example:3128" {
		t.Errorf("%q by way of %v", b, h.dialed)
	}
}

func TestProxiesAreChosenAsCurlDoes(t *testing.T) {
	for _, c := range []struct{ env, url, want string }{
		{"http_proxy=http://p:1", "http://a/", "http://p:1"},
		{"http_proxy=http://p:1", "https://a/", ""},
		{"HTTPS_PROXY=p:1", "https://a/", "http://p:1"},
		{"all_proxy=socks5://p:1", "https://a/", "socks5://p:1"},
		{"http_proxy=p:1", "http://localhost/", ""},
		{"http_proxy=p:1", "http://127.0.0.1/", ""},
		{"http_proxy=p:1 no_proxy=example.com", "http://a.example.com/", ""},
		{"http_proxy=p:1 no_proxy=.example.com", "http://a.example.com/", ""},
		{"http_proxy=p:1 no_proxy=*.example.com", "http://a.example.com/", ""},
		{"http_proxy=p:1 no_proxy=example.com", "http://notexample.com/", "http://p:1"},
		{"http_proxy=p:1 NO_PROXY=a,10.0.0.0/8", "http://10.1.2.3/", ""},
		{"http_proxy=p:1 no_proxy=10.0.0.0/8", "http://11.1.2.3/", "http://p:1"},
		{"http_proxy=p:1 no_proxy=a:8080", "http://a/", "http://p:1"},
		{"http_proxy=p:1 no_proxy=a:8080", "http://a:8080/", ""},
		{"http_proxy=p:1 no_proxy=*", "http://a/", ""},
		{"", "http://a/", ""},
	} {
		env := map[string]string{}
		for _, kv := range strings.Fields(c.env) {
			k, v, _ := strings.Cut(kv, "=")
			env[k] = v
		}
		u, _ := url.Parse(c.url)
		got, err := proxy(func(k string) string { return env[k] })(&http.Request{URL: u})
		if err != nil || got == nil && c.want != "" || got != nil && got.String() != c.want {
			t.Errorf("%s, %s: %v, %v; want %s", c.env, c.url, got, err, c.want)
		}
	}
}

func TestANameFromAnIndexDoesNotLeaveItsDirectory(t *testing.T) {
	for _, c := range []struct{ dir, name, want string }{
		{"https://m/os", "repodata/repomd.xml", "https://m/os/repodata/repomd.xml"},
		{"https://m/os/", "Packages/a+b~c.rpm", "https://m/os/Packages/a+b~c.rpm"},
		{"https://m/a%20b/", "x", "https://m/a%20b/x"},
		{"https://m/os/", "../x", ""},
		{"https://m/os/", "a/../../x", ""},
		{"https://m/os/", "/etc/passwd", ""},
		{"https://m/os/", "", ""},
		{"https://m/os/", "a\\b", ""},
		{"file:///os", "x", ""},
		{"m/os", "x", ""},
	} {
		got, err := Join(c.dir, c.name)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("Join(%q, %q) = %q, %v; want %q", c.dir, c.name, got, err, c.want)
		}
	}
}
