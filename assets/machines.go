// Package assets is what goxin carries with it: here, machines that were
// captured, for the demo, for training and for tests. It only hands them out.
package assets

import (
	"embed"
	"io"
	"path"
	"strings"

	"goxin/assets/lang"
)

//go:generate go run ./machines/gen

//go:embed machines/*.tar.gz
var machines embed.FS

// Machines are the names of the captured machines, sorted.
func Machines() []string {
	entries, err := machines.ReadDir("machines")
	if err != nil {
		panic(err) // the embedded directory is part of the program
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".tar.gz"))
	}
	return names
}

// OpenMachine is the archive (tar.gz) of a captured machine, for
// machine.OpenRecorded.
func OpenMachine(name string) (io.ReadCloser, error) {
	f, err := machines.Open(path.Join("machines", path.Base(name)+".tar.gz"))
	if err != nil {
		return nil, lang.Errorf(nil, "there is no captured machine %q", "没有名为 %q 的采集机器", name)
	}
	return f, nil
}
