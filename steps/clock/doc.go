// Package clock is the step "time". It comes first, since signatures and TLS
// certificates are judged by the clock: it holds the clock against the Date of
// package mirrors, sets one that is far off, has one time service ask the servers
// of the site, and waits until that service says that the clock is right.
//
// It refuses to let two services pull on one clock, to write the configuration of
// ntpd, and to touch the clock of a container, which is the host's.
package clock
