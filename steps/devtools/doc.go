// Package devtools is the step that installs what compiling takes: the
// distribution's group of development tools, git, a C compiler and make, with the
// headers of zlib. Afterwards a C program is compiled, linked and run.
//
// It refuses to upgrade what is installed, and to judge a tool by what it prints
// on its error stream: only its exit code counts.
package devtools
