package measure

import (
	"math"
	"math/rand/v2"
	"testing"
)

// noisy makes n blocks of runs around 100 ms with the given noise (standard deviation
// of the logarithm), a drift over the whole, and an effect on the runs with the setting.
func noisy(r *rand.Rand, n int, noise, drift, effect float64, heavy bool) []Block {
	at := 0.0
	run := func(factor float64) float64 {
		e := r.NormFloat64() * noise
		if heavy && r.IntN(10) == 0 { // another program woke up
			e += r.Float64()
		}
		at++
		return 100 * factor * math.Exp(e+drift*at/float64(4*n))
	}
	out := make([]Block, n)
	for i := range out {
		a1, b1, b2, a2 := run(1), run(effect), run(effect), run(1)
		out[i] = Block{A: [2]float64{a1, a2}, B: [2]float64{b1, b2}}
	}
	return out
}

// share is how many of the trials call a difference real.
func share(trials int, together int, draw func(*rand.Rand) []Block) float64 {
	r, found := rand.New(rand.NewPCG(7, 11)), 0
	for range trials {
		if Compare(draw(r), together).Real {
			found++
		}
	}
	return float64(found) / float64(trials)
}

func TestNoEffectIsReportedAsNone(t *testing.T) {
	for name, draw := range map[string]func(*rand.Rand) []Block{
		"quiet":              func(r *rand.Rand) []Block { return noisy(r, Blocks, 0.03, 0, 1, false) },
		"loud":               func(r *rand.Rand) []Block { return noisy(r, Blocks, 0.3, 0, 1, false) },
		"a CPU that warms":   func(r *rand.Rand) []Block { return noisy(r, Blocks, 0.03, 0.5, 1, false) },
		"others wake up":     func(r *rand.Rand) []Block { return noisy(r, Blocks, 0.03, 0, 1, true) },
		"twenty blocks":      func(r *rand.Rand) []Block { return noisy(r, 20, 0.03, 0, 1, false) },
		"too few blocks":     func(r *rand.Rand) []Block { return noisy(r, 3, 0.03, 0, 1, false) },
		"nothing but ties":   func(*rand.Rand) []Block { return noisy(rand.New(rand.NewPCG(1, 1)), Blocks, 0, 0, 1, false) },
		"drift and no noise": func(*rand.Rand) []Block { return noisy(rand.New(rand.NewPCG(1, 1)), Blocks, 0, 0, 1, false) },
	} {
		if got := share(2000, 1, draw); got > 0.05 {
			t.Errorf("%s: a difference in %.1f %% of the trials", name, 100*got)
		}
	}
}

func TestNoEffectOnAnyOfThreeMeasuresIsReportedAsNone(t *testing.T) {
	r, found := rand.New(rand.NewPCG(3, 5)), 0
	const trials = 2000
	for range trials {
		wrong := false
		for range 3 {
			wrong = wrong || Compare(noisy(r, Blocks, 0.03, 0.1, 1, false), 3).Real
		}
		if wrong {
			found++
		}
	}
	if found > trials/20 {
		t.Errorf("a difference in %d of %d trials", found, trials)
	}
}

func TestTenPercentAreFoundInThreePercentNoise(t *testing.T) {
	for name, draw := range map[string]func(*rand.Rand) []Block{
		"slower":                 func(r *rand.Rand) []Block { return noisy(r, Blocks, 0.03, 0, 1.1, false) },
		"faster":                 func(r *rand.Rand) []Block { return noisy(r, Blocks, 0.03, 0, 1/1.1, false) },
		"while the CPU warms":    func(r *rand.Rand) []Block { return noisy(r, Blocks, 0.03, 0.5, 1.1, false) },
		"exactly, with no noise": func(r *rand.Rand) []Block { return noisy(r, Blocks, 0, 0, 1.1, false) },
	} {
		for _, together := range []int{1, 3} {
			if got := share(1000, together, draw); got < 0.99 {
				t.Errorf("%s, %d together: found in only %.1f %% of the trials", name, together, 100*got)
			}
		}
	}
}

// With other programs waking up the interval, not only the verdict, has to hold.
func TestTheIntervalEnclosesTheEffect(t *testing.T) {
	r, outside := rand.New(rand.NewPCG(13, 17)), 0
	const trials, effect = 2000, 1.07
	for range trials {
		e := Compare(noisy(r, 10, 0.05, 0.2, effect, true), 1)
		if effect < e.Low || effect > e.High {
			outside++
		}
		if e.Ratio < e.Low || e.Ratio > e.High {
			t.Fatalf("the ratio is outside its own interval: %+v", e)
		}
	}
	if outside > trials/20 {
		t.Errorf("outside in %d of %d trials", outside, trials)
	}
}

func TestTheVerdictIsTheTests(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 23))
	for range 2000 {
		e := Compare(noisy(r, Blocks, 0.03, 0, 1.02, false), 1)
		if e.Real != (e.P <= Alpha) {
			t.Fatalf("real: %t, p: %v, interval %v to %v", e.Real, e.P, e.Low, e.High)
		}
	}
}

// The figures are those of the published tables of the signed-rank test (n=8: 3,
// n=10: 8, n=20: 52 at 5 % two-sided).
func TestTheExactDistributionIsThePublishedOne(t *testing.T) {
	for n, want := range map[int]int{5: -1, 6: 0, 8: 3, 10: 8, 20: 52} {
		if got := critical(n, 0.05); got != want {
			t.Errorf("n=%d: %d, want %d", n, got, want)
		}
	}
	if p := signedRank([]float64{1, 2, 3, 4, 5, 6, 7, 8}); p != 2.0/256 {
		t.Errorf("p of eight of one sign: %v", p)
	}
	if p := signedRank([]float64{-1, 2, 3, 4, 5, 6, 7, 8}); p != 4.0/256 {
		t.Errorf("p with the smallest on the other side: %v", p)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := Median(c.v); got != c.want {
			t.Errorf("%v: %v", c.v, got)
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("a median of nothing")
	}
}
