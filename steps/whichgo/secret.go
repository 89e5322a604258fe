package whichgo

import "strings"

// Masked is a GOPROXY, or any one address, without the names and passwords in it: for
// people's eyes.
func Masked(list string) string {
	var b strings.Builder
	for len(list) > 0 {
		end := strings.IndexAny(list, ",|")
		if end < 0 {
			end = len(list)
		}
		b.WriteString(maskedOne(list[:end]))
		b.WriteString(list[end:min(end+1, len(list))])
		list = list[min(end+1, len(list)):]
	}
	return b.String()
}

func maskedOne(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		rest = "***" + rest[at:]
	}
	return scheme + "://" + rest
}
