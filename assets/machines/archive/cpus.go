package archive

import (
	"fmt"
	"strconv"
	"strings"
)

// topology is how many CPUs there are and how they hang together. CPUs are
// numbered as the kernel does on most machines: threads last, sockets in blocks.
type topology struct{ cpus, sockets, nodes, threads int }

func (t *topology) parse(n string, options map[string]string) error {
	*t = topology{sockets: 1, nodes: 1, threads: 1}
	var err error
	if t.cpus, err = strconv.Atoi(n); err != nil {
		return err
	}
	for key, value := range options {
		to := map[string]*int{"sockets": &t.sockets, "nodes": &t.nodes, "threads": &t.threads}[key]
		if to == nil {
			if key == n {
				continue
			}
			return fmt.Errorf("unknown option %s", key)
		}
		if *to, err = strconv.Atoi(value); err != nil || *to < 1 {
			return fmt.Errorf("%s=%s", key, value)
		}
	}
	if t.cpus%(t.threads*t.sockets) != 0 || t.cpus%t.nodes != 0 {
		return fmt.Errorf("%d CPUs do not divide into that", t.cpus)
	}
	return nil
}

// cpus expands the cpuinfo template: what stands before its "processor" line
// once, the rest for each CPU, with {cpu}, {package} and {core} filled in.
func (b *builder) cpus() error {
	t := b.topology
	if t.cpus == 0 || b.cpuinfo == "" {
		return fmt.Errorf("no cpus line or no cpuinfo")
	}
	at := strings.Index(b.cpuinfo, "processor")
	if at < 0 {
		return fmt.Errorf("cpuinfo has no processor line")
	}
	head, body := b.cpuinfo[:at], strings.TrimRight(b.cpuinfo[at:], "\n")+"\n\n"
	var info strings.Builder
	info.WriteString(head)
	const dir = "/sys/devices/system/cpu"
	const origin = "composed: the processors' number and topology"
	put := func(name string, n int) {
		b.a.Add(name, File{Mode: 0o444, Data: []byte(strconv.Itoa(n) + "\n"), Origin: origin})
	}
	cores := t.cpus / t.threads
	perSocket := cores / t.sockets
	for n := range t.cpus {
		core := n % cores
		socket := core / perSocket
		info.WriteString(strings.NewReplacer("{cpu}", strconv.Itoa(n), "{package}", strconv.Itoa(socket),
			"{core}", strconv.Itoa(core%perSocket)).Replace(body))
		top := fmt.Sprintf("%s/cpu%d/topology/", dir, n)
		put(top+"physical_package_id", socket)
		put(top+"core_id", core%perSocket)
	}
	b.a.Add("/proc/cpuinfo", File{Mode: 0o444, Data: []byte(info.String()), Origin: b.cpuinfoF})
	for _, name := range []string{"online", "present", "possible"} {
		b.a.Add(dir+"/"+name, File{Mode: 0o444, Data: []byte(span(0, t.cpus)), Origin: origin})
	}
	const nodes = "/sys/devices/system/node"
	b.a.Add(nodes+"/online", File{Mode: 0o444, Data: []byte(span(0, t.nodes)), Origin: origin})
	per := t.cpus / t.nodes
	for n := range t.nodes {
		b.a.Add(fmt.Sprintf("%s/node%d/cpulist", nodes, n),
			File{Mode: 0o444, Data: []byte(span(n*per, per)), Origin: origin})
	}
	return nil
}

func span(from, n int) string {
	if n == 1 {
		return fmt.Sprintf("%d\n", from)
	}
	return fmt.Sprintf("%d-%d\n", from, from+n-1)
}
