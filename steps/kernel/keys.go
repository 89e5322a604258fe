package kernel

import (
	"errors"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/sysctl"
)

// checkSetting judges one element of the set field, "key=value".
func checkSetting(element string) error {
	key, value, ok := strings.Cut(element, "=")
	if !ok {
		return lang.Errorf(nil, "cannot read %q: it is not key=value", "无法读取 %q：不是“键=值”的形式", element).
			WithHint("write it as sysctl shows it: net.core.somaxconn=65535", "请按 sysctl 的写法填写：net.core.somaxconn=65535")
	}
	if err := checkKey(key); err != nil {
		return err
	}
	if err := checkValue(value); err != nil {
		return err
	}
	key = sysctl.Canonical(key)
	if err := refused(key, value); err != nil {
		return err
	}
	for _, k := range Knobs() {
		if k.Key == key {
			return k.Check(value)
		}
	}
	return nil
}

// reason is err without its "cannot set KEY to VALUE: ", for where that is said
// already.
func reason(err error) error {
	var e *lang.Error
	if !errors.As(err, &e) {
		return err
	}
	_, en, ok := strings.Cut(e.Text.EN, ": ")
	_, zh, also := strings.Cut(e.Text.ZH, "：")
	if !ok || !also {
		return err
	}
	return &lang.Error{Text: lang.T(en, zh), Cause: e.Cause, Hint: e.Hint}
}

func checkKey(key string) error {
	bad := func(en, zh string) error {
		return lang.Errorf(nil, "cannot use %q as the name of a kernel parameter: "+en, "%q 不能作为内核参数名："+zh, key).
			WithHint("write it as sysctl shows it: net.core.somaxconn", "请按 sysctl 显示的写法填写，例如 net.core.somaxconn")
	}
	if key == "" || len(key) > 200 {
		return bad("it has no length that a name has", "长度不合理")
	}
	if strings.ContainsAny(key, "*?[]{}") {
		return bad("patterns are not taken; name each parameter", "不支持通配，请逐个写明")
	}
	for _, r := range key {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._/-:@", r)) {
			return bad("it holds the character "+strconv.QuoteRune(r), "含有字符 "+strconv.QuoteRune(r))
		}
	}
	if strings.HasPrefix(key, "-") {
		return bad("a leading “-” is sysctl.d's way to ignore errors, and goxin reports them", "开头的“-”在 sysctl.d 里表示忽略错误，而 goxin 要报告错误")
	}
	if err := sysctl.Check(key); err != nil {
		return bad("it is not of the form a.b", "不是 a.b 的形式")
	}
	return nil
}

func checkValue(value string) error {
	if strings.TrimSpace(value) == "" {
		return lang.Errorf(nil, "cannot set a kernel parameter to nothing", "内核参数的值不能为空").
			WithHint("remove the key, or write the value to set", "请删除该键，或写上要设的值")
	}
	if len(value) > 512 {
		return lang.Errorf(nil, "cannot use a value of %d characters: kernel parameters take at most 512 here", "值有 %d 个字符，过长：此处最多 512 个", len(value)).
			WithHint("shorten it", "请缩短")
	}
	if value != strings.TrimSpace(value) {
		return lang.Errorf(nil, "cannot use %q: it begins or ends with a blank", "%q 不可用：首尾有空白", value).
			WithHint("write %q", "请写 %q", strings.TrimSpace(value))
	}
	for _, r := range value {
		if r != '\t' && (r < ' ' || r > '~') {
			return lang.Errorf(nil, "cannot use %q: a value is one line of printable ASCII", "%q 不可用：值必须是单行可打印 ASCII 字符", value).
				WithHint("remove what is neither", "请删除其他字符")
		}
	}
	// sysctl.d and procps hand quotation marks on to the kernel, which refuses them.
	if c := value[0]; c == '"' || c == '\'' {
		return lang.Errorf(nil, "cannot use %s: quotation marks would reach the kernel", "%s 不可用：引号会原样传给内核", value).
			WithHint("write it without them", "请去掉引号")
	}
	return nil
}

