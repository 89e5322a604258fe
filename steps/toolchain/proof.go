package toolchain

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/scratch"
	"goxin/steps/selftest"
)

// Proofs run each Go that was asked for, and a program that it builds.
func (Step) Proofs(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Proof {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	var out []engine.Proof
	for _, id := range hs.Order {
		seen, err := SeenOn(sv, id)
		if err != nil {
			return nil
		}
		p, err := newPlan(hs.Facts[id], seen, a)
		if err != nil {
			return nil
		}
		proved := map[string]bool{}
		prove := func(dir, version string) {
			if dir == "" || proved[dir] {
				return
			}
			proved[dir] = true
			t := trial{dir: dir, version: version, arch: seen.Arch, runs: hs.Facts[id].Running, kysec: p.kysec()}
			out = append(out,
				engine.Proof{On: id, Title: lang.F("%s runs", "%s 可以运行", version), Prove: t.run},
				engine.Proof{On: id, Title: lang.F("a program built with %s runs", "用 %s 编译的程序可以运行", version), Prove: t.build})
			if forOldWorld(a.How) || a.Selftest {
				out = append(out, engine.Proof{On: id, Title: lang.F("%s passes its self-test", "%s 通过自检", version), Prove: t.selftest})
			}
		}
		for _, w := range p.wanted {
			prove(w.Dir, w.Version)
		}
		prove(p.use, p.version)
	}
	return out
}

// trial is one Go to be tried.
type trial struct {
	dir, version, arch string
	runs               bool // programs run there
	kysec              bool // only marked programs do
}

func notHere() lang.Text {
	return lang.T("not proved here: nothing can be run", "此处未验证：无法运行程序")
}

func (t trial) run(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !t.runs {
		return notHere(), nil
	}
	var said string
	c := machine.Command{Argv: []string{path.Join(t.dir, "bin/go"), "version"}, Env: selftest.Environment(), Timeout: time.Minute}
	err := m.Run(ctx, c, func(line string) {
		if said == "" {
			said = line
		}
	})
	want := "go version " + t.version + " linux/" + t.arch
	switch {
	case errors.Is(err, fs.ErrPermission):
		return lang.Text{}, lang.Errorf(err, "cannot run %s", "无法运行 %s", c.Argv[0]).
			WithHint("a security module forbids it (getstatus on Kylin, getenforce elsewhere), or %s is mounted noexec (findmnt -T)", "可能被安全模块禁止（麒麟用 getstatus，其他系统用 getenforce 查看），或 %s 以 noexec 挂载（findmnt -T）", t.dir)
	case err != nil:
		return lang.Text{}, lang.Errorf(err, "cannot run %s", "无法运行 %s", c.Argv[0]).
			WithHint("is it of this machine's kind (file %s), and the kernel 3.2 or newer?", "请确认它适用于本机架构（file %s），且内核不低于 3.2", c.Argv[0])
	case said != want && !strings.HasPrefix(said, want+" "):
		return lang.Text{}, lang.Errorf(nil, "cannot trust %s: it says %q", "%s 不可信：其输出为 %q", c.Argv[0], op.Visible(said)).
			WithHint("run it by hand, and look at the tree: goxin verify %s", "请手工运行它，并检查该目录：goxin verify %s", t.dir)
	}
	return lang.Same(op.Visible(said)), nil
}

// hello takes nothing but the runtime: a machine that is slow, or emulated, would
// spend a minute on what fmt takes with it.
const hello = `package main

import "runtime"

func main() { println("goxin ok", runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH) }
`

// build builds and runs a program in a directory that is thrown away.
func (t trial) build(ctx context.Context, m machine.Machine) (said lang.Text, err error) {
	if !t.runs {
		return notHere(), nil
	}
	err = scratch.Use(m, "toolchain", func(dir string) error {
		s, err := t.buildIn(ctx, m, dir)
		said = lang.Same(op.Visible(s))
		return err
	})
	if err != nil {
		return lang.Text{}, err
	}
	return said, nil
}

func (t trial) buildIn(ctx context.Context, m machine.Machine, dir string) (said string, err error) {
	source, program := path.Join(dir, "hello.go"), path.Join(dir, "hello")
	if err := m.WriteFile(source, []byte(hello), 0o600, machine.Keep); err != nil {
		return "", lang.Errorf(err, "cannot write %s", "无法写入 %s", source).WithHint("make room on the disk: df -h", "请腾出磁盘空间：df -h")
	}
	c := machine.Command{
		Argv: []string{path.Join(t.dir, "bin/go"), "build", "-trimpath", "-o", program, source}, Dir: dir,
		Env:     append([]string{"TMPDIR=" + dir, "GOCACHE=" + path.Join(dir, "cache"), "GOPATH=" + path.Join(dir, "path")}, selftest.Environment()...),
		Timeout: 10 * time.Minute,
	}
	if err := m.Run(ctx, c, nil); err != nil {
		return "", lang.Errorf(err, "cannot build a program with %s", "无法用 %s 编译程序", t.version).
			WithHint("the compiler's own words say why; room and memory are the usual causes (df -h, free -m)", "原因见编译器输出；常见原因是磁盘空间或内存不足（df -h、free -m）")
	}
	if mark := Mark(m, t.kysec); mark != nil {
		if err := mark(ctx, program); err != nil {
			return "", err
		}
	}
	err = m.Run(ctx, machine.Command{Argv: []string{program}, Dir: dir, Timeout: time.Minute}, func(line string) {
		if rest, ok := strings.CutPrefix(line, "goxin ok "); ok {
			said = rest
		}
	})
	want := t.version + " linux/" + t.arch
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", lang.Errorf(scratch.ErrNoExec.With(err), "cannot run what was built in %s", "无法运行在 %s 中编译出的程序", dir).
			WithHint("see whether it is mounted noexec (findmnt -T %s), or a security module forbids it (getstatus on Kylin): go run and go test will meet the same", "请检查是否以 noexec 挂载（findmnt -T %s），或被安全模块禁止（麒麟上执行 getstatus）：go run 与 go test 会遇到同样的问题", dir)
	case err != nil:
		return "", lang.Errorf(err, "cannot run what was built with %s", "无法运行用 %s 编译出的程序", t.version).
			WithHint("run a program by hand; dmesg may say what the kernel has against it", "请手工运行一个程序；dmesg 可能有内核拒绝的原因")
	case said != want:
		return "", lang.Errorf(nil, "cannot trust %s: the program that it built says %q", "%s 不可信：编译出的程序输出为 %q", t.version, op.Visible(said)).
			WithHint("build a program by hand and run it", "请手工编译并运行一个程序")
	}
	return said, nil
}

