package archive

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// Build puts a machine together from its source, NAME.txtar in src: a txtar
// whose files are the machine's (and machine.json, commands.json), and whose
// comment holds, a line each:
//
//	# what machine this is
//	include FILE.txtar                    another source; what comes later wins
//	provenance captured|composed: SOURCE  of everything after it that has none of its own
//	link PATH TARGET                      symbolic link
//	dir PATH [MODE]                       directory
//	exec PATH                             an empty program
//	mode PATH MODE
//	remove PATH                           what an include brought
//	elf PATH machine=N flags=N data=le    64-bit ELF header, executable
//	sysctl KEY VALUE                      a file of /proc/sys
//	net NAME state=up mtu=1500 speed=10000 virtual
//	cpus N sockets=N nodes=N threads=N    /proc/cpuinfo, from the file cpuinfo, and /sys
//
// Files and directives may end in " | captured: SOURCE" or " | composed: SOURCE".
// Everything has an origin, or Build refuses.
func Build(src fs.FS, name string) (*Archive, error) {
	b := &builder{src: src, a: New()}
	if err := b.source(name+".txtar", 0); err != nil {
		return nil, err
	}
	if b.a.Machine == nil {
		return nil, fmt.Errorf("%s.txtar: no %s", name, Machine)
	}
	if err := b.cpus(); err != nil {
		return nil, fmt.Errorf("%s.txtar: %w", name, err)
	}
	return b.a, nil
}

type builder struct {
	src      fs.FS
	a        *Archive
	cpuinfo  string // template
	cpuinfoF string // its origin
	topology topology
}

func (b *builder) source(file string, depth int) error {
	if depth > 4 {
		return fmt.Errorf("%s: includes itself", file)
	}
	data, err := fs.ReadFile(b.src, file)
	if err != nil {
		return err
	}
	ar := txtar.Parse(data)
	origin := ""
	for n, line := range strings.Split(string(ar.Comment), "\n") {
		fail := func(err error) error { return fmt.Errorf("%s:%d: %w", file, n+1, err) }
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case line[0] == '#':
			if depth == 0 {
				b.a.About += strings.TrimSpace(line[1:]) + "\n"
			}
		case strings.HasPrefix(line, "include "):
			if err := b.source(strings.TrimSpace(line[8:]), depth+1); err != nil {
				return fail(err)
			}
		case strings.HasPrefix(line, "provenance "):
			origin = strings.TrimSpace(line[11:])
			if err := checkOrigin(origin); err != nil {
				return fail(err)
			}
		default:
			text, from := splitOrigin(line, origin)
			changes := []string{"cpus", "mode", "remove"} // add nothing of their own
			if err := checkOrigin(from); err != nil && !slices.Contains(changes, strings.Fields(text)[0]) {
				return fail(err)
			}
			if err := b.directive(strings.Fields(text), from); err != nil {
				return fail(err)
			}
		}
	}
	for _, f := range ar.Files {
		name, from := splitOrigin(f.Name, origin)
		if err := checkOrigin(from); err != nil {
			return fmt.Errorf("%s: %s: %w", file, name, err)
		}
		if err := b.file(name, f.Data, from); err != nil {
			return fmt.Errorf("%s: %s: %w", file, name, err)
		}
	}
	return nil
}

func splitOrigin(s, origin string) (text, from string) {
	text, own, ok := strings.Cut(s, " | ")
	if ok {
		origin = strings.TrimSpace(own)
	}
	return strings.TrimSpace(text), origin
}

func checkOrigin(s string) error {
	kind, source, ok := strings.Cut(s, ": ")
	if !ok || source == "" || kind != "captured" && kind != "composed" {
		return fmt.Errorf("origin %q is neither \"captured: SOURCE\" nor \"composed: SOURCE\"", s)
	}
	return nil
}

func (b *builder) file(name string, data []byte, origin string) error {
	switch {
	case name == "cpuinfo":
		b.cpuinfo, b.cpuinfoF = string(data), origin
	case name == Machine || name == Commands:
		if !json.Valid(data) {
			return fmt.Errorf("not JSON")
		}
		b.a.Notes[name] = origin
		if name == Machine {
			b.a.Machine = data
		} else {
			b.a.Commands = data
		}
	case path.IsAbs(name):
		b.a.Add(name, File{Mode: 0o644, Data: data, Origin: origin})
	default:
		return fmt.Errorf("not an absolute path")
	}
	return nil
}

