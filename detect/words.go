package detect

import "goxin/assets/lang"

// StateText is the state of a security mechanism (SELinux, KYSEC, UOSIntegrity of
// Security) in words; of one that is not known, the state itself.
func StateText(s string) lang.Text {
	switch s {
	case "absent":
		return lang.T("absent", "没有")
	case "disabled", "off":
		return lang.T("off", "已关闭")
	case "permissive":
		return lang.T("permissive", "宽容模式")
	case "enforcing":
		return lang.T("enforcing", "强制模式")
	case "warning":
		return lang.T("warns", "告警模式")
	case "on":
		return lang.T("on", "已启用")
	}
	return lang.Same(s)
}
