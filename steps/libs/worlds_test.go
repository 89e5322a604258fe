package libs

import (
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// aptKnows are what Debian 12's lists know of what is asked here.
func aptKnows(more ...string) manager {
	a := map[string]string{"libaio1": "0.3.113-4", "libssl3": "3.0.17-1", "zlib1g": "1:1.2.13", "libnuma1": "2.0.16-1", "libglib2.0-0": "2.74.6-2"}
	for _, n := range more {
		a[n] = "1.0-1"
	}
	return manager{installed: map[string]string{"libc6": "2.36-9", "libssl3": "3.0.17-1", "zlib1g": "1:1.2.13"}, available: a}
}

func dnfKnows() manager {
	return manager{
		installed: map[string]string{"glibc": "2.28-49", "openssl-libs": "1:1.1.1f", "zlib": "1.2.11-20"},
		available: map[string]string{"bash": "5.0", "libaio": "0.3.112-3.ky10", "glibc": "2.28-49"},
		providers: map[string][]string{"libnuma.so.1": {"numactl-libs"}, "libtwo.so.1": {"a-two", "b-two"}, "libone.so.1": {"b-two"}},
	}
}

func worlds() []world {
	app := []string{"/opt/app"}
	return []world{
		{name: "debian-12-without-libaio", facts: onDebian, files: debian(nil), manager: aptKnows(), values: engine.Values{}},
		{
			name: "nothing-missing", facts: onDebian, manager: aptKnows(),
			files:  debian(map[string]any{"/usr/lib/x86_64-linux-gnu/libaio.so.1": lib("libaio.so.1"), "/opt/app/bin/app": program("libz.so.1")}),
			values: engine.Values{"paths": app},
		},
		{
			// Debian 13 renamed libaio.
			name: "debian-13", facts: func(f *detect.Facts) { onDebian(f); f.Libc.Version = steptest.Fact("2.41") }, files: debian(nil),
			manager: manager{installed: map[string]string{}, available: map[string]string{"libaio1t64": "0.3.113-8"}}, values: engine.Values{},
		},
		{
			name: "debian-program", facts: onDebian, manager: aptKnows("libfoo-bar2"),
			files: debian(map[string]any{
				"/opt/app/bin/app":          program("libnuma.so.1", "libglib-2.0.so.0", "libFoo_Bar.so.2", "libnone.so.9"),
				"/opt/app/bin/other":        program("libnuma.so.1"),
				"/opt/app/plugins/extra.so": lib("extra.so", "libplugin.so.1"),
			}),
			values: engine.Values{"paths": app, "ignore": []string{"libplugin.so.1"}, "packages": []string{"rsync"}},
		},
		{
			// One package has both: it alone comes.
			name: "kylin-program", facts: onKylin, manager: dnfKnows(),
			files:  kylin(map[string]any{"/opt/app/bin/app": program("libnuma.so.1", "libone.so.1", "libtwo.so.1")}),
			values: engine.Values{"paths": []string{"/opt/app", "/opt/later"}},
		},
		{
			name: "apt-without-lists", facts: onDebian, manager: manager{installed: map[string]string{"libc6": "2.36-9"}},
			files:  debian(map[string]any{"/var/lib/apt/lists/deb.debian.org_dists_bookworm_main_binary-amd64_Packages": "absent"}),
			values: engine.Values{},
		},
		{
			name: "uos-not-activated", facts: func(f *detect.Facts) { onKylin(f); f.OS.Product = steptest.Fact("uos-server") },
			files:   kylin(map[string]any{"/opt/app/bin/app": program("libnuma.so.1")}),
			manager: manager{installed: map[string]string{"glibc": "2.28-49"}, fails: errForbidden},
			values:  engine.Values{"paths": app},
		},
		{
			// Nothing that a package has is missing, so its lists do not matter.
			name: "uos-not-activated-and-nothing-missing", facts: func(f *detect.Facts) { onKylin(f); f.OS.Product = steptest.Fact("uos-server") },
			files: kylin(map[string]any{"/lib64/libaio.so.1": lib("libaio.so.1")}), manager: manager{fails: errForbidden}, values: engine.Values{},
		},
		{
			name: "dnf-without-repositories", facts: onKylin, files: kylin(nil), manager: manager{}, values: engine.Values{},
		},
		{
			// The lists knew libaio before the connection broke.
			name: "providers-fail", facts: onKylin, files: kylin(map[string]any{"/opt/app/bin/app": program("libnuma.so.1")}),
			manager: manager{available: map[string]string{"libaio": "0.3.112"}, cannotProvide: errForbidden}, values: engine.Values{"paths": app},
		},
		{
			name: "package-there-library-gone", facts: onDebian, files: debian(nil),
			manager: manager{installed: map[string]string{"libaio1": "0.3.113-4"}}, values: engine.Values{},
		},
		{
			name: "tree", facts: func(f *detect.Facts) { onKylin(f); f.Running = false }, manager: manager{silent: true},
			files:  kylin(map[string]any{"/opt/app/bin/app": program("libnuma.so.1", "libstdc++.so.6")}),
			values: engine.Values{"paths": app, "packages": []string{"rsync"}},
		},
		{
			name: "no-package-manager", facts: func(f *detect.Facts) {
				f.Packages.Manager = detect.Fact[string]{From: lang.T("neither dnf, yum, rpm nor apt-get with dpkg in /usr/bin", "/usr/bin 中既没有 dnf、yum、rpm，也没有 apt-get 与 dpkg")}
			},
			files: kylin(nil), values: engine.Values{},
		},
		{
			// Two findings of one cause are said once, the newest.
			name: "glibc-too-old", facts: onKylin, manager: dnfKnows(),
			files: kylin(map[string]any{
				"/opt/app/bin/a":     object{interp: x86Loader, needed: []string{"libc.so.6"}, wants: [2]string{"libc.so.6", "GLIBC_2.34"}},
				"/opt/app/bin/b":     object{interp: x86Loader, needed: []string{"libc.so.6"}, wants: [2]string{"libc.so.6", "GLIBC_2.38"}},
				"/opt/app/bin/c":     object{interp: x86Loader, needed: []string{"libcxx.so.1"}, wants: [2]string{"libcxx.so.1", "CXX_3"}},
				"/lib64/libcxx.so.1": object{soname: "libcxx.so.1", has: []string{"CXX_1"}},
			}),
			values: engine.Values{"paths": app, "require": []string{"glibc"}},
		},
		{
			name: "old-world-machine", facts: onLoongson("old"), manager: dnfKnows(),
			files: loongson("old", map[string]any{
				"/opt/app/bin/new":    loong("new", program("libc.so.6")),
				"/opt/app/bin/static": loong("new", object{static: true}),
				"/opt/app/bin/fine":   loong("old", object{static: true}),
			}),
			values: engine.Values{"paths": app},
		},
		{
			name: "new-world-machine", facts: onLoongson("new"), manager: dnfKnows(),
			files: loongson("new", map[string]any{
				"/opt/app/bin/old":    loong("old", program("libc.so.6", "libz.so.1")),
				"/opt/app/bin/static": loong("new", object{static: true}),
			}),
			values: engine.Values{"paths": app},
		},
		{
			name: "what-no-package-cures", facts: onDebian, manager: aptKnows(),
			files: debian(map[string]any{
				"/opt/app/arm":                           object{mach: 183, interp: "/lib/ld-linux-aarch64.so.1"},
				"/opt/app/run":                           "#!/opt/none/python -E\n",
				"/opt/app/bin/app":                       program("/opt/lib/by-path.so", "libtext.so.1"),
				"/opt/app/bin/wide":                      object{interp: "/lib/ld-musl-x86_64.so.1"},
				"/usr/lib/x86_64-linux-gnu/libtext.so.1": "not a library\n",
			}),
			values: engine.Values{"require": []string{}, "paths": []string{"/opt/app", "/opt/app/arm"}},
		},
		{
			name: "nothing-asked", facts: onDebian, manager: aptKnows(), files: debian(nil), values: engine.Values{"require": []string{}},
		},
	}
}
