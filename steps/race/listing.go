package race

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

// pkg is a package that could be measured with.
type pkg struct {
	path string // below the target's URL
	arch string
	size int64 // bytes
	head int64 // rpm: where the header ends; 0: not told
}

// wantSize is a package good enough to stop looking; headers beyond maxHead do not
// come with a sample.
const (
	wantSize = 6 << 20
	minSize  = 64 << 10
	maxHead  = 192 << 10
)

// listing is what the beginning of a package list shows.
type listing struct {
	best    pkg // the largest of our architecture, or the first that is large enough
	ours    int // packages of our architecture
	neutral int // noarch, all
	others  int
}

func (l *listing) add(p pkg, arch string) (enough bool) {
	switch p.arch {
	case arch:
		l.ours++
	case "noarch", "all":
		l.neutral++
		return false
	default:
		l.others++
		return false
	}
	if p.size > l.best.size && p.head <= maxHead && sound(p.path) {
		l.best = p
	}
	return l.best.size >= wantSize
}

// wrong says that the list is of another architecture.
func (l listing) wrong() bool { return l.ours == 0 && l.neutral == 0 && l.others > 0 }

func (l listing) empty() bool { return l.ours+l.neutral+l.others == 0 }

// sound says whether a path from an index stays below it.
func sound(p string) bool {
	return p != "" && path.Clean("/"+p) == "/"+strings.TrimPrefix(p, "./") && !strings.ContainsAny(p, "\\\x00\r\n")
}

// readPrimary reads the beginning of createrepo's primary.xml; it may end anywhere.
func readPrimary(r io.Reader, arch string) (listing, error) {
	type entry struct {
		Arch string `xml:"arch"`
		Size struct {
			Package int64 `xml:"package,attr"`
		} `xml:"size"`
		Location struct {
			Href string `xml:"href,attr"`
		} `xml:"location"`
		Format struct {
			Range struct {
				End int64 `xml:"end,attr"`
			} `xml:"header-range"`
		} `xml:"format"`
	}
	var l listing
	d := xml.NewDecoder(r)
	for first := true; ; {
		t, err := d.Token()
		if err != nil {
			return l, ending(err, l)
		}
		s, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if first && s.Name.Local != "metadata" {
			return l, errors.New("no package list")
		}
		first = false
		if s.Name.Local != "package" {
			continue
		}
		var e entry
		if err := d.DecodeElement(&e, &s); err != nil {
			return l, ending(err, l)
		}
		if l.add(pkg{path: e.Location.Href, arch: e.Arch, size: e.Size.Package, head: e.Format.Range.End}, arch) {
			return l, nil
		}
	}
}

// readPackages reads the beginning of a Packages file; it may end anywhere.
func readPackages(r io.Reader, arch string) (listing, error) {
	var l listing
	var p pkg
	s := bufio.NewScanner(r)
	s.Buffer(nil, 4*bombFloor) // so that a bomb of one line is told as a bomb
	for s.Scan() {
		line := s.Text()
		if line == "" {
			if p.arch != "" && l.add(p, arch) {
				return l, nil
			}
			p = pkg{}
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok && line[0] != ' ' && line[0] != '\t' && l.empty() && p == (pkg{}) {
			return l, errors.New("no package list")
		}
		switch value = strings.TrimSpace(value); key {
		case "Filename":
			p.path = strings.TrimPrefix(value, "./")
		case "Architecture":
			p.arch = value
		case "Size":
			p.size, _ = strconv.ParseInt(value, 10, 64)
		}
	}
	return l, ending(s.Err(), l)
}

// ending is the error of a list that broke off: none, if something was in it.
func ending(err error, l listing) error {
	if errors.Is(err, errBomb) || l.empty() && err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
