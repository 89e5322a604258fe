package race

import (
	"slices"
	"time"
)

// reading is how a body came in: how much had come by when.
type reading struct {
	at    []time.Duration // since the request
	bytes []int64         // so far
	of    int64           // the file's size as the server tells it; 0: not told
}

func (r *reading) add(at time.Duration, n int64) {
	if k := len(r.at); k > 0 && r.at[k-1] == at { // one clock tick
		r.bytes[k-1] = n
		return
	}
	r.at, r.bytes = append(r.at, at), append(r.bytes, n)
}

func (r *reading) total() int64 {
	if len(r.bytes) == 0 {
		return 0
	}
	return r.bytes[len(r.bytes)-1]
}

// span is from the first to the last byte: the handshake is not in it.
func (r *reading) span() time.Duration {
	if len(r.at) < 2 {
		return 0
	}
	return r.at[len(r.at)-1] - r.at[0]
}

// mean is the rate between the first and the last byte.
func (r *reading) mean() float64 {
	if s := r.span(); s > 0 {
		return float64(r.total()-r.bytes[0]) / s.Seconds()
	}
	return 0
}

const windows = 12

// median is the median of the rates of windows of equal time, none shorter than a
// round trip: shorter ones see the bursts a sender is allowed and not its rate. The
// first quarter, where TCP feels its way, does not count. Too short for three
// windows: the mean.
func (r *reading) median(roundTrip time.Duration) float64 {
	if len(r.at) < 2 {
		return 0
	}
	from := r.at[0] + r.span()/4
	whole := r.at[len(r.at)-1] - from
	n := windows
	if roundTrip > 0 {
		n = min(n, int(whole/roundTrip))
	}
	if n < 3 {
		return r.mean()
	}
	rates := make([]float64, n)
	step := whole / time.Duration(n)
	for i := range n {
		a := from + time.Duration(i)*step
		rates[i] = (r.by(a+step) - r.by(a)) / step.Seconds()
	}
	return middle(rates)
}

// peak is the median of the rates of pieces of equal size: half of the bytes came at
// least that quickly. It flatters whoever is far away, which is right for deciding
// who may go on.
func (r *reading) peak() float64 {
	if len(r.at) < 2 {
		return 0
	}
	var rates []float64
	piece := max(1, (r.total()-r.bytes[0])/windows)
	start := 0
	for i := 1; i < len(r.at); i++ {
		if n := r.bytes[i] - r.bytes[start]; n >= piece {
			rates = append(rates, float64(n)/(r.at[i]-r.at[start]).Seconds())
			start = i
		}
	}
	if len(rates) < 3 {
		return r.mean()
	}
	return max(middle(rates), r.mean())
}

// by is how many bytes had come at a time, between the readings in proportion.
func (r *reading) by(at time.Duration) float64 {
	i, ok := slices.BinarySearch(r.at, at)
	switch {
	case ok:
		return float64(r.bytes[i])
	case i == 0:
		return float64(r.bytes[0])
	case i == len(r.at):
		return float64(r.total())
	}
	part := float64(at-r.at[i-1]) / float64(r.at[i]-r.at[i-1])
	return float64(r.bytes[i-1]) + part*float64(r.bytes[i]-r.bytes[i-1])
}

func middle(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
