package lang_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"goxin/assets/lang"
	"goxin/assets/lang/langtest"
)

// TestWhatGoSaysIsChineseOnAChineseScreen has Go's own packages fail as they do on
// machines.
func TestWhatGoSaysIsChineseOnAChineseScreen(t *testing.T) {
	cert := certificate(t, "2026-01-01", "2027-01-01", "a.cn", "b.cn")
	validity := func(now string) error {
		_, err := cert.Verify(x509.VerifyOptions{Roots: x509.NewCertPool(), CurrentTime: day(t, now)})
		return err
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(os.Open("/nosuch/file")), "/nosuch/file：没有那个文件或目录"},
		{second(os.ReadDir("/dev/null")), "/dev/null：不是目录"},
		{os.Rename("/nosuch/a", "/nosuch/b"), "/nosuch/a → /nosuch/b：没有那个文件或目录"},
		{second(os.ReadFile("/")), "/：是一个目录"},
		{second(exec.LookPath("nosuch-program")), "nosuch-program：PATH 中没有该程序"},
		{exec.Command("false").Run(), "退出码 1"},
		{context.DeadlineExceeded, "超时"},
		{fmt.Errorf("git clone: %w", context.DeadlineExceeded), "git clone: 超时"},
		{io.ErrUnexpectedEOF, "数据中途结束"},
		{second(gzip.NewReader(strings.NewReader("no gzip at all"))), "不是 gzip 数据"},
		{second(tar.NewReader(bytes.NewReader(bytes.Repeat([]byte{7}, 1024))).Next()), "tar 头部无效"},
		{second(hex.DecodeString("xy")), "不是十六进制字符：U+0078 'x'"},
		{second(base64.StdEncoding.DecodeString("****")), "第 0 字节起不是 base64"},

		{json.Unmarshal([]byte(`{"a": x}`), new(any)), "此处应是一个 JSON 值，却是 'x'"},
		{json.Unmarshal([]byte(`{"a" 1}`), new(any)), "JSON 的值之后不应是 '1'"},
		{json.Unmarshal([]byte(`{"a": 1 b}`), new(any)), "JSON 的键值对之后不应是 'b'"},
		{json.Unmarshal([]byte(`{`), new(any)), "JSON 中途结束"},
		{json.Unmarshal([]byte(`"a"`), new(int)), "JSON 值的类型不对（string）"},
		{json.Unmarshal([]byte(`{"n": "a"}`), &struct{ N int }{}), "JSON 键 N 的类型不对（string）"},

		{second(strconv.Atoi("12x")), `"12x" 写法不对`},
		{second(strconv.ParseUint("70000", 10, 16)), `"70000" 超出范围`},
		{second(time.ParseDuration("soon")), `"soon" 不是时长（应如 90s、2m）`},
		{second(time.ParseDuration("90")), `时长 "90" 缺少单位（应如 90s、2m）`},
		{second(time.ParseDuration("2 weeks")), `时长 "2 weeks" 的单位 " weeks" 不认识（应如 90s、2m）`},
		{second(time.Parse(time.RFC3339, "today")), `"today" 不是时间`},
		{address("://x"), "URL ://x：缺少协议（http:// 或 https://）"},
		{address("http://h:x/"), `URL http://h:x/：端口 ":x" 无效`},
		{address("http://h/%zz"), `URL http://h/%zz：URL 转义 "%zz" 无效`},

		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "go.dev", Server: "127.0.0.53:53"}}, "解析 go.dev（DNS 127.0.0.53:53）：没有这个主机名"},
		{&net.DNSError{Err: "server misbehaving", Name: "go.dev"}, "解析 go.dev：DNS 服务器应答异常"},
		{&url.Error{Op: "Get", URL: "https://go.dev/dl/", Err: &net.OpError{Op: "read", Net: "tcp", Source: ip(1), Addr: ip(2), Err: os.ErrDeadlineExceeded}}, "访问 https://go.dev/dl/：从 10.0.0.2:443 读取：等待应答超时"},
		{&url.Error{Op: "Get", URL: "https://go.dev/", Err: context.DeadlineExceeded}, "访问 https://go.dev/：超时"},
		{errors.New("dial tcp 10.0.0.2:443: connect: connection refused"), "连接 10.0.0.2:443：拒绝连接"}, // its type is lost

		{validity("2028-01-01"), "证书已于 2027-01-01T00:00:00Z 过期（本机时间 2028-01-01T00:00:00Z）"},
		{validity("2020-01-01"), "证书 2026-01-01T00:00:00Z 起才有效（本机时间 2020-01-01T00:00:00Z）"},
		{cert.VerifyHostname("c.cn"), "证书属于 a.cn, b.cn，不属于 c.cn"},
		{cert.VerifyHostname("10.0.0.1"), "证书没有写明 IP 地址，无法用于 10.0.0.1"},
		{x509.UnknownAuthorityError{}, "证书由不受信任的机构签发"},

		{errors.New("ssh: no key found; last parsing error for ignored line: illegal base64 data at input byte 0"), "其中没有 SSH 密钥"},

		{errors.New("something nobody knows"), "something nobody knows"},
		{errors.New("gcc: not a directory listing"), "gcc: not a directory listing"},
	} {
		if c.err == nil {
			t.Fatalf("nothing failed, %q was to", c.want)
		}
		if got := lang.Message(c.err, lang.ZH); got != c.want {
			t.Errorf("%v\n\tgot  %s\n\twant %s", c.err, got, c.want)
		}
		if got := lang.Message(c.err, lang.EN); got != c.err.Error() {
			t.Errorf("in English %q became %q", c.err, got)
		}
		if got := lang.Words(c.err.Error()); got.EN != c.err.Error() || got.ZH == "" {
			t.Errorf("%+v", got)
		}
	}
}

