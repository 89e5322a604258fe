package whichgo

import (
	"go/version"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Text is the decision in one sentence; empty where there is trouble (Err).
func (d Decision) Text(s *Situation) lang.Text {
	name := op.Visible(d.Toolchain)
	switch {
	case d.Trouble != NoTrouble:
		return lang.Text{}
	case d.Download:
		proxy, _ := s.Setting("GOPROXY")
		return lang.F("%s would be downloaded (GOPROXY=%s): %s", "将从 GOPROXY=%[2]s 下载 %[1]s：%[3]s", name, op.Visible(proxy), d.because(s))
	}
	return lang.F("%s runs, %s: %s", "运行的是 %s（%s）：%s", name, op.Visible(d.Program), d.because(s))
}

// because says who decided.
func (d Decision) because(s *Situation) lang.Text {
	switch d.By {
	case ByToolchain:
		return lang.F("the toolchain line of %s", "由 %s 的 toolchain 行决定", op.Visible(s.Module.Path))
	case ByGoLine:
		return lang.F("the go line of %s", "由 %s 的 go 行决定", op.Visible(s.Module.Path))
	case ByEnv, ByUser, ByGoEnv:
		if v, by := s.Setting("GO111MODULE"); d.Setting == "" && by == d.By {
			return lang.F("GO111MODULE=%s in %s; nothing else is asked", "%[2]s中的 GO111MODULE=%[1]s，其余一律不看", op.Visible(v), s.place(by))
		}
		return lang.F("GOTOOLCHAIN=%s in %s", "由%[2]s中的 GOTOOLCHAIN=%[1]s 决定", op.Visible(d.Setting), s.place(d.By))
	}
	if d.Setting != "" {
		return lang.F("it is the first go in PATH, and nothing asks for another (GOTOOLCHAIN=%s)", "它是 PATH 中的第一个 go，且没有其他要求（GOTOOLCHAIN=%s）", op.Visible(d.Setting))
	}
	return lang.T("it is the first go in PATH", "它是 PATH 中的第一个 go")
}

// place names a place.
func (s *Situation) place(by Kind) lang.Text {
	switch by {
	case ByEnv:
		return lang.T("the environment", "环境变量")
	case ByUser:
		return lang.Same(op.Visible(s.User.Path))
	case ByGoEnv:
		return lang.Same(op.Visible(s.GoEnv.Path))
	}
	return lang.Same("PATH")
}

// Err is the trouble for people; nil for none.
func (d Decision) Err(s *Situation) error {
	name := op.Visible(d.Toolchain)
	v := strings.TrimPrefix(versionOf(d.Toolchain), "go")
	switch d.Trouble {
	case NoGo:
		return lang.Errorf(nil, "cannot run Go: PATH has no program called go", "无法运行 Go：PATH 中没有名为 go 的程序").
			WithHint("open a new login shell after goxin's environment step, or install one: goxin toolchain install", "执行过 goxin 的 environment 步骤后请重新登录；尚未安装时执行 goxin toolchain install")
	case Shim:
		return lang.Errorf(nil, "cannot tell which Go runs: %s is not Go's own program but something that starts one", "无法判断运行哪个 Go：%s 不是 Go 自带的程序，而是用来启动它的脚本或包装程序", op.Visible(s.Programs[0].Path)).
			WithHint("another version manager stands before goxin in PATH; ask it, or take its directory out of PATH", "PATH 中排在前面的是其他版本管理工具；请查询该工具，或将其目录移出 PATH")
	case NoGoroot:
		return lang.Errorf(nil, "cannot run Go: GOROOT is %s (%s), and there is no such directory", "无法运行 Go：GOROOT 为 %s（来自%s），但该目录不存在", op.Visible(s.GOROOT), s.place(s.GOROOTBy)).
			WithHint("take GOROOT away: Go finds its own files", "请去掉 GOROOT：Go 能自行找到所需文件")
	case BadSetting:
		return lang.Errorf(nil, "cannot run Go: GOTOOLCHAIN=%s in %s says nothing that it knows", "无法运行 Go：%[2]s中的 GOTOOLCHAIN=%[1]s 无法识别", op.Visible(d.Setting), s.place(d.SettingBy)).
			WithHint("local, path, auto, or a version such as go1.26.8+path", "可用 local、path、auto，或 go1.26.8+path 这样的版本")
	case BadLine:
		return lang.Errorf(nil, "cannot run Go: the toolchain line of %s says %s, which is no toolchain", "无法运行 Go：%s 的 toolchain 行写的是 %s，不是有效的工具链名", op.Visible(s.Module.Path), name).
			WithHint("write it as go1.26.8", "写法应如 go1.26.8")
	case BadWorkPath:
		return lang.Errorf(nil, "cannot run Go: GOWORK is not an absolute path", "无法运行 Go：GOWORK 不是绝对路径").
			WithHint("write the whole path, or off", "请写完整路径，或写 off")
	case BadModules:
		m, _ := s.Setting("GO111MODULE")
		return lang.Errorf(nil, "cannot run Go: GO111MODULE=%s in %s says nothing that it knows", "无法运行 Go：%[2]s中的 GO111MODULE=%[1]s 无法识别", op.Visible(m), s.place(d.By)).
			WithHint("take it away: modules are on", "请去掉该设置：模块模式默认开启")
	case WrongName:
		return lang.Errorf(nil, "cannot run %s: %s is really %s", "无法运行 %s：%s 实际是 %s", name, op.Visible(d.Program), op.Visible(s.Named[d.Toolchain].Version)).
			WithHint("remove that program or link, and install the version: goxin toolchain install %s", "请删除该程序或链接，再安装对应版本：goxin toolchain install %s", v)
	case NotInPath:
		e := lang.Errorf(nil, "cannot run %s, wanted by %s: it is not in PATH, and GOTOOLCHAIN=%s in %s looks nowhere else", "无法运行 %s（%s）：PATH 中没有它，而%[4]s中的 GOTOOLCHAIN=%[3]s 只在 PATH 中查找",
			name, d.wanted(s), op.Visible(d.Setting), s.place(d.SettingBy))
		if d.By == ByGoLine {
			if n := oldest(s.names(), "go"+s.Module.Go); n != "" {
				return e.WithHint("a go line means exactly its first release; %s is there and would do: write `toolchain %[1]s` below the go line, or use eval \"$(goxin toolchain env)\"",
					"go 行只对应该版本线的首个发布；已有的 %s 即可满足：在 go 行下写 `toolchain %[1]s`，或执行 eval \"$(goxin toolchain env)\"", op.Visible(n))
			}
		}
		return e.WithHint("install it: goxin toolchain install %s", "请先安装：goxin toolchain install %s", v)
	}
	return nil
}

// wanted says who wants the toolchain, as a noun.
func (d Decision) wanted(s *Situation) lang.Text {
	switch d.By {
	case ByToolchain:
		return lang.F("the toolchain line of %s", "%s 的 toolchain 行要求", op.Visible(s.Module.Path))
	case ByGoLine:
		return lang.F("the go line of %s", "%s 的 go 行要求", op.Visible(s.Module.Path))
	}
	return lang.F("GOTOOLCHAIN in %s", "%s中的 GOTOOLCHAIN 要求", s.place(d.By))
}

// names are the toolchains that PATH has by name.
func (s *Situation) names() []string {
	var out []string
	for n := range s.Named {
		out = append(out, n)
	}
	return sorted(out)
}

// Table is every place that may decide, what it says and what came of it, the one
// that decided marked as best.
func (d Decision) Table(s *Situation) *engine.Table {
	t := &engine.Table{Columns: []engine.Column{
		{Title: lang.T("place", "来源")}, {Title: lang.T("says", "内容")}, {Title: lang.T("effect", "作用")},
	}}
	add := func(key string, m engine.Mark, place lang.Text, says string, effect lang.Text) {
		if says == "" {
			says = "-"
		}
		t.Rows = append(t.Rows, engine.TableRow{Key: key, Mark: m, Cells: []lang.Text{place, lang.Same(op.Visible(says)), effect}})
	}
	for i, p := range s.Programs {
		m, effect := engine.Waiting, lang.T("not reached: it comes later in PATH", "排在后面，不会运行")
		if i == 0 {
			m, effect = engine.Good, lang.T("a shell starts this one", "shell 启动的是它")
		}
		if i == 0 && d.By == ByPath {
			m = engine.Best
		}
		says := p.Path + ", " + p.Version
		if p.Version == "" {
			says = p.Path
		}
		add("go "+p.Path, m, lang.Same("PATH"), says, effect)
	}
	if s.GOROOTBy == ByEnv || s.GOROOTBy == ByUser {
		add("goroot", engine.Unusable, place("GOROOT", s.place(s.GOROOTBy)), s.GOROOT, lang.T("Go's own files are taken from there", "Go 自身的文件取自该目录"))
	}
	if v, by := s.Setting("GO111MODULE"); v != "" && v != "on" {
		m, effect := d.mark(by), lang.T("not understood", "无法识别")
		switch v {
		case "off":
			effect = lang.T("no other toolchain is asked for", "不考虑其他工具链")
		case "auto":
			m, effect = engine.Good, lang.T("without go.mod, no other toolchain is asked for", "没有 go.mod 时不考虑其他工具链")
		}
		add("modules", m, place("GO111MODULE", s.place(by)), v, effect)
	}
	d.settings(s, add)
	if v, by := s.Setting("GOWORK"); v != "" && v != "auto" {
		m, effect := engine.Good, lang.T("this go.work, wherever the project is", "无论项目在哪，都用这个 go.work")
		switch {
		case v == "off":
			effect = lang.T("no go.work is read", "不读取 go.work")
		case d.Trouble == BadWorkPath:
			m, effect = engine.Best, lang.T("not an absolute path", "不是绝对路径")
		}
		add("gowork", m, place("GOWORK", s.place(by)), v, effect)
	}
	d.modules(s, add)
	if len(s.Named) > 0 {
		says, effect := strings.Join(s.names(), ", "), lang.T("toolchains by name; not asked for", "按名称可用的工具链，本次未用到")
		switch p, ok := s.Named[d.Toolchain]; {
		case d.Trouble == NotInPath:
			effect = lang.F("toolchains by name; %s is not among them", "按名称可用的工具链，其中没有 %s", op.Visible(d.Toolchain))
		case ok && d.Program == p.Path:
			says, effect = p.Path, lang.F("%s is started by its name", "按名称启动 %s", op.Visible(d.Toolchain))
		}
		add("named", engine.Waiting, lang.Same("PATH"), says, effect)
	}
	if s.Pin.Path != "" {
		says := s.Pin.Version
		add("pin", engine.Waiting, lang.Same(op.Visible(s.Pin.Path)), says, lang.T("the go command does not read it; goxin toolchain env does", "go 命令不读取；goxin toolchain env 会读取"))
	}
	return t
}

func place(key string, where lang.Text) lang.Text { return lang.F("%s, %s", "%s，%s", key, where) }

func (d Decision) mark(by Kind) engine.Mark {
	if d.By == by {
		return engine.Best
	}
	return engine.Good
}

// settings are the three places that GOTOOLCHAIN may be said in.
func (d Decision) settings(s *Situation, add func(string, engine.Mark, lang.Text, string, lang.Text)) {
	_, counts := s.Setting("GOTOOLCHAIN")
	for _, p := range []struct {
		by   Kind
		file string
		says string
	}{
		{ByEnv, "", s.Env["GOTOOLCHAIN"]},
		{ByUser, s.User.Path, s.User.Values["GOTOOLCHAIN"]},
		{ByGoEnv, s.GoEnv.Path, s.GoEnv.Values["GOTOOLCHAIN"]},
	} {
		if p.by != ByEnv && p.file == "" {
			continue
		}
		m, effect := engine.Waiting, lang.T("says nothing of it", "未设置")
		switch {
		case p.by == counts && d.SettingBy == counts:
			m, effect = d.mark(p.by), meaning(p.says)
			if d.Trouble == BadWorkPath {
				m = engine.Good
			}
		case p.by == counts:
			effect = lang.T("not asked", "不起作用")
		case p.says != "":
			effect = lang.F("overruled by %s", "被%s覆盖", s.place(counts))
		}
		add("gotoolchain "+string(p.by), m, place("GOTOOLCHAIN", s.place(p.by)), p.says, effect)
	}
}

// meaning says what a GOTOOLCHAIN allows.
func meaning(setting string) lang.Text {
	m, ok := readSetting(setting)
	switch {
	case !ok:
		return lang.T("not understood", "无法识别")
	case m.least == "local" && !m.auto:
		return lang.T("the go that is started, and no other", "只用所启动的 go")
	case !m.auto:
		return lang.T("this version, and no other", "只用该版本")
	case m.path:
		return lang.T("go.work or go.mod may ask for a newer one that PATH has", "go.work、go.mod 可要求更新的版本，只在 PATH 中查找")
	}
	return lang.T("go.work or go.mod may ask for a newer one, downloaded if need be", "go.work、go.mod 可要求更新的版本，必要时下载")
}

func (d Decision) modules(s *Situation, add func(string, engine.Mark, lang.Text, string, lang.Text)) {
	m := s.Module
	if m.Path == "" {
		add("module", engine.Waiting, lang.Same("go.work, go.mod"), "", lang.F("none at or above %s", "%s 及其上级目录中都没有", op.Visible(s.Dir)))
		return
	}
	var says []string
	if m.Go != "" {
		says = append(says, "go "+m.Go)
	}
	if m.Toolchain != "" {
		says = append(says, "toolchain "+m.Toolchain)
	}
	mark, effect := engine.Waiting, lang.T("no newer one is asked for", "不要求更新的版本")
	mode, ok := readSetting(d.Setting)
	switch {
	case m.Ignored:
		effect = lang.T("ignored: the go command reads no go.mod in the directory for temporary files itself", "被忽略：go 命令不读取临时目录本身中的 go.mod")
	case d.By == ByToolchain || d.By == ByGoLine:
		mark, effect = engine.Best, lang.F("asks for %s", "要求 %s", op.Visible(d.Toolchain))
	case !ok || !mode.auto:
		effect = lang.T("not asked which toolchain it wants", "不询问它要求的工具链")
	}
	add("module", mark, lang.Same(op.Visible(m.Path)), strings.Join(says, ", "), effect)
}

// Warnings are what will surprise somebody, now or after the next change of Go.
func (d Decision) Warnings(s *Situation) []lang.Text {
	var out []lang.Text
	warn := func(en, zh string, args ...any) { out = append(out, lang.F(en, zh, args...)) }
	if v := s.User.Values["GOROOT"]; v != "" {
		warn("%s sets GOROOT to %s, for every Go that this person runs and after every change of Go. Take it away: go env -u GOROOT", "%s 把 GOROOT 设为 %s，对该用户运行的每个 Go 都生效，换了 Go 之后依然如此。请去掉：go env -u GOROOT", op.Visible(s.User.Path), op.Visible(v))
	}
	if v := s.Env["GOROOT"]; v != "" {
		warn("GOROOT=%s is in the environment. Go has found its own files by itself since 1.9; take it out of the profile that sets it.", "环境变量中有 GOROOT=%s。自 1.9 起 Go 能自行找到所需文件；请从设置它的配置文件中删除。", op.Visible(v))
	}
	if s.GOROOTBy != ByPath && s.GOROOTVersion != "" && len(s.Programs) > 0 && s.Programs[0].Version != "" && s.GOROOTVersion != s.Programs[0].Version {
		warn("that GOROOT is %s and the go that is started is %s: builds fail with version mismatches.", "该 GOROOT 是 %s，而启动的 go 是 %s：编译时会报版本不一致。", op.Visible(s.GOROOTVersion), op.Visible(s.Programs[0].Version))
	}
	if v := s.User.Values["GOTOOLCHAIN"]; v != "" {
		warn("%s sets GOTOOLCHAIN to %s: it outlives every reinstallation of Go (golang/go#65568). If nobody wants it any more: go env -u GOTOOLCHAIN", "%s 把 GOTOOLCHAIN 设为 %s：重装 Go 也不会清除（golang/go#65568）。若已不需要：go env -u GOTOOLCHAIN", op.Visible(s.User.Path), op.Visible(v))
	}
	if len(s.Programs) > 0 {
		if v := versionOf(s.Programs[0].Version); v != "" && version.Compare(v, first) < 0 {
			warn("%s is older than Go 1.21: it reads neither GOTOOLCHAIN nor the toolchain line.", "%s 早于 Go 1.21：不读取 GOTOOLCHAIN，也不看 toolchain 行。", op.Visible(s.Programs[0].Version))
		}
	}
	if p := s.Pin; p.Path != "" && d.Trouble == NoTrouble && p.Version != "" && d.Toolchain != "go"+p.Version && version.Lang(versionOf(d.Toolchain)) != "go"+p.Version {
		warn("%s asks for %s, and %s runs. To go by it: eval \"$(goxin toolchain env)\"", "%s 要求 %s，实际运行的是 %s。要按它执行：eval \"$(goxin toolchain env)\"", op.Visible(p.Path), op.Visible(p.Version), op.Visible(d.Toolchain))
	}
	return out
}
