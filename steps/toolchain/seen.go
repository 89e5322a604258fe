package toolchain

import (
	"encoding/json"
	"slices"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/race"
	"goxin/steps/verify"
)

// survey is what the step looks up, by machine.
type survey map[machine.ID]*Seen

// Seen is what is known of one machine's Gos and of those it could have.
type Seen struct {
	Arch      string      `json:"arch,omitempty"` // GOARCH; "" where Go has no port, or it is not known
	Installed []Installed `json:"installed,omitempty"`
	Others    []Other     `json:"others,omitempty"`
	Wanted    []Wanted    `json:"wanted,omitempty"`
	// Asked is whether there was a network to ask; a tree has none.
	Asked   bool      `json:"asked,omitempty"`
	LogKey  string    `json:"log_key,omitempty"` // of the checksum database, where it is another than Go's own
	Silent  lang.Text `json:"silent,omitzero"`   // why the list of releases could not be had, where it was asked for
	Known   []string  `json:"known,omitempty"`   // versions there are for this platform, as far as was seen
	Proxies []Proxy   `json:"proxies,omitempty"`
	// Secret is whether a GOPROXY of the environment was left out for the password in
	// it: what is surveyed is kept.
	Secret bool        `json:"secret,omitempty"`
	Sites  []Site      `json:"sites,omitempty"`
	Race   race.Report `json:"race,omitzero"`
	Free   uint64      `json:"free,omitempty"` // bytes where toolchains are put; 0 not known
	// Package is the distribution's package of Go, where its manager was asked.
	Package Package `json:"package,omitzero"`
}

