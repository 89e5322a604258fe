package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/term"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// asking is ctx for work that may ask the person at the terminal for a secret (prompt:);
// where there is none, it may not.
func (a *app) asking(ctx context.Context) context.Context {
	if !isTerminal(a.in) || !isTerminal(a.errs) {
		return ctx
	}
	return engine.WithAsker(ctx, func(ctx context.Context, what lang.Text) (string, error) {
		fmt.Fprint(a.errs, lang.F("%s (it is not shown): ", "%s（不回显）：", what).In(a.lang))
		got := make(chan string, 1)
		state, err := term.GetState(a.in.Fd())
		if err != nil {
			return "", err
		}
		go func() { // reading cannot be called off; leaving can
			b, err := term.ReadPassword(a.in.Fd())
			if err != nil {
				b = nil
			}
			got <- strings.TrimRight(string(b), "\r\n")
		}()
		select {
		case <-ctx.Done():
			_ = term.Restore(a.in.Fd(), state) // it echoes again
			return "", context.Cause(ctx)
		case s := <-got:
			fmt.Fprintln(a.errs)
			return s, nil
		}
	})
}
