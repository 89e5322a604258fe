package race

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"time"
)

// readRelease reads the text of a Release file
// (wiki.debian.org/DebianRepository/Format) for a target.
func readRelease(text []byte, t Target) (*index, error) {
	fields, files := releaseFields(text)
	if len(fields) == 0 {
		return nil, flawed(NotIndex, "no Release file")
	}
	if len(files) == 0 {
		return nil, flawed(CutShort, "the Release file lists no files")
	}
	idx := &index{published: releaseTime(fields["date"]), expires: releaseTime(fields["valid-until"])}
	for _, k := range []string{"suite", "codename"} {
		if v := fields[k]; v != "" {
			idx.names = append(idx.names, v)
		}
	}
	if strings.HasSuffix(t.Suite, "/") {
		idx.lists = present(files, t.Suite, "Packages")
		if len(idx.lists) == 0 {
			return nil, flawed(NoPackages, "no Packages in a flat repository")
		}
		return idx, nil
	}
	if archs := strings.Fields(fields["architectures"]); len(archs) > 0 && !slices.Contains(archs, t.Arch) {
		return nil, flawed(WrongArch, "Architectures: "+fields["architectures"])
	}
	carried := strings.Fields(fields["components"])
	for _, c := range t.Components {
		lists := present(files, "dists/"+t.Suite+"/", c+"/binary-"+t.Arch+"/Packages")
		has := slices.ContainsFunc(carried, func(s string) bool { return s == c || strings.HasSuffix(s, "/"+c) })
		if !has && len(carried) > 0 || len(lists) == 0 {
			return nil, flawed(NoComponent, c)
		}
		idx.lists = append(idx.lists, lists...)
	}
	return idx, nil
}

// present are the forms of a package list that are there, the cheapest to read first.
func present(files map[string]bool, dir, name string) (out []string) {
	for _, suffix := range []string{".gz", ".xz", ".zst", ""} {
		if files[name+suffix] && sound(dir+name) {
			out = append(out, path.Join(dir, name+suffix))
		}
	}
	return out
}

// releaseFields are the fields by lower-case name, and the names that are listed
// under any digest.
func releaseFields(text []byte) (map[string]string, map[string]bool) {
	fields, files := map[string]string{}, map[string]bool{}
	key := ""
	for raw := range bytes.Lines(text) {
		line := strings.TrimRight(string(raw), "\r\n")
		if line == "" {
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			if f := strings.Fields(line); len(f) == 3 && (key == "sha256" || key == "sha512" || key == "sha1" || key == "md5sum") {
				files[f[2]] = true
			}
			continue
		}
		k, v, ok := strings.Cut(line, ":")
		if !ok {
			return nil, nil
		}
		key = strings.ToLower(k)
		fields[key] = strings.TrimSpace(v)
	}
	return fields, files
}

// releaseTime reads the one form of date there is, whose zone is UTC under any name.
func releaseTime(s string) time.Time {
	for _, layout := range []string{"Mon, _2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, _2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// fits says how well a Release's names agree with the suite asked for: 2 exactly, 1
// as the beginning of it ("DaoXiangHu" of "DaoXiangHu-stable"), 0 not at all.
func (i *index) fits(suite string) int {
	best := 0
	for _, n := range i.names {
		switch {
		case n == suite:
			return 2
		case strings.HasPrefix(suite, n+"-"), strings.HasPrefix(suite, n+"/"):
			best = 1
		}
	}
	return best
}
