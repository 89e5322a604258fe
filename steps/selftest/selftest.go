package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"time"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/scratch"
)

// TellKind is the kind under which a run keeps a Result.
const TellKind = "selftest"

// Result is what a self-test saw.
type Result struct {
	Version int       `json:"version"` // of this form: 1
	Goroot  string    `json:"goroot"`
	Said    string    `json:"said"`             // `go version`
	Kernel  string    `json:"kernel,omitempty"` // uname -r
	When    time.Time `json:"when"`
	Checks  []Check   `json:"checks"`
	Died    lang.Text `json:"died,omitzero"` // how the program ended before its last check
}

// Check is one thing that was tried.
type Check struct {
	Name string `json:"check"`
	OK   bool   `json:"ok"`
	MS   int64  `json:"ms"`
	Said string `json:"said"` // what was seen, or what was wrong, in the program's words
}

// OK says that everything was tried, and held.
func (r *Result) OK() bool {
	if !r.Died.Empty() || len(r.Checks) < len(titles()) {
		return false
	}
	for _, c := range r.Checks {
		if !c.OK {
			return false
		}
	}
	return true
}

// Text is the result in a sentence.
func (r *Result) Text() lang.Text {
	held := 0
	var bad []string
	for _, c := range r.Checks {
		if c.OK {
			held++
		} else {
			bad = append(bad, c.Name)
		}
	}
	of := len(titles())
	switch {
	case !r.Died.Empty():
		return lang.F("the self-test died after %d of %d checks: %s", "自检在完成 %d/%d 项后中止：%s", len(r.Checks), of, r.Died)
	case len(bad) > 0:
		return lang.F("%d of %d checks held; not: %s", "%d/%d 项通过；未通过：%s", held, of, lang.List(bad...))
	}
	return lang.F("%d of %d checks held", "%d/%d 项通过", held, of)
}

// Title is what a check tries.
func (c Check) Title() lang.Text {
	for _, t := range titles() {
		if t.name == c.Name {
			return t.text
		}
	}
	return lang.Same(c.Name)
}

type title struct {
	name string
	text lang.Text
}

// titles are the checks in the program's order.
func titles() []title {
	return []title{
		{"signals", lang.T("signals arrive, real-time ones too", "信号送达（含实时信号）")},
		{"recovered-faults", lang.T("a nil pointer's fault becomes a panic", "空指针故障转为 panic 并可恢复")},
		{"fault-address", lang.T("a fault's address is the right one", "故障地址正确")},
		{"preemption", lang.T("a loop that never yields is interrupted", "不让出的循环可被抢占")},
		{"registers", lang.T("registers survive interruptions", "被打断后寄存器内容不变")},
		{"traceback", lang.T("a crash says in which function", "崩溃信息指出所在函数")},
		{"profile", lang.T("the CPU profile has samples", "CPU 性能剖析有采样")},
		{"exec", lang.T("programs are started, fed and ended", "启动、输入与结束子进程")},
		{"network", lang.T("TCP, UDP and Unix sockets on the loopback", "本机回环上的 TCP、UDP 与 Unix 套接字")},
		{"files", lang.T("files are made, found, changed and locked", "文件创建、查找、修改与加锁")},
	}
}

// Environment keeps a go command from what a person has set up, and from the network. It
// has no home: it would leave its telemetry there.
func Environment() []string {
	return []string{"HOME=", "GOENV=off", "GOTOOLCHAIN=local", "GOPROXY=off", "GOFLAGS=", "CGO_ENABLED=0", "GOROOT="}
}

