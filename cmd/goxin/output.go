package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unicode"

	"goxin/assets/lang"
)

// output is standard output. It remembers the first write that failed, so that a
// full disk is not taken for success.
type output struct {
	*os.File
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.File.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// WriteString is there so that no write goes past Write.
func (o *output) WriteString(s string) (int, error) { return o.Write([]byte(s)) }

// failure is why the output is not all there. A reader that had enough and left
// (head) is no failure.
func (o *output) failure() error {
	if o.err == nil || errors.Is(o.err, syscall.EPIPE) {
		return nil
	}
	return lang.Errorf(o.err, "cannot write the output", "无法写出结果").WithHint("free some room where it goes", "请在输出位置腾出空间")
}

// visible shows control characters instead of sending them: what stands in a
// machine's files must not steer the terminal of whoever looks at them.
func visible(s string) string {
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case control(r) && r > 0xff:
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		case control(r):
			fmt.Fprintf(&b, `\x%02x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// control says whether a terminal does something at r instead of showing it: what turns
// the text round makes one diff look like another.
func control(r rune) bool {
	return (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) && r != '\n' && r != '\t'
}
