package kernel

import (
	"path"
	"strings"

	"goxin/detect/machine"
	"goxin/detect/sysctl"
)

// Rivals are programs that set kernel parameters without sysctl's files.
type Rivals struct {
	// Tuned are the parameters of TuneD's active profile and of those it includes.
	Tuned []Line `json:"tuned"`
	// Unread are those profiles' names that could not be found.
	Unread []string `json:"unread"`
	// Reapplies: TuneD applies sysctl's files again after its profile, so that
	// they win (reapply_sysctl, on unless switched off).
	Reapplies bool `json:"reapplies"`
	// Kubekey is the script with which KubeKey sets parameters; "": not there.
	Kubekey string `json:"kubekey"`
	// CloudInit is where cloud-init's configuration speaks of sysctl: "file:line".
	CloudInit []string `json:"cloud_init"`
}

func readRivals(m machine.Machine) Rivals {
	r := Rivals{Reapplies: true}
	if b, err := m.ReadFile("/etc/tuned/active_profile"); err == nil {
		r.Tuned, r.Unread = tunedLines(m, strings.Fields(string(b)))
		if b, err := m.ReadFile("/etc/tuned/tuned-main.conf"); err == nil {
			r.Reapplies = reapplies(string(b))
		}
	}
	const script = "/usr/local/bin/kube-scripts/initOS.sh"
	if _, err := m.Stat(script); err == nil {
		r.Kubekey = script
	}
	for _, f := range append([]string{"/etc/cloud/cloud.cfg"}, cloudFiles(m)...) {
		if b, err := m.ReadFile(f); err == nil {
			n := 0
			for line := range strings.Lines(string(b)) {
				n++
				if code, _, _ := strings.Cut(line, "#"); strings.Contains(code, "sysctl") {
					r.CloudInit = append(r.CloudInit, Line{File: f, Line: n}.where())
				}
			}
		}
	}
	return r
}

func cloudFiles(m machine.Machine) []string {
	const dir = "/etc/cloud/cloud.cfg.d"
	names, err := m.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, n := range names {
		if strings.HasSuffix(n, ".cfg") {
			out = append(out, path.Join(dir, n))
		}
	}
	return out
}

// tunedLines reads the [sysctl] sections of profiles and what they include. It
// follows a name once, so that profiles that include each other end.
func tunedLines(m machine.Machine, profiles []string) (out []Line, unread []string) {
	seen := map[string]bool{}
	for len(profiles) > 0 && len(seen) < 50 {
		p := profiles[0]
		profiles = profiles[1:]
		if p == "" || seen[p] || strings.Contains(p, "/") || strings.HasPrefix(p, ".") {
			continue
		}
		seen[p] = true
		found := false
		for _, dir := range []string{"/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned"} {
			f := path.Join(dir, p, "tuned.conf")
			if b, err := m.ReadFile(f); err == nil {
				lines, include := parseTuned(string(b))
				for i := range lines {
					lines[i].File, lines[i].Via = f, f
				}
				out = append(out, lines...)
				profiles = append(profiles, include...)
				found = true
				break
			}
		}
		if !found {
			unread = append(unread, p)
		}
	}
	return out, unread
}

// parseTuned reads a TuneD profile's [sysctl] section and its include line. Its
// values may begin with an operator (=> raises only), which is taken off.
func parseTuned(data string) (lines []Line, include []string) {
	section, n := "", 0
	for text := range strings.Lines(data) {
		n++
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			continue
		}
		if strings.HasPrefix(text, "[") {
			section = strings.Trim(text, "[]")
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case section == "main" && key == "include":
			include = append(include, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })...)
		case section == "sysctl" && key != "":
			value = strings.TrimSpace(strings.TrimLeft(value, "=><"))
			lines = append(lines, Line{Line: n, Text: text, Key: sysctl.Canonical(key), Value: strings.Trim(value, `"`)})
		}
	}
	return lines, include
}

func reapplies(data string) bool {
	on := true
	for line := range strings.Lines(data) {
		key, value, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(key) == "reapply_sysctl" {
			switch strings.ToLower(strings.TrimSpace(value)) {
			case "0", "false", "no", "off":
				on = false
			default:
				on = true
			}
		}
	}
	return on
}
