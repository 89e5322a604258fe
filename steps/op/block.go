package op

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"unicode/utf8"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Block is some lines between two markers in somebody's file, such as a shell's
// start-up file:
//
//	# >>> goxin NAME >>>
//	…
//	# <<< goxin NAME <<<
//
// The rest of the file is nobody's business here: it may change between Do and
// Undo, and line ends, mode and owner stay. A marker without its other half is a
// comment like any other, and stays where it is.
type Block struct {
	Path  string   `json:"path"`
	Name  string   `json:"name"`
	Lines []string `json:"lines"`
	// Start puts a new block before everything but a "#!" line; else it comes last.
	Start bool `json:"start,omitempty"`
	// Create makes the file (0644, root) where it is missing; else such a file is
	// left missing.
	Create bool      `json:"create,omitempty"`
	Reason lang.Text `json:"reason"`
}

type blockState struct {
	Exists bool `json:"exists"`
	Blocks int  `json:"blocks"` // whole ones
	Right  bool `json:"right"`  // there is one, and it says what it should
}

// Kind is "block".
func (o *Block) Kind() string { return "block" }

// Target is the path and the block's name.
func (o *Block) Target() string { return Visible(o.Path + ": " + o.Name) }

// Touches is the file: others may change other lines of it.
func (o *Block) Touches() string { return Visible(o.Path) }

// Why is the step's reason.
func (o *Block) Why() lang.Text { return o.Reason }

func (o *Block) begin() string { return "# >>> goxin " + o.Name + " >>>" }
func (o *Block) end() string   { return "# <<< goxin " + o.Name + " <<<" }

// block is the lines with their markers.
func (o *Block) block(eol string) string {
	var b strings.Builder
	b.WriteString(o.begin() + eol)
	for _, l := range o.Lines {
		b.WriteString(l + eol)
	}
	b.WriteString(o.end() + eol)
	return b.String()
}

// ByHand takes the old block out and puts the new one in, in text that a shell
// takes as it is.
func (o *Block) ByHand() []string {
	out := []string{"sed -i --follow-symlinks " + Quote("\\|^"+pattern(o.begin())+"$|,\\|^"+pattern(o.end())+"$|d") + " " + Quote(o.Path)}
	text := Quote(o.block("\n"))
	if !o.Start {
		return append(out, "printf %s "+text+" >> "+Quote(o.Path))
	}
	return append(out, "{ printf %s "+text+"; cat "+Quote(o.Path)+"; } > "+Quote(o.Path+".new")+" && cat "+Quote(o.Path+".new")+" > "+Quote(o.Path)+" && rm "+Quote(o.Path+".new"))
}

// Observe reads the file, which is the state's Blob, and finds the block.
func (o *Block) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	s, text, _, err := o.look(m)
	if err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, []byte(text)), nil
}

func (o *Block) look(m machine.Machine) (s blockState, text string, info machine.Info, err error) {
	if err = o.check(); err != nil {
		return s, "", info, err
	}
	info, err = m.Stat(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, "", info, nil
	}
	if err == nil && !info.Mode.IsRegular() {
		err = notRegular(info.Mode)
	}
	var data []byte
	if err == nil {
		data, err = m.ReadFile(o.Path)
	}
	if err != nil {
		return s, "", info, cannotRead(err, o.Path)
	}
	text = string(data)
	found := o.find(text)
	s = blockState{Exists: true, Blocks: len(found)}
	s.Right = len(found) == 1 && o.says(found[0].in(text))
	return s, text, info, nil
}

// check refuses what would not be found again.
func (o *Block) check() error {
	for _, l := range append([]string{o.Name}, o.Lines...) {
		if strings.ContainsAny(l, "\r\n\x00") || !utf8.ValidString(l) || o.Name == "" || l == o.begin() || l == o.end() {
			return lang.Errorf(nil, "cannot put a block into %s: no line of it may be %q", "无法在 %s 中写入配置块：其中的行不得为 %q", Visible(o.Path), l).
				WithHint("this is a fault of goxin's: please report it", "这是 goxin 的缺陷，请反馈")
		}
	}
	return nil
}

// span is a whole block in a text, in bytes.
type span struct{ from, to int }

func (s span) in(text string) string { return text[s.from:s.to] }

// find gives the whole blocks: a begin and the next end, with no begin between.
func (o *Block) find(text string) (all []span) {
	begun, at := -1, 0
	for line := range strings.Lines(text) {
		switch strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r") {
		case o.begin():
			begun = at
		case o.end():
			if begun >= 0 {
				all = append(all, span{begun, at + len(line)})
			}
			begun = -1
		}
		at += len(line)
	}
	return all
}

// says whether a block is the one that is wanted, whatever ends its lines.
func (o *Block) says(block string) bool {
	block = strings.ReplaceAll(block, "\r\n", "\n")
	want := o.block("\n")
	return block == want || block+"\n" == want
}

// put makes text have the block once: where one is, in its place.
func (o *Block) put(text string) string {
	eol := lineEnd(text)
	found := o.find(text)
	if len(found) == 0 {
		at := len(text)
		if o.Start {
			at = 0
			if strings.HasPrefix(text, "#!") {
				at = len(firstLine(text))
			}
		}
		before, after := text[:at], text[at:]
		if before != "" && !strings.HasSuffix(before, "\n") {
			before += eol
		}
		return before + o.block(eol) + after
	}
	for i := len(found) - 1; i > 0; i-- {
		text = text[:found[i].from] + text[found[i].to:]
	}
	if o.says(found[0].in(text)) {
		return text
	}
	return text[:found[0].from] + o.block(eol) + text[found[0].to:]
}

