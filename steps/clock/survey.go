package clock

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// survey is what the step looks up, by machine.
type survey map[machine.ID]*Seen

// Seen is what one machine has now.
type Seen struct {
	// Runs says that programs run there: not so in a tree or on a captured machine.
	Runs     bool               `json:"runs"`
	Services map[string]Service `json:"services"` // by name, the installed ones
	// Daemon is the package, on Debian's family, that provides time-daemon: all
	// that do exclude each other.
	Daemon string    `json:"daemon,omitempty"`
	Asked  []string  `json:"asked"` // hosts asked for the time
	Told   []op.Told `json:"told"`  // what those that answered said
	Unread []Unread  `json:"unread,omitempty"`
}

// Service is a time service that is installed.
type Service struct {
	Unit    string   `json:"unit"`
	Enabled bool     `json:"enabled"`
	Running bool     `json:"running"`
	Masked  bool     `json:"masked,omitempty"`
	Conf    string   `json:"conf"`   // its main file; "" for ntpd
	Exists  bool     `json:"exists"` // that file
	Mode    op.Mode  `json:"mode"`
	Content []byte   `json:"content,omitempty"` // of that file, where it takes no drop-ins
	Sources []Source `json:"sources,omitempty"`
	DropIn  string   `json:"drop_in,omitempty"` // where goxin's own file goes; "": there is no such place
	Own     []byte   `json:"own,omitempty"`     // goxin's own file
	Steps   bool     `json:"steps,omitempty"`   // chrony has a makestep line
	Peers   []Peer   `json:"peers,omitempty"`   // what chrony says of its servers now
}

// Peer is a server as chronyc shows it.
type Peer struct {
	Name    string `json:"name"` // its address
	Reached bool   `json:"reached"`
}

// Unread is a file that is there and could not be read.
type Unread struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// service is where to look for one.
type service struct {
	name  string
	units []string
	conf  []string // by unit
	runs  []string // there while it runs
}

func services() []service {
	return []service{
		{chrony, []string{"chronyd.service", "chrony.service"}, []string{"/etc/chrony.conf", "/etc/chrony/chrony.conf"}, []string{"/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/chrony/chronyd.sock"}},
		{timesyncd, []string{"systemd-timesyncd.service"}, []string{timesyncdConf}, []string{"/run/systemd/timesync"}},
		{ntpd, []string{"ntpd.service", "ntp.service", "ntpsec.service"}, []string{"", "", ""}, []string{"/run/ntpd.pid"}},
	}
}

// Survey looks at the services and their configuration, and asks hosts for the
// time: three seconds where some of them do not answer.
func (Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, _ engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	out := make(survey, len(h.Order))
	for _, id := range h.Order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		if say != nil {
			say(engine.Say(lang.F("asking package mirrors what time it is, for %s", "正在为 %s 向软件源镜像询问时间", string(id))))
		}
		out[id] = look(ctx, m, h.Facts[id])
	}
	return json.Marshal(out)
}

func look(ctx context.Context, m machine.Machine, f *detect.Facts) *Seen {
	s := &Seen{Services: map[string]Service{}}
	r := &reader{m: m}
	for _, sv := range services() {
		if found, ok := r.service(sv); ok {
			s.Services[sv.name] = found
		}
	}
	s.Unread = r.unread
	for _, p := range []string{"systemd-timesyncd", "chrony", "ntpsec", "ntp", "openntpd"} {
		if r.exists("/var/lib/dpkg/info/"+p+".list") && s.Daemon == "" {
			s.Daemon = p
		}
	}
	if !f.Running {
		return s
	}
	s.Runs = m.Run(ctx, machine.Command{Argv: []string{"true"}, Timeout: 10 * time.Second}, nil) == nil
	if c, ok := s.Services[chrony]; ok && c.Running && s.Runs {
		c.Peers, _ = peers(ctx, m) // without them nothing is said of them
		s.Services[chrony] = c
	}
	s.Asked = packageHosts(m, f)
	for _, h := range wellKnown() {
		if !slices.Contains(s.Asked, h) {
			s.Asked = append(s.Asked, h)
		}
	}
	s.Told = op.AskTime(ctx, m, s.Asked)
	return s
}

func (r *reader) service(sv service) (Service, bool) {
	for i, unit := range sv.units {
		masked := false
		if to, err := r.m.Readlink("/etc/systemd/system/" + unit); err == nil {
			if masked = to == "/dev/null"; !masked {
				continue // an alias: the unit has another name
			}
		}
		if !r.unitFile(unit) {
			continue
		}
		s := Service{Unit: unit, Masked: masked, Conf: sv.conf[i], Enabled: r.enabled(unit)}
		s.Running = slices.ContainsFunc(sv.runs, r.exists)
		switch sv.name {
		case chrony:
			r.readChrony(&s)
		case timesyncd:
			s.Exists, s.DropIn = r.exists(s.Conf), timesyncdOwn
			r.readTimesyncd(&s)
		}
		return s, true
	}
	return Service{}, false
}

// unitFile says whether a unit comes with a package, under this name.
func (r *reader) unitFile(unit string) bool {
	for _, dir := range []string{"/usr/lib/systemd/system/", "/lib/systemd/system/"} {
		if to, err := r.m.Readlink(dir + unit); err == nil && !strings.HasSuffix(to, "/"+unit) {
			return false
		}
		if r.exists(dir + unit) {
			return true
		}
	}
	return false
}

func (r *reader) enabled(unit string) bool {
	for _, target := range []string{"multi-user", "sysinit", "graphical", "basic", "default"} {
		if _, err := r.m.Lstat("/etc/systemd/system/" + target + ".target.wants/" + unit); err == nil {
			return true
		}
	}
	return false
}

func (r *reader) exists(name string) bool {
	_, err := r.m.Stat(name)
	return err == nil
}

func (r *reader) read(name string) (string, bool) {
	b, err := r.m.ReadFile(name)
	if err == nil && len(b) > 256<<10 {
		err = lang.Because(nil, "file too large", "文件过大")
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			var p *fs.PathError
			if errors.As(err, &p) {
				err = p.Err
			}
			r.unread = append(r.unread, Unread{name, err.Error()})
		}
		return "", false
	}
	return string(b), true
}

// peers are the servers chronyd asks, by address: names may need a name server
// that does not answer.
func peers(ctx context.Context, m machine.Machine) ([]Peer, error) {
	var out []Peer
	err := m.Run(ctx, machine.Command{Argv: []string{"chronyc", "-n", "sources"}, Timeout: 10 * time.Second}, func(line string) {
		if p, ok := parsePeer(line); ok {
			out = append(out, p)
		}
	})
	return out, err
}

// parsePeer reads a line of "chronyc sources": mode and state, the address,
// stratum, poll, and which of the last eight questions were answered, in octal.
func parsePeer(line string) (Peer, bool) {
	f := strings.Fields(line)
	if len(f) < 5 || len(f[0]) != 2 || !strings.Contains("^=#", f[0][:1]) {
		return Peer{}, false
	}
	return Peer{f[1], strings.Trim(f[4], "0") != ""}, true
}

// seenOn decodes what was seen on one machine. A step planned without a survey
// knows nothing of it.
func seenOn(sv engine.Survey, id machine.ID) (*Seen, error) {
	if len(sv) == 0 {
		return &Seen{}, nil
	}
	var all survey
	if err := json.Unmarshal(sv, &all); err != nil {
		return nil, engine.BadSurvey(err)
	}
	if s := all[id]; s != nil {
		return s, nil
	}
	return &Seen{}, nil
}
