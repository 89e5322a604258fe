package op

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Boolean is a switch of SELinux's policy (booleans(8)), now and after the next boot.
// Where SELinux is not in force there is nothing to do.
//
// Undo sets it as it was. Where the policy's store had said nothing of it, and the
// switch was as its policy is delivered, the store says so from then on.
type Boolean struct {
	Name   string    `json:"name"`
	On     bool      `json:"on"`
	Reason lang.Text `json:"reason"`
}

type booleanState struct {
	InForce bool   `json:"in_force"`        // SELinux is
	Now     string `json:"now,omitempty"`   // on or off; "": the policy has no such switch
	Saved   string `json:"saved,omitempty"` // what the store says; "": nothing
}

// setTime is how long a policy may take to be made anew with one switch the other way;
// on a slow board that is a minute.
const setTime = 10 * time.Minute

var (
	booleanName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	policyType  = regexp.MustCompile(`(?m)^\s*SELINUXTYPE\s*=\s*([A-Za-z0-9_-]+)\s*$`)
)

// policyStores are where libsemanage keeps the switches that were set for good, below
// the policy's type (semanage.conf(5): store-root; libsemanage before 2.4).
var policyStores = []string{"/var/lib/selinux/%/active", "/etc/selinux/%/active", "/etc/selinux/%/modules/active"}

func (o *Boolean) value() string { return onOff(o.On) }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// Kind is "boolean".
func (o *Boolean) Kind() string { return "boolean" }

// Target is its name.
func (o *Boolean) Target() string { return Visible(o.Name) }

// Why is the step's reason.
func (o *Boolean) Why() lang.Text { return o.Reason }

// ByHand is setsebool.
func (o *Boolean) ByHand() []string {
	return []string{"setsebool -P " + Quote(o.Name) + " " + o.value()}
}

// Observe reads the switch in force, and the policy's store.
func (o *Boolean) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(m)
	if err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, nil), nil
}

func (o *Boolean) look(m machine.Machine) (s booleanState, err error) {
	if !booleanName.MatchString(o.Name) {
		return s, lang.Errorf(nil, "cannot use SELinux boolean %s: that is no name of one", "无法使用 SELinux 布尔值 %s：名称无效", o.Target()).
			WithHint("this plan was not made by goxin; make it anew", "该计划并非由 goxin 生成，请重新生成")
	}
	if !running(m) {
		return s, nil
	}
	const selinuxfs = "/sys/fs/selinux"
	if _, err := m.Lstat(selinuxfs + "/enforce"); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return s, cannotRead(err, selinuxfs)
	}
	s.InForce = true
	// Its value, and the one it is to have once what is pending is committed.
	name := path.Join(selinuxfs, "booleans", o.Name)
	data, err := m.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, cannotRead(err, name)
	}
	s.Now = onOff(strings.HasPrefix(string(data), "1"))
	s.Saved, err = o.saved(m)
	return s, err
}

// saved is what the store of the policy in force says.
func (o *Boolean) saved(m machine.Machine) (string, error) {
	config, err := m.ReadFile("/etc/selinux/config")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", cannotRead(err, "/etc/selinux/config")
	}
	kind := policyType.FindSubmatch(config)
	if kind == nil {
		return "", nil
	}
	for _, store := range policyStores {
		name := strings.Replace(store, "%", string(kind[1]), 1) + "/booleans.local"
		data, err := m.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", cannotRead(err, name)
		}
		found := ""
		for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
			k, v, ok := strings.Cut(lines.Text(), "=")
			if v = strings.TrimSpace(v); ok && strings.TrimSpace(k) == o.Name {
				found = onOff(v == "1" || v == "true" || v == "on")
			}
		}
		return found, nil
	}
	return "", nil
}

// is says whether the switch has a value, and keeps it.
func (s booleanState) is(v string) bool { return s.Now == v && (s.Saved == v || s.Saved == "") }

