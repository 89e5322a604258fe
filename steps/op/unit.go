package op

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Unit is the state of a systemd unit. Each of Enabled, Active and Masked is
// "yes", "no", or "" to leave it alone. In a tree nothing is done: whoever boots
// it decides by presets or by running goxin there.
type Unit struct {
	Name    string    `json:"name"` // with its suffix: nginx.service
	Enabled string    `json:"enabled,omitempty"`
	Active  string    `json:"active,omitempty"`
	Masked  string    `json:"masked,omitempty"`
	Reason  lang.Text `json:"reason"`
}

// unitState has what is needed to restore a unit, and not what changes by
// itself: SubState is left out, and ActiveState is only up or down.
type unitState struct {
	Manager bool   `json:"manager"`
	Load    string `json:"load,omitempty"` // loaded, not-found, masked, error, …
	File    string `json:"file,omitempty"` // UnitFileState: enabled, disabled, static, masked-runtime, linked, …
	Up      bool   `json:"up,omitempty"`
	Link    string `json:"link,omitempty"` // where a linked unit's file is
	stale   bool   // the manager should read its units again
}

// Kind is "unit".
func (o *Unit) Kind() string { return "unit" }

// Target is the unit's name.
func (o *Unit) Target() string { return o.Name }

// Why is the step's reason.
func (o *Unit) Why() lang.Text { return o.Reason }

// ByHand is systemctl.
func (o *Unit) ByHand() []string {
	var out []string
	for _, c := range []struct{ want, value, verb string }{
		{o.Masked, "no", "unmask"},
		{o.Active, "no", "stop"},
		{o.Enabled, "yes", "enable"},
		{o.Enabled, "no", "disable"},
		{o.Active, "yes", "start"},
		{o.Masked, "yes", "mask"},
	} {
		if c.want == c.value {
			out = append(out, "systemctl "+c.verb+" "+Quote(o.Name))
		}
	}
	return out
}

// Observe asks systemd.
func (o *Unit) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(ctx, m)
	if err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, nil), nil
}

func (o *Unit) look(ctx context.Context, m machine.Machine) (s unitState, err error) {
	if !booted(m) {
		return s, nil
	}
	got, err := show(ctx, m, "LoadState,UnitFileState,ActiveState,SubState,NeedDaemonReload", o.Name)
	if err != nil || got == nil {
		return s, err
	}
	s = unitState{Manager: true, Load: got["LoadState"], File: got["UnitFileState"], stale: got["NeedDaemonReload"] == "yes"}
	switch got["ActiveState"] {
	case "active", "activating", "reloading", "refreshing":
		s.Up = true
	}
	if dir, linked := map[string]string{"linked": "/etc", "linked-runtime": "/run"}[s.File]; linked {
		s.Link, _ = m.Readlink(path.Join(dir, "systemd/system", o.Name))
	}
	return s, nil
}

// The three properties of a state. A unit file that cannot be enabled (static,
// generated, …) counts as both: there is nothing to do to it.

func (s unitState) masked() bool { return s.Load == "masked" || strings.HasPrefix(s.File, "masked") }

func (s unitState) enabled(want string) bool {
	switch s.File {
	case "enabled":
		return want == "yes"
	case "static", "indirect", "generated", "transient", "alias":
		return true
	case "enabled-runtime": // until the next boot: neither
		return false
	}
	return want == "no"
}

func (o *Unit) wantsMask(s unitState) bool {
	return o.Masked == "yes" && s.File != "masked" || o.Masked == "no" && s.masked()
}

func (o *Unit) wantsEnable(s unitState) bool {
	if o.Masked == "yes" && s.masked() {
		return false
	}
	return o.Enabled != "" && !s.enabled(o.Enabled)
}

func (o *Unit) wantsActive(s unitState) bool {
	return o.Active == "yes" && !s.Up || o.Active == "no" && s.Up
}