// refused says why goxin does not set a key, whoever asks.
func refused(key, value string) error {
	no := func(en, zh string) error {
		return lang.Errorf(nil, "cannot set %s: "+en, "拒绝设置 %s："+zh, key).
			WithHint("remove the key from set; who needs it sets it by hand", "请从 set 中删除该键；确有需要请手工设置")
	}
	switch key {
	case "kernel.core_pattern", "kernel.modprobe", "kernel.hotplug", "kernel.poweroff_cmd", "kernel.core_pipe_limit":
		return no("it names a program the kernel runs as root, or belongs to one; that is not tuning", "它指定内核以 root 身份执行的程序（或与之相关），不属于调优")
	case "vm.drop_caches", "vm.compact_memory", "net.ipv4.route.flush", "net.ipv6.route.flush", "vm.stat_refresh":
		return no("writing it triggers an action once; it is not a setting that can be kept or undone", "写入它只会触发一次动作，不是可以保持或撤销的设置")
	case "kernel.hostname", "kernel.domainname":
		return no("the name of the machine is hostnamectl's", "主机名请用 hostnamectl 设置")
	case "kernel.ns_last_pid", "kernel.random.boot_id", "kernel.random.uuid", "kernel.osrelease", "kernel.ostype", "kernel.version", "fs.file-nr", "fs.inode-nr", "fs.inode-state", "fs.dentry-state", "fs.aio-nr":
		return no("it is a reading of the kernel, not a setting", "它是内核给出的读数，不是可设置项")
	case "kernel.modules_disabled", "kernel.kexec_load_disabled":
		if value != "0" {
			return no("it can be switched on but not off again until the machine reboots, so it could not be undone", "一旦打开，重启前无法关闭，也就无法撤销")
		}
	case "kernel.unprivileged_bpf_disabled":
		if value == "1" {
			return lang.Errorf(nil, "cannot set %s to 1: it cannot be taken back until the machine reboots", "拒绝把 %s 设为 1：重启前无法收回", key).
				WithHint("2 forbids the same and can be undone", "设为 2 效果相同，且可以撤销")
		}
	case "kernel.yama.ptrace_scope":
		if value == "3" {
			return lang.Errorf(nil, "cannot set %s to 3: it cannot be taken back until the machine reboots", "拒绝把 %s 设为 3：重启前无法收回", key).
				WithHint("2 lets only administrators attach and can be undone", "设为 2 只允许管理员附加调试，且可以撤销")
		}
	case "fs.nr_open":
		if n, err := strconv.ParseUint(value, 10, 64); err != nil || n < defaultNrOpen {
			return lang.Errorf(nil, "cannot set %s to %s: below the kernel's own %d, limits of services and logins that are above it fail, and people can no longer log in", "拒绝把 %s 设为 %s：低于内核自带的 %d 时，超出它的服务和登录限制都会失败，人就登录不上了", key, value, defaultNrOpen).
				WithHint("write at least %d", "请写不小于 %d 的值", defaultNrOpen)
		}
	}
	switch {
	case strings.HasPrefix(key, "kernel.usermodehelper."), strings.HasPrefix(key, "fs.binfmt_misc."):
		return no("it decides what the kernel runs as root; that is not tuning", "它决定内核以 root 身份执行什么，不属于调优")
	}
	return nil
}

// gone says since when a key that recipes still carry is no more, what to do
// instead, and whether release r is one without it. An unknown release (zero)
// counts as 4.19, the oldest goxin meets.
func gone(key string, r Version) (lang.Text, bool) {
	if r == (Version{}) {
		r = Version{4, 19}
	}
	since := Version{4, 12}
	var t lang.Text
	switch key {
	case "net.ipv4.tcp_tw_recycle":
		t = lang.T("gone since Linux 4.12: it broke clients behind NAT. Nothing replaces it, and nothing has to.", "自 Linux 4.12 起已移除：它会误伤 NAT 后面的客户端。没有替代项，也不需要。")
	case "kernel.sched_min_granularity_ns", "kernel.sched_wakeup_granularity_ns", "kernel.sched_latency_ns", "kernel.sched_migration_cost_ns", "kernel.sched_nr_migrate", "kernel.sched_tunable_scaling":
		since = Version{5, 13}
		t = lang.T("gone since Linux 5.13: it moved to /sys/kernel/debug/sched, which is for debugging.", "自 Linux 5.13 起已移除：移到了 /sys/kernel/debug/sched，仅供调试。")
	case "net.ipv4.ip_conntrack_max", "net.ipv4.netfilter.ip_conntrack_max":
		t = lang.T("has another name today: net.netfilter.nf_conntrack_max.", "已改名为 net.netfilter.nf_conntrack_max。")
	default:
		return lang.Text{}, false
	}
	return t, !r.Before(since)
}

// arrived is the kernel with which a key came that older ones here lack; zero
// for all others.
func arrived(key string) Version {
	switch key {
	case "vm.watermark_boost_factor":
		return Version{5, 0}
	case "net.core.gro_normal_batch":
		return Version{5, 4}
	case "vm.compaction_proactiveness":
		return Version{5, 9}
	case "net.ipv4.tcp_migrate_req":
		return Version{5, 14}
	}
	return Version{}
}

func tooNew(release string, since Version) lang.Text {
	return lang.F("not on this kernel (%s): it came with Linux %s.", "本机内核（%s）没有此项：Linux %s 才引入。", release, since)
}

