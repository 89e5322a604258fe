package tui

import (
	"errors"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// explain words the engine's own errors, which carry facts instead of texts,
// and names the keys that help.
func explain(err error) error {
	var busy *engine.BusyError
	if errors.As(err, &busy) {
		switch {
		case busy.Due > 0:
			return lang.Errorf(nil, "cannot start: run %s waits for its confirmation", "无法开始：运行 %s 正等待确认", busy.Due).
				WithHint("goxin confirm lets it stand, goxin undo undoes it now", "goxin confirm 予以保留，goxin undo 立即撤销")
		case busy.Interrupted > 0:
			return lang.Errorf(nil, "cannot start: run %s was interrupted and is neither finished nor undone", "无法开始：运行 %s 曾被中断，既未完成也未撤销", busy.Interrupted).
				WithHint("leave and start goxin again: it offers both", "请退出并重新启动 goxin，届时可选择其一")
		case busy.Holder.PID > 0:
			return lang.Errorf(nil, "cannot start: another run is at work (process %d, since %s)", "无法开始：另一次运行正在进行（进程 %d，始于 %s）",
				busy.Holder.PID, busy.Holder.Since.Local().Format(time.DateTime)).
				WithHint("wait for it to end, then try again", "请等待其结束后重试")
		}
		return lang.Errorf(nil, "cannot start: another run is at work", "无法开始：另一次运行正在进行").
			WithHint("wait for it to end, then try again", "请等待其结束后重试")
	}
	var stale *engine.StaleError
	if errors.As(err, &stale) {
		targets := strings.Join(stale.Targets, ", ")
		return lang.Errorf(nil, "cannot write: changed since you reviewed it: %s", "无法写入：审阅之后又有改动：%s", targets).
			WithHint("nothing of this was written; r shows what is different now", "本次尚未写入；按 r 查看现在的差异")
	}
	return err
}
