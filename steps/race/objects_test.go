package race

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// archive is a file of a release's size, as far as a race reads it.
var archive = func() []byte {
	b := bytes.Repeat([]byte("go "), 8<<20/3)
	copy(b, MagicGzip)
	return b
}()

func serving(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "go.tar.gz", time.Time{}, bytes.NewReader(b))
	}
}

func object(id string) Object {
	return Object{ID: id, URL: "http://" + id + "/dl/go.tar.gz", Magic: MagicGzip, Size: int64(len(archive))}
}

func TestSourcesOfAFileComeOutInTheOrderOfTheirSpeed(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng, w := rand.New(rand.NewPCG(seed, 5)), &world{}
				var all []Object
				rate := 50e6
				for i := range 3 + rng.IntN(8) {
					id := fmt.Sprintf("source%02d", i)
					w.serve(t, &host{
						name: id, rate: rate, jitter: 0.3, rng: rand.New(rand.NewPCG(seed, uint64(i))),
						roundTrip: time.Duration(5+rng.IntN(150)) * time.Millisecond,
					}, serving(archive))
					all = append(all, object(id))
					rate /= 1.4 + rng.Float64()
				}
				best := all[0].ID
				rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				start := time.Now()
				report, err := Objects(context.Background(), w, all, Limits{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got := report.Results[0]; got.ID != best || got.Why != "" || !got.Usable {
					t.Errorf("%+v", report.Results)
				}
				for _, r := range report.Results[1:] {
					if r.Why != Slow || r.Text().EN == "" {
						t.Errorf("%s lost, and why? %q", r.ID, r.Why)
					}
				}
				if took := time.Since(start); took > 4*time.Second || report.Bytes > 12<<20 {
					t.Errorf("%v, %d bytes", took, report.Bytes)
				}
			})
		})
	}
}

func TestWhateverIsNotTheFileLosesAndIsToldWhy(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	zipped := bytes.Clone(archive)
	copy(zipped, MagicZip)
	for id, c := range map[string]struct {
		h   http.HandlerFunc
		why Reason
	}{
		"missing":   {status(404), NoFile},
		"gone":      {status(410), NoFile},
		"forbidden": {status(403), Unauthorized},
		"broken":    {status(502), Status},
		"login": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<!DOCTYPE html><html>Please log in"+strings.Repeat(" ", len(archive)))
		}, Page},
		"zip":    {serving(zipped), NotFile},
		"longer": {serving(append(bytes.Clone(archive), 'x')), WrongSize},
		"old":    {serving(archive[:1<<20]), WrongSize},
		"whole of another size": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(1<<20))
			w.Write(archive[:1<<20]) //nolint:errcheck // the client may be gone
		}, WrongSize},
		"empty": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }, BrokenOff},
		"ends": {func(w http.ResponseWriter, _ *http.Request) {
			http.NewResponseController(w).Flush() // no length is told
			w.Write(archive[:100_000])            //nolint:errcheck // the client may be gone
		}, BrokenOff},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
			w.Write(archive[:100_000]) //nolint:errcheck // the client may be gone
			panic(http.ErrAbortHandler)
		}, BrokenOff},
		"hangs": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Hangs},
		"two bytes": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
			w.Write(archive[:2]) //nolint:errcheck // the client may be gone
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, Slow},
		"loop":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, Redirects},
		"dead":    {nil, Dead},
		"refused": {nil, Refused},
		"no-name": {nil, NoName},
	} {
		t.Run(id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{}
				name := strings.ReplaceAll(id, " ", "-")
				w.serve(t, &host{name: "good", rate: 2e6, roundTrip: 30 * time.Millisecond, jitter: 0.1}, serving(archive))
				switch id {
				case "dead":
					w.hosts[name] = &host{dial: silent}
				case "refused":
					w.hosts[name] = &host{dial: refusing}
				case "no-name":
				default:
					w.serve(t, &host{name: name, rate: 90e6, roundTrip: 5 * time.Millisecond}, c.h)
				}
				report, err := Objects(context.Background(), w, []Object{object(name), object("good")}, Limits{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				got := report.Results[1]
				if report.Results[0].ID != "good" || got.Why != c.why || got.Usable {
					t.Errorf("%+v, want %s", report.Results, c.why)
				}
				if text := got.Text(); text.EN == "" || text.ZH == "" {
					t.Error("nothing is said")
				}
				if report.Took > 4*time.Second {
					t.Error(report.Took)
				}
			})
		})
	}
}

func TestARaceForAFileNeedsNeitherRangesNorSizesNorMagic(t *testing.T) {
	plain := func(w http.ResponseWriter, _ *http.Request) {
		w.Write(archive) //nolint:errcheck // the client leaves early
	}
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		w.serve(t, &host{name: "a", rate: 3e6, roundTrip: 20 * time.Millisecond}, http.HandlerFunc(plain))
		w.serve(t, &host{name: "b", rate: 9e6, roundTrip: 20 * time.Millisecond}, http.HandlerFunc(plain))
		var seen [][]Result
		report, err := Objects(context.Background(), w, []Object{{ID: "a", URL: "http://a/f"}, {ID: "b", URL: "http://b/f", Official: true}}, Limits{}, func(r []Result) { seen = append(seen, r) })
		if err != nil || report.Results[0].ID != "b" || report.Results[0].Rate < 8e6 || report.Results[0].Rate > 10e6 || report.Results[1].Why != Slow {
			t.Errorf("%+v, %v", report, err)
		}
		if len(seen) < 2 || !slices.EqualFunc(seen[len(seen)-1], report.Results, func(a, b Result) bool { return a.ID == b.ID && a.Why == b.Why }) {
			t.Errorf("%d times", len(seen))
		}
	})
}

func TestWhoIsQuickForTheFirstBytesOnlyIsFoundOut(t *testing.T) {
	bursts := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(&throttle{w, 400 << 10}, r, "go.tar.gz", time.Time{}, bytes.NewReader(archive))
	}
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		w.serve(t, &host{name: "bursts", rate: 90e6, roundTrip: 5 * time.Millisecond}, http.HandlerFunc(bursts))
		w.serve(t, &host{name: "steady", rate: 4e6, roundTrip: 50 * time.Millisecond}, serving(archive))
		report, err := Objects(context.Background(), w, []Object{object("bursts"), object("steady")}, Limits{}, nil)
		if err != nil || report.Results[0].ID != "steady" || report.Results[1].Rate > 2e6 {
			t.Errorf("%+v, %v", report.Results, err)
		}
	})
}

// throttle sends so much at once and the rest at a megabyte a second.
type throttle struct {
	http.ResponseWriter
	free int
}

func (l *throttle) Write(p []byte) (int, error) {
	if l.free -= len(p); l.free < 0 {
		time.Sleep(time.Duration(len(p)) * time.Microsecond) // virtual
	}
	return l.ResponseWriter.Write(p)
}

func TestACancelledRaceForAFileTellsWhatItKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{hosts: map[string]*host{"dead": {dial: silent}}}
		w.serve(t, &host{name: "good", rate: 9e6, roundTrip: 20 * time.Millisecond}, serving(archive))
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		report, err := Objects(ctx, w, []Object{object("dead"), object("good")}, Limits{}, nil)
		if err == nil || len(report.Results) != 2 || report.Results[0].ID != "good" || !report.Results[0].Usable {
			t.Errorf("%+v, %v", report, err)
		}
	})
	if _, err := Objects(context.Background(), &world{}, nil, Limits{}, nil); err == nil {
		t.Error("a race without sources")
	}
}