// Diff is one row for each property that changes.
func (o *Unit) Diff(s engine.State) engine.Diff {
	was, _, err := decode[unitState](o, s)
	d := engine.Diff{Action: engine.None, Table: lang.T("services", "服务")}
	if err != nil {
		d.Action, d.Note = engine.Update, lang.F("%s", "%s", err)
		return d
	}
	if !was.Manager {
		d.Note = atNextBoot()
		return d
	}
	row := func(changes bool, now, then string) {
		if changes {
			d.Action = engine.Update
			d.Rows = append(d.Rows, engine.Row{Action: engine.Update, Name: o.Name, Now: now, Then: then})
		}
	}
	choose := func(yes bool, a, b string) string {
		if yes {
			return a
		}
		return b
	}
	file := choose(was.File != "", was.File, was.Load)
	row(o.wantsMask(was), file, choose(o.Masked == "yes", "masked", "unmasked"))
	row(o.wantsEnable(was), file, choose(o.Enabled == "yes", "enabled", "disabled"))
	row(o.wantsActive(was), choose(was.Up, "active", "inactive"), choose(o.Active == "yes", "active", "inactive"))
	if d.Action != engine.None && was.Load == "not-found" {
		d.Note = lang.T("no such unit yet", "尚无此单元")
	}
	return d
}

// Do unmasks, stops, enables or disables, starts and masks, in this order.
func (o *Unit) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	s, err := o.look(ctx, m)
	if err != nil || !s.Manager {
		return engine.OK, err
	}
	if s.stale || s.Load == "not-found" {
		if err := reload(ctx, m, say); err != nil {
			return engine.Outcome{}, err
		}
		if s, err = o.look(ctx, m); err != nil {
			return engine.Outcome{}, err
		}
	}
	if s.masked() && o.Masked == "" && (o.wantsActive(s) || o.wantsEnable(s)) {
		return engine.Outcome{}, lang.Errorf(nil, "cannot use %s: somebody masked it", "无法使用 %s：它已被屏蔽（masked）", o.Name).
			WithHint("if that is no longer wanted: systemctl unmask %s", "若不再需要屏蔽：systemctl unmask %s", o.Name)
	}
	if s.Load == "not-found" && (o.Active == "yes" || o.Enabled == "yes") {
		return engine.Outcome{}, lang.Errorf(nil, "cannot use %s: there is no such unit", "无法使用 %s：没有这个单元", o.Name).
			WithHint("is the package that brings it installed?", "请确认提供该单元的软件包已安装")
	}
	var verbs [][]string
	if o.Masked == "no" {
		verbs = append(verbs, unmask(s.File)...)
	}
	if o.Active == "no" && s.Up {
		verbs = append(verbs, []string{"stop"})
	}
	if o.wantsEnable(s) || o.Enabled != "" && o.Masked == "no" && s.masked() {
		verbs = append(verbs, enable(s.File, o.Enabled)...)
	}
	if o.Active == "yes" && !s.Up {
		verbs = append(verbs, []string{"start"})
	}
	if o.Masked == "yes" && s.File != "masked" {
		verbs = append(verbs, []string{"mask"}) // one until the next boot may stay beside it
	}
	return engine.OK, o.run(ctx, m, say, verbs)
}

// unmask is how to unmask a unit whose file state is file.
func unmask(file string) [][]string {
	switch file {
	case "masked":
		return [][]string{{"unmask"}}
	case "masked-runtime":
		return [][]string{{"unmask", "--runtime"}}
	}
	return nil
}

// enable is how to enable, or disable, a unit whose file state is file.
func enable(file, want string) [][]string {
	var verbs [][]string
	if file == "enabled-runtime" {
		verbs = append(verbs, []string{"disable", "--runtime"})
	}
	if want == "yes" {
		return append(verbs, []string{"enable"})
	}
	if file != "enabled-runtime" {
		verbs = append(verbs, []string{"disable"})
	}
	return verbs
}

// run runs systemctl verbs on the unit, one after the other.
func (o *Unit) run(ctx context.Context, m machine.Machine, say func(lang.Text), verbs [][]string) error {
	for _, v := range verbs {
		args := append(v[:len(v):len(v)], o.Name)
		if v[0] == "link" {
			args = v
		}
		err := systemctl(ctx, m, say, args...)
		if err == nil {
			continue
		}
		if v[0] == "start" {
			return lang.Errorf(o.said(ctx, m, errors.Unwrap(err)), "cannot start %s", "无法启动 %s", o.Name).
				WithHint("see the whole of it: journalctl -u %s", "查看完整日志：journalctl -u %s", o.Name)
		}
		return err
	}
	return nil
}

