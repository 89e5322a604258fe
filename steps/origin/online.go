package origin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/steps/fetch"
	"goxin/steps/verify"
)

// servers are the log's own addresses; the first is its name in mainland China
// (cmd/go/internal/modfetch/sumdb.go).
var servers = [...]string{"https://sum.golang.google.cn", "https://sum.golang.org"}

// maxAnswer bounds an answer of the log in bytes; the largest is a tile, of 8 KiB.
const maxAnswer = 1 << 20

// patience is that of a person who waits: an answer of the log has 8 KiB at most.
const patience = 20 * time.Second

// Proxies are the module proxies in a GOPROXY list that can be asked over HTTP, up to
// the first "off" or "direct", as the go command reads it (`go help goproxy`).
func Proxies(goproxy string) []string {
	var out []string
	for _, p := range strings.FieldsFunc(goproxy, func(r rune) bool { return r == ',' || r == '|' }) {
		p = strings.TrimSpace(p)
		if p == "off" || p == "direct" {
			break
		}
		if strings.HasPrefix(p, "https://") || strings.HasPrefix(p, "http://") {
			out = append(out, strings.TrimRight(p, "/"))
		}
	}
	return out
}

// Remote asks module proxies, and the log's own servers, about toolchains. It keeps the
// newest tree head it has seen in memory only. It is safe for concurrent use.
type Remote struct {
	client  *fetch.Client
	proxies []string
	servers []string
	key     string
	log     string // the log's name in a proxy's addresses
	// patience is how long an answer of the log may take, and how long a module may stall.
	patience time.Duration

	mu   sync.Mutex
	head []byte
	last string // what answered last
}

// Online asks the proxies in their order (Proxies) through c; the log is asked at the
// proxies first, all at once, and then at its own servers. key is verify.LogKey, but in
// tests.
func Online(c *fetch.Client, proxies []string, key string) *Remote {
	name, _, _ := strings.Cut(key, "+")
	return &Remote{client: c, proxies: proxies, servers: servers[:], key: key, log: name, patience: patience}
}

// Know tells heads that were seen before: the log must go on from the newest of them.
func (r *Remote) Know(heads ...[]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head = verify.Newest(r.key, append(heads, r.head)...)
}

// Head is the newest signed tree head that was seen, to be kept; nil if none was.
func (r *Remote) Head() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head
}

// Lookup asks the log for the proof of a toolchain. Errors are those of verify.Prove;
// where nobody could be asked, the reasons of all.
func (r *Remote) Lookup(ctx context.Context, t verify.Toolchain) (*verify.Proof, error) {
	p, newest, err := verify.Prove(ctx, r.get, r.key, t, r.Head())
	if err != nil {
		return nil, err
	}
	r.Know(newest)
	return p, nil
}

// get asks for a path of the log's: what answered last first.
func (r *Remote) get(ctx context.Context, path string) ([]byte, error) {
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	var all []error
	if last != "" {
		b, err := r.read(ctx, last, path)
		if err == nil {
			return b, nil
		}
		all = append(all, err)
	}
	var through []string
	for _, p := range r.proxies {
		through = append(through, p+"/sumdb/"+r.log)
	}
	for _, group := range [][]string{through, r.servers} {
		b, failed, ok := r.first(ctx, group, last, path)
		if ok {
			return b, nil
		}
		all = append(all, failed...)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return nil, nobody(all)
}

// first asks some at once, but not one that was asked, and takes the first answer; ok is
// false where there is none.
func (r *Remote) first(ctx context.Context, bases []string, but, path string) (b []byte, failed []error, ok bool) {
	type answer struct {
		base string
		b    []byte
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, len(bases))
	asked := 0
	for _, base := range bases {
		if base == but {
			continue
		}
		asked++
		go func() {
			b, err := r.read(ctx, base, path)
			answers <- answer{base, b, err}
		}()
	}
	for range asked {
		a := <-answers
		if a.err == nil {
			r.mu.Lock()
			r.last = a.base
			r.mu.Unlock()
			return a.b, nil, true
		}
		failed = append(failed, a.err)
	}
	return nil, failed, false
}

// nobody is the error of all who were asked: that there is no such thing, where one of
// them that would know said so (fs.ErrNotExist).
func nobody(all []error) error {
	err := errors.Join(all...)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return lang.Errorf(nil, "cannot ask Go's transparency log: %s", "无法查询 Go 的透明日志：%s", reasons(all)).
		WithHint("set GOPROXY to a module proxy that carries the checksum database, such as https://goproxy.cn, or bring the proof along",
			"请把 GOPROXY 设为提供校验和数据库的模块代理（如 https://goproxy.cn），或随附离线证明")
}

// reasons names, for each reason, all who have it.
func reasons(all []error) lang.Text {
	var order, out []lang.Text
	who := map[lang.Text][]string{}
	for _, err := range all {
		why := lang.F("%s", "%s", err)
		var s *silent
		if !errors.As(err, &s) {
			out = append(out, why) // it names itself
			continue
		}
		why = s.why()
		if who[why] == nil {
			order = append(order, why)
		}
		if h := host(s.base); !slices.Contains(who[why], h) {
			who[why] = append(who[why], h)
		}
	}
	for _, why := range order {
		out = append(out, lang.F("%s: %s", "%s：%s", lang.List(who[why]...), why))
	}
	var en, zh []string
	for _, t := range out {
		en, zh = append(en, t.EN), append(zh, t.ZH)
	}
	return lang.T(strings.Join(en, "; "), strings.Join(zh, "；"))
}

// silent is one that gave no answer.
type silent struct {
	base string
	err  error
}

func (s *silent) why() lang.Text {
	var f *fetch.Error
	if errors.As(s.err, &f) && !f.Failure.Text().Empty() {
		return f.Failure.Text()
	}
	return lang.F("%s", "%s", s.err)
}

func (s *silent) Text() lang.Text { return lang.F("%s: %s", "%s：%s", host(s.base), s.why()) }
func (s *silent) Error() string   { return s.Text().EN }
func (s *silent) Unwrap() error   { return s.err }

func host(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return base
	}
	return u.Host
}

