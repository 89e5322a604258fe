package ha

import (
	"fmt"
	"net/netip"
	"strings"

	"goxin/steps/wire"
)

// nginxText is the virtual host of one node. It listens on every address, so that nginx
// starts where the shared one is not, and takes every name by a regular expression: that
// stands before a default server of the distribution's, and beside one of somebody's.
// The health path tells which node answers by its own address, for whoever measures.
func nginxText(a answers, own netip.Addr) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s: what the pair serves.", mark)
	line("map $http_upgrade $goxin_connection {")
	line("    default upgrade;")
	line("    ''      '';")
	line("}")
	line("upstream goxin {")
	for _, u := range a.Upstream {
		line("    server %s;", u)
	}
	line("    keepalive 32;")
	line("}")
	line("server {")
	line("    listen %d;", a.Port)
	line("    server_name ~^;")
	line("    proxy_http_version 1.1;")
	line("    proxy_connect_timeout 1s;")
	line("    proxy_set_header Host $host;")
	line("    proxy_set_header X-Real-IP $remote_addr;")
	line("    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")
	line("    proxy_set_header X-Forwarded-Proto $scheme;")
	line("    proxy_set_header Upgrade $http_upgrade;")
	line("    proxy_set_header Connection $goxin_connection;")
	line("    location / {")
	line("        proxy_pass http://goxin;")
	line("    }")
	line("    location = %s {", a.Health)
	line("        proxy_pass http://goxin;")
	line("        add_header %s %s always;", wire.NodeHeader, own)
	line("        access_log off;")
	line("    }")
	line("}")
	return b.String()
}

func decimal(n int) string { return fmt.Sprint(n) }
