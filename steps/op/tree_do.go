package op

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/overlay"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// inTree stands for the tree in a Make.
const inTree = "{tree}"

// makeTime is how long building Go may take: an hour on a slow board.
const makeTime = 3 * time.Hour

func itoa(n int) string { return strconv.Itoa(n) }

// Do fetches, proves and unpacks all at once, in a stage. What is wrong with a source
// is told, and the next one is tried; only the rest of the machine ends it at once.
// Until the tree is renamed to its name nothing of it is there, so that it can also be
// stopped until then.
func (o *Tree) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	if say == nil {
		say = func(lang.Text) {}
	}
	was, _, err := o.look(m)
	if err == nil {
		err = m.Clean(o.Dir)
	}
	switch {
	case err != nil:
	case o.Absent:
		if err = o.discard(m, was); err != nil {
			return engine.Outcome{}, cannot(err, "cannot move %s away", "无法移走 %s", o.Target())
		}
	case was.Is != treeWhole:
		err = o.install(ctx, m, was, say)
	}
	if err == nil {
		return engine.OK, nil
	}
	told := cannot(err, "cannot install %s", "无法安装 %s", o.Target())
	var refusal engine.Refusal
	if errors.As(err, &refusal) {
		return engine.Outcome{}, engine.Refusal{Err: cannot(refusal.Err, "cannot install %s", "无法安装 %s", o.Target())}
	}
	return engine.Outcome{}, told
}

// discard moves the tree to Trash; its manifest and record are in the journal.
func (o *Tree) discard(m machine.Machine, was treeState) error {
	if was.there() {
		if err := o.moveAway(m, was.Slot); err != nil {
			return err
		}
	}
	return o.putBeside(m, beside{})
}

func (o *Tree) moveAway(m machine.Machine, slot string) error {
	err := o.canMove(m)
	if err == nil {
		err = m.Rename(o.Dir, slot)
	}
	return err
}

// canMove says that there is somewhere to move to.
func (o *Tree) canMove(m machine.Machine) error {
	info, err := m.Stat(o.trash())
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode.IsDir() {
		return lang.Errorf(nil, "there is no directory %s to move it to", "没有可以移入的目录 %s", Visible(o.trash())).
			WithHint("make it: mkdir -p %s", "请创建该目录：mkdir -p %s", Quote(o.trash()))
	}
	return err
}

