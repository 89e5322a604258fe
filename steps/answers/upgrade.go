package answers

import (
	"bytes"
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// format is what versions of the file this goxin knows.
type format struct {
	now        int         // the version it reads
	migrations []migration // the way there, oldest first
}

// migration rewrites the source of a file of version from into version from+1,
// comments included. The version line itself is not its business.
type migration struct {
	from    int
	rewrite func(src []byte) ([]byte, error)
}

// current is the format of this goxin. A new version is one function more at
// the end of migrations, and Version one higher.
func current() format {
	return format{now: Version, migrations: []migration{}}
}

// Upgrade rewrites an older answers file in the current version and says
// whether that changed anything. A version it does not know is a *Problems.
func Upgrade(name string, data []byte) ([]byte, bool, error) {
	return upgrade(name, data, current())
}

func upgrade(name string, data []byte, f format) ([]byte, bool, error) {
	c := &complaints{file: name}
	root := open(data, c)
	if root == nil {
		return nil, false, c.err()
	}
	have, at := f.read(root, c)
	if len(c.list) > 0 {
		return nil, false, c.err()
	}
	if have == f.now {
		return data, false, nil
	}
	if !f.reaches(have) {
		f.refuse(have, at, c)
		return nil, false, c.err()
	}
	src, _ := clean(data, c)
	for _, m := range f.migrations {
		if m.from != have {
			continue
		}
		next, err := m.rewrite(src)
		if err != nil {
			return nil, false, lang.Errorf(err, "cannot upgrade %s from version %d", "无法升级 %s（版本 %d）", name, have)
		}
		if src, err = restamp(name, next, have, have+1); err != nil {
			return nil, false, err
		}
		have++
	}
	return src, true, nil
}

// restamp writes a version number over another where it stands.
func restamp(name string, src []byte, from, to int) ([]byte, error) {
	c := &complaints{file: name}
	root := open(src, c)
	if root == nil {
		return nil, c.err()
	}
	v := root.get("version")
	lines := bytes.SplitAfter(src, []byte("\n"))
	line := []rune(string(lines[v.at.line-1]))
	rest := strings.Replace(string(line[v.at.col-1:]), strconv.Itoa(from), strconv.Itoa(to), 1)
	lines[v.at.line-1] = []byte(string(line[:v.at.col-1]) + rest)
	return bytes.Join(lines, nil), nil
}

func (n *node) get(key string) *node {
	for _, p := range n.pairs {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

// reads says whether a file can be read now, complaining about its version. One
// that does not tell its version is read as if it were of this one.
func (f format) reads(root *node, c *complaints) bool {
	before := len(c.list)
	v, at := f.read(root, c)
	if len(c.list) == before && v != f.now {
		f.refuse(v, at, c)
		return false
	}
	return true
}

func (f format) read(root *node, c *complaints) (int, place) {
	hint := lang.F("write version: %d on the first line", "请在第一行写 version: %d", f.now)
	n := root.get("version")
	if n == nil {
		c.add(root.at, lang.T("cannot tell the version of these answers: version is missing", "无法确定应答文件的版本：缺少 version"), hint)
		return 0, place{}
	}
	v, err := strconv.Atoi(n.text)
	if n.kind != scalarNode || !n.plain || err != nil || strconv.Itoa(v) != n.text {
		if n.kind != badNode {
			c.add(n.at, lang.F("cannot tell the version of these answers: a whole number is expected, not %s", "无法确定应答文件的版本：应为整数，而不是%s", n.says()), hint)
		}
		return 0, n.at
	}
	return v, n.at
}

func (f format) refuse(v int, at place, c *complaints) {
	switch {
	case v > f.now:
		c.add(at, lang.F("cannot read version %d of answers: this goxin reads version %d", "无法读取版本 %d 的应答文件：本 goxin 只支持版本 %d", v, f.now),
			lang.T("use the goxin that wrote them, or a newer one", "请使用写出该文件的 goxin 或更新版本"))
	case f.reaches(v):
		c.add(at, lang.F("cannot read version %d of answers: this goxin reads version %d", "无法读取版本 %d 的应答文件：本 goxin 只支持版本 %d", v, f.now),
			lang.F("goxin answers upgrade %s", "请执行 goxin answers upgrade %s", c.file))
	default:
		c.add(at, lang.F("cannot read version %d of answers: there never was one", "无法读取版本 %d 的应答文件：不存在该版本", v),
			lang.F("write version: %d", "请写 version: %d", f.now))
	}
}

// reaches says whether migrations lead from version v to now.
func (f format) reaches(v int) bool {
	for _, m := range f.migrations {
		if m.from == v {
			v++
		}
	}
	return v == f.now
}
