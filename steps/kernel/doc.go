// Package kernel is the step that tunes the kernel: a profile made of knobs,
// each with its reason, source, risk and bounds, and the limits on open files
// that go with it. It works out which lines of the machine's configuration
// would beat its own under systemd-sysctl and under procps, and names them.
//
// It refuses to lower what is set where a profile only means to raise, to set
// keys that make the kernel run programs or that cannot be taken back, and to
// edit files that belong to packages.
package kernel
