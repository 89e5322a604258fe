package peer

import (
	"encoding/json"
	"time"

	"goxin/assets/lang"
	remote "goxin/detect/machine/peer"
	"goxin/steps/engine"
)

func readSurvey(sv engine.Survey, v engine.Values) (found, error) {
	var f found
	if len(sv) > 0 {
		if err := json.Unmarshal(sv, &f); err != nil {
			return f, engine.BadSurvey(err)
		}
	}
	if f.Address != v.Text(KeyAddress, "") {
		return found{}, nil // about another one
	}
	return f, nil
}

// Questions has the key that the host shows for the answer, where nobody vouches for it
// yet; it is not the one that Enter alone takes.
func (s Step) Questions(_ engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	f, err := readSurvey(sv, v)
	if err != nil {
		f = found{}
	}
	var out []engine.Question
	for _, field := range s.Fields() {
		if field.Key != KeyAddress && v.Text(KeyAddress, "") == "" {
			continue
		}
		q := engine.Question{Field: field, Default: field.Default}
		if was, answered := v[field.Key]; answered {
			q.Default = was
		}
		if field.Key == KeyHostKey {
			pin(&q, f, v.Text(KeyHostKey, ""))
		}
		if field.Key == KeyAddress && f.Address != "" {
			q.Why = f.story()
		}
		out = append(out, q)
	}
	return out
}

// Doubt asks for the key that the host shows where nobody vouches for it.
func (Step) Doubt(_ engine.Hosts, sv engine.Survey, v engine.Values) string {
	f, err := readSurvey(sv, v)
	if err != nil || f.Key == "" || f.Known || f.Refused || v.Text(KeyHostKey, "") != "" {
		return ""
	}
	return KeyHostKey
}

// pin makes the question about a host's key one about the key it shows.
func pin(q *engine.Question, f found, was string) {
	switch {
	case f.Key == "":
	case was != "" && was != f.Key:
		q.Why = lang.F("It shows another one: %s (%s).", "它出示的是另一个：%s（%s）。", f.Key, f.KeyType)
	case f.Known && was == "":
		q.Why = lang.F("known_hosts vouches for the one it shows: %s (%s).", "它出示的密钥在 known_hosts 中：%s（%s）。", f.Key, f.KeyType)
	case was == "":
		q.Kind, q.Check = engine.Choice, nil
		q.Title = lang.F("It shows this host key. Is it the right one? (%s)", "它出示了以下主机密钥，是否正确？（%s）", f.KeyType)
		q.Why = lang.T("Nobody vouches for it: compare it with what that machine's own console says.", "尚无记录可核对：请与对端自己控制台上的输出比对。")
		q.Options = []engine.Option{
			{Value: "", Title: lang.T("I have not compared it", "尚未核对"), Help: lang.T("goxin does not go there", "goxin 不会连接")},
			{Value: f.Key, Title: lang.Same(f.Key), Help: lang.T("I have compared it: trust this one alone", "已核对：只信任此密钥")},
		}
	}
}

// story is how far the survey got, in a line.
func (f found) story() lang.Text {
	switch {
	case !f.Wrong.Empty():
		return f.Wrong
	case f.There == nil:
		return lang.F("It answers, and shows the key %s.", "可以连通，出示的密钥为 %s。", f.Key)
	}
	return lang.F("%s, %s %s, %s", "%s，%s %s，%s", f.There.Host, f.There.OS, f.There.Version, f.There.Arch)
}

// Ops changes nothing; it says why the other machine cannot be used.
func (Step) Ops(h engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	t, named, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	for key, err := range (Step{}).Cross(v) {
		return nil, lang.Errorf(err, "cannot use %s", "无法使用 %s", key)
	}
	if !named {
		return nil, nil
	}
	if _, facts := h.First(); facts != nil && !facts.Running {
		return nil, engine.Refusal{Err: lang.Errorf(nil, "cannot pair a tree with %s: it is not running", "无法将系统树与 %s 配对：它并未运行", t.Host).
			WithHint("leave --root out, or the peer step", "请去掉 --root，或去掉 peer 步骤")}
	}
	f, err := readSurvey(sv, v)
	if err != nil {
		return nil, err
	}
	return nil, f.judge(t)
}

func (f found) judge(t remote.Target) error {
	no := func(e *lang.Error) error { return engine.Refusal{Err: e} }
	cannot := func(why lang.Text) *lang.Error {
		return lang.Errorf(nil, "cannot use %s as the other machine: %s", "无法将 %s 用作对端：%s", t.Host, why)
	}
	switch {
	case !f.Wrong.Empty():
		e := cannot(f.Wrong)
		e.Hint = f.Hint
		if f.Refused {
			return no(e)
		}
		return e
	case f.Address == "":
		return nil // not looked at yet
	case !f.Known:
		unknown := &remote.UnknownHostError{Host: t.Host, KeyType: f.KeyType, Fingerprint: f.Key}
		e := cannot(unknown.Text())
		e.Hint = unknown.Hint()
		return no(e)
	case f.Same:
		return no(cannot(lang.T("it is this very machine", "它就是本机")).WithHint("name the other one", "请填写另一台机器"))
	case f.Ahead.Abs() > tooFar:
		return no(cannot(ahead(f.Ahead)).WithHint("set the clock that is wrong: `timedatectl set-ntp true`, or the time step on that machine", "请校正有误的一侧：`timedatectl set-ntp true`，或在该机上执行 time 步骤"))
	}
	return nil
}

func ahead(d time.Duration) lang.Text {
	if d < 0 {
		return lang.F("its clock is %s behind the one here", "其时钟比本机慢 %s", lang.Span(d))
	}
	return lang.F("its clock is %s ahead of the one here", "其时钟比本机快 %s", lang.Span(d))
}

// Notes says where the two machines differ.
func (Step) Notes(_ engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	f, err := readSurvey(sv, v)
	if err != nil || f.Here == nil || f.There == nil {
		return nil
	}
	var out []engine.Note
	say := func(warn bool, t lang.Text) { out = append(out, engine.Note{Warn: warn, Text: t}) }
	a, b := f.Here, f.There
	say(false, lang.F("the other machine: %s", "对端：%s", f.story()))
	if a.Arch != b.Arch {
		say(false, lang.F("architectures differ: %s here, %s there; programs are needed for both", "架构不同：本机 %s，对端 %s；程序需两种都备齐", a.Arch, b.Arch))
	}
	if a.OS != b.OS || a.Version != b.Version {
		say(true, lang.F("systems differ: %s %s here, %s %s there", "系统不同：本机 %s %s，对端 %s %s", a.OS, a.Version, b.OS, b.Version))
	}
	switch {
	case b.Init != "systemd":
		say(true, lang.F("no systemd there (%s): services cannot be set up on it", "对端没有 systemd（%s）：无法在其上配置服务", b.Init))
	case a.Systemd != b.Systemd:
		say(false, lang.F("systemd differs: %d here, %d there", "systemd 版本不同：本机 %d，对端 %d", a.Systemd, b.Systemd))
	}
	if f.Ahead.Abs() > worthTelling {
		say(true, ahead(f.Ahead))
	}
	const little = 256 << 20
	if b.Free < little {
		say(true, lang.F("only %d MiB are free there (%s)", "对端仅剩 %d MiB 可用空间（%s）", b.Free>>20, engine.DefaultDir))
	}
	return out
}
