package fetch

import (
	"net/url"
	"path"
	"strings"

	"goxin/assets/lang"
)

// Join is a file below a directory's URL. A name that leaves the directory, or that
// is a URL of its own, is an error: it comes from an index somebody else wrote.
func Join(dir, name string) (string, error) {
	bad := func(cause error) error {
		return lang.Errorf(cause, "cannot use the URL %q with %q", "无法使用网址 %q 与 %q", dir, name)
	}
	u, err := url.Parse(dir)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", bad(err)
	}
	clean := path.Clean("/" + name)
	if name == "" || strings.HasPrefix(name, "/") || clean != "/"+strings.TrimSuffix(name, "/") || strings.ContainsAny(name, "\\\x00\r\n") {
		return "", bad(nil)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + clean
	u.RawPath = ""
	return u.String(), nil
}
