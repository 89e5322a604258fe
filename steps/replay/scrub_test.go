package replay_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/replay"
)

func known(s string) detect.Fact[string] { return detect.Fact[string]{Value: s, Known: true} }

// site is a run whose texts name a machine, its site and its people.
func site(texts ...string) *engine.RunRecord {
	c := change("/a", "done")
	h := engine.Hunk{}
	for i, t := range texts {
		h.Lines = append(h.Lines, engine.Line{Action: engine.Create, New: i + 1, Text: t})
	}
	c.Diff.Hunks = []engine.Hunk{h}
	r := made(engine.StepRecord{Step: "kernel", Done: true, Changes: []engine.ChangeRecord{c}})
	r.Facts = map[machine.ID]*detect.Facts{"local": {
		Hostname: known("kp-canary.corp.example"), Network: []detect.Interface{{Name: "eth0"}, {Name: "br-canary"}},
		Tuners: detect.Fact[[]detect.Tuner]{Known: true, Value: []detect.Tuner{{Name: "tuned", Profile: "canary-db"}}},
	}}
	return r
}

func public(host string) bool { return host == "mirrors.aliyun.com" }

func scrubbed(t *testing.T, r *engine.RunRecord, secrets ...string) *engine.RunRecord {
	t.Helper()
	out, err := replay.Scrub(r, replay.Scrubbing{Secrets: secrets, Public: public})
	ok(t, err)
	return out
}

func TestWhatNamesAMachineIsReplaced(t *testing.T) {
	for in, want := range map[string]string{
		"from kp-canary.corp.example to kp-canary":              "from captured to captured",
		"kp-canary2, xkp-canary and kp-canary-data":             "kp-canary2, xkp-canary and captured-data",
		"search corp.example":                                   "search captured.invalid",
		"ip link set br-canary up; eth0 stays":                  "ip link set net1 up; eth0 stays",
		"profile canary-db":                                     "profile captured",
		"10.9.8.7 10.9.8.70 10.9.8.7:80":                        "198.18.0.1 198.18.0.2 198.18.0.1:80",
		"127.0.0.1 0.0.0.0 255.255.255.0 224.0.0.18 ::1":        "127.0.0.1 0.0.0.0 255.255.255.0 224.0.0.18 ::1",
		"It is 10.9.8.7.":                                       "It is 198.18.0.1.",
		"go1.26.8, kernel 4.19.90-52.22, at 12:34:56":           "go1.26.8, kernel 4.19.90-52.22, at 12:34:56",
		"fd00:9::7/64 and fe80::1%eth0":                         "2001:db8::1/64 and 2001:db8::2%eth0",
		"52:54:00:AA:bb:cc, 52-54-00-aa-bb-cd":                  "02:00:00:00:00:01, 02:00:00:00:00:02",
		"UUID=4c4c4544-0000-1111-2222-333344445555 /":           "UUID=00000000-0000-4000-8000-000000000001 /",
		"machine-id deadbeefdeadbeefdeadbeefdeadbeef":           "machine-id 00000000000000000000000000000001",
		"sha256:" + strings.Repeat("ab", 32):                    "sha256:" + strings.Repeat("ab", 32),
		"Serial Number: SN12345; again SN12345":                 "Serial Number: SERIAL1; again SERIAL1",
		"PATH=/home/zhangsan/bin # by zhangsan":                 "PATH=/home/user1/bin # by user1",
		"/home/build is no name":                                "/home/build is no name",
		"write to li.si@bank.example":                           "write to mail1@captured.invalid",
		"http://repo.bank.example/x, https://repo.bank.example": "http://host1.invalid/x, https://host1.invalid",
		"https://mirrors.aliyun.com/golang":                     "https://mirrors.aliyun.com/golang",
		"http://10.9.8.7/x http://[fd00:9::7]:80/":              "http://198.18.0.1/x http://[2001:db8::1]:80/",
		"https://me:hunter22@mirrors.aliyun.com/ hunter22":      "https://********mirrors.aliyun.com/ ********",
		"proxy_password = 'hunter33'; hunter33":                 "proxy_password = '********'; ********",
		"cat <<END\n# token=hunter33\nEND":                      "cat <<END\n# token=********\nEND",
		"token=s3cr3t-canary":                                   "token=********",
		"xs3cr3t-canaryx":                                       "x********x",
		"麒麟 kp-canary 软件源":                                      "麒麟 captured 软件源",
	} {
		r := scrubbed(t, site(in), "s3cr3t-canary", "abc")
		if got := r.Steps[0].Changes[0].Diff.Hunks[0].Lines[0].Text; got != want {
			t.Errorf("%q\n gives %q\n  want %q", in, got, want)
		}
	}
}

