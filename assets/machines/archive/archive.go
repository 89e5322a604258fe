// Package archive writes captured machines: one tar.gz each, with the file tree
// under root/, what system calls told (machine.json), what programs printed
// (commands.json) and where each part came from (provenance.txt). It builds them
// from reviewable sources (Build) or from what a capture collected. It does not
// read them: that is machine.OpenRecorded's.
package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
)

// The members beside the tree.
const (
	Machine    = "machine.json"
	Commands   = "commands.json"
	Provenance = "provenance.txt"
)

// File is one thing in a machine's tree.
type File struct {
	Mode   fs.FileMode // fs.ModeDir, fs.ModeSymlink or a regular file, and permissions
	Data   []byte
	Target string // of a link
	// Origin is "captured: SOURCE" or "composed: SOURCE".
	Origin string
}

// Archive is a captured machine being put together. Paths are absolute.
type Archive struct {
	About    string // what machine this is, for provenance.txt
	Machine  []byte // JSON
	Commands []byte // JSON; nil for none
	Files    map[string]File
	Notes    map[string]string // origins of what is no file: "machine.json", "commands.json"
	Beside   map[string][]byte // members that tell more of the machine, by name
}

// New is an empty archive.
func New() *Archive {
	return &Archive{Files: map[string]File{}, Notes: map[string]string{}}
}

// Add puts a file under its absolute path, in place of one that was there.
func (a *Archive) Add(name string, f File) { a.Files[path.Clean(name)] = f }

// Write writes the archive. The same content gives the same bytes: members are
// sorted, and owners and times are zero.
func (a *Archive) Write(w io.Writer) error {
	gz, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(gz)
	for _, m := range []struct {
		name string
		data []byte
	}{{Machine, a.Machine}, {Commands, a.Commands}, {Provenance, a.provenance()}} {
		if m.data == nil {
			continue
		}
		if err := writeFile(tw, m.name, File{Mode: 0o644, Data: m.data}); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Beside)) {
		if err := writeFile(tw, name, File{Mode: 0o644, Data: a.Beside[name]}); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		if err := writeFile(tw, "root"+name, a.Files[name]); err != nil {
			return lang.Because(err, "%s", "%s", name)
		}
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return gz.Close()
}

func writeFile(tw *tar.Writer, name string, f File) error {
	h := &tar.Header{Name: name, Mode: int64(f.Mode.Perm()), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	if f.Mode&fs.ModeSetuid != 0 {
		h.Mode |= 0o4000
	}
	if f.Mode&fs.ModeSticky != 0 {
		h.Mode |= 0o1000
	}
	switch {
	case f.Mode.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
	case f.Mode&fs.ModeSymlink != 0:
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.Target, 0o777
	default:
		h.Typeflag, h.Size = tar.TypeReg, int64(len(f.Data))
	}
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	_, err := tw.Write(f.Data)
	return err
}

// provenance lists each origin once, with the paths that have it; the many
// files of one directory of /proc/sys or of the CPUs count as the directory.
func (a *Archive) provenance() []byte {
	byOrigin := map[string][]string{}
	for name, f := range a.Files {
		if f.Origin == "" {
			continue
		}
		for _, many := range []string{"/sys/devices/system/cpu", "/proc/sys"} {
			if strings.HasPrefix(name, many+"/") {
				name = many
			}
		}
		byOrigin[f.Origin] = append(byOrigin[f.Origin], name)
	}
	for name, origin := range a.Notes {
		byOrigin[origin] = append(byOrigin[origin], name)
	}
	var b bytes.Buffer
	if a.About != "" {
		fmt.Fprintf(&b, "%s\n", strings.TrimSpace(a.About))
	}
	for _, origin := range slices.Sorted(maps.Keys(byOrigin)) {
		names := byOrigin[origin]
		slices.Sort(names)
		fmt.Fprintf(&b, "\n%s\n", origin)
		for _, name := range slices.Compact(names) {
			fmt.Fprintf(&b, "  %s\n", name)
		}
	}
	return b.Bytes()
}
