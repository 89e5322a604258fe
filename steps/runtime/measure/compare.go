package measure

import (
	"math"
	"slices"
)

// Alpha is the chance of calling noise a difference, over all the measures of one
// comparison together.
const Alpha = 0.05

// Block is the runs ABBA of one measure: without the setting, with it, with it,
// without it. What drifts slowly (a CPU that warms up) adds the same to both sides.
type Block struct{ A, B [2]float64 }

// Effect is what a setting does to one measure.
type Effect struct {
	Before float64 `json:"before"` // median of all runs without it
	After  float64 `json:"after"`  // median of all runs with it
	// Ratio is after to before, from the blocks' own ratios (Hodges-Lehmann); Low and
	// High enclose it with a confidence of 1-Alpha, shared among the measures that
	// were compared together.
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	P     float64 `json:"p"` // of the signed-rank test, two-sided, before sharing
	// Real says that the difference is outside the noise.
	Real bool `json:"real"`
}

// Compare judges the blocks of one measure, which must be positive and finite, that
// is one of `together` measures judged at once (Bonferroni). Fewer than 8 blocks can hardly show anything: the
// smallest p of n blocks is 2^(1-n).
//
// The test is Wilcoxon's signed-rank test on the blocks' log ratios, with the exact
// distribution: every block's sign is as likely the other one when the setting does
// nothing, whatever the noise looks like. The interval is the same test's, inverted:
// it excludes 1 exactly where the difference is real.
func Compare(blocks []Block, together int) Effect {
	var a, b, d []float64
	for _, x := range blocks {
		a, b = append(a, x.A[:]...), append(b, x.B[:]...)
		d = append(d, (math.Log(x.B[0])+math.Log(x.B[1])-math.Log(x.A[0])-math.Log(x.A[1]))/2)
	}
	walsh := make([]float64, 0, len(d)*(len(d)+1)/2)
	for i := range d {
		for j := i; j < len(d); j++ {
			walsh = append(walsh, (d[i]+d[j])/2)
		}
	}
	slices.Sort(walsh)
	e := Effect{Before: Median(a), After: Median(b), Ratio: math.Exp(Median(walsh)), P: signedRank(d)}
	k := critical(len(d), Alpha/float64(max(together, 1)))
	if k < 0 { // too few blocks for any interval
		e.Low, e.High = 0, math.MaxFloat64
		return e
	}
	e.Low, e.High = math.Exp(walsh[k]), math.Exp(walsh[len(walsh)-1-k])
	e.Real = e.Low > 1 || e.High < 1
	return e
}

// Median is the middle of v, NaN of none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// signedRank is the two-sided p of Wilcoxon's signed-rank test: how often the signs
// of d, were they thrown by a coin, give a rank sum as far from the middle. It counts
// over the Walsh averages above and below zero, which is the same sum; equal to zero
// counts for neither side, so that ties make the test more careful.
func signedRank(d []float64) float64 {
	var above, below int
	for i := range d {
		for j := i; j < len(d); j++ {
			switch s := d[i] + d[j]; {
			case s > 0:
				above++
			case s < 0:
				below++
			}
		}
	}
	most := len(d) * (len(d) + 1) / 2
	w := min(most-above, most-below)
	return min(1, 2*atMost(len(d))[w])
}

// atMost is the chance, by w, that the rank sum of n fair signs is at most w.
func atMost(n int) []float64 {
	most := n * (n + 1) / 2
	ways := make([]float64, most+1)
	ways[0] = 1
	for rank := 1; rank <= n; rank++ {
		for w := most; w >= rank; w-- {
			ways[w] += ways[w-rank]
		}
	}
	sum := 0.0
	for w := range ways {
		sum += ways[w]
		ways[w] = sum / math.Pow(2, float64(n))
	}
	return ways
}

// critical is the largest rank sum whose two-sided chance is at most alpha; -1: none.
func critical(n int, alpha float64) int {
	k := -1
	for w, p := range atMost(n) {
		if 2*p > alpha {
			break
		}
		k = w
	}
	return k
}
