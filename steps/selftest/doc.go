// Package selftest tries a Go toolchain on the machine it is on: it has it compile a
// program that does on purpose what a runtime does behind every program's back (signals,
// faults that become panics, loops that are interrupted, profiles, programs that are
// started, sockets, files), runs that, and says what held.
//
// It says what was seen on this machine at this time, not that a toolchain is authentic:
// steps/origin does that. It leaves nothing behind, asks no network but the loopback,
// and changes no toolchain.
package selftest
