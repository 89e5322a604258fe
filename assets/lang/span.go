package lang

import (
	"strconv"
	"strings"
	"time"
)

// Span is a duration in the two largest units that count; below ten seconds with a tenth
// of one, and below one in milliseconds. The sign is left out: which way it goes is said
// in words.
func Span(d time.Duration) Text {
	d = d.Abs()
	if d < time.Second {
		return F("%d ms", "%d 毫秒", d.Milliseconds())
	}
	if d < 10*time.Second && d%time.Second != 0 {
		return F("%.1f s", "%.1f 秒", d.Seconds())
	}
	s := int64(d / time.Second)
	var en, zh []string
	for _, u := range []struct {
		seconds int64
		en, zh  string
	}{{86400, "d", "天"}, {3600, "h", "小时"}, {60, "min", "分"}, {1, "s", "秒"}} {
		n := s / u.seconds
		if s %= u.seconds; n == 0 && len(en) == 0 && u.seconds > 1 {
			continue
		}
		if n == 0 && len(en) > 0 || len(en) == 2 {
			break
		}
		en = append(en, strconv.FormatInt(n, 10)+" "+u.en)
		zh = append(zh, strconv.FormatInt(n, 10)+" "+u.zh)
	}
	return T(strings.Join(en, " "), strings.Join(zh, " "))
}
