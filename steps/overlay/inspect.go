package overlay

import (
	"debug/elf"
	"debug/gosym"
	"io"

	"goxin/assets/lang"
)

// Program is what a program's file tells of how it starts.
type Program struct {
	LoongArch bool // it is for a 64-bit LoongArch
	Static    bool // it names no program interpreter
	Probes    bool // it was built with the overlay
}

// Inspect looks at the file of a program that Go built, stripped or not. Whether it
// probes stands in the table by which Go finds functions, which every program has: its
// text proves nothing, since goxin itself carries the overlay's words.
func Inspect(r io.ReaderAt) (Program, error) {
	var p Program
	f, err := elf.NewFile(r)
	if err != nil {
		return p, lang.Errorf(err, "cannot read it as a program", "无法按程序解析")
	}
	p.LoongArch, p.Static = f.Machine == elf.EM_LOONGARCH && f.Class == elf.ELFCLASS64, true
	for _, h := range f.Progs {
		p.Static = p.Static && h.Type != elf.PT_INTERP
	}
	names, text := f.Section(".gopclntab"), f.Section(".text")
	if names == nil || text == nil {
		return p, lang.Errorf(nil, "cannot tell how it starts: it is no program that Go built", "无法判断其启动方式：它不是 Go 编译的程序")
	}
	data, err := names.Data()
	if err != nil {
		return p, lang.Errorf(err, "cannot read it as a program", "无法按程序解析")
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return p, lang.Errorf(err, "cannot read its table of functions", "无法读取其函数表")
	}
	p.Probes = table.LookupFunc("runtime.probeKernelSigABI") != nil
	return p, nil
}
