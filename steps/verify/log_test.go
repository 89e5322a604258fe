package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"goxin/assets/lang"
)

var tool = Toolchain{Version: "go1.26.8", OS: "linux", Arch: "amd64"}

const (
	sumA = "h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM="
	sumB = "h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc="
)

func record(t Toolchain, h1 string) string {
	return fmt.Sprintf("%[1]s %[2]s %[3]s\n%[1]s %[2]s/go.mod %[4]s\n", ToolchainModule, t.ModuleVersion(), h1, sumB)
}

// checksums is a log as sum.golang.org is one: records that were added, and a key.
type checksums struct {
	t           testing.TB
	secret, key string
	records     []string
	hashes      []tlog.Hash
}

func newLog(t testing.TB, records ...string) *checksums {
	t.Helper()
	l := &checksums{t: t}
	var err error
	if l.secret, l.key, err = note.GenerateKey(nil, "log.example"); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		l.add(r)
	}
	return l
}

func (l *checksums) add(text string) {
	h, err := tlog.StoredHashes(int64(len(l.records)), []byte(text), l)
	if err != nil {
		l.t.Fatal(err)
	}
	l.records, l.hashes = append(l.records, text), append(l.hashes, h...)
}

// fill adds records of other modules until there are n.
func (l *checksums) fill(n int) *checksums {
	for i := len(l.records); i < n; i++ {
		l.add(fmt.Sprintf("example.com/m v1.0.%d %s\n", i, sumB))
	}
	return l
}

func (l *checksums) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, l.hashes[i])
	}
	return out, nil
}

// head is what the log signed when it had n records.
func (l *checksums) head(n int) []byte {
	h, err := tlog.TreeHash(int64(n), l)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.sign(string(tlog.FormatTree(tlog.Tree{N: int64(n), Hash: h})))
}

func (l *checksums) sign(text string) []byte {
	s, err := note.NewSigner(l.secret)
	if err != nil {
		l.t.Fatal(err)
	}
	msg, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		l.t.Fatal(err)
	}
	return msg
}

// get is the log's server, when it has as many records as now, answering every lookup
// with record id and the head of headAt records.
func (l *checksums) get(id, headAt int) Get {
	return func(_ context.Context, path string) ([]byte, error) {
		if strings.HasPrefix(path, "/lookup/") {
			msg, err := tlog.FormatRecord(int64(id), []byte(l.records[id]))
			return append(msg, l.head(headAt)...), err
		}
		tile, err := tlog.ParseTilePath(path[1:])
		if err != nil {
			return nil, err
		}
		first, all := int(tile.N)<<tile.H, len(l.records)>>(tile.L*tile.H)
		if first+tile.W > all || tile.W < 1<<tile.H && first+1<<tile.H <= all {
			return nil, fs.ErrNotExist // not there yet, or by now in full only
		}
		return tlog.ReadTileData(tile, l)
	}
}

func TestARecordIsProvedAndTheProofHoldsWithoutANetwork(t *testing.T) {
	for _, c := range []struct{ id, headAt, now int }{{0, 1, 1}, {0, 2, 2}, {1, 2, 300}, {7, 255, 255}, {200, 256, 256}, {256, 257, 700}, {3, 700, 700}, {699, 700, 1500}} {
		l := newLog(t).fill(c.id)
		l.add(record(tool, sumA))
		l.fill(c.now)
		p, newest, err := Prove(t.Context(), l.get(c.id, c.headAt), l.key, tool, nil)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if !bytes.Equal(newest, l.head(c.headAt)) {
			t.Errorf("%+v: newest head is %q", c, newest)
		}
		again, err := ParseProof(p.Text())
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		text, _ := json.Marshal(map[string]any{"proof": again})
		var file struct{ Proof *Proof }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		h1, ev, err := file.Proof.H1(l.key, tool)
		if h1 != sumA || err != nil || ev.Kind != Log || ev.Verdict != Good || ev.RestsOn.Empty() || !strings.HasPrefix(ev.Key, "log.example+") {
			t.Errorf("%+v: %q, %+v, %v", c, h1, ev, err)
		}
	}
}

