package op

import (
	"slices"
	"strings"
)

// dnfPlan reads the table dnf prints before it asks. Its columns are as wide as
// they like: a cell that does not fit moves what follows to the next line, so
// rows are told by their one leading blank and cells by the blanks between.
// dnf 5 writes what a package replaces below it.
//
//	Installing:
//	 gx-tool     noarch   1.0-1     gx      6.0 k
//	     replacing  gx-old.noarch 1.0-1
func dnfPlan(lines []string) (t transaction, ok bool) {
	var section string
	var row []string
	end := func() {
		t.row(section, row)
		row = nil
	}
	for _, line := range lines {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "Transaction Summary"):
			end()
			slices.SortFunc(t.Changes, func(a, b change) int { return strings.Compare(a.Name+" "+a.Arch, b.Name+" "+b.Arch) })
			return t, true
		case len(f) == 0 || line[0] != ' ':
			end()
			section = ""
			if s, is := strings.CutSuffix(strings.TrimSpace(line), ":"); is && len(f) > 0 {
				section = s
			}
		case f[0] == "replacing":
			end()
			t.replaced(f[1:])
		case line[0] == ' ' && (len(line) < 2 || line[1] != ' '):
			end()
			row = f
		default:
			row = append(row, f...)
		}
	}
	return t, false
}

// row is one row of a section.
func (t *transaction) row(section string, f []string) {
	if len(f) == 0 {
		return
	}
	verb, _, _ := strings.Cut(section, " ")
	switch {
	case strings.HasSuffix(section, "module streams"): // Enabling, Switching
		t.Modules = append(t.Modules, f[0])
	case strings.HasSuffix(section, "roups"), strings.HasPrefix(section, "Installing module"):
	case len(f) < 3:
	case verb == "Installing":
		t.Changes = append(t.Changes, change{Name: f[0], Arch: f[1], Version: f[2]})
	case verb == "Upgrading", verb == "Downgrading", verb == "Reinstalling":
		t.Changes = append(t.Changes, change{Name: f[0], Arch: f[1], Version: f[2], From: "?"})
	case verb == "Removing":
		t.removes = append(t.removes, f[0]+"."+f[1])
	}
}

// replaced is what stands below a row: of the same name it is the version that
// is upgraded, of another it goes.
func (t *transaction) replaced(f []string) {
	if len(f) == 0 || len(t.Changes) == 0 {
		return
	}
	over := t.Changes[len(t.Changes)-1]
	if name := strings.TrimSuffix(f[0], "."+over.Arch); name != over.Name {
		t.removes = append(t.removes, f[0])
	}
}
