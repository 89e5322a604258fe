package service

import (
	"bufio"
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/sandbox"
)

// How long things may take, in seconds.
const (
	settles = 5  // a service that flaps does so by then: RestartSec= is one
	answer  = 10 // until it answers on its port
)

// tellsJournal is the kind under which the last lines of a unit's journal are told.
const tellsJournal = "journal"

// Proofs try the service before anything is written, and hold afterwards that it is up
// and stays up, that it answers, and that each line of its sandbox is in force.
func (Step) Proofs(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Proof {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	var out []engine.Proof
	for _, id := range hs.Order {
		h, err := newHost(hs, sv, id, a)
		if err != nil || h.fits() != nil || h.seen.After != "" {
			return nil
		}
		proof := func(first, always bool, title lang.Text, prove func(context.Context, machine.Machine) (lang.Text, error)) {
			out = append(out, engine.Proof{On: id, First: first, Always: always, Title: title, Prove: prove})
		}
		proof(true, false, lang.T("the unit suits this systemd, and the program starts in it", "单元适合本机 systemd，程序可以在其中启动"), h.try)
		proof(false, true, lang.T("the service is up and stays up", "服务已启动并保持运行"), h.stays)
		if a.Port > 0 {
			proof(false, true, lang.T("the service answers on its port", "服务在其端口上有响应"), h.serves)
		}
		if a.Harden != sandbox.None {
			proof(false, false, lang.T("systemd finds little to attack", "systemd 评估的暴露度低"), h.exposed)
			proof(false, false, lang.T("what its sandbox forbids is refused", "沙箱禁止的动作确实被拒绝"), h.shut)
		}
	}
	return out
}

func (h *host) here(m machine.Machine) bool {
	_, err := m.Stat(runDir)
	return h.facts.Running && err == nil
}

func notHere() lang.Text {
	return lang.T("not proved here: systemd does not run", "此处未验证：systemd 没有运行")
}

func (h *host) stays(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !h.here(m) {
		return notHere(), nil
	}
	w := watch{h, m, h.unitName()}
	said, err := w.steady(ctx, settles)
	last := w.tail(ctx, 10)
	for _, line := range last {
		engine.Tell(ctx, tellsJournal, line)
	}
	if err != nil {
		return said, lang.Errorf(last.or(err), "cannot keep %s up", "%s 无法保持运行", h.unitName()).
			WithHint("see the whole of it: journalctl -u %s", "查看完整日志：journalctl -u %s", h.unitName())
	}
	return said, nil
}

func (h *host) serves(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !h.here(m) {
		return notHere(), nil
	}
	return watch{h, m, h.unitName()}.asked(ctx)
}

func (h *host) exposed(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !h.here(m) {
		return notHere(), nil
	}
	problems, err := sandbox.Verify(ctx, m, h.unitFile())
	if err != nil {
		return lang.Text{}, err
	}
	if len(problems) > 0 {
		return lang.Text{}, lang.Errorf(lang.Quote(op.Visible(problems[0])), "cannot trust %s: systemd objects to it", "%s 存在问题：systemd 提出异议", h.unitName()).
			WithHint("see all of it: systemd-analyze verify %s", "查看全部：systemd-analyze verify %s", h.unitFile())
	}
	score, err := sandbox.Exposure(ctx, m, h.unitName())
	if err != nil {
		return lang.Text{}, err
	}
	return lang.F("exposure %.1f of 10, by systemd %d", "暴露度 %.1f（满分 10），由 systemd %d 给出", score, h.systemd()), nil
}

// shut tries every line. One that is written and has no effect is told and not an error:
// the service is no worse for it.
func (h *host) shut(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !h.here(m) {
		return notHere(), nil
	}
	lines, skipped := h.lines(h.a.Harden)
	r, err := sandbox.Try(ctx, m, h.unitName(), lines, skipped)
	if err != nil {
		return lang.Text{}, err
	}
	return r.Text(), nil
}

// watch looks after one unit.
type watch struct {
	*host
	m    machine.Machine
	unit string
}

// steady says that the unit is up and is not started again for so many seconds.
func (w watch) steady(ctx context.Context, seconds int) (lang.Text, error) {
	for n := 0; ; n++ {
		s, err := w.look(ctx)
		switch {
		case err != nil:
			return lang.Text{}, err
		case s["SubState"] == "auto-restart", s["NRestarts"] != "0" && s["NRestarts"] != "":
			return lang.Text{}, lang.Because(nil, "it flaps: it ended with %s (status %s), and systemd starts it again and again", "它反复重启：以 %s 结束（状态 %s），systemd 不断将其拉起", op.Visible(s["Result"]), op.Visible(s["ExecMainStatus"]))
		case s["ActiveState"] != "active":
			return lang.Text{}, lang.Because(nil, "it is %s: %s, exit status %s", "它处于 %s：%s，退出状态 %s", op.Visible(s["ActiveState"]), op.Visible(s["Result"]), op.Visible(s["ExecMainStatus"]))
		case n == seconds:
			return lang.F("up for %d s, never started again", "已持续运行 %d 秒，未发生重启", n), nil
		}
		if err := w.sleep(ctx); err != nil {
			return lang.Text{}, err
		}
	}
}

func (w watch) sleep(ctx context.Context) error {
	if err := w.m.Run(ctx, machine.Command{Argv: []string{"sleep", "1"}, Timeout: 30 * time.Second}, nil); err != nil {
		return lang.Errorf(err, "cannot wait for %s", "等待 %s 时中断", w.unit)
	}
	return nil
}

func (w watch) look(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	argv := []string{"systemctl", "show", "--no-pager", "-p", "ActiveState,SubState,Result,NRestarts,ExecMainStatus", w.unit}
	err := w.m.Run(ctx, machine.Command{Argv: argv, Timeout: 30 * time.Second}, func(line string) {
		if k, v, ok := strings.Cut(line, "="); ok {
			out[k] = v
		}
	})
	if err != nil {
		return nil, lang.Errorf(err, "cannot ask systemd about %s", "无法向 systemd 查询 %s", w.unit)
	}
	return out, nil
}

// lastLines are of a unit's journal, fit to be shown.
type lastLines []string

// or is err, with the lines as what it says.
func (l lastLines) or(err error) error {
	if len(l) == 0 {
		return err
	}
	return lang.Because(nil, "%s\n%s", "%s\n%s", err, strings.Join(l, "\n"))
}

func (l lastLines) say(words string) bool { return strings.Contains(strings.Join(l, "\n"), words) }

func (w watch) tail(ctx context.Context, n int) lastLines {
	var out lastLines
	argv := []string{"journalctl", "--no-pager", "--output=cat", "--lines=" + strconv.Itoa(n), "--unit=" + w.unit}
	_ = w.m.Run(ctx, machine.Command{Argv: argv, Timeout: 20 * time.Second}, func(line string) { // the journal is a help, not the proof
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "-- ") {
			out = append(out, op.Visible(line))
		}
	})
	return out
}

