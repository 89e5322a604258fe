package race

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"goxin/steps/fetch"
	"goxin/steps/verify"
)

// maxIndex is more than any index has: repomd.xml some 10 KB, InRelease up to 300 KB.
const maxIndex = 1 << 20

// scout reads the index, judges it, and looks into its package list.
func (n *runner) scout(ctx context.Context) {
	idx, err := n.index(ctx)
	if err == nil && !idx.expires.IsZero() && n.race.m.Now().After(idx.expires) {
		err = flawed(Expired, "Valid-Until: "+idx.expires.String())
	}
	if err != nil {
		n.lose(err)
		return
	}
	found, err := n.list(ctx, idx, listBytes)
	if err == nil && found.wrong() {
		err = flawed(WrongArch, "")
	}
	if err != nil {
		n.lose(err)
		return
	}
	n.race.set(n, func(n *runner) { n.idx, n.found, n.sound = idx, found, true })
}

// index gets the main target's index and its signature.
func (n *runner) index(ctx context.Context) (*index, error) {
	if n.base == "" {
		return nil, flawed(NotCarried, "")
	}
	read := n.release
	if n.target.Format == "rpm" {
		read = n.repomd
	}
	idx, ev, err := read(ctx)
	if idx == nil || err != nil && !n.tolerable(err) {
		return nil, signatureFlaw(err)
	}
	n.race.set(n, func(n *runner) {
		n.res.Published = idx.published
		n.res.Serves[n.race.main] = true
		n.res.Signed = signer(ev)
	})
	return idx, nil
}

// tolerable says whether an index will do although its signature says err: without
// keys nothing is judged, and an RPM repository without signature has packages that
// are signed each.
func (n *runner) tolerable(err error) bool {
	var unknown *verify.UnknownKeyError
	none := errors.Is(err, verify.ErrNoSignature)
	return none && n.target.Format == "rpm" || !n.judged && (none || errors.As(err, &unknown))
}

// signatureFlaw gives the errors of package verify their reasons.
func signatureFlaw(err error) error {
	var bad *verify.BadSignatureError
	var unknown *verify.UnknownKeyError
	var future *verify.FutureError
	var malformed *verify.MalformedError
	switch {
	case errors.As(err, &bad):
		return flawed(BadSignature, err.Error())
	case errors.As(err, &unknown):
		return flawed(UnknownKey, unknown.Key)
	case errors.As(err, &future):
		return flawed(Clock, err.Error())
	case errors.As(err, &malformed):
		return flawed(BadSignature, err.Error())
	case errors.Is(err, verify.ErrNoSignature):
		return flawed(Unsigned, "")
	}
	return err
}

func signer(ev []verify.Evidence) string {
	for _, e := range ev {
		if e.Verdict == verify.Good {
			return e.Key
		}
	}
	return ""
}

// first is whole, noting the time to the first byte.
func (n *runner) first(ctx context.Context, name string) ([]byte, error) {
	b, took, err := n.whole(ctx, name, maxIndex)
	if took > 0 {
		n.race.set(n, func(n *runner) { n.res.FirstByte = took })
	}
	return b, err
}

// repomd reads repomd.xml and, where it is served, its signature.
func (n *runner) repomd(ctx context.Context) (*index, []verify.Evidence, error) {
	b, err := n.first(ctx, "repodata/repomd.xml")
	if err != nil {
		return nil, nil, err
	}
	idx, err := readRepomd(b)
	if err != nil || !n.judged {
		return idx, nil, err
	}
	asc, _, err := n.whole(ctx, "repodata/repomd.xml.asc", verify.MaxSignature)
	if err != nil || !bytes.HasPrefix(asc, []byte("-----BEGIN PGP SIGNATURE")) {
		return idx, nil, nil // not served: the packages tell
	}
	ev, err := n.target.Keys.Detached(bytes.NewReader(b), asc, n.race.m.Now())
	return idx, ev, err
}

