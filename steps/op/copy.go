package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Copy is a file that is too big for the journal (a program), brought from a machine of
// the run to the same or another one. It is streamed beside its name and renamed to it
// once all of it is there and has the digest that was planned. What was there is kept in
// goxin's directory on that machine. A link in its place is an error: what it leads to
// belongs to whoever made it.
type Copy struct {
	From   machine.ID    `json:"from"`   // whose file Source is
	Source string        `json:"source"` // absolute
	SHA256 string        `json:"sha256"` // of Source, in hexadecimal
	Path   string        `json:"path"`
	Mode   Mode          `json:"mode"`
	Owner  machine.Owner `json:"owner"` // machine.Keep: whoever has it, or runs goxin
	// Restart is a unit that runs this program: see File.
	Restart string    `json:"restart,omitempty"`
	Reason  lang.Text `json:"reason"`
}

type copyState struct {
	Exists bool   `json:"exists"`
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"` // bytes
	inode
	Stops bool `json:"stops,omitempty"` // the content is not as wanted, and Restart runs
	Left  bool `json:"left,omitempty"`  // an interrupted copy left something beside
}

// Kind is "copy".
func (o *Copy) Kind() string { return "copy" }

// Target is the path.
func (o *Copy) Target() string { return Visible(o.Path) }

// Why is the step's reason.
func (o *Copy) Why() lang.Text { return o.Reason }

// Touches is the unit that is stopped, whose op then has to start it; else the path.
func (o *Copy) Touches() string {
	if o.Restart != "" {
		return o.Restart
	}
	return o.Target()
}

// ByHand is install(1).
func (o *Copy) ByHand() []string {
	install := "install -m " + o.Mode.String()
	if o.Owner.UID >= 0 && o.Owner.GID >= 0 {
		install += fmt.Sprintf(" -o %d -g %d", o.Owner.UID, o.Owner.GID)
	}
	out := []string{"echo " + Quote(o.SHA256+"  "+o.Source) + " | sha256sum -c", install + " " + Quote(o.Source) + " " + Quote(o.Path)}
	if o.Restart != "" {
		out = append(out, "systemctl try-restart "+Quote(o.Restart))
	}
	return out
}

// Observe reads the file's digest.
func (o *Copy) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(ctx, m)
	if err != nil {
		return engine.State{}, cannotRead(err, o.Path)
	}
	if s.Stops, err = o.stops(ctx, m, s); err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, nil), nil
}

