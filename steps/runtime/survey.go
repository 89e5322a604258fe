package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
)

const (
	hugePages = "/sys/kernel/mm/transparent_hugepage/enabled"
	cgroupDir = "/sys/fs/cgroup"
)

// seen is what was looked up on one machine.
type seen struct {
	GOROOT string `json:"goroot,omitempty"` // the Go programs here are built with; "": none
	Go     string `json:"go,omitempty"`     // its version: go1.26.8
	// THP is what is chosen of transparent huge pages, and Offered what can be; ""
	// where this kernel has none.
	THP     string   `json:"thp,omitempty"`
	Offered []string `json:"offered,omitempty"`
	// Quota is how many CPUs the machine's control group may use; 0: no limit.
	Quota     float64 `json:"quota,omitempty"`
	QuotaFrom string  `json:"quota_from,omitempty"`
	THPAtBoot string  `json:"thp_at_boot,omitempty"` // transparent_hugepage= of the kernel's command line
}

type survey map[machine.ID]*seen

// Survey looks for the Go that is installed, the CPU quota, and huge pages.
func (Step) Survey(_ context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, _ engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	out := make(survey, len(h.Order))
	for _, id := range h.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		if say != nil {
			say(engine.Say(lang.F("looking at the Go of %s and its limits", "正在查看 %s 的 Go 及其限制", string(id))))
		}
		out[id] = look(m, h.Facts[id])
	}
	return json.Marshal(out)
}

// look reads; what cannot be read is taken for absent.
func look(m machine.Machine, f *detect.Facts) *seen {
	s := new(seen)
	s.GOROOT, s.Go = Find(m)
	if !f.Running {
		return s
	}
	if data, err := m.ReadFile(hugePages); err == nil {
		s.THP, s.Offered = op.Chosen(string(data))
	}
	if data, err := m.ReadFile("/proc/cmdline"); err == nil {
		for _, w := range strings.Fields(string(data)) {
			if v, ok := strings.CutPrefix(w, "transparent_hugepage="); ok {
				s.THPAtBoot = v
			}
		}
	}
	s.Quota, s.QuotaFrom = quota(m)
	return s
}

// Find is the Go of a machine: the one in use of goxin's, else the usual places. Both
// are "" where there is none.
func Find(m machine.Machine) (dir, version string) {
	dirs := []string{goroot.Current, "/usr/local/go", "/usr/lib/golang", "/usr/lib/go"}
	if names, err := m.ReadDir("/usr/lib"); err == nil { // Debian's go-1.19, the newest first
		for _, n := range slices.Backward(names) {
			if strings.HasPrefix(n, "go-") {
				dirs = append(dirs, path.Join("/usr/lib", n))
			}
		}
	}
	for _, d := range dirs {
		if v, err := Version(m, d); err == nil {
			return d, v
		}
	}
	return "", ""
}

// Version is that of the Go in dir, as its VERSION file has it (go1.26.8), if there is
// a go command too.
func Version(m machine.Machine, dir string) (string, error) {
	if _, err := m.Stat(path.Join(dir, "bin/go")); err != nil {
		return "", err
	}
	data, err := m.ReadFile(path.Join(dir, "VERSION"))
	if err != nil {
		return "", err
	}
	v, _, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	v, _, _ = strings.Cut(v, " ")
	if _, _, ok := release(v); !ok {
		return "", lang.Because(nil, "%s: %q is no version of Go", "%s：%q 不是 Go 的版本", path.Join(dir, "VERSION"), v)
	}
	return v, nil
}

// release reads go1.26.8, go1.26rc1: 1, 26.
func release(v string) (major, minor int, ok bool) {
	rest, ok := strings.CutPrefix(v, "go")
	if !ok {
		return 0, 0, false
	}
	a, b, _ := strings.Cut(rest, ".")
	major, err := strconv.Atoi(a)
	if end := strings.IndexFunc(b, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		b = b[:end]
	}
	minor, err2 := strconv.Atoi(b)
	return major, minor, errors.Join(err, err2) == nil
}

// older says whether v is known to be below Go 1.minor.
func older(v string, minor int) bool {
	major, m, ok := release(v)
	return ok && (major < 1 || major == 1 && m < minor)
}

// quota is the smallest CPU limit over the control groups that hold for everything on
// the machine. A person's session (user.slice) limits no service. A container sees its
// own group as the root, whether /proc/self/cgroup names it so or as the host does.
func quota(m machine.Machine) (cpus float64, from string) {
	data, err := m.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, ""
	}
	for line := range strings.Lines(string(data)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) < 3 || !strings.HasPrefix(part[2], "/") {
			continue
		}
		var tops []string
		switch {
		case part[1] == "":
			tops = []string{cgroupDir}
		case slices.Contains(strings.Split(part[1], ","), "cpu"):
			tops = []string{path.Join(cgroupDir, part[1]), path.Join(cgroupDir, "cpu")}
		}
		for _, top := range tops {
			for dir := path.Clean("/" + part[2]); ; dir = path.Dir(dir) {
				if n, name := limitOf(m, path.Join(top, dir)); n > 0 && !inSession(dir) && (cpus == 0 || n < cpus) {
					cpus, from = n, name
				}
				if dir == "/" {
					break
				}
			}
		}
	}
	return cpus, from
}

// limitOf reads cpu.max ("150000 100000") of version 2, cpu.cfs_quota_us and
// cpu.cfs_period_us of version 1; 0 for none.
func limitOf(m machine.Machine, dir string) (cpus float64, from string) {
	v2, v1 := path.Join(dir, "cpu.max"), path.Join(dir, "cpu.cfs_quota_us")
	text, err := m.ReadFile(v2)
	from = v2
	if errors.Is(err, fs.ErrNotExist) {
		from = v1
		if text, err = m.ReadFile(v1); err == nil {
			var period []byte
			period, err = m.ReadFile(path.Join(dir, "cpu.cfs_period_us"))
			text = append(append(text, ' '), period...)
		}
	}
	if err != nil {
		return 0, ""
	}
	return parseQuota(string(text)), from
}

// parseQuota reads "QUOTA PERIOD"; max and -1 are none.
func parseQuota(s string) float64 {
	f := strings.Fields(s)
	if len(f) != 2 {
		return 0
	}
	q, err := strconv.ParseUint(f[0], 10, 50)
	p, err2 := strconv.ParseUint(f[1], 10, 50)
	if errors.Join(err, err2) != nil || q == 0 || p == 0 {
		return 0
	}
	return float64(q) / float64(p)
}

// inSession says whether a control group, by its path or a file in it, is that of
// somebody's session: what limits it limits no service.
func inSession(name string) bool { return strings.Contains(name+"/", "/user.slice/") }

// procs is what Go 1.25 makes of a quota: rounded up, at least 2, never more than there
// are CPUs (runtime, adjustCgroupGOMAXPROCS).
func procs(quota float64, cpus int) int {
	return min(max(int(math.Ceil(min(quota, mostProcs))), 2), max(cpus, 1))
}

// seenOn decodes what was seen on one machine. A step planned without a survey knows
// nothing of it.
func seenOn(sv engine.Survey, id machine.ID) (*seen, error) {
	if len(sv) > 0 {
		var s survey
		if err := json.Unmarshal(sv, &s); err != nil {
			return nil, engine.BadSurvey(err)
		}
		if one := s[id]; one != nil {
			return one, nil
		}
	}
	return new(seen), nil
}
