package race

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// index is what a repository's index says, of either format.
type index struct {
	published time.Time // zero: not told
	expires   time.Time // deb: Valid-Until; zero: never
	lists     []string  // package lists below the target's URL, the one to read first
	names     []string  // deb: Suite and Codename
}

// flaw is an index that cannot be used.
type flaw struct {
	why    Reason
	detail string
}

func (f *flaw) Error() string { return string(f.why) + ": " + f.detail }

func flawed(why Reason, detail string) error { return &flaw{why, detail} }

// epoch is the smallest revision that is taken for a time: createrepo writes Unix
// time, and whoever gives a number of their own starts with small ones.
const epoch = 1e9

// readRepomd reads a repomd.xml (createrepo_c, src/repomd.c).
func readRepomd(b []byte) (*index, error) {
	type data struct {
		Type     string `xml:"type,attr"`
		Location struct {
			Href string `xml:"href,attr"`
		} `xml:"location"`
		Timestamp float64 `xml:"timestamp"`
	}
	var doc struct {
		XMLName  xml.Name `xml:"repomd"`
		Revision string   `xml:"revision"`
		Data     []data   `xml:"data"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		var syntax *xml.SyntaxError
		if errors.Is(err, io.EOF) || errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF") && bytes.Contains(b, []byte("<repomd")) {
			return nil, flawed(CutShort, err.Error())
		}
		return nil, flawed(NotIndex, err.Error())
	}
	idx := &index{}
	var newest int64
	for _, d := range doc.Data {
		newest = max(newest, int64(d.Timestamp))
		if d.Type == "primary" && sound(d.Location.Href) {
			idx.lists = append(idx.lists, d.Location.Href)
		}
	}
	if rev, err := strconv.ParseInt(strings.TrimSpace(doc.Revision), 10, 64); err == nil && rev >= epoch {
		newest = rev
	}
	if newest >= epoch {
		idx.published = time.Unix(newest, 0)
	}
	if len(idx.lists) == 0 {
		return nil, flawed(NotIndex, "repomd.xml lists no primary")
	}
	return idx, nil
}
