package runtime

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/runtime/measure"
	"goxin/steps/scratch"
)

// Proofs build a program with what build.env says and run it with runtime.env: a
// compiler that goes beyond the processor, and a value the runtime does not take, end
// it at its start.
func (Step) Proofs(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Proof {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	var out []engine.Proof
	for _, id := range hs.Order {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil
		}
		out = append(out, engine.Proof{
			On: id, Title: lang.T("a Go program built and run with these variables takes them", "用这些变量编译并运行的 Go 程序确实采用了它们"), Prove: h.prove,
		})
	}
	return out
}

// asks is a program that tells what its runtime made of the variables. A Go before 1.19
// has no memory limit to tell.
const asks = `package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

func main() {
	fmt.Printf("goxin ok gogc=%d procs=%d\n", debug.SetGCPercent(100), runtime.GOMAXPROCS(0))
}
`

func (h *host) prove(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !h.facts.Running {
		return lang.T("not proved here: nothing can be run", "此处未验证：无法运行程序"), nil
	}
	dir, version := Find(m)
	if dir == "" {
		return lang.T("not proved here: there is no Go yet", "此处未验证：尚未安装 Go"), nil
	}
	vars, err := environment(m, RuntimeEnv)
	if err != nil {
		return lang.Text{}, err
	}
	var build []string
	if name, _ := h.level(); name != "" {
		if build, err = environment(m, BuildEnv); err != nil {
			return lang.Text{}, err
		}
	}
	var said string
	err = scratch.Use(m, "runtime", func(work string) error {
		program, err := h.tool(dir).Build(ctx, m, work, "asks", asks, build)
		if err != nil {
			return err
		}
		said, err = h.ask(ctx, m, program, work, vars)
		return err
	})
	if err != nil {
		return lang.Text{}, err
	}
	all := strings.Join(append(vars, build...), " ")
	return lang.F("%s, with %s: %s", "%s，带 %s：%s", version, op.Visible(all), op.Visible(said)), nil
}

func (h *host) ask(ctx context.Context, m machine.Machine, program, work string, vars []string) (said string, err error) {
	err = m.Run(ctx, machine.Command{Argv: []string{program}, Dir: work, Env: vars, Timeout: time.Minute}, func(line string) {
		if rest, ok := strings.CutPrefix(line, "goxin ok "); ok {
			said = rest
		}
	})
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", lang.Errorf(scratch.ErrNoExec.With(err), "cannot run what was compiled", "无法运行编译出的程序").
			WithHint("see whether %s is mounted noexec (findmnt -T), or a security module forbids it (getstatus on Kylin)", "请检查 %s 是否以 noexec 挂载（findmnt -T），或被安全模块禁止（麒麟上执行 getstatus）", work)
	case err != nil:
		return "", lang.Errorf(err, "cannot run a Go program with %s", "带 %s 无法运行 Go 程序", op.Visible(strings.Join(vars, " "))).
			WithHint("its own words say which value is wrong; correct the runtime step's answers", "程序的输出说明了哪个值有误；请修改 runtime 步骤的应答")
	}
	for _, v := range vars {
		for name, is := range map[string]string{"GOGC": "gogc", "GOMAXPROCS": "procs"} {
			want, ok := strings.CutPrefix(v, name+"=")
			if want == off {
				want = "-1"
			}
			if ok && !strings.Contains(" "+said+" ", " "+is+"="+want+" ") {
				return "", lang.Errorf(nil, "cannot set %s: a Go program that was given %s says %s", "无法设置 %s：给了 %s 的 Go 程序却报告 %s", name, v, op.Visible(said)).
					WithHint("another GODEBUG or a wrapper changes it; run a program by hand with that variable", "可能被其他 GODEBUG 或包装脚本改动；请带上该变量手工运行一个程序")
			}
		}
	}
	return said, nil
}

// environment reads the variables of a file the step wrote.
func environment(m machine.Machine, name string) ([]string, error) {
	data, err := m.ReadFile(name)
	if err != nil {
		return nil, lang.Errorf(err, "cannot read %s", "无法读取 %s", name).WithHint("apply the runtime step again", "请重新执行 runtime 步骤")
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out, nil
}

// tool is the Go in dir; where execution control is on, what it builds is marked.
func (h *host) tool(dir string) measure.Tool {
	t := measure.Tool{GOROOT: dir}
	if h.facts.Security.KYSEC.Value == "on" {
		t.Mark = mark
	}
	return t
}

// mark lets a program run under Kylin's execution control. A machine without the
// program that marks says so when the program does not run.
func mark(ctx context.Context, m machine.Machine, program string) error {
	err := m.Run(ctx, machine.Command{Argv: []string{"kysec_set", "-n", "exectl", "-v", "verified", program}, Timeout: time.Minute}, nil)
	if machine.MissingProgram(err) {
		return nil
	}
	if err != nil {
		return lang.Errorf(err, "cannot mark %s for Kylin's execution control", "无法为麒麟执行控制标记 %s", program).
			WithHint("see what it forbids: getstatus", "请查看其限制：getstatus")
	}
	return nil
}
