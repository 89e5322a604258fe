package op

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Sysfs is a setting of the running kernel below /sys: one value, or one of the
// values its file lists with the chosen one in brackets (always [madvise] never).
// What sets it at boot is a File.
type Sysfs struct {
	Path   string    `json:"path"`
	Value  string    `json:"value"` // one word
	Reason lang.Text `json:"reason"`
}

type sysfsState struct {
	Running bool     `json:"running"` // false: a tree
	Present bool     `json:"present"` // the kernel has this setting
	Value   string   `json:"value,omitempty"`
	Offered []string `json:"offered,omitempty"` // what it may be, where the kernel lists it
}

// Kind is "sysfs".
func (o *Sysfs) Kind() string { return "sysfs" }

// Target is the path.
func (o *Sysfs) Target() string { return Visible(o.Path) }

// Why is the step's reason.
func (o *Sysfs) Why() lang.Text { return o.Reason }

// ByHand is echo.
func (o *Sysfs) ByHand() []string { return []string{"echo " + Quote(o.Value) + " > " + Quote(o.Path)} }

// Observe reads the value in force.
func (o *Sysfs) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(m)
	if err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, nil), nil
}

func (o *Sysfs) look(m machine.Machine) (s sysfsState, err error) {
	if path.Clean(o.Path) != o.Path || !strings.HasPrefix(o.Path, "/sys/") || len(strings.Fields(o.Value)) != 1 || strings.ContainsAny(o.Value, "[] \n") {
		return s, lang.Errorf(nil, "cannot use kernel setting %s=%s: it is no single word for a file below /sys", "无法使用内核设置 %s=%s：应为 /sys 下的文件加一个单词", o.Target(), Visible(o.Value)).
			WithHint("this plan was not made by goxin; make it anew", "该计划并非由 goxin 生成，请重新生成")
	}
	if !running(m) {
		return s, nil
	}
	s.Running = true
	data, err := m.ReadFile(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, cannot(err, "cannot read kernel setting %s", "无法读取内核设置 %s", o.Target())
	}
	s.Present = true
	s.Value, s.Offered = Chosen(string(data))
	return s, nil
}

// Chosen reads a file below /sys: the value in force, and what may be chosen where
// the file lists it.
func Chosen(text string) (value string, offered []string) {
	words := strings.Fields(text)
	for _, w := range words {
		if inner, ok := strings.CutPrefix(w, "["); ok && strings.HasSuffix(inner, "]") {
			value = strings.TrimSuffix(inner, "]")
		}
		offered = append(offered, strings.Trim(w, "[]"))
	}
	if value == "" {
		return strings.Join(words, " "), nil
	}
	return value, offered
}

// offers says whether the kernel takes the value, as far as it tells.
func (s sysfsState) offers(v string) bool {
	return len(s.Offered) == 0 || slices.Contains(s.Offered, v)
}

// Diff is one row of the running kernel's table.
func (o *Sysfs) Diff(s engine.State) engine.Diff {
	was, _, err := decode[sysfsState](o, s)
	row := engine.Row{Action: engine.None, Name: o.Target(), Now: Visible(was.Value), Then: Visible(was.Value)}
	switch {
	case err != nil:
		row.Action, row.Note = engine.Update, lang.F("%s", "%s", err)
	case !was.Running:
		row.Then, row.Note = Visible(o.Value), atNextBoot()
	case !was.Present:
		row.Note = lang.T("not on this kernel", "此内核没有该设置")
	case was.Value == o.Value:
	case !was.offers(o.Value):
		row.Action, row.Then, row.Note = engine.Update, Visible(o.Value), o.notOffered(was)
	default:
		row.Action, row.Then = engine.Update, Visible(o.Value)
	}
	return engine.Diff{Action: row.Action, Note: row.Note, Table: runningKernel(), Rows: []engine.Row{row}}
}

func (o *Sysfs) notOffered(s sysfsState) lang.Text {
	return lang.F("this kernel offers only %s", "此内核只提供 %s", Visible(strings.Join(s.Offered, ", ")))
}

