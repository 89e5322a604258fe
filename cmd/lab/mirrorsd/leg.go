package main

import (
	"bytes"
	"log"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"

	"goxin/steps/race/hostile"
)

// leg is one mirror.
type leg struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Device  string `json:"device"`
	Root    string `json:"root"` // directory it serves, as / and as /openeuler
	Kind    string `json:"kind"` // one of hostile.Kinds; "" for a good one
}

// turns is the directory where a file of a leg's name turns it while it runs.
// It holds "index" or "packages": what is altered from then on, and after a
// blank "managers" if goxin itself goes on to see the good one.
const turns = "/run/mirrorsd/"

func (l leg) handler() (http.Handler, error) {
	files := http.FileServer(http.Dir(l.Root))
	good := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/openeuler")
		if l.turned(r) {
			w = altered{w}
		}
		files.ServeHTTP(w, r)
	})
	var h http.Handler = good
	if l.Kind != "" {
		var err error
		if h, err = hostile.Handler(l.Kind, good); err != nil {
			return nil, err
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s %s %s %s %q", l.Name, r.Method, r.URL.Path, r.Header.Get("Range"), r.UserAgent())
		h.ServeHTTP(w, r)
	}), nil
}

// turned reports whether what is asked for is to be altered.
func (l leg) turned(r *http.Request) bool {
	b, err := os.ReadFile(turns + l.Name)
	if err != nil {
		return false
	}
	what := strings.Fields(string(b))
	agent := r.UserAgent()
	if slices.Contains(what, "managers") && !strings.Contains(agent, "APT") && !strings.Contains(agent, "dnf") {
		return false
	}
	name := path.Base(r.URL.Path)
	isPackage := slices.ContainsFunc([]string{".deb", ".rpm", ".zip", ".tar.gz"}, func(end string) bool { return strings.HasSuffix(name, end) })
	isIndex := strings.HasPrefix(name, "Packages") || strings.Contains(name, "-primary.")
	return (isPackage && slices.Contains(what, "packages")) || (isIndex && slices.Contains(what, "index"))
}

// altered spoils a byte of every block, whatever the length.
type altered struct{ http.ResponseWriter }

func (a altered) Write(b []byte) (int, error) {
	spoilt := bytes.Clone(b)
	if len(b) > 0 {
		spoilt[len(b)/2] ^= 0x20
	}
	return a.ResponseWriter.Write(spoilt)
}
