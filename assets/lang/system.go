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
	syscall.EPERM:         "不允许的操作",
	syscall.EAFNOSUPPORT:  "不支持该协议族",
	syscall.ENOENT:        "没有那个文件或目录",
	syscall.ESRCH:         "没有那个进程",
	syscall.EINTR:         "被中断的系统调用",
	syscall.EIO:           "输入/输出错误",
	syscall.ENXIO:         "没有那个设备或地址",
	syscall.E2BIG:         "参数列表过长",
	syscall.ENOEXEC:       "可执行文件格式错误",
	syscall.EBADF:         "错误的文件描述符",
	syscall.ECHILD:        "没有子进程",
	syscall.EAGAIN:        "资源暂时不可用",
	syscall.ENOMEM:        "无法分配内存",
	syscall.EACCES:        "权限不够",
	syscall.ENOTBLK:       "需要块设备",
	syscall.EBUSY:         "设备或资源忙",
	syscall.EEXIST:        "文件已存在",
	syscall.EXDEV:         "无效的跨设备链接",
	syscall.ENODEV:        "没有那个设备",
	syscall.ENOTDIR:       "不是目录",
	syscall.EISDIR:        "是一个目录",
	syscall.EINVAL:        "无效的参数",
	syscall.ENFILE:        "系统中打开的文件过多",
	syscall.EMFILE:        "打开的文件过多",
	syscall.ENOTTY:        "对设备不适当的 ioctl 操作",
	syscall.ETXTBSY:       "文本文件忙",
	syscall.EFBIG:         "文件过大",
	syscall.ENOSPC:        "设备上没有空间",
	syscall.ESPIPE:        "非法 seek 操作",
	syscall.EROFS:         "只读文件系统",
	syscall.EMLINK:        "过多的链接",
	syscall.EPIPE:         "断开的管道",
	syscall.ERANGE:        "数值结果超出范围",
	syscall.ENAMETOOLONG:  "文件名过长",
	syscall.ENOSYS:        "函数未实现",
	syscall.ENOTEMPTY:     "目录非空",
	syscall.ELOOP:         "符号连接的层数过多",
	syscall.ENODATA:       "没有可用的数据",
	syscall.EPROTO:        "协议错误",
	syscall.EOVERFLOW:     "对已定义的数据类型来说值过大",
	syscall.EOPNOTSUPP:    "不支持的操作",
	syscall.EADDRINUSE:    "地址已在使用",
	syscall.EADDRNOTAVAIL: "无法指定被请求的地址",
	syscall.ENETDOWN:      "网络已关闭",
	syscall.ENETUNREACH:   "网络不可达",
	syscall.ECONNABORTED:  "由软件导致的连接断开",
	syscall.ECONNREFUSED:  "拒绝连接",
	syscall.ECONNRESET:    "连接被对方重置",
	syscall.ENOBUFS:       "没有可用的缓冲区空间",
	syscall.ENOTCONN:      "传输端点尚未连接",
	syscall.EHOSTDOWN:     "主机关闭",
	syscall.EHOSTUNREACH:  "没有到主机的路由",
	syscall.ETIMEDOUT:     "连接超时",
	syscall.ESTALE:        "过旧的文件句柄",
	syscall.EDQUOT:        "超出磁盘限额",
	syscall.ENOKEY:        "需要的关键字不存在",
}

// foreign is an error that carries no Text of its own, below what has been said. In
// Chinese the known words at its end are Chinese, what Go puts before them is too, and
// a path is named once.
func foreign(err error, said string, l Lang) string {
	s := err.Error()
	if l != ZH {
		return s
	}
	var at *fs.PathError
	if errors.As(err, &at) && s == at.Error() {
		why := message(at.Err, said, ZH)
		if strings.Contains(said, at.Path) {
			return why
		}
		return at.Path + "：" + why
	}
	if en, zh := ending(err, said); zh != "" && strings.HasSuffix(s, en) {
		return lead(strings.TrimSuffix(s, en)) + zh
	}
	return words(s)
}

// ending is what a Reason, or the kernel, says on err's chain, in both languages; ""
// where there is none.
func ending(err error, said string) (en, zh string) {
	var r *Reason
	var x Explainer
	var no syscall.Errno
	switch {
	case errors.As(err, &r):
		return r.Error(), message(r, said, ZH)
	case errors.As(err, &x):
		return x.Error(), x.Reason().ZH
	case errors.As(err, &no):
		return no.Error(), system[no]
	}
	return "", ""
}
