package profile

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/fetch"
	"goxin/steps/op"
)

const (
	knock     = 3 * time.Second // how long an address has to say whether it is pprof
	index     = "/debug/pprof/"
	heapLimit = 30 * time.Second
)

// Shot is one profile.
type Shot struct {
	Raw   []byte     // as it was sent, for go tool pprof
	Top   []Function // the functions with the most
	Total int64      // nanoseconds of CPU, or bytes
	Why   lang.Text  // why there is none
}

type asker struct {
	c *fetch.Client
}

// ask opens url and reads at most limit bytes of it.
func (a asker) ask(ctx context.Context, url string, within time.Duration, limit int64) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r, err := a.c.Get(ctx, url, fetch.Range{})
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = lang.Because(nil, "more than %d MiB", "超过 %d MiB", limit>>20)
	}
	return r.Status, body, err
}

// served finds where the process serves net/http/pprof; base is "" where it does not,
// and why says what each address answered.
func (a asker) served(ctx context.Context, m machine.Machine, p *Process) (base string, why lang.Text) {
	if p.Go == "" {
		return "", lang.T("the process is no Go program that can be read, so its ports were not asked", "该进程不是可识别的 Go 程序，因此没有探测其端口")
	}
	if p.Netns {
		return "", lang.T("the process has a network of its own (a container): its ports cannot be reached from here. Give --pprof an address under which it can be", "该进程有独立的网络命名空间（容器），此处无法访问其端口。请用 --pprof 给出可达的地址")
	}
	ports, err := Ports(m, p.PID)
	if err != nil {
		return "", lang.F("its open files cannot be read: %s", "无法读取其打开的文件：%s", err)
	}
	if len(ports) == 0 {
		return "", lang.T("it listens on no TCP port", "它没有监听任何 TCP 端口")
	}
	var said []lang.Text
	for _, port := range ports {
		for _, at := range reach(port) {
			base := "http://" + at.String()
			got, answered := a.knock(ctx, base)
			if got.Empty() {
				return base, lang.Text{}
			}
			said = append(said, lang.F("%s: %s", "%s：%s", at.String(), got))
			if ctx.Err() != nil {
				return "", lang.Text{}
			}
			if answered {
				break // the other address is the same socket
			}
		}
	}
	return "", join(said)
}

func join(all []lang.Text) lang.Text {
	var en, zh []string
	for _, t := range all {
		en, zh = append(en, t.EN), append(zh, t.ZH)
	}
	return lang.T(strings.Join(en, "; "), strings.Join(zh, "；"))
}

// shown is an error that may quote what came from the network.
func shown(err error) lang.Text { return op.VisibleText(lang.F("%s", "%s", err)) }

// knock says why there is no pprof at base, empty where there is, and whether something
// answered at all.
func (a asker) knock(ctx context.Context, base string) (why lang.Text, answered bool) {
	status, body, err := a.ask(ctx, base+index, knock, 1<<20)
	switch {
	case err != nil && fetch.Why(err) == fetch.Refused:
		return lang.T("refused", "连接被拒绝"), false
	case err != nil && fetch.Why(err) == fetch.TLS:
		return lang.F("its certificate or handshake is not accepted: %s", "证书或握手未通过：%s", shown(err)), true
	case err != nil && fetch.Why(err) == fetch.Cancelled:
		return lang.T("no answer within 3 s", "3 秒内没有响应"), false
	case err != nil:
		return lang.T("it does not speak HTTP", "对方不是 HTTP 服务"), false
	case status == 400 && bytes.Contains(body, []byte("HTTPS server")):
		return lang.F("it speaks TLS: try --pprof %s", "对方使用 TLS：可试 --pprof %s", "https"+strings.TrimPrefix(base, "http")), true
	case status != 200:
		return lang.F("no %s there (status %d)", "没有 %s（状态码 %d）", index, status), true
	case !bytes.Contains(body, []byte("goroutine")) || !bytes.Contains(body, []byte("heap")):
		return lang.F("%s is something else there", "%s 并非 pprof 页面", index), true
	}
	return lang.Text{}, true
}

// fetch gets a profile and reads it.
func (a asker) fetch(ctx context.Context, url, kind string, within time.Duration) Shot {
	status, body, err := a.ask(ctx, url, within, maxProfile)
	switch {
	case err != nil:
		return Shot{Why: lang.F("%s did not come: %s", "未能取得 %s：%s", op.Visible(url), shown(err))}
	case status != 200:
		said, _, _ := strings.Cut(strings.TrimSpace(string(body[:min(len(body), 200)])), "\n")
		return Shot{Why: lang.F("%s answered with status %d: %s", "%s 返回状态码 %d：%s", op.Visible(url), status, op.Visible(said))}
	}
	s := Shot{Raw: body}
	if s.Top, s.Total, err = top(body, kind, 15); err != nil {
		return Shot{Why: lang.F("%s sent something that is no profile", "%s 返回的不是 profile 数据", op.Visible(url))}
	}
	return s
}
