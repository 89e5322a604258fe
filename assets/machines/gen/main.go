// Command gen builds the captured machines' archives from their sources. It is
// run by go generate in assets and writes nothing else.
package main

import (
	"bytes"
	"log"
	"os"
	"path/filepath"
	"strings"

	"goxin/assets/machines/archive"
)

func main() {
	log.SetFlags(0)
	if err := generate("machines"); err != nil {
		log.Fatal(err)
	}
}

// generate builds every source of dir/src that is not an include, and removes
// archives that have no source.
func generate(dir string) error {
	src := filepath.Join(dir, "src")
	sources, err := filepath.Glob(filepath.Join(src, "*.txtar"))
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil {
		return err
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	for _, file := range sources {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if strings.HasPrefix(name, "with-") {
			continue
		}
		a, err := archive.Build(os.DirFS(src), name)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := a.Write(&b); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".tar.gz"), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
