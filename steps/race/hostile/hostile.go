// Package hostile turns a good repository into bad ones, as they are met: mirrors
// that are slow, stale, cut short, of another architecture, login pages with status
// 200, bombs. It is for tests and for training people, and is in no program that
// goes to a machine.
//
// A handler spoils what it finds on its way through, by the names it has in RPM and
// Debian repositories, and passes everything else on. It has none of the good
// repository's keys: what it rewrites keeps a signature that no longer holds, or (for
// "stale" of an RPM repository) loses it.
package hostile

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// spoil changes one answer. It writes it, and is given the good one.
type spoil func(w http.ResponseWriter, r *http.Request, good http.Handler)

// kinds are the ways to be bad.
var kinds = map[string]spoil{
	"slow":          slow,
	"stale":         stale,
	"not-found":     func(w http.ResponseWriter, r *http.Request, _ http.Handler) { http.NotFound(w, r) },
	"html":          page,
	"wrong-arch":    wrongArch,
	"no-release":    noRelease,
	"no-packages":   noPackages,
	"bad-signature": badSignature,
	"unknown-key":   unknownKey,
	"cut-short":     cutShort,
	"breaks-off":    breaksOff,
	"redirect-loop": redirectLoop,
	"hang":          hang,
	"endless":       endless,
	"bomb":          bomb,
	"unauthorized":  unauthorized,
	"forbidden": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		http.Error(w, "forbidden", http.StatusForbidden)
	},
	"error": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		http.Error(w, "bad gateway", http.StatusBadGateway)
	},
}

// Kinds are the names of the ways to be bad, sorted.
func Kinds() []string {
	var out []string
	for k := range kinds {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Handler serves good's repository in a bad way.
func Handler(kind string, good http.Handler) (http.Handler, error) {
	s, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("no kind of hostile mirror is called %q", kind)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s(w, r, good) }), nil
}

// index says whether a request is for the file that everything else hangs on.
func index(r *http.Request) bool {
	switch path.Base(r.URL.Path) {
	case "repomd.xml", "InRelease", "Release":
		return true
	}
	return false
}

func rpm(r *http.Request) bool { return strings.Contains(r.URL.Path, "/repodata/") }

// fetch is all of a good answer; nil where there is none.
func fetch(r *http.Request, good http.Handler) []byte {
	whole := r.Clone(r.Context())
	whole.Header.Del("Range")
	rec := httptest.NewRecorder()
	good.ServeHTTP(rec, whole)
	if rec.Code != http.StatusOK {
		return nil
	}
	return rec.Body.Bytes()
}

// serve answers with b, ranges and all.
func serve(w http.ResponseWriter, r *http.Request, b []byte) {
	if b == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// slow sends 2 KB a second.
func slow(w http.ResponseWriter, r *http.Request, good http.Handler) {
	b := fetch(r, good)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	for piece := range slices.Chunk(b, 512) {
		if _, err := w.Write(piece); err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-time.After(256 * time.Millisecond):
		case <-r.Context().Done():
			return
		}
	}
}

var (
	stamps = regexp.MustCompile(`<(revision|timestamp)>(\d+)`)
	dates  = regexp.MustCompile(`(?m)^Date: (.*)$`)
)

// stale is twelve days behind.
func stale(w http.ResponseWriter, r *http.Request, good http.Handler) {
	const behind = 12 * 24 * time.Hour
	switch {
	case strings.HasSuffix(r.URL.Path, "repomd.xml.asc"):
		http.NotFound(w, r)
	case index(r):
		b := stamps.ReplaceAllFunc(fetch(r, good), func(m []byte) []byte {
			name, value, _ := bytes.Cut(m, []byte(">"))
			t, _ := strconv.ParseInt(string(value), 10, 64)
			return fmt.Appendf(nil, "%s>%d", name, t-int64(behind/time.Second))
		})
		b = dates.ReplaceAllFunc(b, func(m []byte) []byte {
			t, err := time.Parse(time.RFC1123, strings.TrimSpace(strings.TrimPrefix(string(m), "Date: ")))
			if err != nil {
				return m
			}
			return []byte("Date: " + t.Add(-behind).Format(time.RFC1123))
		})
		serve(w, r, b)
	default:
		good.ServeHTTP(w, r)
	}
}

// page is the login page of a hotel's network, whatever is asked for.
func page(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form action=\"/login\"></form></body></html>\n")
}

var (
	archs  = regexp.MustCompile(`(?m)^Architectures:.*$`)
	suites = regexp.MustCompile(`(?m)^(Suite|Codename):.*$`)
)

// wrongArch has packages for SPARC only.
func wrongArch(w http.ResponseWriter, r *http.Request, good http.Handler) {
	switch {
	case index(r) && !rpm(r):
		serve(w, r, archs.ReplaceAll(fetch(r, good), []byte("Architectures: sparc64")))
	case strings.Contains(r.URL.Path, "primary.xml"):
		serve(w, r, []byte(`<?xml version="1.0"?><metadata packages="1"><package type="rpm"><name>glibc</name><arch>sparc64</arch>`+
			`<size package="9000000"/><location href="Packages/glibc.sparc64.rpm"/></package></metadata>`))
	default:
		good.ServeHTTP(w, r)
	}
}

// noRelease carries another release in this one's place, or (RPM) none.
func noRelease(w http.ResponseWriter, r *http.Request, good http.Handler) {
	switch {
	case index(r) && !rpm(r):
		serve(w, r, suites.ReplaceAll(fetch(r, good), []byte("$1: another")))
	case rpm(r):
		http.NotFound(w, r)
	default:
		good.ServeHTTP(w, r)
	}
}

// noPackages has the index and the lists, and has not synchronised the packages.
func noPackages(w http.ResponseWriter, r *http.Request, good http.Handler) {
	if e := path.Ext(r.URL.Path); e == ".rpm" || e == ".deb" {
		http.NotFound(w, r)
		return
	}
	good.ServeHTTP(w, r)
}

// redirectLoop sends from one path to another and back.
func redirectLoop(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	w.Header().Set("Location", "?"+map[string]string{"": "a", "a": "b", "b": "a"}[r.URL.RawQuery]) // holds below any prefix
	w.WriteHeader(http.StatusFound)
}

func unauthorized(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("WWW-Authenticate", `Basic realm="packages"`)
	http.Error(w, "unauthorized", http.StatusUnauthorized)
}
