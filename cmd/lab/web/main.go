// Command web is the service of the lab's machines: a small web server that tells systemd
// when it is up, says which machine answers, and has a health path that can be made to
// fail (POST /sick).
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

func main() {
	address := ":8080"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	host, _ := os.Hostname()
	var sick atomic.Bool
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello from", host) })
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if sick.Load() {
			http.Error(w, "sick", http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("POST /sick", func(http.ResponseWriter, *http.Request) { sick.Store(true) })
	l, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", address)
	if path := os.Getenv("NOTIFY_SOCKET"); path != "" {
		if path[0] == '@' { // an abstract one, unix(7)
			path = "\x00" + path[1:]
		}
		c, err := net.Dial("unixgram", path)
		if err != nil {
			log.Fatal(err)
		}
		_, _ = c.Write([]byte("READY=1"))
		c.Close()
	}
	log.Fatal(http.Serve(l, nil))
}
