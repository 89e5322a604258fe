package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// File is a file with its content, mode and owner. A link in its place is
// followed and stays, but not to a file of another directory that has something
// else in it: whose that is, and who reads it, nobody here knows. Anything else
// that is no regular file is an error.
type File struct {
	Path    string        `json:"path"`
	Content string        `json:"content"`
	Mode    Mode          `json:"mode"`
	Owner   machine.Owner `json:"owner"` // machine.Keep: whoever has it, or runs goxin
	// Reload says that the service manager reads this file. On the way in, the
	// op that needs what it says makes the manager read it (Limit, Unit). On the
	// way back that op is undone first, while the file still stands, so there it
	// is the file, once it is put back, that has the manager read again.
	Reload bool `json:"reload,omitempty"`
	// Restart is a unit that reads this file when it starts. It is stopped before
	// the content changes, and a Unit with Active "yes" after the last of its files
	// starts it: so it never runs with half of them, and one that has not read what
	// is there is seen, since it is down. On the way back the file, once it is put
	// back, starts it again.
	Restart string    `json:"restart,omitempty"`
	Reason  lang.Text `json:"reason"`
}

type fileState struct {
	Exists bool          `json:"exists"`
	Link   machine.Bytes `json:"link,omitempty"` // what the link says, if the path is one
	Real   machine.Bytes `json:"real,omitempty"` // the file it leads to in the end
	inode
	Stops bool `json:"stops,omitempty"` // the content is not as wanted, and Restart runs
}

// Kind is "file".
func (o *File) Kind() string { return "file" }

// Target is the path.
func (o *File) Target() string { return Visible(o.Path) }

// Why is the step's reason.
func (o *File) Why() lang.Text { return o.Reason }

// Observe reads the file; the content is the state's Blob.
func (o *File) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, content, err := o.look(m)
	if err != nil {
		return engine.State{}, cannotRead(err, o.Path)
	}
	if err := o.strays(m, s, content); err != nil {
		return engine.State{}, err
	}
	if s.Stops, err = o.stops(ctx, m, s, content); err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, content), nil
}

// strays is the error of a link that would have us overwrite a file elsewhere.
func (o *File) strays(m machine.Machine, s fileState, content []byte) error {
	if s.Link == "" || !s.Exists || string(content) == o.Content || path.Dir(string(s.Real)) == realpath(m, path.Dir(o.Path)) {
		return nil
	}
	return lang.Errorf(nil, "cannot write %s: it is a link to %s, which is a file of its own", "无法写入 %s：它是指向 %s 的链接，而后者是另一个独立的文件", o.Target(), Visible(string(s.Real))).
		WithHint("remove the link: rm %s", "请删除该链接：rm %s", Quote(o.Path))
}

