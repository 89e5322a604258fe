package op

import (
	"context"
	"errors"
	"io/fs"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Link is a symbolic link. It is switched at once: who looks finds the old target
// or the new one. Whatever else stands in its place is somebody's, and an error.
type Link struct {
	Path   string    `json:"path"`
	To     string    `json:"to"` // as the link says it; need not be there. Empty: there is to be no link
	Reason lang.Text `json:"reason"`
}

type linkState struct {
	To machine.Bytes `json:"to,omitempty"` // empty: there is none
}

// Kind is "link".
func (o *Link) Kind() string { return "link" }

// Target is the path.
func (o *Link) Target() string { return Visible(o.Path) }

// Why is the step's reason.
func (o *Link) Why() lang.Text { return o.Reason }

// ByHand is ln and mv: ln -f alone would leave a moment without the link.
func (o *Link) ByHand() []string {
	if o.To == "" {
		return []string{"rm -f " + Quote(o.Path)}
	}
	temp := o.Path + ".new"
	return []string{"ln -s " + Quote(o.To) + " " + Quote(temp) + " && mv -T " + Quote(temp) + " " + Quote(o.Path)}
}

// Observe reads the link.
func (o *Link) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(m)
	if err != nil {
		return engine.State{}, cannotRead(err, o.Path)
	}
	return engine.NewState(s, nil), nil
}

func (o *Link) look(m machine.Machine) (linkState, error) {
	info, err := m.Lstat(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return linkState{}, nil
	}
	if err != nil {
		return linkState{}, err
	}
	if info.Mode&fs.ModeSymlink == 0 {
		return linkState{}, lang.Errorf(nil, "it is not a symbolic link", "它不是符号链接").
			WithHint("move it away, if nobody needs it: goxin keeps a link there", "若无人需要，请先移走它：goxin 在此放置链接")
	}
	to, err := m.Readlink(o.Path)
	return linkState{machine.Bytes(to)}, err
}

// Diff is a creation, another target, a removal, or nothing.
func (o *Link) Diff(s engine.State) engine.Diff {
	was, _, err := decode[linkState](o, s)
	switch {
	case err == nil && string(was.To) == o.To:
		return engine.Diff{Action: engine.None}
	case o.To == "":
		return engine.Diff{Action: engine.Delete, Note: lang.F("was → %s", "原为 → %s", Visible(string(was.To)))}
	case was.To == "":
		return engine.Diff{Action: engine.Create, Note: lang.Same("→ " + Visible(o.To))}
	}
	return engine.Diff{Action: engine.Update, Note: lang.F("→ %s, was %s", "→ %s，原为 %s", Visible(o.To), Visible(string(was.To)))}
}

// Do makes the link, has it lead elsewhere, or removes it.
func (o *Link) Do(_ context.Context, m machine.Machine, _ func(lang.Text)) (engine.Outcome, error) {
	was, err := o.look(m)
	if err == nil && string(was.To) != o.To {
		err = o.lead(m, o.To)
	}
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil {
		return engine.Outcome{}, cannot(err, "cannot switch the link %s", "无法切换链接 %s", o.Target())
	}
	return engine.OK, nil
}

func (o *Link) lead(m machine.Machine, to string) error {
	if to == "" {
		return m.Remove(o.Path)
	}
	return m.Symlink(to, o.Path)
}

// Undo has the link lead where it did, or removes it.
func (o *Link) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[linkState](o, before)
	if err != nil {
		return err
	}
	ours, seen, err := decode[linkState](o, after)
	if err != nil {
		return err
	}
	if !seen {
		ours.To = machine.Bytes(o.To)
	}
	if info, err := m.Lstat(o.Path); err == nil && info.Mode&fs.ModeSymlink == 0 {
		return notOurs("something that is no link was put in its place since", "之后其位置被换成了非链接的内容")
	}
	now, err := o.look(m)
	switch {
	case err != nil || now == was:
	case now != ours && now.To == "":
		return notOurs("somebody removed it since", "之后被他人删除")
	case now != ours && ours.To == "":
		return notOurs("somebody made it again since", "之后被他人重新创建")
	case now != ours:
		return notOurs("somebody has it lead to %s since", "之后被他人改为指向 %s", Visible(string(now.To)))
	default:
		err = o.lead(m, string(was.To))
	}
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil {
		return cannot(err, "cannot put the link %s back", "无法还原链接 %s", o.Target())
	}
	return nil
}
