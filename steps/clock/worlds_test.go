package clock

import (
	"maps"
	"time"

	"goxin/detect"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// chronyConf35 is how chrony 3.5 of the RPM families comes.
const chronyConf35 = `# Use public servers from the pool.ntp.org project.
pool pool.ntp.org iburst

# Record the rate at which the system clock gains/losses time.
driftfile /var/lib/chrony/drift

makestep 1.0 3
rtcsync
#allow 192.168.0.0/16
logdir /var/log/chrony
`

// chronyConfDebian is how chrony 4 of Debian comes.
const chronyConfDebian = `# Welcome to the chrony configuration file.
confdir /etc/chrony/conf.d
pool 2.debian.pool.ntp.org iburst
sourcedir /run/chrony-dhcp
sourcedir /etc/chrony/sources.d
keyfile /etc/chrony/chrony.keys
driftfile /var/lib/chrony/chrony.drift
rtcsync
makestep 1 3
`

func rpmHost(more map[string]string) map[string]string {
	return with(map[string]string{
		"/usr/lib/systemd/system/chronyd.service":                     "[Service]\n",
		"/etc/systemd/system/multi-user.target.wants/chronyd.service": "-> /usr/lib/systemd/system/chronyd.service",
		"/etc/chrony.conf":           chronyConf35,
		"/run/chrony/chronyd.pid":    "1\n",
		"/etc/yum.repos.d/site.repo": "[a]\nname=a\nbaseurl=http://repo.example.com/a/\n# http://old.example.com/\n  https://user:pw@tls.example.com:8443/$releasever/\n",
	}, more)
}

func debHost(more map[string]string) map[string]string {
	return with(map[string]string{
		"/usr/lib/systemd/system/systemd-timesyncd.service":                  "[Service]\n",
		"/etc/systemd/system/dbus-org.freedesktop.timesync1.service":         "-> /usr/lib/systemd/system/systemd-timesyncd.service",
		"/etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service": "-> /usr/lib/systemd/system/systemd-timesyncd.service",
		"/run/systemd/timesync/synchronized":                                 "",
		"/etc/systemd/timesyncd.conf":                                        "[Time]\n#NTP=\n#FallbackNTP=0.debian.pool.ntp.org\n",
		"/etc/apt/sources.list.d/debian.sources":                             "Types: deb\nURIs: http://deb.example.com:8080/debian https://deb2.example.com/debian\nSuites: bookworm\nComponents: main\n",
	}, more)
}

func with(base, more map[string]string) map[string]string {
	maps.Copy(base, more)
	maps.DeleteFunc(base, func(_, v string) bool { return v == "absent" })
	return base
}

func worlds() []world {
	right := map[string]time.Duration{"repo.example.com": 0, "mirrors.aliyun.com": 0, "mirrors.ustc.edu.cn": time.Second}
	site := []string{"10.0.0.1", "ntp.site.example"}
	twoYears := 2*365*24*time.Hour + 3*time.Hour
	return []world{
		{name: "rpm-as-it-is", files: rpmHost(nil), hosts: right},
		{name: "rpm-site-servers", files: rpmHost(nil), hosts: right, values: engine.Values{keyServers: site}},
		{
			// A site's own line stays with its options, whatever its case; CRLF stays.
			name:   "rpm-crlf-one-server-there",
			files:  rpmHost(map[string]string{"/etc/chrony.conf": "Server NTP.site.example minpoll 4\r\n! pool x\r\nserver 1.2.3.4\r\nserver 1.2.3.4\r\nallow\r\ndriftfile /x"}),
			values: engine.Values{keyServers: site, keyWait: int64(0)},
		},
		{
			name:  "rpm-nothing-configured",
			files: rpmHost(map[string]string{"/etc/chrony.conf": "driftfile /var/lib/chrony/drift\nmakestep 1.0 3\n"}),
		},
		{
			// A fresh board whose battery is empty, and a host that has it wrong too.
			name: "clock-two-years-behind", files: rpmHost(nil),
			hosts: map[string]time.Duration{"repo.example.com": twoYears, "mirrors.aliyun.com": twoYears, "mirrors.ustc.edu.cn": 0},
		},
		{
			name: "clock-ahead-and-left", files: rpmHost(nil), values: engine.Values{keyStep: false},
			hosts: map[string]time.Duration{"tls.example.com": -5 * time.Minute},
		},
		{
			name: "hosts-that-disagree", files: rpmHost(nil),
			hosts: map[string]time.Duration{"repo.example.com": time.Hour, "mirrors.aliyun.com": 0},
		},
		{name: "air-gap", files: rpmHost(nil)},
		{
			name: "container", facts: func(f *detect.Facts) { f.Container = steptest.Fact(true) }, files: rpmHost(nil),
			hosts: map[string]time.Duration{"repo.example.com": time.Hour},
		},
		{name: "debian-timesyncd-as-it-is", facts: debian, files: debHost(nil), hosts: map[string]time.Duration{"deb.example.com:8080": 0}},
		{name: "debian-timesyncd-site-servers", facts: debian, files: debHost(nil), values: engine.Values{keyServers: site}},
		{
			name: "debian-chrony-site-servers", facts: debian, values: engine.Values{keyServers: site},
			files: map[string]string{
				"/usr/lib/systemd/system/chrony.service":                     "[Service]\n",
				"/etc/systemd/system/chronyd.service":                        "-> /usr/lib/systemd/system/chrony.service",
				"/etc/systemd/system/multi-user.target.wants/chrony.service": "-> /usr/lib/systemd/system/chrony.service",
				"/etc/chrony/chrony.conf":                                    chronyConfDebian,
				"/etc/chrony/sources.d/README":                               "",
				"/etc/chrony/conf.d/site.conf":                               "server ntp.site.example iburst\n",
				"/run/chrony-dhcp/eth0.sources":                              "server 10.9.9.9 iburst\n",
			},
		},
		{
			// Written by an earlier run, and the answers name no servers any more.
			name: "own-file-stays", facts: debian,
			files: debHost(map[string]string{timesyncdOwn: timesyncdDropIn([]string{"10.0.0.9"})}),
		},
		{
			name: "two-services", values: engine.Values{keyService: chrony},
			files: debHost(rpmHost(map[string]string{"/usr/lib/systemd/system/ntpd.service": "[Service]\n"})),
		},
		{name: "nothing-installed-rpm", files: map[string]string{"/etc/os-release": ""}, hosts: right},
		{name: "nothing-installed-deb", facts: debian, values: engine.Values{keyServers: site}},
		{
			name:  "masked",
			files: rpmHost(map[string]string{"/etc/systemd/system/chronyd.service": "-> /dev/null", "/run/chrony/chronyd.pid": "absent", "/etc/systemd/system/multi-user.target.wants/chronyd.service": "absent"}),
		},
		{
			name:   "masked-and-named",
			files:  rpmHost(map[string]string{"/etc/systemd/system/chronyd.service": "-> /dev/null", "/run/chrony/chronyd.pid": "absent"}),
			values: engine.Values{keyService: chrony},
		},
		{
			name: "ntpd-in-use",
			files: map[string]string{
				"/usr/lib/systemd/system/ntpd.service": "[Service]\n", "/run/ntpd.pid": "1\n",
				"/usr/lib/systemd/system/chronyd.service": "[Service]\n", "/etc/chrony.conf": chronyConf35,
			},
		},
		{name: "keep", files: debHost(rpmHost(nil)), values: engine.Values{keyService: keep}},
		{name: "tree", tree: true, files: rpmHost(nil), values: engine.Values{keyServers: site}},
		{
			name:   "chrony-installed-without-its-file",
			files:  rpmHost(map[string]string{"/etc/chrony.conf": "absent"}),
			values: engine.Values{keyServers: site},
		},
		{
			name:   "confdir-without-sourcedir-or-makestep",
			files:  rpmHost(map[string]string{"/etc/chrony.conf": "include /etc/chrony.more/*.conf\n", "/etc/chrony.more/a.conf": "confdir /etc/chrony.d\nrefclock PHC /dev/ptp0\n", "/etc/chrony.d/README": ""}),
			values: engine.Values{keyServers: site},
		},
	}
}
