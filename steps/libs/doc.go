// Package libs is the step that sees to shared libraries: those that every Go
// service host is to have, and those that given programs lack. ELF headers alone
// tell; no program is run. It asks the package manager which package has what is
// missing, and a table where that cannot answer.
//
// It refuses to plan what no package cures: a C library that is too old for a
// program, a program made for LoongArch's other ABI or for another processor.
// Those are said as what they are.
package libs
