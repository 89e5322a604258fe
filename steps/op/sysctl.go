package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/detect/sysctl"
	"goxin/steps/engine"
)

// Sysctl is a parameter of the running kernel. What sets it at boot is a File;
// this op only looks who will.
type Sysctl struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	AtLeast bool   `json:"at_least,omitempty"` // raise only: fields that are higher stay
	// Unwritten says that no file of the plan sets the key: when the machine
	// boots it is what the machine makes it, or what a file says that is there.
	Unwritten bool      `json:"unwritten,omitempty"`
	Reason    lang.Text `json:"reason"`
}

type sysctlState struct {
	Running bool   `json:"running"` // false: a tree
	Present bool   `json:"present"` // the kernel has this key
	Value   string `json:"value,omitempty"`
	// Boot is who sets the key at boot, by reader. Lines have no number here:
	// a comment added above one changes nothing.
	Boot map[sysctl.Reader]bootValue `json:"boot,omitempty"`
	// Unread are the files that could not be read: any of them may win.
	Unread []string `json:"unread,omitempty"`
}

type bootValue struct {
	File  string `json:"file"`
	Value string `json:"value"`
}

// Kind is "sysctl".
func (o *Sysctl) Kind() string { return "sysctl" }

// Target is the key in its dotted form.
func (o *Sysctl) Target() string { return Visible(sysctl.Canonical(o.Key)) }

// Why is the step's reason.
func (o *Sysctl) Why() lang.Text { return o.Reason }

// ByHand is sysctl -w.
func (o *Sysctl) ByHand() []string {
	return []string{"sysctl -w " + Quote(o.Target()+"="+o.Value)}
}

// Observe reads the value in force, and who sets it at boot.
func (o *Sysctl) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(m)
	if err != nil {
		return engine.State{}, err
	}
	config, err := sysctl.Read(m)
	if err != nil {
		return engine.State{}, o.unknown(err)
	}
	s.Unread = unread(config)
	for _, r := range sysctl.Readers() {
		if a, ok := config.Winner(r, o.Key); ok {
			if s.Boot == nil {
				s.Boot = make(map[sysctl.Reader]bootValue, 2)
			}
			s.Boot[r] = bootValue{a.File, a.Value}
		}
	}
	return engine.NewState(s, nil), nil
}

func (o *Sysctl) unknown(err error) error {
	return cannot(err, "cannot tell who sets %s at boot", "无法判断启动时由谁设置 %s", o.Target())
}

func unread(c *sysctl.Config) []string {
	var names []string
	for _, u := range c.Unreadable {
		names = append(names, u.Name)
	}
	return names
}

// unsure says which files nobody could read.
func unsure(files []string) lang.Text {
	all := Visible(strings.Join(files, ", "))
	return lang.F("what holds at boot is not known: cannot read %s", "启动后的取值未知：无法读取 %s", all)
}

func (o *Sysctl) look(m machine.Machine) (s sysctlState, err error) {
	if err := sysctl.Check(o.Key); err != nil {
		return s, lang.Errorf(err, "cannot use kernel parameter %s", "无法使用内核参数 %s", Visible(o.Key)).
			WithHint("write it as sysctl shows it: net.core.somaxconn", "请按 sysctl 显示的写法填写，例如 net.core.somaxconn")
	}
	if !running(m) {
		return s, nil
	}
	s.Running = true
	data, err := m.ReadFile(sysctl.Path(o.Key))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, cannot(err, "cannot read kernel parameter %s", "无法读取内核参数 %s", o.Target())
	}
	s.Present, s.Value = true, strings.TrimSpace(string(data))
	return s, nil
}

// want is the value that is right where now is in force.
func (o *Sysctl) want(now string) string {
	if o.AtLeast {
		if v, ok := sysctl.Raise(now, o.Value); ok {
			return v
		}
	}
	return o.Value
}

func (o *Sysctl) satisfied(now string) bool { return sysctl.Equal(o.Key, now, o.want(now)) }

// Diff is one row of the running kernel's table.
func (o *Sysctl) Diff(s engine.State) engine.Diff {
	was, _, err := decode[sysctlState](o, s)
	row := engine.Row{Action: engine.None, Name: o.Target(), Now: oneLine(was.Value), Then: oneLine(was.Value)}
	switch {
	case err != nil:
		row.Action, row.Note = engine.Update, lang.F("%s", "%s", err)
	case !was.Running:
		row.Then, row.Note = o.atBoot(was)
	case !was.Present:
		row.Note = lang.T("not on this kernel", "此内核没有该参数")
	case !o.satisfied(was.Value):
		row.Action, row.Then = engine.Update, oneLine(o.want(was.Value))
	case !sysctl.Equal(o.Key, was.Value, o.Value):
		row.Note = lang.F("kept: above %s", "保持不变：已高于 %s", oneLine(o.Value))
	}
	if err == nil && was.Running && was.Present && len(was.Unread) > 0 {
		if row.Note.Empty() {
			row.Note = unsure(was.Unread)
		} else {
			row.Note = lang.F("%s; %s", "%s；%s", row.Note, unsure(was.Unread))
		}
	}
	return engine.Diff{Action: row.Action, Note: row.Note, Table: runningKernel(), Rows: []engine.Row{row}}
}

