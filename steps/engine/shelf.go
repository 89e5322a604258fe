package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// shelf is where the runs of one machine are kept: the journals of those it is about,
// and of its part in those that are about another.
type shelf struct {
	home  machine.Machine
	dir   string // the state directory on home
	kinds Kinds
	first machine.ID // what journals call the machine that they are about
}

// replay rebuilds a run from its journal.
func (k shelf) replay(j journal, recs []record) (*history, error) {
	h := &history{journal: j, header: recs[0], first: k.first, status: StatusInterrupted}
	if len(h.header.Machines) == 0 {
		return nil, lang.Errorf(nil, "cannot read journal %s:1: it names no machine", "无法读取运行日志 %s:1：没有写明机器", j.file())
	}
	if c := h.header.Confirm; c != "" {
		d, err := time.ParseDuration(c)
		if err != nil {
			return nil, lang.Errorf(err, "cannot read journal %s:1: confirm", "无法读取运行日志 %s:1：confirm", j.file())
		}
		h.confirm = d
	}
	for i, r := range recs[1:] {
		if err := h.add(k.kinds, r); err != nil {
			return nil, lang.Errorf(err, "cannot read journal %s:%d", "无法读取运行日志 %s:%d", j.file(), i+2).
				WithHint("goxin %s wrote it: use that version, or move %s away once you know that nothing of that run is to be undone", "它由 goxin %s 写成：请用该版本；若确定该次运行无需撤销，可移走 %s", h.header.Goxin, j.dir)
		}
	}
	return h, nil
}

// ids are the numbers of all runs there have been, oldest first.
func (k shelf) ids() ([]RunID, error) {
	names, err := k.home.ReadDir(k.dir + "/runs")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, lang.Errorf(err, "cannot list the runs in %s", "无法列出 %s 中的运行记录", k.dir).
			WithHint("run goxin as root, or choose another place with --state", "请以 root 身份运行，或用 --state 另选位置")
	}
	var ids []RunID
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil && n > 0 {
			ids = append(ids, RunID(n))
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (k shelf) nextID() (RunID, error) {
	ids, err := k.ids()
	if len(ids) == 0 {
		return 1, err
	}
	last := ids[len(ids)-1]
	// A run whose header never became durable changed nothing: its number is
	// taken again.
	if recs, _, err := k.journalOf(last).read(); err == nil && len(recs) == 0 {
		return last, nil
	}
	return last + 1, nil
}

func (k shelf) journalOf(id RunID) journal {
	return journal{k.home, fmt.Sprintf("%s/runs/%04d", k.dir, id)}
}

// one reads run id; nil where it never began.
func (k shelf) one(id RunID) (*history, error) {
	j := k.journalOf(id)
	recs, _, err := j.read()
	if err != nil || len(recs) == 0 {
		return nil, err
	}
	return k.replay(j, recs)
}

// histories are all runs, oldest first.
func (k shelf) histories() ([]*history, error) {
	ids, err := k.ids()
	if err != nil {
		return nil, err
	}
	var hs []*history
	for _, id := range ids {
		h, err := k.one(id)
		if err != nil {
			return nil, err
		}
		if h != nil {
			hs = append(hs, h)
		}
	}
	return hs, nil
}

// find gives run id, or, for 0, the newest of which something stands.
func (k shelf) find(id RunID) (*history, error) {
	if id != 0 {
		h, err := k.one(id)
		if err == nil && h == nil {
			err = lang.Errorf(nil, "cannot find run %d", "找不到运行 %d", id).
				WithHint("see `goxin runs`", "用 `goxin runs` 查看有哪些运行")
		}
		return h, err
	}
	hs, err := k.histories()
	if err != nil {
		return nil, err
	}
	for _, h := range slices.Backward(hs) {
		if !h.forgotten && (h.standing() > 0 || h.status == StatusInterrupted) {
			return h, nil
		}
	}
	return nil, nil
}

// lock takes the state directory for this process.
func (k shelf) lock() (func() error, error) {
	if err := k.mkdirs(k.dir); err != nil {
		return nil, err
	}
	note, err := json.Marshal(holder(k.home.Now()))
	if err != nil {
		return nil, err
	}
	release, err := k.home.Lock(k.dir+"/lock", note)
	var held *machine.LockedError
	if errors.As(err, &held) {
		b := &BusyError{}
		_ = json.Unmarshal(held.Note, &b.Holder) // a note that is just being written is empty
		return nil, b
	}
	if err != nil {
		return nil, lang.Errorf(err, "cannot lock %s", "无法锁定 %s", k.dir).
			WithHint("run goxin as root; a full or read-only disk needs room, or another place with --state", "请以 root 身份运行；磁盘已满或只读时，请腾出空间或用 --state 另选位置")
	}
	return release, nil
}

// mkdirs makes dir and its parents, root's alone.
func (k shelf) mkdirs(dir string) error {
	if _, err := k.home.Stat(dir); err == nil {
		return nil
	}
	if p := path.Dir(dir); p != dir {
		if err := k.mkdirs(p); err != nil {
			return err
		}
	}
	mode := fs.FileMode(0o755)
	if strings.HasPrefix(dir+"/", k.dir+"/") {
		mode = 0o700
	}
	if err := k.home.Mkdir(dir, mode, machine.Keep); err != nil && !errors.Is(err, fs.ErrExist) {
		return lang.Errorf(err, "cannot make directory %s", "无法创建目录 %s", dir).
			WithHint("goxin keeps there what it needs to undo: run it as root, or choose another place with --state", "goxin 在此保存撤销所需的内容：请以 root 身份运行，或用 --state 另选位置")
	}
	return nil
}
