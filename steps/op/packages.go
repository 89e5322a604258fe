package op

import (
	"context"
	"errors"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Packages are installed packages. What a step needs it names: packages that
// are only recommended (weak dependencies) stay away, whatever the machine's own
// configuration says, so that the same is signed, done and undone everywhere.
// A name that is installed already, or that an installed package provides, is
// left as it is: neither upgraded nor marked.
//
// What is reviewed is a simulated transaction. One that would remove a package
// is an error, never done. Undo takes away what that transaction added and
// nothing else: what something installed since depends on, and what somebody
// has since asked for by name, stays and is told. An upgrade of a package that
// we added is the distribution's work on what is ours: it still goes.
type Packages struct {
	Manager string    `json:"manager"` // "apt" or "dnf"; "yum" is dnf by its other name
	Names   []string  `json:"names"`   // sorted; on dnf a group is "@development"
	Reason  lang.Text `json:"reason"`
}

type packagesState struct {
	Runs      bool              `json:"runs"`             // packages can be installed here
	Known     bool              `json:"known"`            // the package database could be read
	Installed map[string]string `json:"installed"`        // version by asked name
	Broken    bool              `json:"broken,omitempty"` // dpkg was interrupted, and nobody is at it
	Add       *transaction      `json:"add,omitempty"`    // what Do would do
	Keys      []string          `json:"keys,omitempty"`   // rpm: whose signatures are taken; a first transaction brings its repository's
}

// transaction is what a package manager says it would do.
type transaction struct {
	Changes []change `json:"changes"`           // by name
	Groups  []string `json:"groups,omitempty"`  // dnf: "@id"
	Modules []string `json:"modules,omitempty"` // dnf: streams that become enabled
	Fetch   int64    `json:"fetch"`             // bytes of the packages
	Disk    int64    `json:"disk"`              // bytes more on disk
	removes []string // what makes it an error
}

// change is one package of it. Where From is Version, the package is there and
// half installed.
type change struct {
	Name    string `json:"name"` // apt: with ":arch" where that is not the machine's
	Arch    string `json:"arch"`
	Version string `json:"version"`
	From    string `json:"from,omitempty"`   // the version that is installed
	Gone    bool   `json:"gone,omitempty"`   // From is no longer to be had
	Auto    bool   `json:"auto,omitempty"`   // apt: an upgraded one that was marked as installed automatically
	Config  bool   `json:"config,omitempty"` // deb: its configuration files were there before it
}

func (c change) added() bool    { return c.From == "" }
func (c change) upgraded() bool { return c.From != "" && c.From != c.Version }

// packager is what apt and dnf each have their own way for.
type packager interface {
	installed(ctx context.Context, m machine.Machine, names []string) (map[string]string, error)
	available(ctx context.Context, m machine.Machine, names []string) (map[string]string, error)
	// tree is installed from the database's files; ok is false where they tell nothing.
	tree(m machine.Machine, names []string) (found map[string]string, ok bool, err error)
	interrupted(ctx context.Context, m machine.Machine) (bool, error)
	repair(ctx context.Context, m machine.Machine, say func(lang.Text)) error
	simulate(ctx context.Context, m machine.Machine, names []string) (transaction, error)
	// install gives, with its error, what the manager said of single packages.
	install(ctx context.Context, m machine.Machine, say func(lang.Text), names []string, t transaction) (why map[string]string, err error)
	// present is the versions of those of t that are now wholly installed.
	present(ctx context.Context, m machine.Machine, t transaction) (map[change]string, error)
	undo(ctx context.Context, m machine.Machine, u undoing) (left []leftover, err error)
	keys(ctx context.Context, m machine.Machine) ([]string, error)
	distrust(ctx context.Context, m machine.Machine, keys []string) error
	byHand(names []string) []string
}

// Kind is "packages".
func (o *Packages) Kind() string { return "packages" }

// Target is the names.
func (o *Packages) Target() string { return strings.Join(o.Names, " ") }

// Touches is what all transactions of a manager have in common: what one brings
// along another need not.
func (o *Packages) Touches() string { return "packages of " + o.Manager }

// Why is the step's reason.
func (o *Packages) Why() lang.Text { return o.Reason }

// ByHand is the manager's own command.
func (o *Packages) ByHand() []string {
	p, err := o.manager()
	if err != nil {
		return nil
	}
	names := make([]string, len(o.Names))
	for i, n := range o.Names {
		names[i] = Quote(n)
	}
	return p.byHand(names)
}

// manager also looks at the names, which may come from anywhere.
func (o *Packages) manager() (packager, error) { return managerOf(o.Manager, o.Names) }

// Observe asks what is installed, and has what is not simulated.
func (o *Packages) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(ctx, m)
	if err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, nil), nil
}

