package kernel

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"goxin/detect/machine"
	"goxin/steps/op"
)

// Limits are the limits on open files a machine has now, without goxin's own.
type Limits struct {
	Service []LimitLine `json:"service"` // DefaultLimitNOFILE, in the order in which it is applied
	Login   []LimitLine `json:"login"`   // nofile of limits.conf and limits.d, in that order
	Systemd bool        `json:"systemd"` // there is an /etc/systemd
	PAM     bool        `json:"pam"`     // there is an /etc/security
	// InitHard is the hard limit of process 1; 0: unknown.
	InitHard uint64 `json:"init_hard"`
	// Capped: nothing on this machine may go above InitHard, since
	// CAP_SYS_RESOURCE was taken from process 1, or counts for nothing because
	// the machine is a user namespace (setrlimit(2) asks the initial one).
	Capped bool `json:"capped"`
}

// LimitLine is one line that sets a limit on open files.
type LimitLine struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Domain string `json:"domain,omitempty"` // logins: whom it is about
	Soft   uint64 `json:"soft"`             // 0: says nothing of it; infinity is the largest number
	Hard   uint64 `json:"hard"`
}

func (l LimitLine) where() string { return op.Visible(fmt.Sprintf("%s:%d", l.File, l.Line)) }

// The files the step writes.
const (
	serviceFile = "/etc/systemd/system.conf.d/zz-goxin.conf"
	loginFile   = "/etc/security/limits.d/zz-goxin.conf"
)

func readLimits(m machine.Machine, running bool) (Limits, []Unread) {
	files := &limitFiles{Machine: m}
	isDir := func(name string) bool {
		i, err := m.Stat(name)
		return err == nil && i.Mode.IsDir()
	}
	l := Limits{Systemd: isDir("/etc/systemd"), PAM: isDir("/etc/security")}
	main := "/etc/systemd/system.conf"
	if _, err := m.Stat(main); err != nil {
		main = "/usr/lib/systemd/system.conf"
	}
	for _, f := range append([]string{main}, files.dropIns([]string{"/etc/systemd/system.conf.d", "/run/systemd/system.conf.d", "/usr/local/lib/systemd/system.conf.d", "/usr/lib/systemd/system.conf.d"})...) {
		if f != serviceFile {
			l.Service = append(l.Service, files.limits(f, parseServiceLimits)...)
		}
	}
	for _, f := range append([]string{"/etc/security/limits.conf"}, files.dropIns([]string{"/etc/security/limits.d"})...) {
		if f != loginFile {
			l.Login = append(l.Login, files.limits(f, parseLoginLimits)...)
		}
	}
	if running {
		l.InitHard, l.Capped = initLimit(m)
	}
	return l, files.unread
}

// limitFiles reads files and remembers those it could not.
type limitFiles struct {
	machine.Machine
	unread []Unread
}

func (m *limitFiles) miss(name string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	m.unread = append(m.unread, Unread{name, err.Error()})
}

// dropIns are the .conf files of directories that hide each other's names, in
// the order in which they are read: by name.
func (m *limitFiles) dropIns(dirs []string) []string {
	first := map[string]string{}
	for _, d := range dirs {
		names, err := m.ReadDir(d)
		if err != nil {
			m.miss(d, err)
			continue
		}
		for _, n := range names {
			if strings.HasSuffix(n, ".conf") && first[n] == "" {
				first[n] = path.Join(d, n)
			}
		}
	}
	out := make([]string, 0, len(first))
	for _, f := range first {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(path.Base(a), path.Base(b)) })
	return out
}

func (m *limitFiles) limits(name string, parse func(string) []LimitLine) []LimitLine {
	b, err := m.ReadFile(name)
	if err != nil {
		m.miss(name, err)
		return nil
	}
	lines := parse(string(b))
	for i := range lines {
		lines[i].File = name
	}
	return lines
}

// parseServiceLimits reads DefaultLimitNOFILE from a file in the format of
// systemd-system.conf(5).
func parseServiceLimits(data string) []LimitLine {
	var out []LimitLine
	section, n := "", 0
	for text := range strings.Lines(data) {
		n++
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "[") {
			section = text
			continue
		}
		value, ok := strings.CutPrefix(text, "DefaultLimitNOFILE")
		if !ok || section != "[Manager]" {
			continue
		}
		value, ok = strings.CutPrefix(strings.TrimSpace(value), "=")
		if !ok {
			continue
		}
		soft, hard, both := strings.Cut(strings.TrimSpace(value), ":")
		if !both {
			hard = soft
		}
		s, okS := parseCount(soft)
		h, okH := parseCount(hard)
		if okS && okH {
			out = append(out, LimitLine{Line: n, Soft: s, Hard: h})
		}
	}
	return out
}

// parseLoginLimits reads the nofile lines of a file in the format of
// limits.conf(5).
func parseLoginLimits(data string) []LimitLine {
	var out []LimitLine
	n := 0
	for text := range strings.Lines(data) {
		n++
		text, _, _ = strings.Cut(text, "#")
		f := strings.Fields(text)
		if len(f) != 4 || f[2] != "nofile" {
			continue
		}
		v, ok := parseCount(f[3])
		if !ok {
			continue
		}
		l := LimitLine{Line: n, Domain: f[0]}
		switch f[1] {
		case "soft":
			l.Soft = v
		case "hard":
			l.Hard = v
		case "-":
			l.Soft, l.Hard = v, v
		default:
			continue
		}
		out = append(out, l)
	}
	return out
}

// parseCount reads a number of files; the words for “no limit” are the largest
// number there is.
func parseCount(s string) (uint64, bool) {
	switch s = strings.TrimSpace(s); s {
	case "infinity", "unlimited", "-1":
		return infinity, true
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// capSysResource is the bit of the capability to go above a hard limit
// (linux/capability.h).
const capSysResource = 24

func initLimit(m machine.Machine) (hard uint64, capped bool) {
	b, err := m.ReadFile("/proc/1/limits")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if f := strings.Fields(rest); len(f) >= 2 {
				hard, _ = parseCount(f[1])
			}
		}
	}
	if b, err := m.ReadFile("/proc/1/uid_map"); err == nil && len(b) > 0 {
		if f := strings.Fields(string(b)); len(f) != 3 || f[0] != "0" || f[1] != "0" || f[2] != "4294967295" {
			return hard, true
		}
	}
	b, err = m.ReadFile("/proc/1/status")
	if err != nil {
		return hard, false
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
			return hard, err == nil && set&(1<<capSysResource) == 0
		}
	}
	return hard, false
}
