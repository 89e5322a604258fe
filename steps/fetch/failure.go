package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"

	"goxin/assets/lang"
)

// Failure is why there was no answer.
type Failure string

// The failures.
const (
	Dead        Failure = "dead"         // no route, no answer to connect
	Refused     Failure = "refused"      // the port is closed
	NoName      Failure = "no-name"      // the host name is not known
	TLS         Failure = "tls"          // the certificate or the handshake
	Clock       Failure = "clock"        // the certificate is not valid yet: a clock is wrong
	NoHeaders   Failure = "no-headers"   // connected, and then nothing in time
	NoBody      Failure = "no-body"      // headers, and then nothing in time
	Redirects   Failure = "redirects"    // a loop, too many, or from https to http
	OverBudget  Failure = "over-budget"  // ErrOverBudget
	Cancelled   Failure = "cancelled"    // the caller's context ended
	NotHTTP     Failure = "not-http"     // anything else that came back or broke off
	NotRunnable Failure = "not-runnable" // the URL cannot be asked for

	// Those of a Stream's sources.
	Status    Failure = "status"     // a status that is not the file: StatusError
	Page      Failure = "page"       // an HTML page instead of the file
	Stalled   Failure = "stalled"    // no byte for StreamOptions.Stall, or hardly any
	Shrunk    Failure = "shrunk"     // ended, or broke off, before its length
	Grown     Failure = "grown"      // went on behind its length
	WrongSize Failure = "wrong-size" // the whole has another size than asked for, or than elsewhere
	NoRange   Failure = "no-range"   // another range than the one asked for
	Changed   Failure = "changed"    // not the file that came so far
)

// Error is a failed Get.
type Error struct {
	Failure Failure
	Cause   error
}

func (e *Error) Error() string { return string(e.Failure) + ": " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Why is the failure of an error of Get or of reading a body.
func Why(err error) Failure {
	var e *Error
	if errors.As(err, &e) {
		return e.Failure
	}
	return why(err, stageBody)
}

// stage is how far a request came.
type stage int32

const (
	stageDial stage = iota
	stageTLS
	stageHeaders
	stageBody
)

var errStall = lang.Because(nil, "no first byte in time", "规定时间内没有收到首个字节")

var errRedirect = lang.Because(nil, "redirected", "被重定向")

// why is the failure that err is, after a request came as far as at.
func why(err error, at stage) Failure {
	var invalid x509.CertificateInvalidError
	var name *net.DNSError
	var unknown *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, ErrOverBudget):
		return OverBudget
	case errors.Is(err, errRedirect):
		return Redirects
	case errors.Is(err, errStall):
		return [...]Failure{Dead, TLS, NoHeaders, NoBody}[at]
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Cancelled
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && notYet(invalid):
		return Clock
	case errors.As(err, &unknown), errors.As(err, &record), errors.As(err, &alert):
		return TLS
	case errors.As(err, &name):
		return NoName
	case at == stageDial && strings.Contains(err.Error(), "connection refused"):
		return Refused // by its text: the error may come from another process
	case at == stageDial:
		return Dead
	case at == stageTLS:
		return TLS
	}
	return NotHTTP
}

// notYet tells a certificate that begins in the future from one that is over; x509
// has one reason for both, and says which in words only.
func notYet(e x509.CertificateInvalidError) bool {
	return strings.Contains(e.Detail, "is before "+e.Cert.NotBefore.Format(time.RFC3339))
}
