package clock

import (
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// host is one machine as the step sees it.
type host struct {
	id    machine.ID
	facts *detect.Facts
	seen  *Seen
}

func newHost(h engine.Hosts, sv engine.Survey, id machine.ID) (*host, error) {
	seen, err := seenOn(sv, id)
	if err != nil {
		return nil, err
	}
	return &host{id, h.Facts[id], seen}, nil
}

func (h *host) container() bool { return h.facts.Container.Known && h.facts.Container.Value }

// behind is how far the clock is behind, if enough hosts told.
func (h *host) behind() (time.Duration, bool) { return op.Behind(h.seen.Told) }

// tellers are the hosts that told: whoever did not is not asked again.
func (h *host) tellers() []string {
	out := make([]string, len(h.seen.Told))
	for i, t := range h.seen.Told {
		out[i] = t.Host
	}
	return out
}

// farOff says whether the clock is so far off that signatures suffer.
func (h *host) farOff() bool {
	d, ok := h.behind()
	return ok && d.Abs() > farOff*time.Second
}

// inUse is the service that keeps the time now: one that runs, or else one that
// does from the next boot on; "" for none.
func (h *host) inUse() string {
	for _, is := range []func(Service) bool{
		func(s Service) bool { return s.Running },
		func(s Service) bool { return s.Enabled },
	} {
		for _, sv := range services() {
			if s, ok := h.seen.Services[sv.name]; ok && is(s) && !s.Masked {
				return sv.name
			}
		}
	}
	return ""
}

// chosen is the service that should keep the time; "" to leave all as it is.
func (h *host) chosen(a answers) string {
	switch a.Service {
	case keep:
		return ""
	case chrony, timesyncd:
		return a.Service
	}
	if name := h.inUse(); name != "" {
		return name
	}
	for _, name := range []string{chrony, timesyncd} {
		if s, ok := h.seen.Services[name]; ok && !s.Masked {
			return name
		}
	}
	if h.masked() != "" {
		return "" // somebody wants it so: a hypervisor may keep the time
	}
	return chrony
}

// masked is an installed service that somebody masked, while no other is usable.
func (h *host) masked() string {
	for _, name := range []string{chrony, timesyncd} {
		if h.seen.Services[name].Masked {
			return name
		}
	}
	return ""
}

// found is the chosen service as it is, or as it will be once it is installed.
func (h *host) found(name string) (s Service, installed bool) {
	if s, ok := h.seen.Services[name]; ok {
		return s, true
	}
	switch {
	case name == timesyncd:
		return Service{Unit: "systemd-timesyncd.service", Conf: timesyncdConf, DropIn: timesyncdOwn}, false
	case h.facts.OS.Family.Value == "deb":
		return Service{Unit: "chrony.service", Conf: "/etc/chrony/chrony.conf"}, false
	}
	return Service{Unit: "chronyd.service", Conf: "/etc/chrony.conf"}, false
}

// publicServers are for machines with no server configured at all.
// Source: Alibaba Cloud and Tencent Cloud, "public NTP servers"; ntppool.org/zone/cn.
func publicServers() []string {
	return []string{"ntp.aliyun.com", "ntp.tencent.com", "cn.pool.ntp.org"}
}

// others are the names of the servers that files beside goxin's own give.
func (s Service) others() []string {
	var out []string
	for _, src := range s.Sources {
		if src.File != s.DropIn && src.Kind != "refclock" && !slices.Contains(out, strings.ToLower(src.Name)) {
			out = append(out, strings.ToLower(src.Name))
		}
	}
	return out
}

// configured are the names of all servers there are, goxin's own first.
func (s Service) configured() []string {
	var out []string
	for _, own := range []bool{true, false} {
		for _, src := range s.Sources {
			if (src.File == s.DropIn) == own && src.Kind != "refclock" && !slices.Contains(out, src.Name) {
				out = append(out, src.Name)
			}
		}
	}
	return out
}

// without is a without what is in b.
func without(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// file is the file that has a service ask the servers of the answers; nil where
// nothing has to be written.
func (h *host) file(name string, a answers) (*op.File, error) {
	s, _ := h.found(name)
	f := &op.File{Path: s.DropIn, Mode: 0o644, Owner: machine.RootOwner, Restart: s.Unit, Reason: dropInReason()}
	servers := a.Servers
	switch {
	case servers == nil && s.Own != nil:
		f.Content = string(s.Own) // as an earlier run left it
		return f, nil
	case servers == nil && name == timesyncd, servers == nil && len(s.Sources) > 0:
		return nil, nil
	case servers == nil:
		servers = publicServers()
	}
	if name == timesyncd {
		if s.Own == nil && slices.Equal(servers, s.others()) {
			return nil, nil
		}
		f.Content = timesyncdDropIn(servers)
		return f, nil
	}
	if s.DropIn != "" {
		others := s.others()
		servers = without(servers, others)
		steps := !s.Steps && strings.HasSuffix(s.DropIn, ".conf")
		if s.Own == nil && len(servers) == 0 {
			return nil, nil
		}
		f.Content = chronyDropIn(servers, len(others) > 0, steps)
		return f, nil
	}
	f.Path, f.Reason, f.Owner = s.Conf, editReason(), machine.Keep
	if !s.Exists {
		if i := slices.IndexFunc(h.seen.Unread, func(u Unread) bool { return u.File == s.Conf }); i >= 0 {
			return nil, lang.Errorf(nil, "cannot set the time servers: cannot read %s (%s)", "无法设置时间服务器：无法读取 %s（%s）", s.Conf, lang.Words(h.seen.Unread[i].Why)).
				WithHint("run goxin as root", "请以 root 身份运行")
		}
		f.Content, f.Reason = chronyWhole(servers), wholeReason()
		return f, nil
	}
	f.Mode = s.Mode
	f.Content = editChrony(string(s.Content), servers)
	return f, nil
}
