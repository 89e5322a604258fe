package detect

import (
	"fmt"
	"strconv"
	"strings"
)

func probeUser(h *host, f *Facts) {
	u := &f.User
	if !h.running {
		u.Root, u.Missing = unknown[bool](h.why), unknown[[]string](h.why)
		return
	}
	u.Root = known(h.kernel.UID == 0, fmt.Sprintf("geteuid(2) %d", h.kernel.UID))
	const file = "/proc/self/status"
	text, err := h.read(file)
	if err != nil {
		u.Missing = unknown[[]string](told(err))
		return
	}
	caps, ok := parseCapEff(text)
	if !ok {
		u.Missing = unknown[[]string](lacks(file, "CapEff"))
		return
	}
	missing := []string{}
	for _, c := range []struct {
		name string
		bit  uint // capability.h
	}{{"CAP_SYS_ADMIN", 21}, {"CAP_NET_ADMIN", 12}, {"CAP_SYS_RESOURCE", 24}} {
		if caps&(1<<c.bit) == 0 {
			missing = append(missing, c.name)
		}
	}
	u.Missing = known(missing, file+" CapEff")
}

func parseCapEff(s string) (uint64, bool) {
	for line := range strings.Lines(s) {
		if rest, ok := strings.CutPrefix(line, "CapEff:"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
			return n, err == nil
		}
	}
	return 0, false
}
