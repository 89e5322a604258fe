package detect

import (
	"fmt"
	"strings"
)

// Anonymous is f without what names the machine or its site, as a capture of the
// machine would have it detected. renamed are the names that were replaced, by what
// stands for them now: they may stand in other texts about the machine.
func (f *Facts) Anonymous() (out *Facts, renamed map[string]string) {
	c := *f
	renamed = map[string]string{}
	if c.Hostname.Known && c.Hostname.Value != "" {
		renamed[c.Hostname.Value] = "captured"
		c.Hostname.Value = "captured"
	}
	c.Network = nil
	for i, n := range f.Network {
		if name := anonymousInterface(n.Name, i); name != n.Name {
			renamed[n.Name] = name
			n.Name = name
		}
		c.Network = append(c.Network, n)
	}
	c.Tuners.Value = nil
	for _, t := range f.Tuners.Value {
		if p := strings.TrimSpace(keepProfile(t.Profile)); t.Profile != "" && p != t.Profile {
			renamed[t.Profile] = p
			t.Profile = p
		}
		c.Tuners.Value = append(c.Tuners.Value, t)
	}
	return &c, renamed
}

// anonymousInterface is the name of the i-th interface as it may get out.
func anonymousInterface(name string, i int) string {
	if plainInterface(name) {
		return name
	}
	return fmt.Sprintf("net%d", i)
}
