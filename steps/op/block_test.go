package op

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"goxin/steps/engine"
)

const bashrc = "/etc/bash.bashrc"

const ourBlock = "# >>> goxin environment >>>\n. /etc/profile.d/goxin.sh\n# <<< goxin environment <<<\n"

func theBlock(change func(*Block)) *Block {
	o := &Block{Path: bashrc, Name: "environment", Lines: []string{". /etc/profile.d/goxin.sh"}, Reason: why}
	if change != nil {
		change(o)
	}
	return o
}

func blockSituations() []situation {
	start := func(o *Block) { o.Start = true }
	create := func(o *Block) { o.Create = true }
	in := func(text string) func(*world) {
		return func(w *world) { w.write(bashrc, text, 0o640); w.chown(bashrc, 12, 34) }
	}
	const ok, nothing = engine.Applied, engine.OutcomeKind("")
	return []situation{
		{"a block at the end", theBlock(nil), in("a\nb\n"), ok},
		{"a block at the start", theBlock(start), in("a\nb\n"), ok},
		{"a block below #!", theBlock(start), in("#!/bin/sh\na\n"), ok},
		{"a block below nothing but #!", theBlock(start), in("#!/bin/sh"), ok},
		{"a block in an empty file", theBlock(nil), in(""), ok},
		{"a block in a file without a newline at its end", theBlock(nil), in("a\nb"), ok},
		{"a block in a file of DOS", theBlock(nil), in("a\r\nb\r\n"), ok},
		{"a block in a file of DOS without a newline at its end", theBlock(nil), in("a\r\nb"), ok},
		{"a block in a file of both kinds", theBlock(nil), in("a\r\nb\n"), ok},
		{"a block in a file that is not UTF-8", theBlock(nil), in("# \xd6\xd0\n"), ok},
		{"a block with other lines", theBlock(nil), in("a\n# >>> goxin environment >>>\nold\nolder\n# <<< goxin environment <<<\nb\n"), ok},
		{"a block that is there", theBlock(nil), in("a\n" + ourBlock + "b\n"), nothing},
		{"a block that is there, in a file of DOS", theBlock(nil), in(strings.ReplaceAll("a\n"+ourBlock, "\n", "\r\n")), nothing},
		{"a block that is there, without a newline at its end", theBlock(nil), in("a\n" + strings.TrimSuffix(ourBlock, "\n")), nothing},
		{"a block that somebody doubled", theBlock(nil), in("a\n" + ourBlock + "b\n" + ourBlock + "c\n"), ok},
		{"half a block", theBlock(nil), in("a\n# >>> goxin environment >>>\nb\n"), ok},
		{"the other half of a block", theBlock(nil), in("a\n# <<< goxin environment <<<\nb"), ok},
		{"half a block before a whole one with other lines", theBlock(nil), in("# >>> goxin environment >>>\na\n# >>> goxin environment >>>\nold\n# <<< goxin environment <<<\n"), ok},
		{"somebody else's block", theBlock(nil), in("# >>> goxin direnv >>>\nx\n# <<< goxin direnv <<<\n"), ok},
		{"a block in a linked file", theBlock(nil), func(w *world) { w.write("/etc/real", "a\n", 0o644); w.link("real", bashrc) }, ok},
		{"a block in a file that is not there", theBlock(nil), func(*world) {}, nothing},
		{"a block in a file that is to be made", theBlock(create), func(*world) {}, ok},
		{"a block of no lines", theBlock(func(o *Block) { o.Lines = []string{} }), in("a\n"), ok},
	}
}

