package demo

import "strings"

// What the packages of a web server and of keepalived bring besides their programs.

const nginxService = `[Unit]
Description=The nginx HTTP and reverse proxy server
After=network-online.target

[Service]
Type=forking
PIDFile=/run/nginx.pid
ExecStartPre=/usr/sbin/nginx -t
ExecStart=/usr/sbin/nginx
ExecReload=/usr/sbin/nginx -s reload
ExecStop=/bin/kill -s QUIT $MAINPID
PrivateTmp=true

[Install]
WantedBy=multi-user.target
`

const nginxMain = `worker_processes auto;
pid /run/nginx.pid;
events {
    worker_connections 1024;
}
http {
    include /etc/nginx/conf.d/*.conf;
}
`

const keepalivedService = `[Unit]
Description=LVS and VRRP High Availability Monitor
After=network-online.target

[Service]
Type=forking
ExecStart=/usr/sbin/keepalived $KEEPALIVED_OPTIONS
ExecReload=/bin/kill -HUP $MAINPID

[Install]
WantedBy=multi-user.target
`

// keepalivedSample is the example that rpm's package has where its configuration belongs.
const keepalivedSample = `! Configuration File for keepalived

vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        192.168.200.16
        192.168.200.17
        192.168.200.18
    }
}
`

// more are a package's other files, and the directories of its own, the inner first.
func (s *sim) more(name string) (files map[string]string, dirs []string) {
	switch name {
	case "nginx":
		return map[string]string{"/etc/nginx/nginx.conf": nginxMain, libUnits + "nginx.service": nginxService}, []string{"/etc/nginx/conf.d", "/etc/nginx"}
	case "keepalived":
		files = map[string]string{libUnits + "keepalived.service": keepalivedService}
		if !s.deb() {
			files[keepalivedConf] = keepalivedSample
		}
		return files, []string{"/etc/keepalived"}
	}
	return nil, nil
}

// settle is what is done once a package's files are there: Debian starts what it installs,
// and so it enables it.
func (c *call) settle(p pack) error {
	files, dirs := c.more(p.name)
	for _, d := range dirs {
		if err := c.mkdirs(d); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := c.write(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for name := range files {
		if unit, ok := strings.CutPrefix(name, libUnits); ok && c.deb() {
			for _, l := range c.wants(unit) {
				if err := c.Machine.Symlink(name, l); err != nil {
					return err
				}
			}
			if unit == "keepalived.service" && !c.exists(keepalivedConf) {
				continue // ConditionFileNotEmpty=
			}
			if err := c.start(unit); err != nil {
				return err
			}
		}
	}
	return nil
}

// leave is done before they go.
func (c *call) leave(p pack) error {
	files, dirs := c.more(p.name)
	for name := range files {
		if unit, ok := strings.CutPrefix(name, libUnits); ok {
			if err := c.stop(unit); err != nil {
				return err
			}
			for _, l := range c.wants(unit) {
				_ = c.Machine.Remove(l) // where it was enabled
			}
		}
	}
	for name := range files {
		_ = c.Machine.Remove(name) // somebody may have removed it already
	}
	for _, d := range dirs {
		_ = c.Machine.Remove(d) // where nobody else has something in it
	}
	return nil
}
