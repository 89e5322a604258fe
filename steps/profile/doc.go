// Package profile looks at one running service and writes down what it finds: what the
// process is and what holds it, its CPU and heap profiles where it serves them
// (net/http/pprof), and a summary of its system calls. It changes nothing; while system
// calls are counted the service is slower, for as long as was asked for.
//
// It refuses to record arguments and the environment, which hold secrets: of the
// variables only those of Go's runtime are read. What was not to be had is a finding too,
// with its reason.
package profile
