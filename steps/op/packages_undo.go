package op

import (
	"context"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// undoing is a transaction to take back.
type undoing struct {
	transaction
	asked []string // what was installed by name
	// whole says that the transaction is known to have come to its end. Only then
	// does a package that counts as asked for, and was not, mean that somebody has
	// asked for it since.
	whole bool
}

// leftover is a package that stays, and why.
type leftover struct {
	name string
	why  lang.Text
}

func neededBy(name string, by []string) leftover {
	if len(by) == 0 {
		return leftover{name, lang.T("something needs it", "有软件包依赖它")}
	}
	return leftover{name, lang.F("%s needs it", "%s 依赖它", strings.Join(by, ", "))}
}

func claimed(name string) leftover {
	return leftover{name, lang.T("somebody has asked for it since", "之后有人专门安装了它")}
}

func changedSince(name, now string) leftover {
	return leftover{name, lang.F("it is %s now", "目前为 %s", now)}
}

// Undo removes what was added, and puts back the versions there were.
func (o *Packages) Undo(ctx context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[packagesState](o, before)
	if err != nil || was.Add == nil {
		return err
	}
	became, seen, err := decode[packagesState](o, after)
	if err != nil {
		return err
	}
	if seen && became.Add != nil {
		was.Add.Changes = slices.DeleteFunc(was.Add.Changes, became.Add.lacks)
	}
	p, err := o.manager()
	if err != nil {
		return err
	}
	left, err := p.undo(ctx, m, undoing{*was.Add, o.Names, seen && became.Runs && became.Add == nil && !became.Broken})
	if err != nil {
		return lang.Errorf(err, "cannot undo the installation of %s", "无法撤销 %s 的安装", o.Target())
	}
	if len(left) == 0 {
		return o.distrust(ctx, m, p, was, became, seen)
	}
	var en, zh []string
	for _, l := range left {
		en = append(en, Visible(l.name+" ("+l.why.EN+")"))
		zh = append(zh, Visible(l.name+"（"+l.why.ZH+"）"))
	}
	return notOurs("left as they are: %s", "保持原样：%s", lang.T(strings.Join(en, ", "), strings.Join(zh, "、")))
}

// lacks says that a package was still to be added when the installation had failed: if it
// is there now, somebody else brought it.
func (t *transaction) lacks(c change) bool {
	return c.added() && slices.ContainsFunc(t.Changes, func(still change) bool {
		return still.added() && still.Name == c.Name && still.Arch == c.Arch
	})
}

// distrust takes away the keys that came with the transaction, once nothing that
// they vouched for is left.
func (o *Packages) distrust(ctx context.Context, m machine.Machine, p packager, was, became packagesState, seen bool) error {
	now, err := p.keys(ctx, m)
	if err != nil {
		return err
	}
	var ours []string
	for _, k := range now {
		if !slices.Contains(was.Keys, k) && (!seen || slices.Contains(became.Keys, k)) {
			ours = append(ours, k)
		}
	}
	if len(ours) == 0 {
		return nil
	}
	return p.distrust(ctx, m, ours)
}