func TestTheProofsOfGo1268HoldWithTheKeyOfTheRealLog(t *testing.T) {
	for arch, want := range map[string]string{"amd64": sumA, "arm64": sumB} {
		text, err := os.ReadFile("testdata/go1.26.8.linux-" + arch + ".proof")
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProof(text)
		if err != nil {
			t.Fatal(err)
		}
		h1, ev, err := p.H1(LogKey, Toolchain{"go1.26.8", "linux", arch})
		if h1 != want || err != nil || ev.Key != "sum.golang.org+033de0ae" || !strings.Contains(ev.Note.EN, "go1.26.8.linux-"+arch) {
			t.Errorf("%s: %q, %+v, %v", arch, h1, ev, err)
		}
		if len(text) > 2048 {
			t.Errorf("%s: the proof has %d bytes", arch, len(text))
		}
		if _, _, err := p.H1(newLog(t).key, Toolchain{"go1.26.8", "linux", arch}); !isForged(err) {
			t.Errorf("%s, with another key: %v", arch, err)
		}
	}
}

func isForged(err error) bool { return errors.As(err, new(*ForgedError)) }

func isNoLine(err error) bool { return errors.As(err, new(*NoLineError)) }

func TestARecordWithoutTheExactLineIsAFailure(t *testing.T) {
	mod := ToolchainModule + " " + tool.ModuleVersion()
	other := Toolchain{"go1.26.7", "linux", "amd64"}
	for name, text := range map[string]string{
		"another module":        "example.com/m v1.0.0 " + sumA + "\n",
		"another version":       record(other, sumA),
		"another platform":      record(Toolchain{"go1.26.8", "linux", "arm64"}, sumA),
		"its go.mod only":       mod + "/go.mod " + sumA + "\n",
		"no hash":               mod + "\n",
		"an empty hash":         mod + " \n",
		"another kind of hash":  mod + " h2:" + sumA[3:] + "\n",
		"a short hash":          mod + " " + sumA[:20] + "\n",
		"a hash not in base64":  mod + " h1:" + strings.Repeat("!", 44) + "\n",
		"something behind it":   mod + " " + sumA + " x\n",
		"two blanks":            ToolchainModule + "  " + tool.ModuleVersion() + " " + sumA + "\n",
		"two hashes":            mod + " " + sumA + "\n" + mod + " " + sumB + "\n",
		"the same hash twice":   mod + " " + sumA + "\n" + mod + " " + sumA + "\n",
		"a version that begins": mod + "-x " + sumA + "\n",
		"in another's line":     "example.com/m v1.0.0 " + mod + " " + sumA + "\n",
	} {
		l := newLog(t, "example.com/x v1.0.0 "+sumB+"\n", text).fill(9)
		_, _, err := Prove(t.Context(), l.get(1, 9), l.key, tool, nil)
		if !isNoLine(err) {
			t.Errorf("%s: %v", name, err)
		}
		hashes, err := tlog.ProveRecord(9, 1, l)
		if err != nil {
			t.Fatal(err)
		}
		if h1, _, err := (&Proof{1, []byte(text), hashes, l.head(9)}).H1(l.key, tool); !isNoLine(err) {
			t.Errorf("%s, offline: %q, %v", name, h1, err)
		}
	}
}

