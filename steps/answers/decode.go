package answers

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Decode reads an answers file. Everything wrong with it comes back at once, as
// a *Problems; name is what its places are called.
func Decode(name string, data []byte, steps []engine.Step) (*File, error) {
	return decode(name, data, steps, current())
}

func decode(name string, data []byte, steps []engine.Step, f format) (*File, error) {
	c := &complaints{file: name}
	root := open(data, c)
	if root == nil {
		return nil, c.err()
	}
	if !f.reads(root, c) {
		return nil, c.err() // of another version nothing else said would be true
	}
	d := decoder{complaints: c, steps: index(steps), sections: new([]section)}
	file := &File{Steps: engine.Answers{}}
	said := false // that something is answered
	for _, p := range root.pairs {
		switch p.key {
		case "version":
		case "steps":
			said = true
			file.Steps = d.answers(p.value, false)
		case "hosts":
			said = true
			file.Hosts = d.hosts(p.value)
		default:
			d.stray(p, "", []string{"version", "steps", "hosts"})
		}
	}
	if !said && len(c.list) == 0 {
		c.add(root.at, lang.T("cannot find steps: the file answers nothing", "未找到 steps：文件中没有任何应答"),
			lang.T("add steps: with a key for each step to run, such as mirror: {}", "请添加 steps:，并为每个要执行的步骤写一个键，如 mirror: {}"))
	}
	d.cross(file.Steps, *d.sections)
	if err := c.err(); err != nil {
		return nil, err
	}
	return file, nil
}

// open gives the file's top map, or nil after complaining.
func open(data []byte, c *complaints) *node {
	src, ok := clean(data, c)
	if !ok {
		return nil
	}
	root := parse(src, c)
	switch {
	case root == nil && len(c.list) == 0:
		c.add(place{}, lang.T("cannot find answers: the file is empty", "未找到应答：文件为空"),
			lang.T("goxin answers new prints a file to start from", "可用 goxin answers new 生成一份模板"))
	case root != nil && root.kind != mapNode:
		if root.kind != badNode {
			c.add(root.at, lang.T("cannot read answers: a map is expected at the top", "无法读取应答文件：顶层应为映射"),
				lang.T("begin with version: 1 and steps:", "请以 version: 1 和 steps: 开头"))
		}
		return nil
	}
	return root
}

// fields are a step's, by key, and the keys in order.
type fields struct {
	id    string
	keys  []string
	byKey map[string]engine.Field
	cross func(engine.Values) map[string]error // nil: each field is judged alone
}

// catalogue is the steps there are.
type catalogue struct {
	ids  []string
	byID map[string]fields
}

func index(steps []engine.Step) catalogue {
	c := catalogue{byID: map[string]fields{}}
	for _, s := range steps {
		f := fields{id: s.ID(), byKey: map[string]engine.Field{}}
		for _, field := range s.Fields() {
			f.keys = append(f.keys, field.Key)
			f.byKey[field.Key] = field
		}
		if x, ok := s.(engine.Crosser); ok {
			f.cross = x.Cross
		}
		c.ids = append(c.ids, s.ID())
		c.byID[s.ID()] = f
	}
	return c
}

type decoder struct {
	*complaints
	steps    catalogue
	sections *[]section // those that are right as far as each field goes
}

// answers reads a map of steps, over or not those of every machine. Nothing
// after the key is an empty map.
func (d decoder) answers(n *node, over bool) engine.Answers {
	out := engine.Answers{}
	if !d.mapping(n, "steps", lang.T("a map of steps", "由步骤组成的映射"),
		lang.T("write a key for each step to run, such as mirror: {}", "请为每个要执行的步骤写一个键，如 mirror: {}")) {
		return out
	}
	for _, p := range n.pairs {
		f, ok := d.steps.byID[p.key]
		if !ok {
			d.stray(p, "steps.", d.steps.ids)
			continue
		}
		before := len(d.complaints.list) + d.more
		out[p.key] = d.values(p.value, f)
		if len(d.complaints.list)+d.more == before {
			*d.sections = append(*d.sections, section{f, p.at, p.value, out[p.key], over})
		}
	}
	return out
}

func (d decoder) values(n *node, f fields) engine.Values {
	out := engine.Values{}
	if !d.mapping(n, f.id, lang.T("a map of its answers", "由应答组成的映射"),
		lang.T("write {} for its defaults", "若用默认值请写 {}")) {
		return out
	}
	for _, p := range n.pairs {
		field, ok := f.byKey[p.key]
		if !ok {
			d.stray(p, f.id+".", f.keys)
			continue
		}
		if v := d.value(f.id+"."+p.key, field, p.value); v != nil {
			out[p.key] = v
		}
	}
	return out
}

// mapping says whether n has pairs to read, and complains if it is not a map.
func (d decoder) mapping(n *node, name string, want, hint lang.Text) bool {
	switch n.kind {
	case mapNode:
		return true
	case scalarNode, listNode:
		d.wrong(name, want, n, hint)
	}
	return false
}

