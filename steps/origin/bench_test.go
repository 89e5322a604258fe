package origin

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"goxin/detect/machine"
)

// BenchmarkBesideSha256sum hashes the Go that runs it, and lets find and sha256sum do
// the same in between; x is how many times longer they take.
func BenchmarkBesideSha256sum(b *testing.B) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	root := string(out[:len(out)-1])
	var ours, theirs time.Duration
	files := 0
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		f, err := Tree(b.Context(), machine.Local(), root, Options{})
		if err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		if err := exec.Command("sh", "-c", `find "$0" -type f -print0 | xargs -0 sha256sum >/dev/null`, filepath.Clean(root)).Run(); err != nil {
			b.Fatal(err)
		}
		if i == 0 {
			continue // the first one reads from the disk, for both
		}
		ours, theirs, files = ours+between.Sub(start), theirs+time.Since(between), len(f.Manifest.Files)
	}
	if ours > 0 {
		b.ReportMetric(float64(theirs)/float64(ours), "x")
		b.ReportMetric(ours.Seconds()/float64(b.N-1), "s/tree")
		b.ReportMetric(float64(files), "files")
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		b.ReportMetric(float64(mem.Sys)/(1<<20), "MiB")
	}
}
