package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/overlay"
	"goxin/steps/selftest"
)

// oldWorldReport is what tells whether goxin's overlay holds on a kernel: what the
// machine says of itself, how the kernel takes signal sets, and what the runtime that
// goxin itself was built with did there.
type oldWorldReport struct {
	Version     int                 `json:"version"`
	Overlay     int                 `json:"overlay"` // 0: this goxin was built without
	Built       string              `json:"built"`   // with which Go
	Kernel      machine.Kernel      `json:"kernel"`
	World       detect.Fact[string] `json:"world"`
	UserWorld   detect.Fact[string] `json:"user_world"`
	Hwcap       string              `json:"hwcap"` // AT_HWCAP, hexadecimal
	HasVDSO     bool                `json:"vdso"`
	SelfTest    *selftest.Result    `json:"self_test,omitempty"`
	SelfTestErr lang.Text           `json:"self_test_error,omitzero"`
}

// captureOldWorld captures this machine and what an old-world report needs beside that.
func (a *app) captureOldWorld(ctx context.Context, w io.Writer) error {
	m := a.machine()
	f, err := detect.Detect(ctx, m)
	if err != nil {
		return err
	}
	if f.Arch.GOARCH.Value != overlay.Arch {
		return usageError{lang.Errorf(nil, "cannot capture an old world: this machine is %s, and only LoongArch has two worlds", "无法采集旧世界信息：本机为 %s，只有龙架构分新旧世界", f.Arch.GOARCH.Value).
			WithHint("leave --oldworld out", "请去掉 --oldworld")}
	}
	r := oldWorldReport{Version: 1, Built: runtime.Version(), World: f.Kernel.World, UserWorld: f.Kernel.UserWorld}
	if r.Kernel, err = m.Kernel(); err != nil {
		return err
	}
	r.Kernel.Hostname = ""
	r.Overlay = overlayInside("/proc/self/exe")
	r.Hwcap, r.HasVDSO = auxiliary(m)
	a.say("trying the runtime of this very program: half a minute", "正在自检本程序自身的运行时：约半分钟")
	if r.SelfTest, err = selftest.Self(ctx, m, r.Built); err != nil {
		r.SelfTestErr = lang.F("%s", "%s", err)
	} else {
		a.printSelftest(r.SelfTest)
	}
	archive, err := detect.Collect(ctx, m, f)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if archive.Beside == nil {
		archive.Beside = map[string][]byte{}
	}
	archive.Beside["oldworld.json"] = append(text, '\n')
	return archive.Write(w)
}

// overlayInside is which overlay a program was built with; 0: with none.
func overlayInside(name string) int {
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	if p, err := overlay.Inspect(f); err != nil || !p.Probes {
		return 0
	}
	return overlay.Number
}

// auxiliary reads AT_HWCAP, and whether there is a vDSO (AT_SYSINFO_EHDR), off this
// process's auxiliary vector: pairs of 64-bit words, proc(5) and getauxval(3).
func auxiliary(m machine.Machine) (hwcap string, vdso bool) {
	const atHwcap, atSysinfoEhdr = 16, 33
	b, err := m.ReadFile("/proc/self/auxv")
	for ; err == nil && len(b) >= 16; b = b[16:] {
		value := binary.NativeEndian.Uint64(b[8:])
		switch binary.NativeEndian.Uint64(b) {
		case atHwcap:
			hwcap = fmt.Sprintf("%#x", value)
		case atSysinfoEhdr:
			vdso = value != 0
		}
	}
	return hwcap, vdso
}
