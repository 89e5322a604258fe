package steps

import (
	"slices"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Purposes are what a machine can become with the steps there are, most usual
// first. Each is a choice of steps with answers to begin with; a person may
// change both.
func Purposes() []engine.Purpose {
	return slices.DeleteFunc(purposes(), func(p engine.Purpose) bool {
		return slices.ContainsFunc(p.Steps, func(id string) bool {
			return !slices.ContainsFunc(All(), func(s engine.Step) bool { return s.ID() == id })
		})
	})
}

func purposes() []engine.Purpose {
	return []engine.Purpose{
		{
			ID: "service", Title: lang.T("Go service host", "Go 服务主机"),
			Help: lang.T("Runs Go services: clock, mirror, libraries, kernel parameters for many connections, Go, what Go programs run with, and one of them as a hardened unit.",
				"运行 Go 服务：时钟、软件源、依赖库、面向大量连接的内核参数、Go、Go 程序的运行参数，并把其中一个部署为加固的 systemd 服务。"),
			Steps:   []string{"time", "mirror", "libs", "kernel", "toolchain", "environment", "runtime", "service"},
			Answers: engine.Answers{"kernel": {"profile": "web"}},
		},
		{
			ID: "build", Title: lang.T("Build host", "构建主机"),
			Help: lang.T("Compiles Go programs for this and other platforms: compiler, make, git, kernel parameters for many files, Go, and a program built for each target.",
				"为本平台和其他平台编译 Go 程序：编译器、make、git、面向大量文件的内核参数、Go，并为每个目标平台试编一个程序。"),
			Steps:   []string{"time", "mirror", "libs", "devtools", "kernel", "toolchain", "environment", "build"},
			Answers: engine.Answers{"kernel": {"profile": "build"}},
		},
		{
			ID: "pair", Title: lang.T("HA pair", "高可用双机"),
			Help: lang.T("A Go service host whose address moves to a second one when it fails, proved by a drill.",
				"Go 服务主机，故障时虚拟地址切换到另一台，并以演练验证。"),
			Steps:   []string{"peer", "time", "mirror", "libs", "kernel", "toolchain", "environment", "runtime", "service", "ha"},
			Answers: engine.Answers{"kernel": {"profile": "web"}},
		},
	}
}
