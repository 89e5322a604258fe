package replay

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// limits bound what a file may make its reader do.
type limits struct {
	total   int64 // bytes of the tar stream
	entries int   // members of it
	run     int   // bytes of run.json
	values  int   // JSON values in it
	records int   // those of them that are near the top, where each may become a large struct
	depth   int   // of them within one another
	steps   int   // of the run
}

// packLimits are far above what the largest run there is comes to: a captured
// machine unpacks to a few MB, a diff of 100,000 lines is 10 MB of JSON.
var packLimits = limits{total: 256 << 20, entries: 100_000, run: 64 << 20, values: 2 << 20, records: 100_000, depth: 32, steps: 1000}

// Read gives the run in a file that Pack wrote. The file may be anything: whatever
// is not such a file, whole and within bounds, is an error that says what it is.
// Nothing is unpacked.
func Read(r io.Reader) (*engine.RunRecord, error) { return read(r, packLimits) }

func read(r io.Reader, lim limits) (*engine.RunRecord, error) {
	data, machines, err := find(r, lim)
	switch {
	case err != nil:
		return nil, unreadable(err)
	case data == nil && machines:
		return nil, lang.Errorf(nil, "cannot replay this file: it holds a machine and no run", "无法回放此文件：其中有机器，但没有运行记录").
			WithHint("`goxin capture --run` packs a run with its machine", "`goxin capture --run` 会把运行连同机器一起打包")
	case data == nil:
		return nil, lang.Errorf(nil, "cannot replay this file: no run is in it", "无法回放此文件：其中没有运行记录").
			WithHint("`goxin capture --run` makes such a file", "此类文件由 `goxin capture --run` 生成")
	}
	rec, err := decode(data, lim)
	if err != nil {
		return nil, unreadable(err)
	}
	return rec, nil
}

// unreadable is err with what to do about it.
func unreadable(err error) error {
	var made senseless
	switch {
	case lang.Hint(err, lang.EN) != "":
		return err
	case errors.Is(err, errTooLarge), errors.Is(err, errUnsafe), errors.Is(err, errTwice):
		return lang.Errorf(err, "cannot replay this file", "无法回放此文件").
			WithHint("`goxin capture --run` makes no such file; be careful with where this one is from", "`goxin capture --run` 不会生成这样的文件；请留意它的来源")
	case errors.As(err, &made):
		return lang.Errorf(err, "cannot replay this file", "无法回放此文件").
			WithHint("use the goxin that made it, or make it again with `goxin capture --run`", "请使用生成它的 goxin，或用 `goxin capture --run` 重新生成")
	}
	return lang.Errorf(damaged{err}, "cannot replay this file", "无法回放此文件").
		WithHint("copy it once more from where `goxin capture --run` wrote it", "请从 `goxin capture --run` 写出它的地方重新复制一份")
}

var (
	errTooLarge = lang.Errorf(nil, "it is too large", "文件过大")
	errUnsafe   = lang.Errorf(nil, "a name in it leads out of it", "其中有指向外部的文件名")
	errTwice    = lang.Errorf(nil, "it holds more than one run", "其中有不止一个运行记录")
)

// senseless is a run.json that no goxin of this version wrote.
type senseless struct{ err error }

func (s senseless) Error() string { return s.Text().EN }

func (s senseless) Text() lang.Text {
	return lang.F("its %s makes no sense (%s)", "其中的 %s 无法理解（%s）", Member, s.err)
}

// damaged is why a file could not be read to its end, in words.
type damaged struct{ err error }

func (d damaged) Error() string { return d.Text().EN }

func (d damaged) Text() lang.Text {
	switch {
	case errors.Is(d.err, gzip.ErrHeader), errors.Is(d.err, tar.ErrHeader), errors.Is(d.err, io.EOF):
		return lang.T("it is no such archive", "它不是这样的归档文件")
	case errors.Is(d.err, io.ErrUnexpectedEOF):
		return lang.T("it is cut short", "文件不完整")
	case errors.Is(d.err, gzip.ErrChecksum):
		return lang.T("its checksum does not match", "校验和不符")
	}
	return lang.F("%s", "%s", d.err)
}