// atBoot is what a machine that does not run will have, as far as anybody can
// tell: where no file of the plan says it, only if the files there are do, to
// every reader.
func (o *Sysctl) atBoot(s sysctlState) (string, lang.Text) {
	if len(s.Unread) > 0 {
		return "", unsure(s.Unread)
	}
	if !o.Unwritten {
		return oneLine(o.Value), atNextBoot()
	}
	a, ok := s.Boot[sysctl.Systemd]
	b, also := s.Boot[sysctl.Procps]
	if ok && also && o.satisfied(a.Value) && sysctl.Equal(o.Key, a.Value, b.Value) {
		return oneLine(a.Value), lang.F("at boot, by %s", "启动时由 %s 设置", Visible(a.File))
	}
	return "", lang.T("not known until it runs", "机器运行后才能得知")
}

// oneLine has single spaces where the kernel prints tabs.
func oneLine(s string) string { return Visible(strings.Join(strings.Fields(s), " ")) }

// Drift sees, beyond Diff, that the value goes on being what was accepted, and
// that a file which was not there, or said something else, will win at boot.
func (o *Sysctl) Drift(after, now engine.State) engine.Diff {
	left, _, err := decode[sysctlState](o, after)
	is, _, err2 := decode[sysctlState](o, now)
	if err := errors.Join(err, err2); err != nil {
		return o.Diff(now)
	}
	if is.Running && (left.Present != is.Present || !sysctl.Equal(o.Key, left.Value, is.Value) && !o.satisfied(is.Value)) {
		d := o.Diff(now)
		if d.Action == engine.None { // the key is gone: a module was unloaded, another kernel booted
			d.Action, d.Rows[0].Action = engine.Update, engine.Update
		}
		return d
	}
	for _, r := range sysctl.Readers() {
		b, ok := is.Boot[r]
		if ok && b != left.Boot[r] && !o.satisfied(b.Value) {
			d := o.Diff(now)
			row := engine.Row{
				Action: engine.Update, Name: o.Target(), Now: oneLine(b.Value), Then: oneLine(o.Value),
				Note: lang.F("at boot, by %s", "启动时由 %s 设置", Visible(b.File)),
			}
			if len(is.Unread) > 0 {
				row.Note = lang.F("%s; %s", "%s；%s", row.Note, unsure(is.Unread))
			}
			d.Action, d.Note, d.Rows = engine.Update, row.Note, []engine.Row{row}
			return d
		}
	}
	d := o.Diff(now)
	d.Action, d.Rows[0].Action = engine.None, engine.None
	for _, name := range is.Unread {
		if !slices.Contains(left.Unread, name) { // it was read when goxin said that the value would last
			d.Action, d.Rows[0].Action = engine.Update, engine.Update
			d.Rows[0].Note = unsure(is.Unread)
			d.Note = d.Rows[0].Note
		}
	}
	return d
}

// Do writes the value, reads it back, and looks whether it will outlive a boot.
func (o *Sysctl) Do(_ context.Context, m machine.Machine, _ func(lang.Text)) (engine.Outcome, error) {
	was, err := o.look(m)
	if err != nil {
		return engine.Outcome{}, err
	}
	if !was.Running {
		return engine.OK, nil
	}
	if !was.Present {
		return engine.Outcome{Kind: engine.Refused, By: lang.T("not on this kernel", "此内核没有该参数")}, nil
	}
	want := o.want(was.Value)
	now := was
	if !sysctl.Equal(o.Key, was.Value, want) {
		err := m.WriteKernel(sysctl.Path(o.Key), []byte(want+"\n"))
		if by, ok := o.refusal(m, err); ok {
			return engine.Outcome{Kind: engine.Refused, By: by, Got: oneLine(was.Value)}, nil
		}
		if err != nil {
			return engine.Outcome{}, o.failure(err, want)
		}
		if now, err = o.look(m); err != nil {
			return engine.Outcome{}, err
		}
	}
	if !o.satisfied(now.Value) {
		return engine.Outcome{Kind: engine.Clamped, Got: oneLine(now.Value), By: lang.F(
			"the kernel took %s and made it %s", "内核接受了 %s，但实际取值为 %s", oneLine(want), oneLine(now.Value))}, nil
	}
	return o.outlives(m, now.Value)
}

