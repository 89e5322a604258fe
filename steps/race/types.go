package race

import (
	"time"

	"goxin/assets/lang"
	"goxin/steps/verify"
)

// Fresh is how far behind the newest a mirror may be and still compete on speed:
// mirrors of mirrors synchronise once or twice a day.
const Fresh = 24 * time.Hour

// Target is one repository that every candidate is asked for.
type Target struct {
	ID           string
	Format       string   // "rpm", "deb"
	Suite        string   // deb; one that ends in "/" is a flat repository
	Components   []string // deb
	Arch         string   // as rpm or dpkg calls it: "aarch64", "arm64"
	Keys         verify.Keyring
	Fingerprints []string // of primary keys: of Keys only these count; none: all do
	Main         bool     // the one that is raced on; none: the first
}

// Candidate is a site that may carry the targets.
type Candidate struct {
	ID       string
	Name     lang.Text
	URLs     []string // one for each target, in order: rpm the directory above repodata, deb the one above dists; "" where it is not carried
	HTTP1    bool     // HTTP/2 is not tried
	Gated    bool     // 401 and 403 mean that the system is not activated
	Official bool     // the vendor's own
}

// Limits bound a race. Zero values are replaced by Defaults or
// ObjectDefaults.
type Limits struct {
	Time      time.Duration // all of it
	Bytes     int64         // on the wire, both ways, all of it
	FirstByte time.Duration // of any one request
	Best      int           // how many are in the final
}

// Defaults are the limits of a race that a person waits for.
func Defaults() Limits {
	return Limits{Time: 6 * time.Second, Bytes: 24 << 20, FirstByte: 1500 * time.Millisecond, Best: 4}
}

func (l Limits) orDefaults(d Limits) Limits {
	if l.Time <= 0 {
		l.Time = d.Time
	}
	if l.Bytes <= 0 {
		l.Bytes = d.Bytes
	}
	if l.FirstByte <= 0 || l.FirstByte > l.Time/2 {
		l.FirstByte = min(d.FirstByte, l.Time/4)
	}
	if l.Best <= 0 {
		l.Best = d.Best
	}
	return l
}

// Result is what is known of one candidate. Its JSON form is what `goxin mirrors
// --json` prints: durations in nanoseconds.
type Result struct {
	ID        string        `json:"id"`
	Usable    bool          `json:"usable"`                  // answers, carries, is signed where that can be judged; it may be stale
	Serves    []bool        `json:"serves"`                  // by target
	Published time.Time     `json:"published,omitzero"`      // of the index; zero: not told
	Behind    time.Duration `json:"behind_ns,omitempty"`     // the newest
	FirstByte time.Duration `json:"first_byte_ns,omitempty"` // from asking for the index to its first byte, connecting included; 0: not yet
	Rate      float64       `json:"rate,omitempty"`          // bytes a second; 0: not measured
	Signed    string        `json:"signed,omitempty"`        // by which primary key; "" where that was not judged
	Why       Reason        `json:"why,omitempty"`           // why it lost; "" of the best, and while nothing is known
	Status    int           `json:"status,omitempty"`        // of the HTTP answer that decided; 0: none
	Detail    string        `json:"detail,omitempty"`        // the cause in its own words; may be empty

	Gated       bool    `json:"gated,omitempty"` // the candidate was
	provisional float64 // rate of the sample
	sampled     bool    // long enough that no final is needed
}

// Report is a race's outcome.
type Report struct {
	Results []Result      `json:"results"`           // best first
	Package string        `json:"package,omitempty"` // the package that was measured with, below the main target's URL
	Took    time.Duration `json:"took_ns"`
	Bytes   int64         `json:"bytes"` // on the wire
}