// lineEnd is what ends every line of a text.
func lineEnd(text string) string {
	if n := strings.Count(text, "\r\n"); n > 0 && n == strings.Count(text, "\n") {
		return "\r\n"
	}
	return "\n"
}

func firstLine(text string) string {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1]
	}
	return text
}

// take undoes put in a text that may have changed around the block: was is what
// the whole text was before. Of several blocks that put made one of, all come back in
// its place. The newline that put gave an unfinished last line goes too, unless something
// follows by now.
func (o *Block) take(text, was string) string {
	s := o.find(text)[0]
	before, after := text[:s.from], text[s.to:]
	if old := o.find(was); len(old) > 0 {
		for _, s := range old { // where they stood, nobody knows any more
			before += s.in(was)
			if !strings.HasSuffix(before, "\n") && after != "" {
				before += lineEnd(was)
			}
		}
		return before + after
	}
	if after == "" && was != "" && !strings.HasSuffix(was, "\n") {
		before = strings.TrimSuffix(strings.TrimSuffix(before, "\n"), strings.TrimSuffix(lineEnd(was), "\n"))
	}
	return before + after
}

// Diff shows the lines in their context.
func (o *Block) Diff(s engine.State) engine.Diff {
	was, _, err := decode[blockState](o, s)
	if err != nil || was.Right || !was.Exists && !o.Create {
		return engine.Diff{Action: engine.None}
	}
	d := engine.Diff{Action: engine.Update}
	switch {
	case !was.Exists:
		d.Action, d.Note = engine.Create, lang.T("new, with a block of goxin's", "新建，内含 goxin 配置块")
	case was.Blocks == 0:
		d.Note = lang.T("a block of goxin's is added", "新增 goxin 配置块")
	case was.Blocks > 1:
		d.Note = lang.F("goxin's block, there %d times, is replaced by one", "goxin 配置块出现 %d 次，合并为一处", was.Blocks)
	default:
		d.Note = lang.T("goxin's block is replaced", "替换 goxin 配置块")
	}
	if readable(s.Blob) {
		d.Hunks = hunks(string(s.Blob), o.put(string(s.Blob)))
	}
	return d
}

// Drift is a block that is gone or says something else; what others write around
// it is theirs.
func (o *Block) Drift(after, now engine.State) engine.Diff {
	if left, _, err := decode[blockState](o, after); err == nil && !left.Right {
		return engine.Diff{Action: engine.None}
	}
	return o.Diff(now)
}

// Do puts the block in, or makes the one there say what it should.
func (o *Block) Do(_ context.Context, m machine.Machine, _ func(lang.Text)) (engine.Outcome, error) {
	was, text, info, err := o.look(m)
	if err != nil {
		return engine.Outcome{}, err
	}
	switch {
	case was.Right || !was.Exists && !o.Create:
	case !was.Exists:
		err = m.WriteFile(o.Path, []byte(o.put("")), 0o644, machine.RootOwner)
	default:
		err = o.write(m, info, o.put(text))
	}
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil {
		return engine.Outcome{}, cannot(err, "cannot put a block into %s", "无法在 %s 中写入配置块", Visible(o.Path))
	}
	return engine.OK, nil
}

func (o *Block) write(m machine.Machine, info machine.Info, text string) error {
	n := inodeOf(info)
	return m.WriteFile(o.Path, []byte(text), fs.FileMode(n.Mode), n.owner())
}

// Undo puts the file back as it was where nobody changed it, and else takes out,
// or back to what it said, the block alone.
func (o *Block) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[blockState](o, before)
	if err != nil {
		return err
	}
	now, text, info, err := o.look(m)
	if err != nil {
		return err
	}
	if now != was || !holds(before, []byte(text)) {
		if err = o.restore(m, was, string(before.Blob), now, text, info); errors.Is(err, engine.ErrNotOurs) {
			return err
		}
	}
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil {
		return cannot(err, "cannot take a block out of %s", "无法从 %s 中移除配置块", Visible(o.Path))
	}
	return nil
}

func (o *Block) restore(m machine.Machine, was blockState, old string, now blockState, text string, info machine.Info) error {
	switch {
	case !now.Exists:
		if !was.Exists {
			return nil
		}
		return notOurs("somebody removed the file since", "该文件之后被他人删除")
	case now.Blocks == 0 && was.Blocks == 0:
		return nil // somebody took it out already, or it was never put in
	case !now.Right:
		if now.Blocks > 1 {
			return notOurs("somebody doubled the block since", "该配置块之后被复制成了多处")
		}
		return notOurs("the block was changed since", "该配置块之后被修改过")
	case was.Blocks > 0 && len(o.find(old)) == 0:
		return lang.Errorf(nil, "its old content is not in the journal", "日志中没有它原来的内容").
			WithHint("put it back by hand, from a backup", "请从备份中手工恢复")
	}
	if was.Exists && text == o.put(old) {
		return o.write(m, info, old)
	}
	left := o.take(text, old)
	if !was.Exists && left == "" {
		return m.Remove(realpath(m, o.Path))
	}
	return o.write(m, info, left)
}
