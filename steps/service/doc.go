// Package service is the step that turns a Go program into a service that stays up: the
// program in its place, an account of its own, an environment file, and a systemd unit
// whose sandbox is made for the systemd and the processor that are there. The unit is
// tried before anything is written, and afterwards every line of its sandbox is proved
// by an act that it forbids.
//
// It refuses to write lines that the systemd at hand would skip, to run a program built
// for another processor, and to call a service up that only restarts.
package service