func TestTheSameNameHasTheSameStandInEverywhere(t *testing.T) {
	r := site("server 10.9.8.7", "peer 10.9.8.8", "server 10.9.8.7")
	r.Steps[0].Survey = json.RawMessage(`{"at":{"10.9.8.8":1.50,"10.9.8.7":12345678901234567890}}`)
	r.Error = lang.F("no answer from %s", "%s 没有应答", "10.9.8.7")
	r.Answers = engine.Answers{"kernel": {"set": map[string]string{"net.ipv4.conf.br-canary.rp_filter": "2"}, "n": int64(3)}}
	got := scrubbed(t, r)
	l := got.Steps[0].Changes[0].Diff.Hunks[0].Lines
	if l[0].Text != l[2].Text || l[0].Text == l[1].Text || !strings.Contains(got.Error.ZH, strings.Fields(l[0].Text)[1]) {
		t.Errorf("%v, %v", l, got.Error)
	}
	if s := string(got.Steps[0].Survey); !strings.Contains(s, `12345678901234567890`) || !strings.Contains(s, `1.50`) || strings.Contains(s, "10.9") {
		t.Errorf("survey %s", s)
	}
	if m := got.Answers["kernel"].Map("set"); m["net.ipv4.conf.net1.rp_filter"] != "2" || got.Answers["kernel"].Number("n", 0) != 3 {
		t.Errorf("%v", got.Answers)
	}
}

func TestARunOfATreeDoesNotTellWhereItWas(t *testing.T) {
	r := site("written below /srv/canary/root and /srv/canary/root2")
	r.Order = []machine.ID{"root:/srv/canary/root"}
	r.Facts = map[machine.ID]*detect.Facts{r.Order[0]: {}}
	r.Steps[0].Changes[0].On = r.Order[0]
	got := scrubbed(t, r)
	if got.Order[0] != "root:captured1" || got.Facts[got.Order[0]] == nil || got.Steps[0].Changes[0].On != got.Order[0] {
		t.Errorf("%v", got)
	}
	if s := got.Steps[0].Changes[0].Diff.Hunks[0].Lines[0].Text; s != "written below /captured and /srv/canary/root2" {
		t.Error(s)
	}
}

func TestAnOlderRecordIsScrubbedOfTheMachineItIsPackedOn(t *testing.T) {
	r := site("here is kp-canary")
	m := r.Facts["local"]
	r.Facts = nil
	out, err := replay.Scrub(r, replay.Scrubbing{Machine: m})
	ok(t, err)
	if s := out.Steps[0].Changes[0].Diff.Hunks[0].Lines[0].Text; s != "here is captured" {
		t.Error(s)
	}
}

// TestAHostWithACommonNameBreaksNothing: goxin's own words stay what they are.
func TestAHostWithACommonNameBreaksNothing(t *testing.T) {
	for _, name := range []string{"vm", "done", "file", "kernel", "web", "local", "status", "target", "kylin", "a", "steps", "en"} {
		r := site("profile web", "vm.swappiness = 1")
		r.Facts["local"].Hostname = known(name)
		r.Answers = engine.Answers{"kernel": {"profile": "web"}}
		got := carried(t, scrubbed(t, r))
		if c := got.Steps[0].Changes[0]; c.Status != "done" || c.Kind != "file" || c.On != "local" || got.Steps[0].Step != "kernel" || got.Answers["kernel"].Text("profile", "") != "web" || c.Diff.Hunks[0].Lines[1].Text != "vm.swappiness = 1" {
			t.Errorf("host %q: %+v", name, got)
		}
	}
}

// TestAPackNamesNobody plants canaries in every text there is and looks for them in
// the bytes of the pack.
func TestAPackNamesNobody(t *testing.T) {
	text := "kp-canary kp-canary.corp.example 10.9.8.7 fd00:9::7 52:54:00:aa:bb:cc /home/zhangsan s3cr3t-canary serial: SN12345 http://u:hunter22@repo.bank.example/"
	canaries := []string{"canary", "corp.example", "10.9.8.7", "fd00:9", "52:54", "zhangsan", "s3cr3t", "SN12345", "hunter22", "bank"}
	r := site(text)
	b, err := json.Marshal(r)
	ok(t, err)
	both := lang.Same(text)
	ok(t, json.Unmarshal(b, r))
	c := &r.Steps[0].Changes[0]
	c.Target, c.Why, c.ByHand, c.Error, c.Hint, c.Output = text, both, []string{text}, both, both, []lang.Text{both}
	c.Diff.Note, c.Diff.Table, c.Diff.Rows = both, both, []engine.Row{{Action: engine.Update, Name: text, Now: text, Then: text, Note: both}}
	c.Outcome = engine.Outcome{Kind: engine.Clamped, By: both, Got: text}
	st := &r.Steps[0]
	st.Title, st.Values, st.Notes, st.Proved = both, engine.Values{"x": text, "l": []string{text}, "m": map[string]string{"K " + text: text}}, []engine.Note{{Text: both}}, []lang.Text{both}
	st.Survey = json.RawMessage(fmt.Sprintf(`{"found":{%q:[%q]}}`, "K "+text, text))
	r.Answers, r.Error, r.Hint = engine.Answers{"kernel": st.Values}, both, both
	r.Info.Owner, r.Goxin = text, text
	var pack bytes.Buffer
	ok(t, replay.Pack(&pack, scrubbed(t, r, "s3cr3t-canary"), nil))
	gz, err := gzip.NewReader(&pack)
	ok(t, err)
	seen := 0
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		ok(t, err)
		b, err := io.ReadAll(tr)
		ok(t, err)
		seen += len(b)
		for _, c := range canaries {
			if strings.Contains(strings.ToLower(h.Name+string(b)), strings.ToLower(c)) {
				i := strings.Index(strings.ToLower(string(b)), strings.ToLower(c))
				t.Errorf("%s gives away %q: …%s…", h.Name, c, b[max(i-60, 0):min(i+40, len(b))])
			}
		}
	}
	if seen < 1000 {
		t.Errorf("only %d bytes", seen)
	}
}