func (o *File) look(m machine.Machine) (s fileState, content []byte, err error) {
	info, err := m.Lstat(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil, nil
	}
	if err == nil && info.Mode&fs.ModeSymlink != 0 {
		var to string
		if to, err = m.Readlink(o.Path); err == nil {
			s.Link, s.Real = machine.Bytes(to), machine.Bytes(realpath(m, o.Path))
			info, err = m.Stat(o.Path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return s, nil, nil // it leads nowhere yet
		}
	}
	if err != nil {
		return s, nil, err
	}
	switch {
	case info.Mode.IsDir():
		return s, nil, notRegular(info.Mode)
	case !info.Mode.IsRegular():
		return s, nil, lang.Errorf(nil, "it is not a regular file", "它不是普通文件").
			WithHint("a link to /dev/null masks the file on purpose; remove it if that is no longer wanted",
				"指向 /dev/null 的链接表示有意屏蔽该文件；若不再需要屏蔽，请删除该链接")
	}
	s.Exists, s.inode = true, inodeOf(info)
	content, err = m.ReadFile(o.Path)
	return s, content, err
}

// Diff compares content, mode and owner.
func (o *File) Diff(s engine.State) engine.Diff {
	was, _, err := decode[fileState](o, s)
	if err != nil {
		return engine.Diff{Action: engine.Update, Note: lang.F("%s", "%s", err)}
	}
	same := was.Exists && string(s.Blob) == o.Content
	want := was.with(o.Mode, o.Owner)
	d := engine.Diff{Action: engine.None}
	if !same && readable(s.Blob) && readable([]byte(o.Content)) {
		d.Hunks = hunks(string(s.Blob), o.Content)
	}
	var en, zh []string
	say := func(e, z string, args ...any) {
		t := lang.F(e, z, args...)
		en, zh = append(en, t.EN), append(zh, t.ZH)
	}
	switch {
	case !was.Exists:
		d.Action = engine.Create
		say("new, %s %s, %d B", "新建，%s %s，%d B", o.Mode, ownerName(max(o.Owner.UID, 0), max(o.Owner.GID, 0)), len(o.Content))
	case !same || was.inode != want:
		d.Action = engine.Update
		if was.Mode != want.Mode {
			say("mode %s → %s", "权限 %s → %s", was.Mode, want.Mode)
		}
		if was.owner() != want.owner() {
			say("owner %s → %s", "属主 %s → %s", ownerName(was.UID, was.GID), ownerName(want.UID, want.GID))
		}
		if !same && d.Hunks == nil {
			say("%d B → %d B, not shown", "%d B → %d B，内容不展示", len(s.Blob), len(o.Content))
		}
	default:
		return d
	}
	if was.Link != "" {
		say("through a link: %s", "经由链接：%s", Visible(string(was.Real)))
	}
	if was.Stops {
		say("restarts %s", "会重启 %s", o.Restart)
	}
	d.Note = lang.T(strings.Join(en, ", "), strings.Join(zh, "，"))
	return d
}

// Do writes the file where its content differs, and else only what differs of
// its mode and owner.
func (o *File) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	was, content, err := o.look(m)
	if err == nil {
		if err := o.strays(m, was, content); err != nil {
			return engine.Outcome{}, err
		}
		if stops, err := o.stops(ctx, m, was, content); err != nil {
			return engine.Outcome{}, err
		} else if stops {
			if err := systemctl(ctx, m, say, "stop", o.Restart); err != nil {
				return engine.Outcome{}, err
			}
		}
		err = o.put(m, was, content)
	}
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil {
		return engine.Outcome{}, cannot(err, "cannot write %s", "无法写入 %s", o.Target())
	}
	return engine.OK, nil
}

func (o *File) put(m machine.Machine, was fileState, content []byte) error {
	if !was.Exists || string(content) != o.Content {
		return m.WriteFile(o.Path, []byte(o.Content), fs.FileMode(o.Mode), o.Owner)
	}
	want := was.with(o.Mode, o.Owner)
	if was.owner() != want.owner() {
		if err := m.Chown(o.Path, want.owner()); err != nil {
			return err
		}
		was.Mode = ^want.Mode // chown(2) clears setuid, so the mode is set in any case
	}
	if was.Mode != want.Mode {
		return m.Chmod(o.Path, fs.FileMode(want.Mode))
	}
	return nil
}

// Undo puts content, mode and owner back, or removes the file.
func (o *File) Undo(ctx context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[fileState](o, before)
	if err != nil {
		return err
	}
	ours, seen, err := decode[fileState](o, after)
	if err != nil {
		return err
	}
	if err = o.restore(m, was, before, ours, after, seen); err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil && !errors.Is(err, engine.ErrNotOurs) {
		return cannot(err, "cannot put %s back", "无法还原 %s", o.Target())
	}
	if err == nil && o.Reload {
		err = reload(ctx, m, nil)
	}
	if o.Restart != "" && booted(m) {
		// What stopped it is undone, even if the file is another's by now. A unit whose own
		// file went with this is neither there nor up.
		up := was.Stops
		if !up {
			u, failed := (&Unit{Name: o.Restart}).look(ctx, m)
			if failed != nil {
				return failed
			}
			up = u.Up
		}
		if up {
			if failed := systemctl(ctx, m, nil, "restart", o.Restart); failed != nil {
				return failed
			}
		}
	}
	return err
}

// stops says whether Do stops the unit that reads the file.
func (o *File) stops(ctx context.Context, m machine.Machine, s fileState, content []byte) (bool, error) {
	if o.Restart == "" || s.Exists && string(content) == o.Content {
		return false, nil
	}
	u, err := (&Unit{Name: o.Restart}).look(ctx, m)
	return u.Up, err
}

// Touches is the unit that is stopped, whose op then has to start it; else the path.
func (o *File) Touches() string {
	if o.Restart != "" {
		return o.Restart
	}
	return o.Target()
}