func (o *Copy) look(ctx context.Context, m machine.Machine) (s copyState, err error) {
	_, err = m.Lstat(o.beside())
	s.Left = err == nil
	info, err := m.Lstat(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	switch {
	case err != nil:
		return s, err
	case info.Mode&fs.ModeSymlink != 0:
		return s, lang.Errorf(nil, "it is a link", "它是一个链接").
			WithHint("remove the link, or choose another path: rm %s", "请删除该链接或另选路径：rm %s", Quote(o.Path))
	case !info.Mode.IsRegular():
		return s, notRegular(info.Mode)
	}
	s.Exists, s.Size, s.inode = true, info.Size, inodeOf(info)
	s.SHA256, err = fileDigest(ctx, m, o.Path)
	return s, err
}

func (o *Copy) stops(ctx context.Context, m machine.Machine, s copyState) (bool, error) {
	if o.Restart == "" || s.Exists && s.SHA256 == o.SHA256 {
		return false, nil
	}
	u, err := (&Unit{Name: o.Restart}).look(ctx, m)
	return u.Up, err
}

// Diff compares digest, mode and owner.
func (o *Copy) Diff(s engine.State) engine.Diff {
	was, _, err := decode[copyState](o, s)
	if err != nil {
		return engine.Diff{Action: engine.Update, Note: lang.F("%s", "%s", err)}
	}
	want := was.with(o.Mode, o.Owner)
	var d engine.Diff
	switch {
	case !was.Exists:
		d = engine.Diff{Action: engine.Create, Note: lang.F("new, %s %s, from %s", "新建，%s %s，来自 %s", o.Mode, ownerName(max(o.Owner.UID, 0), max(o.Owner.GID, 0)), o.source())}
	case was.SHA256 != o.SHA256:
		d = engine.Diff{Action: engine.Update, Note: lang.F("another program, from %s", "换成来自 %s 的程序", o.source())}
		d.Rows = []engine.Row{{Action: engine.Update, Name: "SHA-256", Now: short(was.SHA256), Then: short(o.SHA256)}}
	case was.inode != want:
		d = engine.Diff{Action: engine.Update, Note: lang.F("mode %s %s → %s %s", "权限 %s %s → %s %s", was.Mode, ownerName(was.UID, was.GID), want.Mode, ownerName(want.UID, want.GID))}
	case was.Left:
		return engine.Diff{Action: engine.Update, Note: lang.T("what an interrupted copy left beside it is removed", "清除上次中断的复制留下的内容")}
	default:
		return engine.Diff{Action: engine.None}
	}
	if was.Stops {
		d.Note = lang.F("%s, restarts %s", "%s，会重启 %s", d.Note, o.Restart)
	}
	return d
}

func (o *Copy) source() string {
	if strings.HasPrefix(string(o.From), "peer:") {
		return Visible(string(o.From) + ":" + o.Source)
	}
	return Visible(o.Source)
}

func short(sum string) string { return sum[:min(len(sum), 16)] + "…" }

// beside is where the file is streamed to: a directory, since that is what can be
// staged, on the file system of its name.
func (o *Copy) beside() string {
	return path.Join(path.Dir(o.Path), "."+path.Base(o.Path)+".goxin-copy")
}

const theFile = "file" // in the two directories

// keep is where a content that stood there is kept: of several copies to one path, each
// keeps what it replaced.
func (o *Copy) keep(sum string) string {
	return path.Join(keptDir, "copy-"+digest([]byte(o.Path))[:16]+"-"+sum[:min(len(sum), 16)])
}

// Do copies the file where its content differs, and else only sets what differs of its
// mode and owner.
func (o *Copy) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	was, err := o.look(ctx, m)
	if err == nil {
		var stops bool
		if stops, err = o.stops(ctx, m, was); err != nil {
			return engine.Outcome{}, err
		} else if stops {
			if err := systemctl(ctx, m, say, "stop", o.Restart); err != nil {
				return engine.Outcome{}, err
			}
		}
		err = o.bring(ctx, m, was)
	}
	if err == nil {
		err = o.clean(m)
	}
	if err != nil {
		told := cannot(err, "cannot copy %s", "无法复制 %s", o.Target())
		var no engine.Refusal
		if errors.As(err, &no) {
			return engine.Outcome{}, engine.Refusal{Err: told}
		}
		return engine.Outcome{}, told
	}
	return engine.OK, nil
}

func (o *Copy) bring(ctx context.Context, m machine.Machine, was copyState) error {
	if was.SHA256 == o.SHA256 {
		return o.adjust(m, was.inode, was.with(o.Mode, o.Owner))
	}
	from := engine.MachinesOf(ctx)[o.From]
	if from == nil {
		if o.From != "" && o.From != m.ID() {
			return engine.NoMachine(o.From)
		}
		from = m
	}
	if was.Exists {
		if err := o.keepOld(ctx, m, was); err != nil {
			return err
		}
	}
	return o.replace(ctx, m, from, o.Source, o.SHA256, o.inodeFor(was))
}

func (o *Copy) inodeFor(was copyState) inode {
	if !was.Exists && o.Owner == machine.Keep {
		return inode{Mode: o.Mode, UID: -1, GID: -1}
	}
	return was.with(o.Mode, o.Owner)
}

func (o *Copy) adjust(m machine.Machine, now, want inode) error {
	if now.owner() != want.owner() {
		if err := m.Chown(o.Path, want.owner()); err != nil {
			return err
		}
		now.Mode = ^want.Mode // chown(2) clears setuid, so the mode is set in any case
	}
	if now.Mode != want.Mode {
		return m.Chmod(o.Path, fs.FileMode(want.Mode))
	}
	return nil
}

// keepOld keeps what is there, unless it is kept already.
func (o *Copy) keepOld(ctx context.Context, m machine.Machine, was copyState) error {
	keep := o.keep(was.SHA256)
	if sum, err := fileDigest(ctx, m, path.Join(keep, theFile)); err == nil && sum == was.SHA256 {
		return nil
	}
	if err := makeKept(m); err != nil {
		return err
	}
	if err := m.RemoveAll(keep); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return staged(m, keep, func(s machine.Stage) error {
		sum, err := put(ctx, m, o.Path, s, theFile, 0o600)
		if err == nil && sum != was.SHA256 {
			err = lang.Because(nil, "it changed while it was read", "读取期间内容发生变化")
		}
		return err
	})
}

