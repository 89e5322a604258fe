package op

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

const hugePages = "/sys/kernel/mm/transparent_hugepage/enabled"

// sysfsWorld has hugePages as the kernel shows it: the chosen value in brackets.
func sysfsWorld(text string) func(*world) {
	return func(w *world) {
		w.write(hugePages, text+"\n", 0o644)
		w.clamp[hugePages] = func(v string) string {
			words := strings.Fields(text)
			for i, word := range words {
				if words[i] = strings.Trim(word, "[]"); words[i] == v {
					words[i] = "[" + v + "]"
				}
			}
			return strings.Join(words, " ")
		}
	}
}

func sysfsSituations() []situation {
	o := &Sysfs{hugePages, "madvise", why}
	plain := &Sysfs{"/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none", "0", why}
	return []situation{
		{"a choice of the kernel's", o, sysfsWorld("[always] madvise never"), engine.Applied},
		{"a choice that is made already", o, sysfsWorld("always [madvise] never"), ""},
		{"a choice the kernel does not offer", o, sysfsWorld("[always] never"), engine.Refused},
		{"a setting the kernel does not have", o, func(*world) {}, ""},
		{"a setting that is one value", plain, func(w *world) { w.write(plain.Path, "511\n", 0o644) }, engine.Applied},
		{"a setting below a read-only /sys", o, func(w *world) {
			sysfsWorld("[always] madvise never")(w)
			w.deny[hugePages] = syscall.EROFS
		}, engine.Refused},
		{"a setting root may not make", o, func(w *world) {
			sysfsWorld("[always] madvise never")(w)
			w.deny[hugePages] = syscall.EPERM
		}, engine.Refused},
		{"a setting the kernel makes something else of", plain, func(w *world) {
			w.write(plain.Path, "511\n", 0o644)
			w.clamp[plain.Path] = func(v string) string { return strings.Replace(v, "0", "1", 1) }
		}, engine.Clamped},
	}
}

func TestASettingSomebodyChangedSinceIsLeftAlone(t *testing.T) {
	w, o := newWorld(t), &Sysfs{hugePages, "madvise", why}
	sysfsWorld("[always] madvise never")(w)
	before := observe(t, o, w)
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	after := observe(t, o, w)
	if d := o.Drift(after, after); d.Action != engine.None {
		t.Errorf("drift of nothing: %+v", d)
	}
	w.write(hugePages, "always madvise [never]\n", 0o644)
	if d := o.Drift(after, observe(t, o, w)); d.Action != engine.Update {
		t.Errorf("no drift: %+v", d)
	}
	err := o.Undo(context.Background(), w, before, after)
	if !errors.Is(err, engine.ErrNotOurs) || !strings.Contains(lang.Message(err, lang.ZH), "never") {
		t.Errorf("undo of what is somebody's: %v", err)
	}
}

func TestARefusedSettingIsNoDriftUntilItChanges(t *testing.T) {
	w, o := newWorld(t), &Sysfs{hugePages, "madvise", why}
	sysfsWorld("[always] never")(w)
	after := observe(t, o, w)
	if d := o.Drift(after, after); d.Action != engine.None {
		t.Errorf("drift: %+v", d)
	}
}

func TestSettingsOfATreeComeAtBoot(t *testing.T) {
	o := &Sysfs{hugePages, "never", why}
	m := machine.Root(t.TempDir())
	s, err := o.Observe(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	if d := o.Diff(s); d.Action != engine.None || d.Rows[0].Then != "never" || d.Rows[0].Note.Empty() {
		t.Errorf("%+v", d)
	}
	if out, err := o.Do(context.Background(), m, nil); err != nil || out != engine.OK {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestOnlyOneWordForAFileBelowSysIsASetting(t *testing.T) {
	for _, o := range []*Sysfs{
		{"/proc/sys/vm/swappiness", "1", why},
		{"/sys/../etc/passwd", "x", why},
		{"/sys", "1", why},
		{hugePages, "", why},
		{hugePages, "a b", why},
		{hugePages, "a\nb", why},
		{hugePages, "[a]", why},
	} {
		if _, err := o.Observe(context.Background(), newWorld(t)); err == nil || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%s=%q: %v", o.Path, o.Value, err)
		}
	}
}

func TestChosenReadsListsAndValues(t *testing.T) {
	for text, want := range map[string]struct {
		value   string
		offered []string
	}{
		"always [madvise] never\n":           {"madvise", []string{"always", "madvise", "never"}},
		"511\n":                              {"511", nil},
		"":                                   {"", nil},
		"always defer [defer+madvise] never": {"defer+madvise", []string{"always", "defer", "defer+madvise", "never"}},
		"mq-deadline kyber none":             {"mq-deadline kyber none", nil},
		"[":                                  {"[", nil},
		"[]":                                 {"[]", nil},
	} {
		if v, o := Chosen(text); v != want.value || !slices.Equal(o, want.offered) {
			t.Errorf("%q: %q, %q", text, v, o)
		}
	}
}
