package clock

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"goxin/detect/machine"
	"goxin/steps/op"
)

// Source is a line that says where the time comes from.
type Source struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Kind string `json:"kind"` // server, pool, peer, refclock; of timesyncd: NTP, FallbackNTP
	Name string `json:"name"`
}

// directive is a line of chrony.conf that is none of its comments, which begin
// with one of !;#% (chrony.conf(5)).
type directive struct {
	Line int
	Word string // lower case: chronyd does not mind
	Args []string
}

func parseChrony(content string) []directive {
	var out []directive
	n := 0
	for line := range strings.Lines(content) {
		n++
		f := strings.Fields(line)
		if len(f) == 0 || strings.ContainsRune("!;#%", rune(f[0][0])) {
			continue
		}
		out = append(out, directive{n, strings.ToLower(f[0]), f[1:]})
	}
	return out
}

func (d directive) source(file string) (Source, bool) {
	switch d.Word {
	case "server", "pool", "peer", "refclock":
		if len(d.Args) > 0 {
			return Source{file, d.Line, d.Word, d.Args[0]}, true
		}
	}
	return Source{}, false
}

// readChrony reads chrony's configuration from its main file on, with what that
// includes.
func (r *reader) readChrony(s *Service) {
	content, ok := r.read(s.Conf)
	if !ok {
		return
	}
	s.Exists, s.Content = true, []byte(content)
	if info, err := r.m.Stat(s.Conf); err == nil {
		s.Mode = op.Mode(info.Mode & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
	}
	var confdir, sourcedir string
	var steps []string // files with a makestep line
	seen := map[string]bool{}
	var walk func(file, content string)
	enter := func(file string) {
		if seen[file] || len(seen) > 100 {
			return
		}
		seen[file] = true
		if c, ok := r.read(file); ok {
			walk(file, c)
		}
	}
	walk = func(file, content string) {
		for _, d := range parseChrony(content) {
			if src, is := d.source(file); is {
				s.Sources = append(s.Sources, src)
				continue
			}
			switch d.Word {
			case "makestep":
				steps = append(steps, file)
			case "include":
				for _, pattern := range d.Args {
					for _, f := range r.match(path.Dir(pattern), path.Base(pattern)) {
						enter(f)
					}
				}
			case "confdir", "sourcedir":
				suffix, first := "*.conf", &confdir
				if d.Word == "sourcedir" {
					suffix, first = "*.sources", &sourcedir
				}
				for _, dir := range d.Args {
					if *first == "" && strings.HasPrefix(dir, "/") && !strings.HasPrefix(dir, "/run/") && !strings.HasPrefix(dir, "/var/run/") {
						*first = path.Clean(dir)
					}
					for _, f := range r.match(dir, suffix) {
						enter(f)
					}
				}
			}
		}
	}
	seen[s.Conf] = true
	walk(s.Conf, content)
	switch {
	case sourcedir != "":
		s.DropIn = sourcedir + "/goxin.sources"
	case confdir != "":
		s.DropIn = confdir + "/goxin.conf"
	}
	// Of goxin's own file it does not count, or the line would go the next time.
	s.Steps = slices.ContainsFunc(steps, func(f string) bool { return f != s.DropIn })
	if s.DropIn != "" {
		s.Content = nil // it stays as it is
		if own, ok := r.read(s.DropIn); ok {
			s.Own = []byte(own)
		}
	}
}

// match are the files of dir whose names fit pattern, sorted.
func (r *reader) match(dir, pattern string) []string {
	names, err := r.m.ReadDir(dir)
	if err != nil {
		return nil // chronyd passes over a directory that is not there as well
	}
	var out []string
	for _, n := range names {
		if ok, err := path.Match(pattern, n); ok && err == nil {
			out = append(out, path.Join(dir, n))
		}
	}
	return out
}

// reader reads configuration, and remembers what it could not.
type reader struct {
	m      machine.Machine
	unread []Unread
}

// chronyLine is how a server is written. A name of the NTP pool stands for many
// machines, of which "pool" asks several.
func chronyLine(server string) string {
	if strings.HasSuffix(server, "pool.ntp.org") {
		return "pool " + server + " iburst"
	}
	return "server " + server + " iburst"
}

// chronyDropIn is goxin's own file. Where the package's file names servers as
// well they stay as a reserve: sources marked "prefer" are chosen as long as one
// of them is good (chrony.conf(5)).
func chronyDropIn(servers []string, reserve, steps bool) string {
	var b strings.Builder
	b.WriteString("# goxin: time servers\n")
	for _, s := range servers {
		b.WriteString(chronyLine(s))
		if reserve {
			b.WriteString(" prefer")
		}
		b.WriteString("\n")
	}
	if steps {
		b.WriteString(makestep + "\n")
	}
	return b.String()
}

// makestep lets chronyd set a clock that is more than a second off, the first
// three times it knows; else it slews it, which takes an hour for 300 seconds.
const makestep = "makestep 1.0 3"

// chronyWhole is a configuration for where there is none yet.
func chronyWhole(servers []string) string {
	return chronyDropIn(servers, false, true) + "driftfile /var/lib/chrony/drift\nrtcsync\nlogdir /var/log/chrony\n"
}

// editChrony makes chrony.conf ask servers and nobody else: lines of other servers
// become comments, lines of these stay, and what is missing is added at the end.
// All other bytes stay, and edited again it is the same.
func editChrony(content string, servers []string) string {
	eol := "\n"
	if strings.Contains(content, "\r\n") {
		eol = "\r\n"
	}
	there, steps := map[string]bool{}, false
	var b strings.Builder
	for line := range strings.Lines(content) {
		for _, d := range parseChrony(line) {
			steps = steps || d.Word == "makestep"
			src, is := d.source("")
			if !is || src.Kind != "server" && src.Kind != "pool" {
				continue
			}
			if name := strings.ToLower(src.Name); slices.Contains(servers, name) {
				there[name] = true
			} else {
				b.WriteString(op.Mark)
			}
		}
		b.WriteString(line)
	}
	add := func(line string) {
		if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
			b.WriteString(eol)
		}
		b.WriteString(line + eol)
	}
	for _, s := range servers {
		if !there[s] {
			add(chronyLine(s))
		}
	}
	if !steps {
		add(makestep)
	}
	return b.String()
}
