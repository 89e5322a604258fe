package repo

import (
	"context"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// dnf reads the repositories of its own configuration, then those of each .repo
// file of its directories; of two with one ID the first wins.
func (r *reader) dnf() error {
	r.architecture()
	r.releasever()
	dirs := []string{"/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d"}
	vars := []string{"/etc/yum/vars", "/etc/dnf/vars"} // the later wins
	checked := false
	for _, name := range []string{"/etc/dnf/dnf.conf", "/etc/yum.conf"} {
		conf := r.file(name)
		if conf == nil {
			continue
		}
		if d := list(conf.main["reposdir"]); len(d) > 0 {
			dirs = d
		}
		if d := list(conf.main["varsdir"]); len(d) > 0 {
			vars = d
		}
		checked, _ = truth(conf.main["gpgcheck"])
		if len(conf.entries) > 0 {
			r.out.Files = append(r.out.Files, conf)
		}
		break
	}
	for _, d := range vars {
		if err := r.variables(d); err != nil {
			return err
		}
	}
	if v, ok := r.out.Vars["releasever"]; ok {
		delete(r.out.Unset, "releasever")
		r.out.Vars["releasever_major"], r.out.Vars["releasever_minor"], _ = strings.Cut(v, ".")
	}
	for _, d := range dirs {
		names, err := r.names(d, ".repo")
		if err != nil {
			return err
		}
		for _, n := range names {
			if f := r.file(d + "/" + n); f != nil {
				r.out.Files = append(r.out.Files, f)
			}
		}
	}
	r.settle(checked)
	return nil
}

// settle tells of each entry what its file alone does not.
func (r *reader) settle(checked bool) {
	first := map[string]string{}
	for _, f := range r.out.Files {
		for _, e := range f.entries {
			switch file, had := first[e.ID]; {
			case had:
				e.Shadowed, e.Enabled = file, false
			case !isID(e.ID):
				r.skip(f.Name, lang.F("line %d: dnf takes no repository of this name: %q", "第 %d 行：dnf 不接受该仓库名：%q", e.Line, e.ID))
			default:
				first[e.ID] = f.Name
			}
			// dnf checks no signatures where nobody tells it to.
			e.Unsigned = e.Unsigned || e.GPGCheck == "" && !checked
		}
	}
}

// architecture sets what rpm calls the instruction set.
func (r *reader) architecture() {
	a := r.facts.Arch
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "loong64": "loongarch64", "mips64le": "mips64el", "386": "i386"}[a.GOARCH.Value]
	if arch == "" {
		arch = a.GOARCH.Value
	}
	if !a.GOARCH.Known || arch == "" || arch == "arm" {
		for _, name := range []string{"arch", "basearch"} {
			r.out.Unset[name] = lang.F("the architecture is not known: %s", "架构未知：%s", a.GOARCH.From)
		}
		return
	}
	r.out.Vars["arch"], r.out.Vars["basearch"] = arch, arch
	if arch == "i386" && a.Machine.Known {
		r.out.Vars["arch"] = a.Machine.Value
	}
}

// variables reads a directory with a file for each variable, its first line the
// value.
func (r *reader) variables(dir string) error {
	names, err := r.names(strings.TrimSuffix(dir, "/"), "")
	if err != nil {
		return err
	}
	for _, n := range names {
		if data, ok := r.content(strings.TrimSuffix(dir, "/") + "/" + n); ok {
			line, _, _ := strings.Cut(string(data), "\n")
			r.out.Vars[n] = strings.TrimSuffix(line, "\r")
		}
	}
	return nil
}

// releasever is the version of the package that provides the release, or of what
// it says it provides.
func (r *reader) releasever() {
	// dnf.const.DISTROVERPKG
	for _, what := range []string{"system-release(releasever)", "system-release", "distribution-release(releasever)", "distribution-release", "redhat-release"} {
		if v := r.provided(what); v != "" {
			r.out.Vars["releasever"] = v
			return
		}
	}
	if v := r.releaseByName(); v != "" {
		r.out.Vars["releasever"] = v
		return
	}
	r.out.Unset["releasever"] = lang.F("rpm cannot be asked here, and the version of %s's release package is not known", "此处无法查询 rpm，也不了解 %s 的 release 包版本", r.facts.OS.Name.Value)
}

// provided asks rpm as dnf does: the version of the package, unless it provides
// the thing under another version.
func (r *reader) provided(what string) string {
	argv := []string{"rpm", "-q", "--whatprovides", "--queryformat", `%{NAME} %{VERSION}\n[%{PROVIDENAME} %{PROVIDEFLAGS:depflags} %{PROVIDEVERSION}\n]`, what}
	var lines []string
	err := r.m.Run(context.Background(), machine.Command{Argv: argv, Timeout: 30 * time.Second}, func(line string) { lines = append(lines, line) })
	if err != nil || len(lines) == 0 {
		return "" // nothing runs here, or nothing provides it
	}
	head := strings.Fields(lines[0])
	if len(head) != 2 {
		return ""
	}
	for _, line := range lines[1:] {
		if w := strings.Fields(line); len(w) == 3 && w[0] == what && w[1] == "=" && head[0] != what {
			return w[2]
		}
	}
	return head[1]
}

// releaseByName is for trees and captured machines: the version of the release
// package where it is known how the vendor writes it.
func (r *reader) releaseByName() string {
	o := r.facts.OS
	if !o.Product.Known || !o.Version.Known {
		return ""
	}
	switch v := o.Version.Value; o.Product.Value {
	case "kylin-server": // kylin-release-10-24.6.p150.ky10, kylin-release-11-01.6.p246.01.ky11
		return map[string]string{"V10": "10", "V11": "11"}[v]
	case "openeuler": // openEuler-release-22.03LTS-52.oe2203, openEuler-release-22.03LTS_SP3-56.oe2203sp3
		number, rest, _ := strings.Cut(v, "-")
		return number + strings.ReplaceAll(rest, "-", "_")
	case "anolis": // anolis-release-8.2-7.an8
		return v
	}
	return ""
}
