package environment

import (
	"context"
	"encoding/json"
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/whichgo"
)

// survey is what the step looks up, by machine.
type survey map[machine.ID]*seen

// seen is what was seen of one machine.
type seen struct {
	// Proxies is the GOPROXY that goxin was started with; nil where there is none, or
	// one that may not be written down.
	Proxies []string `json:"proxies,omitempty"`
	// Secret says that GOPROXY has a name or password in it.
	Secret bool `json:"secret,omitempty"`
	// Unread says that there is an /etc/profile and it does not read /etc/profile.d.
	Unread bool `json:"unread,omitempty"`
	// Bash is the file of bash shells that are no login shells; "" where there is
	// none. BashReads: it reads /etc/profile.d by itself.
	Bash      string `json:"bash,omitempty"`
	BashReads bool   `json:"bash_reads,omitempty"`
	// Zsh is the file of every zsh; ZshLogin: its login shells read /etc/profile.
	Zsh      string `json:"zsh,omitempty"`
	ZshLogin bool   `json:"zsh_login,omitempty"`
	Fish     bool   `json:"fish,omitempty"`
	Direnv   bool   `json:"direnv,omitempty"`
	// Rivals are the lines of others about Go.
	Rivals []rival `json:"rivals,omitempty"`
}

// Survey reads the shells' files.
func (Step) Survey(_ context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, _ engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	out := make(survey, len(h.Order))
	for _, id := range h.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		if say != nil {
			say(engine.Say(lang.F("reading the shells' files on %s", "正在读取 %s 上各 shell 的配置文件", string(id))))
		}
		out[id] = look(m)
	}
	return json.Marshal(out)
}

// Resurvey is never needed: what is read depends on no answer.
func (Step) Resurvey(_, _ engine.Values) bool { return false }

var _ engine.Resurveyor = Step{}

func look(m machine.Machine) *seen {
	s := &seen{Unread: first(m, "/etc/profile") != "" && !says(m, "/etc/profile", "/etc/profile.d")}
	s.Proxies, s.Secret = proxies(m.Getenv("GOPROXY"))
	if s.Bash = first(m, "/etc/bash.bashrc", "/etc/bashrc"); s.Bash != "" {
		s.BashReads = says(m, s.Bash, "/etc/profile.d/")
	}
	if s.Zsh = first(m, "/etc/zsh/zshenv", "/etc/zshenv"); s.Zsh != "" {
		s.ZshLogin = says(m, path.Join(path.Dir(s.Zsh), "zprofile"), "/etc/profile")
	}
	s.Fish = program(m, "fish") != ""
	s.Direnv = program(m, "direnv") != ""
	s.Rivals = rivals(m)
	return s
}

// proxies reads a GOPROXY. One that a file for everybody may not have in it is not
// taken.
func proxies(list string) (out []string, secret bool) {
	for p := range strings.SplitSeq(list, ",") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		if checkProxy(p) != nil {
			return nil, whichgo.Masked(list) != list
		}
		out = append(out, p)
	}
	return out, false
}

// first is the first of files that is there.
func first(m machine.Machine, files ...string) string {
	for _, f := range files {
		if info, err := m.Stat(f); err == nil && info.Mode.IsRegular() {
			return f
		}
	}
	return ""
}

// says reports whether a line of a shell's file, outside comments and blocks of
// goxin's, has text in it.
func says(m machine.Machine, file, text string) bool {
	data, err := m.ReadFile(file)
	if err != nil {
		return false
	}
	ours := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "# >>> goxin "):
			ours = true
		case strings.HasPrefix(line, "# <<< goxin "):
			ours = false
		case !ours && !strings.HasPrefix(line, "#") && strings.Contains(line, text):
			return true
		}
	}
	return false
}

// program is where a program is; "" where it is not.
func program(m machine.Machine, name string) string {
	for _, dir := range []string{"/usr/local/bin", "/usr/bin", "/bin"} {
		p := path.Join(dir, name)
		if info, err := m.Stat(p); err == nil && info.Mode.IsRegular() && info.Mode&0o111 != 0 {
			return p
		}
	}
	return ""
}

// seenOn decodes what was seen on one machine. A step planned without a survey knows
// nothing of it.
func seenOn(sv engine.Survey, id machine.ID) (*seen, error) {
	if len(sv) > 0 {
		var s survey
		if err := json.Unmarshal(sv, &s); err != nil {
			return nil, engine.BadSurvey(err)
		}
		if seen := s[id]; seen != nil {
			return seen, nil
		}
	}
	return &seen{}, nil
}
