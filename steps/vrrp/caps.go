package vrrp

import (
	"regexp"
	"strconv"
)

// Caps is what a keepalived can be told, by its version: the first tag that has each
// keyword in doc/man/man5/keepalived.conf.5.in of acassen/keepalived.
type Caps struct {
	Version string // 2.2.7; "" where it is not known
	Major   int

	ConfigTest         bool // keepalived -t
	TrackFile          bool // a file's number counts, by the word vrrp_track_file
	TrackFileSection   bool // the same by the word track_file
	TrackProcess       bool // vrrp_track_process; takes CONFIG_PROC_EVENTS too
	MinTTL             bool // unicast_peer { … min_ttl N }
	ReloadCheck        bool // reload_check_config
	DownTimerAdverts   bool
	UnicastFaultNoPeer bool
	NamesItself        bool // it tells iproute2 the name of its addresses' protocol, in a file under /etc (acassen/keepalived#2488)
	HMAC               bool // auth_hmac
}

var versionOf = regexp.MustCompile(`\b[vV]?(\d+)\.(\d+)\.(\d+)\b`)

// Capabilities reads a version: 2.2.7, v2.0.10, or the first line of keepalived -v. What
// is no version has the zero Caps.
func Capabilities(version string) Caps {
	m := versionOf.FindStringSubmatch(version)
	if m == nil {
		return Caps{}
	}
	var v [3]int
	for i := range v {
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return Caps{}
		}
		v[i] = n
	}
	since := func(major, minor, patch int) bool {
		w := [3]int{major, minor, patch}
		for i := range v {
			if v[i] != w[i] {
				return v[i] > w[i]
			}
		}
		return true
	}
	return Caps{
		Version: m[1] + "." + m[2] + "." + m[3], Major: v[0],
		ConfigTest:         since(2, 0, 4),
		TrackFile:          since(2, 0, 0),
		TrackFileSection:   since(2, 1, 0),
		TrackProcess:       since(2, 0, 11),
		MinTTL:             since(2, 2, 0),
		ReloadCheck:        since(2, 2, 0),
		DownTimerAdverts:   since(2, 2, 3),
		UnicastFaultNoPeer: since(2, 2, 8),
		NamesItself:        since(2, 3, 2),
		HMAC:               since(2, 4, 0),
	}
}
