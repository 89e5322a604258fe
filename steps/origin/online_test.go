package origin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/steps/fetch"
	"goxin/steps/verify"
)

func TestProxiesAreReadAsTheGoCommandReadsThem(t *testing.T) {
	for list, want := range map[string][]string{
		"https://goproxy.cn,direct":                 {"https://goproxy.cn"},
		"https://a.example/,https://b.example/x/":   {"https://a.example", "https://b.example/x"},
		"https://a.example|http://b.example,direct": {"https://a.example", "http://b.example"},
		" https://a.example , https://b.example ":   {"https://a.example", "https://b.example"},
		"direct,https://a.example":                  nil,
		"off":                                       nil,
		"":                                          nil,
		"file:///srv/goproxy,https://a.example":     {"https://a.example"},
		"ftp://a.example,a.example":                 nil,
	} {
		if got := Proxies(list); !slices.Equal(got, want) {
			t.Errorf("%q: %v", list, got)
		}
	}
}

// answering serves one host only; all others answer with a status.
func answering(w *world, host string, others int) {
	w.extra = func(rw http.ResponseWriter, r *http.Request) {
		if r.Host != host {
			rw.Header().Set("X-Done", "1")
			rw.WriteHeader(others)
		}
	}
}

func TestTheLogIsAskedWhereItCanBeReached(t *testing.T) {
	proxies := []string{"http://one.example", "http://two.example"}
	for _, c := range []struct{ host, why string }{{"one.example", "the first proxy"}, {"two.example", "the second proxy"}} {
		for _, others := range []int{403, 404, 410, 500} {
			w := newWorld(t)
			answering(w, c.host, others)
			p, err := w.remote(proxies...).Lookup(t.Context(), tool)
			if err != nil {
				t.Errorf("%s, others say %d: %v", c.why, others, err)
				continue
			}
			if h1, _, err := p.H1(w.key, tool); h1 != w.h1[tool] || err != nil {
				t.Errorf("%s: %s, %v", c.why, h1, err)
			}
		}
	}
	w := newWorld(t)
	w.extra = func(rw http.ResponseWriter, r *http.Request) {
		if r.Host != "sum.example" {
			rw.Header().Set("X-Done", "1")
			http.NotFound(rw, r)
			return
		}
		r.URL.Path = "/sumdb/log.example" + r.URL.Path // the log's own server
	}
	r := w.remote(proxies...)
	r.servers = []string{"http://sum.example"}
	if _, err := r.Lookup(t.Context(), tool); err != nil {
		t.Errorf("the log's own server: %v", err)
	}
	before := len(w.asked)
	if _, err := r.Lookup(t.Context(), tool); err != nil {
		t.Error(err)
	}
	for _, a := range w.asked[before:] {
		if !strings.HasPrefix(a, "sum.example/") {
			t.Errorf("%s is asked though another answered before", a)
		}
	}
}

func TestThatThereIsNoRecordIsBelievedOfWhoeverHasTheLog(t *testing.T) {
	missing := verify.Toolchain{Version: "go1.26.99", OS: "linux", Arch: "arm64"}
	w := newWorld(t)
	if _, err := w.remote().Lookup(t.Context(), missing); !errors.As(err, new(*verify.NotInLogError)) {
		t.Errorf("the log does not have it: %v", err)
	}
	answering(w, "nobody", 404)
	_, err := w.remote().Lookup(t.Context(), tool)
	if errors.As(err, new(*verify.NotInLogError)) || err == nil || !strings.Contains(lang.Hint(err, lang.EN), "GOPROXY") {
		t.Errorf("nobody has the log: %v, hint %q", err, lang.Hint(err, lang.EN))
	}
	r := w.remote()
	r.proxies = nil
	if _, err := r.Lookup(t.Context(), tool); err == nil {
		t.Error("nobody was asked, and there is a proof")
	}
}

