package mirror

import (
	"encoding/json"
	"io/fs"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/race"
	"goxin/steps/repo"
)

// survey is what the step looks up, by machine.
type survey map[machine.ID]*Seen

// Seen is one machine's sources and how the candidates did.
type Seen struct {
	Product string `json:"product,omitempty"` // "": not in the catalogue
	// Manager is "dnf" or "apt"; "" where neither is there.
	Manager string `json:"manager,omitempty"`
	// Ordered says that the package manager goes through several URLs in order, so
	// that fallbacks can be written.
	Ordered bool        `json:"ordered,omitempty"`
	Files   []Source    `json:"files,omitempty"`
	Repos   []Repo      `json:"repos,omitempty"`
	Sites   []Site      `json:"sites,omitempty"`
	Race    race.Report `json:"race,omitzero"`
	// Raced is whether the candidates were asked at all; a tree asks nobody.
	Raced bool `json:"raced,omitempty"`
	// Plain says that the machine trusts no certificate authority yet, so that
	// https:// is written as http://, and signatures alone vouch.
	Plain  bool     `json:"plain,omitempty"`
	Unread []Unread `json:"unread,omitempty"`
}

// Source is a file of package sources.
type Source struct {
	Name    string      `json:"name"`
	Content []byte      `json:"content"`
	Mode    fs.FileMode `json:"mode"`
}

// Repo is an enabled repository.
type Repo struct {
	File  int    `json:"file"`  // index into Files
	Entry int    `json:"entry"` // index into the file's entries
	ID    string `json:"id"`
	// Rest is its path below a site; "" where the repository is none of the
	// vendor's, so that it is left alone.
	Rest   string   `json:"rest,omitempty"`
	URLs   []string `json:"urls,omitempty"`   // as it has them now, of an apt mirror list those in the list
	Target int      `json:"target"`           // index into the race's targets; -1: none
	Why    string   `json:"why,omitempty"`    // why it is left alone: one of the reasons of notes.go
	Signed bool     `json:"signed,omitempty"` // its signatures are checked
}

// Site is a candidate: a prefix that replaces the vendor's.
type Site struct {
	ID     string    `json:"id"`
	Name   lang.Text `json:"name"`
	Prefix string    `json:"prefix,omitempty"` // "" for what each repository has now
	Plain  bool      `json:"plain,omitempty"`  // its https:// became http://: see Seen.Plain
}

// Unread is a file that is there and could not be read.
type Unread struct {
	File string    `json:"file"`
	Why  lang.Text `json:"why"`
}

// SeenOn decodes what was seen on one machine. A step planned without a survey
// knows nothing of it.
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

// parsed are the files, to be edited.
func (s *Seen) parsed() ([]*repo.File, error) {
	out := make([]*repo.File, len(s.Files))
	for i, f := range s.Files {
		p, err := repo.Parse(f.Name, f.Content)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

// site is the candidate with this ID.
func (s *Seen) site(id string) (Site, bool) {
	for _, c := range s.Sites {
		if c.ID == id {
			return c, true
		}
	}
	return Site{}, false
}

// result is how a candidate did.
func (s *Seen) result(id string) (race.Result, bool) {
	for _, r := range s.Race.Results {
		if r.ID == id {
			return r, true
		}
	}
	return race.Result{}, false
}

// vendors are the repositories that are the vendor's and can be moved.
func (s *Seen) vendors() []Repo {
	var out []Repo
	for _, r := range s.Repos {
		if r.Rest != "" && r.Target >= 0 {
			out = append(out, r)
		}
	}
	return out
}
