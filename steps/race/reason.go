package race

import (
	"fmt"
	"time"

	"goxin/assets/lang"
	"goxin/steps/fetch"
)

// Reason is why a candidate lost.
type Reason string

// The reasons.
const (
	Slow         Reason = "slow"      // usable: others are quicker; else: too slow to be judged
	Stale        Reason = "stale"     // usable, and behind
	NotDone      Reason = "not-done"  // usable, and the time was over before it could be measured
	Dead         Reason = "dead"      // no route, or no answer to connect
	Refused      Reason = "refused"   // the port is closed
	NoName       Reason = "no-name"   // the host name is not known
	TLS          Reason = "tls"       // certificate or handshake
	Clock        Reason = "clock"     // certificate or signature from the future
	Hangs        Reason = "hangs"     // connected, then nothing; or headers, then nothing
	Redirects    Reason = "redirects" // a loop, too many, or from https to http
	NotHTTP      Reason = "not-http"  // broke off, or something that is not HTTP
	Unauthorized Reason = "unauthorized"
	NotFound     Reason = "not-found"
	Status       Reason = "status"     // any other HTTP status
	HTML         Reason = "html"       // a page instead of the index
	NotIndex     Reason = "not-index"  // something else instead of it
	CutShort     Reason = "cut-short"  // the index ends early
	Endless      Reason = "endless"    // the index does not end
	Bomb         Reason = "bomb"       // the package list unpacks to far too much
	WrongArch    Reason = "wrong-arch" // another architecture's packages
	NoRelease    Reason = "no-release" // another release, or not this one
	NoComponent  Reason = "no-component"
	NoPackages   Reason = "no-packages" // index, and not the packages in it
	Expired      Reason = "expired"     // Valid-Until has passed
	BadSignature Reason = "bad-signature"
	UnknownKey   Reason = "unknown-key"
	Unsigned     Reason = "unsigned"
	OverBudget   Reason = "over-budget"
	NotCarried   Reason = "not-carried" // the catalogue says so
	BadURL       Reason = "bad-url"

	// Those of an Object.
	NoFile    Reason = "no-file"    // 404, 410
	Page      Reason = "page"       // an HTML page instead of the file
	NotFile   Reason = "not-file"   // its first bytes are not those of such a file
	WrongSize Reason = "wrong-size" // the file has another size there
	BrokenOff Reason = "broken-off" // ended before as much as was asked for
)

// clauses has one clause for each reason, where it takes no more.
var clauses = map[Reason]lang.Text{
	Slow:         lang.T("too slow to be judged in time", "太慢，规定时间内无法评估"),
	NotDone:      lang.T("usable, but not measured in time", "可用，但未能在规定时间内完成测速"),
	Dead:         lang.T("no answer: the host cannot be reached", "无响应：主机不可达"),
	Refused:      lang.T("the connection was refused", "连接被拒绝"),
	NoName:       lang.T("the host name cannot be resolved", "域名无法解析"),
	TLS:          lang.T("no trusted TLS connection", "无法建立可信的 TLS 连接"),
	Clock:        lang.T("signed or certified in the future: is this machine's clock behind?", "证书或签名的时间在未来：本机时钟是否落后？"),
	Hangs:        lang.T("connects and then sends nothing", "能够连接，但不发送数据"),
	Redirects:    lang.T("redirects in circles, too often, or away from https", "重定向循环、次数过多，或离开了 https"),
	NotHTTP:      lang.T("the connection broke off, or it was not HTTP", "连接中断，或对端不是 HTTP 服务"),
	NotFound:     lang.T("does not carry this release", "没有该版本的软件源"),
	HTML:         lang.T("an HTML page instead of the index (a login page?)", "返回的是 HTML 页面而不是索引（登录页？）"),
	NotIndex:     lang.T("something that is not an index", "返回的内容不是软件源索引"),
	CutShort:     lang.T("the index ends early", "索引不完整"),
	Endless:      lang.T("the index does not end", "索引没有结尾"),
	Bomb:         lang.T("the package list unpacks to far too much", "软件包列表解压后异常庞大"),
	WrongArch:    lang.T("packages of another architecture", "软件包属于其他架构"),
	NoRelease:    lang.T("another release than the one asked for", "不是所需的发行版本"),
	NoComponent:  lang.T("lacks a component that is asked for", "缺少所需的组件（component）"),
	NoPackages:   lang.T("has the index but not the packages in it", "有索引，但缺少索引中的软件包"),
	Expired:      lang.T("its index has expired", "索引已过有效期"),
	BadSignature: lang.T("the signature is bad", "签名无效"),
	UnknownKey:   lang.T("signed by a key that is not known", "由未知密钥签名"),
	Unsigned:     lang.T("not signed", "没有签名"),
	OverBudget:   lang.T("the bytes allowed were used up before it was judged", "流量配额在评估完成之前用尽"),
	NotCarried:   lang.T("not carried there", "该站点不提供"),
	BadURL:       lang.T("its address cannot be used", "地址无法使用"),
	NoFile:       lang.T("the file is not there", "没有该文件"),
	Page:         lang.T("an HTML page instead of the file (a login page?)", "返回的是 HTML 页面而不是文件（登录页？）"),
	NotFile:      lang.T("something that is not the file", "返回的内容不是该文件"),
	WrongSize:    lang.T("the file has another size there", "该处的文件大小不同"),
	BrokenOff:    lang.T("the file ends early", "文件不完整"),
}

