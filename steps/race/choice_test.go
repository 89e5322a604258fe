package race

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// field is a set of good mirrors with known rates: the true best is at least 1.3
// times as quick as the next, and so on down.
type field struct {
	rng        *rand.Rand
	target     Target
	candidates []Candidate
	hosts      []*host
	repo       repository
	best       string
}

func newField(t testing.TB, seed uint64) *field {
	f := &field{rng: rand.New(rand.NewPCG(seed, 7))}
	n := 8 + f.rng.IntN(5)
	const slowest, quickest = 200e3, 100e6
	least := slowest * math.Pow(1.3, float64(n-1))
	top := least * math.Pow(quickest/least, f.rng.Float64())
	widest := math.Pow(top/slowest, 1/float64(n-1))
	published := bubble.Add(-3 * time.Hour)
	if seed%2 == 0 {
		f.repo = rpmOf{arch: "aarch64", published: published, key: vendor()}.build()
		f.target = Target{ID: "os", Format: "rpm", Arch: "aarch64"}
	} else {
		f.repo = debOf{suite: "stable", arch: "arm64", published: published, keys: keys(vendor())}.build()
		f.target = Target{ID: "os", Format: "deb", Suite: "stable", Components: []string{"main"}, Arch: "arm64"}
	}
	if seed%3 != 0 {
		f.target.Keys = ring(t, vendor())
	}
	rate := top
	for i := range n {
		name := fmt.Sprintf("mirror%02d", i)
		f.hosts = append(f.hosts, &host{
			name: name, rate: rate, jitter: 0.3, rng: rand.New(rand.NewPCG(seed, uint64(i))),
			roundTrip: time.Duration(5+f.rng.IntN(246)) * time.Millisecond,
		})
		f.candidates = append(f.candidates, Candidate{ID: name, URLs: []string{"http://" + name + "/repo"}})
		rate /= 1.3 + f.rng.Float64()*(widest-1.3)
	}
	f.best = f.candidates[0].ID
	f.rng.Shuffle(n, func(i, j int) { f.candidates[i], f.candidates[j] = f.candidates[j], f.candidates[i] })
	return f
}

// run races in virtual time and tells what really went over the wire to the client.
func (f *field) run(t testing.TB) (report Report, took time.Duration, down int64) {
	w := &world{}
	for _, h := range f.hosts {
		w.serve(t, h, under("/repo", f.repo))
	}
	start := time.Now()
	report, err := Run(context.Background(), w, []Target{f.target}, f.candidates, Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range f.hosts {
		down += h.down
	}
	return report, time.Since(start), down
}

func TestTheQuickestMirrorIsFoundEveryTimeWithinSixSecondsAnd24MiB(t *testing.T) {
	var ours, theirs figures
	defer func() {
		t.Logf("goxin:               %s", &ours)
		t.Logf("one after another:   %s", &theirs)
	}()
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			f := newField(t, seed)
			synctest.Test(t, func(t *testing.T) {
				report, took, down := f.run(t)
				ours.add(took, down, report.Results[0].ID == f.best)
				theirs.add(f.oneAfterAnother())
				if got := report.Results[0]; got.ID != f.best || got.Why != "" || !got.Usable {
					t.Errorf("%s won (%+v), %s is quickest:", got.ID, got, f.best)
					for _, h := range f.hosts {
						t.Logf("%s %8.0f KB/s %v", h.name, h.rate/1e3, h.roundTrip)
					}
					for _, r := range report.Results {
						t.Logf("%s %v %8.0f KB/s (%8.0f) %q %s", r.ID, r.FirstByte, r.Rate/1e3, r.provisional/1e3, r.Why, r.Detail)
					}
				}
				if took > 6*time.Second || report.Took > took {
					t.Errorf("it took %v, and %v was told", took, report.Took)
				}
				if down > 24<<20 || report.Bytes > 24<<20 || report.Bytes < down {
					t.Errorf("%d bytes came, and %d were told", down, report.Bytes)
				}
			})
		})
	}
}

// oneAfterAnother is the published way of chsrc (src/framework/core.c): each mirror in
// turn sends a file too big to end, for eight seconds, and the most bytes win. It is
// computed from the lines rather than run: it would move a hundred gigabytes.
func (f *field) oneAfterAnother() (took time.Duration, bytes int64, right bool) {
	const each = 8 * time.Second
	best, most := "", 0.0
	for _, h := range f.hosts {
		got := h.rate * (each - 2*h.roundTrip).Seconds()
		took, bytes = took+each, bytes+int64(got)
		if got > most {
			best, most = h.name, got
		}
	}
	return took, bytes, best == f.best
}

// figures are those of many races.
type figures struct {
	took  []time.Duration
	bytes []int64
	right int
}

func (f *figures) add(took time.Duration, bytes int64, right bool) {
	f.took, f.bytes = append(f.took, took), append(f.bytes, bytes)
	if right {
		f.right++
	}
}

func (f *figures) String() string {
	slices.Sort(f.took)
	slices.Sort(f.bytes)
	n := len(f.took)
	mib := func(b int64) float64 { return float64(b) / (1 << 20) }
	return fmt.Sprintf("right %d of %d; time median %v, longest %v; MiB median %.1f, most %.1f", f.right, n,
		f.took[n/2].Round(10*time.Millisecond), f.took[n-1].Round(10*time.Millisecond), mib(f.bytes[n/2]), mib(f.bytes[n-1]))
}