func day(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func certificate(t *testing.T, from, to string, names ...string) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: day(t, from), NotAfter: day(t, to), DNSNames: names}
	public, private, err := ed25519.GenerateKey(nil)
	if err == nil {
		var der []byte
		if der, err = x509.CreateCertificate(nil, c, c, public, private); err == nil {
			c, err = x509.ParseCertificate(der)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func address(s string) error { return second(url.Parse(s)) }

func second[T any](_ T, err error) error { return err }

func ip(last byte) net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, last), Port: 443} }

func TestAServerNobodyTrustsIsToldInChinese(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the client that hung up
	s.StartTLS()
	defer s.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for at, want := range map[string]string{
		s.URL: "证书校验失败：证书由不受信任的机构签发",
		"https" + strings.TrimPrefix(plain.URL, "http"): "对 HTTPS 请求返回了 HTTP 应答",
		gone.URL: "连接 " + strings.TrimPrefix(gone.URL, "http://") + "：拒绝连接",
	} {
		resp, err := http.Get(at)
		if err == nil {
			resp.Body.Close()
			t.Fatalf("%s answered", at)
		}
		if got := lang.Message(err, lang.ZH); got != "访问 "+at+"："+want {
			t.Errorf("%v\n\tgot  %s\n\twant 访问 %s：%s", err, got, at, want)
		}
	}
}

