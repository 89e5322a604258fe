// Timed tells the time on one address, over NTP (RFC 4330) and in the Date of an
// HTTP answer, whatever the clock of the machine it runs in says: it is started
// with the right time and goes on from there. It runs in a machine of the lab.
package main

import (
	"encoding/binary"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// epoch is 1900 in Unix time, where NTP's seconds begin.
const epoch = 2208988800

func main() {
	nanos, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	begin, right := time.Now(), time.Unix(0, nanos)
	now := func() time.Time { return right.Add(time.Since(begin)) } // by the monotonic clock
	udp, err := net.ListenPacket("udp", net.JoinHostPort(os.Args[1], "123"))
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(answer(udp, now)) }()
	log.Fatal(http.ListenAndServe(net.JoinHostPort(os.Args[1], "80"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", now().UTC().Format(http.TimeFormat))
	})))
}

func answer(c net.PacketConn, now func() time.Time) error {
	for {
		var q, r [48]byte
		n, from, err := c.ReadFrom(q[:])
		if err != nil {
			return err
		}
		if n < len(q) {
			continue
		}
		r[0], r[1], r[2], r[3] = q[0]&0x38|4, 1, q[2], 0xec // server, stratum 1, to a microsecond
		copy(r[12:], "LAB\x00")
		stamp(r[16:], now())
		copy(r[24:], q[40:48])
		stamp(r[32:], now())
		stamp(r[40:], now())
		if _, err := c.WriteTo(r[:], from); err != nil {
			return err
		}
	}
}

func stamp(b []byte, t time.Time) {
	binary.BigEndian.PutUint32(b, uint32(t.Unix()+epoch))
	binary.BigEndian.PutUint32(b[4:], uint32(uint64(t.Nanosecond())<<32/1e9))
}
