package toolchain

import (
	"go/version"

	"goxin/assets/lang"
)

// gated says whether a go command of this version lets a GOPROXY get round the
// checksum database: a toolchain's record without its line is taken for a good one
// (CVE-2026-42501, golang/go#79070, fixed in 1.26.3), and tiles can be forged or name
// other hashes (CVE-2026-56865 and CVE-2026-56864, golang/go#80744 and #80745, fixed in
// 1.25.13, 1.26.6 and 1.27rc3). Lines below 1.25 were not fixed.
func gated(v string) bool {
	switch {
	case !version.IsValid(v):
		return true
	case version.Compare(v, "go1.26rc1") < 0:
		return version.Compare(v, "go1.25.13") < 0
	case version.Compare(v, "go1.27rc1") < 0:
		return version.Compare(v, "go1.26.6") < 0
	}
	return version.Compare(v, "go1.27rc3") < 0
}

// strangers are the GOPROXYs that are not the Go project's.
func (s *Seen) strangers() []string {
	var out []string
	for _, p := range s.Proxies {
		if !p.Official {
			out = append(out, host(p.URL))
		}
	}
	return out
}

// gate warns of a Go that a GOPROXY could mislead: it decides what the others are.
func (p *plan) gate(say func(bool, lang.Text)) {
	strangers := p.seen.strangers()
	if len(strangers) == 0 {
		return
	}
	v := p.version
	if v == "" {
		c, ok := p.seen.current()
		if !ok {
			return
		}
		v = c.Version
	}
	if !gated(v) {
		return
	}
	say(true, lang.F("%s does not check all that the checksum database tells it: a GOPROXY such as %s could give it altered modules and toolchains (CVE-2026-42501, CVE-2026-56864, CVE-2026-56865; fixed in 1.25.13 and 1.26.6). Use a newer one, and let projects that need %s ask for it by the toolchain line of their go.mod: the newer one then checks what comes.",
		"%s 对校验和数据库的检查有漏洞：%s 之类的第三方 GOPROXY 可借此提供被篡改的模块与工具链（CVE-2026-42501、CVE-2026-56864、CVE-2026-56865；1.25.13 与 1.26.6 已修复）。建议默认使用更新的版本，需要 %s 的项目在 go.mod 的 toolchain 行中指定：下载内容便由新版检查。",
		v, strangers[0], v))
}
