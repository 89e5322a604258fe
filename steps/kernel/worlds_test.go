package kernel

import (
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/sysctl"
	"goxin/steps/engine"
)

func paramPath(key string) string { return sysctl.Path(key) }

func worlds() []world {
	kylin := func(f *detect.Facts) {
		f.Kernel.Release = known("4.19.90-52.22.v2207.ky10.aarch64")
		f.Init.Version = known(243)
	}
	kylinConf := `# sysctl settings are defined through files in
# /usr/lib/sysctl.d/, /run/sysctl.d/, and /etc/sysctl.d/.
#
kernel.sysrq=0
net.ipv4.ip_forward=0
net.ipv4.conf.all.send_redirects=0
net.ipv4.conf.default.send_redirects=0
net.ipv4.conf.all.accept_source_route=0
net.ipv4.icmp_echo_ignore_broadcasts=1
net.ipv4.tcp_syncookies=1
kernel.dmesg_restrict=1
net.core.somaxconn = 1024
vm.swappiness=10
`
	return []world{
		{
			// Kylin V10: sysctl.conf wins under procps; 128 connections queued.
			name: "kylin-v10-web", facts: kylin,
			files:  systemdHost(map[string]string{"/etc/sysctl.conf": kylinConf, "/proc/meminfo": "Hugepagesize:     524288 kB\n"}),
			params: usual(map[string]string{"net.core.somaxconn": "1024", "vm.swappiness": "10", "fs.inotify.max_user_watches": "8192"}),
			values: engine.Values{"profile": "web"},
		},
		{
			name:   "openeuler-24-base",
			files:  systemdHost(nil),
			params: usual(nil),
			values: engine.Values{},
		},
		{
			name: "debian-12-build",
			facts: func(f *detect.Facts) {
				f.Kernel.Release = known("6.1.0-38-amd64")
				f.Init.Version = known(252)
				f.Memory.Swap = known[uint64](0)
			},
			files:  systemdHost(map[string]string{"/usr/lib/systemd/system/procps.service": "-> systemd-sysctl.service"}),
			params: usual(map[string]string{"kernel.pid_max": "4194304", "fs.inotify.max_user_watches": "1048576"}),
			values: engine.Values{"profile": "build"},
		},
		{
			// Somebody limits dirty memory in bytes; a limit is set already.
			name: "database-bytes",
			files: systemdHost(map[string]string{
				"/etc/systemd/system.conf.d/50-site.conf": "[Manager]\nDefaultLimitNOFILE=65535\n",
				"/etc/security/limits.d/20-db.conf":       "oracle soft nofile 1024\noracle hard nofile 65536\n*  -  nofile 65535\n",
			}),
			params: usual(map[string]string{"vm.dirty_background_bytes": "268435456", "vm.max_map_count": "1048576"}),
			values: engine.Values{"profile": "database"},
		},
		{
			name:   "small-build",
			facts:  func(f *detect.Facts) { f.Memory.Total = known[uint64](2 * gib) },
			files:  systemdHost(nil),
			params: usual(nil),
			values: engine.Values{"profile": "build", "nofile": int64(0)},
		},
		{
			name: "container-web",
			facts: func(f *detect.Facts) {
				f.Container = known(true)
				f.Virt = known("systemd-nspawn")
				f.Kernel.Release = known("4.19.0")
			},
			files: systemdHost(map[string]string{
				"/proc/1/limits": "Max open files            20000                20000                files\n",
				"/proc/1/status": "CapBnd:\t00000000fdecafff\n",
			}),
			params: usual(map[string]string{"net.core.netdev_max_backlog": "absent", "net.core.rmem_max": "absent", "net.core.wmem_max": "absent", "net.core.somaxconn": "128"}),
			values: engine.Values{"profile": "web"},
		},
		{
			// LXC: the capability is there, but of a user namespace; and a file
			// that would take back at boot what is high now.
			name:  "user-namespace",
			facts: func(f *detect.Facts) { f.Container = known(true) },
			files: systemdHost(map[string]string{
				"/proc/1/limits":                "Max open files            524288               524288               files\n",
				"/proc/1/uid_map":               "         0     100000      65536\n",
				"/etc/sysctl.d/50-site.conf":    "fs.file-max = 500000\nnet.core.somaxconn = 100000\n",
				"/usr/lib/sysctl.d/50-pid.conf": "kernel.pid_max = 65536\n",
			}),
			params: usual(map[string]string{"net.core.somaxconn": "100000", "kernel.pid_max": "65536"}),
			values: engine.Values{"profile": "build"},
		},
		{
			// Somebody has locked people out already.
			name: "login-limit-above-nr-open",
			files: systemdHost(map[string]string{
				"/etc/security/limits.conf": "* hard nofile 2000000\nroot - nofile unlimited\n",
			}),
			params: usual(map[string]string{"fs.nr_open": "1048576"}),
			values: engine.Values{"nofile": int64(3000000)},
		},
		{
			name: "capped",
			files: systemdHost(map[string]string{
				"/proc/1/limits":  "Max open files            20000                20000                files\n",
				"/proc/1/status":  "CapBnd:\t000001fffeffffff\n",
				"/proc/1/uid_map": "         0          0 4294967295\n",
			}),
			params: usual(nil),
			values: engine.Values{},
		},
		{
			// A tree: nothing runs, so nobody knows the values there are.
			name: "tree-build",
			facts: func(f *detect.Facts) {
				f.Running = false
				f.Kernel.Release = detect.Fact[string]{From: lang.T("not a running machine", "并非运行中的机器")}
				f.Memory.Total = detect.Fact[uint64]{}
				f.Container = detect.Fact[bool]{}
				f.Init.Version = known(239)
			},
			files: map[string]string{
				"/etc/sysctl.conf":                               "fs.inotify.max_user_instances=256\n",
				"/etc/systemd/README":                            "",
				"/etc/security/limits.conf":                      "* hard nofile 4096\nroot hard nofile 4096\n",
				"/usr/lib/systemd/system/systemd-sysctl.service": "\n",
			},
			values: engine.Values{"profile": "build", "set": map[string]string{"net.ipv4.tcp_tw_recycle": "1", "net.ipv4.tcp_retries2": "8"}},
		},
		{
			// Lines that win and cannot be edited, or may not.
			name: "conflicts-left",
			files: systemdHost(map[string]string{
				"/etc/sysctl.d/zzz-site.conf":                 "vm.swappiness = 30\nnet/core/somaxconn=512\n",
				"/usr/lib/sysctl.d/zzzz-vendor.conf":          "vm.swappiness = 40\n",
				"/etc/systemd/system/systemd-sysctl.service":  "-> /dev/null",
				"/etc/systemd/system.conf.d/zzz-site.conf":    "[Manager]\nDefaultLimitNOFILE=4096:8192\n",
				"/etc/security/limits.d/zzz-site.conf":        "* hard nofile 8192\n",
				"/etc/sysctl.d/zzzzz-equal.conf":              "fs.file-max = 2000000\n",
				"/etc/security/limits.d/10-too-much.conf":     "worker hard nofile 2000000000\n",
				"/usr/local/lib/sysctl.d/zzz-local.conf":      "vm.swappiness = 35\n",
				"/run/sysctl.d/zzz-run.conf":                  "vm.swappiness = 36\n",
				"/usr/lib/sysctl.d/10-early.conf":             "vm.swappiness = 20\n",
				"/etc/sysctl.d/zzzz-vendor-masked.conf":       "-> /dev/null",
				"/usr/lib/sysctl.d/zzzz-vendor-masked.conf":   "vm.swappiness = 41\n",
				"/usr/lib/systemd/system/unrelated.service":   "\n",
				"/usr/lib/sysctl.d/zzzz-pattern.conf":         "net.ipv4.conf.*.rp_filter = 1\n",
				"/etc/sysctl.d/zzzz-other-parameters.conf":    "kernel.sysrq = 1\n",
				"/etc/systemd/system.conf.d/ignored.conf.bak": "[Manager]\nDefaultLimitNOFILE=1:1\n",
			}),
			params: usual(nil),
			values: engine.Values{"comment_conflicts": false},
		},
		{
			name: "conflicts-commented",
			files: systemdHost(map[string]string{
				"/etc/sysctl.d/zzz-site.conf":            "vm.swappiness = 30\nnet/core/somaxconn=512\nvm.swappiness = 30\n",
				"/usr/local/lib/sysctl.d/zzz-local.conf": "vm.swappiness = 35\n",
				"/usr/lib/sysctl.d/zzzz-vendor.conf":     "vm.swappiness = 40\n",
				"/etc/sysctl.d/zzz-equal.conf":           "vm.swappiness = 1\n",
			}),
			params: usual(nil),
			values: engine.Values{},
		},
		{
			// What people ask for beyond the profile.
			name: "asked",
			files: systemdHost(map[string]string{
				"/etc/sysctl.conf": "net.ipv4.conf.eth0/100.rp_filter = 1\n",
			}),
			params: usual(map[string]string{"fs.nr_open": "1048576", "fs.file-max": "800000"}),
			values: engine.Values{"nofile": int64(2000000), "nofile_soft": int64(65536), "set": map[string]string{
				"net.ipv4.tcp_tw_recycle":            "1",
				"net.bridge.bridge-nf-call-iptables": "1",
				"net.ipv4.tcp_tw_reuse":              "1",
				"net/ipv4/conf/eth0.100/rp_filter":   "2",
				"fs.file-max":                        "900000",
				"fs.nr_open":                         "3000000",
				"net.core.somaxconn":                 "1024",
				"net.ipv4.ip_local_port_range":       "15000\t  65000",
			}},
		},
		{
			name:   "asked-too-many-files",
			files:  systemdHost(nil),
			params: usual(map[string]string{"fs.nr_open": "1048576"}),
			values: engine.Values{"nofile": int64(2000000)},
		},
		{
			// fs.file-max is low only because of a line that goes.
			name: "file-max-lowered-by-a-line", facts: kylin,
			files:  systemdHost(map[string]string{"/etc/sysctl.conf": "fs.file-max = 100000\n"}),
			params: usual(map[string]string{"fs.file-max": "100000"}),
			values: engine.Values{},
		},
		{
			name: "file-max-low-on-old-systemd",
			facts: func(f *detect.Facts) {
				f.Kernel.Release = known("4.18.0-348.an8.x86_64")
				f.Init.Version = known(239)
			},
			files:  systemdHost(nil),
			params: usual(map[string]string{"fs.file-max": "380000", "fs.nr_open": "1048576", "net.core.somaxconn": "128"}),
			values: engine.Values{},
		},
		{
			name: "rivals",
			facts: func(f *detect.Facts) {
				f.Tuners = known([]detect.Tuner{
					{Name: "tuned", Enabled: true, Profile: "virtual-guest"},
					{Name: "atuned", Enabled: true},
					{Name: "oeaware", Enabled: true},
					{Name: "bpftune", Enabled: true},
				})
			},
			files: systemdHost(map[string]string{
				"/etc/tuned/active_profile":                        "virtual-guest\n",
				"/usr/lib/tuned/virtual-guest/tuned.conf":          "[main]\nsummary=x\ninclude=throughput-performance\n\n[sysctl]\nvm.swappiness = 30\nvm.dirty_ratio = 30\n",
				"/usr/lib/tuned/throughput-performance/tuned.conf": "[main]\ninclude=virtual-guest\n[sysctl]\nnet.core.somaxconn=>2048\n[disk]\nreadahead=>4096\n",
				"/usr/local/bin/kube-scripts/initOS.sh":            "#!/bin/sh\n",
				"/etc/cloud/cloud.cfg":                             "# sysctl in a comment\nbootcmd:\n - [sysctl, -w, vm.swappiness=5]\n",
			}),
			params: usual(nil),
			values: engine.Values{},
		},
		{
			name: "tuned-without-reapply",
			facts: func(f *detect.Facts) {
				f.Tuners = known([]detect.Tuner{{Name: "tuned", Enabled: true, Profile: "site"}})
			},
			files: systemdHost(map[string]string{
				"/etc/tuned/active_profile":  "site",
				"/etc/tuned/tuned-main.conf": "daemon = 1\nreapply_sysctl = 0\n",
				"/etc/tuned/site/tuned.conf": "[sysctl]\nvm.swappiness=10\n",
			}),
			params: usual(nil),
			values: engine.Values{},
		},
		{
			name:   "sysvinit",
			facts:  func(f *detect.Facts) { f.Init.Name, f.Init.Version = known("sysvinit"), detect.Fact[int]{} },
			files:  map[string]string{"/etc/sysctl.conf": "vm.swappiness=20\n"},
			params: usual(map[string]string{"fs.file-max": "26000000", "fs.nr_open": "1048576"}),
			values: engine.Values{},
		},
	}
}
