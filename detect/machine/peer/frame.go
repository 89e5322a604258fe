package peer

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// maxFrame bounds a frame's payload, in bytes; chunk is how much data one carries.
const (
	maxFrame = 1 << 20
	chunk    = 64 << 10
)

// kind is what a frame is.
type kind byte

// Frames of a line.
const (
	kindHello kind = 'H' // JSON of the handshake
	kindCarry kind = 'C' // how much was received (8 bytes, big endian), then bytes of the link
	kindOver  kind = 'X' // the link is over
)

// Frames of a call.
const (
	kindJSON kind = 'J' // a request, or what a call gives
	kindData kind = 'D' // bytes of a file, or of standard input
	kindLine kind = 'L' // one line of output, one name of a directory
	kindDone kind = 'Z' // that was all of the data
	kindEnd  kind = 'E' // the call is over: JSON of a fault, or nothing
)

// A frame is its kind, the payload's length in 4 bytes, big endian, and the payload.
func appendFrame(b []byte, k kind, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b = binary.BigEndian.AppendUint32(append(b, byte(k)), uint32(n))
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func writeFrame(w io.Writer, k kind, parts ...[]byte) error {
	b := appendFrame(nil, k, parts...)
	if len(b) > 5+maxFrame {
		return lang.Because(nil, "a message of %d bytes is too large", "消息过大（%d 字节）", len(b))
	}
	_, err := w.Write(b)
	return err
}

func writeJSON(w io.Writer, k kind, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, k, b)
}

// readFrame reads one frame. Its memory grows with what arrives, whatever length was
// announced.
func readFrame(r io.Reader) (kind, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, garbled(nil)
	}
	payload := make([]byte, min(n, chunk))
	at := 0
	for {
		k, err := io.ReadFull(r, payload[at:])
		if at += k; err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, nil, err
		}
		if at == int(n) {
			return kind(head[0]), payload, nil
		}
		payload = append(payload, make([]byte, min(int(n)-at, at))...)
	}
}

// readJSON reads a frame that must be of kind k.
func readJSON(r io.Reader, k kind, v any) error {
	got, b, err := readFrame(r)
	if err != nil {
		return err
	}
	if got != k {
		return garbled(nil)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return garbled(err)
	}
	return nil
}

// garbled says that the other end does not speak as it should.
func garbled(cause error) error {
	return lang.Because(cause, "the other end speaks out of turn", "对端的消息不合协议")
}

// data reads the bytes of data frames up to the one that says that was all.
type data struct {
	r    io.Reader
	rest []byte
	err  error
}

func (d *data) Read(p []byte) (int, error) {
	for len(d.rest) == 0 && d.err == nil {
		k, b, err := readFrame(d.r)
		switch {
		case errors.Is(err, io.EOF):
			d.err = io.ErrUnexpectedEOF
		case err != nil:
			d.err = err
		case k == kindData:
			d.rest = b
		case k == kindDone:
			d.err = io.EOF
		default:
			d.err = garbled(nil)
		}
	}
	if len(d.rest) == 0 {
		return 0, d.err
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// framed makes data frames of what r gives, and says at its end that it was all.
type framed struct {
	r    io.Reader
	stop func() // ends a Read of r that waits; nil: r is always there
	buf  []byte
	rest []byte
	over bool
}

func (f *framed) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		if f.over {
			return 0, io.EOF
		}
		if f.buf == nil {
			f.buf = make([]byte, chunk)
		}
		n, err := f.r.Read(f.buf)
		f.rest = nil
		if n > 0 {
			f.rest = appendFrame(nil, kindData, f.buf[:n])
		}
		switch {
		case err == io.EOF:
			f.over = true
			f.rest = appendFrame(f.rest, kindDone)
		case err != nil:
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// raw is a name, or what a link says.
type raw = machine.Bytes

// raws are the same of several.
func raws(s []string) []raw {
	out := make([]raw, len(s))
	for i := range s {
		out[i] = raw(s[i])
	}
	return out
}

func unraw(r []raw) []string {
	out := make([]string, len(r))
	for i := range r {
		out[i] = string(r[i])
	}
	return out
}