func (o *Packages) look(ctx context.Context, m machine.Machine) (s packagesState, err error) {
	p, err := o.manager()
	if err != nil {
		return s, err
	}
	s.Installed, err = p.installed(ctx, m, o.Names)
	if notRunning(m, err) {
		s.Installed, s.Known, err = p.tree(m, o.Names)
		return s, err
	}
	if err != nil {
		return s, err
	}
	s.Runs, s.Known = true, true
	if s.Keys, err = p.keys(ctx, m); err != nil {
		return s, err
	}
	if s.Broken, err = p.interrupted(ctx, m); err != nil {
		return s, err
	}
	missing := o.missing(s)
	if len(missing) == 0 {
		return s, nil
	}
	t, err := p.simulate(ctx, m, missing)
	if notRunning(m, err) {
		s.Runs = false
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if len(t.removes) > 0 {
		return s, lang.Errorf(nil, "cannot install %s: that would remove %s", "无法安装 %s：这会卸载 %s",
			strings.Join(missing, " "), Visible(strings.Join(t.removes, " "))).
			WithHint("goxin removes nothing that is yours; if it may go, remove it by hand and look at the plan again",
				"goxin 不会卸载已有的软件包；若确认不再需要，请先手工卸载，然后重新查看计划")
	}
	s.Add = &t
	return s, nil
}

func (o *Packages) missing(s packagesState) []string {
	var out []string
	for _, n := range o.Names {
		if _, ok := s.Installed[n]; !ok {
			out = append(out, n)
		}
	}
	return out
}

// notRunning says whether err of a query on m means that nothing runs there.
// Elsewhere a missing program is a fault.
func notRunning(m machine.Machine, err error) bool {
	return errors.Is(err, machine.ErrNotRunning) || machine.MissingProgram(err) && strings.HasPrefix(string(m.ID()), "sim:")
}

// Do repairs what was interrupted, and installs.
func (o *Packages) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	p, err := o.manager()
	if err != nil {
		return engine.Outcome{}, err
	}
	if say == nil {
		say = func(lang.Text) {}
	}
	broken, err := p.interrupted(ctx, m)
	if notRunning(m, err) {
		return engine.OK, nil
	}
	if err == nil && broken {
		err = p.repair(ctx, m, say)
	}
	if err != nil {
		return engine.Outcome{}, err
	}
	s, err := o.look(ctx, m)
	if err != nil || !s.Runs || s.Add == nil && !s.Broken {
		return engine.OK, err
	}
	if s.Add == nil {
		s.Add = &transaction{} // something is half installed still, and all that was asked for is not
	}
	why, err := p.install(ctx, m, say, o.missing(s), *s.Add)
	if err != nil {
		return engine.Outcome{}, o.failed(ctx, m, p, *s.Add, why, err)
	}
	return engine.OK, nil
}

// failed tells package by package what became of a transaction.
func (o *Packages) failed(ctx context.Context, m machine.Machine, p packager, t transaction, why map[string]string, cause error) error {
	there, err := p.present(ctx, m, t)
	if err != nil {
		return cause // which says more than that nobody can be asked
	}
	var in, out lang.Text
	add := func(to *lang.Text, s string) {
		if to.EN != "" {
			to.EN, to.ZH = to.EN+", ", to.ZH+"、"
		}
		to.EN, to.ZH = to.EN+s, to.ZH+s
	}
	for _, c := range t.Changes {
		switch reason := why[c.Name]; {
		case there[c] == c.Version && reason == "":
			add(&in, c.Name)
		case reason != "":
			add(&out, c.Name+" ("+Visible(reason)+")")
		default:
			add(&out, c.Name)
		}
	}
	none := lang.T("nothing", "无")
	if in.Empty() {
		in = none
	}
	if out.Empty() {
		out = none
	}
	told := lang.Errorf(cause, "installed: %s\nnot installed: %s\nbecause", "已安装：%s\n未安装：%s\n原因", in, out)
	return lang.Errorf(told, "cannot install %s", "无法安装 %s", o.Target())
}
