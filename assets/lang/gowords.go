package lang

import (
	"cmp"
	"maps"
	"regexp"
	"strings"
	"sync"
)

// gowords are what Go's own packages say at the end of an error, in Chinese. They are
// known by their words: many have no type, and those that come from another process
// have lost it.
var gowords = map[string]string{
	// context, io, io/fs, os, net, strconv, encoding/json and what unpacks archives
	"context canceled":                       "已取消",
	"context deadline exceeded":              "超时",
	"i/o timeout":                            "等待应答超时",
	"EOF":                                    "数据已到末尾",
	"unexpected EOF":                         "数据中途结束",
	"short write":                            "没有写完",
	"file does not exist":                    "文件不存在",
	"file already exists":                    "文件已存在",
	"file already closed":                    "文件已关闭",
	"use of closed file":                     "文件已关闭",
	"executable file not found in $PATH":     "PATH 中没有该程序",
	"os: process already finished":           "进程已结束",
	"path escapes from parent":               "路径越出了所在目录",
	"bufio.Scanner: token too long":          "行过长",
	"io: read/write on closed pipe":          "管道已关闭",
	"operation was canceled":                 "已取消",
	"no such host":                           "没有这个主机名",
	"server misbehaving":                     "DNS 服务器应答异常",
	"no suitable address":                    "没有可用的地址",
	"no suitable address found":              "没有可用的地址",
	"missing port in address":                "地址中缺少端口",
	"too many colons in address":             "地址中冒号过多",
	"use of closed network connection":       "连接已关闭",
	"Temporary failure in name resolution":   "域名解析暂时失败",
	"temporary failure in name resolution":   "域名解析暂时失败",
	"Name or service not known":              "没有这个主机名",
	"unexpected end of JSON input":           "JSON 中途结束",
	"invalid syntax":                         "写法不对",
	"value out of range":                     "超出范围",
	"gzip: invalid header":                   "不是 gzip 数据",
	"gzip: invalid checksum":                 "gzip 校验和不符",
	"archive/tar: invalid tar header":        "tar 头部无效",
	"archive/tar: header field too long":     "tar 头部字段过长",
	"archive/tar: write too long":            "写入的内容超出 tar 头部所写的大小",
	"archive/tar: missed writing":            "tar 内容没有写全",
	"zip: not a valid zip file":              "不是有效的 zip 文件",
	"zip: checksum error":                    "zip 校验和不符",
	"zip: unsupported compression algorithm": "zip 使用了不支持的压缩算法",
	"lzma: unexpected chunk type":            "LZMA 数据损坏",

	// golang.org/x/crypto/ssh
	"ssh: no key found":                             "其中没有 SSH 密钥",
	"ssh: this private key is passphrase protected": "私钥有口令保护",
	"x509: decryption password incorrect":           "口令不对",

	// crypto/x509, crypto/tls, net/http, net/url
	"x509: certificate signed by unknown authority":                          "证书由不受信任的机构签发",
	"x509: certificate is not authorized to sign other certificates":         "签发者的证书无权签发证书",
	"x509: certificate relies on legacy Common Name field, use SANs instead": "证书只有 Common Name，缺少 SAN",
	"x509: certificate specifies an incompatible key usage":                  "证书的密钥用途不符",
	"x509: issuer name does not match subject from issuing certificate":      "证书链中签发者的名称不符",
	"x509: too many intermediates for path length constraint":                "证书链过长",
	"tls: first record does not look like a TLS handshake":                   "对端不是 TLS 服务",
	"tls: handshake failure":                                                 "TLS 握手失败",
	"tls: bad certificate":                                                   "证书不被对端接受",
	"tls: certificate required":                                              "对端要求客户端证书",
	"tls: unknown certificate authority":                                     "对端不信任证书的签发机构",
	"tls: expired certificate":                                               "证书已过期",
	"tls: internal error":                                                    "TLS 内部错误",
	"tls: protocol version not supported":                                    "对端不支持该 TLS 版本",
	"tls: unrecognized name":                                                 "对端不认识这个主机名",
	"tls: access denied":                                                     "对端拒绝访问",
	"tls: no application protocol":                                           "没有共同支持的应用层协议",
	"tls: server's certificate contains an unsupported type of public key":   "证书的公钥类型不受支持",
	"tls: failed to parse certificate from server":                           "无法解析服务器的证书",
	"tls: bad record MAC":                                                    "TLS 记录校验失败",
	"net/http: TLS handshake timeout":                                        "TLS 握手超时",
	"net/http: timeout awaiting response headers":                            "等待响应头超时",
	"net/http: request canceled":                                             "请求已取消",
	"net/http: request canceled while waiting for connection":                "等待连接时请求被取消",
	"net/http: HTTP/1.x transport connection broken":                         "HTTP 连接中断",
	"Client.Timeout exceeded while awaiting headers":                         "等待响应头超时",
	"http: server gave HTTP response to HTTPS client":                        "对 HTTPS 请求返回了 HTTP 应答",
	"http: server closed idle connection":                                    "服务器关闭了空闲连接",
	"http: no Host in request URL":                                           "URL 中没有主机名",
	"http: request body too large":                                           "请求体过大",
	"http: read on closed response body":                                     "应答已关闭",
	"malformed HTTP response":                                                "HTTP 应答格式不对",
	"malformed chunked encoding":                                             "分块传输编码有误",
	"missing protocol scheme":                                                "缺少协议（http:// 或 https://）",
	"first path segment in URL cannot contain colon":                         "URL 的第一段路径不能含冒号",
	"net/url: invalid control character in URL":                              "URL 中有控制字符",
	"empty url": "URL 为空",
}

