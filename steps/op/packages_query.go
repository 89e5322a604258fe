package op

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

var packageName = regexp.MustCompile(`^@?[A-Za-z0-9][A-Za-z0-9+._:-]*$`)

// managerOf gives the package manager of that name, if all names can be names
// of packages for it: a name is never taken for an option, a pattern or, as apt
// takes "vim-", for something to remove.
func managerOf(name string, packages []string) (packager, error) {
	var p packager
	switch name {
	case "apt":
		p = apt{}
	case "dnf", "yum":
		p = dnf{}
	default:
		return nil, lang.Errorf(nil, "cannot install packages with “%s”", "无法使用 “%s” 安装软件包", Visible(name)).
			WithHint("apt and dnf are what goxin knows", "goxin 支持 apt 与 dnf")
	}
	for _, n := range packages {
		group := strings.HasPrefix(n, "@")
		if !packageName.MatchString(n) || name == "apt" && (group || strings.HasSuffix(n, "-")) {
			return nil, lang.Errorf(nil, "cannot install “%s”: that is no name of a package for %s", "无法安装 “%s”：这不是 %s 的软件包名称", Visible(n), name).
				WithHint("letters, digits and + . _ : - make a name; on dnf a group is @NAME", "名称由字母、数字及 + . _ : - 组成；dnf 的软件包组写作 @名称")
		}
	}
	return p, nil
}

// Installed is the version of each of names that is installed on m, or that an
// installed package provides. Where nothing runs the error is
// machine.ErrNotRunning or says that there is no such program
// (machine.MissingProgram).
func Installed(ctx context.Context, m machine.Machine, manager string, names ...string) (map[string]string, error) {
	p, err := managerOf(manager, names)
	if err != nil {
		return nil, err
	}
	return p.installed(ctx, m, names)
}

// Available tells for each of names the version that could be installed; one
// that is absent the package lists do not know. Of a group the version is
// "group". Errors are those of Installed.
func Available(ctx context.Context, m machine.Machine, manager string, names ...string) (map[string]string, error) {
	p, err := managerOf(manager, names)
	if err != nil {
		return nil, err
	}
	return p.available(ctx, m, names)
}

// Providers are the packages that provide a SONAME ("libaio.so.1") for a 64-bit
// machine, by name. Nil where the manager cannot tell: apt knows no files.
func Providers(ctx context.Context, m machine.Machine, manager, soname string) ([]string, error) {
	if _, err := managerOf(manager, []string{soname}); err != nil {
		return nil, err
	}
	if manager == "apt" {
		return nil, nil
	}
	return dnf{}.providers(ctx, m, soname)
}

// unknownPackages is the error for names that the package lists do not have.
func unknownPackages(names []string, update string) error {
	return lang.Errorf(nil, "cannot install %s: the package lists do not know it", "无法安装 %s：软件包列表中没有", strings.Join(names, " ")).
		WithHint("the lists are missing or old: take the mirror step, or run “%s”", "软件包列表缺失或过旧：请先执行「软件源」步骤，或运行 “%s”", update)
}

// asking is the error of a query that failed.
func asking(err error, program string) *lang.Error {
	return cannot(exited(err), "cannot ask %s", "无法查询 %s", program).
		WithHint("run it by hand to see: is the package database in order?", "请手工运行该命令，确认软件包数据库是否正常")
}

// keepsCause says whether err has to reach the caller as it is: nothing runs.
func keepsCause(err error) bool {
	return err == nil || machine.MissingProgram(err) || isNotRunning(err)
}

func isNotRunning(err error) bool { return errors.Is(err, machine.ErrNotRunning) }
