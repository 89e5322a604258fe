package op

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Label marks what goxin has put into a directory for those who control what may
// run. KYSEC (Kylin) lets an ELF file run, or be loaded, whose mark says that it was
// verified; it is the last part of the attribute security.kysec, which kysec_set
// writes and which a file that replaces another one does not have. SELinux wants
// each file to have the context its policy has for the file's name; restorecon sees
// to that, and tells what it would change.
//
// A machine that has neither the program nor the attribute is left as it is, and
// said to be so. What the marks allow is the business of those systems: this
// weakens none of their settings.
type Label struct {
	Dir     string    `json:"dir"`
	Names   []string  `json:"names,omitempty"` // programs and libraries in Dir, for KYSEC
	KYSEC   bool      `json:"kysec,omitempty"`
	SELinux bool      `json:"selinux,omitempty"`
	Reason  lang.Text `json:"reason"`
}

const (
	kysecMark   = "security.kysec"
	selinuxMark = "security.selinux"
)

type labelState struct {
	Running bool     `json:"running"`
	There   bool     `json:"there"`             // the directory
	Missing []string `json:"missing,omitempty"` // Names that are not there
	Marks   []string `json:"marks,omitempty"`   // of each of Names: KYSEC's mark, empty for none
	Strays  int      `json:"strays,omitempty"`  // files with another context than the policy's
	NoTool  string   `json:"no_tool,omitempty"` // the program that would have to look, and is not there
}

// stray is a file whose context is not the policy's.
type stray struct {
	Name string `json:"name"`
	Now  string `json:"now"`
	Then string `json:"then"`
}

// Kind is "label".
func (o *Label) Kind() string { return "label" }

// Target is the directory.
func (o *Label) Target() string { return Visible(o.Dir) }

// Why is the step's reason.
func (o *Label) Why() lang.Text { return o.Reason }

// ByHand is what Do runs.
func (o *Label) ByHand() []string {
	var out []string
	if o.KYSEC {
		s := "kysec_set -n exectl -v verified"
		for _, n := range o.Names {
			out = append(out, s+" "+Quote(path.Join(o.Dir, n)))
		}
	}
	if o.SELinux || out == nil {
		out = append(out, "restorecon -R "+Quote(o.Dir))
	}
	return out
}

// Observe reads KYSEC's marks and asks restorecon what it would change, which is
// the state's Blob.
func (o *Label) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, strays, err := o.look(ctx, m)
	if err != nil {
		return engine.State{}, err
	}
	var blob []byte
	if len(strays) > 0 {
		if blob, err = json.Marshal(strays); err != nil {
			return engine.State{}, err
		}
	}
	return engine.NewState(s, blob), nil
}

func (o *Label) look(ctx context.Context, m machine.Machine) (s labelState, strays []stray, err error) {
	s.Running = running(m)
	_, err = m.Stat(o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil, nil
	}
	if err != nil {
		return s, nil, cannotRead(err, o.Dir)
	}
	s.There = true
	if !s.Running {
		return s, nil, nil
	}
	if o.KYSEC {
		for _, n := range o.Names {
			v, err := mark(m, path.Join(o.Dir, n), kysecMark)
			if errors.Is(err, fs.ErrNotExist) {
				s.Missing = append(s.Missing, n)
			} else if err != nil {
				return s, nil, cannotRead(err, path.Join(o.Dir, n))
			}
			s.Marks = append(s.Marks, v)
		}
	}
	if o.SELinux {
		strays, err = o.strays(ctx, m)
		if machine.MissingProgram(err) {
			s.NoTool = "restorecon"
		} else if err != nil {
			return s, nil, err
		}
		s.Strays = len(strays)
	}
	return s, strays, nil
}

// mark is an attribute as text; empty where it is not set or the file system has
// none.
func mark(m machine.Machine, name, attr string) (string, error) {
	v, err := m.Xattr(name, attr)
	if errors.Is(err, syscall.ENODATA) || errors.Is(err, syscall.ENOTSUP) {
		return "", nil
	}
	return string(bytes.TrimRight(v, "\x00")), err
}

// runs says whether KYSEC lets a file with this mark run: "none:none:verified".
func runs(mark string) bool {
	last := mark[strings.LastIndexByte(mark, ':')+1:]
	return slices.Contains([]string{"verified", "trusted", "original"}, last)
}

