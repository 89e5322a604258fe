package environment

import (
	"path"
	"regexp"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/note"

	"goxin/assets/lang"
	"goxin/steps/op"
	"goxin/steps/whichgo"
)

// quotable says whether s may stand between single quotes in every shell, and in a
// list that commas divide.
func quotable(s string) bool {
	for _, r := range s {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`'"\,`+"`", r) {
			return false
		}
	}
	return s != ""
}

// The addresses a proxy or a database may have; none with a name, a password, a
// query or a fragment.
var (
	address   = regexp.MustCompile(`^https?://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^?#]*)?$`)
	directory = regexp.MustCompile(`^file:///[^?#]*$`)
)

// checkProxy judges one element of GOPROXY, which may be several with | between
// them: https, http or file URLs, direct, off.
func checkProxy(s string) error {
	if !quotable(s) {
		return lang.Errorf(nil, "cannot take %s for a proxy: blanks, quotes, commas and control characters are not part of an address", "不能把 %s 作为代理：地址中不能有空格、引号、逗号或控制字符", op.Visible(s)).
			WithHint("write each proxy as an element of its own", "每个代理请单独写成一项")
	}
	for part := range strings.SplitSeq(s, "|") {
		if part == "direct" || part == "off" {
			continue
		}
		switch {
		case whichgo.Masked(part) != part:
			return lang.Errorf(nil, "cannot write the proxy %s: it comes with a name or a password, and everybody may read the file", "不能写入代理 %s：其中带有用户名或密码，而该文件所有人可读", op.Visible(whichgo.Masked(part))).
				WithHint("leave them out and put them into ~/.netrc (go help goauth)", "请去掉它们，改放在 ~/.netrc 中（go help goauth）")
		case !address.MatchString(part) && !directory.MatchString(part):
			return lang.Errorf(nil, "cannot take %s for a proxy: it is no address of one", "不能把 %s 作为代理：不是代理地址", op.Visible(part)).
				WithHint("write it as https://goproxy.cn, or direct, or off", "写法如 https://goproxy.cn，或 direct、off")
		}
	}
	return nil
}

// checkSumDB judges GOSUMDB: a name cmd/go knows (internal/modfetch/key.go and
// dbDial), a key, or either with an address after a blank.
func checkSumDB(s string) error {
	wrong := func() error {
		return lang.Errorf(nil, "cannot take %s for a checksum database", "不能把 %s 作为校验和数据库", op.Visible(whichgo.Masked(s))).
			WithHint("sum.golang.org, sum.golang.google.cn, off, or NAME+HASH+KEY, with an address after a blank where it has one of its own", "可用 sum.golang.org、sum.golang.google.cn、off，或 NAME+HASH+KEY；另有地址时写在空格之后")
	}
	name, at, two := strings.Cut(s, " ")
	if !quotable(name) || two && (!quotable(at) || !address.MatchString(at)) {
		return wrong()
	}
	switch name {
	case "off", "sum.golang.google.cn":
		if two {
			return wrong()
		}
		return nil
	case usualSumDB:
		return nil
	}
	if _, err := note.NewVerifier(name); err != nil {
		return wrong()
	}
	return nil
}

// checkPrivate judges one pattern of GOPRIVATE (path.Match over a prefix of a
// module's path).
func checkPrivate(s string) error {
	wrong := func(en, zh string) error {
		return lang.Errorf(nil, "cannot take %s for a pattern of module paths: %s", "不能把 %s 作为模块路径模式：%s", op.Visible(s), lang.T(en, zh)).
			WithHint("write it as git.example.com/*, without https://", "写法如 git.example.com/*，不带 https://")
	}
	if !quotable(s) {
		return wrong("blanks, quotes, commas and control characters are not part of one", "其中不能有空格、引号、逗号或控制字符")
	}
	if _, err := path.Match(s, ""); err != nil {
		return wrong("it is malformed", "格式有误")
	}
	if strings.Contains(s, "://") || strings.HasPrefix(s, "/") {
		return wrong("it is an address or a file", "它是网址或文件")
	}
	// One that matches a module everybody shares would switch checking off for all.
	if s == "*" || module.MatchPrefixPatterns(s, "golang.org/x/mod") {
		return wrong("it covers modules of everybody's, which would no longer be checked", "它包含了公共模块，会使其不再受校验")
	}
	return nil
}