// absent says why a key is probably not on a running kernel.
func absent(key, release string, r Version, container bool) lang.Text {
	if t, is := gone(key, r); is {
		return t
	}
	if since := arrived(key); r != (Version{}) && r.Before(since) {
		return tooNew(release, since)
	}
	switch {
	case strings.HasPrefix(key, "net.bridge."):
		return lang.T("needs the module br_netfilter: name it in /etc/modules-load.d, load it, and run goxin again.", "需要 br_netfilter 模块：请写入 /etc/modules-load.d 并加载，然后再次运行 goxin。")
	case strings.HasPrefix(key, "net.netfilter.nf_conntrack"), key == "net.nf_conntrack_max":
		return lang.T("needs the module nf_conntrack: name it in /etc/modules-load.d, load it, and run goxin again.", "需要 nf_conntrack 模块：请写入 /etc/modules-load.d 并加载，然后再次运行 goxin。")
	case strings.HasPrefix(key, "net.ipv6."):
		return lang.T("IPv6 is switched off on this machine, or there is no such interface.", "本机已关闭 IPv6，或没有该网卡。")
	case container && strings.HasPrefix(key, "net.core."):
		return lang.T("belongs to the host: a container does not even see it.", "属于宿主机：容器内不可见。")
	case key == "kernel.numa_balancing":
		return lang.T("this kernel was built without NUMA balancing.", "本机内核未编译 NUMA 自动均衡。")
	}
	if release == "" {
		release = "?"
	}
	return lang.F("not on this kernel (%s).", "本机内核（%s）没有此项。", release)
}

// advice is what a person should know about a value they ask for that no
// profile sets; empty for keys goxin has no opinion on.
func advice(key, value string) lang.Text {
	switch key {
	case "net.ipv4.tcp_tw_reuse":
		switch value {
		case "1":
			return lang.T("only outgoing connections profit, only with timestamps on at both ends; the port range does more and risks nothing.", "只对主动外连有效，且要求两端都开启时间戳；调大端口范围收效更大，也没有风险。")
		}
	case "net.ipv4.tcp_fin_timeout":
		return lang.T("does not shorten TIME-WAIT, which is 60 s in the code; it ends connections the other side has not closed yet, in FIN-WAIT-2.", "不会缩短 TIME-WAIT（源码里固定为 60 秒）；它提前结束的是对端尚未关闭、处于 FIN-WAIT-2 的连接。")
	case "net.ipv4.tcp_timestamps":
		if value == "0" {
			return lang.T("without timestamps the kernel cannot tell old packets from new at high rates, and tcp_tw_reuse does nothing.", "关闭时间戳后，高速率下内核无法区分新旧数据包，tcp_tw_reuse 也随之失效。")
		}
	case "net.ipv4.tcp_max_tw_buckets":
		return lang.T("connections above it are cut without TIME-WAIT, so late packets of an old connection can end up in a new one.", "超出的连接会跳过 TIME-WAIT 直接销毁，旧连接迟到的数据包可能混入新连接。")
	case "net.ipv4.tcp_syncookies":
		if value == "0" {
			return lang.T("a SYN flood then fills the queue and nobody gets in.", "关闭后，SYN 洪泛会占满队列，正常用户无法接入。")
		}
	case "vm.overcommit_memory":
		switch value {
		case "2":
			return lang.T("Go reserves far more address space than it uses; with strict accounting large heaps fail to grow while memory is free.", "Go 预留的地址空间远大于实际使用；严格记账时，内存尚有空余，大堆也会扩展失败。")
		case "1":
			return lang.T("no allocation is ever refused, so a program that asks for too much is found out by the OOM killer.", "任何分配都不会被拒绝，申请过多的程序最终由 OOM killer 处理。")
		}
	case "vm.overcommit_ratio", "vm.overcommit_kbytes":
		return lang.T("counts only with vm.overcommit_memory = 2.", "仅在 vm.overcommit_memory = 2 时起作用。")
	case "kernel.randomize_va_space":
		if value != "2" {
			return lang.T("weakens the machine: attackers know where everything lies in memory.", "会削弱本机安全：攻击者可预知内存布局。")
		}
	case "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.default.rp_filter":
		if value == "1" {
			return lang.T("strict filtering drops packets that come in by another way than answers go out: LVS-DR, several uplinks, some virtual IPs.", "严格模式会丢弃来回路径不一致的包：LVS-DR、多出口、部分虚拟 IP 场景都会受影响。")
		}
	case "vm.swappiness":
		if value == "0" {
			return lang.T("0 means no swapping until memory is all but gone: the OOM killer may come first. 1 is enough.", "0 表示内存几近耗尽前完全不换出，OOM killer 可能先动手。设为 1 就够了。")
		}
	case "kernel.panic_on_oom", "vm.panic_on_oom":
		if value != "0" {
			return lang.T("the machine stops when memory runs out: right only where a second one takes over.", "内存耗尽时整机停机：只在有备机接管时才合适。")
		}
	}
	return lang.Text{}
}
