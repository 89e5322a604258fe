package race

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp"

	"goxin/steps/race/hostile"
)

func keys(k ...*openpgp.Entity) []*openpgp.Entity { return k }

// under serves h below a path.
func under(prefix string, h http.Handler) http.Handler { return http.StripPrefix(prefix, h) }

var errRefused = errors.New("dial tcp 192.0.2.1:80: connect: connection refused")

// silent is a host that does not answer to connect.
func silent(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func refusing(context.Context) (net.Conn, error) { return nil, errRefused }

// hostileSet has one good mirror, slower than all the bad ones, and what must be said
// of each of those.
type hostileSet struct {
	target Target
	good   repository
	other  map[string]repository // mirrors that no handler can make, for want of the vendor's key
	want   map[string]Reason
}

func common() map[string]Reason {
	return map[string]Reason{
		"slow": Slow, "stale": Stale, "not-found": NotFound, "html": HTML, "wrong-arch": WrongArch,
		"no-release": NoRelease, "no-packages": NoPackages, "bad-signature": BadSignature, "unknown-key": UnknownKey,
		"cut-short": CutShort, "breaks-off": CutShort, "redirect-loop": Redirects, "hang": Hangs, "endless": Endless,
		"bomb": Bomb, "unauthorized": Unauthorized, "forbidden": Unauthorized, "error": Status,
		"dead": Dead, "refused": Refused, "no-name": NoName,
	}
}

func sets(t *testing.T) map[string]hostileSet {
	now, old := bubble.Add(-time.Hour), bubble.AddDate(0, 0, -12)
	rpm := Target{ID: "os", Format: "rpm", Arch: "aarch64", Keys: ring(t, vendor())}
	deb := Target{ID: "os", Format: "deb", Suite: "stable", Components: []string{"main"}, Arch: "arm64", Keys: ring(t, vendor())}
	rpms, debs := common(), common()
	rpms["no-release"] = NotFound // an RPM repository has no name of its own
	headers := maps.Clone(rpms)
	headers["unsigned"], headers["unknown-key"], debs["expired"] = Unsigned, UnknownKey, Expired
	return map[string]hostileSet{
		"rpm with a signed index": {
			rpm,
			rpmOf{arch: "aarch64", published: now, key: vendor(), asc: vendor()}.build(),
			map[string]repository{"stale": rpmOf{arch: "aarch64", published: old, key: vendor(), asc: vendor()}.build()},
			rpms,
		},
		"rpm with signed packages": {
			rpm,
			rpmOf{arch: "aarch64", published: now, key: vendor()}.build(),
			map[string]repository{
				"stale":       rpmOf{arch: "aarch64", published: old, key: vendor()}.build(),
				"unknown-key": rpmOf{arch: "aarch64", published: now, key: newKey("stranger")}.build(),
				"unsigned":    rpmOf{arch: "aarch64", published: now}.build(),
			},
			headers,
		},
		"deb": {
			deb,
			debOf{suite: "stable", arch: "arm64", published: now, keys: keys(vendor())}.build(),
			map[string]repository{
				"stale":      debOf{suite: "stable", arch: "arm64", published: old, keys: keys(vendor())}.build(),
				"no-release": debOf{suite: "testing", arch: "arm64", published: now, keys: keys(vendor())}.build().moved("testing", "stable"),
				"expired":    debOf{suite: "stable", arch: "arm64", published: now, expires: now.Add(time.Minute), keys: keys(vendor())}.build(),
			},
			debs,
		},
	}
}

func TestNoneOfTheHostileMirrorsIsChosenAndEachIsToldWhy(t *testing.T) {
	for name, set := range sets(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{}
				var candidates []Candidate
				add := func(kind string, rate float64, h http.Handler) {
					if h != nil {
						w.serve(t, &host{name: kind, rate: rate, roundTrip: 20 * time.Millisecond, jitter: 0.2}, under("/repo", h))
					}
					candidates = append(candidates, Candidate{ID: kind, URLs: []string{"http://" + kind + "/repo/"}, Gated: kind == "forbidden"})
				}
				for _, kind := range slices.Sorted(maps.Keys(set.want)) {
					var h http.Handler
					switch kind {
					case "dead":
						w.hosts[kind] = &host{dial: silent}
					case "refused":
						w.hosts[kind] = &host{dial: refusing}
					case "no-name":
					default:
						if r, ok := set.other[kind]; ok {
							h = r
							break
						}
						var err error
						if h, err = hostile.Handler(kind, set.good); err != nil {
							t.Fatal(err)
						}
					}
					add(kind, 50e6, h)
				}
				add("good", 3e6, set.good)
				report, err := Run(context.Background(), w, []Target{set.target}, candidates, Limits{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if report.Results[0].ID != "good" || report.Results[0].Why != "" || report.Results[0].Signed == "" {
					t.Errorf("chosen: %+v", report.Results[0])
				}
				for _, r := range report.Results[1:] {
					if r.Why != set.want[r.ID] {
						t.Errorf("%s: %q (%s), want %q", r.ID, r.Why, r.Detail, set.want[r.ID])
					}
					if r.Usable != (r.Why == Stale || r.Why == Slow && r.Rate > 0) {
						t.Errorf("%s: usable is %v", r.ID, r.Usable)
					}
					if r.Text().EN == "" || r.Text().ZH == "" {
						t.Errorf("%s: nothing is said", r.ID)
					}
				}
				if report.Took > 6*time.Second || report.Bytes > 24<<20 {
					t.Errorf("%v and %d bytes", report.Took, report.Bytes)
				}
			})
		})
	}
}

func TestEveryKindOfHostileMirrorIsMet(t *testing.T) {
	for _, kind := range hostile.Kinds() {
		if _, ok := common()[kind]; !ok {
			t.Errorf("nobody meets a mirror of kind %s", kind)
		}
	}
	if _, err := hostile.Handler("friendly", nil); err == nil || !strings.Contains(err.Error(), "friendly") {
		t.Error(err)
	}
}
