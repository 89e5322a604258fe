package kernel

import (
	"math"

	"goxin/assets/lang"
)

const gib = 1 << 30

// Knobs are all the parameters the profiles set, in the order in which they
// are shown and written. The base profile is small on purpose: what stands in
// it is good for every Go service host and bad for none.
func Knobs() []Knob {
	return append(append(append(baseKnobs(), webKnobs()...), databaseKnobs()...), buildKnobs()...)
}

func baseKnobs() []Knob {
	return []Knob{
		{
			Key: "net.core.somaxconn", Base: "65535", Raise: true, Min: 1, Max: 65535,
			Why: lang.T(
				"The longest queue of connections a listening socket may hold until the program accepts them. Go listens with exactly this value, so a short burst is queued instead of being dropped and retried a second later. Kernels before 5.4 (Kylin V10, UOS 20, Loongnix 20) start with 128.",
				"监听套接字上等待 accept 的连接队列上限。Go 监听时直接采用这个值：值够大，突发连接先排队；值太小，连接被丢弃，客户端一秒后才重试。5.4 之前的内核（麒麟 V10、统信 UOS 20、Loongnix 20）默认只有 128。"),
			Source: lang.T("kernel admin-guide/sysctl/net; Go net package, maxListenerBacklog", "内核文档 admin-guide/sysctl/net；Go 标准库 net 的 maxListenerBacklog"),
			Risk:   lang.T("none known: a queue takes memory only for connections that are in it. An overloaded service answers late instead of refusing.", "无已知风险：队列只为真正排队的连接占用内存。服务过载时表现为响应变慢，而不是拒绝连接。"),
			Note:   "accept queue of listening sockets",
		},
		{
			Key: "fs.file-max", Base: "1000000", Raise: true, Floor: true, Scales: true, Min: 65536, Max: math.MaxInt64,
			Why: lang.T(
				"Open files of the whole machine. Only ever raised: systemd 240 and newer sets it to the largest number there is, so a line with 1000000 would lower it. What a service really runs into is its own limit (nofile) and fs.nr_open.",
				"整机可打开文件总数。只升不降：systemd 240 及以上在开机时已把它设为最大值，再写 1000000 反而是调低。真正限制单个服务的是它自己的 nofile 和 fs.nr_open。"),
			Source: lang.T("kernel admin-guide/sysctl/fs; systemd NEWS 240", "内核文档 admin-guide/sysctl/fs；systemd NEWS 240"),
			Risk:   lang.T("each open file takes about 1 KiB of kernel memory, so the limit no longer stops a leak on a small machine.", "每个打开的文件约占 1 KiB 内核内存；内存小的机器上，这一上限将不再能拦住句柄泄漏。"),
			Note:   "open files of the whole machine",
		},
		{
			Key: "fs.nr_open", Raise: true, Floor: true, Scales: true, Min: defaultNrOpen, Max: 2147483584,
			Why: lang.T(
				"The most files any one process may ever open. No profile touches it: a million is the kernel's own value, and systemd 240 and newer raises it at boot.",
				"任何单个进程可打开文件数的上限。方案都不改它：内核自带一百万，systemd 240 及以上还会在开机时调高。"),
			Source: lang.T("kernel admin-guide/sysctl/fs; systemd NEWS 240", "内核文档 admin-guide/sysctl/fs；systemd NEWS 240"),
			Risk:   lang.T("a process takes 8 bytes of kernel memory for each number up to its largest open one.", "进程按已打开的最大文件号，每个号占 8 字节内核内存。"),
			Note:   "open files of one process",
		},
		{
			Key: "vm.swappiness", Base: "1", Min: 0, Max: 200, Widened: Version{5, 8}, OldMax: 100,
			Why: lang.T(
				"Swap only when there is no other way. Go's garbage collector walks the whole heap, so a heap that is partly in swap makes every collection wait for the disk. Meaningless without swap.",
				"只在万不得已时才换出。Go 的垃圾回收要遍历整个堆，堆有一部分在交换区时，每次回收都要等磁盘。没有交换区时此项不起作用。"),
			Source: lang.T("kernel admin-guide/sysctl/vm; 60 is the default, TuneD's profiles for databases use 1 to 10", "内核文档 admin-guide/sysctl/vm；内核默认 60，TuneD 的数据库类方案用 1 到 10"),
			Risk:   lang.T("under memory pressure the page cache shrinks first, so file reads get slower before idle programs are swapped out.", "内存紧张时先收缩页缓存，文件读取会先变慢，闲置进程较晚才被换出。"),
			Note:   "swap only when there is no other way",
		},
	}
}