// ofFailure are the reasons behind requests that got no answer.
var ofFailure = map[fetch.Failure]Reason{
	fetch.Dead: Dead, fetch.Refused: Refused, fetch.NoName: NoName, fetch.TLS: TLS, fetch.Clock: Clock,
	fetch.NoHeaders: Hangs, fetch.NoBody: Hangs, fetch.Redirects: Redirects, fetch.OverBudget: OverBudget,
	fetch.Cancelled: Slow, fetch.NotHTTP: NotHTTP, fetch.NotRunnable: BadURL,
}

// Text is one clause about r: why it lost, or how quick it is.
func (r Result) Text() lang.Text {
	switch r.Why {
	case "":
		if !r.Usable {
			return lang.Text{}
		}
		return rate(r.Rate)
	case Slow:
		if r.Usable {
			return lang.F("slower: %s", "较慢：%s", rate(r.Rate))
		}
	case Stale:
		return lang.F("behind by %s", "落后 %s", span(r.Behind))
	case Unauthorized:
		if r.Gated {
			return lang.F("%d: the system is not activated", "%d：系统未激活", r.Status)
		}
		if r.Status == 403 {
			return lang.T("403: access is denied", "403：拒绝访问")
		}
		return lang.F("%d: wants a password", "%d：需要用户名和密码", r.Status)
	case Status:
		return lang.F("answers with HTTP status %d", "返回 HTTP 状态码 %d", r.Status)
	case NotFound:
		return lang.F("%d: does not carry this release", "%d：没有该版本的软件源", r.Status)
	}
	return clauses[r.Why]
}

// rate is bytes a second for people.
func rate(bytes float64) lang.Text {
	switch {
	case bytes <= 0:
		return lang.T("not measured", "未测速")
	case bytes < 1e6:
		return lang.Same(fmt.Sprintf("%.0f kB/s", bytes/1e3))
	case bytes < 1e7:
		return lang.Same(fmt.Sprintf("%.1f MB/s", bytes/1e6))
	}
	return lang.Same(fmt.Sprintf("%.0f MB/s", bytes/1e6))
}

func span(d time.Duration) lang.Text {
	days, hours := int(d.Hours()/24), int(d.Hours())
	switch {
	case days == 1:
		return lang.T("1 day", "1 天")
	case days > 1:
		return lang.F("%d days", "%d 天", days)
	}
	return lang.F("%d h", "%d 小时", hours)
}
