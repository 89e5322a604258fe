package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/profile"
)

func (a *app) profileCommand() *cobra.Command {
	var o profile.Options
	var dir string
	c := &cobra.Command{
		Use:   "profile UNIT|PID",
		Short: a.s("Where a running service spends its time: pprof, system calls, limits, in one report", "运行中的服务把时间花在哪里：pprof、系统调用、资源上限，汇成一份报告"),
		Long: a.s("Finds the service's process and its ports, fetches CPU and heap profiles where it serves net/http/pprof, counts its system calls\n"+
			"with strace where that is installed, and writes a Markdown report with the raw profiles beside it. Arguments and variables of the\n"+
			"service are not recorded, except those of Go's runtime.",
			"查找服务的进程与端口；若其提供 net/http/pprof，则采集 CPU 与堆 profile；若装有 strace，则统计系统调用；\n"+
				"最后写出一份 Markdown 报告，原始 profile 放在旁边。除 Go 运行时变量外，不记录服务的参数与环境变量。"),
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.profile(c, args[0], dir, o) },
	}
	c.Flags().StringVarP(&dir, "output", "o", "", a.s("directory to write to (default goxin-profile-NAME-PID)", "输出目录（默认 goxin-profile-名称-进程号）"))
	c.Flags().StringVar(&o.PProf, "pprof", "", a.s("where the service serves pprof, if not on a port of its own", "服务提供 pprof 的地址（不在其自身端口上时）"))
	c.Flags().IntVar(&o.Seconds, "seconds", 10, a.s("how long the CPU profile takes, and then the system calls", "CPU profile 与系统调用统计各持续的秒数"))
	c.Flags().BoolVar(&o.NoTrace, "no-strace", false, a.s("do not count system calls, which slows the service down", "不统计系统调用（统计会使服务变慢）"))
	return c
}

func (a *app) profile(c *cobra.Command, name, dir string, o profile.Options) error {
	if err := o.Check(); err != nil {
		return usageError{err}
	}
	far := a.progress()
	o.Say = func(t lang.Text) { far.say(t) }
	if dir != "" {
		if err := free(dir); err != nil { // before the minute it takes
			return err
		}
	}
	r, err := profile.Collect(c.Context(), a.machine(), name, o)
	far.end()
	if err != nil {
		return err
	}
	if dir == "" {
		if dir, err = freeName(fmt.Sprintf("goxin-profile-%s-%d", filepath.Base(r.Process.Name), r.Process.PID)); err != nil {
			return err
		}
	}
	files := r.Files()
	files["report.md"] = r.Markdown(a.lang)
	if err := writeNew(dir, files); err != nil {
		return lang.Errorf(err, "cannot write the report to %s", "无法把报告写入 %s", dir).WithHint("name a directory with -o that is writable and has room", "请用 -o 指定可写且有空间的目录")
	}
	for _, s := range []struct {
		what lang.Text
		shot profile.Shot
	}{{lang.T("CPU profile", " CPU profile 数据"), r.CPU}, {lang.T("heap profile", "堆 profile 数据"), r.Heap}} {
		if s.shot.Raw == nil {
			a.say("no %s: %s", "没有%s：%s", s.what, s.shot.Why)
		}
	}
	if r.Calls.Lines == nil {
		a.say("no system calls: %s", "没有系统调用统计：%s", r.Calls.Why)
	}
	a.result(filepath.Join(dir, "report.md"))
	return nil
}

// free wants a directory to be empty, or not there.
func free(dir string) error {
	names, err := os.ReadDir(dir)
	if len(names) == 0 && (err == nil || errors.Is(err, os.ErrNotExist)) {
		return nil
	}
	if err == nil {
		err = lang.Errorf(nil, "something is in it", "目录中已有文件")
	}
	return usageError{lang.Errorf(err, "cannot write to %s", "无法写入 %s", dir).WithHint("name a directory that is empty or not there", "请指定空目录或尚不存在的目录")}
}

// freeName is name, or name-2 and so on: an earlier report stays.
func freeName(name string) (string, error) {
	for n := 1; n < 1000; n++ {
		dir := name
		if n > 1 {
			dir = fmt.Sprintf("%s-%d", name, n)
		}
		if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
			return dir, nil
		}
	}
	return "", usageError{lang.Errorf(nil, "cannot find a free name like %s", "找不到可用的目录名 %s", name).WithHint("name a directory: -o DIR", "请用 -o 指定目录")}
}

// writeNew writes files that are not there yet, for their owner alone: profiles tell
// what is in a service's memory.
func writeNew(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(files)) {
		f, err := os.OpenFile(filepath.Join(dir, n), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(files[n])
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