func TestAProofThatWasTouchedProvesNothing(t *testing.T) {
	l := newLog(t).fill(5)
	l.add(record(tool, sumA))
	l.fill(300)
	good := func() *Proof {
		p, _, err := Prove(t.Context(), l.get(5, 300), l.key, tool, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	imposter := newLog(t).fill(5) // its name, not its key
	imposter.add(record(tool, sumB))
	imposter.fill(300)
	forged := good()
	forged.head = imposter.head(300)
	forged.record = []byte(record(tool, sumB))
	forged.hashes, _ = tlog.ProveRecord(300, 5, imposter)
	if _, _, err := forged.H1(imposter.key, tool); err != nil {
		t.Fatal("the forgery is not consistent in itself:", err)
	}
	for name, touch := range map[string]func(p *Proof){
		"a tree head by another key":   func(p *Proof) { *p = *forged },
		"a tree head nobody signed":    func(p *Proof) { p.head = p.head[:bytes.Index(p.head, []byte("\n\n"))+2] },
		"a tree head with another N":   func(p *Proof) { p.head = bytes.Replace(p.head, []byte("\n300\n"), []byte("\n301\n"), 1) },
		"a note that is no tree":       func(p *Proof) { p.head = l.sign("hello\n") },
		"a tree of another kind":       func(p *Proof) { p.head = l.sign("go.sum database tree v2\n300\nAAAA\n") },
		"another record":               func(p *Proof) { p.record = []byte(record(tool, sumB)) },
		"a record with a line more":    func(p *Proof) { p.record = append(p.record, "example.com/x v1.0.0 h1:x\n"...) },
		"another place":                func(p *Proof) { p.id++ },
		"a place outside":              func(p *Proof) { p.id = 300 },
		"a place before the beginning": func(p *Proof) { p.id = -1 },
		"a hash less":                  func(p *Proof) { p.hashes = p.hashes[:len(p.hashes)-1] },
		"a hash more":                  func(p *Proof) { p.hashes = append(p.hashes, tlog.Hash{}) },
		"another hash":                 func(p *Proof) { p.hashes[3][0] ^= 1 },
		"no hashes":                    func(p *Proof) { p.hashes = nil },
		"a proof for another tree":     func(p *Proof) { p.hashes, _ = tlog.ProveRecord(200, 5, l) },
		"the head of another tree":     func(p *Proof) { p.head = l.head(200) },
		"a megabyte of head":           func(p *Proof) { p.head = append(bytes.Repeat([]byte("x\n"), 1<<19), p.head...) },
	} {
		p := good()
		touch(p)
		if h1, _, err := p.H1(l.key, tool); !isForged(err) || h1 != "" {
			t.Errorf("%s: %q, %v", name, h1, err)
		}
	}
	if _, _, err := good().H1(l.key, Toolchain{"go1.26.7", "linux", "amd64"}); !isNoLine(err) {
		t.Errorf("for another version: %v", err)
	}
	if _, _, err := good().H1(l.key, Toolchain{"go1.26.8\n", "linux", "amd64"}); err == nil {
		t.Error("for no version at all")
	}
}

func TestWhatAServerMakesUpIsNotTaken(t *testing.T) {
	l := newLog(t).fill(5)
	l.add(record(tool, sumA))
	l.fill(600)
	honest := l.get(5, 600)
	answer, _ := honest(t.Context(), "/lookup/x")
	down := errors.New("connection refused")
	tile := func(change func([]byte) ([]byte, error)) Get {
		return func(ctx context.Context, path string) ([]byte, error) {
			b, err := honest(ctx, path)
			if strings.HasPrefix(path, "/tile/") && err == nil {
				return change(bytes.Clone(b))
			}
			return b, err
		}
	}
	lookup := func(b []byte, err error) Get {
		return func(ctx context.Context, path string) ([]byte, error) {
			if strings.HasPrefix(path, "/lookup/") {
				return b, err
			}
			return honest(ctx, path)
		}
	}
	for _, c := range []struct {
		name string
		get  Get
		want string
	}{
		{"nothing is there", lookup(nil, fs.ErrNotExist), "not in log"},
		{"nobody answers", lookup(nil, down), "down"},
		{"an empty answer", lookup(nil, nil), "forged"},
		{"a page", lookup([]byte("<html>not found</html>"), nil), "forged"},
		{"a megabyte", lookup(bytes.Repeat([]byte("x"), 1<<20), nil), "forged"},
		{"no tree head", lookup(answer[:bytes.LastIndex(answer, []byte("go.sum"))], nil), "forged"},
		{"a place that is not in the tree", lookup(bytes.Replace(answer, []byte("5\n"), []byte("600\n"), 1), nil), "forged"},
		{"another place", lookup(bytes.Replace(answer, []byte("5\n"), []byte("6\n"), 1), nil), "forged"},
		{"another hash", lookup(bytes.Replace(answer, []byte(sumA), []byte(sumB), 1), nil), "forged"},
		{"no tiles", tile(func([]byte) ([]byte, error) { return nil, fs.ErrNotExist }), "gone"},
		{"tiles that break off", tile(func(b []byte) ([]byte, error) { return b[:len(b)-1], nil }), "forged"},
		{"tiles that go on", tile(func(b []byte) ([]byte, error) { return append(b, 0), nil }), "forged"},
		{"a forged tile", tile(func(b []byte) ([]byte, error) { b[5] ^= 1; return b, nil }), "forged"},
		{"nobody answers for tiles", tile(func([]byte) ([]byte, error) { return nil, down }), "down"},
	} {
		p, newest, err := Prove(t.Context(), c.get, l.key, tool, nil)
		got := "something else"
		switch {
		case err == nil:
			got = "good"
		case errors.As(err, new(*NotInLogError)):
			got = "not in log"
		case isForged(err):
			got = "forged"
		case errors.Is(err, down):
			got = "down"
		case errors.Is(err, fs.ErrNotExist):
			got = "gone"
		}
		if got != c.want || p != nil || newest != nil {
			t.Errorf("%s: %s (%v), want %s", c.name, got, err, c.want)
		}
	}
}

func TestALogThatShowsTwoHistoriesIsFoundOut(t *testing.T) {
	seen := newLog(t).fill(5)
	seen.add(record(tool, sumB))
	seen.fill(40)
	now := &checksums{t: t, secret: seen.secret, key: seen.key} // the same key, another history
	now.fill(5)
	now.add(record(tool, sumA))
	now.fill(400)
	for _, n := range []int{6, 39, 40} {
		for _, at := range []int{n, 300, 400} {
			_, _, err := Prove(t.Context(), now.get(5, at), now.key, tool, seen.head(n))
			var fork *ForkError
			if !errors.As(err, &fork) || !bytes.Equal(fork.Older, seen.head(n)) && at > n {
				t.Errorf("%d seen, %d shown: %v", n, at, err)
			}
		}
	}
	if _, _, err := Prove(t.Context(), now.get(5, 6), now.key, tool, seen.head(30)); !errors.As(err, new(*ForkError)) && !isForged(err) {
		t.Errorf("an older head of another history: %v", err)
	}
	for _, c := range []struct{ known, at, newest int }{{1, 300, 300}, {5, 300, 300}, {299, 300, 300}, {300, 300, 300}, {390, 300, 390}} {
		_, newest, err := Prove(t.Context(), now.get(5, c.at), now.key, tool, now.head(c.known))
		if err != nil || !bytes.Equal(newest, now.head(c.newest)) {
			t.Errorf("%+v: %q, %v", c, newest, err)
		}
	}
	if _, _, err := Prove(t.Context(), now.get(5, 300), now.key, tool, []byte("rubbish")); err == nil {
		t.Error("a head that was kept and is none")
	}
	broken := errors.New("down")
	get := func(ctx context.Context, path string) ([]byte, error) {
		if strings.HasPrefix(path, "/tile/") {
			return nil, broken
		}
		return now.get(5, 6)(ctx, path)
	}
	if _, _, err := Prove(t.Context(), get, now.key, tool, now.head(30)); !errors.Is(err, broken) || errors.As(err, new(*ForkError)) {
		t.Errorf("a server that is down is taken for a fork: %v", err)
	}
}

func TestTheNewestHeadIsTheOneWithTheMostRecords(t *testing.T) {
	l, other := newLog(t).fill(50), newLog(t).fill(90)
	if got := Newest(l.key, l.head(3), nil, other.head(90), l.head(40), []byte("x"), l.head(7)); !bytes.Equal(got, l.head(40)) {
		t.Errorf("%q", got)
	}
	if got := Newest(l.key, other.head(90), nil); got != nil {
		t.Errorf("%q", got)
	}
}

func TestAProofIsReadInOneFormOnly(t *testing.T) {
	text, err := os.ReadFile("testdata/go1.26.8.linux-amd64.proof")
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) []byte { return bytes.Replace(text, []byte(old), []byte(new), 1) }
	for name, b := range map[string][]byte{
		"nothing":               nil,
		"another first line":    replace("proof 1", "proof 2"),
		"a blank in front":      append([]byte(" "), text...),
		"Windows line ends":     bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
		"a number with a zero":  replace("\n61743986\n", "\n061743986\n"),
		"a number with a sign":  replace("\n61743986\n", "\n-61743986\n"),
		"no head":               text[:bytes.Index(text, []byte("go.sum"))],
		"hashes that break off": text[:600],
		"too much":              append(bytes.Clone(text), bytes.Repeat([]byte("x"), 64<<10)...),
	} {
		if _, err := ParseProof(b); !errors.As(err, new(*MalformedError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := ParseProof(text)
	if err != nil || !bytes.Equal(p.Text(), text) {
		t.Error(err)
	}
}

func TestErrorsOfTheLogSpeakBothLanguages(t *testing.T) {
	for _, err := range []error{
		&NotInLogError{tool, fs.ErrNotExist}, &NoLineError{tool, 0}, &NoLineError{tool, 2}, forged("why", "原因"), &ForkError{[]byte("a"), []byte("b")},
	} {
		en, zh := lang.Message(err, lang.EN), lang.Message(err, lang.ZH)
		if en == "" || zh == "" || en == zh || en != err.Error() || strings.Contains(en+zh, "%!") {
			t.Errorf("%q, %q", en, zh)
		}
	}
}

func TestAToolchainsHashIsThatOfItsModule(t *testing.T) {
	// printf '02%062d  %s/VERSION\n01%062d  %s/src/_go.mod\n' 0 $MODULE 0 $MODULE | sha256sum
	const want = "h1:XPAmDJ7MT2DM6jqRDj3Bt434xwLjmBazOzCL6D30IJg="
	m := Manifest{Files: []ManifestFile{{Name: "src/go.mod", SHA256: [32]byte{1}}, {Name: "VERSION", SHA256: [32]byte{2}}, {Name: "doc/x", SHA256: [32]byte{3}}}}
	if got := m.H1(tool); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
