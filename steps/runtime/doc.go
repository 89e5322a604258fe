// Package runtime is the step that sets what Go programs run with on this machine: the
// garbage collector's pace and memory limit, the processors, huge pages, and the
// instructions a compiler here may use. The variables stand once in an environment file
// that services use; what is left to Go's own judgement is left out of it.
//
// It refuses to derive anything from a processor's name, to set GOMAXPROCS where Go reads
// the CPU quota itself, and to turn the collector off without a limit on the memory.
package runtime