func TestAReasonIsQuotedAndSaysNothingOfWhatFailed(t *testing.T) {
	cut := lang.Because(nil, "it is cut short", "不完整")
	odd := lang.Because(nil, "it is no regular file", "不是普通文件").Like(fs.ErrInvalid)
	missing := &fs.PathError{Op: "open", Path: "/a", Err: fs.ErrNotExist}
	for _, c := range []struct {
		err    error
		is     []error
		en, zh string
	}{
		{cut, []error{cut}, "it is cut short", "不完整"},
		{cut.With(io.ErrUnexpectedEOF), []error{cut, io.ErrUnexpectedEOF}, "it is cut short: unexpected EOF", "不完整：数据中途结束"},
		{odd, []error{odd, fs.ErrInvalid}, "it is no regular file", "不是普通文件"},
		{&fs.PathError{Op: "write", Path: "/a", Err: odd}, []error{odd, fs.ErrInvalid}, "write /a: it is no regular file", "/a：不是普通文件"},
		{lang.Errorf(&fs.PathError{Op: "write", Path: "/a", Err: odd}, "cannot write %s", "无法写入 %s", "/a"), []error{odd}, "cannot write /a: write /a: it is no regular file", "无法写入 /a：不是普通文件"},
		{fmt.Errorf("gcc: %w", cut.With(missing)), []error{cut, fs.ErrNotExist}, "gcc: it is cut short: open /a: file does not exist", "gcc: 不完整：/a：文件不存在"},
		{lang.Because(cut, "line %d", "第 %d 行", 3), []error{cut}, "line 3: it is cut short", "第 3 行：不完整"},
		{lang.Because(lang.Errorf(nil, "cannot read it", "无法读取"), "line 3", "第 3 行"), nil, "line 3: cannot read it", "第 3 行：无法读取"},
		{lang.Quote("permission denied"), nil, "permission denied", "permission denied"}, // another program's words
		{lang.Errorf(lang.Quote("E: no\nfile: is a directory"), "apt-get failed", "apt-get 执行失败"), nil, "apt-get failed: E: no\nfile: is a directory", "apt-get 执行失败：E: no\nfile: is a directory"},
		{errors.Join(cut, odd, cut), []error{cut, odd}, "it is cut short\nit is no regular file", "不完整\n不是普通文件"},
		{lang.Errorf(usage{errors.Join(cut, odd)}, "cannot go on", "无法继续"), []error{cut, odd}, "cannot go on: it is cut short\nit is no regular file", "无法继续：不完整\n不是普通文件"},
		{ended{7}, nil, "it ended with 7", "以 7 结束"},
		{lang.Errorf(ended{7}, "cannot build", "无法编译"), nil, "cannot build: it ended with 7", "无法编译：以 7 结束"},
		{fmt.Errorf("make: %w", ended{7}), nil, "make: it ended with 7", "make: 以 7 结束"},
	} {
		if en, zh := lang.Message(c.err, lang.EN), lang.Message(c.err, lang.ZH); en != c.en || zh != c.zh {
			t.Errorf("got %q, %q\nwant %q, %q", en, zh, c.en, c.zh)
		}
		for _, target := range c.is {
			if !errors.Is(c.err, target) {
				t.Errorf("%v is no %v", c.err, target)
			}
		}
		if errors.Is(c.err, fs.ErrPermission) {
			t.Errorf("%v is all there is", c.err)
		}
	}
	for _, err := range []error{cut, odd, ended{7}, &fs.PathError{Op: "open", Path: "/a", Err: cut}} {
		if lang.Told(err) {
			t.Errorf("%v counts as told", err)
		}
	}
	if hinted := lang.Because(lang.Errorf(nil, "no", "否").WithHint("do it", "请做"), "so", "故"); lang.Hint(hinted, lang.ZH) != "请做" {
		t.Error("a hint below a reason is lost")
	}
}

type ended struct{ code int }

func (e ended) Error() string     { return e.Reason().EN }
func (e ended) Reason() lang.Text { return lang.F("it ended with %d", "以 %d 结束", e.code) }

type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// TestAnErrorIsTheOutermostOfThoseThatAreTold: what is told above says what is below.
func TestAnErrorIsTheOutermostOfThoseThatAreTold(t *testing.T) {
	inner := lang.Errorf(nil, "cannot look", "无法查看")
	if got := lang.Message(fork{inner}, lang.ZH); got != "日志自相矛盾" {
		t.Error(got)
	}
	if got := lang.Message(usage{inner}, lang.ZH); got != "无法查看" {
		t.Error(got)
	}
}

type fork struct{ cause error }

func (f fork) Text() lang.Text { return lang.T("the log contradicts itself", "日志自相矛盾") }
func (f fork) Error() string   { return f.Text().EN }
func (f fork) Unwrap() error   { return f.cause }

func FuzzMessage(f *testing.F) {
	for _, s := range []string{"", ": ", "dial tcp : ", `Get "`, `strconv.Atoi: parsing "\"": invalid syntax`, "x509: certificate is valid for , not ", "\xff: EOF", "rename / /: EOF: EOF"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := lang.Words(s)
		if text.EN != s || s != "" && text.ZH == "" {
			t.Errorf("%q: %+v", s, text)
		}
		if got := lang.Message(errors.New(s), lang.ZH); got != text.ZH {
			t.Errorf("%q: %q, %q", s, got, text.ZH)
		}
	})
}

var last = regexp.MustCompile(`"([^"]*)"\}?,$`)

func TestGosWordsAreInTheirLanguages(t *testing.T) {
	src, err := os.ReadFile("gowords.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.SplitSeq(string(src), "\n") {
		// The last string of a row is the Chinese.
		m := last.FindStringSubmatch(line)
		if m == nil || !strings.ContainsFunc(m[1], func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			continue
		}
		rows++
		if e := langtest.EnglishIn(m[1]); len(e) > 0 {
			t.Errorf("%s: %q", line, e)
		}
	}
	if rows < 100 {
		t.Errorf("only %d rows", rows)
	}
}
