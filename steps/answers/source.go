package answers

import (
	"bytes"
	"io"
	"unicode"
	"unicode/utf8"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// MaxSize is how large an answers file may be, in bytes; a real one has a few
// thousand.
const MaxSize = 1 << 20

// Read decodes answers from r and reads no further than the largest file there
// may be. A failure of r itself is not a *Problems.
func Read(name string, r io.Reader, steps []engine.Step) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, lang.Errorf(err, "cannot read answers from %s", "无法读取应答文件 %s", name)
	}
	return Decode(name, data, steps)
}

// clean gives the text of an answers file with plain line ends and without its
// byte order mark, or complains about why it is not text.
func clean(data []byte, c *complaints) ([]byte, bool) {
	before := len(c.list)
	switch {
	case len(data) > MaxSize:
		c.add(place{}, lang.F("cannot read answers: they are larger than %d KiB", "无法读取应答文件：超过 %d KiB", MaxSize>>10),
			lang.T("is this the right file? an answers file has a few kilobytes", "请确认文件是否正确：应答文件通常只有几 KB"))
		return nil, false
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		c.add(place{1, 1}, lang.T("cannot read answers: they are in UTF-16", "无法读取应答文件：编码是 UTF-16"),
			lang.T("save them as UTF-8, or: iconv -f UTF-16 -t UTF-8", "请另存为 UTF-8，或执行：iconv -f UTF-16 -t UTF-8"))
		return nil, false
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))

	if i := bytes.IndexByte(data, 0); i >= 0 {
		start := bytes.LastIndexByte(data[:i], '\n') + 1
		c.add(place{1 + bytes.Count(data[:i], []byte("\n")), 1 + utf8.RuneCount(data[start:i])},
			lang.T("cannot read answers: the file is binary (it has a NUL byte)", "无法读取应答文件：这是二进制文件（含 NUL 字节）"),
			lang.T("is this the right file?", "请确认文件是否正确"))
		return nil, false
	}
	at := place{1, 1}
	indent := true // nothing but blanks so far on this line
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			c.add(at, lang.F("cannot read answers: byte 0x%02x is not UTF-8", "无法读取应答文件：字节 0x%02x 不是 UTF-8", data[i]),
				lang.T("if the file is in GBK: iconv -f GBK -t UTF-8", "若文件为 GBK 编码，请执行：iconv -f GBK -t UTF-8"))
			return nil, false
		case (r == '\t' && indent || r != '\n' && r != '\t' && unicode.IsControl(r)) && c.full():
			c.more++
			indent = false
		case r == '\t' && indent:
			c.add(at, lang.T("cannot read the indentation: it has a tab", "无法识别缩进：用了制表符"),
				lang.T("indent with spaces: YAML does not allow tabs", "请改用空格缩进：YAML 不允许制表符"))
			indent = false
		case r != '\n' && r != '\t' && unicode.IsControl(r):
			c.add(at, lang.F("cannot read answers: control character %U", "无法读取应答文件：含控制字符 %U", r),
				lang.T("remove it", "请删除该字符"))
		}
		if r == '\n' {
			at = place{at.line + 1, 1}
			indent = true
		} else {
			at.col++
			indent = indent && r == ' '
		}
		i += size
	}
	return data, len(c.list) == before && c.more == 0
}
