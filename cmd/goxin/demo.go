package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/answers"
	"goxin/steps/demo"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/replay"
	"goxin/tui"
)

type demoFlags struct{ lesson, fast bool }

func (a *app) demoCommand() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo [MACHINE|FILE]",
		Short: a.s("Try the wizard on a simulated machine; nothing here is touched", "在模拟的机器上试用向导，不触碰本机"),
		Long: a.s("Opens the wizard on a captured machine in a temporary directory: files are really written there; package managers, services and the network are simulated. It needs neither root nor a network and leaves nothing behind.\n"+
			"MACHINE is one of those that `goxin demo` lists; FILE is what `goxin capture` wrote: a machine, or with --run a run, which is walked through again.",
			"在临时目录中的采集机器上打开向导：文件确实写在该目录里，包管理器、服务与网络均为模拟。无需 root，无需网络，不留任何痕迹。\n"+
				"MACHINE 为 `goxin demo` 列出的机器；FILE 为 `goxin capture` 生成的文件：一台机器，或用 --run 打包的一次运行（回放）。"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if a.root != "" || a.state != "" {
				return usageError{lang.Errorf(nil, "cannot open a demo with --root or --state: it is about no machine", "演示不接受 --root 与 --state：它与任何真实机器无关").
					WithHint("leave them out; a tree is looked at with `goxin detect`", "请去掉它们；查看系统树请用 `goxin detect`")}
			}
			return a.demo(c.Context(), strings.Join(args, ""), f)
		},
	}
	c.Flags().BoolVar(&f.lesson, "lesson", false, a.s("pause before each commit and explain", "每次写入前停下讲解"))
	c.Flags().BoolVar(&f.fast, "fast", false, a.s("wait for nothing", "不模拟等待"))
	return c
}

// simulated is what every screen of a demo says.
func simulated() lang.Text { return lang.T("SIMULATED", "模拟") }

func (a *app) demo(ctx context.Context, name string, f demoFlags) (err error) {
	if name == "" {
		if name, err = a.pickMachine(ctx); name == "" || err != nil {
			return err
		}
	}
	file, err := a.demoFile(name)
	if err != nil {
		return err
	}
	if file != nil {
		defer file.Close()
		run, err := holdsRun(file)
		if err == nil && run {
			return a.replay(ctx, name)
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return lang.Errorf(err, "cannot read %s", "无法读取 %s", name).WithHint("copy it to a disk", "请复制到磁盘上")
		}
	}
	dir, remove, err := demoDir()
	if err != nil {
		return lang.Errorf(err, "cannot open the demo", "无法打开演示").
			WithHint("the directory for temporary files has to be writable: set TMPDIR to another", "临时目录必须可写：可将 TMPDIR 设为其他目录")
	}
	defer func() { err = errors.Join(err, remove()) }()
	o := demo.Options{Pace: 1}
	if f.fast {
		o.Pace = 0
	}
	var d *demo.Demo
	if file != nil {
		d, err = demo.OpenArchive(machineName(name), file, dir, o)
	} else {
		d, err = demo.Open(name, dir, o)
	}
	if err != nil {
		return err
	}
	return a.walkDemo(ctx, d, f)
}

const demoPrefix = "goxin-demo-"

// demoDir makes a directory for a demo, and takes away what demos left that were killed:
// those of this person whose lock nobody holds.
func demoDir() (dir string, remove func() error, err error) {
	old, err := filepath.Glob(filepath.Join(os.TempDir(), demoPrefix+"*", "lock"))
	if err != nil {
		return "", nil, err
	}
	here := machine.Local()
	for _, lock := range old {
		i, err := here.Lstat(filepath.Dir(lock))
		if err != nil || !i.Mode.IsDir() || i.UID != os.Geteuid() {
			continue
		}
		if release, err := here.Lock(lock, nil); err == nil {
			_ = os.RemoveAll(filepath.Dir(lock)) // the next one tries again
			_ = release()
		}
	}
	top, err := os.MkdirTemp("", demoPrefix)
	if err != nil {
		return "", nil, err
	}
	release, err := here.Lock(filepath.Join(top, "lock"), nil)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(top))
	}
	return filepath.Join(top, "machine"), func() error {
		err := os.RemoveAll(top)
		_ = release() // of a file that is gone
		return err
	}, nil
}

