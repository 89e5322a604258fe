package op

import (
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// theirs is engine.ErrNotOurs with what was found, for people.
type theirs struct{ text *lang.Error }

func notOurs(en, zh string, args ...any) error {
	return theirs{lang.Errorf(nil, en, zh, args...)}
}

func (e theirs) Error() string   { return e.text.Error() }
func (e theirs) Unwrap() []error { return []error{e.text, engine.ErrNotOurs} }

// unseen says that nobody saw the state: the process died within Do.
func unseen(s engine.State) bool { return len(s.Meta) == 0 }

// decode reads a state of type T; ok is false where nobody saw it.
func decode[T any](s engine.State) (v T, ok bool, err error) {
	if unseen(s) {
		return v, false, nil
	}
	if err := s.Decode(&v); err != nil {
		return v, false, lang.Errorf(err, "cannot read a recorded state", "无法读取已记录的状态")
	}
	return v, true, nil
}

// running says whether m is more than a tree.
func running(m machine.Machine) bool {
	_, err := m.Kernel()
	return err == nil
}

// runningKernel is the table the rows of neighbouring ops stand in.
func runningKernel() lang.Text { return lang.T("running kernel", "运行中的内核") }

func atNextBoot() lang.Text { return lang.T("at next boot", "下次启动时生效") }
