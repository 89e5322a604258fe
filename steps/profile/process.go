package profile

import (
	"context"
	"debug/buildinfo"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/op"
)

// Process is what /proc tells of a process.
type Process struct {
	PID     int
	Unit    string // "" where the process was named itself
	Name    string // comm
	Program string // the file it runs
	Go      string // the version it was built with; "": no Go program, or it cannot be read
	Module  string // its main module's path
	Build   []Pair // of Go's build settings, those that change how it runs
	Facts   []Pair // of /proc/PID/status: memory in KiB, threads
	Limits  []Pair // soft and hard
	Vars    []Pair // GOGC and its like, as the process was given them
	CGroup  string // its memory control group's limit, in bytes; "": none, or not known
	Netns   bool   // it has a network of its own, out of reach from here
}

// Pair is a name and what it is.
type Pair struct{ Name, Value string }

var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.@\\-]{1,255}$`)

// Find makes a process of what a person called it: a number, or a unit, whose main
// process it is.
func Find(ctx context.Context, m machine.Machine, name string) (*Process, error) {
	if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
		return read(m, pid)
	}
	if !unitName.MatchString(name) || strings.HasPrefix(name, "-") {
		return nil, lang.Errorf(nil, "cannot profile %q: it is neither a process number nor a unit", "无法分析 %q：既不是进程号，也不是服务单元", op.Visible(name)).
			WithHint("name a unit (nginx.service) or a process number (pgrep -a NAME)", "请给出服务单元（nginx.service）或进程号（pgrep -a 名称）")
	}
	if !strings.Contains(name, ".") {
		name += ".service"
	}
	show := map[string]string{}
	c := machine.Command{Argv: []string{"systemctl", "show", "-p", "MainPID,LoadState,ActiveState", "--", name}, Timeout: 10 * time.Second}
	err := m.Run(ctx, c, func(line string) {
		k, v, _ := strings.Cut(line, "=")
		show[k] = v
	})
	if err != nil {
		return nil, lang.Errorf(err, "cannot ask the service manager for %s", "无法向服务管理器查询 %s", name).
			WithHint("is this machine's init systemd? Otherwise name the process by its number: pgrep -a NAME", "本机是否使用 systemd？若不是，请给出进程号：pgrep -a 名称")
	}
	if show["LoadState"] == "not-found" {
		return nil, lang.Errorf(nil, "cannot profile %s: there is no such unit", "无法分析 %s：没有这个服务单元", name).
			WithHint("systemctl list-units --type=service shows those that run", "systemctl list-units --type=service 可列出正在运行的服务")
	}
	pid, err := strconv.Atoi(show["MainPID"])
	if err != nil || pid <= 0 {
		return nil, lang.Errorf(nil, "cannot profile %s: it does not run (%s)", "无法分析 %s：它没有在运行（%s）", name, op.Visible(show["ActiveState"])).
			WithHint("start it: systemctl start %s", "请先启动：systemctl start %s", name)
	}
	p, err := read(m, pid)
	if p != nil {
		p.Unit = name
	}
	return p, err
}

func dirOf(pid int) string { return path.Join("/proc", strconv.Itoa(pid)) }

func read(m machine.Machine, pid int) (*Process, error) {
	if _, err := m.Kernel(); err != nil {
		return nil, lang.Errorf(err, "cannot profile anything here", "此处无法分析").WithHint("leave --root out", "请去掉 --root")
	}
	p := &Process{PID: pid}
	dir := dirOf(pid)
	comm, err := m.ReadFile(path.Join(dir, "comm"))
	if err != nil {
		e := lang.Errorf(err, "cannot profile process %d", "无法分析进程 %d", pid)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, e.WithHint("it has ended; pgrep -a NAME shows the number it has now", "它已结束；pgrep -a 名称 可查到现在的进程号")
		}
		return nil, e.WithHint("run goxin as root", "请以 root 身份运行 goxin")
	}
	p.Name = op.Visible(strings.TrimSpace(string(comm)))
	if exe, err := m.Readlink(path.Join(dir, "exe")); err == nil {
		p.Program = op.Visible(exe)
	}
	p.built(m, path.Join(dir, "exe"))
	if data, err := m.ReadFile(path.Join(dir, "status")); err == nil {
		p.Facts = picked(string(data), "VmRSS", "VmHWM", "RssAnon", "VmSwap", "Threads", "Seccomp")
	}
	if data, err := m.ReadFile(path.Join(dir, "limits")); err == nil {
		p.Limits = limits(string(data))
	}
	if data, err := m.ReadFile(path.Join(dir, "environ")); err == nil {
		p.Vars = variables(string(data))
	}
	if data, err := m.ReadFile(path.Join(dir, "cgroup")); err == nil {
		p.CGroup = memoryLimit(m, string(data))
	}
	theirs, err := m.Readlink(path.Join(dir, "ns/net"))
	ours, err2 := m.Readlink("/proc/self/ns/net")
	p.Netns = err == nil && err2 == nil && theirs != ours
	return p, nil
}

// built reads what Go's linker left in the program.
func (p *Process) built(m machine.Machine, exe string) {
	f, err := m.Open(exe)
	if err != nil {
		return
	}
	defer f.Close()
	at, ok := f.(io.ReaderAt)
	if !ok {
		return
	}
	info, err := buildinfo.Read(at)
	if err != nil {
		return
	}
	p.Go, p.Module = op.Visible(info.GoVersion), op.Visible(info.Main.Path)
	for _, s := range info.Settings {
		switch s.Key {
		case "GOAMD64", "GOARM64", "CGO_ENABLED", "-race", "-pgo", "-tags", "DefaultGODEBUG":
			p.Build = append(p.Build, Pair{s.Key, op.Visible(s.Value)})
		}
	}
}

// picked are some of the lines "Name:\tvalue", in the order they are asked for.
func picked(text string, names ...string) []Pair {
	at := map[string]string{}
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(line, ":")
		at[k] = op.Visible(strings.Join(strings.Fields(v), " "))
	}
	var out []Pair
	for _, n := range names {
		if v := at[n]; v != "" {
			out = append(out, Pair{n, v})
		}
	}
	return out
}

// limits reads /proc/PID/limits, whose columns are fixed: those a service runs into.
func limits(text string) []Pair {
	var out []Pair
	for line := range strings.Lines(text) {
		for _, n := range []string{"Max open files", "Max processes", "Max locked memory", "Max core file size"} {
			if rest, ok := strings.CutPrefix(line, n); ok {
				if f := strings.Fields(rest); len(f) >= 2 {
					out = append(out, Pair{strings.TrimPrefix(n, "Max "), op.Visible(f[0] + " / " + f[1])})
				}
			}
		}
	}
	return out
}

// variables are those of Go's runtime in an environment. Nothing else of it is looked at.
func variables(environ string) []Pair {
	var out []Pair
	for _, name := range []string{"GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG", "GOTRACEBACK"} {
		for v := range strings.SplitSeq(environ, "\x00") {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				out = append(out, Pair{name, op.Visible(value)})
				break
			}
		}
	}
	return out
}

// memoryLimit is the smallest limit from the process's group up to the root.
func memoryLimit(m machine.Machine, groups string) string {
	least := uint64(0)
	for line := range strings.Lines(groups) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) < 3 || !strings.HasPrefix(part[2], "/") {
			continue
		}
		top, file := "/sys/fs/cgroup", "memory.max"
		if part[1] == "memory" {
			top, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		} else if part[1] != "" {
			continue
		}
		for dir := path.Clean(part[2]); ; dir = path.Dir(dir) {
			if data, err := m.ReadFile(path.Join(top, dir, file)); err == nil {
				n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
				if err == nil && n > 0 && n < 1<<62 && (least == 0 || n < least) {
					least = n
				}
			}
			if dir == "/" {
				break
			}
		}
	}
	if least == 0 {
		return ""
	}
	return strconv.FormatUint(least, 10)
}
