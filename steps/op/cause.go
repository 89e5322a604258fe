package op

import (
	"errors"
	"io/fs"
	"syscall"

	"goxin/assets/lang"
)

// cannot is an error that leaves an op: it names the op's object once, the
// system call's error having lost its own mention of it, and, where the cause
// has no hint itself, says what is usually to be done about such a cause.
func cannot(err error, en, zh string, args ...any) *lang.Error {
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // the outermost layer is what is taken off
		err = p.Err
	}
	e := lang.Errorf(err, en, zh, args...)
	switch {
	case lang.Hint(err, lang.EN) != "":
	case errors.Is(err, syscall.EROFS):
		return e.WithHint("the file system is mounted read-only: see findmnt and dmesg", "文件系统以只读方式挂载：请查看 findmnt 与 dmesg")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return e.WithHint("make room on the disk: df -h; where that shows some, the inodes are used up: df -i", "请腾出磁盘空间：df -h；若仍有空间，则是 inode 已用尽：df -i")
	case errors.Is(err, fs.ErrPermission):
		return e.WithHint("run goxin as root; root is refused where a file is immutable (lsattr) or a security module forbids it",
			"请以 root 身份运行；若已是 root，请检查文件是否不可变（lsattr）或被安全模块禁止")
	case errors.Is(err, syscall.ELOOP):
		return e.WithHint("links lead to one another here: remove one of them", "链接互相指向：请删除其中一个")
	}
	return e
}

// cannotRead is cannot for the commonest of them.
func cannotRead(err error, name string) *lang.Error {
	return cannot(err, "cannot read %s", "无法读取 %s", Visible(name))
}
