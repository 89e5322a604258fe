package op

import (
	"fmt"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Diff is a row for each package: what is asked for first, then what comes
// along.
func (o *Packages) Diff(s engine.State) engine.Diff {
	was, _, err := decode[packagesState](o, s)
	d := engine.Diff{Action: engine.None}
	switch {
	case err != nil:
		d.Action, d.Note = engine.Update, lang.F("%s", "%s", err)
		return d
	case !was.Runs && was.Known && len(o.missing(was)) == 0:
		return d
	case !was.Runs:
		d.Note = lang.T("installed when goxin runs there", "待在该机器上运行 goxin 时安装")
		return d
	}
	if was.Broken {
		d.Action = engine.CannotUndo
		d.Rows = append(d.Rows, engine.Row{
			Action: engine.CannotUndo, Name: "dpkg", Now: "interrupted", Then: "dpkg --configure -a",
			Note: lang.T("dpkg was interrupted: that is finished first, and not undone", "dpkg 曾被中断：先完成未了的配置，且不会撤销"),
		})
	}
	if was.Add == nil {
		return d
	}
	d.Action = engine.Update
	if was.Add.adds() {
		d.Action = engine.Create
	}
	d.Note = was.Add.note()
	d.Rows = append(d.Rows, was.Add.rows(o.Names)...)
	return d
}

func (t *transaction) adds() bool {
	return slices.ContainsFunc(t.Changes, change.added) || len(t.Groups) > 0
}

func (t *transaction) rows(asked []string) []engine.Row {
	count := make(map[string]int)
	for _, c := range t.Changes {
		count[c.Name]++
	}
	var first, along []engine.Row
	for _, g := range t.Groups {
		first = append(first, engine.Row{Action: engine.Create, Name: g, Then: "group"})
	}
	for _, c := range t.Changes {
		r := engine.Row{Action: engine.Create, Name: c.Name, Now: c.From, Then: c.Version}
		if count[c.Name] > 1 {
			r.Name += "." + c.Arch
		}
		switch {
		case c.upgraded() && c.Gone:
			r.Action, r.Note = engine.CannotUndo, lang.T("the version that is installed is no longer to be had", "软件源中已没有目前安装的版本，升级后无法退回")
		case c.upgraded():
			r.Action = engine.Update
		case !c.added():
			r.Action, r.Note = engine.CannotUndo, lang.T("half installed: it is installed again", "目前只安装了一半：将重新安装")
		}
		r.Name, r.Now, r.Then = Visible(r.Name), Visible(r.Now), Visible(r.Then)
		if slices.Contains(asked, c.Name) {
			first = append(first, r)
		} else {
			along = append(along, r)
		}
	}
	for _, name := range t.Modules {
		along = append(along, engine.Row{Action: engine.Create, Name: Visible(name), Then: "module stream"})
	}
	return append(first, along...)
}

// note is the transaction in one line.
func (t *transaction) note() lang.Text {
	packages := lang.F("%d packages", "%d 个软件包", len(t.Changes))
	if len(t.Changes) == 1 {
		packages = lang.T("1 package", "1 个软件包")
	}
	if t.Disk < 0 {
		return lang.F("%s, %s to fetch, %s less on disk", "%s，需下载 %s，磁盘占用减少 %s", packages, size(t.Fetch), size(-t.Disk))
	}
	return lang.F("%s, %s to fetch, %s on disk", "%s，需下载 %s，占用磁盘 %s", packages, size(t.Fetch), size(t.Disk))
}

// size is bytes as package managers tell them: in powers of 1000.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), -1
	for v >= 999.5 {
		v, unit = v/1000, unit+1
	}
	if v < 9.95 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") + " " + units[unit]
	}
	return fmt.Sprintf("%.0f %s", v, units[unit])
}

var units = [...]string{"kB", "MB", "GB", "TB", "PB", "EB"}