// Mark marks a program that was just built as one that may run, as a person does where
// only marked programs do; nil elsewhere.
func Mark(m machine.Machine, kysec bool) func(context.Context, string) error {
	if !kysec {
		return nil
	}
	return func(ctx context.Context, program string) error {
		err := m.Run(ctx, machine.Command{Argv: []string{"kysec_set", "-n", "exectl", "-v", "verified", program}, Timeout: time.Minute}, nil)
		if err != nil {
			return lang.Errorf(err, "cannot mark what was built", "无法标记编译出的程序").WithHint("is kysec_set there, and goxin run by root?", "请确认有 kysec_set，且以 root 身份运行")
		}
		return nil
	}
}

// selftest is what decides on a Go for an old-world kernel.
func (t trial) selftest(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !t.runs {
		return notHere(), nil
	}
	r, err := selftest.Run(ctx, m, t.dir, Mark(m, t.kysec))
	if err != nil {
		return lang.Text{}, err
	}
	if err := engine.Keep(ctx, selftest.TellKind, r); err != nil {
		return lang.Text{}, err
	}
	if !r.OK() {
		return lang.Text{}, lang.Errorf(nil, "cannot accept %s: %s", "不能接受 %s：%s", t.version, r.Text()).
			WithHint("what failed: goxin toolchain selftest %s; please report it with `goxin capture --oldworld`", "失败详情：goxin toolchain selftest %s；请用 `goxin capture --oldworld` 反馈", t.dir)
	}
	return r.Text(), nil
}