// What others write into the file meanwhile stays, and the block goes.
func TestABlockGoesAndWhatOthersWroteStays(t *testing.T) {
	type kind struct {
		was, meddled, left string
		start, create      bool
	}
	for name, c := range map[string]kind{
		"more behind":                    {was: "a\n", meddled: "a\n" + ourBlock + "more\n", left: "a\nmore\n"},
		"more before":                    {was: "a\n", meddled: "0\na\n" + ourBlock, left: "0\na\n"},
		"more behind an unfinished line": {was: "a", meddled: "a\n" + ourBlock + "more\n", left: "a\nmore\n"},
		"more before an unfinished line": {was: "a", meddled: "0\na\n" + ourBlock, left: "0\na"},
		"the newline behind it is gone":  {was: "a\n", meddled: "a\n" + strings.TrimSuffix(ourBlock, "\n"), left: "a\n"},
		"by DOS's editor":                {was: "a\n", meddled: strings.ReplaceAll("a\n"+ourBlock+"b\n", "\n", "\r\n"), left: "a\r\nb\r\n"},
		"moved to the start":             {was: "a\nb\n", meddled: ourBlock + "a\nb\n", left: "a\nb\n"},
		"all else deleted":               {was: "a\nb\n", meddled: ourBlock, left: ""},
		"at the start":                   {was: "a", meddled: ourBlock + "a\nb", left: "a\nb", start: true},
		"in a file that was made":        {meddled: ourBlock + "mine\n", left: "mine\n", create: true},
		"with other lines before":        {was: "a\n# >>> goxin environment >>>\nold\n# <<< goxin environment <<<\n", meddled: "a\n" + ourBlock + "b\n", left: "a\n# >>> goxin environment >>>\nold\n# <<< goxin environment <<<\nb\n"},
		"taken out by hand":              {was: "a\n", meddled: "a\nb\n", left: "a\nb\n"},
	} {
		for _, seen := range []bool{true, false} {
			w := newWorld(t)
			if !c.create {
				w.write(bashrc, c.was, 0o644)
			}
			o := theBlock(func(o *Block) { o.Start, o.Create = c.start, c.create })
			before := observe(t, o, w)
			if _, err := o.Do(context.Background(), w, nil); err != nil {
				t.Fatal(err)
			}
			after := engine.State{}
			if seen {
				after = observe(t, o, w)
			}
			w.write(bashrc, c.meddled, 0o600)
			if err := o.Undo(context.Background(), w, before, after); err != nil {
				t.Errorf("%s, seen %v: %v", name, seen, err)
			}
			if got := w.read(bashrc); got != c.left {
				t.Errorf("%s, seen %v: left %q, want %q", name, seen, got, c.left)
			}
			if i, err := w.Stat(bashrc); err != nil || i.Mode != 0o600 {
				t.Errorf("%s, seen %v: mode %v, %v", name, seen, i.Mode, err)
			}
		}
	}
}

func TestABlockThatSomebodyChangedIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct{ meddled, want string }{
		"its lines":          {"a\n" + strings.Replace(ourBlock, "goxin.sh", "other.sh", 1), "the block was changed since"},
		"its end is gone":    {"a\n# >>> goxin environment >>>\n. /etc/profile.d/goxin.sh\n", ""},
		"it is doubled":      {ourBlock + "a\n" + ourBlock, "somebody doubled the block since"},
		"the file is gone":   {"", "somebody removed the file since"},
		"its lines and more": {"a\n" + strings.Replace(ourBlock, ". /", "more\n. /", 1), "the block was changed since"},
	} {
		w := newWorld(t)
		w.write(bashrc, "a\n", 0o644)
		o := theBlock(nil)
		before := observe(t, o, w)
		if _, err := o.Do(context.Background(), w, nil); err != nil {
			t.Fatal(err)
		}
		after := observe(t, o, w)
		w.write(bashrc, c.meddled, 0o644)
		if c.meddled == "" {
			must(w.Remove(bashrc))
		}
		theirs := w.sum()
		for _, after := range []engine.State{after, {}} {
			err := o.Undo(context.Background(), w, before, after)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, engine.ErrNotOurs) || err.Error() != c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if w.sum() != theirs {
				t.Errorf("%s: it was not left alone", name)
			}
		}
		if d := o.Drift(after, observe(t, o, w)); (d.Action == engine.None) != (name == "the file is gone") {
			t.Errorf("%s: drift %s", name, draw(d))
		}
	}
	w := newWorld(t)
	w.write(bashrc, "a\n", 0o644)
	o := theBlock(nil)
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	left := observe(t, o, w)
	w.write(bashrc, w.read(bashrc)+"theirs\n", 0o644)
	if d := o.Drift(left, observe(t, o, w)); d.Action != engine.None {
		t.Errorf("others' lines are drift: %s", draw(d))
	}
}

