package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

func TestAWizardAsksForASecretThatItsWorkNeeds(t *testing.T) {
	d := drive(t, &fakeSession{})
	var prompt string
	d.app.exec = func(c tea.ExecCommand, over tea.ExecCallback) tea.Cmd {
		p, ok := c.(*passwordPrompt)
		if !ok {
			t.Fatalf("it runs %T", c)
		}
		prompt, p.got = p.prompt, "moss"
		return func() tea.Msg { return over(nil) }
	}
	got := make(chan string)
	go func() {
		s, err := engine.Ask(d.app.ctx, lang.T("password of root@kp-02", "root@kp-02 的密码"))
		if err != nil {
			s = err.Error()
		}
		got <- s
	}()
	<-d.app.feed.ready
	d.send(wake{})
	if s := <-got; s != "moss" || !strings.Contains(prompt, "password of root@kp-02") {
		t.Fatalf("%q, asked by %q", s, prompt)
	}
	if v := d.app.View(); strings.Contains(v, "moss") {
		t.Fatal("it is on the screen")
	}
}

func TestNobodyIsAskedWhereNobodyIs(t *testing.T) {
	if _, err := engine.Ask(context.Background(), lang.Same("x")); err == nil || !strings.Contains(lang.Hint(err, lang.EN), "file:") {
		t.Fatal(err)
	}
	d := newLiner(context.Background(), Config{Session: &fakeSession{}}, strings.NewReader(""), io.Discard)
	if _, err := engine.Ask(d.App.ctx, lang.Same("x")); err == nil {
		t.Fatal("a pipe was asked")
	}
	p := passwordPrompt{prompt: "x: "}
	p.SetStdin(strings.NewReader("moss\n"))
	p.SetStdout(io.Discard)
	if err := p.Run(); err == nil || errors.Is(err, io.EOF) {
		t.Fatalf("what is no terminal was read: %v", err)
	}
}

// secretStep asks where a secret is.
type secretStep struct{ fakeStep }

func (secretStep) Fields() []engine.Field {
	return []engine.Field{{Key: "password", Kind: engine.Secret, Title: lang.T("With which password?", "口令？")}}
}

func (s secretStep) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question {
	return []engine.Question{{Field: s.Fields()[0]}}
}

// The peer step's question for a password took the password itself, and the answers that
// are saved after each question had it.
func TestAPasswordTypedWhereItsPlaceIsAskedForIsNotSaved(t *testing.T) {
	const canary = "c4n4ry"
	steps := []engine.Step{secretStep{fakeStep{"kernel"}}}
	d := drive(t, &fakeSession{}, func(c *Config) { c.Steps = steps }).keys("enter").at(atAsk)
	for _, r := range canary {
		d.keys(string(r))
	}
	d.keys("enter").at(atAsk).sees("a secret is not written into answers", "env:NAME")
	k := lineTalk(t, &fakeSession{}, lang.EN, strings.NewReader(script("", canary, "env:KEY", "q", "yes")), func(d *liner) { d.steps = steps })
	k.has(t, "Not possible: a secret is not written into answers")
	for _, all := range [][]engine.Answers{d.saved, k.saved} {
		if text := fmt.Sprint(all); strings.Contains(text, canary) {
			t.Errorf("saved: %s", text)
		}
	}
	if got := k.saved[len(k.saved)-1]["kernel"]["password"]; got != "env:KEY" {
		t.Errorf("a reference is not taken: %v", got)
	}
}
