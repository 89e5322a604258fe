// Package stock asks a machine's package manager, before a step is planned, what
// is installed and what could be, and tells apart the three ways in which it may
// not know: nothing runs there, there is no package manager, or its lists are
// missing. It installs nothing and chooses nothing.
package stock

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/op"
)

// Ask is the package manager of a machine; steps take another for their tests.
// Names and answers are those of the functions of steps/op.
type Ask struct {
	Installed func(ctx context.Context, m machine.Machine, manager string, names ...string) (map[string]string, error)
	Available func(ctx context.Context, m machine.Machine, manager string, names ...string) (map[string]string, error)
	Providers func(ctx context.Context, m machine.Machine, manager, soname string) ([]string, error)
}

// Real asks the machine's own.
func Real() Ask { return Ask{op.Installed, op.Available, op.Providers} }

// Seen is what came of asking.
type Seen struct {
	Manager string `json:"manager"` // "apt" or "dnf"; "" where there is neither
	// Asked says that the package manager answers: what is absent below is then
	// not there. In a tree and on a captured machine nothing is known.
	Asked bool `json:"asked"`
	// Lists says why the package lists know nothing; empty where they do.
	Lists     lang.Text         `json:"lists,omitzero"`
	Installed map[string]string `json:"installed,omitempty"` // name → version
	Available map[string]string `json:"available,omitempty"` // the same of what could be installed
}

// Has says whether a package is installed.
func (s *Seen) Has(name string) bool { return s.Installed[name] != "" }

// Knows says whether a package is installed or could be.
func (s *Seen) Knows(name string) bool {
	_, available := s.Available[name]
	return available || s.Has(name)
}

// Refresh is how the lists come back, on a machine of that product.
func (s *Seen) Refresh(product string) lang.Text {
	command := "dnf makecache"
	if s.Manager == "apt" {
		command = "apt-get update"
	}
	t := lang.F("The mirror step sees to that, or: %s", "可由「软件源」步骤处理，或执行：%s", command)
	if strings.HasPrefix(product, "uos-") {
		return lang.F("%s. UOS hands out packages only to activated machines.", "%s。统信只向已激活的机器提供软件包。", t)
	}
	return t
}

// Manager is the package manager op.Packages goes by; "" where there is none it
// knows. Where yum is there without dnf it is asked as dnf.
func Manager(f *detect.Facts) string {
	switch p := f.Packages.Manager; {
	case !p.Known:
		return ""
	case p.Value == "yum":
		return "dnf"
	default:
		return p.Value
	}
}

// Look asks for names. The lists are not consulted where all of them are
// installed: that may take the network.
func (a Ask) Look(ctx context.Context, m machine.Machine, f *detect.Facts, names ...string) (*Seen, error) {
	s := &Seen{Manager: Manager(f), Installed: map[string]string{}, Available: map[string]string{}}
	if s.Manager == "" {
		return s, nil
	}
	s.Asked = true
	return s, a.Also(ctx, m, s, names...)
}

// Also asks for further names, and adds what comes of it to s.
func (a Ask) Also(ctx context.Context, m machine.Machine, s *Seen, names ...string) error {
	var plain, groups []string
	for _, n := range names {
		if strings.HasPrefix(n, "@") {
			groups = append(groups, n)
		} else {
			plain = append(plain, n)
		}
	}
	if err := a.also(ctx, m, s, plain, false); err != nil {
		return err
	}
	return a.also(ctx, m, s, groups, true)
}

// also asks for packages, or for groups: which of those are installed dnf reads off
// its lists too.
func (a Ask) also(ctx context.Context, m machine.Machine, s *Seen, names []string, groups bool) error {
	if !s.Asked || len(names) == 0 || groups && !s.Lists.Empty() {
		return nil
	}
	installed, err := a.Installed(ctx, m, s.Manager, names...)
	switch {
	case silent(err):
		s.Asked = false
		return nil
	case err != nil && groups:
		return a.Doubt(ctx, m, s, err)
	case err != nil:
		return err
	}
	maps.Copy(s.Installed, installed)
	var open []string
	for _, n := range names {
		if !s.Has(n) {
			open = append(open, n)
		}
	}
	if len(open) == 0 || !s.Lists.Empty() {
		return nil
	}
	found, err := a.Available(ctx, m, s.Manager, open...)
	if err == nil && len(found) > 0 {
		maps.Copy(s.Available, found)
		return nil
	}
	return a.Doubt(ctx, m, s, err)
}

// Doubt is for a question that failed with err, or came back empty (nil): are there
// lists to answer it at all? It fills Lists where there are none.
func (a Ask) Doubt(ctx context.Context, m machine.Machine, s *Seen, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case silent(err):
		s.Asked = false
		return nil
	case err == nil && len(s.Available) > 0:
		return nil // they have answered before
	case err == nil && s.Manager == "apt":
		// apt offers what is installed even without lists: only the files tell.
		if listed(m) {
			return nil
		}
		s.Lists = lang.T("/var/lib/apt/lists holds no package lists", "/var/lib/apt/lists 中没有软件包列表")
		return nil
	case err == nil:
		var found map[string]string
		found, err = a.Available(ctx, m, s.Manager, "bash") // every rpm system has it
		if err == nil && len(found) > 0 {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if err == nil {
		s.Lists = lang.T("the package manager does not even know bash", "包管理器连 bash 都查不到")
		return nil
	}
	flat := func(l lang.Lang) string { return op.Visible(strings.ReplaceAll(lang.Message(err, l), "\n", " ")) }
	s.Lists = lang.T(flat(lang.EN), flat(lang.ZH))
	return nil
}

// listed says whether apt has package lists, compressed or not.
func listed(m machine.Machine) bool {
	names, err := m.ReadDir("/var/lib/apt/lists")
	if err != nil {
		return false
	}
	for _, n := range names {
		if strings.Contains(n, "_Packages") {
			return true
		}
	}
	return false
}

// silent says whether an error means that there is nothing to ask.
func silent(err error) bool {
	return err != nil && (errors.Is(err, machine.ErrNotRunning) || machine.MissingProgram(err))
}

var name = regexp.MustCompile(`^[A-Za-z0-9@][A-Za-z0-9+._:-]{0,127}$`)

// CheckName judges a package's name as a person writes it; a group of dnf begins
// with @.
func CheckName(s string) error {
	if name.MatchString(s) {
		return nil
	}
	return lang.Errorf(nil, "%q is no name of a package", "%q 不是软件包名", s).
		WithHint("a name as the package manager shows it, without version: libxml2, @development", "请填包管理器显示的名称，不带版本，例如 libxml2、@development")
}
