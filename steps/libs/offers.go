package libs

import (
	"context"
	"slices"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/stock"
)

// Offer is what can be done about one library.
type Offer struct {
	// Packages are those that have it, the one to install first; none where nobody
	// is known to.
	Packages []string `json:"packages"`
	// From is who said so: "lists", the package manager, or "table", goxin's own
	// knowledge where that could not be asked.
	From string `json:"from,omitempty"`
	// Installed is the version of the first package where it is installed, though
	// its library is not where the loader looks.
	Installed string `json:"installed,omitempty"`
}

// want is a library to be provided.
type want struct {
	Key     string   // what the offer is kept under
	Sonames []string // any one of them
	Table   []string // the packages it is known to be in
	Guess   []string // those it should be in by a rule: only lists make them true
}

// wantOf is a library that a program needs.
func wantOf(f *detect.Facts, soname string) want {
	family := f.OS.Family.Value
	w := want{Key: soname, Sonames: []string{soname}, Table: known(family, f.Libc.Version.Value, soname)}
	if family == "deb" && w.Table == nil {
		w.Guess = named(soname)
	}
	return w
}

// Offers tells which packages of m have what is needed: asked of the package
// manager where it runs, of a table elsewhere. The map's keys are the libraries;
// what no package could cure is not in it. lists is why the package manager's lists
// know nothing; empty where they do.
func Offers(ctx context.Context, m machine.Machine, f *detect.Facts, needs ...Need) (offers map[string]Offer, lists lang.Text, err error) {
	return offersOf(ctx, m, f, wantsOf(f, needs))
}

// RequiredOffers is Offers for requirements, by their names.
func RequiredOffers(ctx context.Context, m machine.Machine, f *detect.Facts, missing ...Requirement) (offers map[string]Offer, lists lang.Text, err error) {
	wants := make([]want, len(missing))
	for i, r := range missing {
		wants[i] = want{Key: r.Name, Sonames: r.Sonames, Table: r.Packages}
	}
	return offersOf(ctx, m, f, wants)
}

func offersOf(ctx context.Context, m machine.Machine, f *detect.Facts, wants []want) (map[string]Offer, lang.Text, error) {
	if len(wants) == 0 {
		return nil, lang.Text{}, nil
	}
	s, offers, err := offer(ctx, stock.Real(), m, f, wants, nil)
	if err != nil {
		return nil, lang.Text{}, err
	}
	return offers, s.Lists, nil
}

// offer asks for wants, and for further packages by name.
func offer(ctx context.Context, ask stock.Ask, m machine.Machine, f *detect.Facts, wants []want, further []string) (*stock.Seen, map[string]Offer, error) {
	names := slices.Clone(further)
	for _, w := range wants {
		names = slices.Concat(names, w.Table, w.Guess)
	}
	slices.Sort(names)
	s, err := ask.Look(ctx, m, f, slices.Compact(names)...)
	if err != nil {
		return nil, nil, err
	}
	offers := make(map[string]Offer, len(wants))
	var chosen []string
	empty := false
	for _, w := range wants {
		o := Offer{Packages: w.Table, From: "table"}
		if s.Asked && s.Lists.Empty() { // else nothing it says means anything
			if o, err = ofLists(ctx, ask, m, s, w, chosen); err != nil {
				return nil, nil, err
			}
			empty = empty || len(o.Packages) == 0
		}
		if len(o.Packages) == 0 {
			o.From = ""
		} else {
			chosen = append(chosen, o.Packages[0])
		}
		offers[w.Key] = o
	}
	if empty && s.Asked && s.Lists.Empty() {
		if err := ask.Doubt(ctx, m, s, nil); err != nil {
			return nil, nil, err
		}
	}
	return s, offers, nil
}

// ofLists is what the package manager says of w. A package that comes for another
// library anyway is taken before others.
func ofLists(ctx context.Context, ask stock.Ask, m machine.Machine, s *stock.Seen, w want, chosen []string) (Offer, error) {
	o := Offer{From: "lists"}
	for _, p := range slices.Concat(w.Table, w.Guess) {
		if s.Knows(p) {
			o.Packages = append(o.Packages, p)
		}
	}
	for i := 0; i < len(w.Sonames) && len(o.Packages) == 0; i++ {
		found, err := ask.Providers(ctx, m, s.Manager, w.Sonames[i])
		if err != nil {
			return o, ask.Doubt(ctx, m, s, err)
		}
		o.Packages = slices.Clone(found)
		if err := ask.Also(ctx, m, s, found...); err != nil {
			return o, err
		}
	}
	slices.SortStableFunc(o.Packages, func(a, b string) int {
		return rank(a, chosen, s) - rank(b, chosen, s)
	})
	if len(o.Packages) > 0 {
		o.Installed = s.Installed[o.Packages[0]]
	}
	return o, nil
}

// rank puts first what comes anyway, and last what is installed: its library
// should be there and is not.
func rank(p string, chosen []string, s *stock.Seen) int {
	switch {
	case slices.Contains(chosen, p):
		return 0
	case s.Has(p):
		return 2
	}
	return 1
}
