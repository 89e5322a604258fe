package main

import (
	"context"

	"goxin/assets/lang"
	"goxin/tui"
)

// show opens the wizard in the form that suits the terminal there is: drawn, or as a
// talk in lines. What is being recorded is recorded.
func (a *app) show(ctx context.Context, c tui.Config) (res tui.Result, err error) {
	if c = a.onTerminal(c); c.Tier == tui.Line {
		res, err = tui.RunLine(ctx, c, a.typed(), a.out)
	} else {
		res, err = tui.Run(ctx, c)
	}
	if res.Lang != "" {
		a.lang = res.Lang // what is said now stands below what was read last
	}
	return res, err
}

// onTerminal is c for the terminal there is, in the language that it can show.
func (a *app) onTerminal(c tui.Config) tui.Config {
	tty := terminal(a.out.File)
	tty.Plain, tty.Piped = a.plain, !isTerminal(a.in) || !isTerminal(a.out)
	if c.Tier, c.Han = tui.Choose(tty); a.line {
		c.Tier = tui.Line
	}
	if !c.Han && a.langFlag == "" {
		a.lang = lang.EN // the console's font, or the serial line's far end, may have no Chinese
	}
	a.advise(tty)
	c.NoHan = tui.NoHan(tty)
	c.Lang, c.Term, c.In, c.Out = a.lang, tty.Term, a.in, a.out.File
	return a.recorded(c)
}

// advise says what to do about a locale in which Chinese would come out as rubbish.
func (a *app) advise(tty tui.Env) {
	if t := tui.Advice(tty); !t.Empty() {
		a.say("note: %s", "注意：%s", t)
	}
}
