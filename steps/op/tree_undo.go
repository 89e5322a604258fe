package op

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Undo removes the tree if it is still as it was unpacked, and puts back what was
// there before.
func (o *Tree) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[treeState](o, before)
	if err != nil {
		return err
	}
	ours, seen, err := decode[treeState](o, after)
	if err != nil {
		return err
	}
	if err = m.Clean(o.Dir); err == nil {
		err = o.restore(m, was, before, ours, seen)
	}
	if err != nil && !errors.Is(err, engine.ErrNotOurs) {
		return cannot(err, "cannot put %s back", "无法还原 %s", o.Target())
	}
	return err
}

func (o *Tree) restore(m machine.Machine, was treeState, before engine.State, ours treeState, seen bool) error {
	now, _, err := o.look(m)
	if err != nil {
		return err
	}
	var old beside
	if was.Manifest != "" || was.Record != "" {
		if !holds(before, before.Blob) {
			return lang.Errorf(nil, "its old manifest and record are not in the journal", "日志中没有它原来的清单与来源记录").
				WithHint("look at what is in %s, and put it back by hand", "请查看 %s 中的内容并手工恢复", Visible(o.trash()))
		}
		if err = json.Unmarshal(before.Blob, &old); err != nil {
			return err
		}
	}
	moved := false // what was there is in Trash
	if was.there() {
		_, err := m.Lstat(was.Slot)
		if moved = err == nil; err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// Of a tree that is back, or was not touched yet, the two files may be left to do.
	if back := was.there() && !moved; back {
		switch {
		case !now.there():
			return notOurs("what was moved to %s is there no longer", "移至 %s 的目录已不存在", Visible(was.Slot))
		case now.Look != was.Look:
			return notOurs("another tree was put there since", "之后被换成了另一个目录")
		}
	} else if now.there() {
		if err := o.notOurs(now, ours, seen); err != nil {
			return err
		}
	}
	for _, f := range []struct{ now, ours, was string }{{now.Manifest, ours.Manifest, was.Manifest}, {now.Record, ours.Record, was.Record}} {
		if seen && f.now != f.ours && f.now != f.was {
			return notOurs("its manifest or its record was changed since", "其清单或来源记录之后被修改过")
		}
	}
	if (moved || !was.there()) && now.there() {
		if err := m.RemoveAll(o.Dir); err != nil {
			return err
		}
	}
	if moved {
		if err := m.Rename(was.Slot, o.Dir); err != nil {
			return err
		}
	}
	return o.putBeside(m, old)
}

// notOurs is why the tree that is there may not be removed.
func (o *Tree) notOurs(now, ours treeState, seen bool) error {
	switch {
	case o.Absent:
		return notOurs("another tree was put there since", "之后又放入了另一个目录")
	case now.Is == treeDamaged && now.How == howMissing:
		return notOurs("%s is missing from it since", "其中的 %s 之后被删除", Visible(now.Differs))
	case now.Is == treeDamaged && now.How == howAdded:
		return notOurs("%s was added to it since", "其中之后多出了 %s", Visible(now.Differs))
	case now.Is == treeDamaged:
		return notOurs("%s in it was changed since", "其中的 %s 之后被修改过", Visible(now.Differs))
	case now.Is != treeWhole:
		return notOurs("another tree was put there since", "之后被换成了另一个目录")
	case seen && ours.there() && now.Look != ours.Look:
		return notOurs("a directory, an owner or a mode in it was changed since", "其中的目录、属主或权限之后被修改过")
	}
	return nil
}
