package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// journalVersion is what this goxin writes. A journal of a newer version is
// refused: half-understood, it could undo the wrong thing.
const journalVersion = 1

// record is one line of a journal. Which fields are set depends on What:
//
//	run        V ID Owner Goxin Answers Strict Machines Facts; Confirm Boot Deadline where it is to be confirmed
//	           Lead in the journal of another machine than the run is about: see twin
//	twin       On ID Step Values       the machine On has part of it, under the number ID; the step whose answers named it
//	step       Step Survey Values Wanted Reviewed Ops Notes
//	skip       S N State               already so
//	doing      S N State               before; durable before the change
//	done       S N State Outcome       after
//	failed     S N Error Hint State    as the failure left it; Output: the last its programs said
//	proved     S Text                  one proof of the step holds: what was tried, and what was seen
//	kept       S Kind Data             what a proof found, for the report
//	step-done  S
//	undone     S N
//	left       S N Error               not undone, and why
//	awaiting   Boot Deadline Error Hint  confirmation is due
//	confirmed
//	forgotten                          what it would be undone from is destroyed
//	end        Status Error Hint
type record struct {
	What     string          `json:"what"`
	Time     time.Time       `json:"time"`
	V        int             `json:"v,omitempty"`
	ID       RunID           `json:"id,omitempty"`
	Owner    string          `json:"owner,omitempty"`
	Goxin    string          `json:"goxin,omitempty"`
	Answers  Answers         `json:"answers,omitempty"`
	Strict   bool            `json:"strict,omitempty"`
	Confirm  string          `json:"confirm,omitempty"`
	Machines []machine.ID    `json:"machines,omitempty"`
	Facts    machineFacts    `json:"facts,omitempty"`
	S        int             `json:"s,omitempty"` // the step's number in this run, from 1
	Step     string          `json:"step,omitempty"`
	Survey   Survey          `json:"survey,omitempty"`
	Values   Values          `json:"values,omitempty"`
	Wanted   string          `json:"wanted,omitempty"`
	Reviewed string          `json:"reviewed,omitempty"`
	Ops      []recordedOp    `json:"ops,omitempty"`
	Notes    []Note          `json:"notes,omitempty"`
	N        int             `json:"n,omitempty"` // the op's number in its step, from 1
	State    *State          `json:"state,omitempty"`
	Outcome  *Outcome        `json:"outcome,omitempty"`
	Text     *lang.Text      `json:"text,omitempty"`
	Error    *lang.Text      `json:"error,omitempty"`
	Hint     *lang.Text      `json:"hint,omitempty"` // beside Error
	Output   []lang.Text     `json:"output,omitempty"`
	Boot     string          `json:"boot,omitempty"`     // which boot: see Engine.boot
	Deadline float64         `json:"deadline,omitempty"` // seconds since that boot
	Status   Status          `json:"status,omitempty"`
	Lead     *lead           `json:"lead,omitempty"`   // of a twin: the run it is a part of
	On       machine.ID      `json:"on,omitempty"`     // of what: the machine that has a twin
	LeadS    int             `json:"lead_s,omitempty"` // in a twin: the step's number in that run
	LeadN    []int           `json:"lead_n,omitempty"` // and those of its operations
	Kind     string          `json:"kind,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
}

type recordedOp struct {
	On   machine.ID      `json:"on"`
	Kind string          `json:"kind"`
	Op   json.RawMessage `json:"op"`
	Diff string          `json:"diff"` // digest of the diff that was reviewed
	// Before is what that was a diff of; its content is kept where the op changes
	// something. Older journals have none.
	Before *State `json:"before,omitempty"`
}

// line is how a record stands in the file: with the CRC-32C of its bytes, so
// that a flipped bit is not taken for history.
type line struct {
	Sum string          `json:"crc32c"`
	Rec json.RawMessage `json:"rec"`
}

func encodeRecord(r record) ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	l, err := json.Marshal(line{Sum: sum(b), Rec: b})
	return append(l, '\n'), err
}

func sum(b []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// decodeJournal reads a journal. A last line that is not whole was being written when
// the machine stopped: it has no newline yet, or NULs where the disk got no page of it
// though it got a later one. It is dropped, and torn tells where the good part ends (-1:
// nothing is torn). Anything else wrong is an error with its line.
func decodeJournal(name string, data []byte) (recs []record, torn int, err error) {
	torn = -1
	for n, off := 1, 0; off < len(data); n++ {
		i := bytes.IndexByte(data[off:], '\n')
		if i < 0 {
			torn = off
			break
		}
		var l line
		var r record
		raw := data[off : off+i]
		if off+i+1 == len(data) && bytes.IndexByte(raw, 0) >= 0 {
			torn = off
			break
		}
		off += i + 1
		bad := func(cause error) ([]record, int, error) {
			return nil, -1, lang.Errorf(cause, "cannot read journal %s:%d", "无法读取运行日志 %s:%d", name, n).
				WithHint("the rest of this run's history cannot be trusted; what it changed is listed in the lines before %d. Move the run's folder away to go on without it",
					"该运行的后续记录已不可信；它改过什么见第 %d 行之前的内容。把该运行的目录移走后可继续使用", n)
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return bad(lang.Errorf(nil, "this is no journal line", "这不是日志行"))
		}
		if sum(l.Rec) != l.Sum {
			return bad(lang.Errorf(nil, "the line's checksum does not match", "该行的校验和不符"))
		}
		d := json.NewDecoder(bytes.NewReader(l.Rec))
		d.UseNumber()
		if err := d.Decode(&r); err != nil {
			return bad(err)
		}
		if n == 1 {
			if r.What != "run" {
				return bad(lang.Errorf(nil, "it does not begin with a run", "开头不是运行记录"))
			}
			if r.V > journalVersion {
				return nil, -1, lang.Errorf(nil, "cannot read journal %s:1: it is of version %d, and this goxin knows %d", "无法读取运行日志 %s:1：版本为 %d，本程序只认识 %d", name, r.V, journalVersion).
					WithHint("use the goxin that wrote it (%s) or a newer one", "请使用写下它的 goxin（%s）或更新版本", r.Goxin)
			}
		}
		recs = append(recs, r)
	}
	return recs, torn, nil
}

// journal is one run's file and blobs on the home machine.
type journal struct {
	home machine.Machine
	dir  string // DIR/runs/0001
}

func (j journal) file() string           { return j.dir + "/journal.jsonl" }
func (j journal) blob(ref string) string { return j.dir + "/blobs/" + ref }

// read gives the run's records; none where the run died before its header was
// durable.
func (j journal) read() ([]record, int, error) {
	b, err := j.home.ReadFile(j.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, -1, nil
	}
	if err != nil {
		return nil, -1, lang.Errorf(err, "cannot read journal %s", "无法读取运行日志 %s", j.file())
	}
	return decodeJournal(j.file(), b)
}

// mend cuts a torn last line off, so that what is appended next is a line.
func (j journal) mend(torn int) error {
	if torn < 0 {
		return nil
	}
	b, err := j.home.ReadFile(j.file())
	if err != nil || torn > len(b) {
		return err
	}
	return j.home.WriteFile(j.file(), b[:torn], 0o600, machine.Keep)
}

func (j journal) append(r record) error {
	r.Time = j.home.Now().UTC().Truncate(time.Second)
	b, err := encodeRecord(r)
	if err != nil {
		return err
	}
	if err := j.home.Append(j.file(), b, 0o600); err != nil {
		told := lang.Errorf(err, "cannot write journal %s", "无法写入运行日志 %s", j.file())
		if hint := hintOf(err); hint != nil {
			return told.WithHint("%s", "%s", *hint) // the line to its machine is cut
		}
		return told.WithHint("nothing is changed without a journal: free some room there, or choose another place with --state",
			"没有运行日志就不做任何改动：请在该处腾出空间，或用 --state 另选位置")
	}
	return nil
}

// keep stores a state's content beside the journal, once.
func (j journal) keep(s State) error {
	if s.Ref == "" {
		return nil
	}
	if _, err := j.home.Stat(j.blob(s.Ref)); err == nil {
		return nil
	}
	if err := j.home.WriteFile(j.blob(s.Ref), s.Blob, 0o600, machine.Keep); err != nil {
		return lang.Errorf(err, "cannot keep the content to restore in %s", "无法保存用于还原的内容到 %s", j.blob(s.Ref)).
			WithHint("free some room there, or choose another place with --state", "请在该处腾出空间，或用 --state 另选位置")
	}
	return nil
}

// load brings a state's content back, and refuses what is not it any more.
func (j journal) load(s State) (State, error) {
	if s.Ref == "" {
		return s, nil
	}
	b, err := j.home.ReadFile(j.blob(s.Ref))
	if err != nil {
		return s, lang.Errorf(err, "cannot read the content to restore", "无法读取用于还原的内容").
			WithHint("restore the file by hand; `goxin forget` then lets go of the run", "请手工还原该文件；之后可用 `goxin forget` 放弃该运行")
	}
	if got := NewState(nil, b); got.Ref != s.Ref {
		return s, lang.Errorf(nil, "cannot restore from %s: its content has been changed", "无法用 %s 还原：其内容已被改动", j.blob(s.Ref)).
			WithHint("restore the file by hand; `goxin forget` then lets go of the run", "请手工还原该文件；之后可用 `goxin forget` 放弃该运行")
	}
	s.Blob = b
	return s, nil
}