// Diff is one line.
func (o *Boolean) Diff(s engine.State) engine.Diff {
	was, _, err := decode[booleanState](o, s)
	switch {
	case err != nil:
		return engine.Diff{Action: engine.Update, Note: lang.F("%s", "%s", err)}
	case !was.InForce:
		return engine.Diff{Action: engine.None, Note: lang.T("SELinux is not in force", "SELinux 未启用")}
	case was.Now == "":
		return engine.Diff{Action: engine.None, Note: noBoolean()}
	case was.is(o.value()):
		return engine.Diff{Action: engine.None}
	case was.Now == o.value():
		return engine.Diff{Action: engine.Update, Note: lang.F("SELinux boolean, %s now and %s after the next boot → %s", "SELinux 布尔值，当前 %s，重启后 %s → %s", was.Now, was.Saved, o.value())}
	}
	return engine.Diff{Action: engine.Update, Note: lang.F("SELinux boolean, %s → %s", "SELinux 布尔值，%s → %s", was.Now, o.value())}
}

func noBoolean() lang.Text {
	return lang.T("this SELinux policy has no such boolean", "此 SELinux 策略没有该布尔值")
}

// Do has the policy made anew with the switch as wanted, which takes a while.
func (o *Boolean) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	was, err := o.look(m)
	switch {
	case err != nil:
		return engine.Outcome{}, err
	case !was.InForce, was.Now != "" && was.is(o.value()):
		return engine.OK, nil
	case was.Now == "":
		return engine.Outcome{Kind: engine.Refused, By: noBoolean()}, nil
	}
	if say != nil {
		say(lang.F("SELinux's policy is being made anew with %s %s", "正在以 %s %s 重新生成 SELinux 策略", o.Target(), o.value()))
	}
	return engine.OK, o.set(ctx, m, quoting(say), "-P", o.Name, o.value())
}

func (o *Boolean) set(ctx context.Context, m machine.Machine, out func(string), args ...string) error {
	err := m.Run(ctx, machine.Command{Argv: append([]string{"setsebool"}, args...), Timeout: setTime}, out)
	if machine.MissingProgram(err) {
		return cannot(err, "cannot set SELinux boolean %s", "无法设置 SELinux 布尔值 %s", o.Target()).
			WithHint("install policycoreutils, which has setsebool", "请安装提供 setsebool 的 policycoreutils")
	}
	if err != nil {
		return cannot(exited(err), "cannot set SELinux boolean %s", "无法设置 SELinux 布尔值 %s", o.Target()).
			WithHint("is there room in /var/lib/selinux and /etc/selinux? the journal has what SELinux denied: ausearch -m avc -ts recent", "/var/lib/selinux、/etc/selinux 所在分区是否已满？SELinux 拒绝记录：ausearch -m avc -ts recent")
	}
	return nil
}

// Undo sets it as it was, for good and for now.
func (o *Boolean) Undo(ctx context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[booleanState](o, before)
	if err != nil || was.Now == "" || was.is(o.value()) {
		return err
	}
	ours, seen, err := decode[booleanState](o, after)
	if err != nil {
		return err
	}
	now, err := o.look(m)
	if err != nil {
		return err
	}
	saved := cmp.Or(was.Saved, was.Now)
	switch {
	case now.Now == "":
		return notOurs("SELinux is no longer in force, or has no such boolean", "SELinux 已停用，或不再有该布尔值")
	case now.Now == was.Now && (now.Saved == saved || now.Saved == was.Saved):
		return nil
	case seen && ours == was, // it was never set here
		now.Now != o.value() && now.Now != saved: // the latter is half of an Undo
		return notOurs("somebody set it to %s since", "之后被他人设为 %s", now.Now)
	}
	if now.Saved != saved {
		if err := o.set(ctx, m, nil, "-P", o.Name, saved); err != nil {
			return err
		}
		now.Now = saved
	}
	if now.Now == was.Now {
		return nil
	}
	return o.set(ctx, m, nil, o.Name, was.Now)
}