// restorecon says what it would do as "Would relabel FILE from A to B", or, before
// libselinux 2.6, as "restorecon reset FILE context A->B".
var relabels = []*regexp.Regexp{
	regexp.MustCompile(`^Would relabel (.+) from (\S+) to (\S+)$`),
	regexp.MustCompile(`^restorecon reset (.+) context (\S+)->(\S+)$`),
}

func parseRelabel(line string) (stray, bool) {
	for _, re := range relabels {
		if p := re.FindStringSubmatch(line); p != nil {
			return stray{p[1], p[2], p[3]}, true
		}
	}
	return stray{}, false
}

func (o *Label) strays(ctx context.Context, m machine.Machine) (all []stray, err error) {
	err = m.Run(ctx, machine.Command{Argv: []string{"restorecon", "-R", "-n", "-v", o.Dir}, Timeout: 5 * time.Minute}, func(line string) {
		if s, ok := parseRelabel(line); ok && (s.Name == o.Dir || strings.HasPrefix(s.Name, o.Dir+"/")) {
			all = append(all, s)
		}
	})
	if err != nil && !machine.MissingProgram(err) {
		err = cannot(exited(err), "cannot ask SELinux about %s", "无法查询 %s 的 SELinux 上下文", o.Target()).
			WithHint("see what it says: restorecon -R -n -v %s", "请查看其输出：restorecon -R -n -v %s", Quote(o.Dir))
	}
	return all, err
}

// unmarked are those of Names that KYSEC would not let run.
func (o *Label) unmarked(s labelState) (names []string) {
	for i, v := range s.Marks {
		if !runs(v) && !slices.Contains(s.Missing, o.Names[i]) {
			names = append(names, o.Names[i])
		}
	}
	return names
}

// Diff is the marks that are set.
func (o *Label) Diff(s engine.State) engine.Diff {
	was, _, err := decode[labelState](o, s)
	nothing := engine.Diff{Action: engine.None}
	switch {
	case err != nil:
		return nothing
	case !was.Running:
		nothing.Note = lang.T("once it runs", "系统运行后生效")
		return nothing
	case !was.There: // it is about to be made
		return engine.Diff{Action: engine.Update, Note: o.words(len(o.Names), o.SELinux)}
	}
	n := len(o.unmarked(was))
	if n == 0 && was.Strays == 0 {
		if was.NoTool != "" {
			nothing.Note = lang.F("there is no %s to look with", "没有可用于检查的 %s", was.NoTool)
		}
		return nothing
	}
	return engine.Diff{Action: engine.Update, Note: o.words(n, was.Strays > 0)}
}

func (o *Label) words(programs int, contexts bool) lang.Text {
	kysec := lang.F("%d files marked as verified for KYSEC", "为 KYSEC 标记 %d 个文件为 verified", programs)
	selinux := lang.T("contexts as SELinux's policy has them", "按策略恢复 SELinux 上下文")
	switch {
	case o.KYSEC && programs > 0 && contexts:
		return lang.F("%s; %s", "%s；%s", kysec, selinux)
	case contexts:
		return selinux
	}
	return kysec
}

