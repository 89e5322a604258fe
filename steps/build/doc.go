// Package build is the step that says where programs are to be compiled: on the
// machine they run on, or here for it. For each target it decides by what the target
// can do and how often it is built, gives its reasons, and brings the C cross
// compiler where cgo is asked for. Afterwards a small program is built for each
// target, its ELF header compared with what it should be, and the program run: on
// this machine, or by an emulator that is here already.
//
// It refuses targets that are not Linux, for which nothing could be proved here, and
// C cross compilers that come without a C library.
package build
