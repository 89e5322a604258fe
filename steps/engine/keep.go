package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// KeptAnswers is the answers file that KeepAnswers wrote under name; fs.ErrNotExist
// where there is none.
func (e *Engine) KeptAnswers(name string) ([]byte, error) {
	return e.home.ReadFile(e.dir + "/answers/" + path.Base(name))
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

// KeepReport writes a report beside the journal, under a name that is not taken yet,
// and says where; sig is its signature, which goes beside it, and may be nil.
func (e *Engine) KeepReport(name string, data, sig []byte) (string, error) {
	dir := e.dir + "/reports"
	if err := e.mkdirs(dir); err != nil {
		return "", err
	}
	p := dir + "/" + path.Base(name)
	stem, ext := strings.TrimSuffix(p, path.Ext(p)), path.Ext(p)
	for n := 2; ; n++ {
		_, err := e.home.Lstat(p)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return "", lang.Errorf(err, "cannot save the report to %s", "无法把报告保存到 %s", p)
		}
		p = fmt.Sprintf("%s-%d%s", stem, n, ext)
	}
	err := e.home.WriteFile(p, data, 0o600, machine.Keep)
	if err == nil && sig != nil {
		if err = e.home.WriteFile(p+".sig", sig, 0o600, machine.Keep); err != nil {
			err = errors.Join(err, e.home.Remove(p)) // it was to be signed
		}
	}
	if err != nil {
		return "", lang.Errorf(err, "cannot save the report to %s", "无法把报告保存到 %s", p).
			WithHint("free some room there, or choose another place with -o", "请在该处腾出空间，或用 -o 另选位置")
	}
	return p, nil
}

// Now is the time on the machine where the journal is kept.
func (e *Engine) Now() time.Time { return e.home.Now() }
