package repo

import (
	"slices"
	"strconv"
	"strings"
)

// apt reads sources.list, then the parts in the order of their names.
func (r *reader) apt() error {
	if arch := r.dpkgArch(); arch != "" {
		r.out.Vars["ARCH"] = arch
	}
	const list, parts = "/etc/apt/sources.list", "/etc/apt/sources.list.d"
	names, err := r.names(parts, ".list", ".sources")
	if err != nil {
		return err
	}
	all := []string{list}
	for _, n := range names {
		if isPart(n) {
			all = append(all, parts+"/"+n)
		}
	}
	for _, name := range all {
		// apt passes over directories.
		if info, err := r.m.Stat(name); err == nil && info.Mode.IsDir() {
			continue
		}
		f := r.file(name)
		if f == nil {
			continue
		}
		r.out.Files = append(r.out.Files, f)
		for _, e := range f.Entries() {
			for _, u := range e.URLs {
				r.mirrorList(u)
			}
		}
	}
	return nil
}

// isPart is which names of a directory apt takes: apt-pkg's GetListOfFilesInDir,
// which besides what sources.list(5) says takes colons.
func isPart(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte("_-.:", c) < 0 {
			return false
		}
	}
	return true
}

// dpkgArch is dpkg's name for the machine; LoongArch's worlds differ in it.
func (r *reader) dpkgArch() string {
	switch arch := r.facts.Arch.GOARCH; {
	case !arch.Known:
		return ""
	case arch.Value == "mips64le":
		return "mips64el"
	case arch.Value == "loong64" && r.facts.Kernel.UserWorld.Value == "old":
		return "loongarch64"
	default:
		return arch.Value
	}
}

// mirrorList reads the file of a "mirror+file:" URI: a URL a line, after a tab its
// options, of which priority:N (the lowest first) gives the order.
// Source: apt-transport-mirror(1).
func (r *reader) mirrorList(uri string) {
	name, ok := strings.CutPrefix(uri, "mirror+file:")
	name = strings.TrimPrefix(r.out.Vars.Expand(name), "//")
	if _, had := r.out.MirrorLists[name]; !ok || had {
		return
	}
	data, ok := r.content(name)
	if !ok {
		return
	}
	type mirror struct {
		url      string
		priority int
	}
	const none = 1<<31 - 1 // after all that have one
	var list []mirror
	for line := range strings.Lines(string(data)) {
		url, options, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if url = strings.TrimSpace(url); url == "" || url[0] == '#' {
			continue
		}
		m := mirror{url, none}
		for _, o := range strings.Fields(options) {
			if n, err := strconv.Atoi(strings.TrimPrefix(o, "priority:")); err == nil {
				m.priority = n
			}
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b mirror) int { return a.priority - b.priority })
	urls := []string{}
	for _, m := range list {
		urls = append(urls, m.url)
	}
	r.out.MirrorLists[name] = urls
}
