// Package measure finds out whether a setting makes a difference to Go programs on
// this machine: it compiles a small load with the Go that is there, runs it with the
// setting and without, in alternating blocks, and says whether the difference is
// outside the noise. It works in a throw-away directory and changes no setting of the
// machine; it refuses to call a difference real that chance makes as easily.
package measure
