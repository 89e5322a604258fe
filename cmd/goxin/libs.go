package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/elf"
)

// requirement is a library every Go service host is to have.
type requirement struct {
	Name string `json:"name"`
	// Soname is the one that was found, or the one of today.
	Soname string `json:"soname"`
	Path   string `json:"path,omitempty"` // "" where it is missing
	// Packages are what provides it on this family, any one of them.
	Packages []string `json:"packages"`

	sonames []string
}

// requirements are glibc, libaio, openssl and zlib under the names that the
// families give them, the likeliest first. Debian's follow its releases, and so
// do those made from it, which is told by the age of their C library: 2.41 has
// Debian 13, 2.39 Ubuntu 24.04 (t64), 2.36 Debian 12, 2.35 Ubuntu 22.04, and
// what is older OpenSSL 1.1.
func requirements(family, libc string) []requirement {
	minor, _ := strconv.Atoi(strings.TrimPrefix(libc, "2."))
	pick := func(rpm string, debs ...string) []string {
		if family == "deb" {
			return debs
		}
		return []string{rpm}
	}
	ssl, aio := pick("openssl-libs", "libssl3t64", "libssl3", "libssl1.1"), pick("libaio", "libaio1t64", "libaio1")
	if family == "deb" && minor > 0 && minor < 39 {
		ssl, aio = []string{"libssl3", "libssl3t64"}, []string{"libaio1", "libaio1t64"}
		if minor < 34 {
			ssl, aio = []string{"libssl1.1"}, []string{"libaio1"}
		}
	}
	return []requirement{
		{Name: "glibc", sonames: []string{"libc.so.6"}, Packages: pick("glibc", "libc6")},
		{Name: "libaio", sonames: []string{"libaio.so.1", "libaio.so.1t64"}, Packages: aio},
		{Name: "openssl", sonames: []string{"libssl.so.3", "libssl.so.1.1"}, Packages: ssl},
		{Name: "zlib", sonames: []string{"libz.so.1"}, Packages: pick("zlib", "zlib1g")},
	}
}

func (a *app) libsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "libs [PATH…]",
		Short: a.s("Which libraries are missing, without running anything; exit 3 if any", "缺少哪些共享库（不运行任何程序）；有缺失时退出码为 3"),
		Long: a.s("Without PATH: are the libraries there that every service host needs?\n"+
			"With files or directories: what do the programs and shared objects in them need that the loader would not find?",
			"不带 PATH：检查服务主机必备的共享库是否齐全。\n"+
				"给出文件或目录：检查其中的程序和共享库所依赖、而加载器找不到的库。"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.required(c, asJSON)
			}
			return a.checkLibs(c, args, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

// required looks for the libraries every host is to have.
func (a *app) required(c *cobra.Command, asJSON bool) error {
	m := a.machine()
	r := elf.NewResolver(m)
	arch, ok := r.OwnArch()
	if !ok {
		return lang.Errorf(nil, "cannot tell the architecture: there is no program to look at", "无法判断架构：找不到任何程序").
			WithHint("--root takes the top of a whole system", "--root 应指向完整系统的根目录")
	}
	f, err := detect.Detect(c.Context(), m)
	if err != nil {
		return err
	}
	reqs := requirements(f.OS.Family.Value, f.Libc.Version.Value)
	var wanted []string
	for i := range reqs {
		q := &reqs[i]
		q.Soname = q.sonames[0]
		for _, s := range q.sonames {
			if at, ok := r.Lookup(arch, s); ok {
				q.Soname, q.Path = s, at
				break
			}
		}
		if q.Path == "" {
			wanted = append(wanted, q.Packages[0])
		}
	}
	if asJSON {
		err := a.json(struct {
			Version  int           `json:"version"`
			Machine  string        `json:"machine"`
			Required []requirement `json:"required"`
		}{1, arch.String(), reqs})
		if err != nil {
			return err
		}
	} else {
		for _, q := range reqs {
			a.printRequirement(q)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	a.say("%d missing; on this family they are in: %s", "缺少 %d 项；在本系统上由这些软件包提供：%s", len(wanted), strings.Join(wanted, " "))
	return exitError(exitDiffers)
}

func (a *app) printRequirement(q requirement) {
	if q.Path != "" {
		a.result(fmt.Sprintf("= %-8s %-16s %s", q.Name, q.Soname, q.Path))
		return
	}
	a.result(fmt.Sprintf("+ %-8s %-16s %s", q.Name, q.Soname,
		lang.F("not found; package %s", "找不到；软件包 %s", strings.Join(q.Packages, lang.T(" or ", " 或 ").In(a.lang))).In(a.lang)))
}

// checkLibs judges files and directories.
func (a *app) checkLibs(c *cobra.Command, args []string, asJSON bool) error {
	paths := make([]string, len(args))
	for i, p := range args {
		paths[i] = p
		switch {
		case a.root != "" && !strings.HasPrefix(p, "/"): // a name inside the tree
			paths[i] = "/" + p
		case a.root == "":
			abs, err := filepath.Abs(p)
			if err != nil {
				return err
			}
			paths[i] = abs
		}
	}
	rep, err := elf.NewResolver(a.machine()).Check(c.Context(), paths...)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usageError{lang.Errorf(err, "cannot look at the libraries", "无法检查共享库").
			WithHint("give files or directories that are there", "请给出存在的文件或目录")}
	case err != nil && c.Context().Err() == nil:
		return lang.Errorf(err, "cannot look at the libraries", "无法检查共享库")
	case err != nil:
		return err
	}
	if asJSON {
		err := a.json(struct {
			Version int `json:"version"`
			*elf.Report
		}{1, rep})
		if err != nil {
			return err
		}
	} else {
		a.printLibs(rep)
	}
	if len(rep.Missing) > 0 {
		return exitError(exitDiffers)
	}
	return nil
}

func (a *app) printLibs(rep *elf.Report) {
	for _, f := range rep.Missing {
		a.result("! " + f.Text().In(a.lang))
		a.result("    " + lang.F("needed by %s", "需要它的有 %s", a.some(f.By)).In(a.lang))
	}
	for _, f := range rep.Beside {
		// Plugins are their programs' affair; a program somebody has to start.
		if len(f.Programs) > 0 {
			a.result("- " + f.Text().In(a.lang))
			a.result("    " + lang.F("to start %s, set LD_LIBRARY_PATH", "启动 %s 时需设置 LD_LIBRARY_PATH", a.some(f.Programs)).In(a.lang))
		}
	}
	for _, u := range rep.Damaged {
		a.say("not judged: %s: %s", "未检查：%s：%s", elf.Show(u.Path), elf.Show(u.Cause))
	}
	if n := len(rep.Foreign); n > 0 {
		a.say("not judged: %d for other processors or systems", "未检查：%d 个属于其他处理器或系统", n)
	}
	switch {
	case len(rep.Missing) > 0:
		a.say("%d programs and libraries looked at, %d needs not met", "共检查 %d 个程序和库，有 %d 项依赖未满足", rep.Objects, len(rep.Missing))
	default:
		a.say("%d programs and libraries looked at, nothing is missing", "共检查 %d 个程序和库，没有缺失", rep.Objects)
	}
}

// some names the first few of many; --json has them all.
func (a *app) some(names []string) string {
	const most = 3
	shown := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		shown = append(shown, elf.Show(n))
	}
	s := strings.Join(shown, lang.T(", ", "、").In(a.lang))
	if more := len(names) - most; more > 0 {
		s += lang.F(" and %d more", " 等，另有 %d 个", more).In(a.lang)
	}
	return s
}
