package detect

import (
	"context"
	"errors"
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Detect learns what m is. It changes nothing and runs no program, except
// KYSEC's own getstatus where KYSEC is there (nothing else tells its mode). A
// fact that cannot be learnt is not Known and says why; the only error of
// Detect itself is that of a ctx that is done.
func Detect(ctx context.Context, m machine.Machine) (*Facts, error) {
	h := &host{ctx: ctx, m: m}
	k, err := m.Kernel()
	h.kernel, h.running, h.why = k, err == nil, lang.T("not a running machine", "并非运行中的机器")
	if err != nil && !errors.Is(err, machine.ErrNotRunning) {
		h.why = told(err)
	}
	f := &Facts{Running: h.running, Network: []Interface{}, Disks: []Disk{}, Warnings: []string{}}
	// In order: later probes use what earlier ones learnt.
	for _, probe := range []func(*host, *Facts){
		probeHostname, probeArch, probeVirt, probeCPU, probeMemory, probeCGroup,
		probePackages, probeOS, probeKernel, probeLibc, probeInit, probeSecurity,
		probeNetwork, probeClock, probeUser, probeDisks, probeTuners,
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		probe(h, f)
	}
	f.Warnings = warnings(f)
	return f, ctx.Err()
}

// host is a machine as the probes read it, with what system calls told of it.
type host struct {
	ctx     context.Context
	m       machine.Machine
	kernel  machine.Kernel
	running bool
	why     lang.Text // why kernel is empty, where it is

	mounts    []mount // parsed once, by mountTable
	mountsErr error
	cpus      cpuinfo // parsed once, by probeCPU
}

func (h *host) read(name string) (string, error) {
	b, err := h.m.ReadFile(name)
	if err != nil {
		return "", &lang.Error{Text: lang.Same(name), Cause: cause(err)}
	}
	return string(b), nil
}

// line is the first line of a small file, trimmed; "" where there is none.
func (h *host) line(name string) string {
	s, err := h.read(name)
	if err != nil {
		return ""
	}
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}

func (h *host) exists(name string) bool {
	_, err := h.m.Stat(name)
	return err == nil
}

// first is the first of names that is there.
func (h *host) first(names ...string) string {
	for _, n := range names {
		if h.exists(n) {
			return n
		}
	}
	return ""
}

func (h *host) list(dir string) []string {
	names, err := h.m.ReadDir(dir)
	if err != nil {
		return nil
	}
	return names
}

// cause strips the operation and path that file errors repeat.
func cause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

func probeHostname(h *host, f *Facts) {
	switch {
	case h.running && h.kernel.Hostname != "":
		f.Hostname = known(h.kernel.Hostname, "uname -n")
	case h.line("/etc/hostname") != "":
		f.Hostname = known(h.line("/etc/hostname"), "/etc/hostname")
	default:
		f.Hostname = unknown[string](absent("/etc/hostname"))
	}
}

// triplets are the directories under /usr/lib where Debian's family keeps the
// libraries of an instruction set (multiarch).
func triplets(goarch string) []string {
	switch goarch {
	case "amd64":
		return []string{"x86_64-linux-gnu"}
	case "arm64":
		return []string{"aarch64-linux-gnu"}
	case "mips64le":
		return []string{"mips64el-linux-gnuabi64"}
	case "loong64":
		return []string{"loongarch64-linux-gnu"}
	case "riscv64":
		return []string{"riscv64-linux-gnu"}
	case "ppc64le":
		return []string{"powerpc64le-linux-gnu"}
	}
	return nil
}

// libDirs are where a library may be, most likely first.
func libDirs(goarch string) []string {
	dirs := []string{"/lib64", "/usr/lib64"}
	for _, t := range triplets(goarch) {
		dirs = append(dirs, path.Join("/lib", t), path.Join("/usr/lib", t))
	}
	return append(dirs, "/lib", "/usr/lib")
}