// Installed is a toolchain that goxin put there.
type Installed struct {
	Dir     string `json:"dir"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	Current bool   `json:"current,omitempty"`
	Linked  bool   `json:"linked,omitempty"` // goroot.Bin has it under its version
	Built   bool   `json:"built,omitempty"`  // from its source
	// Exposed is what others than root can change, in it or on the way to it; the survey
	// looks.
	Exposed string `json:"exposed,omitempty"`
}

// Other is a Go that goxin did not put there.
type Other struct {
	Dir     string `json:"dir"`
	Version string `json:"version,omitempty"` // as its VERSION file says
	Arch    string `json:"arch,omitempty"`    // of its programs
	// Verdict is origin's: authentic, authentic-except, vendor, unproved; "" where it
	// could not be read.
	Verdict string `json:"verdict,omitempty"`
	Differs int    `json:"differs,omitempty"` // files that are not the release's
	Current bool   `json:"current,omitempty"`
	Exposed string `json:"exposed,omitempty"` // as Installed has it; only looked for where it matters
	// Distro says that it is where only a distribution's packages put it.
	Distro bool `json:"distro,omitempty"`
}

// Package is a package of a distribution.
type Package struct {
	Name      string `json:"name,omitempty"`
	Installed string `json:"installed,omitempty"` // its version; "": it is not
	Available string `json:"available,omitempty"`
}

// Proxy is a GOPROXY.
type Proxy struct {
	URL      string `json:"url"`
	Official bool   `json:"official,omitempty"` // of the Go project
}

// Site is where archives come from.
type Site struct {
	ID       string    `json:"id"`
	Name     lang.Text `json:"name"`
	Kind     string    `json:"kind"`
	URL      string    `json:"url"` // or a directory
	Official bool      `json:"official,omitempty"`
}

// Wanted is one toolchain that is to be there.
type Wanted struct {
	Asked   string `json:"asked"` // as it was written
	Version string `json:"version,omitempty"`
	// Dir is where it stands or will stand. Adopted: it is somebody else's.
	Dir     string `json:"dir,omitempty"`
	Adopted bool   `json:"adopted,omitempty"`
	There   bool   `json:"there,omitempty"`
	// Module is the toolchain whose archive or module it comes from.
	Module    verify.Toolchain  `json:"module,omitzero"`
	Format    string            `json:"format,omitempty"`  // of Sources
	Sources   []string          `json:"sources,omitempty"` // in the order to try
	Size      int64             `json:"size,omitempty"`    // bytes of the archive; 0 not known
	H1        string            `json:"h1,omitempty"`
	Proof     string            `json:"proof,omitempty"`
	SHA256    string            `json:"sha256,omitempty"` // of the tar.gz
	From      lang.Text         `json:"from,omitzero"`    // whom SHA256 is from
	Signature []byte            `json:"signature,omitempty"`
	Read      string            `json:"read,omitempty"`     // SHA-256 of a file that was judged: the one to install
	Evidence  []verify.Evidence `json:"evidence,omitempty"` // what H1 rests on, checked
	Build     *Build            `json:"build,omitempty"`
	Passed    string            `json:"passed,omitempty"` // a newer one that would have been meant, and that nothing proves
	Trouble   *Trouble          `json:"trouble,omitempty"`
}

// Build is how a toolchain is made from its source.
type Build struct {
	Bootstrap string `json:"bootstrap"` // GOROOT of the Go it is built with
	Version   string `json:"version"`
	Distro    bool   `json:"distro,omitempty"`  // it is a distribution's build: its packages vouch for it
	Verdict   string `json:"verdict,omitempty"` // origin's
	Overlay   int    `json:"overlay,omitempty"` // which of goxin's overlays goes into the source; 0: none
}

// what is the Go that builds, and what speaks for it, for the record.
func (b *Build) what() lang.Text {
	at := lang.F("%s in %s", "%[2]s 中的 %[1]s", b.Version, b.Bootstrap)
	switch {
	case b.Distro:
		return lang.F("%s, the distribution's own build", "%s（发行版自行编译）", at)
	case b.Verdict == authentic:
		return lang.F("%s, authentic by Go's transparency log", "%s（经 Go 透明日志验证）", at)
	}
	return lang.F("%s, by the record of its own installation", "%s（依据其自身的安装记录）", at)
}

// Trouble is why something cannot be had.
type Trouble struct {
	Text    lang.Text `json:"text"`
	Hint    lang.Text `json:"hint"`
	Refused bool      `json:"refused,omitempty"` // it is not proved, or proved to be something else
}

func (t *Trouble) err() error {
	var err error = &lang.Error{Text: t.Text, Hint: t.Hint}
	if t.Refused {
		err = engine.Refusal{Err: err}
	}
	return err
}

// trouble keeps an error for the plan.
func trouble(err *lang.Error) *Trouble {
	return &Trouble{
		Text: lang.T(lang.Message(err, lang.EN), lang.Message(err, lang.ZH)),
		Hint: lang.T(lang.Hint(err, lang.EN), lang.Hint(err, lang.ZH)),
	}
}

func (t *Trouble) refused() *Trouble { t.Refused = true; return t }

// SeenOn decodes what was seen on one machine. A step planned without a survey knows
// nothing of it.
func SeenOn(sv engine.Survey, id machine.ID) (*Seen, error) {
	var all survey
	if len(sv) > 0 {
		if err := json.Unmarshal(sv, &all); err != nil {
			return nil, engine.BadSurvey(err)
		}
	}
	if s := all[id]; s != nil {
		return s, nil
	}
	return &Seen{}, nil
}

// installed is the tree of a version that goxin put there, of the release or built.
func (s *Seen) installed(version string, built bool) (Installed, bool) {
	i := slices.IndexFunc(s.Installed, func(i Installed) bool { return i.Version == version && i.Arch == s.Arch && i.Built == built })
	if i < 0 {
		return Installed{}, false
	}
	return s.Installed[i], true
}

// current is the tree in use, which may be one that was adopted.
func (s *Seen) current() (Installed, bool) {
	for _, i := range s.Installed {
		if i.Current {
			return i, true
		}
	}
	for _, o := range s.Others {
		if o.Current {
			return Installed{Dir: o.Dir, Version: o.Version, Arch: o.Arch, Current: true}, true
		}
	}
	return Installed{}, false
}

// wanted is what a version that was asked for came to.
func (s *Seen) wanted(version string) (Wanted, bool) {
	i := slices.IndexFunc(s.Wanted, func(w Wanted) bool { return w.Version == version })
	if i < 0 {
		return Wanted{}, false
	}
	return s.Wanted[i], true
}
