package detect

import (
	"path"
	"regexp"
	"strings"

	"goxin/assets/lang"
)

// activation reports whether the package sources' user name, which comes with the
// system's activation, is there. UnionTech's server editions have username=$auth_u in
// their repositories; dnf and yum look for such a variable in a file of their vars
// directories (dnf.conf(5), VARIABLES). Without it every request is answered with 401.
// What other systems do when they are activated shows in nothing but such an answer.
func (h *host) activation(family Fact[string]) Fact[bool] {
	if family.Value != "rpm" {
		return unknown[bool](lang.T("only the package sources can tell", "只有软件源的应答能说明"))
	}
	const dir = "/etc/yum.repos.d"
	names, err := h.m.ReadDir(dir)
	if err != nil {
		return unknown[bool](told(err))
	}
	for _, name := range names {
		file := path.Join(dir, name)
		if !strings.HasSuffix(name, ".repo") {
			continue
		}
		s, err := h.read(file)
		if err != nil {
			continue
		}
		user := licensed.FindStringSubmatch(s)
		if user == nil {
			continue
		}
		given := h.first("/etc/dnf/vars/"+user[1], "/etc/yum/vars/"+user[1])
		if given != "" {
			return known(true, given)
		}
		return known(false, lang.F("%s says username=$%s, and neither /etc/dnf/vars nor /etc/yum/vars has it", "%s 中为 username=$%s，而 /etc/dnf/vars 与 /etc/yum/vars 中都没有该变量", file, user[1]))
	}
	return unknown[bool](lang.T("no package source asks for a licence", "没有软件源要求授权"))
}

// licensed is a user name that is a variable.
var licensed = regexp.MustCompile(`(?m)^\s*username\s*=\s*\$\{?([A-Za-z_]\w*)\}?\s*$`)