// outlives says whether a file sets another value when the machine boots.
func (o *Sysctl) outlives(m machine.Machine, now string) (engine.Outcome, error) {
	config, err := sysctl.Read(m)
	if err != nil {
		return engine.Outcome{}, o.unknown(err)
	}
	missed := unread(config)
	for _, r := range sysctl.Readers() {
		a, ok := config.Winner(r, o.Key)
		if !ok || o.satisfied(a.Value) {
			continue
		}
		where := Visible(fmt.Sprintf("%s:%d", a.File, a.Line))
		by := lang.F("at boot %s sets %s", "启动时 %s 会将其设为 %s", where, oneLine(a.Value))
		if r == sysctl.Procps {
			by = lang.F("%s sets %s where “sysctl --system” runs", "凡执行 “sysctl --system”，%s 都会将其设为 %s", where, oneLine(a.Value))
		}
		if len(missed) > 0 {
			by = lang.F("%s; %s", "%s；%s", by, unsure(missed))
		}
		return engine.Outcome{Kind: engine.Overridden, By: by, Got: oneLine(now)}, nil
	}
	if len(missed) > 0 {
		return engine.Outcome{Kind: engine.Applied, By: unsure(missed), Got: oneLine(now)}, nil
	}
	return engine.OK, nil
}

// refusal explains an error that means: nobody may, here.
func (o *Sysctl) refusal(m machine.Machine, err error) (lang.Text, bool) {
	if errors.Is(err, syscall.EROFS) {
		return lang.T("/proc/sys is read-only here, as in most containers: set it on the host",
			"/proc/sys 在此处只读（容器中通常如此）：请在宿主机上设置"), true
	}
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EACCES) {
		return lang.Text{}, false
	}
	if k, err := m.Kernel(); err == nil && k.UID != 0 {
		return lang.T("goxin does not run as root", "goxin 未以 root 身份运行"), true
	}
	if info, err := m.Stat(sysctl.Path(o.Key)); err == nil && info.Mode.Perm()&0o222 == 0 {
		return lang.T("this kernel lets it be read only", "此内核只允许读取该参数"), true
	}
	if data, err := m.ReadFile("/sys/kernel/security/lockdown"); err == nil {
		for _, level := range []string{"integrity", "confidentiality"} {
			if strings.Contains(string(data), "["+level+"]") {
				return lang.F("the kernel denies it; kernel lockdown (%s) is on", "内核拒绝写入；内核锁定（lockdown：%s）已开启", level), true
			}
		}
	}
	return lang.T("the kernel denies it: a capability is missing, as in containers, or a security module forbids it",
		"内核拒绝写入：缺少相应的 capability（容器中常见），或被安全模块禁止"), true
}

func (o *Sysctl) failure(err error, value string) error {
	e := cannot(err, "cannot set %s to %s", "无法将 %s 设为 %s", o.Target(), oneLine(value))
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ERANGE) {
		return e.WithHint("this kernel does not take that value; choose another for %s in the answers",
			"此内核不接受该值；请在答案文件中为 %s 换一个值", o.Target())
	}
	return e
}

// Undo puts the value in force back. Who sets it at boot is the files' concern.
func (o *Sysctl) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[sysctlState](o, before)
	if err != nil || !was.Present {
		return err
	}
	ours, seen, err := decode[sysctlState](o, after)
	if err != nil {
		return err
	}
	now, err := o.look(m)
	if err != nil {
		return err
	}
	if !now.Running || sysctl.Equal(o.Key, now.Value, was.Value) {
		return nil
	}
	if !seen {
		ours = sysctlState{Present: true, Value: o.want(was.Value)}
	}
	if !now.Present || !sysctl.Equal(o.Key, now.Value, ours.Value) {
		return o.taken(now)
	}
	if err := m.WriteKernel(sysctl.Path(o.Key), []byte(was.Value+"\n")); err != nil {
		return o.failure(err, was.Value)
	}
	if now, err = o.look(m); err == nil && !sysctl.Equal(o.Key, now.Value, was.Value) {
		return lang.Errorf(nil, "cannot set %s back to %s: the kernel made it %s", "无法将 %s 恢复为 %s：内核实际取值为 %s",
			o.Target(), oneLine(was.Value), oneLine(now.Value)).
			WithHint("a reboot sets it anew", "重启后会重新设置")
	}
	return err
}

// taken says what stands where our value was.
func (o *Sysctl) taken(now sysctlState) error {
	if !now.Present {
		return notOurs("this kernel has it no longer", "此内核已没有该参数")
	}
	return notOurs("somebody set it to %s since", "之后被他人设为 %s", oneLine(now.Value))
}
