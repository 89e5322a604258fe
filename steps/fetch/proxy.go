package fetch

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// proxy picks the proxy of a request as curl does: http_proxy, https_proxy,
// all_proxy, but for what no_proxy names and for the machine itself.
func proxy(getenv func(string) string) func(*http.Request) (*url.URL, error) {
	env := func(name string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return getenv(strings.ToUpper(name))
	}
	byScheme := map[string]string{"http": env("http_proxy"), "https": env("https_proxy")}
	all, none := env("all_proxy"), env("no_proxy")
	return func(r *http.Request) (*url.URL, error) {
		p := byScheme[r.URL.Scheme]
		if p == "" {
			p = all
		}
		if p == "" || direct(none, r.URL) {
			return nil, nil
		}
		if !strings.Contains(p, "://") {
			p = "http://" + p
		}
		return url.Parse(p)
	}
}

// direct says whether list, or its being this machine, keeps u from a proxy. An
// entry is "*", a name (its subdomains too), an address or a network; a port may
// follow a name.
func direct(list string, u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	addr, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && addr.IsLoopback() {
		return true
	}
	for _, entry := range strings.FieldsFunc(strings.ToLower(list), func(r rune) bool { return r == ',' || r == ' ' }) {
		if entry == "*" {
			return true
		}
		if network, perr := netip.ParsePrefix(entry); perr == nil {
			if err == nil && network.Contains(addr) {
				return true
			}
			continue
		}
		if name, port, ok := strings.Cut(entry, ":"); ok && strings.Count(entry, ":") == 1 {
			if port != portOf(u) {
				continue
			}
			entry = name
		}
		entry = strings.TrimPrefix(strings.TrimPrefix(entry, "*"), ".")
		if entry != "" && (host == entry || strings.HasSuffix(host, "."+entry)) {
			return true
		}
	}
	return false
}

func portOf(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
