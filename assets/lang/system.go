package lang

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// system are the kernel's words in Chinese, as the C library's own catalogue has them
// (glibc, po/zh_CN.po): those that an administrator knows from ls and cp.
var system = map[syscall.Errno]string{
	syscall.EPERM:        "不允许的操作",
	syscall.ENOENT:       "没有那个文件或目录",
	syscall.EIO:          "输入/输出错误",
	syscall.ENOEXEC:      "可执行文件格式错误",
	syscall.EACCES:       "权限不够",
	syscall.EBUSY:        "设备或资源忙",
	syscall.EEXIST:       "文件已存在",
	syscall.ENOTDIR:      "不是目录",
	syscall.EISDIR:       "是一个目录",
	syscall.EINVAL:       "无效的参数",
	syscall.ENOMEM:       "无法分配内存",
	syscall.ETXTBSY:      "文本文件忙",
	syscall.EFBIG:        "文件过大",
	syscall.ENOSPC:       "设备上没有空间",
	syscall.EROFS:        "只读文件系统",
	syscall.EMFILE:       "打开的文件过多",
	syscall.ENAMETOOLONG: "文件名过长",
	syscall.ENOTEMPTY:    "目录非空",
	syscall.ELOOP:        "符号连接的层数过多",
	syscall.EDQUOT:       "超出磁盘限额",
	syscall.EOPNOTSUPP:   "不支持的操作",
	syscall.ENETUNREACH:  "网络不可达",
	syscall.ECONNREFUSED: "拒绝连接",
	syscall.ECONNRESET:   "连接被对方重置",
	syscall.EHOSTUNREACH: "没有到主机的路由",
	syscall.ETIMEDOUT:    "连接超时",
}

// foreign is an error that carries no Text, below what has been said. In Chinese the
// kernel's words at its end are Chinese too, and a path is named once.
func foreign(err error, said string, l Lang) string {
	s := err.Error()
	var no syscall.Errno
	if l != ZH || !errors.As(err, &no) || system[no] == "" || !strings.HasSuffix(s, no.Error()) {
		return s
	}
	var at *fs.PathError
	if !errors.As(err, &at) || s != at.Error() {
		return strings.TrimSuffix(s, no.Error()) + system[no]
	}
	if strings.Contains(said, at.Path) {
		return system[no]
	}
	return at.Path + "：" + system[no]
}
