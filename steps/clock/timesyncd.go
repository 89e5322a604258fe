package clock

import (
	"maps"
	"path"
	"slices"
	"strings"
)

const (
	timesyncdConf = "/etc/systemd/timesyncd.conf"
	timesyncdOwn  = "/etc/systemd/timesyncd.conf.d/zz-goxin.conf"
)

// timesyncdLine is an assignment in the [Time] section.
type timesyncdLine struct {
	Line  int
	Key   string // NTP or FallbackNTP
	Names []string
}

// parseTimesyncd reads what timesyncd.conf(5) says of servers.
func parseTimesyncd(content string) []timesyncdLine {
	var out []timesyncdLine
	section, n := "", 0
	for line := range strings.Lines(content) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section = strings.Trim(line, "[]")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		// Servers was the name of NTP before systemd 216, and is still read.
		if key == "Servers" {
			key = "NTP"
		}
		if ok && section == "Time" && (key == "NTP" || key == "FallbackNTP") {
			out = append(out, timesyncdLine{n, key, strings.Fields(value)})
		}
	}
	return out
}

// readTimesyncd reads the main file, then the drop-ins by name, of which one in
// /etc hides others of its name; an empty assignment forgets what was before.
func (r *reader) readTimesyncd(s *Service) {
	files := map[string]string{}
	for _, dir := range []string{"/usr/lib", "/usr/local/lib", "/run", "/etc"} {
		for _, f := range r.match(dir+"/systemd/timesyncd.conf.d", "*.conf") {
			files[path.Base(f)] = f
		}
	}
	order := []string{timesyncdConf}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		order = append(order, files[name])
	}
	now := map[string][]Source{}
	for _, f := range order {
		content, ok := r.read(f)
		if !ok {
			continue
		}
		if f == timesyncdOwn {
			s.Own = []byte(content)
			continue // what others say is what counts below it
		}
		for _, l := range parseTimesyncd(content) {
			if len(l.Names) == 0 {
				now[l.Key] = nil
			}
			for _, name := range l.Names {
				now[l.Key] = append(now[l.Key], Source{f, l.Line, l.Key, name})
			}
		}
	}
	for _, l := range parseTimesyncd(string(s.Own)) {
		if len(l.Names) > 0 {
			for _, name := range l.Names {
				s.Sources = append(s.Sources, Source{timesyncdOwn, l.Line, l.Key, name})
			}
		}
	}
	s.Sources = append(s.Sources, append(now["NTP"], now["FallbackNTP"]...)...)
}

// timesyncdDropIn is goxin's own file. The empty assignment makes the service
// forget the servers of other files; its fallback is for when none is given.
func timesyncdDropIn(servers []string) string {
	return "# goxin: time servers\n[Time]\nNTP=\nNTP=" + strings.Join(servers, " ") + "\n"
}
