package tui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/assets/lang/langtest"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/demo"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

// listener answers what it is asked: it picks every step, takes what is offered, writes
// each diff once, and steps over what cannot be planned.
type listener struct {
	t     *testing.T
	heard *bytes.Buffer
	read  int // of heard
	said  strings.Reader
	turns int
}

func (p *listener) Read(b []byte) (int, error) {
	if p.said.Len() == 0 {
		asked := p.heard.String()[p.read:]
		p.read = p.heard.Len()
		if p.turns++; p.turns > 500 {
			p.t.Error("the talk does not end")
			return 0, io.EOF
		}
		p.said = *strings.NewReader(answerTo(asked) + "\n")
	}
	return p.said.Read(b)
}

func answerTo(asked string) string {
	prompt := asked[strings.LastIndex(asked, "\n\n")+1:]
	has := func(texts ...string) bool {
		for _, s := range texts {
			if strings.Contains(prompt, s) {
				return true
			}
		}
		return false
	}
	switch {
	case has("5. Let me pick", "5. 自行选择"): // the answers given come before the purposes
		return "5"
	case has("yes to write"):
		return "yes"
	case has("输入\"是\"写入"):
		return "是"
	case has("write these changes", "写入这些改动"):
		return "w"
	case has("I have not compared it", "尚未核对"):
		return "2"
	case has("r to try again", "r 重试"):
		return "s"
	}
	return ""
}

// TestEveryPageIsSpokenOnFourMachines is the line tier's part of
// TestEveryPageOfEveryStepOnFourMachines.
func TestEveryPageIsSpokenOnFourMachines(t *testing.T) {
	for _, name := range shown {
		for _, l := range langs {
			t.Run(name+"-"+string(l), func(t *testing.T) {
				noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
				sim, err := demo.Open(name, filepath.Join(steptest.Dir(t), "demo"), demo.Options{Now: func() time.Time { return noon }, HostSeed: make([]byte, 32)})
				if err != nil {
					t.Fatal(err)
				}
				guarded(t, sim)
				e := engine.New(engine.Config{Machines: []machine.Machine{sim.Machine}, Steps: sim.Steps, Kinds: op.Kinds(), Detect: detect.Detect})
				var out bytes.Buffer
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				c := Config{Session: Live(e), Steps: sim.Steps, Purposes: steps.Purposes(), Answers: pairAnswers(sim), Mark: lang.T("SIMULATED", "模拟"), Lang: l}
				d := newLiner(ctx, c, &listener{t: t, heard: &out}, &out)
				d.now = func() time.Time { return noon }
				d.timer = func(time.Duration, tea.Msg) tea.Cmd { return nil }
				d.pause = func(time.Duration) {}
				res, err := d.ends(ctx, cancel, d.talk(ctx))
				if err != nil || res.What != Applied {
					t.Errorf("what=%d err=%v", res.What, err)
				}
				checkLines(t, out.String(), l)
				for _, line := range strings.Split(out.String(), "\n") {
					if found := langtest.EnglishIn(line); l == lang.ZH && len(found) > 0 && !fileLine.MatchString(line) {
						t.Errorf("English in a Chinese talk: %q in %q", found, line)
					}
					if found := langtest.ChineseIn(line); l == lang.EN && len(found) > 0 {
						t.Errorf("Chinese in an English talk: %q in %q", found, line)
					}
				}
				steptest.GoldenFile(t, filepath.Join("..", "testdata", "pages", name, fmt.Sprintf("line-%s.txt", l)), out.String())
			})
		}
	}
}
