package build

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/scratch"
)

// Proofs build a program for each target, compare its header with what it should be,
// and run it where it can be run.
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
		for _, p := range h.targets() {
			if !h.skips(p) {
				out = append(out, engine.Proof{
					On: id, Always: h.runs() && h.cannot().Empty(), Title: lang.F("a program for %s is built and is what it should be", "为 %s 构建的程序符合预期", p.target()),
					Prove: func(ctx context.Context, m machine.Machine) (lang.Text, error) { return h.prove(ctx, m, p) },
				})
			}
		}
	}
	return out
}

// skips: somebody wants another platform's programs built there, and nothing here.
func (h *host) skips(p port) bool { return h.a.Mode == native && p.arch != h.own() }

func (h *host) prove(ctx context.Context, m machine.Machine, p port) (said lang.Text, err error) {
	if !h.runs() {
		return lang.T("not proved here: nothing can be run", "此处未验证：无法运行程序"), nil
	}
	if why := h.cannot(); !why.Empty() {
		return lang.F("not proved here, since this machine cannot compile: %s", "此处未验证，因为本机无法编译：%s", why), nil
	}
	err = scratch.Use(m, "build", func(dir string) (err error) {
		said, err = (&trial{host: h, m: m, p: p, dir: dir}).run(ctx)
		return err
	})
	if err != nil {
		return lang.Text{}, err
	}
	return said, nil
}

// The programs are such that any Go since 1.13 takes them, and print the same. They
// take nothing but the runtime: compiling fmt for every target is half of the time.
const (
	plainProgram = `package main

import "runtime"

func main() {
	sum, n := make(chan int), 0
	for i := 0; i < 4; i++ {
		go func(i int) { sum <- i * i }(i)
	}
	for i := 0; i < 4; i++ {
		n += <-sum
	}
	println("goxin ok", runtime.GOOS+"/"+runtime.GOARCH, n, runtime.Version())
}
`
	cgoProgram = `package main

// #include <stdlib.h>
import "C"

import "runtime"

func main() {
	println("goxin ok", runtime.GOOS+"/"+runtime.GOARCH, C.labs(-14), runtime.Version())
}
`
	answer = "14"
)

// trial is one program being built in dir.
type trial struct {
	*host
	m   machine.Machine
	p   port
	dir string
}

func (t *trial) program() string { return path.Join(t.dir, "hello") }

func (t *trial) own() bool { return t.p.arch == t.host.own() }

// compiler is the C compiler to build with; "" builds without C.
func (t *trial) compiler() string {
	switch {
	case !t.a.CGO || !t.noC(t.p).Empty():
		return ""
	case t.own():
		return "gcc"
	}
	return t.p.compiler()
}

func (t *trial) run(ctx context.Context) (lang.Text, error) {
	if err := t.build(ctx); err != nil {
		return lang.Text{}, err
	}
	o, err := elf.Read(t.m, t.program())
	if err == nil {
		err = t.judge(o)
	}
	if err != nil {
		return lang.Text{}, lang.Errorf(err, "cannot take what was built for %s", "为 %s 构建的程序不可用", t.p.target()).
			WithHint("see whether GOROOT's go.env or a wrapper changes what go build does: %s env", "请检查 GOROOT 的 go.env 或包装脚本是否改变了 go build 的行为：%s env", path.Join(t.goroot(), "bin/go"))
	}
	built := lang.F("ELF for %s, %s", "%s 的 ELF，%s", o.Arch.String(), linked(o))
	if t.a.CGO && t.compiler() == "" {
		built = lang.F("%s, without C", "%s，不含 C", built)
	}
	ran, err := t.start(ctx, o)
	if err != nil {
		return lang.Text{}, err
	}
	return lang.F("%s; %s", "%s；%s", built, ran), nil
}

func linked(o *elf.Object) lang.Text {
	if o.Kind == elf.Program {
		return lang.T("with the C library", "动态链接 C 库")
	}
	return lang.T("static", "静态链接")
}

// build compiles offline and with nothing of anybody's settings: neither the
// machine's environment nor root's files.
func (t *trial) build(ctx context.Context) error {
	source, text := path.Join(t.dir, "hello.go"), plainProgram
	// There is no home: go would leave its counters in one.
	env := []string{
		"HOME=/dev/null", "TMPDIR=" + t.dir, "GOCACHE=" + path.Join(t.dir, "cache"), "GOPATH=" + path.Join(t.dir, "path"),
		"GOENV=off", "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local", "GOOS=linux", "GOARCH=" + t.p.arch,
	}
	if cc := t.compiler(); cc != "" {
		text = cgoProgram
		env = append(env, "CGO_ENABLED=1", "CC="+cc)
	} else {
		env = append(env, "CGO_ENABLED=0")
	}
	if err := t.m.WriteFile(source, []byte(text), 0o600, machine.Keep); err != nil {
		return lang.Errorf(err, "cannot write %s", "无法写入 %s", source).
			WithHint("make room on the disk: df -h", "请腾出磁盘空间：df -h")
	}
	tool := path.Join(t.goroot(), "bin/go")
	c := machine.Command{Argv: []string{tool, "build", "-trimpath", "-o", t.program(), source}, Dir: t.dir, Env: env, Timeout: 20 * time.Minute}
	err := t.m.Run(ctx, c, nil)
	switch {
	case err == nil:
		return nil
	case machine.MissingProgram(err):
		return lang.Errorf(err, "cannot build: there is no Go at %s", "无法构建：%s 中没有 Go", t.goroot()).
			WithHint("let the toolchain step install one", "请用「Go 工具链」步骤安装")
	case t.compiler() != "":
		return lang.Errorf(err, "cannot build a program with C for %s", "无法为 %s 构建含 C 代码的程序", t.p.target()).
			WithHint("see whether %s is there and has a C library to link with", "请检查 %s 是否存在、是否带有可链接的 C 库", t.compiler())
	}
	return lang.Errorf(err, "cannot build a program for %s", "无法为 %s 构建程序", t.p.target()).
		WithHint("the compiler's own words say why; linux/loong64 takes Go 1.19 or newer", "原因见编译器的输出；linux/loong64 需要 Go 1.19 及以上版本")
}

