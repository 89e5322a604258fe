package devtools

import (
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// oldest is the git that Go 1.25 and newer want for version control (Go wiki,
// MinimumRequirements).
var oldest = [3]int{2, 24, 0}

// Notes are the versions before and after, and what does not go well together.
func (Step) Notes(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	return hs.Notes(func(id machine.ID) ([]engine.Note, error) {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil, err
		}
		return h.notes(), nil
	})
}

func (h *host) notes() []engine.Note {
	var out []engine.Note
	say := func(warn bool, t lang.Text) { out = append(out, engine.Note{Warn: warn, Text: t}) }
	names := h.names()
	if len(names) == 0 {
		return nil
	}
	switch {
	case h.seen.Manager == "":
		say(true, lang.F("no package manager that goxin knows is on this machine (%s): bring the tools by hand.", "本机没有 goxin 认识的包管理器（%s）：请自行安装这些工具。", op.VisibleText(h.facts.Packages.Manager.From)))
		return out
	case !h.seen.Asked:
		say(false, lang.T("nothing can be asked of the package manager here; the names are those this family gives its packages.", "此处无法查询包管理器；软件包名按本系列系统的命名给出。"))
		return out
	case h.blind():
		say(true, lang.F("%s cannot be planned before the package lists are there: %s. %s", "没有软件包列表，无法为 %s 制定计划：%s。%s", strings.Join(h.missing(), ", "), h.seen.Lists, h.seen.Refresh(h.facts.OS.Product.Value)))
	}
	if _, known := h.group(); h.a.Group && !known && h.seen.Lists.Empty() {
		say(true, lang.F("the group of development tools (%s) is not known to this system's sources; %s are taken instead.", "本系统的软件源中没有开发工具组（%s），改为安装 %s。",
			strings.Join(groupsOf(h.seen.Manager), ", "), strings.Join(instead(h.seen.Manager), ", ")))
	}
	if rows := h.versions(names); len(rows) > 0 {
		say(false, lang.F("versions: %s.", "版本：%s。", joined(rows)))
	}
	if git := h.version(packageOf(h.seen.Manager, toolGit)); slices.Contains(names, packageOf(h.seen.Manager, toolGit)) && tooOld(git) {
		say(true, lang.F("git %s is older than 2.24.0, which Go 1.25 and newer want for version control: modules of private repositories and the version in programs fail with it. Fetch modules through a proxy (GOPROXY), use Go 1.24, or build a newer git from source.",
			"git %s 低于 2.24.0，而 Go 1.25 及以上版本的版本管理功能至少需要 2.24.0：拉取私有仓库模块、写入版本信息都会失败。请通过代理（GOPROXY）获取模块，或使用 Go 1.24，或自行编译新版 git。", op.Visible(git)))
	}
	return out
}

// version is what is installed of a package, or will be; "" unknown.
func (h *host) version(name string) string {
	if v := h.seen.Installed[name]; v != "" {
		return v
	}
	return h.seen.Available[name]
}

// versions tells before and after of each package; a group has none.
func (h *host) versions(names []string) []lang.Text {
	var out []lang.Text
	for _, n := range names {
		was, then := h.seen.Installed[n], h.seen.Available[n]
		switch {
		case strings.HasPrefix(n, "@"):
		case was != "":
			out = append(out, lang.F("%s %s stays", "%s %s 保持不变", n, op.Visible(was)))
		case then != "":
			out = append(out, lang.F("%s none → %s", "%s 无 → %s", n, op.Visible(then)))
		case h.blind():
			out = append(out, lang.F("%s none", "%s 未安装", n))
		}
	}
	return out
}

func joined(rows []lang.Text) lang.Text {
	en, zh := make([]string, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		en[i], zh[i] = r.EN, r.ZH
	}
	return lang.T(strings.Join(en, ", "), strings.Join(zh, "，"))
}

// tooOld says whether a version of git, bare or a package's (1:2.20.1-2), is below
// oldest; false where it cannot be read.
func tooOld(version string) bool {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	var got [3]int
	for i, part := range strings.SplitN(version, ".", 3) {
		if end := strings.IndexFunc(part, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
			part = part[:end]
		}
		n, err := strconv.Atoi(part)
		if err != nil {
			return false
		}
		got[i] = n
	}
	return slices.Compare(got[:], oldest[:]) < 0
}
