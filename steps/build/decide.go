package build

import "goxin/assets/lang"

// mode is how the programs of a target are compiled.
type mode string

const (
	auto   mode = "auto"
	native mode = "native" // on a machine of the target's own kind
	cross  mode = "cross"  // on another machine, for the target
)

// question is what the decision is made from. Reasons are empty where there is nothing
// in the way.
type question struct {
	Own    bool      // the target is this machine's own platform
	Cannot lang.Text // why the target cannot compile for itself, as far as is known
	Here   lang.Text // why this machine cannot compile for it; of the own platform the same
	NoC    lang.Text // why there is no C compiler here for the target; empty without cgo
	Strong bool      // this machine is as good as a build server
	Often  bool
	Asked  mode
}

// verdict is a mode and its reason. Warn says that it leaves something undone.
type verdict struct {
	Mode mode
	Why  lang.Text
	Warn bool
}

// decide is the chart: can the target run a compiler? If not, cross is a must. If it
// can, how often is it built? Often: cross is recommended; seldom: native will do.
// Native is for looking into things where they run, cross for series and CI.
//
// It departs from that where the chart has nothing to offer: a machine that is a build
// server itself needs no other, and C without a cross compiler is for the target.
func decide(q question) verdict {
	if q.Asked == native {
		return verdict{native, because(lang.T("native is what the answers say", "应答指定在目标机上编译"), q.Cannot), !q.Cannot.Empty()}
	}
	if q.Asked == cross {
		why := lang.T("cross is what the answers say", "应答指定交叉编译")
		if q.Own {
			return verdict{cross, why, false}
		}
		return verdict{cross, because(because(why, q.Here), q.NoC), !q.Here.Empty() || !q.NoC.Empty()}
	}
	if q.Own {
		return decideOwn(q)
	}
	switch must := !q.Cannot.Empty(); {
	case !q.Here.Empty() && must:
		return verdict{cross, lang.F("the target cannot compile for itself (%s), and neither can this machine (%s): a third one has to", "目标机自身无法编译（%s），本机也无法编译（%s）：需要第三台机器", q.Cannot, q.Here), true}
	case !q.Here.Empty():
		return verdict{native, lang.F("this machine cannot compile: %s", "本机无法编译：%s", q.Here), true}
	case must && !q.NoC.Empty():
		return verdict{cross, lang.F("cross is a must: %s; but only without C: %s", "必须交叉编译：%s；但只能不含 C：%s", q.Cannot, q.NoC), true}
	case must:
		return verdict{cross, lang.F("cross is a must: %s", "必须交叉编译：%s", q.Cannot), false}
	case !q.NoC.Empty():
		return verdict{native, lang.F("C has to be compiled where it runs: %s", "C 代码需在目标机上编译：%s", q.NoC), true}
	case q.Often:
		return verdict{cross, lang.T("it is built often: a cross build takes none of the target's time, and each of them gets the same bytes", "构建频繁：交叉编译不占用目标机，各目标机得到的程序完全一致"), false}
	}
	return verdict{native, lang.T("it is built seldom: native will do, and lets programs be looked into where they run; a machine with less than 1 GiB of memory still needs cross", "很少构建：在目标机上编译即可，也便于就地调试；内存不足 1 GiB 的目标机仍需交叉编译"), false}
}

func decideOwn(q question) verdict {
	switch {
	case !q.Cannot.Empty():
		return verdict{cross, lang.F("cross is a must: %s", "必须交叉编译：%s", q.Cannot), true}
	case q.Often && q.Strong:
		return verdict{native, lang.T("it is built often, and this machine has the processors and the memory of a build server", "构建频繁，而本机的处理器和内存足以充当构建服务器"), false}
	case q.Often:
		return verdict{cross, lang.T("it is built often: let a machine with 8 processors and 16 GiB of memory, or CI, do that, and keep the compiler here for looking into things", "构建频繁：建议交给 8 核、16 GiB 内存以上的机器或 CI，本机的编译器用于调试"), false}
	}
	return verdict{native, lang.T("it is built seldom: native will do, and lets programs be looked into where they run", "很少构建：本机编译即可，也便于就地调试"), false}
}

// because is why, and what stands against it.
func because(why, against lang.Text) lang.Text {
	if against.Empty() {
		return why
	}
	return lang.F("%s; but %s", "%s；但%s", why, against)
}
