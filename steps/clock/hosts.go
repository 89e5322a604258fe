package clock

import (
	"maps"
	"slices"
	"strings"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/repo"
)

// wellKnown answer on port 80 from anywhere in China. They are asked beside the
// machine's own package sources, so that one host with a wrong clock is outvoted.
func wellKnown() []string {
	return []string{"mirrors.aliyun.com", "repo.huaweicloud.com", "mirrors.cloud.tencent.com", "mirrors.tuna.tsinghua.edu.cn", "mirrors.ustc.edu.cn"}
}

// mostHosts are asked of a machine's own sources.
const mostHosts = 8

// packageHosts are the hosts of a machine's package sources, each once; none
// where those cannot be read: whose clock is right can be told without them.
func packageHosts(m machine.Machine, f *detect.Facts) []string {
	sources, err := repo.ReadAll(m, f)
	if err != nil {
		return nil
	}
	var urls []string
	for _, file := range sources.Files {
		for _, e := range file.Entries() {
			if e.Enabled {
				urls = append(append(urls, e.URLs...), e.Mirrorlist, e.Metalink)
			}
		}
	}
	for _, list := range slices.Sorted(maps.Keys(sources.MirrorLists)) {
		urls = append(urls, sources.MirrorLists[list]...)
	}
	var out []string
	for _, u := range urls {
		if h, ok := urlHost(sources.Vars.Expand(u)); ok && !slices.Contains(out, h) && len(out) < mostHosts {
			out = append(out, h)
		}
	}
	return out
}

// urlHost is the host of an http or https URL, as AskTime takes it. The port of
// an http URL stays; that of an https URL goes, for it speaks TLS.
func urlHost(url string) (string, bool) {
	scheme, rest, ok := strings.Cut(strings.ToLower(url), "://")
	rest, _, _ = strings.Cut(rest, "/")
	rest, _, _ = strings.Cut(rest, "?")
	host := rest[strings.LastIndexByte(rest, '@')+1:]
	if scheme == "https" {
		host = withoutPort(host)
	}
	return host, ok && (scheme == "http" || scheme == "https") && isHost(host)
}

func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i]
	}
	return host
}

// isHost says whether host is a name or an address with or without a port, so
// that nothing else gets into a request.
func isHost(host string) bool {
	name := withoutPort(host)
	if port := strings.TrimPrefix(host, name); port != "" && (len(port) < 2 || strings.Trim(port[1:], "0123456789") != "") {
		return false
	}
	if v6, ok := strings.CutPrefix(name, "["); ok {
		return address6(strings.TrimSuffix(v6, "]"))
	}
	return !strings.Contains(name, ":") && checkServer(name) == nil
}
