package fetch

import (
	"errors"
	"net/url"

	"goxin/assets/lang"
)

var clauses = map[Failure]lang.Text{
	Dead:        lang.T("no answer: the host cannot be reached", "无响应：主机不可达"),
	Refused:     lang.T("the connection was refused", "连接被拒绝"),
	NoName:      lang.T("the host name cannot be resolved", "域名无法解析"),
	TLS:         lang.T("no trusted TLS connection", "无法建立可信的 TLS 连接"),
	Clock:       lang.T("its certificate is not valid yet: is this machine's clock behind?", "证书尚未生效：本机时钟是否落后？"),
	NoHeaders:   lang.T("connects and then sends nothing", "能够连接，但不发送数据"),
	NoBody:      lang.T("connects and then sends nothing", "能够连接，但不发送数据"),
	Redirects:   lang.T("redirects in circles, too often, or away from https", "重定向循环、次数过多，或离开了 https"),
	OverBudget:  lang.T("the bytes allowed are used up", "流量配额已用尽"),
	Cancelled:   lang.T("cancelled", "已取消"),
	NotHTTP:     lang.T("the connection broke off, or it was not HTTP", "连接中断，或对端不是 HTTP 服务"),
	NotRunnable: lang.T("its address cannot be used", "地址无法使用"),
	Status:      lang.T("answers without the file", "没有返回该文件"),
	Page:        lang.T("an HTML page instead of the file (a login page?)", "返回的是 HTML 页面而不是文件（登录页？）"),
	Stalled:     lang.T("stopped sending", "停止发送数据"),
	Shrunk:      lang.T("broke off before the end", "未到结尾即中断"),
	Grown:       lang.T("sends more than the file's size", "发送的数据超出文件大小"),
	WrongSize:   lang.T("the file has another size there", "该处的文件大小不同"),
	NoRange:     lang.T("sent another part of the file than the one asked for", "返回的不是所请求的文件区间"),
	Changed:     lang.T("it is not the file that came so far", "与此前已下载的内容不是同一文件"),
}

// Text is one clause about a server that failed.
func (f Failure) Text() lang.Text { return clauses[f] }

// StatusError is the cause of the failure Status.
type StatusError struct{ Code int }

func (e *StatusError) Error() string { return e.Text().EN }

// Text names the status.
func (e *StatusError) Text() lang.Text {
	return lang.F("HTTP status %d", "HTTP 状态码 %d", e.Code)
}

// lasting says whether asking again is of no use.
func (e *StatusError) lasting() bool {
	switch e.Code {
	case 408, 425, 429:
		return false
	}
	return e.Code < 500
}

// SourceError is what became of one source of a Stream.
type SourceError struct {
	URL string
	Err *Error
}

func (e *SourceError) Error() string { return e.Text().EN }

// Unwrap gives the failure.
func (e *SourceError) Unwrap() error { return e.Err }

// Text is "URL: a clause: the cause in its own words".
func (e *SourceError) Text() lang.Text { return lang.F("%s: %s", "%s：%s", e.URL, e.why()) }

// why is Text without the URL.
func (e *SourceError) why() lang.Text {
	if e.Err.Cause == nil {
		return e.Err.Failure.Text()
	}
	cause := e.Err.Cause
	var of *url.Error // names the URL once more
	if errors.As(cause, &of) {
		cause = of.Err
	}
	return lang.F("%s (%s)", "%s（%s）", e.Err.Failure.Text(), cause)
}

// Reason is the failure and its cause.
func (e *Error) Reason() lang.Text {
	if e.Cause == nil {
		return e.Failure.Text()
	}
	return lang.F("%s: %s", "%s：%s", e.Failure.Text(), e.Cause)
}