func webKnobs() []Knob {
	return []Knob{
		{
			Key: "net.ipv4.ip_local_port_range", Web: "10240 60999", Fields: 2, Min: 1024, Max: 65535,
			Why: lang.T(
				"Ports for outgoing connections: 50760 instead of 28232 for each pair of addresses. A proxy or a service that opens many short connections to one backend runs out of them while the old ones wait out their minute in TIME-WAIT.",
				"主动外连可用的端口：每对地址从 28232 个增加到 50760 个。反向代理或频繁短连同一后端的服务，会在旧连接停留 TIME-WAIT 的一分钟里用光端口。"),
			Source: lang.T("kernel networking/ip-sysctl, ip_local_port_range", "内核文档 networking/ip-sysctl，ip_local_port_range"),
			Risk:   lang.T("a service that listens between 10240 and 32767 can find its port taken by an outgoing connection when it starts: name such ports in net.ipv4.ip_local_reserved_ports.", "监听端口落在 10240～32767 的服务，启动时可能发现端口已被某个外连占用：请把这些端口写进 net.ipv4.ip_local_reserved_ports。"),
			Note:   "ports for outgoing connections",
		},
		{
			Key: "net.ipv4.tcp_max_syn_backlog", Web: "8192", Raise: true, Min: 128, Max: 1 << 20,
			Why: lang.T(
				"Connections whose handshake is not finished. With SYN cookies on, which is the default, the accept queue bounds them and this value hardly matters; with cookies off the kernel drops new ones once three quarters of it are used.",
				"尚未完成握手的连接数。SYN cookie 默认开启，此时由 accept 队列限制，本项影响很小；若关闭了 cookie，用量超过本值的四分之三后，内核就开始丢弃新连接。"),
			Source: lang.T("kernel networking/ip-sysctl; net/ipv4/tcp_input.c, tcp_conn_request", "内核文档 networking/ip-sysctl；net/ipv4/tcp_input.c 的 tcp_conn_request"),
			Risk:   lang.T("about 300 bytes for each half-open connection while a SYN flood lasts.", "遭受 SYN 洪泛时，每个半开连接约占 300 字节。"),
			Note:   "half-open connections",
		},
		{
			Key: "net.core.netdev_max_backlog", Web: "16384", Raise: true, Min: 1000, Max: 1 << 20,
			Why: lang.T(
				"Packets one CPU may hold between the driver and the protocol stack: loopback, veth, and every card with packet steering (RPS). When it is full, packets are lost, which the second column of /proc/net/softnet_stat counts.",
				"单个 CPU 在驱动与协议栈之间可暂存的包数，回环、veth 以及启用 RPS 的网卡都会用到。队列一满就丢包，/proc/net/softnet_stat 第二列即丢包计数。"),
			Source: lang.T("kernel admin-guide/sysctl/net", "内核文档 admin-guide/sysctl/net"),
			Risk:   lang.T("a CPU that cannot keep up lets packets wait longer instead of dropping them.", "CPU 处理不过来时，包会等得更久，而不是被丢弃。"),
			Note:   "packets waiting for one CPU",
		},
		{
			Key: "net.core.rmem_max", Web: "7500000", Raise: true, Min: 212992, Max: 256 << 20,
			Why: lang.T(
				"The largest receive buffer, in bytes, a program may ask for. QUIC (HTTP/3) in Go asks for 7 MiB and loses packets at high rates when it gets the usual 208 KiB. TCP tunes its own buffers and is not touched.",
				"程序可申请的最大接收缓冲区（字节）。Go 的 QUIC（HTTP/3）会申请 7 MiB，若只得到默认的 208 KiB，高速率下会丢包。TCP 自动调节缓冲区，不受此项影响。"),
			Source: lang.T("quic-go wiki, UDP Buffer Sizes", "quic-go 文档 UDP Buffer Sizes"),
			Risk:   lang.T("a program that asks for large buffers on many sockets gets them, and the memory is the kernel's.", "程序若在大量套接字上申请大缓冲区，将如数得到，占用的是内核内存。"),
			Note:   "largest receive buffer a program may ask for, bytes",
		},
		{
			Key: "net.core.wmem_max", Web: "7500000", Raise: true, Min: 212992, Max: 256 << 20,
			Why: lang.T(
				"The same for the send buffer: QUIC in Go asks for 7 MiB.",
				"同上，发送缓冲区：Go 的 QUIC 会申请 7 MiB。"),
			Source: lang.T("quic-go wiki, UDP Buffer Sizes", "quic-go 文档 UDP Buffer Sizes"),
			Risk:   lang.T("as for the receive buffer.", "与接收缓冲区相同。"),
			Note:   "largest send buffer a program may ask for, bytes",
		},
		{
			Key: "net.ipv4.tcp_slow_start_after_idle", Web: "0", Min: 0, Max: 1,
			Why: lang.T(
				"A kept-open connection goes on at the speed it had. Otherwise HTTP/2, gRPC and database connections start from ten packets again after every pause of about a retransmission time-out.",
				"长连接空闲后按原有速度继续发送。否则 HTTP/2、gRPC、数据库连接每停顿约一个重传超时，就要从 10 个包重新慢启动。"),
			Source: lang.T("kernel networking/ip-sysctl; RFC 2861", "内核文档 networking/ip-sysctl；RFC 2861"),
			Risk:   lang.T("after a pause a connection may send a burst into a path that has become narrower; TCP notices by loss.", "停顿期间链路若已变窄，恢复发送时会有一次突发，TCP 要靠丢包才能察觉。"),
			Note:   "kept-open connections go on at the speed they had",
		},
	}
}