// judge compares what was built with what it should be.
func (t *trial) judge(o *elf.Object) error {
	kinds := []elf.Kind{elf.Static, elf.StaticPIE}
	if t.compiler() != "" {
		kinds = []elf.Kind{elf.Program}
	}
	world := ""
	if t.p.arch == "loong64" {
		world = "new"
		if t.seen.World == "old" { // Loongson's own Go
			world = "old"
		}
	}
	switch {
	case o.Kind == elf.NotELF || o.Kind == elf.Script:
		return lang.Errorf(nil, "it is no ELF file", "它不是 ELF 文件")
	case !t.p.is(o):
		return lang.Errorf(nil, "its header says %s", "文件头标明是 %s", o.Arch.String())
	case !slices.Contains(kinds, o.Kind):
		return lang.Errorf(nil, "its header says %s, and %s was expected", "文件头标明是 %s，而预期为 %s", string(o.Kind), string(kinds[0]))
	case o.World() != world:
		return lang.Errorf(nil, "it is for LoongArch's other world", "它属于龙架构的另一个世界")
	}
	return nil
}

// start runs the program, and says by what, or why not.
func (t *trial) start(ctx context.Context, o *elf.Object) (lang.Text, error) {
	if !t.a.Run {
		return lang.T("not run, as the answers say", "按应答未运行"), nil
	}
	if t.own() {
		t.mark(ctx)
		version, err := t.says(ctx, t.program())
		return lang.F("it runs, made by %s", "可以运行，由 %s 构建", version), err
	}
	emulator := program(t.m, t.p.emulators()...)
	if emulator == "" {
		return lang.F("not run: there is no %s here", "未运行：本机没有 %s", t.p.emulators()[1]), nil
	}
	argv := []string{emulator}
	if o.Interp != "" {
		root, ok := t.sysroot(o.Interp)
		if !ok {
			return lang.F("not run: its C library is not here (%s)", "未运行：本机没有它的 C 库（%s）", o.Interp), nil
		}
		argv = append(argv, "-L", root)
	}
	version, err := t.says(ctx, append(argv, t.program())...)
	return lang.F("it runs by %s, made by %s", "可由 %s 运行，由 %s 构建", path.Base(emulator), version), err
}

// sysroot is where the loader of a foreign program is: Debian's cross packages have
// it below /usr/TRIPLET, packages of the foreign architecture at its own place.
func (t *trial) sysroot(interp string) (string, bool) {
	for _, root := range []string{"/usr/" + t.p.triplet, "/"} {
		if _, err := t.m.Stat(path.Join(root, interp)); err == nil {
			return root, true
		}
	}
	return "", false
}

// mark lets a new program run where Kylin's execution control is on. What comes of it
// shows when the program runs.
func (t *trial) mark(ctx context.Context) {
	if s := t.facts.Security.KYSEC; s.Value == "on" || s.Value == "warning" {
		_ = t.m.Run(ctx, machine.Command{Argv: []string{"kysec_set", "-n", "exectl", "-v", "verified", t.program()}, Timeout: time.Minute}, nil)
	}
}

// says runs argv and reads the version of Go off what it prints.
func (t *trial) says(ctx context.Context, argv ...string) (version string, err error) {
	var lines []string
	err = t.m.Run(ctx, machine.Command{Argv: argv, Dir: t.dir, Timeout: 2 * time.Minute}, func(line string) { lines = append(lines, line) })
	base := path.Dir(t.dir)
	switch {
	case t.own() && errors.Is(err, fs.ErrPermission):
		return "", lang.Errorf(scratch.ErrNoExec.With(err), "cannot run what was built in %s", "无法运行在 %s 中构建出的程序", base).
			WithHint("see whether %s is mounted noexec (findmnt -T), or a security module forbids it (getstatus on Kylin): go run and go test will meet the same", "请检查 %s 是否以 noexec 挂载（findmnt -T），或被安全模块禁止（麒麟上执行 getstatus）：go run 与 go test 会遇到同样的问题", base)
	case err != nil && !t.own():
		return "", lang.Errorf(err, "cannot run the program for %s by %s", "无法用 %[2]s 运行 %[1]s 的程序", t.p.target(), argv[0]).
			WithHint("an emulator that is older than the port may be at fault: answer run with false, or bring a newer one", "可能是模拟器比该平台更旧：请将 run 设为 false，或换用更新的模拟器")
	case err != nil:
		return "", lang.Errorf(err, "cannot run what was built", "无法运行构建出的程序").
			WithHint("build a program by hand and run it", "请手工构建并运行一个程序")
	}
	for _, l := range lines {
		if rest, ok := strings.CutPrefix(l, "goxin ok "+t.p.target()+" "+answer+" "); ok {
			return op.Visible(rest), nil
		}
	}
	return "", lang.Errorf(nil, "cannot trust the compiler: the program that it made for %s says something else", "编译器不可信：为 %s 构建的程序输出不符", t.p.target()).
		WithHint("build a program by hand and run it", "请手工构建并运行一个程序")
}
