package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/elf"
	"goxin/steps/libs"
)

// requirement is a library every Go service host is to have.
type requirement struct {
	Name string `json:"name"`
	// Soname is the one that was found, or the one of today.
	Soname string `json:"soname"`
	Path   string `json:"path,omitempty"` // "" where it is missing
	// Packages are what provides it on this family, any one of them; From says
	// who told of a missing one: the package manager's "lists", or a "table".
	Packages []string `json:"packages"`
	From     string   `json:"from,omitempty"`
}

// unmet is a finding with the packages that would cure it.
type unmet struct {
	elf.Finding
	Packages []string `json:"packages,omitempty"`
	From     string   `json:"from,omitempty"`
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
	var reqs []requirement
	var missing []libs.Requirement
	for _, q := range libs.Requirements(f.OS.Family.Value, f.Libc.Version.Value) {
		soname, at, ok := q.Find(r)
		if !ok {
			soname, missing = q.Sonames[0], append(missing, q)
		}
		reqs = append(reqs, requirement{Name: q.Name, Soname: soname, Path: at, Packages: q.Packages})
	}
	offers, lists, err := libs.RequiredOffers(c.Context(), m, f, missing...)
	if lists, err = told(c.Context(), lists, err); err != nil {
		return err
	}
	var wanted []string
	for i := range reqs {
		q := &reqs[i]
		if q.Path != "" {
			continue
		}
		if o := offers[q.Name]; len(o.Packages) > 0 {
			q.Packages, q.From = o.Packages, o.From
		}
		wanted = append(wanted, q.Packages[0])
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
	a.noLists(lists)
	a.say("%d missing; on this family they are in: %s", "缺少 %d 项；在本系统上由这些软件包提供：%s", len(wanted), strings.Join(wanted, " "))
	return exitError(exitDiffers)
}

// told makes an error of the package manager one more reason why it knows nothing:
// what is missing is told all the same.
func told(ctx context.Context, lists lang.Text, err error) (lang.Text, error) {
	if err != nil && ctx.Err() == nil {
		return lang.F("%s", "%s", err), nil
	}
	return lists, err
}

// noLists says why the package manager could not tell who has something.
func (a *app) noLists(why lang.Text) {
	if !why.Empty() {
		a.say("the package lists know nothing (%s); the names are those this family gives its packages", "软件包列表不可用（%s）；软件包名按本系列系统的命名给出", why)
	}
}

func (a *app) printRequirement(q requirement) {
	if q.Path != "" {
		a.result(fmt.Sprintf("= %-8s %-16s %s", q.Name, q.Soname, q.Path))
		return
	}
	a.result(fmt.Sprintf("+ %-8s %-16s %s", q.Name, q.Soname,
		lang.F("not found; package %s", "找不到；软件包 %s", a.either(q.Packages)).In(a.lang)))
}

// either lists packages any one of which will do.
func (a *app) either(packages []string) string {
	return strings.Join(packages, lang.T(" or ", " 或 ").In(a.lang))
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
	m := a.machine()
	r := elf.NewResolver(m)
	rep, err := r.Check(c.Context(), paths...)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usageError{lang.Errorf(err, "cannot look at the libraries", "无法检查共享库").
			WithHint("give files or directories that are there", "请给出存在的文件或目录")}
	case err != nil && c.Context().Err() == nil:
		return lang.Errorf(err, "cannot look at the libraries", "无法检查共享库")
	case err != nil:
		return err
	}
	f, err := detect.Detect(c.Context(), m)
	if err != nil {
		return err
	}
	if f.Kernel.World.Value != "old" {
		rep.Static = nil // they run
	}
	needs := libs.Needs(m, r, rep)
	offers, lists, err := libs.Offers(c.Context(), m, f, needs...)
	if lists, err = told(c.Context(), lists, err); err != nil {
		return err
	}
	found := make([]unmet, len(rep.Missing))
	for i, n := range rep.Missing {
		found[i] = unmet{Finding: n}
		if o := offers[n.Library]; n.Problem == elf.NotFound && needs[i].Arch == "" {
			found[i].Packages, found[i].From = o.Packages, o.From
		}
	}
	if asJSON {
		err := a.json(struct {
			Version int `json:"version"`
			*elf.Report
			Missing []unmet `json:"missing"`
		}{1, rep, found})
		if err != nil {
			return err
		}
	} else {
		a.printLibs(rep, found)
		a.noLists(lists)
	}
	if len(rep.Missing)+len(rep.Static) > 0 {
		return exitError(exitDiffers)
	}
	return nil
}

func (a *app) printLibs(rep *elf.Report, missing []unmet) {
	for _, f := range missing {
		a.result("! " + f.Text().In(a.lang))
		a.result("    " + lang.F("needed by %s", "需要它的有 %s", a.some(f.By)).In(a.lang))
		if len(f.Packages) > 0 {
			a.result("    " + lang.F("package %s", "软件包 %s", a.either(f.Packages)).In(a.lang))
		}
	}
	for _, u := range rep.Static {
		a.result("! " + lang.F("%s: made for LoongArch's new world; this kernel is of the old one and kills it without a word", "%s：为龙架构新世界编译，而本机内核属于旧世界，程序会直接段错误退出且无任何提示", elf.Show(u.Path)).In(a.lang))
	}
	for _, f := range rep.Beside {
		// Plugins are their programs' affair; a program somebody has to start.
		if len(f.Programs) > 0 {
			a.result("- " + f.Text().In(a.lang))
			a.result("    " + lang.F("to start %s, set LD_LIBRARY_PATH", "启动 %s 时需设置 LD_LIBRARY_PATH", a.some(f.Programs)).In(a.lang))
		}
	}
	for _, u := range rep.Damaged {
		a.say("not judged: %s: %s", "未检查：%s：%s", elf.Show(u.Path), elf.Show(u.Why.In(a.lang)))
	}
	if n := len(rep.Foreign); n > 0 {
		a.say("not judged: %d for other processors or systems", "未检查：%d 个属于其他处理器或系统", n)
	}
	switch {
	case len(missing)+len(rep.Static) > 0:
		a.say("%d programs and libraries looked at, %d needs not met", "共检查 %d 个程序和库，有 %d 项依赖未满足", rep.Objects, len(missing)+len(rep.Static))
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