// read asks one of them.
func (r *Remote) read(all context.Context, base, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(all, r.patience)
	defer cancel()
	b, err := r.answer(ctx, base, path)
	if err != nil && ctx.Err() != nil && all.Err() == nil {
		err = lang.Errorf(nil, "%s: no whole answer in %v", "%s：%v 内没有完整应答", host(base), r.patience)
	}
	return b, err
}

func (r *Remote) answer(ctx context.Context, base, path string) ([]byte, error) {
	resp, err := r.client.Get(ctx, base+path, fetch.Range{})
	if err != nil {
		return nil, &silent{base, err}
	}
	defer resp.Body.Close()
	if err := status(base, resp.Status); err != nil {
		if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(path, "/lookup/") && !r.carries(ctx, base) {
			err = lang.Errorf(nil, "%s does not carry the checksum database", "%s 不提供校验和数据库", base)
		}
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, &silent{base, err}
	}
	if len(b) > maxAnswer {
		return nil, lang.Errorf(nil, "%s: the answer has more than %d bytes", "%s：应答超过 %d 字节", base, maxAnswer)
	}
	return b, nil
}

// carries says whether a "not found" of base is the log's: a proxy without the checksum
// database says that of everything. One that has it answers /supported (`go help
// module-auth`).
func (r *Remote) carries(ctx context.Context, base string) bool {
	if slices.Contains(r.servers, base) {
		return true
	}
	resp, err := r.client.Get(ctx, base+"/supported", fetch.Range{})
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.Status == 200
}

func status(base string, code int) error {
	switch code {
	case 200:
		return nil
	case 404, 410:
		return lang.Errorf(fs.ErrNotExist, "%s answers %d", "%s 返回 %d", base, code)
	}
	return lang.Errorf(nil, "%s answers %d", "%s 返回 %d", base, code)
}

// Module opens the module zip of a toolchain: at the first proxy that has it, and where
// that one stalls, at the next.
func (r *Remote) Module(ctx context.Context, t verify.Toolchain) (io.ReadCloser, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	if len(r.proxies) == 0 {
		return nil, lang.Errorf(nil, "cannot get the module of %s: there is no proxy", "无法获取 %s 的模块：没有可用的代理", t)
	}
	urls := make([]string, len(r.proxies))
	for i, p := range r.proxies {
		urls[i] = p + "/" + verify.ToolchainModule + "/@v/" + t.ModuleVersion() + ".zip"
	}
	s := r.client.Stream(ctx, urls, fetch.StreamOptions{Stall: r.patience})
	from := bufio.NewReader(s)
	if _, err := from.Peek(1); err != nil {
		s.Close()
		return nil, lang.Errorf(err, "cannot get the module of %s", "无法获取 %s 的模块", t)
	}
	return struct {
		io.Reader
		io.Closer
	}{from, s}, nil
}
