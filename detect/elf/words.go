package elf

import (
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// Text says what is wrong with the library, without who needs it.
func (f Finding) Text() lang.Text {
	name, found := Show(f.Library), Show(f.Found)
	if f.Beside != "" {
		return lang.F("%s: not where the loader looks, but beside: %s", "%s：不在加载器的搜索路径中，但私有目录中有：%s", name, Show(f.Beside))
	}
	switch f.Problem {
	case NoInterpreter:
		return lang.F("%s: the interpreter is missing", "%s：缺少解释器", name)
	case OtherWorld:
		if f.Found == "" {
			return lang.F("%s: made for LoongArch's other ABI; its loader is not on this machine", "%s：程序属于龙架构的另一种 ABI（新旧世界不符），本机没有对应的加载器", name)
		}
		return lang.F("%s: %s is of LoongArch's other ABI (%s is wanted)", "%[1]s：%[2]s 属于龙架构的另一种 ABI（新旧世界不符，需要 %[3]s）", name, found, Show(f.Version))
	case WrongArch:
		if f.Found == "" {
			return lang.F("%s: made for another processor or system", "%s：为其他处理器或系统编译", name)
		}
		return lang.F("%s: %s is for another processor", "%s：%s 为其他处理器编译", name, found)
	case NotLoadable:
		return lang.F("%s: %s is no sound shared object", "%s：%s 不是完好的共享库", name, found)
	case LacksVersion:
		return lang.F("%s: %s lacks version %s", "%s：%s 缺少版本 %s", name, found, Show(f.Version))
	}
	return lang.F("%s: not found", "%s：找不到", name)
}

// Show is a name from a file nobody vouches for, safe to print: what a terminal
// would not just show is quoted.
func Show(s string) string {
	if strings.ContainsFunc(s, func(c rune) bool { return !strconv.IsPrint(c) }) || strings.ContainsRune(s, '\ufffd') {
		return strconv.QuoteToASCII(s)
	}
	return s
}

// loaderOf is the interpreter of a program, or the one objects like it have.
func loaderOf(o *Object) string {
	if o.Interp != "" {
		return o.Interp
	}
	if l := o.Arch.platform().loaders; len(l) > 0 {
		return l[0]
	}
	return o.Arch.String()
}