func (h *host) address() string { return "127.0.0.1:" + strconv.Itoa(h.a.Port) }

// asked asks the service on its port until it answers.
func (w watch) asked(ctx context.Context) (lang.Text, error) {
	for n := 0; ; n++ {
		said, err := w.ask(ctx)
		if err == nil {
			return said, nil
		}
		if n == answer {
			return lang.Text{}, lang.Errorf(err, "cannot reach the service on port %d", "无法通过端口 %d 访问服务", w.a.Port).
				WithHint("does it listen there, and on 127.0.0.1 too? ss -ltnp", "它是否监听该端口，且包括 127.0.0.1？请执行 ss -ltnp")
		}
		if err := w.sleep(ctx); err != nil {
			return lang.Text{}, err
		}
	}
}

func (w watch) ask(ctx context.Context) (lang.Text, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := w.m.Dial(ctx, "tcp", w.address())
	if err != nil {
		return lang.Text{}, err
	}
	defer conn.Close()
	if w.a.Health == "" {
		return lang.F("it takes connections on port %d", "端口 %d 可以连接", w.a.Port), nil
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // an answer that does not come
	defer stop()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: goxin/1\r\nConnection: close\r\n\r\n", w.a.Health); err != nil {
		return lang.Text{}, err
	}
	line, err := bufio.NewReaderSize(conn, 4096).ReadSlice('\n')
	if err != nil {
		return lang.Text{}, err
	}
	code, ok := status(string(line))
	if !ok || code < 200 || code > 399 {
		return lang.Text{}, lang.Because(nil, "%s answers “%s”", "%s 返回 “%s”", w.a.Health, op.Visible(strings.TrimSpace(string(line))))
	}
	return lang.F("%s answers %d", "%s 返回 %d", path.Clean(w.a.Health), code), nil
}

// status reads the first line of an answer: "HTTP/1.1 200 OK".
func status(line string) (code int, ok bool) {
	f := strings.Fields(line)
	if len(f) < 2 || !strings.HasPrefix(f[0], "HTTP/1.") || len(f[1]) != 3 {
		return 0, false
	}
	code, err := strconv.Atoi(f[1])
	return code, err == nil && code >= 100
}
