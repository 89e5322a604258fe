package hostile

import (
	"bytes"
	"crypto"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"goxin/steps/verify"
)

// badSignature changes a little of whatever is signed and leaves the signatures.
func badSignature(w http.ResponseWriter, r *http.Request, good http.Handler) {
	switch {
	case index(r) && rpm(r):
		serve(w, r, bytes.Replace(fetch(r, good), []byte("<repomd"), []byte("<!-- changed --><repomd"), 1))
	case index(r):
		serve(w, r, bytes.Replace(fetch(r, good), []byte("\nSHA256:"), []byte("\nChanged: yes\nSHA256:"), 1))
	case path.Ext(r.URL.Path) == ".rpm":
		b := fetch(r, good)
		if p, err := verify.ReadRPM(b); err == nil {
			b[p.HeaderEnd-1] ^= 1
		}
		serve(w, r, b)
	default:
		good.ServeHTTP(w, r)
	}
}

// stranger is somebody's key.
var stranger = sync.OnceValues(func() (*openpgp.Entity, error) {
	return openpgp.NewEntity("Stranger", "", "stranger@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256})
})

// unknownKey signs what is there anew, with a key of its own.
func unknownKey(w http.ResponseWriter, r *http.Request, good http.Handler) {
	who, err := stranger()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var out bytes.Buffer
	config := &packet.Config{DefaultHash: crypto.SHA256}
	switch path.Base(r.URL.Path) {
	case "InRelease":
		block, _ := clearsign.Decode(fetch(r, good))
		if block == nil {
			http.NotFound(w, r)
			return
		}
		var to interface {
			Write([]byte) (int, error)
			Close() error
		}
		if to, err = clearsign.Encode(&out, who.PrivateKey, config); err == nil {
			_, err = to.Write(block.Plaintext)
			to.Close()
		}
	case "repomd.xml.asc", "Release.gpg":
		signed := r.Clone(r.Context())
		signed.URL.Path = strings.TrimSuffix(strings.TrimSuffix(r.URL.Path, ".asc"), ".gpg")
		err = openpgp.ArmoredDetachSign(&out, who, bytes.NewReader(fetch(signed, good)), config)
	default:
		good.ServeHTTP(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	serve(w, r, out.Bytes())
}
