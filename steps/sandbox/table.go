// Package sandbox is what systemd forbids a service, and the proof that it does. A table
// has, for each directive, the first systemd that knows it, what it needs of the
// machine, and an act that it forbids. From the table come the lines of a unit, for the
// systemd that is there; a probe then tries each act under systemd-run, without the line
// and with it, so that the report can say what is in force and not only what is written.
//
// The package refuses to write a line that the systemd at hand would skip with a warning,
// and to call a line proved whose act is refused without it as well.
package sandbox

import "goxin/assets/lang"

// Level is how much is forbidden.
type Level string

// The levels.
const (
	Strict   Level = "strict"   // all that a network service in Go can do without
	Standard Level = "standard" // what also suits one with cgo, a JIT or children
	None     Level = "none"
)

// seccompLoong is the first systemd whose system call filters know LoongArch (NEWS 255).
const seccompLoong = 255

// Directive is one line, as systemd.exec(5) has it.
type Directive struct {
	Name  string
	Value string
	Since int // the first systemd with it; 0: all that goxin meets
	// Seccomp says that a filter of system calls is all there is to it: nothing where
	// systemd has no filters for the architecture.
	Seccomp bool
	// Users says that it needs user namespaces.
	Users bool
	Only  Level  // Strict: not of Standard
	Probe string // the name of the act that it forbids, for goxin probe
	// Unprivileged acts are tried as nobody: root may do them all the same.
	Unprivileged bool
	Why          lang.Text // what it forbids
}

// Line is the directive as a unit has it.
func (d Directive) Line() string { return d.Name + "=" + d.Value }

// Machine is what the lines depend on.
type Machine struct {
	Systemd int    // its version
	GOARCH  string // of the processor
	Users   bool   // user namespaces can be made
}

// Service is what it has to be able to do all the same.
type Service struct {
	Level   Level
	LowPort bool // it listens below 1024
}

// Skipped is a directive that is not written, and why.
type Skipped struct {
	Directive
	Because lang.Text
}

// Lines are the directives for a service on a machine, in the order they are written,
// and what is left out.
func Lines(m Machine, s Service) (lines []Directive, skipped []Skipped) {
	if s.Level == None {
		return nil, nil
	}
	skip := func(d Directive, en, zh string, args ...any) {
		skipped = append(skipped, Skipped{d, lang.F(en, zh, args...)})
	}
	for _, d := range table(s) {
		switch {
		case d.Only == Strict && s.Level != Strict:
		case m.Systemd < d.Since:
			skip(d, "systemd %d does not know it; %d does", "systemd %d 不支持，%d 起才有", m.Systemd, d.Since)
		case d.Seccomp && m.GOARCH == "loong64" && m.Systemd < seccompLoong:
			skip(d, "systemd %d has no system call filter for LoongArch; %d has", "systemd %d 在 LoongArch 上没有系统调用过滤，%d 起才有", m.Systemd, seccompLoong)
		case d.Users && !m.Users:
			skip(d, "this kernel makes no user namespaces (user.max_user_namespaces)", "内核不允许创建用户命名空间（user.max_user_namespaces）")
		case d.Users && s.LowPort:
			skip(d, "in a user namespace of its own it could not listen below 1024", "在独立的用户命名空间中无法监听 1024 以下端口")
		default:
			lines = append(lines, d)
		}
	}
	return lines, skipped
}

