package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Scrubbing is what Scrub cannot know by itself.
type Scrubbing struct {
	Secrets []string               // masked wherever they stand
	Public  func(host string) bool // hosts that say nothing about a site; nil: none
	// Machine are the facts of the machine it is packed on; a record of an older
	// goxin does not have them. May be nil.
	Machine *detect.Facts
}

// Scrub is r without what names its machine or its site, as far as that can be told
// from texts: the host's name, IP and MAC addresses, UUIDs and machine IDs, serial
// numbers, user names of home directories, mail addresses, names given to
// interfaces, hosts in URLs that are not public, passwords in URLs, and secrets. The
// same name has the same stand-in everywhere, so what belonged together still does.
// A version of four numbers passes for an address. Names in free text, a comment of
// a file say, it cannot know: a person has to look through it.
func Scrub(r *engine.RunRecord, o Scrubbing) (*engine.RunRecord, error) {
	s := newScrubber(o)
	c := *r
	c.Facts, c.Order = nil, nil
	for i, id := range r.Order {
		to := id
		if id != machine.LocalID { // it has the name of a directory or of a peer in it
			to = machine.ID(fmt.Sprintf("root:captured%d", i+1))
			s.give(string(id), string(to), false)
			if _, dir, ok := strings.Cut(string(id), ":"); ok && dir != "/" {
				s.name(dir, "/captured")
			}
		}
		c.Order = append(c.Order, to)
		if f := r.Facts[id]; f != nil {
			anonymous, renamed := f.Anonymous()
			if c.Facts == nil {
				c.Facts = make(map[machine.ID]*detect.Facts)
			}
			c.Facts[to] = anonymous
			s.host(f, renamed)
		}
	}
	if o.Machine != nil {
		_, renamed := o.Machine.Anonymous()
		s.host(o.Machine, renamed)
	}
	var tree any
	if err := remake(&c, &tree); err != nil {
		return nil, err
	}
	each(tree, "", func(t string) string { s.learn(t); return t })
	var out engine.RunRecord
	return &out, remake(each(tree, "", s.names.replace), &out)
}

// remake is from as to, by way of JSON; numbers keep their digits.
func remake(from, to any) error {
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(to)
}

// words are keys whose strings are words of goxin's own, whatever a host is called.
var words = []string{"status", "step", "steps", "kind", "action"}

// fieldName is the form of a JSON name of goxin's; other keys may be names of
// something on the machine.
var fieldName = regexp.MustCompile(`^[a-z_]+$`)

// each gives tree, which is under key, with f of each of its strings.
func each(tree any, key string, f func(string) string) any {
	switch t := tree.(type) {
	case string:
		if slices.Contains(words, key) {
			return t
		}
		return f(t)
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = each(x, key, f)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(t))
		for _, k := range slices.Sorted(maps.Keys(t)) {
			to := k
			if !fieldName.MatchString(k) {
				to = f(k)
			}
			out[to] = each(t[k], k, f)
		}
		return out
	}
	return tree
}

// scrubber learns what has to be replaced.
type scrubber struct {
	public func(string) bool
	names  names
	given  map[string]bool
	counts map[string]int // stand-ins given, by kind
}

const (
	masked   = "********"
	shortest = 4 // bytes of a secret; shorter words stand everywhere
)

func newScrubber(o Scrubbing) *scrubber {
	s := &scrubber{public: o.Public, given: map[string]bool{}, counts: map[string]int{}}
	for _, x := range o.Secrets {
		s.secret(x)
	}
	return s
}

// common are names of hosts and users that say nothing, and that stand in texts
// which mean something else.
var common = []string{
	"localhost", "localhost.localdomain", "localdomain", "local", "linux", "server", "desktop", "host", "root", "user", "admin", "goxin",
	"go", "build", "base", "web", "database", "captured", "kylin", "openeuler", "uos", "deepin", "loongnix", "anolis", "debian", "ubuntu",
	"vm", "net", "fs", "kernel", "dev", "etc", "usr", "var", "bin", "lib", "opt", "srv", "home", "tmp", "run", "boot", "systemd", "core",
	"time", "mirror", "libs", "tools", "runtime", "toolchain", "environment", "file", "sysctl", "unit", "package", "packages", "gcc", "git",
}

func (s *scrubber) give(literal, standIn string, anywhere bool) bool {
	if s.given[literal] {
		return false
	}
	s.given[literal] = true
	s.names.add(literal, standIn, anywhere)
	return true
}

func (s *scrubber) secret(x string) {
	if len(x) >= shortest && x != masked {
		s.give(x, masked, true)
	}
}

