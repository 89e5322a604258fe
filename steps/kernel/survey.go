package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/detect/sysctl"
	"goxin/steps/engine"
)

// survey is what the step looks up, by machine.
type survey map[machine.ID]*Seen

// Seen is what one machine has now.
type Seen struct {
	// Params are the parameters looked for; a key that is not in it was not
	// looked for.
	Params map[string]Param `json:"params"`
	// Lines are the assignments that win over goxin's file, under one reader of
	// sysctl configuration or another, and those goxin commented out.
	Lines []Line `json:"lines"`
	// Before are the values, by key, that other files set and goxin's comes after.
	Before map[string]string `json:"before"`
	// SystemdSysctl and Procps tell which readers run at boot: "yes", "masked"
	// or "no".
	SystemdSysctl string `json:"systemd_sysctl"`
	Procps        string `json:"procps"`
	NrOpen        uint64 `json:"nr_open"` // 0: unknown
	// HugePage is the size of one huge page in bytes; 0: unknown.
	HugePage uint64 `json:"huge_page"`
	Limits   Limits `json:"limits"`
	Rivals   Rivals `json:"rivals"`
	// Unread are files of sysctl and of limits that could not be read.
	Unread []Unread `json:"unread,omitempty"`
}

// Unread is a file that is there and could not be read: whatever was worked
// out, was worked out without it.
type Unread struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// Param is a kernel parameter as it is now.
type Param struct {
	Present  bool   `json:"present"`
	Readable bool   `json:"readable"`
	Value    string `json:"value"`
}

// Survey reads the machines' present values and configuration. It takes a few
// milliseconds and runs no program.
func (Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	keys := surveyedKeys(v)
	out := make(survey, len(h.Order))
	for _, id := range h.Order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		if say != nil {
			say(engine.Say(lang.F("reading the kernel parameters of %s", "正在读取 %s 的内核参数", string(id))))
		}
		seen, err := look(m, h.Facts[id].Running, keys)
		if err != nil {
			e := lang.Errorf(err, "cannot read the kernel configuration", "无法读取内核配置")
			if errors.Is(err, fs.ErrPermission) {
				return nil, e.WithHint("run goxin as root", "请以 root 身份运行")
			}
			return nil, e
		}
		out[id] = seen
	}
	return json.Marshal(out)
}

// surveyedKeys are the knobs' keys, those that stand in for them, and what the
// answers set.
func surveyedKeys(v engine.Values) []string {
	set := map[string]string{"fs.nr_open": ""}
	for _, k := range Knobs() {
		set[k.Key] = ""
		if k.Unless != "" {
			set[k.Unless] = ""
		}
	}
	for k := range v.Map(keySet) {
		if checkKey(k) == nil {
			set[sysctl.Canonical(k)] = ""
		}
	}
	return sortedKeys(set)
}

func look(m machine.Machine, running bool, keys []string) (*Seen, error) {
	s := &Seen{Params: make(map[string]Param, len(keys))}
	if running {
		for _, k := range keys {
			s.Params[k] = param(m, k)
		}
		s.NrOpen, _ = parseCount(s.Params["fs.nr_open"].Value)
		s.HugePage = hugePage(m)
	}
	config, err := sysctl.Read(m)
	if err != nil {
		return nil, err
	}
	for _, u := range config.Unreadable {
		s.Unread = append(s.Unread, Unread{u.Name, u.Err.Error()})
	}
	s.Lines, s.Before = linesAfter(m, config, keys)
	s.SystemdSysctl = unit(m, "systemd-sysctl.service")
	s.Procps = unit(m, "procps.service")
	var unread []Unread
	s.Limits, unread = readLimits(m, running)
	s.Unread = append(s.Unread, unread...)
	s.Rivals = readRivals(m)
	return s, nil
}

func param(m machine.Machine, key string) Param {
	b, err := m.ReadFile(sysctl.Path(key))
	switch {
	case err == nil:
		return Param{Present: true, Readable: true, Value: strings.TrimSpace(string(b))}
	case errors.Is(err, fs.ErrNotExist):
		return Param{}
	default:
		return Param{Present: true} // write-only or forbidden
	}
}

func hugePage(m machine.Machine) uint64 {
	b, err := m.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == "Hugepagesize:" {
			n, _ := parseCount(f[1])
			return n << 10
		}
	}
	return 0
}

// unit says whether a service is on the machine: "yes", "masked" or "no". A
// link to another unit's file is that unit's alias and does not count.
func unit(m machine.Machine, name string) string {
	if to, err := m.Readlink("/etc/systemd/system/" + name); err == nil && to == "/dev/null" {
		return "masked"
	}
	for _, dir := range []string{"/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"} {
		if to, err := m.Readlink(dir + name); err == nil && !strings.HasSuffix(to, "/"+name) {
			return "no"
		}
		if _, err := m.Stat(dir + name); err == nil {
			return "yes"
		}
	}
	return "no"
}

// seenOn decodes what was seen on one machine. A step planned without a survey
// knows nothing of it.
func seenOn(sv engine.Survey, id machine.ID) (*Seen, error) {
	if len(sv) == 0 {
		return &Seen{}, nil
	}
	var all survey
	if err := json.Unmarshal(sv, &all); err != nil {
		return nil, engine.BadSurvey(err)
	}
	if s := all[id]; s != nil {
		return s, nil
	}
	return &Seen{}, nil
}