func table(s Service) []Directive {
	caps, ambient := "", ""
	if s.LowPort {
		caps, ambient = "CAP_NET_BIND_SERVICE", "CAP_NET_BIND_SERVICE"
	}
	families := "AF_INET AF_INET6 AF_UNIX"
	family := "netlink"
	if s.Level == Standard { // Go asks for the network's interfaces that way
		families, family = families+" AF_NETLINK", "packet"
	}
	out := []Directive{
		{Name: "NoNewPrivileges", Value: "yes", Probe: "setuid-program", Unprivileged: true, Why: lang.T("gaining privileges from a setuid program", "借助 setuid 程序提权")},
		{Name: "CapabilityBoundingSet", Value: caps, Probe: "chroot", Why: lang.T("root's powers, even for root", "root 的各项特权（即使以 root 运行）")},
	}
	if ambient != "" {
		out = append(out, Directive{Name: "AmbientCapabilities", Value: ambient, Probe: "", Why: lang.T("nothing: it lets the service listen below 1024", "无：允许监听 1024 以下端口")})
	}
	return append(out, []Directive{
		{Name: "ProtectSystem", Value: "strict", Probe: "write-var", Why: lang.T("writing anywhere but where it is let", "写入未放行的任何位置")},
		{Name: "ProtectHome", Value: "yes", Probe: "write-home", Why: lang.T("people's homes", "访问用户主目录")},
		{Name: "PrivateTmp", Value: "yes", Probe: "see-tmp", Why: lang.T("other programs' temporary files", "看到其他程序的临时文件")},
		{Name: "PrivateDevices", Value: "yes", Probe: "device", Why: lang.T("disks and other devices", "访问磁盘等设备")},
		{Name: "PrivateUsers", Value: "yes", Users: true, Only: Strict, Probe: "chown", Why: lang.T("acting as another user", "以其他用户身份操作")},
		{Name: "ProtectKernelTunables", Value: "yes", Probe: "tunable", Why: lang.T("kernel parameters", "修改内核参数")},
		{Name: "ProtectKernelModules", Value: "yes", Probe: "module", Why: lang.T("loading kernel modules", "加载内核模块")},
		{Name: "ProtectKernelLogs", Value: "yes", Since: 244, Probe: "kernel-log", Why: lang.T("the kernel's log", "读取内核日志")},
		{Name: "ProtectControlGroups", Value: "yes", Probe: "cgroup", Why: lang.T("other services' limits", "修改控制组")},
		{Name: "ProtectClock", Value: "yes", Since: 245, Probe: "clock", Why: lang.T("setting the clock", "设置时钟")},
		{Name: "ProtectHostname", Value: "yes", Since: 242, Probe: "hostname", Why: lang.T("renaming the machine", "修改主机名")},
		{Name: "ProtectProc", Value: "invisible", Since: 247, Probe: "see-process", Unprivileged: true, Why: lang.T("seeing other users' processes", "看到其他用户的进程")},
		{Name: "RestrictAddressFamilies", Value: families, Seccomp: true, Probe: "socket-" + family, Why: lang.T("other sockets than those of the Internet and of this machine", "使用互联网与本机套接字以外的协议族")},
		{Name: "RestrictNamespaces", Value: "yes", Seccomp: true, Probe: "namespace", Why: lang.T("making namespaces", "创建命名空间")},
		{Name: "RestrictRealtime", Value: "yes", Seccomp: true, Probe: "realtime", Why: lang.T("running before everybody else", "实时调度")},
		{Name: "RestrictSUIDSGID", Value: "yes", Since: 242, Seccomp: true, Probe: "setuid-bit", Why: lang.T("making setuid programs", "制造 setuid 程序")},
		{Name: "LockPersonality", Value: "yes", Seccomp: true, Probe: "personality", Why: lang.T("imitating another kernel", "切换内核执行域")},
		{Name: "MemoryDenyWriteExecute", Value: "yes", Seccomp: true, Only: Strict, Probe: "write-execute", Why: lang.T("writing machine code and running it", "写入并执行机器码")},
		{Name: "SystemCallArchitectures", Value: "native", Seccomp: true, Probe: "foreign-call", Why: lang.T("32-bit system calls, which filters forget", "容易被过滤遗漏的 32 位系统调用")},
		{Name: "SystemCallFilter", Value: "@system-service", Seccomp: true, Probe: "chroot", Why: lang.T("system calls that no service needs", "服务用不到的系统调用")},
		{Name: "SystemCallFilter", Value: "~@privileged @resources", Seccomp: true, Only: Strict, Probe: "give-away", Why: lang.T("system calls that only root needs", "只有 root 才需要的系统调用")},
		{Name: "SystemCallErrorNumber", Value: "EPERM", Seccomp: true, Probe: "", Why: lang.T("nothing: a call that is refused fails instead of killing", "无：被拒绝的调用返回错误而不是终止进程")},
		{Name: "UMask", Value: "0077", Probe: "umask", Why: lang.T("leaving files that others can read", "留下他人可读的文件")},
	}...)
}
