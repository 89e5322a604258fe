package ha

import (
	"time"

	"goxin/assets/lang"
	"goxin/steps/vrrp"
)

func whyPackages() lang.Text {
	return lang.T("keepalived moves the address, nginx answers at it.\nRisk: the distribution may start nginx with its own page as soon as it is installed.",
		"keepalived 负责移动虚拟 IP，nginx 负责应答。\n风险：有的发行版在安装 nginx 后会立即以默认页面启动它。")
}

func whyAccount() lang.Text {
	return lang.T("Checks run as a user who may do nothing else; keepalived runs none as a user that is not there, or as root where others may write to them.\nSource: keepalived.conf(5), script_user, enable_script_security",
		"检查脚本以没有其他权限的用户运行；用户不存在，或以 root 运行而他人可写时，keepalived 会拒绝执行。\n依据：keepalived.conf(5) 的 script_user、enable_script_security")
}

func whyScripts() lang.Text {
	return lang.T("What asks nginx, tells keepalived of it, and hands the address over. They need bash, ip and unshare; no killall, no curl.\nThe directory is where SELinux's policy lets keepalived run scripts.",
		"用于检查 nginx、通知 keepalived 以及主动交出虚拟 IP。只需 bash、ip 和 unshare，不需要 killall 或 curl。\nSELinux 策略允许 keepalived 运行该目录中的脚本。")
}

func whyNonlocal() lang.Text {
	return lang.T("Programs may listen on the shared address before the node owns it.\nSource: ip(7), ip_nonlocal_bind\nRisk: a wrong address in a configuration is no longer found when the program starts.",
		"节点尚未持有虚拟 IP 时，程序即可监听它。\n依据：ip(7) 的 ip_nonlocal_bind\n风险：配置中写错的地址在程序启动时不再报错。")
}

func whyPort() lang.Text {
	return lang.T("Clients reach nginx.", "让客户端能够访问 nginx。")
}

func whyVRRP() lang.Text {
	return lang.T("The nodes have to hear each other: where IP protocol 112 is dropped both own the address at once. From the other node's address only.\nSource: acassen/keepalived#1487, #2370",
		"两个节点必须能互相收到通告：若 IP 协议 112 被丢弃，双方会同时持有虚拟 IP。仅放行对方节点的地址。\n依据：acassen/keepalived#1487、#2370")
}

func whyConnects() lang.Text {
	return lang.T("Without it SELinux lets nginx answer, and keeps it from passing requests on: every answer is a 502.\nSource: httpd_selinux(8)\nRisk: other programs that run as httpd_t (Apache, PHP) may connect then too.",
		"不开启时 SELinux 允许 nginx 应答，却禁止它转发请求：一律返回 502。\n依据：httpd_selinux(8)\n风险：以 httpd_t 运行的其他程序（Apache、PHP）也随之可以发起连接。")
}

func whyNginx() lang.Text {
	return lang.T("Listens on every address, so that it starts on both nodes. Its own file: what is there already stays.\nRisk: it answers for every name on this port that no other virtual host has by name.",
		"监听所有地址，因此两个节点都能启动。使用独立的文件，已有配置保留不动。\n风险：该端口上未被其他虚拟主机按名称声明的域名，都由它应答。")
}

func whyNginxUnit() lang.Text {
	return lang.T("systemd restarts nginx, and knows within milliseconds that it is gone: it writes that to a file keepalived watches. A check that restarts nginx itself would fight with both.\nSource: keepalived.conf(5), track_file; acassen/keepalived#535, #946",
		"由 systemd 重启 nginx；nginx 退出后毫秒级即可得知，并写入 keepalived 监视的文件。让检查脚本自行重启 nginx 会与二者冲突。\n依据：keepalived.conf(5) 的 track_file；acassen/keepalived#535、#946")
}

func whyKeepalived(t vrrp.Timing) lang.Text {
	ms := func(f vrrp.Fault) time.Duration { return vrrp.Predict(t, f).Round(time.Millisecond) }
	return lang.F("Predicted: a node that dies is replaced within %s, an nginx that is gone within %s, one that hangs within %s.\nBoth nodes BACKUP with nopreempt, checks of weight 0, unicast VRRP version 3, no password (it would protect nothing).\nSource: RFC 5798 §6.1; acassen/keepalived#2599, #2483, #1512",
		"预计：节点故障在 %s 内接管，nginx 退出在 %s 内，nginx 卡死在 %s 内。\n两个节点均为 BACKUP 加 nopreempt，检查权重为 0，单播 VRRPv3，不设口令（起不到保护作用）。\n依据：RFC 5798 §6.1；acassen/keepalived#2599、#2483、#1512",
		ms(vrrp.FaultOff), ms(vrrp.FaultNginxKilled), ms(vrrp.FaultNginxHangs))
}

func whyProtocol() lang.Text {
	return lang.T("keepalived writes this file itself when it finds none, and nothing removes it again: written here, undo can.\nSource: acassen/keepalived#2488",
		"若没有此文件，keepalived 启动时会自行写入，之后不会有人删除；由这里写入，撤销时即可删除。\n依据：acassen/keepalived#2488")
}

func whyKeepalivedUnit() lang.Text {
	return lang.T("A keepalived that was killed leaves the address on its interface while the other node takes it: systemd takes it away. A configuration is tested before a start and before a reload, which may end the running one.\nSource: acassen/keepalived#2361, #1707",
		"keepalived 被杀后虚拟 IP 会残留在网卡上，而对方又会接管：由 systemd 清除。启动和重载之前先检查配置，因为错误的重载会使正在运行的进程退出。\n依据：acassen/keepalived#2361、#1707")
}

func whyVIPUnit() lang.Text {
	return lang.T("Stopping nginx, keepalived or the machine hands the address over first, and the node goes on answering for a second meanwhile. By hand: systemctl stop goxin-vip; start lets the node take part again.",
		"停止 nginx、keepalived 或关机时，先交出虚拟 IP，期间该节点继续应答一秒。手工切换：systemctl stop goxin-vip；start 则重新参与。")
}

func whyRelay() lang.Text {
	return lang.T("Make before break: for a second after the other node has handed the address over, packets of connections that began there go back to it instead of being reset here. Only its VRRP goodbye opens this; connection tracking is not switched on.\nIt takes nft; without it the address moves all the same.\nSource: RFC 5798 §6.4.3; nft(8), dup",
		"先通后断：对方主动交出虚拟 IP 后的一秒内，在对方建立的连接的报文会转回对方，而不是在本机被重置。仅在收到对方的 VRRP 告别通告时生效；不会启用连接跟踪。\n需要 nft；没有时切换照常进行。\n依据：RFC 5798 §6.4.3；nft(8) 的 dup")
}