func databaseKnobs() []Knob {
	return []Knob{
		{
			Key: "vm.dirty_background_ratio", Database: "3", Min: 1, Max: 100, MinMemory: 4 * gib, Unless: "vm.dirty_background_bytes",
			Why: lang.T(
				"Begin to write dirty pages back at 3 % of the memory that can be had, not at 10 %. On a machine with 256 GiB ten per cent are 25 GiB, and the flush at a checkpoint stalls every commit behind it.",
				"脏页达到可用内存的 3% 就开始回写，而不是 10%。256 GiB 内存的 10% 是 25 GiB，检查点刷盘时，其后的每次提交都会被卡住。"),
			Source: lang.T("kernel admin-guide/sysctl/vm; TuneD profiles oracle and mssql", "内核文档 admin-guide/sysctl/vm；TuneD 的 oracle、mssql 方案"),
			Risk:   lang.T("more, smaller writes; on slow disks short-lived files reach the disk that otherwise never would.", "写入更频繁、更零碎；慢盘上，本来不必落盘的临时文件也会被写下去。"),
			Note:   "begin to write back early, so that a checkpoint does not stall",
		},
		{
			Key: "vm.max_map_count", Database: "262144", Raise: true, Min: 65530, Max: math.MaxInt32,
			Why: lang.T(
				"Memory maps of one process. Elasticsearch refuses to start below 262144, and stores that map many files (Lucene, LMDB, RocksDB with mmap) end with “cannot allocate memory” while memory is free.",
				"单个进程的内存映射数。低于 262144 时 Elasticsearch 拒绝启动；大量使用 mmap 的存储（Lucene、LMDB、RocksDB）会在内存尚有余量时报“无法分配内存”。"),
			Source: lang.T("kernel admin-guide/sysctl/vm; Elasticsearch reference, virtual memory", "内核文档 admin-guide/sysctl/vm；Elasticsearch 文档 virtual memory"),
			Risk:   lang.T("about 200 bytes of kernel memory for each map a process really makes.", "进程每建立一个映射约占 200 字节内核内存。"),
			Note:   "memory maps of one process",
		},
		{
			Key: "fs.aio-max-nr", Database: "1048576", Raise: true, Min: 65536, Max: math.MaxInt32,
			Why: lang.T(
				"Asynchronous reads and writes (libaio) of all processes together. The default of 65536 is used up by two or three instances of a database with direct I/O; the next one fails to start with EAGAIN.",
				"所有进程的异步 I/O（libaio）请求总数。默认 65536，两三个使用直接 I/O 的数据库实例就会用光，再启动一个会得到 EAGAIN。"),
			Source: lang.T("kernel admin-guide/sysctl/fs; Oracle Database installation guide for Linux", "内核文档 admin-guide/sysctl/fs；Oracle Database Linux 安装指南"),
			Risk:   lang.T("none known: memory is taken when a program sets up its queue.", "无已知风险：程序建立队列时才占用内存。"),
			Note:   "asynchronous I/O requests of all processes",
		},
	}
}

