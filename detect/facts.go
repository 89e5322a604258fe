// Package detect finds out what a machine is, without changing it and without
// running programs: it reads files, asks the kernel, and says for each fact how
// it was learnt. It probes capabilities (which package manager is there?) before
// names (what does os-release say?), never guesses, and knows nothing of steps.
package detect

import (
	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Fact is one thing learnt. Where Known is false, Value means nothing and From
// says why it could not be learnt. Its JSON form is in from.go.
type Fact[T any] struct {
	Value T
	Known bool
	From  lang.Text // the file, key or call it was read from
}

// Facts is everything goxin knows of a machine. Its JSON form is stable.
type Facts struct {
	Hostname Fact[string] `json:"hostname"`
	Arch     Arch         `json:"arch"`
	CPU      CPU          `json:"cpu"`
	Memory   Memory       `json:"memory"`
	OS       OS           `json:"os"`
	Kernel   Kernel       `json:"kernel"`
	Libc     Libc         `json:"libc"`
	Packages Packages     `json:"packages"`
	Init     Init         `json:"init"`
	Virt     Fact[string] `json:"virt"` // "none", "kvm", "qemu", "vmware", "lxc", "docker", "systemd-nspawn", …
	// Container says that Virt shares its kernel with a host.
	Container Fact[bool]    `json:"container"`
	Security  Security      `json:"security"`
	Network   []Interface   `json:"network"`
	Clock     Clock         `json:"clock"`
	Disks     []Disk        `json:"disks"`
	User      User          `json:"user"`
	Tuners    Fact[[]Tuner] `json:"tuners"`
	// Running is false for a tree (--root), where nothing runs.
	Running bool `json:"running"`
	// Warnings is what stands out, for people: keys of the texts in warnings.go.
	Warnings []string `json:"warnings"`
}

// Arch is the instruction set.
type Arch struct {
	Machine Fact[string] `json:"machine"` // uname -m: aarch64
	GOARCH  Fact[string] `json:"goarch"`  // arm64; "" with Known for a set Go has no port for
}

// CPU is the processor.
type CPU struct {
	Vendor      Fact[string]   `json:"vendor"`      // HiSilicon, Phytium, Loongson, Hygon, Zhaoxin, Intel, AMD, …
	Model       Fact[string]   `json:"model"`       // Kunpeng-920, Phytium D2000/8, Loongson-3A6000-HV, …
	Implementer Fact[string]   `json:"implementer"` // arm64: 0x48
	Part        Fact[string]   `json:"part"`        // arm64: 0xd01; several, comma-separated, on hybrids
	SIMD        Fact[[]string] `json:"simd"`        // asimd sve | lsx lasx | msa | sse4_2 avx avx2 avx512f | v
	LSE         Fact[bool]     `json:"lse"`         // arm64: "atomics" on every CPU
	Level       Fact[string]   `json:"level"`       // what the toolchain may assume: GOAMD64 v1..v4, GOARM64 v8.0/v8.1
	Logical     Fact[int]      `json:"logical"`     // CPUs online
	Cores       Fact[int]      `json:"cores"`
	Sockets     Fact[int]      `json:"sockets"`
	NUMA        Fact[int]      `json:"numa"` // nodes
}

// Memory is in bytes.
type Memory struct {
	Total    Fact[uint64] `json:"total"`
	Swap     Fact[uint64] `json:"swap"`
	PageSize Fact[int]    `json:"page_size"`
	// Limit is the cgroup's memory limit; 0 with Known means none.
	Limit  Fact[uint64] `json:"limit"`
	CGroup Fact[int]    `json:"cgroup"` // version of the hierarchy that limits: 1 or 2; 0 none
}

// OS is the distribution.
type OS struct {
	ID      Fact[string] `json:"id"`      // os-release ID, lower-cased
	Family  Fact[string] `json:"family"`  // "rpm" or "deb", by the package manager there is
	Product Fact[string] `json:"product"` // kylin-server, kylin-desktop, uos-server, uos-desktop, openeuler, …; not Known for a platform goxin does not know
	Name    Fact[string] `json:"name"`    // PRETTY_NAME
	Version Fact[string] `json:"version"` // V10, 20, 22.03-LTS-SP4, …
	Edition Fact[string] `json:"edition"` // UOS server: a, e, d; …
	// ServicePack is SP1, SP2, SP3, SP3-2403, 2503 (Kylin), SP4 (openEuler), 1050,
	// 1060 (UOS); "" with Known where there is none.
	ServicePack Fact[string] `json:"service_pack"`
	Codename    Fact[string] `json:"codename"`
}

// Kernel is the running kernel.
type Kernel struct {
	Release Fact[string] `json:"release"`
	// World is "old" (ABI 1.0) or "new" on LoongArch; "" with Known elsewhere.
	World Fact[string] `json:"world"`
	// UserWorld is the same for the C library's side.
	UserWorld Fact[string] `json:"user_world"`
}

// Libc is the C library.
type Libc struct {
	Name    Fact[string] `json:"name"` // glibc, musl
	Version Fact[string] `json:"version"`
}

// Packages is the package manager.
type Packages struct {
	Manager   Fact[string] `json:"manager"`   // dnf, yum, apt
	Activated Fact[bool]   `json:"activated"` // the sources' licence is there; not known where only they can tell
}

// Init is process 1.
type Init struct {
	Name    Fact[string] `json:"name"`    // systemd, sysvinit, openrc, …
	Version Fact[int]    `json:"version"` // systemd's
}

// Security is what may forbid things to root.
type Security struct {
	SELinux Fact[string] `json:"selinux"` // absent, disabled, permissive, enforcing
	KYSEC   Fact[string] `json:"kysec"`   // absent, off, warning, on (exec control)
	// UOSIntegrity is the UOS desktop's check of signed programs: absent, on.
	UOSIntegrity Fact[string] `json:"uos_integrity"`
}

// Interface is a network interface.
type Interface struct {
	Name    string `json:"name"`
	State   string `json:"state"` // operstate: up, down, unknown
	Virtual bool   `json:"virtual"`
	MTU     int    `json:"mtu"`
	Speed   int    `json:"speed"` // Mbit/s; 0 unknown
}

// Clock is the wall clock.
type Clock struct {
	Synced Fact[bool]   `json:"synced"`
	Source Fact[string] `json:"source"` // chrony, timesyncd, ntpd, none
	// Past says that the clock stands before the newest release that goxin knows: it is
	// dead, or was never set.
	Past Fact[bool] `json:"past"`
}

// Disk is the room of a place goxin will write to.
type Disk struct {
	For      string              `json:"for"`  // the place: /var/lib/goxin
	Path     string              `json:"path"` // the deepest directory of it that exists
	Space    Fact[machine.Space] `json:"space"`
	Writable Fact[bool]          `json:"writable"`
}

// User is who runs goxin.
type User struct {
	Root Fact[bool] `json:"root"`
	// Missing is what tuning needs and goxin's effective capabilities lack:
	// CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_RESOURCE.
	Missing Fact[[]string] `json:"missing"`
}

// Tuner is another program that sets kernel parameters.
type Tuner struct {
	Name    string `json:"name"`    // tuned, atuned, oeaware, bpftune
	Enabled bool   `json:"enabled"` // a unit of it is enabled or running
	Profile string `json:"profile"` // its active profile, if it says
}
