package race

import "goxin/assets/lang"

// briefs are the clauses that are too long for a column of a table on 80 columns, in at
// most BriefCells.
var briefs = map[Reason]lang.Text{
	Slow:        lang.T("too slow", "太慢"),
	NotDone:     lang.T("not measured", "未完成测速"),
	Dead:        lang.T("no answer", "无响应"),
	Refused:     lang.T("refused", "连接被拒绝"),
	NoName:      lang.T("name not resolved", "域名无法解析"),
	TLS:         lang.T("TLS not trusted", "TLS 不可信"),
	Clock:       lang.T("dated in the future", "签名时间在未来"),
	Hangs:       lang.T("sends nothing", "连上后无数据"),
	Redirects:   lang.T("redirects in circles", "循环重定向"),
	NotHTTP:     lang.T("broke off, no HTTP", "连接中断"),
	NotFound:    lang.T("not carried", "没有该版本"),
	HTML:        lang.T("a web page, no index", "返回网页，而非索引"),
	NotIndex:    lang.T("not an index", "不是软件源索引"),
	Endless:     lang.T("an endless index", "索引没有结尾"),
	Bomb:        lang.T("unpacks to too much", "解压后异常庞大"),
	WrongArch:   lang.T("another architecture", "架构不符"),
	NoRelease:   lang.T("another release", "发行版本不符"),
	NoComponent: lang.T("lacks a component", "缺少组件"),
	NoPackages:  lang.T("lacks packages", "缺少软件包"),
	Expired:     lang.T("expired", "索引已过期"),
	UnknownKey:  lang.T("signed by a stranger", "由未知密钥签名"),
	OverBudget:  lang.T("out of bytes allowed", "流量配额用尽"),
	BadURL:      lang.T("unusable address", "地址无法使用"),
	NoFile:      lang.T("the file is missing", "没有该文件"),
	Page:        lang.T("a web page, no file", "返回网页，而非文件"),
	NotFile:     lang.T("not the file", "不是该文件"),
	WrongSize:   lang.T("another size there", "文件大小不同"),
}

// BriefCells is how wide Brief is at most, in terminal cells.
const BriefCells = 20

// Brief is Text for a column of a table.
func (r Result) Brief() lang.Text {
	switch {
	case r.Usable:
	case r.Why == NotFound:
		return lang.F("%d: not carried", "%d：没有该版本", r.Status)
	case r.Why == Unauthorized && r.Gated:
		return lang.F("%d: not activated", "%d：系统未激活", r.Status)
	case r.Why == Unauthorized && r.Status == 403:
		return lang.T("403: access denied", "403：拒绝访问")
	case r.Why == Unauthorized:
		return lang.F("%d: wants a login", "%d：需要登录", r.Status)
	case r.Why == Status:
		return lang.F("HTTP status %d", "HTTP 状态码 %d", r.Status)
	}
	if t, ok := briefs[r.Why]; ok && !r.Usable {
		return t
	}
	return r.Text()
}
