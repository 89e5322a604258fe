package detect

import "goxin/assets/lang"

// probeTuners lists the other programs that set kernel parameters: whether they
// will fight goxin depends on their being enabled or running.
func probeTuners(h *host, f *Facts) {
	tuners := []Tuner{}
	for _, t := range []struct{ name, unit, pid, profile string }{
		{"tuned", "tuned.service", "/run/tuned/tuned.pid", "/etc/tuned/active_profile"},
		{"atuned", "atuned.service", "/run/atuned/atuned.pid", ""},
		{"oeaware", "oeaware.service", "/run/oeAware/oeaware.pid", ""},
		{"bpftune", "bpftune.service", "/run/bpftune.pid", ""},
	} {
		installed := h.first("/usr/lib/systemd/system/"+t.unit, "/lib/systemd/system/"+t.unit, "/etc/systemd/system/"+t.unit) != ""
		running := h.running && h.exists(t.pid)
		enabled := h.enabled(t.unit) != ""
		if !installed && !running && !enabled {
			continue
		}
		tuner := Tuner{Name: t.name, Enabled: enabled || running}
		if t.profile != "" {
			tuner.Profile = h.line(t.profile)
		}
		tuners = append(tuners, tuner)
	}
	f.Tuners = known(tuners, lang.T("units and pid files of tuned, atuned, oeaware, bpftune", "tuned、atuned、oeaware、bpftune 的服务单元与 PID 文件"))
}