// stray complains about a key that is not there to be used.
func (d decoder) stray(p pair, under string, there []string) {
	if d.full() {
		d.more++
		return
	}
	what := lang.T("there is no such key", "没有这个键")
	hint := didYouMean(p.key, there)
	if under == "steps." {
		what = lang.T("there is no such step", "没有这个步骤")
	}
	if nearest(p.key, there) == "" {
		// The commonest slip is not a misspelt key but one on the wrong level.
		if _, isStep := d.steps.byID[p.key]; isStep {
			hint = lang.F("%s is a step: indent it under steps:", "%s 是步骤：请缩进到 steps: 之下", p.key)
		} else if i := slices.IndexFunc(d.steps.ids, func(id string) bool { _, ok := d.steps.byID[id].byKey[p.key]; return ok }); i >= 0 {
			hint = lang.F("%s is a key of %s: indent it under that", "%s 是 %s 的键：请缩进到其下", p.key, d.steps.ids[i])
		}
	}
	if under == "steps." {
		under = ""
	}
	d.add(p.at, lang.F("cannot use %s: %s", "无法使用 %s：%s", under+quote(p.key), what), hint)
}

func (d decoder) hosts(n *node) []Override {
	hint := lang.T(`write - match: {hostname: "web-*"} and steps: under it`, `请写 - match: {hostname: "web-*"}，并在其下写 steps:`)
	if n.kind != listNode {
		if n.kind == scalarNode || n.kind == mapNode {
			d.wrong("hosts", lang.T("a list", "列表"), n, hint)
		}
		return nil
	}
	var out []Override
	for _, item := range n.items {
		if item.kind == nullNode {
			d.add(item.at, lang.T("cannot read hosts: an entry has nothing in it", "无法读取 hosts：有一项为空"), lang.T("remove it", "请删除"))
			continue
		}
		if !d.mapping(item, "hosts", lang.T("a map of match and steps", "由 match 和 steps 组成的映射"), hint) {
			continue
		}
		o := Override{Steps: engine.Answers{}}
		for _, p := range item.pairs {
			switch p.key {
			case "match":
				o.Match = d.match(p)
			case "steps":
				o.Steps = d.answers(p.value, true)
			default:
				d.stray(p, "hosts.", []string{"match", "steps"})
			}
		}
		if item.get("match") == nil {
			d.add(item.at, lang.T("cannot tell which hosts are meant: match is missing", "无法确定适用哪些主机：缺少 match"),
				lang.T(`add match: {hostname: "web-*"}; what holds for every host goes under steps:`, `请添加 match: {hostname: "web-*"}；对所有主机生效的写在 steps: 下`))
		}
		out = append(out, o)
	}
	return out
}

func (d decoder) match(p pair) Match {
	var m Match
	n := p.value
	hint := lang.T(`such as {hostname: "web-*", arch: aarch64, os: kylin}`, `例如 {hostname: "web-*", arch: aarch64, os: kylin}`)
	if n.kind == badNode || n.kind != nullNode && !d.mapping(n, "match", lang.T("a map of conditions", "由条件组成的映射"), hint) {
		return m
	}
	if len(n.pairs) == 0 {
		d.add(p.at, lang.T("cannot tell which hosts are meant: match names no condition", "无法确定适用哪些主机：match 没有条件"),
			hint)
	}
	for _, q := range n.pairs {
		var to *string
		switch q.key {
		case "hostname":
			to = &m.Hostname
		case "arch":
			to = &m.Arch
		case "os":
			to = &m.OS
		default:
			d.stray(q, "match.", []string{"hostname", "arch", "os"})
			continue
		}
		s, ok := d.text("match."+q.key, q.value)
		if !ok {
			continue
		}
		if s == "" {
			d.add(q.value.at, lang.F("cannot read match.%s: it is empty", "无法读取 match.%s：值为空", q.key), lang.T("remove the key", "请删除该键"))
			continue
		}
		*to = s
		if _, err := path.Match(s, ""); q.key == "hostname" && err != nil {
			d.add(q.value.at, lang.F("cannot read the pattern %s", "无法识别模式 %s", quote(s)),
				lang.T("* stands for anything, ? for one character, [ab] for a or b", "* 代表任意内容，? 代表一个字符，[ab] 代表 a 或 b"))
		}
		if q.key == "arch" && !slices.Contains(arches(), strings.ToLower(s)) {
			d.add(q.value.at, lang.F("cannot match arch %s: there is no such architecture", "无法匹配 arch %s：没有这种架构", quote(s)), didYouMean(s, arches()))
		}
	}
	return m
}

// arches are the instruction sets as uname -m and as GOARCH call them.
func arches() []string {
	return []string{
		"aarch64", "arm64", "loongarch64", "loong64", "mips64", "mips64el", "mips64le", "x86_64", "amd64",
		"sw_64", "riscv64", "ppc64le", "s390x", "armv7l", "armv8l", "arm", "i686", "386",
	}
}

// says is what a node is, for messages.
func (n *node) says() lang.Text {
	switch n.kind {
	case nullNode:
		return lang.T("nothing", "空值")
	case mapNode:
		return lang.T("a map", "映射")
	case listNode:
		return lang.T("a list", "列表")
	}
	if !n.plain {
		return lang.T("text in quotes", "带引号的文本")
	}
	if n.text == "true" || n.text == "false" {
		return lang.T(n.text, " "+n.text)
	}
	if _, err := strconv.ParseFloat(n.text, 64); err == nil {
		return lang.T("a number", "数字")
	}
	return lang.T("text", "文本")
}
