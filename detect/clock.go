package detect

import (
	"time"

	"goxin/assets/lang"
)

func probeClock(h *host, f *Facts) {
	f.Clock.Past = unknown[bool](h.why)
	if h.running {
		f.Clock.Past = known(h.m.Now().Before(newestRelease), "clock_gettime(2)")
		f.Clock.Synced = known(h.kernel.ClockSynced, "adjtimex(2)")
	} else {
		f.Clock.Synced = unknown[bool](h.why)
	}
	f.Clock.Source = h.clockSource()
}

// newestRelease is when the newest release of Go that goxin carries appeared, so no clock
// before it can be right. A test holds it to the catalogue.
var newestRelease = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// clockSource is the time service that runs, or else is enabled.
func (h *host) clockSource() Fact[string] {
	services := []struct {
		name  string
		runs  []string // there while it runs
		units []string
	}{
		{"chrony", []string{"/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/chrony/chronyd.sock"}, []string{"chronyd.service", "chrony.service"}},
		{"ntpd", []string{"/run/ntpd.pid"}, []string{"ntpd.service", "ntp.service", "ntpsec.service"}},
		{"timesyncd", []string{"/run/systemd/timesync/synchronized", "/run/systemd/timesync"}, []string{"systemd-timesyncd.service"}},
	}
	if h.running {
		for _, s := range services {
			if file := h.first(s.runs...); file != "" {
				return known(s.name, file)
			}
		}
	}
	for _, s := range services {
		for _, u := range s.units {
			if link := h.enabled(u); link != "" {
				return known(s.name, link)
			}
		}
	}
	return known("none", lang.T("no time service runs or is enabled", "没有正在运行或已启用的对时服务"))
}

// enabled is the link that makes a boot start the unit; "" if there is none.
func (h *host) enabled(unit string) string {
	for _, target := range []string{"multi-user", "sysinit", "graphical", "basic", "default"} {
		link := "/etc/systemd/system/" + target + ".target.wants/" + unit
		if _, err := h.m.Lstat(link); err == nil {
			return link
		}
	}
	return ""
}
