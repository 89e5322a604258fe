package lang

import (
	"testing"
	"time"
)

func TestASpanIsInTheTwoLargestUnitsThatCount(t *testing.T) {
	for d, want := range map[time.Duration]Text{
		0:                                T("0 ms", "0 毫秒"),
		-20 * time.Millisecond:           T("20 ms", "20 毫秒"),
		2500 * time.Millisecond:          T("2.5 s", "2.5 秒"),
		time.Second:                      T("1 s", "1 秒"),
		-251 * time.Second:               T("4 min 11 s", "4 分 11 秒"),
		93784 * time.Second:              T("1 d 2 h", "1 天 2 小时"),
		time.Hour + 59*time.Second:       T("1 h", "1 小时"),
		365 * 24 * time.Hour:             T("365 d", "365 天"),
		59*time.Second + 999*time.Minute: T("16 h 39 min", "16 小时 39 分"),
	} {
		if got := Span(d); got != want {
			t.Errorf("%s: %v, want %v", d, got, want)
		}
	}
}
