package devtools

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/scratch"
)

// Proofs run the tools and a program that is compiled with them.
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
		if len(h.tools()) > 0 {
			out = append(out, engine.Proof{On: id, Title: lang.T("the tools run", "工具可以运行"), Prove: h.run})
		}
		if h.compiles() {
			out = append(out, engine.Proof{On: id, Title: lang.T("a C program compiles, links and runs", "C 程序可以编译、链接并运行"), Prove: h.compile})
		}
	}
	return out
}

// tools are the programs that must run, by what they are called.
func (h *host) tools() []string {
	var out []string
	for _, t := range []string{toolGCC, toolGXX, toolMake, toolGit, toolGDB, toolTrace} {
		if slices.Contains(h.a.Tools, t) || h.a.Group && (t == toolGCC || t == toolGXX || t == toolMake) {
			out = append(out, t)
		}
	}
	return out
}

func (h *host) compiles() bool { return slices.Contains(h.tools(), toolGCC) }

func (h *host) zlib() bool { return slices.Contains(h.a.Tools, toolZlib) }

func notHere() lang.Text {
	return lang.T("not proved here: nothing can be run", "此处未验证：无法运行程序")
}

// run asks each tool for its version. What a wrapper says beside it does not count:
// gcc of Kylin V11 complains on its error stream and works.
func (h *host) run(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !h.runs() {
		return notHere(), nil
	}
	seen := make([]string, 0, 4)
	for _, t := range h.tools() {
		v, err := version(ctx, m, t)
		if err != nil {
			return lang.Text{}, lang.Errorf(err, "cannot run %s", "无法运行 %s", t).
				WithHint("is another %s before it in PATH? %s --version shows what is wrong", "PATH 中是否有另一个 %s 排在前面？%s --version 可查看原因", t, t)
		}
		seen = append(seen, t+" "+op.Visible(v))
	}
	return lang.Same(strings.Join(seen, ", ")), nil
}

func version(ctx context.Context, m machine.Machine, tool string) (string, error) {
	var lines []string
	err := m.Run(ctx, machine.Command{Argv: []string{tool, "--version"}, Timeout: time.Minute}, func(line string) {
		lines = append(lines, line)
	})
	return versionIn(lines), err
}

var (
	aside  = regexp.MustCompile(`\([^()]*\)`)
	number = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)
)

// versionIn is the first version in lines. What stands in brackets is the
// distribution's own: gcc (GCC) 8.5.0 20210514 (Anolis 8.5.0-10.0.1).
func versionIn(lines []string) string {
	for _, l := range lines {
		if v := number.FindString(aside.ReplaceAllString(l, "")); v != "" {
			return v
		}
	}
	return ""
}

const (
	plainProgram = `#include <stdio.h>

int main(void) {
	puts("goxin ok");
	return 0;
}
`
	zlibProgram = `#include <stdio.h>
#include <zlib.h>

int main(void) {
	printf("goxin ok, zlib %s\n", zlibVersion());
	return 0;
}
`
)

// compile compiles, links and runs a program.
func (h *host) compile(ctx context.Context, m machine.Machine) (said lang.Text, err error) {
	if !h.runs() {
		return notHere(), nil
	}
	err = scratch.Use(m, "devtools", func(dir string) error {
		s, err := h.compileIn(ctx, m, dir)
		said = lang.Same(op.Visible(s))
		return err
	})
	if err != nil {
		return lang.Text{}, err
	}
	return said, nil
}

func (h *host) compileIn(ctx context.Context, m machine.Machine, dir string) (said string, err error) {
	source, program := path.Join(dir, "hello.c"), path.Join(dir, "hello")
	argv, text := []string{toolGCC, "-o", program, source}, plainProgram
	if h.zlib() {
		argv, text = append(argv, "-lz"), zlibProgram
	}
	if err := m.WriteFile(source, []byte(text), 0o600, machine.Keep); err != nil {
		return "", lang.Errorf(err, "cannot write %s", "无法写入 %s", source).
			WithHint("make room on the disk: df -h", "请腾出磁盘空间：df -h")
	}
	// Its temporary files go where they are cleaned away.
	c := machine.Command{Argv: argv, Dir: dir, Env: []string{"TMPDIR=" + dir}, Timeout: 2 * time.Minute}
	if err := m.Run(ctx, c, nil); err != nil {
		return "", lang.Errorf(err, "cannot compile a C program", "无法编译 C 程序").
			WithHint("the compiler's own words say which header or library is missing", "请根据编译器的输出确认缺少哪个头文件或库")
	}
	err = m.Run(ctx, machine.Command{Argv: []string{program}, Dir: dir, Timeout: time.Minute}, func(line string) {
		if rest, ok := strings.CutPrefix(line, "goxin ok"); ok {
			said = "gcc" + rest
		}
	})
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", lang.Errorf(scratch.ErrNoExec.With(err), "cannot run what was compiled in %s", "无法运行在 %s 中编译出的程序", path.Dir(dir)).
			WithHint("see whether %s is mounted noexec (findmnt -T), or a security module forbids it (getstatus on Kylin): go run and go test will meet the same", "请检查 %s 是否以 noexec 挂载（findmnt -T），或被安全模块禁止（麒麟上执行 getstatus）：go run 与 go test 会遇到同样的问题", path.Dir(dir))
	case err != nil:
		return "", lang.Errorf(err, "cannot run what was compiled", "无法运行编译出的程序").
			WithHint("see which libraries it lacks: goxin libs", "用 goxin libs 查看缺少哪些库")
	case said == "":
		return "", lang.Errorf(nil, "cannot trust the compiler: the program that it made says nothing", "编译器不可信：编译出的程序没有任何输出").
			WithHint("compile a program by hand and run it", "请手工编译并运行一个程序")
	}
	return said, nil
}