func TestABlockRefusesWhatIsNoLine(t *testing.T) {
	w := newWorld(t)
	w.write(bashrc, "a\n", 0o644)
	w.mkdir("/etc/d")
	for _, o := range []*Block{
		theBlock(func(o *Block) { o.Lines = []string{"a\nb"} }),
		theBlock(func(o *Block) { o.Lines = []string{"\xff"} }),
		theBlock(func(o *Block) { o.Name = "" }),
		theBlock(func(o *Block) { o.Name = "a\nb" }),
		theBlock(func(o *Block) { o.Lines = []string{"# <<< goxin environment <<<"} }),
		theBlock(func(o *Block) { o.Path = "/etc/d" }),
	} {
		if _, err := o.Observe(context.Background(), w); err == nil {
			t.Errorf("%+v was observed", o)
		}
		if _, err := o.Do(context.Background(), w, nil); err == nil || w.read(bashrc) != "a\n" {
			t.Errorf("%+v was done", o)
		}
	}
}

func TestABlockByHand(t *testing.T) {
	for _, start := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "it's")
		must(os.WriteFile(file, []byte("a\n# >>> goxin environment >>>\nold\n# <<< goxin environment <<<\nb\n"), 0o644))
		o := theBlock(func(o *Block) { o.Path, o.Start = file, start })
		if out, err := exec.Command("sh", "-ec", strings.Join(o.ByHand(), "\n")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got, err := os.ReadFile(file)
		want := "a\nb\n" + ourBlock
		if start {
			want = ourBlock + "a\nb\n"
		}
		if err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func FuzzBlock(f *testing.F) {
	f.Add("a\nb", "x", true)
	f.Add("a\r\nb\r", "", false)
	f.Add("#!/bin/sh", "x\ny", true)
	f.Add("# >>> goxin n >>>\nx\n# <<< goxin n <<<", "x", false)
	f.Add("# >>> goxin n >>>\r\n# >>> goxin n >>>\n# <<< goxin n <<<\n# <<< goxin n <<<\r", "", false)
	f.Fuzz(func(t *testing.T, text, lines string, start bool) {
		o := &Block{Path: "/f", Name: "n", Lines: strings.Split(lines, "\n"), Start: start}
		if o.check() != nil {
			return
		}
		then := o.put(text)
		found := o.find(then)
		if len(found) != 1 || !o.says(found[0].in(then)) {
			t.Fatalf("%q became %q", text, then)
		}
		if again := o.put(then); again != then {
			t.Fatalf("twice: %q, then %q", then, again)
		}
		if len(o.find(text)) < 2 {
			if back := o.take(then, text); back != text {
				t.Fatalf("%q came back as %q", text, back)
			}
		}
	})
}

// The end of an older block, the last line of its file and without a newline, was glued to
// the line that somebody had appended.
func TestABlockWithoutANewlineComesBackBeforeWhatWasAppended(t *testing.T) {
	w := newWorld(t)
	old := "x=1\n# >>> goxin n >>>\nold\n# <<< goxin n <<<"
	w.write("/etc/bashrc", old, 0o644)
	o := &Block{Path: "/etc/bashrc", Name: "n", Lines: []string{"new"}, Reason: why}
	before, after := did(t, o, w)
	w.write("/etc/bashrc", w.read("/etc/bashrc")+"alias ll='ls -l'\n", 0o644)
	if err := o.Undo(context.Background(), w, before, after); err != nil || w.read("/etc/bashrc") != old+"\nalias ll='ls -l'\n" {
		t.Errorf("%v: %q", err, w.read("/etc/bashrc"))
	}
}

// Of two blocks that became one, only the first came back once the file was otherwise
// changed.
func TestEveryBlockThatWasMergedComesBack(t *testing.T) {
	w := newWorld(t)
	one, two := "# >>> goxin n >>>\none\n# <<< goxin n <<<\n", "# >>> goxin n >>>\ntwo\n# <<< goxin n <<<\n"
	w.write("/etc/bashrc", one+"x\n"+two, 0o644)
	o := &Block{Path: "/etc/bashrc", Name: "n", Lines: []string{"new"}, Reason: why}
	before, after := did(t, o, w)
	w.write("/etc/bashrc", w.read("/etc/bashrc")+"y\n", 0o644)
	if err := o.Undo(context.Background(), w, before, after); err == nil && !strings.Contains(w.read("/etc/bashrc"), "two") {
		t.Errorf("undone: %q", w.read("/etc/bashrc"))
	}
}