func (b *builder) directive(w []string, origin string) error {
	options := map[string]string{}
	for _, o := range w[1:] {
		key, value, _ := strings.Cut(o, "=")
		options[key] = value
	}
	switch {
	case w[0] == "link" && len(w) == 3:
		b.a.Add(w[1], File{Mode: fs.ModeSymlink | 0o777, Target: w[2], Origin: origin})
	case w[0] == "dir" && len(w) == 2:
		b.a.Add(w[1], File{Mode: fs.ModeDir | 0o755, Origin: origin})
	case w[0] == "dir" && len(w) == 3:
		mode, err := parseMode(w[2])
		b.a.Add(w[1], File{Mode: fs.ModeDir | mode, Origin: origin})
		return err
	case w[0] == "exec" && len(w) == 2:
		b.a.Add(w[1], File{Mode: 0o755, Origin: origin})
	case w[0] == "mode" && len(w) == 3:
		f, ok := b.a.Files[w[1]]
		mode, err := parseMode(w[2])
		if !ok || err != nil {
			return fmt.Errorf("cannot set the mode of %s", w[1])
		}
		f.Mode = f.Mode.Type() | mode
		b.a.Files[w[1]] = f
	case w[0] == "remove" && len(w) == 2:
		if _, ok := b.a.Files[w[1]]; !ok {
			return fmt.Errorf("no %s to remove", w[1])
		}
		delete(b.a.Files, w[1])
	case w[0] == "elf" && len(w) > 2:
		data, err := elfHeader(options)
		b.a.Add(w[1], File{Mode: 0o755, Data: data, Origin: origin})
		return err
	case w[0] == "sysctl" && len(w) > 1:
		name := "/proc/sys/" + strings.ReplaceAll(w[1], ".", "/")
		b.a.Add(name, File{Mode: 0o644, Data: []byte(strings.Join(w[2:], "\t") + "\n"), Origin: origin})
	case w[0] == "net" && len(w) > 1:
		b.network(w[1], options, origin)
	case w[0] == "cpus" && len(w) > 1:
		return b.topology.parse(w[1], options)
	default:
		return fmt.Errorf("cannot read %q", strings.Join(w, " "))
	}
	return nil
}

func parseMode(s string) (fs.FileMode, error) {
	n, err := strconv.ParseUint(s, 8, 16)
	mode := fs.FileMode(n & 0o777)
	if n&0o4000 != 0 {
		mode |= fs.ModeSetuid
	}
	if n&0o1000 != 0 {
		mode |= fs.ModeSticky
	}
	return mode, err
}

// elfHeader is the first 64 bytes of a 64-bit program.
func elfHeader(options map[string]string) ([]byte, error) {
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01")
	var order binary.ByteOrder = binary.LittleEndian
	if options["data"] == "be" {
		h[5], order = 2, binary.BigEndian
	}
	machine, err1 := strconv.ParseUint(options["machine"], 0, 16)
	flags, err2 := strconv.ParseUint(options["flags"], 0, 32)
	if err1 != nil || options["flags"] != "" && err2 != nil {
		return nil, fmt.Errorf("cannot make an ELF header of %v", options)
	}
	order.PutUint16(h[16:], 3) // ET_DYN
	order.PutUint16(h[18:], uint16(machine))
	order.PutUint32(h[20:], 1)
	order.PutUint32(h[48:], uint32(flags))
	order.PutUint16(h[52:], 64)
	return h, nil
}

func (b *builder) network(name string, options map[string]string, origin string) {
	device := "/sys/devices/pci0000:00/0000:00:01.0/net/" + name
	target := "../../devices/pci0000:00/0000:00:01.0/net/" + name
	if _, virtual := options["virtual"]; virtual {
		device, target = "/sys/devices/virtual/net/"+name, "../../devices/virtual/net/"+name
	}
	b.a.Add("/sys/class/net/"+name, File{Mode: fs.ModeSymlink | 0o777, Target: target, Origin: origin})
	for file, option := range map[string]string{"operstate": "state", "mtu": "mtu", "speed": "speed"} {
		if v := options[option]; v != "" {
			b.a.Add(device+"/"+file, File{Mode: 0o644, Data: []byte(v + "\n"), Origin: origin})
		}
	}
}
