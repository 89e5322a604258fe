// Package fetch gets things over HTTP through a Machine's Dial: ranges, redirects,
// proxies of that machine's environment, and a budget that counts what really goes
// over the wire, TLS and headers included. It tells one failure from another
// (Failure) in a way that a reason can be given to a person.
//
// It refuses to keep anything, to decide what a good answer is (a status of 404 is
// an answer), to leave https for http, to follow more than five redirects, and to
// send credentials other than those a proxy's URL has.
package fetch