// Drift sees, beyond Diff, that the value goes on being what was accepted.
func (o *Sysfs) Drift(after, now engine.State) engine.Diff {
	left, _, err := decode[sysfsState](o, after)
	is, _, err2 := decode[sysfsState](o, now)
	d := o.Diff(now)
	if errors.Join(err, err2) != nil {
		return d
	}
	changed := is.Running && (is.Present != left.Present || is.Value != left.Value && is.Value != o.Value)
	d.Action = engine.None
	if changed {
		d.Action = engine.Update
	}
	d.Rows[0].Action = d.Action
	return d
}

// Do writes the value and reads it back.
func (o *Sysfs) Do(_ context.Context, m machine.Machine, _ func(lang.Text)) (engine.Outcome, error) {
	was, err := o.look(m)
	switch {
	case err != nil:
		return engine.Outcome{}, err
	case !was.Running, was.Value == o.Value && was.Present:
		return engine.OK, nil
	case !was.Present:
		return engine.Outcome{Kind: engine.Refused, By: lang.T("not on this kernel", "此内核没有该设置")}, nil
	case !was.offers(o.Value):
		return engine.Outcome{Kind: engine.Refused, By: o.notOffered(was), Got: Visible(was.Value)}, nil
	}
	err = m.WriteKernel(o.Path, []byte(o.Value+"\n"))
	if by, ok := sysfsRefusal(m, err); ok {
		return engine.Outcome{Kind: engine.Refused, By: by, Got: Visible(was.Value)}, nil
	}
	if err != nil {
		return engine.Outcome{}, o.failure(err, o.Value)
	}
	now, err := o.look(m)
	if err != nil {
		return engine.Outcome{}, err
	}
	if now.Value != o.Value {
		return engine.Outcome{Kind: engine.Clamped, Got: Visible(now.Value), By: lang.F(
			"the kernel took %s and made it %s", "内核接受了 %s，但实际取值为 %s", Visible(o.Value), Visible(now.Value))}, nil
	}
	return engine.OK, nil
}

// sysfsRefusal explains an error that means: nobody may, here.
func sysfsRefusal(m machine.Machine, err error) (lang.Text, bool) {
	switch {
	case errors.Is(err, syscall.EROFS):
		return lang.T("/sys is read-only here, as in most containers: set it on the host",
			"/sys 在此处只读（容器中通常如此）：请在宿主机上设置"), true
	case !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EACCES):
		return lang.Text{}, false
	}
	if k, err := m.Kernel(); err == nil && k.UID != 0 {
		return lang.T("goxin does not run as root", "goxin 未以 root 身份运行"), true
	}
	return lang.T("the kernel denies it: a capability is missing, as in containers, or a security module forbids it",
		"内核拒绝写入：缺少相应的 capability（容器中常见），或被安全模块禁止"), true
}

func (o *Sysfs) failure(err error, value string) error {
	e := cannot(err, "cannot set %s to %s", "无法将 %s 设为 %s", o.Target(), Visible(value))
	if errors.Is(err, syscall.EINVAL) {
		return e.WithHint("this kernel does not take that value; choose another in the answers", "此内核不接受该值；请在应答中换一个值")
	}
	return e
}

// Undo puts the value in force back. Who sets it at boot is a file's concern.
func (o *Sysfs) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[sysfsState](o, before)
	if err != nil || !was.Present {
		return err
	}
	ours, seen, err := decode[sysfsState](o, after)
	if err != nil {
		return err
	}
	now, err := o.look(m)
	if err != nil {
		return err
	}
	if !seen {
		ours = sysfsState{Present: true, Value: o.Value}
	}
	switch {
	case !now.Running, now.Present && now.Value == was.Value:
		return nil
	case !now.Present:
		return notOurs("this kernel has it no longer", "此内核已没有该设置")
	case now.Value != ours.Value:
		return notOurs("somebody set it to %s since", "之后被他人设为 %s", Visible(now.Value))
	}
	if err := m.WriteKernel(o.Path, []byte(was.Value+"\n")); err != nil {
		return o.failure(err, was.Value)
	}
	return nil
}