func buildKnobs() []Knob {
	return []Knob{
		{
			Key: "fs.inotify.max_user_watches", Build: "524288", Raise: true, Scales: true, Min: 8192, Max: math.MaxInt32, MinMemory: 4 * gib,
			Why: lang.T(
				"Directories one user may watch. Editors, gopls, file watchers and CI runners watch whole trees; a module cache alone goes past the 8192 of kernels before 5.11. The error then says “no space left on device”.",
				"单个用户可监视的目录数。编辑器、gopls、文件监视工具和 CI 都会监视整棵目录树，光是模块缓存就超过 5.11 之前内核的 8192，而报错却是“设备上没有空间”。"),
			Source: lang.T("inotify(7); Linux 5.11 raised the default for the same reason", "inotify(7)；Linux 5.11 因同样原因提高了默认值"),
			Risk:   lang.T("a watch pins about 1 KiB of kernel memory: 512 MiB if one user takes them all.", "每个监视约占 1 KiB 内核内存：一个用户全部用满时约 512 MiB。"),
			Note:   "directories one user may watch",
		},
		{
			Key: "fs.inotify.max_user_instances", Build: "1024", Raise: true, Min: 128, Max: math.MaxInt32,
			Why: lang.T(
				"Watchers one user may have. Each container, editor window and `tail -f` takes one; the default is 128.",
				"单个用户可创建的 inotify 实例数。每个容器、编辑器窗口、tail -f 各占一个，默认 128。"),
			Source: lang.Same("inotify(7)"),
			Risk:   lang.T("none known.", "无已知风险。"),
			Note:   "watchers one user may have",
		},
		{
			Key: "kernel.pid_max", Build: "4194304", Raise: true, Min: 32768, Max: 4194304,
			Why: lang.T(
				"Processes and threads of the whole machine take their numbers from here. Parallel builds and tests on 64 cores use up 32768 quickly, and quickly reused numbers make scripts signal the wrong process.",
				"全机进程和线程共用的编号上限。64 核并行编译、测试很快用完 32768 个；编号回绕太快，还会让脚本把信号发错进程。"),
			Source: lang.T("kernel admin-guide/sysctl/kernel; systemd 243 and newer set the same value (50-pid-max.conf)", "内核文档 admin-guide/sysctl/kernel；systemd 243 及以上的 50-pid-max.conf 取值相同"),
			Risk:   lang.T("process numbers have seven digits: old programs that keep them in 16 bits break, and columns in ps get wider.", "进程号变为七位：用 16 位保存进程号的老程序会出错，ps 的列也会变宽。"),
			Note:   "process and thread numbers",
		},
	}
}