// Run tries the Go in goroot on m. An error says that it could not be tried: it does not
// run, or does not compile. What the program found, or that it died, is in the Result.
// mark is called on the program before it runs, where something controls what may run;
// nil elsewhere.
func Run(ctx context.Context, m machine.Machine, goroot string, mark func(ctx context.Context, name string) error) (*Result, error) {
	r := &Result{Version: 1, Goroot: goroot, When: m.Now().UTC()}
	if k, err := m.Kernel(); err == nil {
		r.Kernel = k.Release
	}
	gocmd := path.Join(goroot, "bin/go")
	err := m.Run(ctx, machine.Command{Argv: []string{gocmd, "version"}, Env: Environment(), Timeout: time.Minute}, func(line string) {
		if r.Said == "" {
			r.Said = line
		}
	})
	if err != nil {
		return nil, lang.Errorf(err, "cannot run %s", "无法运行 %s", gocmd).
			WithHint("is it of this machine's kind: file %s; one of LoongArch's other world dies at once", "请确认它适用于本机架构：file %s；龙架构新旧世界不符的程序会立即崩溃", gocmd)
	}
	err = scratch.Use(m, "selftest", func(dir string) error { return r.in(ctx, m, dir, gocmd, mark) })
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Result) in(ctx context.Context, m machine.Machine, dir, gocmd string, mark func(context.Context, string) error) error {
	source, binary := path.Join(dir, "selftest.go"), path.Join(dir, "selftest")
	if err := m.WriteFile(source, assets.SelfTest(), 0o600, machine.Keep); err != nil {
		return lang.Errorf(err, "cannot write %s", "无法写入 %s", source).WithHint("make room on the disk: df -h", "请腾出磁盘空间：df -h")
	}
	build := machine.Command{
		Argv: []string{gocmd, "build", "-trimpath", "-o", binary, source}, Dir: dir,
		Env:     append([]string{"TMPDIR=" + dir, "GOCACHE=" + path.Join(dir, "cache"), "GOPATH=" + path.Join(dir, "path")}, Environment()...),
		Timeout: 20 * time.Minute,
	}
	if err := m.Run(ctx, build, nil); err != nil {
		return lang.Errorf(err, "cannot build the self-test with %s", "无法用 %s 编译自检程序", gocmd).
			WithHint("the compiler's own words say why; room and memory are the usual causes (df -h, free -m); it wants Go 1.22 or newer", "原因见编译器输出；常见原因是磁盘空间或内存不足（df -h、free -m）；需要 Go 1.22 及以上")
	}
	if mark != nil {
		if err := mark(ctx, binary); err != nil {
			return err
		}
	}
	return r.try(ctx, m, []string{binary}, dir)
}

// try runs the program and hears what it says.
func (r *Result) try(ctx context.Context, m machine.Machine, argv []string, dir string) error {
	all := titles()
	r.Checks = nil // of a try in a directory where nothing may run
	err := m.Run(ctx, machine.Command{Argv: argv, Dir: dir, Env: []string{"TMPDIR=" + dir, "HOME=" + dir}, Timeout: 10 * time.Minute}, func(line string) {
		var c Check
		if next := len(r.Checks); next < len(all) && json.Unmarshal([]byte(line), &c) == nil && c.Name == all[next].name && len(c.Said) < 1000 {
			r.Checks = append(r.Checks, c)
		}
	})
	if errors.Is(err, fs.ErrPermission) {
		return lang.Errorf(scratch.ErrNoExec.With(err), "cannot run what was built in %s", "无法运行在 %s 中编译出的程序", dir).
			WithHint("see whether it is mounted noexec (findmnt -T %s), or a security module forbids it (getstatus on Kylin)", "请检查是否以 noexec 挂载（findmnt -T %s），或被安全模块禁止（麒麟上执行 getstatus）", dir)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && len(r.Checks) < len(all) {
		r.Died = lang.F("%s", "%s", err)
	}
	return nil
}

// Self tries the runtime that goxin itself was built with, by its hidden command
// selftest, in a process of its own: should the runtime not fit the kernel, that one
// dies. said is the version of it.
func Self(ctx context.Context, m machine.Machine, said string) (*Result, error) {
	r := &Result{Version: 1, Said: said, When: m.Now().UTC()}
	if k, err := m.Kernel(); err == nil {
		r.Kernel = k.Release
	}
	err := scratch.Use(m, "selftest", func(dir string) error {
		return r.try(ctx, m, []string{machine.Self, "selftest"}, dir)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Names are those of the checks, in their order.
func Names() []string {
	var out []string
	for _, t := range titles() {
		out = append(out, t.name)
	}
	return out
}
