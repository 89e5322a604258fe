package op

import (
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// theirs is engine.ErrNotOurs with what was found, for people. Whoever prints
// it says the target before it, so it does not.
type theirs struct{ text *lang.Error }

func notOurs(en, zh string, args ...any) error {
	return theirs{lang.Errorf(nil, en, zh, args...)}
}

func (e theirs) Error() string        { return e.text.Error() }
func (e theirs) Unwrap() error        { return e.text }
func (e theirs) Is(target error) bool { return target == engine.ErrNotOurs }

// unseen says that nobody saw the state: the process died within Do.
func unseen(s engine.State) bool { return len(s.Meta) == 0 }

// decode reads a state of o, of type T; ok is false where nobody saw it.
func decode[T any](o engine.Op, s engine.State) (v T, ok bool, err error) {
	if unseen(s) {
		return v, false, nil
	}
	if err := s.Decode(&v); err != nil {
		return v, false, lang.Errorf(err, "cannot understand what the journal says of %s", "无法解析日志中关于 %s 的记录", o.Target()).
			WithHint("the journal was damaged, or written by another version of goxin; look at it by hand", "日志已损坏，或由其他版本的 goxin 写成；请手工核对")
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
