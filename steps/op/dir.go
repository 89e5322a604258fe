package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Dir is a directory, one level. One that is there stays as it is, whatever its
// mode: it is somebody's.
type Dir struct {
	Path   string        `json:"path"`
	Mode   Mode          `json:"mode"`
	Owner  machine.Owner `json:"owner"`
	User   string        `json:"user,omitempty"` // whose it is instead of Owner's, with the user's group, known once the account is there
	Reason lang.Text     `json:"reason"`
}

type dirState struct {
	Exists bool `json:"exists"`
	inode
}

// Kind is "dir".
func (o *Dir) Kind() string { return "dir" }

// Target is the path.
func (o *Dir) Target() string { return Visible(o.Path) }

// Why is the step's reason.
func (o *Dir) Why() lang.Text { return o.Reason }

// ByHand is install -d.
func (o *Dir) ByHand() []string {
	s := "install -d -m " + o.Mode.String()
	if o.User != "" {
		s += " -o " + Quote(o.User) + " -g \"$(id -gn " + Quote(o.User) + ")\""
	} else if o.Owner.UID >= 0 && o.Owner.GID >= 0 {
		s += fmt.Sprintf(" -o %d -g %d", o.Owner.UID, o.Owner.GID)
	}
	return []string{s + " " + Quote(o.Path)}
}

// Observe looks whether the directory is there.
func (o *Dir) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(m)
	if err != nil {
		return engine.State{}, cannotRead(err, o.Path)
	}
	return engine.NewState(s, nil), nil
}

func (o *Dir) look(m machine.Machine) (dirState, error) {
	info, err := m.Stat(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := m.Lstat(o.Path); err == nil {
			return dirState{}, lang.Errorf(nil, "it is a link that leads nowhere", "它是一个悬空链接").
				WithHint("remove the link, or make the directory it leads to", "请删除该链接，或创建它所指向的目录")
		}
		return dirState{}, nil
	}
	if err != nil {
		return dirState{}, err
	}
	if !info.Mode.IsDir() {
		return dirState{}, lang.Errorf(nil, "it is not a directory", "它不是目录").
			WithHint("move it away: a directory is needed here", "请先移走它：这里需要一个目录")
	}
	return dirState{true, inodeOf(info)}, nil
}

// Diff is a creation, or nothing.
func (o *Dir) Diff(s engine.State) engine.Diff {
	if was, _, err := decode[dirState](o, s); err == nil && was.Exists {
		return engine.Diff{Action: engine.None}
	}
	who := ownerName(max(o.Owner.UID, 0), max(o.Owner.GID, 0))
	if o.User != "" {
		who = Visible(o.User)
	}
	return engine.Diff{Action: engine.Create, Note: lang.F("new directory, %s %s", "新建目录，%s %s", o.Mode, who)}
}

// owner is whose the directory shall be.
func (o *Dir) owner(m machine.Machine) (machine.Owner, error) {
	if o.User == "" {
		return o.Owner, nil
	}
	a, err := (&Account{Name: o.User}).look(m)
	if err == nil && a.User == nil {
		err = lang.Errorf(nil, "there is no user %s in %s", "%[2]s 中没有用户 %[1]s", Visible(o.User), passwdFile).
			WithHint("make the account first", "请先创建该账户")
	}
	if err != nil {
		return o.Owner, err
	}
	return machine.Owner{UID: a.User.UID, GID: a.User.GID}, nil
}

// Do makes the directory beside its name and renames it: one that stands under
// its name has its mode and owner, so that a later Do need not guess whose it is.
func (o *Dir) Do(_ context.Context, m machine.Machine, _ func(lang.Text)) (engine.Outcome, error) {
	was, err := o.look(m)
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err == nil && !was.Exists {
		temp := path.Join(path.Dir(o.Path), "."+path.Base(o.Path)+".goxin-new") // where Clean looks
		var owner machine.Owner
		if owner, err = o.owner(m); err == nil {
			err = m.Mkdir(temp, fs.FileMode(o.Mode), owner)
		}
		if err == nil {
			err = m.Rename(temp, o.Path)
		}
	}
	if err != nil {
		return engine.Outcome{}, cannot(err, "cannot make directory %s", "无法创建目录 %s", o.Target())
	}
	return engine.OK, nil
}

// Undo removes the directory if it was made here and nobody put anything in it.
func (o *Dir) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[dirState](o, before)
	if err != nil {
		return err
	}
	ours, seen, err := decode[dirState](o, after)
	if err != nil {
		return err
	}
	if !was.Exists {
		err = o.remove(m, ours, seen)
	}
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil && !errors.Is(err, engine.ErrNotOurs) {
		return cannot(err, "cannot remove directory %s", "无法删除目录 %s", o.Target())
	}
	return err
}

func (o *Dir) remove(m machine.Machine, ours dirState, seen bool) error {
	now, err := o.look(m)
	if err != nil || !now.Exists {
		return err
	}
	if !seen {
		owner, err := o.owner(m)
		if err != nil {
			return err
		}
		ours = dirState{true, now.with(o.Mode, owner)}
	}
	if now != ours {
		return notOurs("its mode or owner was changed since", "其权限或属主之后被修改过")
	}
	if info, err := m.Lstat(o.Path); err != nil || !info.Mode.IsDir() {
		return notOurs("it was replaced by a link since", "之后被换成了链接")
	}
	names, err := m.ReadDir(o.Path)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return notOurs("it is not empty: %s is in it", "目录非空：其中有 %s", Visible(names[0]))
	}
	return m.Remove(o.Path)
}
