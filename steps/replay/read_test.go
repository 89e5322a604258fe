package replay

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/assets/machines/archive"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

func record() *engine.RunRecord {
	return &engine.RunRecord{
		Version: engine.RecordVersion, Info: engine.RunInfo{ID: 1}, Order: []machine.ID{machine.LocalID}, Goxin: "1.2",
		Steps: []engine.StepRecord{{Step: "kernel", Changes: []engine.ChangeRecord{{Kind: "file", Target: "/a", Status: "done", Diff: engine.Diff{Action: engine.Create}}}}},
	}
}

func packed(t testing.TB, r *engine.RunRecord) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Pack(&b, r, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func runJSON(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(record())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// archived is a tar.gz of members: name, content.
func archived(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	tw := tar.NewWriter(gz)
	for i := 0; i < len(members); i += 2 {
		h := &tar.Header{Name: members[i], Mode: 0o644, Size: int64(len(members[i+1])), Typeflag: tar.TypeReg}
		if link, ok := strings.CutPrefix(members[i+1], "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, link, 0
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := tw.Write([]byte(members[i+1])); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = tw.Close()
	_ = gz.Close()
	return b.Bytes()
}

var small = limits{total: 64 << 10, entries: 20, run: 16 << 10, values: 500, records: 200, depth: 12, steps: 4}

func TestAFileThatIsNoRunSaysWhatItIs(t *testing.T) {
	good := packed(t, record())
	j := runJSON(t)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-6] ^= 0x10 // of the checksum
	with := func(old, new string) []byte {
		if !strings.Contains(j, old) {
			t.Fatalf("no %s in %s", old, j)
		}
		return archived(t, Member, strings.Replace(j, old, new, 1))
	}
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"nothing": {nil, "no such archive"},
		"text":    {[]byte("version: 1\nsteps: {}\n"), "no such archive"},
		"another gzip": {func() []byte {
			var b bytes.Buffer
			g := gzip.NewWriter(&b)
			_, _ = g.Write(bytes.Repeat([]byte("text"), 300))
			_ = g.Close()
			return b.Bytes()
		}(), "no such archive"},
		"cut short":                    {good[:len(good)/2], "cut short"},
		"cut within its checksum":      {good[:len(good)-3], "cut short"},
		"a flipped bit":                {flipped, "checksum"},
		"an archive of something else": {archived(t, "a", "b"), "no run is in it"},
		"a machine without a run":      {archived(t, machine.RecordedFacts, "{}"), "a machine and no run"},
		"two runs":                     {archived(t, Member, j, Member, j), "more than one run"},
		"two runs by another name":     {archived(t, Member, j, "./"+Member, j), "more than one run"},
		"a run that is a link":         {archived(t, Member, "-> /etc/shadow"), "leads out"},
		"a name that climbs":           {archived(t, Member, j, "root/../../x", "y"), "leads out"},
		"an absolute name":             {archived(t, "/etc/cron.d/x", "y", Member, j), "leads out"},
		"too many members":             {archived(t, strings.Split(strings.Repeat("a,,", 30), ",")[:60]...), "too large"},
		"a large member":               {archived(t, Member, j, "root/zeros", strings.Repeat("\x00", 200<<10)), "too large"},
		"a large run":                  {archived(t, Member, `{"goxin":"`+strings.Repeat("a", 20<<10)+`"}`), "too large"},
		"no JSON":                      {archived(t, Member, "run"), "makes no sense"},
		"an empty run":                 {archived(t, Member, ""), "makes no sense"},
		"JSON cut short":               {archived(t, Member, j[:len(j)-9]), "makes no sense"},
		"JSON that goes on":            {archived(t, Member, j+"{"), "makes no sense"},
		"JSON within JSON within JSON": {archived(t, Member, strings.Repeat("[", 400)+strings.Repeat("]", 400)), "too large"},
		"a bomb of values":             {archived(t, Member, "["+strings.Repeat("{},", 900)+"0]"), "too large"},
		"a bomb of changes":            {with(`"changes":[`, `"changes":[`+strings.Repeat("null,", 220)), "too large"},
		"a bomb of steps":              {with(`"steps":[{"step":"kernel"`, `"steps":[`+strings.Repeat(`{"step":"a"},`, 4)+`{"step":"kernel"`), "too large"},
		"a list":                       {archived(t, Member, "[]"), "makes no sense"},
		"no version":                   {archived(t, Member, "{}"), "of version 0"},
		"a version to come":            {with(`"version":1`, `"version":2`), "of version 2"},
		"a field nobody knows":         {with(`"goxin"`, `"cmd":"rm -rf /","goxin"`), "unknown field"},
		"a field in a diff":            {with(`"action"`, `"run":1,"action"`), "unknown field"},
		"no machine":                   {with(`"order":["local"]`, `"order":[]`), "no machine"},
		"no number":                    {with(`"id":1`, `"id":0`), "no run"},
		"a step without a name":        {with(`"step":"kernel"`, `"step":""`), "without a name"},
		"a status nobody knows":        {with(`"status":"done"`, `"status":"exploded"`), `"exploded"`},
		"an action nobody knows":       {with(`"action":"+"`, `"action":"?"`), "unknown kind"},
		"a value of no kind":           {with(`"values":null`, `"values":{"x":{"y":{}}}`), "makes no sense"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := read(bytes.NewReader(c.file), small)
			if err == nil {
				t.Fatalf("read as %+v", r)
			}
			if got := lang.Message(err, lang.EN); !strings.Contains(got, c.says) || !strings.HasPrefix(got, "cannot replay this file") {
				t.Errorf("%q does not say %q", got, c.says)
			}
			if lang.Hint(err, lang.EN) == "" || lang.Hint(err, lang.ZH) == "" || !strings.HasPrefix(lang.Message(err, lang.ZH), "无法回放此文件") {
				t.Errorf("%q, hint %q", lang.Message(err, lang.ZH), lang.Hint(err, lang.ZH))
			}
		})
	}
}

func TestWhatIsPackedIsReadBesideAMachine(t *testing.T) {
	a := archive.New()
	a.Machine = []byte("{}")
	a.Add("/etc/os-release", archive.File{Mode: 0o644, Data: []byte("ID=kylin\n"), Origin: "captured: test"})
	var b bytes.Buffer
	if err := Pack(&b, record(), a); err != nil {
		t.Fatal(err)
	}
	r, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil || r.Info.ID != 1 || r.Steps[0].Changes[0].Diff.Action != engine.Create {
		t.Errorf("%+v, %v", r, err)
	}
	// It is still a captured machine, for those who know of no runs.
	m, err := machine.OpenRecorded("x", bytes.NewReader(b.Bytes()), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.ReadFile("/etc/os-release"); err != nil || string(got) != "ID=kylin\n" {
		t.Errorf("%q, %v", got, err)
	}
	// The same run is the same bytes.
	var again bytes.Buffer
	if err := Pack(&again, record(), a); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Errorf("packed twice it is another file (%v)", err)
	}
}

func FuzzReadingNeverPanicsAndWhatIsReadCanBeShown(f *testing.F) {
	f.Add([]byte(runJSON(f)))
	f.Add([]byte(`{"version":1,"info":{"id":1},"order":["x"],"facts":{"x":null},"steps":[{"step":"a","values":{"l":["b"],"m":{"k":"v"},"n":1},"changes":[{"status":"left","output":[{"en":"a","zh":"b"}]}]}],"error":{"en":"x","zh":"y"}}`))
	f.Fuzz(func(t *testing.T, run []byte) {
		if len(run) > small.run {
			return
		}
		r, err := decode(run, small)
		if err != nil {
			return
		}
		walk(t, New(r, Options{}))
		s, err := Scrub(r, Scrubbing{Secrets: []string{"canary"}})
		if err != nil {
			return // what JSON cannot say
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(b, packLimits)
		if err != nil {
			t.Fatalf("what was scrubbed is not read again: %v\n%s", err, b)
		}
		walk(t, New(again, Options{}))
	})
}

// walk goes through all there is.
func walk(t *testing.T, s *Session) {
	ctx := t.Context()
	if h, err := s.Detect(ctx); err != nil {
		t.Fatal(err)
	} else if _, facts := h.First(); facts == nil {
		t.Fatal("no facts")
	}
	run, err := s.Start(ctx, engine.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range s.Steps() {
		sv, err := s.Survey(ctx, st, nil, nil)
		if err != nil {
			continue
		}
		for range 3 {
			p, err := s.Plan(ctx, st, sv, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = run.Apply(ctx, p)
			_ = s.Prove(ctx, p)
		}
	}
	_, _ = run.Undo(ctx)
	_, _ = run.End(ctx)
}
