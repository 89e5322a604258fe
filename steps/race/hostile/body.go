package hostile

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// cutShort ends the index half-way, as if that were all.
func cutShort(w http.ResponseWriter, r *http.Request, good http.Handler) {
	if !index(r) {
		good.ServeHTTP(w, r)
		return
	}
	b := fetch(r, good)
	serve(w, r, b[:len(b)/2])
}

// breaksOff announces all of the index and closes the line half-way.
func breaksOff(w http.ResponseWriter, r *http.Request, good http.Handler) {
	if !index(r) {
		good.ServeHTTP(w, r)
		return
	}
	b := fetch(r, good)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b[:len(b)/2]) //nolint:errcheck // the line is closed next
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// hang sends headers and then nothing.
func hang(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	w.Header().Set("Content-Length", "4096")
	if http.NewResponseController(w).Flush() == nil {
		<-r.Context().Done()
	}
}

// endless sends the index and then blanks for ever.
func endless(w http.ResponseWriter, r *http.Request, good http.Handler) {
	if !index(r) {
		good.ServeHTTP(w, r)
		return
	}
	more := bytes.Repeat([]byte(" "), 32<<10)
	for b := fetch(r, good); ; b = more {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

// bomb has package lists that unpack to a quarter of a gigabyte of blanks.
func bomb(w http.ResponseWriter, r *http.Request, good http.Handler) {
	base := path.Base(r.URL.Path)
	switch {
	case strings.Contains(base, "primary.xml") || strings.HasPrefix(base, "Packages"):
		serve(w, r, blanks())
	default:
		good.ServeHTTP(w, r)
	}
}

// blanks are 256 MiB of them in gzip; readers go by its magic number, not the name.
var blanks = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	some := bytes.Repeat([]byte(" "), 1<<20)
	for range 256 {
		z.Write(some) //nolint:errcheck // into memory
	}
	z.Close()
	return out.Bytes()
})