// replace puts a file of another machine, or what was kept, under the op's path.
func (o *Copy) replace(ctx context.Context, m, from machine.Machine, source, sum string, as inode) error {
	if err := o.clean(m); err != nil {
		return err
	}
	err := staged(m, o.beside(), func(s machine.Stage) error {
		got, err := put(ctx, from, source, s, theFile, fs.FileMode(as.Mode)&fs.ModePerm)
		if err == nil && got != sum {
			err = refused(lang.Errorf(nil, "%s is not what was planned: SHA-256 %s, not %s", "%s 与计划时不同：SHA-256 为 %s，应为 %s", Visible(source), short(got), short(sum)).
				WithHint("it was changed since; look at a new plan", "该文件之后被修改过；请重新查看计划"))
		}
		return err
	})
	if err != nil {
		return err
	}
	file := path.Join(o.beside(), theFile)
	if as.owner() != machine.Keep {
		if err := m.Chown(file, as.owner()); err != nil {
			return err
		}
	}
	if err := m.Chmod(file, fs.FileMode(as.Mode)); err != nil { // setuid only once it is its owner's
		return err
	}
	return m.Rename(file, o.Path)
}

// staged fills a directory and gives it its name.
func staged(m machine.Machine, dir string, fill func(machine.Stage) error) error {
	s, err := m.Stage(dir)
	if err != nil {
		return err
	}
	if err = fill(s); err == nil {
		err = s.Commit()
	}
	if err != nil {
		return errors.Join(err, s.Discard())
	}
	return nil
}

// clean removes what is left beside: nothing but the directory after a whole copy.
func (o *Copy) clean(m machine.Machine) error {
	if err := m.Clean(o.beside()); err != nil {
		return err
	}
	for _, name := range []string{path.Join(o.beside(), theFile), o.beside()} {
		if err := m.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Undo puts what was kept back, or removes the file.
func (o *Copy) Undo(ctx context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[copyState](o, before)
	if err != nil {
		return err
	}
	ours, seen, err := decode[copyState](o, after)
	if err != nil {
		return err
	}
	if err = o.restore(ctx, m, was, ours, seen); err == nil {
		err = o.clean(m)
	}
	if err != nil && !errors.Is(err, engine.ErrNotOurs) {
		return cannot(err, "cannot put %s back", "无法还原 %s", o.Target())
	}
	if o.Restart != "" && booted(m) && was.Stops { // what stopped it is undone, even if the file is another's by now
		if failed := systemctl(ctx, m, nil, "restart", o.Restart); failed != nil {
			return failed
		}
	}
	return err
}

func (o *Copy) restore(ctx context.Context, m machine.Machine, was, ours copyState, seen bool) error {
	now, err := o.look(ctx, m)
	if err != nil {
		return err
	}
	was.Stops, ours.Stops = false, false // of the unit, not of the file
	was.Left, now.Left = false, false
	if now == was {
		return nil
	}
	if !seen {
		ours = copyState{Exists: true, SHA256: o.SHA256, inode: now.with(o.Mode, o.Owner)}
	}
	old := was.Exists && now.SHA256 == was.SHA256
	switch {
	case !now.Exists && (seen || was.Exists):
		return notOurs("somebody removed it since", "之后被他人删除")
	case now.SHA256 != ours.SHA256 && !old:
		return notOurs("its content was changed since", "其内容之后被修改过")
	case now.inode != ours.inode && !(was.Exists && (now.Mode == was.Mode || now.Mode == ours.Mode) && (now.owner() == was.owner() || now.owner() == ours.owner())):
		return notOurs("its mode or owner was changed since", "其权限或属主之后被修改过")
	case !was.Exists:
		return m.Remove(o.Path)
	case old:
		return o.adjust(m, now.inode, was.inode)
	}
	kept := path.Join(o.keep(was.SHA256), theFile)
	if _, err := m.Lstat(kept); err != nil {
		return lang.Errorf(err, "what was there before is not kept any more", "原来的文件已不再保存").
			WithHint("put it back by hand, from a backup or from its package", "请从备份或软件包中手工恢复")
	}
	return o.replace(ctx, m, m, kept, was.SHA256, was.inode)
}

// Forget destroys what stood there, unless another copy to the same path replaced the
// same content.
func (o *Copy) Forget(_ context.Context, m machine.Machine, before engine.State, needed []engine.State) error {
	was, _, err := decode[copyState](o, before)
	if err != nil || !was.Exists {
		return err
	}
	for _, n := range needed {
		if its, _, err := decode[copyState](o, n); err != nil || its.Exists && its.SHA256 == was.SHA256 {
			return err
		}
	}
	return dropKept(m, o.keep(was.SHA256))
}