// fixed are gowords, and the kernel's words, which an error of another process has
// without their number.
var fixed = sync.OnceValue(func() map[string]string {
	all := maps.Clone(gowords)
	for no, zh := range system {
		all[no.Error()] = zh
	}
	return all
})

// phrase is what an error may end with, and the Chinese of it.
type phrase struct {
	en *regexp.Regexp
	zh string
}

// phrases are those with something in them.
var phrases = sync.OnceValue(func() []phrase {
	return table([][2]string{
		{`exit status (\d+)`, "退出码 $1"},
		{`signal: (\w+)(?: \(core dumped\))?`, "被信号终止（$1）"},

		{`x509: certificate signed by unknown authority \((?:possibly because of )?.*\)`, "证书由不受信任的机构签发"},
		{`x509: certificate has expired or is not yet valid: current time (\S+) is after (\S+)`, "证书已于 $2 过期（本机时间 $1）"},
		{`x509: certificate has expired or is not yet valid: current time (\S+) is before (\S+)`, "证书 $2 起才有效（本机时间 $1）"},
		{`x509: certificate has expired or is not yet valid:? ?`, "证书已过期或尚未生效"},
		{`x509: certificate is valid for (.*), not (\S+)`, "证书属于 $1，不属于 $2"},
		{`x509: certificate is not valid for any names, but wanted to match (\S+)`, "证书没有写明任何主机名，而需要的是 $1"},
		{`x509: cannot validate certificate for (\S+) because it doesn't contain any IP SANs`, "证书没有写明 IP 地址，无法用于 $1"},
		{`tls: server selected unsupported protocol version (\S+)`, "对端选择了不支持的 TLS 版本 $1"},

		{`stream error: stream ID \d+; (\w+)(?:; .*)?`, "HTTP/2 流出错（$1）"},
		{`http2: server sent GOAWAY and closed the connection;.*`, "服务器关闭了 HTTP/2 连接"},
		{`malformed HTTP (?:response|status code|version) (".*")`, "HTTP 应答格式不对：$1"},
		{`unsupported protocol scheme (".*")`, "不支持的协议 $1"},
		{`invalid port (".*") after host`, "端口 $1 无效"},
		{`invalid URL escape (".*")`, "URL 转义 $1 无效"},
		{`invalid character (".*") in host name`, "主机名中不应有字符 $1"},

		{`invalid character ('.*') looking for beginning of value`, "此处应是一个 JSON 值，却是 $1"},
		{`invalid character ('.*') looking for beginning of object key string`, "此处应是 JSON 的键，却是 $1"},
		{`invalid character ('.*') after object key:value pair`, "JSON 的键值对之后不应是 $1"},
		{`invalid character ('.*') after (?:top-level value|array element|object key)`, "JSON 的值之后不应是 $1"},
		{`invalid character ('.*') in (?:literal|string literal|string escape code|numeric literal).*`, "JSON 中不应有 $1"},
		{`json: unknown field (".*")`, "未知的 JSON 键 $1"},
		{`json: cannot unmarshal (\S+)(?: \S+)? into Go struct field [\w.]*?\.([\w.]+) of type \S+`, "JSON 键 $2 的类型不对（$1）"},
		{`json: cannot unmarshal (\S+)(?: \S+)? into Go value of type \S+`, "JSON 值的类型不对（$1）"},

		{`time: invalid duration (".*")`, "$1 不是时长（应如 90s、2m）"},
		{`time: missing unit in duration (".*")`, "时长 $1 缺少单位（应如 90s、2m）"},
		{`time: unknown unit (".*") in duration (".*")`, "时长 $2 的单位 $1 不认识（应如 90s、2m）"},
		{`parsing time ("[^"]*")(?: as "[^"]*")?: .*`, "$1 不是时间"},
		{`ssh: no key found; last parsing error for ignored line: .*`, "其中没有 SSH 密钥"},
		{`flate: corrupt input before offset (\d+)`, "压缩数据在偏移 $1 之前损坏"},
		{`illegal base64 data at input byte (\d+)`, "第 $1 字节起不是 base64"},
		{`encoding/hex: invalid byte: (.*)`, "不是十六进制字符：$1"},
		{`encoding/hex: odd length hex string`, "十六进制字符数为奇数"},
		{`error parsing regexp: (.*)`, "正则表达式有误：$1"},
	}, `(?:^|: )(?:`, `)$`)
})

