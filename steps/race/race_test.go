package race

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"goxin/assets/lang"
	"goxin/steps/verify"
)

// mirrors is a world of good ones, by name, at 5, 4, 3, … MB/s.
func mirrors(t testing.TB, w *world, repos map[string]http.Handler) (out []Candidate) {
	rate := 5e6
	for _, name := range sortedNames(repos) {
		w.serve(t, &host{name: name, rate: rate, roundTrip: 20 * time.Millisecond, jitter: 0.1}, repos[name])
		out = append(out, Candidate{ID: name, URLs: []string{"http://" + name + "/"}})
		rate -= 1e6
	}
	return out
}

func sortedNames(m map[string]http.Handler) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func race1(t testing.TB, w *world, target Target, candidates []Candidate) Report {
	t.Helper()
	report, err := Run(context.Background(), w, []Target{target}, candidates, Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func rpmTarget(k verify.Keyring) Target {
	return Target{ID: "os", Format: "rpm", Arch: "aarch64", Keys: k}
}

func debTarget(k verify.Keyring) Target {
	return Target{ID: "os", Format: "deb", Suite: "stable", Components: []string{"main"}, Arch: "arm64", Keys: k}
}

func TestWhoIsBehindByMoreThanADayLosesAndWhoIsNotDoesNot(t *testing.T) {
	for _, c := range []struct {
		behind time.Duration
		want   string
		text   string
	}{
		{0, "a", "5.0 MB/s"},
		{23 * time.Hour, "a", ""},
		{25 * time.Hour, "b", "behind by 1 day"},
		{12*24*time.Hour + time.Hour, "b", "behind by 12 days"},
	} {
		synctest.Test(t, func(t *testing.T) {
			now := bubble.Add(-time.Hour)
			w := &world{}
			r := race1(t, w, debTarget(ring(t, vendor())), mirrors(t, w, map[string]http.Handler{
				"a": debOf{suite: "stable", arch: "arm64", published: now.Add(-c.behind), keys: keys(vendor())}.build(),
				"b": debOf{suite: "stable", arch: "arm64", published: now, keys: keys(vendor())}.build(),
			}))
			if r.Results[0].ID != c.want {
				t.Errorf("%v behind: %s won", c.behind, r.Results[0].ID)
			}
			for _, got := range r.Results {
				if got.ID == "a" && c.want == "b" && (got.Text().EN != c.text || !got.Usable) {
					t.Errorf("%v behind: %q", c.behind, got.Text().EN)
				}
			}
		})
	}
}

func TestADateThatNobodySignedMakesNobodyElseStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		now := bubble.Add(-time.Hour)
		r := race1(t, w, rpmTarget(ring(t, vendor())), mirrors(t, w, map[string]http.Handler{
			"a": rpmOf{arch: "aarch64", published: now.AddDate(0, 0, -3), key: vendor()}.build(),
			"b": rpmOf{arch: "aarch64", published: now.AddDate(1, 0, 0), key: vendor()}.build(), // a liar, or its clock
		}))
		if r.Results[0].ID != "a" || r.Results[0].Behind != 0 {
			t.Errorf("%+v", r.Results)
		}
	})
}

func TestEveryFormOfRepositoryIsUnderstood(t *testing.T) {
	now, k := bubble.Add(-time.Hour), keys(vendor())
	for name, c := range map[string]struct {
		target Target
		repo   repository
	}{
		"primary in gzip":        {rpmTarget(ring(t, vendor())), rpmOf{arch: "aarch64", published: now, key: vendor()}.build()},
		"primary in zstd":        {rpmTarget(ring(t, vendor())), rpmOf{arch: "aarch64", published: now, key: vendor(), suffix: ".zst"}.build()},
		"primary in xz":          {rpmTarget(ring(t, vendor())), rpmOf{arch: "aarch64", published: now, key: vendor(), suffix: ".xz"}.build()},
		"Packages in xz":         {debTarget(ring(t, vendor())), debOf{suite: "stable", arch: "arm64", published: now, keys: k, suffix: ".xz"}.build()},
		"Release and a detached": {debTarget(ring(t, vendor())), debOf{suite: "stable", arch: "arm64", published: now, keys: k, detached: true}.build()},
		"two signatures":         {debTarget(ring(t, vendor())), debOf{suite: "stable", arch: "arm64", published: now, keys: keys(newKey("old"), vendor())}.build()},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{}
			r := race1(t, w, c.target, mirrors(t, w, map[string]http.Handler{"a": c.repo}))
			got := r.Results[0]
			if !got.Usable || got.Signed == "" || got.Rate < 4e6 || got.Rate > 6e6 || r.Package == "" || got.FirstByte != 40*time.Millisecond && got.FirstByte/time.Millisecond != 40 {
				t.Errorf("%s: %+v, package %q", name, got, r.Package)
			}
		})
	}
}

