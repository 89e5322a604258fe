package langtest

import (
	"slices"
	"testing"
)

func TestEnglishProseIsFoundInChinese(t *testing.T) {
	for _, c := range []struct {
		zh   string
		want []string
	}{
		{"没有 /etc/hostname", nil},
		{"CPU 型号：/proc/cpuinfo model name", nil},
		{"型号：no limit in memory.max from /sys/fs/cgroup up", []string{"no limit in from up"}},
		{"未知：/usr/bin/dnf, but no /var/lib/dpkg/status", []string{"but no"}},
		{"not a running machine", []string{"not a running machine"}},
		{"该文件 is not there，请检查", []string{"is not there"}},
		{"机器：Kylin Linux Advanced Server，Huawei TaiShan", nil},
		{"/etc/os-release ID=kylin NAME=Kylin Linux Advanced Server；/usr/bin/dnf", nil},
		{"请运行 `cat file that is not there` 查看", nil},
		{"/proc/cpuinfo 写作 “this is the model name”", nil},
		{"gcc 说 \"cannot find -lz for the program\"", nil},
		{"依据：Go, package runtime, Environment Variables", nil},
		{"参见 https://go.dev/doc/the/way/to/go、https://a.b/is/not", nil},
		{"systemctl enable --now chronyd 之后", nil},
		{"goxin tune kernel --dry-run --yes", nil},
		{"GOMAXPROCS=8：go1.24.9 早于 1.25", nil},
		{"执行控制 on，状态 off", nil},
		{"选 yes or no", []string{"yes or no"}},
		{"选 on 或 off", nil},
		{"the machine's memory is gone", []string{"the machine's memory is gone"}},
		{"风险：Go's own is right for most services.", []string{"Go's own is right for most services."}},
		{"第一行\nthis line is English\n第三行", []string{"this line is English"}},
		{"this  is  a  table  of  the  things", nil}, // columns
		{"│ press any key to go on │ 按任意键继续 │", []string{"press any key to go on"}},
		{"gcc: permission denied", nil}, // another program's words, short ones
		{"/media/usb：没有那个文件或目录", nil},
		{"", nil},
		{"\x00\xff the \xff is", nil},
	} {
		if got := EnglishIn(c.zh); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.zh, got, c.want)
		}
	}
}

func TestChineseIsFoundInEnglish(t *testing.T) {
	for _, c := range []struct {
		en   string
		want []string
	}{
		{"the kernel is old-world", nil},
		{"the kernel is 旧世界, it says", []string{"旧世界"}},
		{"size：12 GiB", []string{"："}},
		{"it is called “银河麒麟” and \"统信\"", nil},
		{"/etc/os-release VERSION=银河麒麟桌面操作系统V10 (SP1)", nil},
		{"未知 and 已知", []string{"未知", "已知"}},
		{"→ next · 2 × 64 cores ✓ — done…", nil},
		{"Go's `中文` key", nil},
		{"", nil},
	} {
		if got := ChineseIn(c.en); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.en, got, c.want)
		}
	}
}