// leads are what Go puts before the last words: which call it was, on what.
var leads = sync.OnceValue(func() []phrase {
	return table([][2]string{
		{`(?:Get|Head|Post) "([^"]*)": `, "访问 $1："},
		{`parse "([^"]*)": `, "URL $1："},
		{`(?:dial|proxyconnect) (?:tcp|udp|unix)\d? (\S+): (?:connect: )?`, "连接 $1："},
		{`(?:dial|proxyconnect) (?:tcp|udp|unix)\d?: `, ""},
		{`lookup (\S+) on (\S+): `, "解析 $1（DNS $2）："},
		{`lookup (\S+): `, "解析 $1："},
		{`read (?:tcp|udp|unix)\d? \S+->(\S+): (?:read: )?`, "从 $1 读取："},
		{`write (?:tcp|udp|unix)\d? \S+->(\S+): (?:write: )?`, "向 $1 发送："},
		{`address (\S+): `, "地址 $1："},
		{`listen (?:tcp|udp|unix)\d? (\S+): (?:bind: )?`, "监听 $1："},
		{`remote error: `, "对端报错："},
		{`tls: failed to verify certificate: `, "证书校验失败："},
		{`tls: failed to parse certificate from server: `, "无法解析服务器的证书："},
		{`net/http: HTTP/1.x transport connection broken: `, "HTTP 连接中断："},
		{`(?:open|stat|lstat|read|write|mkdir|remove|readlink|readdir|chmod|chown|fork/exec|chdir|unlinkat|openat|fstatat|truncate|sync|statfs|lock) (/\S*): `, "$1："},
		{`(?:rename|link|symlink) (/\S*) (/\S*): `, "$1 → $2："},
		{`exec: "([^"]*)": `, "$1："},
		{`strconv\.\w+: parsing ("(?:[^"\\]|\\.)*"): `, "$1 "},
	}, `^`, ``)
})

func table(rows [][2]string, before, after string) []phrase {
	out := make([]phrase, len(rows))
	for i, r := range rows {
		out[i] = phrase{regexp.MustCompile(before + r[0] + after), r[1]}
	}
	return out
}

// known is what s ends with, behind a colon or all of it, where that is known.
func known(s string) (en, zh string) {
	for _, p := range phrases() {
		if m := p.en.FindStringSubmatchIndex(s); m != nil {
			en = strings.TrimPrefix(s[m[0]:], ": ")
			return en, string(p.en.ExpandString(nil, p.zh, s, m))
		}
	}
	all := fixed()
	for rest, more := s, true; more; _, rest, more = strings.Cut(rest, ": ") {
		if zh, ok := all[rest]; ok {
			return rest, zh
		}
	}
	return "", ""
}

// lead is s with what Go puts first put into Chinese.
func lead(s string) string {
	for _, p := range leads() {
		if m := p.en.FindStringSubmatchIndex(s); m != nil {
			return string(p.en.ExpandString(nil, p.zh, s, m)) + lead(s[m[1]:])
		}
	}
	return s
}

// words is s in Chinese as far as it is known.
func words(s string) string {
	en, zh := known(s)
	return cmp.Or(lead(strings.TrimSuffix(s, en))+zh, s)
}

// Words are what the system, or Go's own packages, said, where all that was kept of it
// is a string.
func Words(said string) Text {
	return Text{EN: said, ZH: words(said)}
}
