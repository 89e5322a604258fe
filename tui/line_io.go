package tui

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"goxin/assets/lang"
)

// lineMost is the longest line that is taken for an answer, in bytes.
const lineMost = 64 << 10

// lineReader reads lines when it is asked to. It is the only one that reads, so
// nothing that is there already gets lost between two answers.
type lineReader struct {
	r       *bufio.Reader
	ask     chan struct{}
	got     chan lineRead
	started bool
	asked   bool
}

// lineRead is a line without its end, or why there is none: err, or what it is
// that cannot be taken for an answer.
type lineRead struct {
	text    string
	refused lang.Text
	err     error
}

func newLineReader(in io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReader(in), ask: make(chan struct{}, 1), got: make(chan lineRead, 1)}
}

// next is where the next line comes.
func (l *lineReader) next() <-chan lineRead {
	if !l.started {
		l.started = true
		go func() {
			for range l.ask {
				l.got <- l.read()
			}
		}()
	}
	if !l.asked {
		l.asked = true
		l.ask <- struct{}{}
	}
	return l.got
}

// taken says that the line asked for has been received.
func (l *lineReader) taken() { l.asked = false }

// read reads one line. What has no end of line is no line: a transfer that broke
// off must not answer with the half of a word.
func (l *lineReader) read() lineRead {
	var b []byte
	long := false
	for {
		part, err := l.r.ReadSlice('\n')
		if len(b)+len(part) <= lineMost {
			b = append(b, part...)
		} else {
			long = true
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return lineRead{err: err}
		}
		break
	}
	if long {
		return lineRead{refused: lang.F("That line is longer than %d KiB and no answer.", "该行超过 %d KiB，不能作为应答。", lineMost>>10)}
	}
	s := strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff"))
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
		return lineRead{refused: lang.T("That line holds other characters than text and is no answer.", "该行含有非文本字符，不能作为应答。")}
	}
	return lineRead{text: s}
}

// lineWriter writes text, until that fails once. One whose reader takes nothing
// (a pipe that is full) does not hold up the end of the wizard.
type lineWriter struct {
	ctx   context.Context
	w     io.Writer
	watch func([]byte)
	err   error
}

func (o *lineWriter) write(s string) {
	if o.err != nil {
		return
	}
	b := []byte(s)
	done := make(chan error, 1)
	go func() {
		_, err := o.w.Write(b)
		done <- err
	}()
	select {
	case o.err = <-done:
	case <-o.ctx.Done():
		select {
		case o.err = <-done:
		case <-time.After(drain):
			o.err = context.Cause(o.ctx)
		}
	}
	if o.err == nil && o.watch != nil {
		o.watch(b)
	}
}
