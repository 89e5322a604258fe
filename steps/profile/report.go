package profile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
)

// Files are what goes beside the report, by name; a profile that was not to be had is not
// among them.
func (r *Report) Files() map[string][]byte {
	out := map[string][]byte{}
	if r.CPU.Raw != nil {
		out["cpu.pb.gz"] = r.CPU.Raw
	}
	if r.Heap.Raw != nil {
		out["heap.pb.gz"] = r.Heap.Raw
	}
	return out
}

// page is a Markdown page in one language.
type page struct {
	strings.Builder
	l lang.Lang
}

func (p *page) say(en, zh string, args ...any) {
	p.WriteString(lang.F(en, zh, args...).In(p.l) + "\n")
}

func (p *page) head(en, zh string) {
	p.WriteString("\n")
	p.say("## "+en, "## "+zh)
	p.WriteString("\n")
}

// row is a line of a table; what is told comes from a machine and is code.
func (p *page) row(name lang.Text, value string) {
	if value != "" {
		fmt.Fprintf(p, "| %s | %s |\n", name.In(p.l), code(value))
	}
}

func (p *page) rows(pairs []Pair) {
	for _, x := range pairs {
		p.row(lang.Same(x.Name), x.Value)
	}
}

// code is s as Markdown code in a table's cell: nothing in it means anything.
func code(s string) string {
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		s = " " + s + " "
	}
	return fence + strings.ReplaceAll(s, "|", "\\|") + fence
}

// Markdown is the report in one language.
func (r *Report) Markdown(l lang.Lang) []byte {
	p := &page{l: l}
	who := r.Process.Name
	if r.Process.Unit != "" {
		who = r.Process.Unit
	}
	p.say("# Profile of %s (process %d)", "# %s（进程 %d）的性能分析", code(who), r.Process.PID)
	p.WriteString("\n")
	p.say("Taken %s, %d s each for the CPU profile and the system calls.", "采集于 %s，CPU profile 与系统调用统计各 %d 秒。", r.Began.Format(time.RFC3339), r.Seconds)
	r.process(p)
	p.head("CPU", "CPU")
	r.shot(p, r.CPU, func(n int64) string { return time.Duration(n).Round(time.Millisecond).String() }, "cpu.pb.gz")
	p.head("Heap in use", "堆使用")
	r.shot(p, r.Heap, func(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }, "heap.pb.gz")
	p.head("System calls", "系统调用")
	if r.Calls.Lines == nil {
		p.say("Not to be had: %s.", "未能取得：%s。", r.Calls.Why)
		return []byte(p.String())
	}
	p.say("All threads, by the time spent in the kernel. While they were counted the service was slower than it is.", "含所有线程，按在内核中花费的时间排列。统计期间服务比平时慢。")
	p.WriteString("\n")
	for _, l := range r.Calls.Lines {
		p.WriteString("    " + l + "\n")
	}
	return []byte(p.String())
}

func (r *Report) process(p *page) {
	x := r.Process
	p.head("Process", "进程")
	p.say("| what | value |", "| 项目 | 值 |")
	p.WriteString("|---|---|\n")
	p.row(lang.T("program", "程序"), x.Program)
	p.row(lang.T("Go", "Go 版本"), x.Go)
	p.row(lang.T("module", "模块"), x.Module)
	p.rows(x.Build)
	p.rows(x.Facts)
	for _, one := range x.Limits {
		p.row(lang.F("limit: %s", "上限：%s", one.Name), one.Value)
	}
	if x.CGroup != "" {
		p.row(lang.T("memory limit of its control group", "控制组内存上限"), mebi(x.CGroup))
	}
	p.rows(x.Vars)
	if x.Go == "" {
		p.WriteString("\n")
		p.say("No Go program that can be read: neither its version nor its build is known.", "不是可识别的 Go 程序：版本与编译参数未知。")
	} else if len(x.Vars) == 0 {
		p.WriteString("\n")
		p.say("It was given no variable of Go's runtime: everything is Go's default.", "没有传入任何 Go 运行时变量：全部为 Go 默认值。")
	}
}

func mebi(bytes string) string {
	n, err := strconv.ParseUint(bytes, 10, 64)
	if err != nil {
		return bytes
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// shot writes a profile's top; the whole of it is in file.
func (r *Report) shot(p *page, s Shot, unit func(int64) string, file string) {
	switch {
	case s.Raw == nil:
		p.say("Not to be had: %s.", "未能取得：%s。", s.Why)
		if r.PProf == "" && r.Process.Go != "" {
			p.say("A service serves its profiles by importing net/http/pprof and listening on a loopback address.", "服务引入 net/http/pprof 并监听回环地址，即可提供 profile。")
		}
		return
	case s.Total == 0:
		p.say("Nothing: the service did next to no work meanwhile. %s", "无数据：期间服务几乎没有工作。%s", file)
		return
	}
	p.say("From %[1]s; all in %[2]s: `go tool pprof %[2]s`. In total %[3]s.", "来自 %[1]s；完整数据在 %[2]s：`go tool pprof %[2]s`。合计 %[3]s。", code(r.PProf), file, unit(s.Total))
	p.WriteString("\n")
	p.say("| share | own | function |", "| 占比 | 自身 | 函数 |")
	p.WriteString("|---:|---:|---|\n")
	for _, f := range s.Top {
		fmt.Fprintf(p, "| %.1f %% | %s | %s |\n", 100*f.Share, unit(f.Flat), code(f.Name))
	}
}
