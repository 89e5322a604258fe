package kernel

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/detect/sysctl"
	"goxin/steps/op"
)

// ownFile is where the step writes. It sorts after every name that begins with
// a digit, so also after 99-sysctl.conf, which is /etc/sysctl.conf.
const ownFile = "/etc/sysctl.d/zz-goxin.conf"

// Line is an assignment in a configuration file.
type Line struct {
	File  string `json:"file"` // links followed: what would be edited
	Via   string `json:"via"`  // the name by which it is read
	Line  int    `json:"line"` // from 1
	Text  string `json:"text"` // without its line end and without goxin's mark
	Key   string `json:"key"`  // canonical
	Value string `json:"value"`
	Ours  bool   `json:"ours,omitempty"` // goxin has commented it out
}

// where is the line's place, for people.
func (l Line) where() string { return op.Visible(fmt.Sprintf("%s:%d", l.File, l.Line)) }

// says is the line's value, for people.
func (l Line) says() string { return op.Visible(l.Value) }

// Editable: it belongs to whoever runs the machine. What lies under /usr/lib
// belongs to packages and comes back with the next update; what lies under
// /run is written anew by something at every boot.
func (l Line) Editable() bool {
	return strings.HasPrefix(l.File, "/etc/") || strings.HasPrefix(l.File, "/usr/local/")
}

// why says by which rule the line wins, as a clause.
func (l Line) why() lang.Text {
	if l.File == sysctl.Conf && (l.Via == l.File || !later(l.Via, ownFile)) {
		return lang.T("procps (sysctl --system) reads that file last", "procps（sysctl --system）最后读取该文件")
	}
	return lang.F("it is read after %s", "它在 %s 之后读取", base(ownFile))
}

// linesAfter finds the lines that win keys over goxin's file, and those that
// would if goxin had not commented them out. Before gives, by key, the value
// that goxin's file comes after and stands above.
func linesAfter(m machine.Machine, config *sysctl.Config, keys []string) (out []Line, before map[string]string) {
	before = make(map[string]string)
	for _, k := range keys {
		rivals := config.Rivals(ownFile, k)
		for _, a := range rivals {
			out = append(out, lineOf(a, false))
		}
		for _, a := range config.Assignments(k) {
			if a.Key == k && !a.Exclude && a.File != ownFile && !slices.ContainsFunc(rivals, func(r sysctl.Assignment) bool { return r.File == a.File && r.Line == a.Line }) {
				before[k] = a.Value
			}
		}
	}
	files := []string{sysctl.Conf}
	for _, dir := range []string{"/etc/sysctl.d", "/usr/local/lib/sysctl.d"} {
		names, _ := m.ReadDir(dir) // sysctl.Read has listed it
		for _, n := range names {
			if strings.HasSuffix(n, ".conf") && n > base(ownFile) {
				files = append(files, path.Join(dir, n))
			}
		}
	}
	for _, f := range files {
		b, err := m.ReadFile(f)
		if err != nil {
			continue // config has it among the unreadable
		}
		for _, a := range marked(string(b)) {
			a.File, a.Via = f, f
			if slices.Contains(keys, a.Key) {
				out = append(out, lineOf(a, true))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.CompactFunc(out, func(a, b Line) bool { return a.File == b.File && a.Line == b.Line }), before
}

func lineOf(a sysctl.Assignment, ours bool) Line {
	return Line{File: a.File, Via: a.Via, Line: a.Line, Text: a.Text, Key: a.Key, Value: a.Value, Ours: ours}
}

// marked reads the assignments that goxin commented out.
func marked(data string) []sysctl.Assignment {
	var out []sysctl.Assignment
	n := 0
	for text := range strings.Lines(data) {
		n++
		rest, ok := strings.CutPrefix(strings.TrimRight(text, "\r\n"), op.Mark)
		if !ok {
			continue
		}
		for _, a := range sysctl.Parse(rest) {
			a.Line = n
			out = append(out, a)
		}
	}
	return out
}