// walkDemo opens the wizard on a simulated machine. Its journal is in that machine's
// tree, and goes with it.
func (a *app) walkDemo(ctx context.Context, d *demo.Demo, f demoFlags) (err error) {
	fresh := func(m machine.Machine) *engine.Engine {
		return engine.New(engine.Config{
			Machines: []machine.Machine{m}, Steps: d.Steps, Kinds: op.Kinds(), Detect: detect.Detect, Owner: "person", Version: version,
		})
	}
	e := fresh(d.Machine)
	ctx, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		err = errors.Join(err, d.Close())
	}()
	d.GuardWith(ctx, func(ctx context.Context, m machine.Machine, id engine.RunID) error { return fresh(m).Guard(ctx, id) })
	h, err := e.Detect(ctx)
	if err != nil {
		return err
	}
	_, facts := h.First()
	name := facts.Hostname.Value + ".yaml"
	_, err = a.show(ctx, tui.Config{
		Session: tui.Live(e), Steps: d.Steps, Purposes: d.Purposes(steps.Purposes()), Mark: simulated(), Lesson: f.lesson,
		Report: a.reportWriter(e),
		Save: func(ans engine.Answers) (string, error) {
			return e.KeepAnswers(name, answers.Encode(ans, d.Steps, a.lang))
		},
	})
	if err == nil {
		a.say("the simulated machine is gone; nothing was changed here", "模拟的机器已清除；本机没有任何改动")
	}
	return err
}

// pickMachine has one of the machines chosen, or lists them where nobody can choose; ""
// where none was.
func (a *app) pickMachine(ctx context.Context) (string, error) {
	all := demo.Machines()
	c := a.onTerminal(tui.Config{Mark: simulated()})
	if !isTerminal(a.in) || !isTerminal(a.out) || c.Tier == tui.Line {
		t := &engine.Table{Columns: []engine.Column{{Title: lang.T("name", "名称")}, {Title: lang.T("machine", "机器")}, {Title: lang.T("what it shows", "看点")}}}
		for _, m := range all {
			t.Rows = append(t.Rows, engine.TableRow{Key: m.Name, Cells: []lang.Text{lang.Same(m.Name), m.Title, m.Special}})
		}
		a.printTable(t)
		return "", nil
	}
	options := make([]engine.Option, len(all))
	for i, m := range all {
		options[i] = engine.Option{Value: m.Name, Title: m.Title, Help: m.Special}
	}
	return tui.Pick(ctx, c, lang.T("Which machine?", "选择哪台机器？"), options)
}

// demoFile is the file that name is, nil where it is a machine's name.
func (a *app) demoFile(name string) (*os.File, error) {
	all := demo.Machines()
	if slices.ContainsFunc(all, func(m demo.Machine) bool { return m.Name == name }) {
		return nil, nil
	}
	f, err := os.Open(name)
	if err == nil {
		if fi, serr := f.Stat(); serr == nil && fi.Mode().IsRegular() {
			return f, nil
		}
		f.Close()
	}
	e := lang.Errorf(nil, "cannot open a demo of %s: it is neither a captured machine nor a file", "无法演示 %s：它既不是采集的机器，也不是文件", name)
	if near := nearMachine(name, all); near != "" {
		return nil, usageError{e.WithHint("did you mean %s? `goxin demo` lists all", "是否想用 %s？`goxin demo` 列出全部", near)}
	}
	return nil, usageError{e.WithHint("`goxin demo` lists the machines", "`goxin demo` 列出可用的机器")}
}

// nearMachine is the machine whose name has most in common with what was typed: the most
// pairs of neighbouring letters. "" where that is less than half of them.
func nearMachine(typed string, all []demo.Machine) string {
	pairs := func(s string) map[string]bool {
		out := map[string]bool{}
		s = strings.ToLower(s)
		for i := 0; i+2 <= len(s); i++ {
			out[s[i:i+2]] = true
		}
		return out
	}
	want := pairs(typed)
	best, most := "", len(want)/2
	for _, m := range all {
		n := 0
		for p := range pairs(m.Name) {
			if want[p] {
				n++
			}
		}
		if n > most {
			best, most = m.Name, n
		}
	}
	return best
}

// machineName is what a machine out of a file is called: part of an identifier.
func machineName(file string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return '-'
	}, strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".gz"), ".tar"))
}

// holdsRun says whether a file has a packed run in it.
func holdsRun(f io.Reader) (bool, error) {
	z, err := gzip.NewReader(f)
	if err != nil {
		return false, err
	}
	const most = 1 << 30 // bytes to look through
	for t := tar.NewReader(io.LimitReader(z, most)); ; {
		h, err := t.Next()
		if err != nil {
			return false, err
		}
		if h.Name == replay.Member {
			return true, nil
		}
	}
}