func TestWithoutKeysNothingIsJudgedAndAllIsUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		r := race1(t, w, debTarget(verify.Keyring{}), mirrors(t, w, map[string]http.Handler{
			"a": debOf{suite: "stable", arch: "arm64", published: bubble, keys: keys(vendor())}.build(),
		}))
		if got := r.Results[0]; !got.Usable || got.Signed != "" {
			t.Errorf("%+v", got)
		}
	})
}

func TestAPinnedFingerprintLeavesOtherKnownKeysOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		target := debTarget(ring(t, vendor()))
		target.Fingerprints = []string{"0000000000000000000000000000000000000000"}
		r := race1(t, w, target, mirrors(t, w, map[string]http.Handler{
			"a": debOf{suite: "stable", arch: "arm64", published: bubble, keys: keys(vendor())}.build(),
		}))
		if got := r.Results[0]; got.Why != UnknownKey {
			t.Errorf("%+v", got)
		}
	})
}

func TestAClockThatIsBehindIsSaidAndNotTakenForABadSignature(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{clock: -10 * 365 * 24 * time.Hour}
		r := race1(t, w, debTarget(ring(t, vendor())), mirrors(t, w, map[string]http.Handler{
			"a": debOf{suite: "stable", arch: "arm64", published: bubble, keys: keys(vendor())}.build(),
		}))
		if got := r.Results[0]; got.Why != Clock {
			t.Errorf("%+v", got)
		}
	})
}

func TestOtherRepositoriesAreAskedForToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		main := rpmOf{arch: "aarch64", published: bubble, key: vendor()}.build()
		mux := http.NewServeMux()
		mux.Handle("/os/", http.StripPrefix("/os", main))
		mux.Handle("/update/", http.StripPrefix("/update", main))
		w.serve(t, &host{name: "a", rate: 5e6, roundTrip: 20 * time.Millisecond}, mux)
		target := rpmTarget(ring(t, vendor()))
		other := target
		target.Main = true
		report, err := Run(context.Background(), w, []Target{other, target, other, other},
			[]Candidate{{ID: "a", URLs: []string{"http://a/update", "http://a/os", "http://a/missing", ""}}}, Limits{}, nil)
		if err != nil || !slices.Equal(report.Results[0].Serves, []bool{true, true, false, false}) {
			t.Errorf("%v, %v", report.Results[0].Serves, err)
		}
	})
}

// deaf is a connection that ignores everything, also that it is closed.
type deaf struct {
	net.Conn
	end chan struct{}
}

func (d deaf) Read([]byte) (int, error)         { <-d.end; return 0, net.ErrClosed }
func (d deaf) Write(b []byte) (int, error)      { <-d.end; return 0, net.ErrClosed }
func (d deaf) Close() error                     { return nil }
func (d deaf) SetDeadline(time.Time) error      { return nil }
func (d deaf) SetReadDeadline(time.Time) error  { return nil }
func (d deaf) SetWriteDeadline(time.Time) error { return nil }
func (d deaf) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (d deaf) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

func TestConnectionsAndDialsThatIgnoreEverythingDoNotHoldTheRaceUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		w := &world{hosts: map[string]*host{
			"deaf":  {dial: func(context.Context) (net.Conn, error) { return deaf{end: end}, nil }},
			"stuck": {dial: func(context.Context) (net.Conn, error) { <-end; return deaf{end: end}, nil }},
		}}
		start := time.Now()
		candidates := []Candidate{{ID: "deaf", URLs: []string{"http://deaf/"}}, {ID: "stuck", URLs: []string{"http://stuck/"}}}
		report := race1(t, w, rpmTarget(verify.Keyring{}), candidates)
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
		for _, r := range report.Results {
			if want := map[string]Reason{"deaf": Slow, "stuck": Dead}[r.ID]; r.Why != want {
				t.Errorf("%s: %q", r.ID, r.Why)
			}
		}
		close(end)
	})
}

func TestACancelledRaceEndsAtOnceAndLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		repo := rpmOf{arch: "aarch64", published: bubble, key: vendor()}.build()
		candidates := mirrors(t, w, map[string]http.Handler{"a": repo, "b": repo})
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		time.AfterFunc(300*time.Millisecond, cancel)
		report, err := Run(ctx, w, []Target{rpmTarget(verify.Keyring{})}, candidates, Limits{}, nil)
		if !errors.Is(err, context.Canceled) || len(report.Results) != 2 {
			t.Errorf("%v, %d results", err, len(report.Results))
		}
		if took := time.Since(start); took > 400*time.Millisecond {
			t.Errorf("it took %v more", took-300*time.Millisecond)
		}
	}) // synctest itself fails where a goroutine is left
}

func TestResultsAreSaidAsTheyComeAndAtMostTenTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		repo := rpmOf{arch: "aarch64", published: bubble, key: vendor()}.build()
		candidates := mirrors(t, w, map[string]http.Handler{"a": repo, "b": repo, "c": repo})
		var when []time.Time
		var last []Result
		report, err := Run(context.Background(), w, []Target{rpmTarget(verify.Keyring{})}, candidates, Limits{}, func(r []Result) {
			when, last = append(when, time.Now()), r
		})
		if err != nil || len(when) < 4 {
			t.Fatalf("said %d times, %v", len(when), err)
		}
		for i := 1; i < len(when)-1; i++ {
			if d := when[i].Sub(when[i-1]); d < 100*time.Millisecond {
				t.Errorf("again after %v", d)
			}
		}
		if last[0].ID != report.Results[0].ID || last[0].ID != "a" {
			t.Errorf("last said: %+v", last[0])
		}
	})
}

func TestABudgetThatIsTooSmallIsSaidAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		repo := rpmOf{arch: "aarch64", published: bubble, key: vendor()}.build()
		candidates := mirrors(t, w, map[string]http.Handler{"a": repo, "b": repo, "c": repo})
		report, err := Run(context.Background(), w, []Target{rpmTarget(verify.Keyring{})}, candidates, Limits{Bytes: 1000}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range report.Results {
			if r.Why != OverBudget {
				t.Errorf("%s: %q %s", r.ID, r.Why, r.Detail)
			}
		}
		if report.Bytes > 1000+1000 {
			t.Errorf("%d bytes", report.Bytes)
		}
	})
}

func TestEveryReasonHasAClauseInBothLanguages(t *testing.T) {
	for why := range clauses {
		r := Result{Why: why}
		if r.Text().EN == "" || r.Text().ZH == "" || r.Text().EN == r.Text().ZH {
			t.Errorf("%s: %q", why, r.Text())
		}
	}
	for _, c := range []struct {
		r      Result
		en, zh string
	}{
		{Result{}, "", ""},
		{Result{Usable: true, Rate: 12.3e6}, "12 MB/s", "12 MB/s"},
		{Result{Usable: true, Rate: 1.23e6, Why: Slow}, "slower: 1.2 MB/s", "较慢：1.2 MB/s"},
		{Result{Usable: true, Why: Stale, Behind: 12 * 24 * time.Hour}, "behind by 12 days", "落后 12 天"},
		{Result{Usable: true, Why: Stale, Behind: 30 * time.Hour}, "behind by 1 day", "落后 1 天"},
		{Result{Why: Unauthorized, Status: 401}, "401: wants a password", "401：需要用户名和密码"},
		{Result{Why: Unauthorized, Status: 401, Gated: true}, "401: the system is not activated", "401：系统未激活"},
		{Result{Why: Unauthorized, Status: 403}, "403: access is denied", "403：拒绝访问"},
		{Result{Why: NotFound, Status: 404}, "404: does not carry this release", "404：没有该版本的软件源"},
		{Result{Why: Status, Status: 502}, "answers with HTTP status 502", "返回 HTTP 状态码 502"},
	} {
		if got := c.r.Text(); got != lang.T(c.en, c.zh) {
			t.Errorf("%+v: %q", c.r, got)
		}
	}
}
