package lang

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestTheKernelsWordsAreChineseOnAChineseScreen(t *testing.T) {
	missing := &fs.PathError{Op: "readdir", Path: "/media/usb", Err: syscall.ENOENT}
	for _, c := range []struct {
		err    error
		en, zh string
	}{
		{Errorf(missing, "cannot read %s", "无法读取 %s", "/media/usb"), "cannot read /media/usb: readdir /media/usb: no such file or directory", "无法读取 /media/usb：没有那个文件或目录"},
		{Errorf(missing, "cannot install Go", "无法安装 Go"), "cannot install Go: readdir /media/usb: no such file or directory", "无法安装 Go：/media/usb：没有那个文件或目录"},
		{Errorf(syscall.ENOSPC, "cannot write", "无法写入"), "cannot write: no space left on device", "无法写入：设备上没有空间"},
		{Errorf(fmt.Errorf("gcc said: %w", syscall.EACCES), "cannot build", "无法编译"), "cannot build: gcc said: permission denied", "无法编译：gcc said: 权限不够"},
		{Errorf(fmt.Errorf("%w, it said", syscall.EACCES), "cannot build", "无法编译"), "cannot build: permission denied, it said", "无法编译：permission denied, it said"},
		{missing, "readdir /media/usb: no such file or directory", "/media/usb：没有那个文件或目录"},
		{syscall.EUCLEAN, "structure needs cleaning", "structure needs cleaning"},
	} {
		if en, zh := Message(c.err, EN), Message(c.err, ZH); en != c.en || zh != c.zh {
			t.Errorf("%s\n%s", en, zh)
		}
	}
}

func TestNoWordOfTheKernelIsTranslatedTwice(t *testing.T) {
	seen := map[string]syscall.Errno{}
	for no, zh := range system {
		if other, twice := seen[zh]; twice || strings.TrimSpace(zh) == "" {
			t.Errorf("%v and %v: %q", no, other, zh)
		}
		seen[zh] = no
	}
}