// said is err, or what the unit's status and journal say last.
func (o *Unit) said(ctx context.Context, m machine.Machine, err error) error {
	var lines []string
	for _, argv := range [][]string{
		{"systemctl", "status", "--no-pager", "--full", "--lines=0", o.Name},
		{"journalctl", "--no-pager", "--output=cat", "--lines=10", "--unit=" + o.Name},
	} {
		// systemctl status exits with 3 for a unit that is down; what counts is what it prints.
		_ = m.Run(ctx, machine.Command{Argv: argv, Timeout: 20 * time.Second}, func(line string) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		})
	}
	if len(lines) == 0 {
		return err
	}
	for i := range lines {
		lines[i] = Visible(lines[i])
	}
	return lang.Quote(strings.Join(lines, "\n"))
}

// Undo restores each property that is still ours.
func (o *Unit) Undo(ctx context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[unitState](o, before)
	if err != nil || !was.Manager {
		return err
	}
	ours, seen, err := decode[unitState](o, after)
	if err != nil {
		return err
	}
	now, err := o.look(ctx, m)
	if err != nil || !now.Manager {
		return err
	}
	touchesFile := o.Enabled != "" || o.Masked != ""
	var verbs [][]string
	if touchesFile && now.File != was.File {
		mine := seen && now.File == ours.File || !seen && o.partway(now) ||
			was.Link != "" && now.File == "" // half an Undo: disabled, and not yet linked again
		if !mine {
			return o.taken(now)
		}
		verbs = o.refile(now, was)
	}
	stirred := o.Active != "" && (!seen || ours.Up != was.Up) // what it did not start or stop, somebody else did
	if stirred && now.Up && !was.Up {
		verbs = append([][]string{{"stop"}}, verbs...)
	}
	if stirred && !now.Up && was.Up {
		// A unit that was running and is masked after all cannot be started.
		start := [][]string{{"start"}}
		if was.masked() {
			verbs = append(unmask(now.File), append(start, maskAs(was.File)...)...)
		} else {
			verbs = append(verbs, start...)
		}
	}
	return o.run(ctx, m, nil, verbs)
}

// partway says whether now is a state that Do passes through or ends in.
func (o *Unit) partway(now unitState) bool {
	return o.Masked != "" && !o.wantsMask(now) || o.Enabled != "" && !now.masked() && now.enabled(o.Enabled)
}

// taken says what stands where our state was.
func (o *Unit) taken(now unitState) error {
	if now.File == "" {
		return notOurs("its unit file was removed since", "其单元文件之后被删除")
	}
	return notOurs("somebody changed it since: it is %s now", "之后被他人修改过：目前为 %s", now.File)
}

// refile is how to get from one UnitFileState to another. What comes is made
// before what goes is taken away, so that half of it still looks like ours:
// links in /etc hide those in /run.
func (o *Unit) refile(now, was unitState) [][]string {
	switch was.File {
	case "masked":
		return [][]string{{"mask"}}
	case "masked-runtime":
		return append([][]string{{"mask", "--runtime"}}, unmask(now.File)...)
	}
	verbs := unmask(now.File) // what it was enabled to shows again
	switch was.File {
	case "enabled":
		verbs = append(verbs, []string{"enable"})
	case "enabled-runtime":
		verbs = append(verbs, []string{"enable", "--runtime"}, []string{"disable"})
	case "disabled":
		verbs = append(verbs, []string{"disable"})
	case "linked", "linked-runtime":
		// disable takes the link away with the others, so it is made again.
		if now.File != "" {
			verbs = append(verbs, []string{"disable"})
		}
		if was.Link != "" {
			link := []string{"link"}
			if was.File == "linked-runtime" {
				link = append(link, "--runtime")
			}
			verbs = append(verbs, append(link, was.Link))
		}
	}
	return verbs
}

func maskAs(file string) [][]string {
	if file == "masked-runtime" {
		return [][]string{{"mask", "--runtime"}}
	}
	return [][]string{{"mask"}}
}