// putBeside makes the manifest and the record as given.
func (o *Tree) putBeside(m machine.Machine, b beside) error {
	now, err := o.lookBeside(m)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name      string
		now, then []byte
	}{{goroot.Manifest(o.Dir), now.Manifest, b.Manifest}, {goroot.Evidence(o.Dir), now.Record, b.Record}} {
		switch {
		case f.then == nil && f.now != nil:
			err = m.Remove(f.name)
		case f.then != nil && (f.now == nil || !bytes.Equal(f.now, f.then)):
			err = m.WriteFile(f.name, f.then, 0o644, machine.RootOwner)
		}
		if err == nil {
			err = m.Clean(f.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refused is an error of what came, not of the machine.
func refused(err error) error { return engine.Refusal{Err: err} }

func (o *Tree) install(ctx context.Context, m machine.Machine, was treeState, say func(lang.Text)) error {
	j, err := o.judge()
	if err != nil {
		return refused(err)
	}
	if err := o.guarded(m); err != nil {
		return err
	}
	if was.there() {
		if err := o.canMove(m); err != nil { // rather now than after a download
			return err
		}
	}
	ctx, stop := stoppable(ctx)
	defer stop()
	s := newSupply(m, o, say)
	defer s.close()
	var no []error
	for {
		from := s.next(ctx)
		if from == nil {
			return s.none(no)
		}
		err := o.fromOne(ctx, m, was, j, from, say)
		from.Close()
		var refusal engine.Refusal
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return lang.Errorf(context.Cause(ctx), "stopped", "已停止")
		case from.err != nil: // it could not be read
			s.failed(from, from.err)
		case errors.As(err, &refusal):
			no = append(no, s.refused(from, refusal.Err))
		default:
			return err
		}
	}
}

// guarded refuses a place where others than root could put something else once the
// archive is proved.
func (o *Tree) guarded(m machine.Machine) error {
	guard, err := goroot.GuardOf(m)
	if err != nil {
		return err
	}
	exposed, err := guard.Way(path.Dir(o.Dir))
	switch {
	case errors.Is(err, fs.ErrNotExist): // Stage says so
		return nil
	case err != nil:
		return err
	case exposed == "":
		return nil
	}
	return refused(lang.Errorf(nil, "others than root can write to %s and could exchange it", "非 root 用户可以写入 %s，从而替换它", Visible(exposed)).
		WithHint("see what is in there, then make it root's: chown root:root %[1]s; chmod go-w %[1]s", "请先检查其中的内容，再改归 root：chown root:root %[1]s; chmod go-w %[1]s", Quote(exposed)))
}

// stoppable is ctx, which ends also when whoever waits for the operation wants it to.
func stoppable(ctx context.Context) (context.Context, context.CancelFunc) {
	stopping := engine.Stopping(ctx)
	ctx, cancel := context.WithCancel(ctx)
	if stopping != nil {
		go func() {
			select {
			case <-stopping:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// fromOne installs the tree from one source, or leaves nothing behind. What the source
// is to blame for is an engine.Refusal.
func (o *Tree) fromOne(ctx context.Context, m machine.Machine, was treeState, j *judge, from *supplied, say func(lang.Text)) error {
	st, err := m.Stage(o.Dir)
	if err != nil {
		return err
	}
	err = o.fill(ctx, m, st, was, j, from, say)
	if err != nil {
		_ = st.Discard() // what it could not remove is what Clean is for
	}
	return err
}

func (o *Tree) fill(ctx context.Context, m machine.Machine, st machine.Stage, was treeState, j *judge, from *supplied, say func(lang.Text)) error {
	if err := j.begin(m, from); err != nil {
		return refused(err)
	}
	res, err := unpack.Into(ctx, from, st, o.options())
	var unsafe *unpack.UnsafeError
	if errors.As(err, &unsafe) {
		return refused(err)
	}
	if err != nil {
		return err
	}
	rec, err := j.end(res)
	if err != nil {
		return refused(err)
	}
	rec.Sources = from.parts()
	man := &res.Manifest
	if o.Make != nil {
		if man, err = o.build(ctx, m, st, say); err != nil {
			return err
		}
		rec.Made, rec.With, rec.Overlay = o.Make.Argv, o.Make.With, o.Make.Overlay
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return o.commit(m, st, was, man, rec)
}

// commit gives everything its name: the old tree goes, the manifest and the record
// come, the tree comes last.
func (o *Tree) commit(m machine.Machine, st machine.Stage, was treeState, man *verify.Manifest, rec *goroot.Record) error {
	var text bytes.Buffer
	if _, err := man.WriteTo(&text); err != nil {
		return err
	}
	rec.Manifest = sumOf(text.Bytes())
	if was.there() {
		if err := o.moveAway(m, was.Slot); err != nil {
			return err
		}
	}
	err := o.putBeside(m, beside{Manifest: text.Bytes(), Record: rec.Text()})
	if err == nil {
		err = st.Commit()
	}
	return err
}

// options are how to read the archive. Where nothing but the hash of the module
// speaks for an ordinary archive, the directories that the module does not have stay
// out: nobody vouches for them.
func (o *Tree) options() unpack.Options {
	if o.Archive.Format == unpack.Zip {
		return unpack.GoZip(o.Want.Toolchain)
	}
	opt := unpack.GoTar()
	opt.Format = o.Archive.Format
	if o.Want.SHA256 == "" && len(o.Want.Signature) == 0 {
		opt.Skip = func(name string) bool { return !verify.InModule(name) }
	}
	return opt
}

// build runs Make in the stage and lists what came of it.
func (o *Tree) build(ctx context.Context, m machine.Machine, st machine.Stage, say func(lang.Text)) (*verify.Manifest, error) {
	here := strings.NewReplacer(inTree, st.Path())
	all := func(from []string) (to []string) {
		for _, s := range from {
			to = append(to, here.Replace(s))
		}
		return to
	}
	remove := func(names []string) error {
		for _, n := range names {
			if !fs.ValidPath(n) || n == "." {
				return lang.Errorf(nil, "%q is no name in the tree", "%q 不是目录树中的名称", n)
			}
			if err := m.RemoveAll(path.Join(st.Path(), n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	if err := remove(o.Make.Clear); err != nil {
		return nil, err
	}
	if err := o.overlay(m, st, say); err != nil {
		return nil, err
	}
	c := machine.Command{Argv: all(o.Make.Argv), Dir: path.Join(st.Path(), o.Make.Dir), Env: all(o.Make.Env), Timeout: makeTime}
	say(lang.F("building in %s: %s", "正在 %s 中构建：%s", Visible(c.Dir), Visible(strings.Join(c.Argv, " "))))
	if err := m.Run(ctx, c, quoting(say)); err != nil {
		return nil, lang.Errorf(exited(err), "“%s” failed", "“%s” 执行失败", Visible(strings.Join(c.Argv, " "))).
			WithHint("its last lines say why; what it needs is a Go to build with, some gigabytes of room and of memory", "其末尾输出说明原因；构建需要可用的引导 Go、数 GB 的磁盘与内存")
	}
	if err := remove(o.Make.Drop); err != nil {
		return nil, err
	}
	say(lang.T("listing what was built", "正在登记构建结果"))
	return listed(m, st.Path())
}

// overlay puts goxin's overlay into the sources that were unpacked.
func (o *Tree) overlay(m machine.Machine, st machine.Stage, say func(lang.Text)) error {
	switch o.Make.Overlay {
	case 0:
		return nil
	case overlay.Number:
	default:
		return lang.Errorf(nil, "cannot apply overlay %d: this goxin has overlay %d", "无法使用第 %d 版补丁：本程序带的是第 %d 版", o.Make.Overlay, overlay.Number).
			WithHint("finish or undo this run with the goxin that began it", "请用开始本次运行的 goxin 来完成或撤销它")
	}
	files, err := overlay.Files(o.Want.Toolchain.Version, overlay.Arch, func(name string) ([]byte, error) {
		return m.ReadFile(path.Join(st.Path(), name))
	})
	if err != nil {
		return refused(err)
	}
	for _, f := range files {
		say(lang.F("overlay %d: %s", "第 %d 版补丁：%s", overlay.Number, f.Name))
		if err := m.WriteFile(path.Join(st.Path(), f.Name), f.Data, 0o644, machine.RootOwner); err != nil {
			return err
		}
	}
	return nil
}
