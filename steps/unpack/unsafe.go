package unpack

import (
	"errors"
	"io"

	"goxin/assets/lang"
)

// UnsafeError is an archive that is not taken, whatever signed it.
type UnsafeError struct {
	Name string    // of the entry, as the archive has it; empty: the archive as such
	Why  lang.Text // a clause
}

func (e *UnsafeError) Error() string { return e.Text().EN }

// Text is the refusal with the name, quoted.
func (e *UnsafeError) Text() lang.Text {
	if e.Name == "" {
		return lang.F("cannot unpack the archive: %s", "无法解包：%s", e.Why)
	}
	return lang.F("cannot unpack %q: %s", "无法解包 %q：%s", e.Name, e.Why)
}

// Hint is what to do.
func (e *UnsafeError) Hint() lang.Text {
	return lang.T("take the archive from another source; no release of Go looks like this",
		"请换一个来源重新获取归档：Go 的正式发行包不会是这样")
}

// Why an archive is refused.
var (
	whyClimbs      = lang.T("the name climbs out of its directory", "名称含有 ..，会逃出目标目录")
	whyAbsolute    = lang.T("the name is absolute", "名称是绝对路径")
	whyNotPlain    = lang.T("the name has an empty part or a single dot", "名称含有空的部分或单独的点")
	whyCharacters  = lang.T("the name is not plain UTF-8: it has control or invisible characters, or a backslash", "名称不是规范的 UTF-8：含控制字符、不可见字符或反斜杠")
	whyLongName    = lang.T("the name is too long", "名称过长")
	whyOutside     = lang.T("it lies outside of the directory that the archive should have", "不在归档应有的顶层目录之内")
	whyForeign     = lang.T("no such file belongs into this archive", "该归档中不应有此文件")
	whyDuplicate   = lang.T("the name is there twice", "名称重复")
	whyCase        = lang.T("the name differs from another only by case", "与另一名称仅大小写不同")
	whyBelowFile   = lang.T("it lies below a file", "位于一个普通文件之下")
	whyLink        = lang.T("it is a symbolic link", "是符号链接")
	whyHardLink    = lang.T("it is a hard link", "是硬链接")
	whyDevice      = lang.T("it is a device or a pipe", "是设备文件或管道")
	whySparse      = lang.T("it is a sparse file", "是稀疏文件")
	whyKind        = lang.T("it is neither a file nor a directory", "既不是文件也不是目录")
	whyTooMany     = lang.T("there are too many entries", "条目过多")
	whyLargeFile   = lang.T("the file is too large", "文件过大")
	whyLargeWhole  = lang.T("the whole is too large", "总量过大")
	whyTooDeep     = lang.T("the name has too many parts", "目录层级过深")
	whyTruncated   = lang.T("the archive ends early", "归档不完整，提前结束")
	whyTrailing    = lang.T("there is something behind the archive's end", "归档结尾之后还有数据")
	whyNoFiles     = lang.T("there is no file in it", "其中没有任何文件")
	whyMethod      = lang.T("it is packed in an unknown way", "压缩方式未知")
	whyNoSize      = lang.T("where it ends is not told", "未标明其结尾位置")
	whyWrongSum    = lang.T("its size or checksum is not what the archive says", "大小或校验和与归档所载不符")
	whyContradicts = lang.T("the archive's directory says something else than the file itself", "归档的中央目录与文件本身不一致")
)

func refuse(name string, why lang.Text) error { return &UnsafeError{name, why} }

// damaged is what an error of a decoder says about the archive. What is a refusal
// already stays what it is.
func damaged(name string, err error) error {
	var unsafe *UnsafeError
	var failed *sourceError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unsafe), errors.As(err, &failed), errors.Is(err, errStopped):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return refuse(name, whyTruncated)
	}
	return refuse(name, lang.F("the archive is damaged: %s", "归档已损坏：%s", err))
}