// name has a literal replaced, unless it says nothing.
func (s *scrubber) name(literal, standIn string) bool {
	return len(literal) > 1 && !slices.Contains(common, strings.ToLower(literal)) && s.give(literal, standIn, false)
}

// numbered is name with a stand-in of a kind, which has the number in it.
func (s *scrubber) numbered(literal, kind string, standIn func(n int) string) {
	if s.name(literal, standIn(s.counts[kind]+1)) {
		s.counts[kind]++
	}
}

func format(f string) func(int) string { return func(n int) string { return fmt.Sprintf(f, n) } }

func (s *scrubber) host(f *detect.Facts, renamed map[string]string) {
	for _, literal := range slices.Sorted(maps.Keys(renamed)) {
		s.name(literal, renamed[literal])
	}
	if short, domain, ok := strings.Cut(f.Hostname.Value, "."); ok {
		s.name(short, "captured")
		s.name(domain, "captured.invalid")
	}
}

// What names somebody whatever it is called. The expressions find too much; learn
// judges.
var (
	ipv4s   = regexp.MustCompile(`\d{1,3}(?:\.\d{1,3})+`)
	ipv6s   = regexp.MustCompile(`(?i)[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*`)
	macs    = regexp.MustCompile(`(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5,}\b`)
	uuids   = regexp.MustCompile(`(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	ids     = regexp.MustCompile(`(?i)\b[0-9a-f]{32}\b`) // machine-id(5); an MD5 sum too
	serials = regexp.MustCompile(`(?i)\b(?:serial(?:[ _-]?(?:no|number))?|s/n|asset(?:[ _-]?tag)?)\s*[:=]\s*"?([A-Za-z0-9][A-Za-z0-9._-]{3,})`)
	homes   = regexp.MustCompile(`/home/([A-Za-z0-9._][A-Za-z0-9._-]*)`)
	mails   = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
	urls    = regexp.MustCompile(`[a-z][a-z0-9+]*://(?:([^/@\s"']*)@)?([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])`)
)

// setting is a line of a file whose name says that its value is a secret.
var setting = regexp.MustCompile(`(?im)^\s*[#;]?\s*[\w.-]*(?:passw(?:or)?d|passphrase|secret|token)[\w.-]*\s*=\s*["']?([^\s"']+)`)

// learn notes what has to be replaced in t.
func (s *scrubber) learn(t string) {
	for _, m := range setting.FindAllStringSubmatch(t, -1) {
		s.secret(m[1])
	}
	for _, m := range urls.FindAllStringSubmatch(t, -1) {
		user, host := m[1], strings.Trim(m[2], "[]")
		if user != "" {
			s.secret(user + "@")
			_, password, _ := strings.Cut(user, ":")
			s.secret(password)
		}
		if _, err := netip.ParseAddr(host); err != nil && (s.public == nil || !s.public(host)) {
			s.numbered(host, "host", format("host%d.invalid"))
		}
	}
	for _, m := range homes.FindAllStringSubmatch(t, -1) {
		s.numbered(m[1], "user", format("user%d"))
	}
	for _, m := range serials.FindAllStringSubmatch(t, -1) {
		s.numbered(m[1], "serial", format("SERIAL%d"))
	}
	for _, m := range mails.FindAllString(t, -1) {
		s.numbered(m, "mail", format("mail%d@captured.invalid"))
	}
	for _, m := range macs.FindAllString(t, -1) { // locally administered
		s.numbered(m, "mac", func(n int) string { return fmt.Sprintf("02:00:00:00:%02x:%02x", n>>8&0xff, n&0xff) })
	}
	for _, m := range uuids.FindAllString(t, -1) {
		s.numbered(m, "uuid", format("00000000-0000-4000-8000-%012x"))
	}
	for _, m := range ids.FindAllString(t, -1) {
		s.numbered(m, "id", format("%032x"))
	}
	for _, m := range append(ipv4s.FindAllString(t, -1), ipv6s.FindAllString(t, -1)...) {
		s.address(m)
		s.address(strings.TrimRight(m, ".:")) // the end of a sentence
	}
}

// address has an address replaced by one that is nobody's (RFC 2544, RFC 3849),
// and leaves those that every machine has.
func (s *scrubber) address(m string) {
	a, err := netip.ParseAddr(m)
	if err != nil || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || strings.HasPrefix(m, "255.") {
		return
	}
	if a.Is4() {
		s.numbered(m, "ipv4", func(n int) string { return fmt.Sprintf("198.18.%d.%d", n>>8&0xff, n&0xff) })
		return
	}
	s.numbered(m, "ipv6", format("2001:db8::%x"))
}