// release reads InRelease or, where there is none, Release and Release.gpg.
func (n *runner) release(ctx context.Context) (*index, []verify.Evidence, error) {
	dir := "dists/" + n.target.Suite + "/"
	if strings.HasSuffix(n.target.Suite, "/") {
		dir = strings.TrimPrefix(n.target.Suite, "./")
	}
	at := n.race.m.Now()
	b, err := n.first(ctx, dir+"InRelease")
	if err == nil {
		text, ev, err := n.target.Keys.Clearsigned(b, at)
		var malformed *verify.MalformedError
		switch {
		case errors.As(err, &malformed) && text == nil:
			return nil, nil, flawed(CutShort, err.Error())
		case text == nil:
			return nil, nil, flawed(NotIndex, "InRelease is not clearsigned")
		}
		idx, flaw := readRelease(text, n.target)
		if flaw != nil {
			return nil, nil, flaw
		}
		return idx, ev, err
	}
	var s *statusError
	if !errors.As(err, &s) || s.why() != NotFound {
		return nil, nil, err
	}
	if b, err = n.first(ctx, dir+"Release"); err != nil {
		return nil, nil, err
	}
	idx, err := readRelease(b, n.target)
	if err != nil {
		return nil, nil, err
	}
	sig, _, err := n.whole(ctx, dir+"Release.gpg", verify.MaxSignature)
	if errors.As(err, &s) {
		return idx, nil, verify.ErrNoSignature
	}
	if err != nil {
		return nil, nil, err
	}
	ev, err := n.target.Keys.Detached(bytes.NewReader(b), sig, at)
	return idx, ev, err
}

// list reads the beginning of the first package list that is served.
func (n *runner) list(ctx context.Context, idx *index, limit int64) (l listing, err error) {
	for i, name := range idx.lists {
		if i == 2 {
			break
		}
		if l, err = n.listing(ctx, name, limit); err == nil {
			return l, nil
		}
		var s *statusError
		if !errors.As(err, &s) {
			return l, err
		}
	}
	var s *statusError
	if errors.As(err, &s) && s.why() == NotFound {
		return l, flawed(NoPackages, idx.lists[0])
	}
	return l, err
}

func (n *runner) listing(ctx context.Context, name string, limit int64) (listing, error) {
	resp, err := n.get(ctx, name, 0, limit)
	if err != nil {
		return listing{}, err
	}
	defer resp.Body.Close()
	plain, err := unpack(resp.Body)
	if err != nil {
		return listing{}, listFlaw(err)
	}
	defer plain.Close()
	read := readPackages
	if n.target.Format == "rpm" {
		read = readPrimary
	}
	l, err := read(plain, n.target.Arch)
	return l, listFlaw(err)
}

func listFlaw(err error) error {
	var fetched *fetch.Error
	switch {
	case err == nil, errors.As(err, &fetched):
		return err
	case errors.Is(err, errBomb):
		return flawed(Bomb, err.Error())
	}
	return flawed(NotIndex, "package list: "+err.Error())
}

// html says whether an answer is a page for people.
func html(resp *fetch.Response, b []byte) bool {
	start := beginning(b)
	return htmlText(b) ||
		strings.HasPrefix(strings.ToLower(resp.Header.Get("Content-Type")), "text/html") && !strings.HasPrefix(start, "<?xml") && !strings.HasPrefix(start, "-----begin")
}

func beginning(b []byte) string {
	start := strings.ToLower(string(b[:min(len(b), 512)]))
	return strings.TrimSpace(strings.TrimPrefix(start, "\ufeff"))
}

// htmlText says whether b begins as an HTML page does.
func htmlText(b []byte) bool {
	start := beginning(b)
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

// others asks for the beginning of the other targets' indexes.
func (n *runner) others(ctx context.Context) {
	for i, url := range n.c.URLs {
		if i == n.race.main || url == "" {
			continue
		}
		name := "repodata/repomd.xml"
		if t := n.race.targets[i]; t.Format == "deb" {
			name = "dists/" + t.Suite + "/InRelease"
			if strings.HasSuffix(t.Suite, "/") {
				name = strings.TrimPrefix(t.Suite, "./") + "InRelease"
			}
		}
		if n.serves(ctx, url, name) || strings.HasSuffix(name, "/InRelease") && n.serves(ctx, url, strings.TrimSuffix(name, "InRelease")+"Release") {
			n.race.set(n, func(n *runner) { n.res.Serves[i] = true })
		}
	}
}

func (n *runner) serves(ctx context.Context, base, name string) bool {
	other := runner{race: n.race, m: n.m, client: n.client, base: base} // n itself is being changed meanwhile
	resp, err := other.get(ctx, name, 0, peekBytes)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	b := make([]byte, peekBytes)
	k, _ := io.ReadFull(resp.Body, b)
	b = b[:k]
	if strings.HasSuffix(name, ".xml") {
		return bytes.Contains(b, []byte("<repomd"))
	}
	return bytes.HasPrefix(b, []byte("-----BEGIN PGP SIGNED")) || bytes.Contains(b, []byte("\nCodename:")) || bytes.Contains(b, []byte("\nSuite:"))
}