// Do sets the marks that are missing. Where KYSEC does not take one, or has no
// program to set it with, the outcome says so: what is installed may then be stopped.
func (o *Label) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	was, _, err := o.look(ctx, m)
	if err != nil {
		return engine.Outcome{}, err
	}
	if !was.There {
		return engine.Outcome{}, lang.Errorf(nil, "cannot mark %s: it is not there", "无法标记 %s：它不存在", o.Target()).
			WithHint("install it first", "请先安装")
	}
	if len(was.Missing) > 0 {
		return engine.Outcome{}, lang.Errorf(nil, "cannot mark %s: it is not there", "无法标记 %s：它不存在", Visible(path.Join(o.Dir, was.Missing[0]))).
			WithHint("look at what is in %s", "请查看 %s 中的内容", o.Target())
	}
	for _, n := range o.unmarked(was) {
		name := path.Join(o.Dir, n)
		err := m.Run(ctx, machine.Command{Argv: []string{"kysec_set", "-n", "exectl", "-v", "verified", name}, Timeout: time.Minute}, quoting(say))
		if machine.MissingProgram(err) {
			return refusedMark(lang.T("KYSEC is on, and there is no kysec_set to mark files with", "KYSEC 已启用，但没有用于标记文件的 kysec_set"), was), nil
		}
		if err != nil {
			return engine.Outcome{}, cannot(exited(err), "cannot mark %s for KYSEC", "无法为 KYSEC 标记 %s", Visible(name)).
				WithHint("see what it says: kysec_set -n exectl -v verified %s; where three administrators share the work, secadm has to run it",
					"请查看其输出：kysec_set -n exectl -v verified %s；启用三权分立时须由 secadm 执行", Quote(name))
		}
	}
	if was.Strays > 0 {
		if err := m.Run(ctx, machine.Command{Argv: []string{"restorecon", "-R", o.Dir}, Timeout: 5 * time.Minute}, quoting(say)); err != nil {
			return engine.Outcome{}, cannot(exited(err), "cannot restore SELinux's contexts in %s", "无法恢复 %s 中的 SELinux 上下文", o.Target()).
				WithHint("see what it says: restorecon -R -v %s", "请查看其输出：restorecon -R -v %s", Quote(o.Dir))
		}
	}
	now, _, err := o.look(ctx, m)
	if err != nil {
		return engine.Outcome{}, err
	}
	if left := o.unmarked(now); len(left) > 0 {
		return refusedMark(lang.F("KYSEC did not take the mark of %s", "KYSEC 未接受 %s 的标记", Visible(left[0])), now), nil
	}
	if now.Strays > 0 {
		return refusedMark(lang.F("SELinux did not take the contexts of %d files", "SELinux 未接受 %d 个文件的上下文", now.Strays), now), nil
	}
	return engine.OK, nil
}

func refusedMark(by lang.Text, s labelState) engine.Outcome {
	got := ""
	if len(s.Marks) > 0 {
		got = s.Marks[0]
	}
	return engine.Outcome{Kind: engine.Refused, By: by, Got: got}
}

// Undo gives each file the attribute it had. A file that is gone has none to lose.
func (o *Label) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[labelState](o, before)
	if err != nil {
		return err
	}
	ours, seen, err := decode[labelState](o, after)
	if err != nil {
		return err
	}
	var todo []func() error
	for i, old := range was.Marks {
		name := path.Join(o.Dir, o.Names[i])
		now, err := mark(m, name, kysecMark)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && now == old:
			continue
		case err != nil:
			return cannotRead(err, name)
		case seen && i < len(ours.Marks) && now != ours.Marks[i], !seen && !runs(now):
			return notOurs("the mark of %s was changed since", "%s 的标记之后被修改过", Visible(o.Names[i]))
		}
		todo = append(todo, func() error { return setMark(m, name, kysecMark, old) })
	}
	if !holds(before, before.Blob) {
		return lang.Errorf(nil, "cannot put SELinux's contexts in %s back: they are not in the journal", "无法还原 %s 中的 SELinux 上下文：日志中没有记录", o.Target()).
			WithHint("those of the policy hold; chcon sets others", "现为策略规定的上下文；可用 chcon 另行设置")
	}
	var strays []stray
	if len(before.Blob) > 0 {
		if err := json.Unmarshal(before.Blob, &strays); err != nil {
			return cannotRead(err, o.Dir)
		}
	}
	for _, s := range strays {
		now, err := mark(m, s.Name, selinuxMark)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && now == s.Now:
			continue
		case err != nil:
			return cannotRead(err, s.Name)
		case now != s.Then:
			return notOurs("the context of %s was changed since", "%s 的上下文之后被修改过", Visible(s.Name))
		}
		todo = append(todo, func() error { return setMark(m, s.Name, selinuxMark, s.Now+"\x00") })
	}
	for _, do := range todo {
		if err := do(); err != nil {
			return cannot(err, "cannot put the marks in %s back", "无法还原 %s 中的标记", o.Target())
		}
	}
	return nil
}

func setMark(m machine.Machine, name, attr, value string) error {
	if value == "" {
		return m.SetXattr(name, attr, nil)
	}
	return m.SetXattr(name, attr, []byte(value))
}

// Touches is the directory: who makes it anew takes the marks away.
func (o *Label) Touches() string { return Visible(o.Dir) }
