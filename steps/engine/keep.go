package engine

import (
	"errors"
	"io/fs"
	"path"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Forget destroys the contents run id would be undone from. What the run changed
// stands and is still checked; it cannot be undone any more.
func (e *Engine) Forget(id RunID) error {
	r, err := e.open(id)
	if err != nil {
		return err
	}
	defer func() { _ = r.release() }() // the lock ends with the process at the latest
	if s := r.h.status; s == StatusInterrupted || s == StatusAwaiting {
		return lang.Errorf(nil, "cannot forget run %d: it has not ended", "无法遗忘运行 %d：它尚未结束", id).
			WithHint("`goxin resume`, `goxin confirm` or `goxin undo` ends it", "用 `goxin resume`、`goxin confirm` 或 `goxin undo` 结束它")
	}
	j := r.h.journal
	if err := r.journal(record{What: "forgotten"}); err != nil {
		return err
	}
	refs, err := e.home.ReadDir(j.dir + "/blobs")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var errs []error
	for _, ref := range refs { // what a died WriteFile left beside them too
		errs = append(errs, e.home.Remove(j.dir+"/blobs/"+ref))
	}
	return errors.Join(errs...)
}

// KeepAnswers writes an answers file beside the journal and says where.
func (e *Engine) KeepAnswers(name string, data []byte) (string, error) {
	dir := e.dir + "/answers"
	if err := e.mkdirs(dir); err != nil {
		return "", err
	}
	p := dir + "/" + path.Base(name)
	if err := e.home.WriteFile(p, data, 0o600, machine.Keep); err != nil {
		return "", lang.Errorf(err, "cannot save the answers to %s", "无法把应答保存到 %s", p)
	}
	return p, nil
}