func (o *File) restore(m machine.Machine, was fileState, before engine.State, ours fileState, after engine.State, seen bool) error {
	now, content, err := o.look(m)
	if err != nil {
		return err
	}
	if !seen {
		ours = fileState{Exists: true, Link: was.Link, Real: was.Real, inode: now.with(o.Mode, o.Owner)}
		after = engine.NewState(ours, []byte(o.Content))
	}
	was.Stops, ours.Stops = false, false // of the unit, not of the file
	if now == was && holds(before, content) {
		return nil
	}
	// Each part has to be as it was left or as it was before.
	text := holds(after, content) || was.Exists && holds(before, content)
	mode := now.Mode == ours.Mode || was.Exists && now.Mode == was.Mode
	owner := now.owner() == ours.owner() || was.Exists && now.owner() == was.owner()
	switch {
	case now.Exists != ours.Exists && (seen || now.Exists != was.Exists):
		if now.Exists {
			return notOurs("somebody made it since", "之后被他人新建")
		}
		return notOurs("somebody removed it since", "之后被他人删除")
	case now.Link != ours.Link && now.Link != was.Link:
		return notOurs("it was replaced by a link, or by another link, since", "之后被换成了链接或另一个链接")
	case now.Exists && !text:
		return notOurs("its content was changed since", "其内容之后被修改过")
	case now.Exists && (!mode || !owner):
		return notOurs("its mode or owner was changed since", "其权限或属主之后被修改过")
	}
	if was.Exists {
		if !holds(before, before.Blob) {
			return lang.Errorf(nil, "its old content is not in the journal", "日志中没有它原来的内容").
				WithHint("put it back by hand, from a backup or from its package", "请从备份或软件包中手工恢复")
		}
		return m.WriteFile(o.Path, before.Blob, fs.FileMode(was.Mode), was.owner())
	}
	if !now.Exists {
		return nil
	}
	return m.Remove(realpath(m, o.Path))
}

// holds says whether content is what s saw, going by its digest.
func holds(s engine.State, content []byte) bool {
	return engine.NewState(nil, content).Ref == s.Ref
}

// ByHand is install(1) fed from a here-document.
func (o *File) ByHand() []string {
	install := "install -m " + o.Mode.String()
	if o.Owner.UID >= 0 && o.Owner.GID >= 0 {
		install += fmt.Sprintf(" -o %d -g %d", o.Owner.UID, o.Owner.GID)
	}
	install += " /dev/stdin " + Quote(o.Path)
	var out []string
	content := engine.MaskFile(o.Content)
	if content != o.Content {
		out = append(out, "# "+engine.Mask+" stands for what is a secret: put it there")
	}
	switch {
	case !readable([]byte(o.Content)):
		return []string{fmt.Sprintf("# %d bytes that are not text: %s", len(o.Content), install)}
	case !plainText(content):
		out = append(out, "printf %b "+octal(content)+" | "+install)
	case content == "":
		out = append(out, install+" </dev/null")
	case !strings.HasSuffix(content, "\n"):
		out = append(out, "printf %s "+Quote(content)+" | "+install)
	default:
		end := "EOF"
		for strings.Contains("\n"+content, "\n"+end+"\n") {
			end += "F"
		}
		out = append(out, install+" <<'"+end+"'\n"+content+end)
	}
	if o.Reload {
		out = append(out, "systemctl daemon-reload")
	}
	if o.Restart != "" {
		out = append(out, "systemctl try-restart "+Quote(o.Restart))
	}
	return out
}

// MarshalJSON keeps content that is not UTF-8 as base64.
func (o *File) MarshalJSON() ([]byte, error) {
	type plain File
	w := struct {
		*plain
		Content string `json:"content,omitempty"`
		Base64  []byte `json:"content_base64,omitempty"`
	}{plain: (*plain)(o)}
	if utf8.ValidString(o.Content) {
		w.Content = o.Content
	} else {
		w.Base64 = []byte(o.Content)
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads it back.
func (o *File) UnmarshalJSON(b []byte) error {
	type plain File
	w := struct {
		*plain
		Base64 []byte `json:"content_base64"`
	}{plain: (*plain)(o)}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if len(w.Base64) > 0 {
		o.Content = string(w.Base64)
	}
	return nil
}
