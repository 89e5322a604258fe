package engine

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

// noMachine is for code that must not touch one.
type noMachine struct{ machine.Machine }

func (noMachine) ID() machine.ID { return "none" }

func journalOf(t testing.TB, recs ...record) []byte {
	var b bytes.Buffer
	for _, r := range recs {
		l, err := encodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(l)
	}
	return b.Bytes()
}

func sample(t testing.TB) []byte {
	s := NewState(map[string]int{"mode": 0o644}, []byte("x"))
	return journalOf(t,
		record{What: "run", V: 1, ID: 7, Goxin: "1.0", Answers: Answers{"kernel": {"profile": "web", "set": map[string]string{"vm.swappiness": "1"}, "n": int64(3), "l": []string{"a"}}}},
		record{What: "step", Step: "kernel"},
		record{What: "doing", S: 1, N: 1, State: &s},
		record{What: "end", Status: StatusApplied})
}

func TestAJournalReadsBackAsItWasWritten(t *testing.T) {
	recs, torn, err := decodeJournal("j", sample(t))
	if err != nil || torn != -1 || len(recs) != 4 {
		t.Fatalf("%d records, torn %d, %v", len(recs), torn, err)
	}
	v := recs[0].Answers["kernel"]
	if v.Text("profile", "") != "web" || v.Map("set")["vm.swappiness"] != "1" || v.Number("n", 0) != 3 || len(v.List("l")) != 1 {
		t.Errorf("answers %#v", v)
	}
}

func TestATornTailIsDroppedWhereverItTears(t *testing.T) {
	data := sample(t)
	for cut := range len(data) {
		recs, torn, err := decodeJournal("j", data[:cut])
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		whole := bytes.Count(data[:cut], []byte("\n"))
		if len(recs) != whole {
			t.Fatalf("cut at %d: %d records, want %d", cut, len(recs), whole)
		}
		if good := bytes.LastIndexByte(data[:cut], '\n') + 1; torn != good && !(torn == -1 && good == cut) {
			t.Fatalf("cut at %d: torn %d, want %d", cut, torn, good)
		}
	}
}

func TestAFlippedByteIsNamedWithItsLineAndNeverBelieved(t *testing.T) {
	data := sample(t)
	want, _, _ := decodeJournal("j", data)
	for i := range data {
		if data[i] == '\n' && i == len(data)-1 {
			continue // without its newline the last line counts as torn
		}
		bad := bytes.Clone(data)
		bad[i] ^= 0x01
		recs, _, err := decodeJournal("j", bad)
		if err == nil {
			a, _ := json.Marshal(want)
			b, _ := json.Marshal(recs)
			if !bytes.Equal(a, b) {
				t.Fatalf("byte %d flipped: believed", i)
			}
			continue
		}
		if !strings.Contains(err.Error(), "j:") || lang.Hint(err, lang.ZH) == "" {
			t.Fatalf("byte %d flipped: %v, hint %q", i, err, lang.Hint(err, lang.ZH))
		}
	}
}

func TestAJournalOfANewerVersionIsRefusedByName(t *testing.T) {
	_, _, err := decodeJournal("j", journalOf(t, record{What: "run", V: 2, ID: 1, Goxin: "9.0"}))
	if err == nil || !strings.Contains(err.Error(), "version 2") || !strings.Contains(lang.Hint(err, lang.EN), "9.0") {
		t.Errorf("%v (hint %q)", err, lang.Hint(err, lang.EN))
	}
}

func TestAnOperationThatThisGoxinDoesNotKnowIsRefusedWithWhoWroteIt(t *testing.T) {
	e := New(Config{Machines: []machine.Machine{noMachine{}}, Kinds: Kinds{}})
	_, err := e.replay(journal{dir: "/runs/0001"}, []record{
		{What: "run", V: 1, ID: 1, Goxin: "0.7", Machines: []machine.ID{"local"}},
		{What: "step", S: 1, Step: "a", Ops: []recordedOp{{On: "local", Kind: "of-later", Op: []byte("{}")}}},
	})
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		if hint := lang.Hint(err, l); !strings.Contains(hint, "0.7") || !strings.Contains(hint, "/runs/0001") {
			t.Errorf("%v (hint %q)", err, hint)
		}
	}
}

func FuzzJournal(f *testing.F) {
	f.Add(sample(f))
	f.Add([]byte("{\"crc32c\":\"00000000\",\"rec\":null}\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		recs, _, err := decodeJournal("j", data)
		if err != nil || len(recs) == 0 {
			return
		}
		e := New(Config{Machines: []machine.Machine{noMachine{}}, Kinds: Kinds{}})
		_, _ = e.replay(journal{}, recs)
	})
}

// A journal of before facts and notes were kept.
func TestAnOlderJournalIsTold(t *testing.T) {
	home := machine.Root(t.TempDir())
	for _, dir := range []string{"/s", "/s/runs", "/s/runs/0001"} {
		if err := home.Mkdir(dir, 0o700, machine.Keep); err != nil {
			t.Fatal(err)
		}
	}
	for name, facts := range map[string]machineFacts{
		"none":                 nil,
		"of another machine":   {"root:/other": []byte(`{"arch":{}}`)},
		"that mean otherwise":  {"root:/mnt": []byte(`{"arch":"arm64"}`)},
		"that are nothing":     {"root:/mnt": []byte(`null`)},
		"that are no map even": {"root:/mnt": []byte(`[1]`)},
	} {
		old := journalOf(t,
			record{What: "run", V: 1, ID: 1, Goxin: "0.1", Machines: []machine.ID{"root:/mnt"}, Facts: facts},
			record{What: "step", Step: "gone", Values: Values{}},
			record{What: "proved", S: 1},
			record{What: "step-done", S: 1},
			record{What: "end", Status: StatusApplied})
		if err := home.WriteFile("/s/runs/0001/journal.jsonl", old, 0o600, machine.Keep); err != nil {
			t.Fatal(err)
		}
		e := New(Config{Machines: []machine.Machine{home}, Dir: "/s", Kinds: Kinds{}})
		r, err := e.Record(1)
		if err != nil {
			t.Fatalf("facts %s: %v", name, err)
		}
		if r.Facts != nil || len(r.Steps) != 1 || r.Steps[0].Title != lang.Same("gone") || !r.Steps[0].Done || r.Order[0] != home.ID() {
			t.Errorf("facts %s: %+v", name, r)
		}
	}
}

func TestFactsTooManyToKeepAreLeftOut(t *testing.T) {
	big := &detect.Facts{}
	big.OS.Name.Value = strings.Repeat("x", mostFacts)
	kept := factsOf(Hosts{Facts: map[machine.ID]*detect.Facts{"local": {}, "peer:b": big}})
	if kept.of("local") == nil || kept.of("peer:b") != nil {
		t.Errorf("kept %d", len(kept))
	}
}

// After a power cut the disk had the end of the last record and none of its beginning: the
// whole run was unreadable.
func TestALastRecordOfWhichTheDiskHasOnlyTheEndIsTorn(t *testing.T) {
	data := sample(t)
	last := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	clear(data[last : len(data)-5])
	recs, torn, err := decodeJournal("j", data)
	if err != nil || torn != last || len(recs) == 0 {
		t.Fatalf("%d records, torn %d, %v", len(recs), torn, err)
	}
	data = append(data, "more\n"...)
	if _, _, err := decodeJournal("j", data); err == nil {
		t.Error("NULs before the last record are no torn end")
	}
}