func TestALogThatForgetsWhatItShowedIsFoundOut(t *testing.T) {
	w := newWorld(t)
	r := w.remote()
	if _, err := r.Lookup(t.Context(), tool); err != nil {
		t.Fatal(err)
	}
	seen := r.Head()
	if len(seen) == 0 {
		t.Fatal("no head was kept")
	}
	again := w.remote()
	again.Know(nil, seen, []byte("rubbish"))
	if _, err := again.Lookup(t.Context(), tool); err != nil {
		t.Errorf("the same log: %v", err)
	}
	// The same key signs another history.
	other := verify.Toolchain{Version: "go1.26.7", OS: "linux", Arch: "arm64"}
	forked := forkOf(t, w)
	forked.h1[other] = w.h1[tool]
	if _, err := forked.remote().Lookup(t.Context(), other); err != nil { // its record 0 is another one
		t.Fatal(err)
	}
	liar := forked.remote()
	liar.Know(seen)
	if _, err := liar.Lookup(t.Context(), tool); !errors.As(err, new(*verify.ForkError)) {
		t.Errorf("another history: %v", err)
	}
	o := Options{Lookup: liar.Lookup, LogKey: w.key}
	w.put(dir, release1268())
	if f := tree(t, w, o); f.Verdict != Unproved || !strings.Contains(f.Text().EN, "contradicts") {
		t.Errorf("%s: %s", f.Verdict, f.Text().EN)
	}
}

func TestThoseWhoDoNotAnswerForOneReasonAreNamedTogether(t *testing.T) {
	noName := &fetch.Error{Failure: fetch.NoName, Cause: errors.New("lookup goproxy.cn on [::1]:53: connection refused")}
	err := nobody([]error{
		&silent{"https://goproxy.cn/sumdb/sum.golang.org", noName},
		&silent{"https://mirrors.aliyun.com/goproxy/sumdb/sum.golang.org", noName},
		&silent{"https://goproxy.cn/sumdb/sum.golang.org", noName},
		status("https://sum.golang.org", 503),
	})
	for l, want := range map[lang.Lang]string{
		lang.EN: "cannot ask Go's transparency log: https://sum.golang.org answers 503; goproxy.cn, mirrors.aliyun.com: the host name cannot be resolved",
		lang.ZH: "无法查询 Go 的透明日志：https://sum.golang.org 返回 503；goproxy.cn、mirrors.aliyun.com：域名无法解析",
	} {
		if got := lang.Message(err, l); got != want {
			t.Errorf("%s", got)
		}
	}
}

func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	w := newWorld(t)
	w.extra = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Done", "1")
		for r.Context().Err() == nil {
			if _, err := fmt.Fprint(rw, strings.Repeat("x", 64<<10)); err != nil {
				return
			}
		}
	}
	if _, err := w.remote().Lookup(t.Context(), tool); err == nil || !strings.Contains(err.Error(), "1048576") {
		t.Error(err)
	}
}

func TestAModuleComesFromTheFirstProxyThatHasIt(t *testing.T) {
	w := newWorld(t)
	answering(w, "two.example", 404)
	m, err := w.remote("http://one.example", "http://two.example").Module(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(m)
	m.Close()
	if err != nil || len(b) == 0 || string(b[:2]) != "PK" {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := w.remote("http://one.example").Module(t.Context(), tool); err == nil || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
	r := w.remote()
	r.proxies = nil
	if _, err := r.Module(t.Context(), tool); err == nil {
		t.Error("no proxy, and a module")
	}
	if _, err := r.Module(t.Context(), verify.Toolchain{Version: "go1.26.8/..", OS: "linux", Arch: "arm64"}); err == nil {
		t.Error("a version that climbs")
	}
}

// A body may hang, or drip, as well as a server that does not answer.
func TestWhoeverHangsInTheMiddleOfAnAnswerIsNotWaitedForForever(t *testing.T) {
	w := newWorld(t)
	whole := w.zips["/"+verify.ToolchainModule+"/@v/"+tool.ModuleVersion()+".zip"]
	w.extra = func(rw http.ResponseWriter, r *http.Request) {
		if r.Host != "hangs.example" {
			return
		}
		rw.Header().Set("X-Done", "1")
		rw.Header().Set("Content-Length", fmt.Sprint(len(whole)))
		_, _ = rw.Write(whole[:100])
		_ = http.NewResponseController(rw).Flush()
		<-r.Context().Done()
	}
	r := w.remote("http://hangs.example")
	r.patience = 50 * time.Millisecond
	if _, err := r.Lookup(t.Context(), tool); err == nil {
		t.Error("an answer that never ended was taken")
	}
	both := w.remote("http://hangs.example", "http://proxy.example")
	both.patience = 50 * time.Millisecond
	m, err := both.Module(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if b, err := io.ReadAll(m); err != nil || !bytes.Equal(b, whole) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