func (d damaged) Unwrap() error { return d.err }

// find reads the archive to its end and gives its run.json, and whether a machine
// is there too.
func find(r io.Reader, lim limits) (run []byte, machines bool, err error) {
	gz, err := gzip.NewReader(r)
	if err != nil {
		return nil, false, err
	}
	bounded := &io.LimitedReader{R: gz, N: lim.total}
	tr := tar.NewReader(bounded)
	for n := 0; ; n++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, bounded) // the checksum comes last
			if err == nil && bounded.N > 0 {
				return run, machines, nil
			}
		}
		if bounded.N <= 0 || n >= lim.entries {
			return nil, false, errTooLarge
		}
		if err != nil {
			return nil, false, err
		}
		switch name := path.Clean(h.Name); {
		case path.IsAbs(name), name == "..", strings.HasPrefix(name, "../"):
			return nil, false, errUnsafe
		case name == machine.RecordedFacts:
			machines = true
		case name != Member:
		case run != nil:
			return nil, false, errTwice
		case h.Typeflag != tar.TypeReg:
			return nil, false, errUnsafe
		case h.Size > int64(lim.run):
			return nil, false, errTooLarge
		default:
			if run, err = io.ReadAll(tr); err != nil {
				return nil, false, err
			}
		}
	}
}

// decode reads run.json.
func decode(data []byte, lim limits) (*engine.RunRecord, error) {
	if err := bound(data, lim); err != nil {
		return nil, err
	}
	var v struct {
		Version int    `json:"version"`
		Goxin   string `json:"goxin"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, senseless{err}
	}
	if v.Version != engine.RecordVersion {
		return nil, lang.Errorf(nil, "cannot replay this file: it is of version %d, and this goxin knows %d", "无法回放此文件：其版本为 %d，本程序只认识 %d", v.Version, engine.RecordVersion).
			WithHint("use the goxin that made it (%q)", "请使用生成它的 goxin（%q）", cut(v.Goxin, 40))
	}
	var r engine.RunRecord
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, senseless{err}
	}
	if len(r.Steps) > lim.steps {
		return nil, errTooLarge
	}
	if err := check(&r); err != nil {
		return nil, senseless{err}
	}
	return &r, nil
}

// changeDepth is how deep the list of a step's changes lies in a run.json.
const changeDepth = 4

// bound refuses JSON that would take much more memory than it has bytes, before
// anything is made of it.
func bound(data []byte, lim limits) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	depth, records := 0, 0
	for n := 0; ; n++ {
		t, err := d.Token()
		switch {
		case err == io.EOF && depth == 0 && n > 0:
			return nil
		case err != nil:
			return senseless{err}
		case n > lim.values:
			return errTooLarge
		}
		if depth <= changeDepth {
			if records++; records > lim.records {
				return errTooLarge
			}
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > lim.depth {
				return errTooLarge
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// check refuses what a journal could not have told.
func check(r *engine.RunRecord) error {
	if r.Info.ID < 1 || len(r.Order) == 0 {
		return lang.Because(nil, "it names no run and no machine", "没有写明运行和机器")
	}
	for _, st := range r.Steps {
		if st.Step == "" {
			return lang.Because(nil, "a step without a name", "有步骤没有名称")
		}
		for _, c := range st.Changes {
			if !slices.Contains(statuses, c.Status) {
				return lang.Because(nil, "a change that is %q", "有改动的状态为 %q", cut(c.Status, 40))
			}
			if err := checkDiff(c.Diff); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkDiff(d engine.Diff) error {
	ok := func(a engine.Action) bool {
		return a == 0 || strings.ContainsRune("=+~-!", rune(a))
	}
	all := ok(d.Action)
	for _, h := range d.Hunks {
		for _, l := range h.Lines {
			all = all && ok(l.Action)
		}
	}
	for _, r := range d.Rows {
		all = all && ok(r.Action)
	}
	if !all {
		return lang.Because(nil, "a change of an unknown kind", "有改动的种类未知")
	}
	return nil
}

func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
