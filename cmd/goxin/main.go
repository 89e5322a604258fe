// Command goxin detects what a machine is and turns it into a verified, tuned
// host for Go services, through a wizard or from an answers file. This package
// parses the command line, chooses the front end, prints and exits; whatever is
// decided about a machine is decided in steps and below.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	// First, so that importing the user interface asks the terminal nothing.
	"goxin/tui/quiet"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/tui"
)

func main() {
	quiet.Restore()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program but for the exit. The options are for tests, which
// let the machine die at an effect of their choice.
func run(args []string, in, out, errs *os.File, opts ...machine.Option) int {
	// A reader that has gone away must not kill an engine in mid-run: writes to it
	// fail instead. (Ignored, the signal would stay ignored in what we start.)
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)
	ctx, stop := signalled(context.Background())
	defer stop()
	a := &app{in: in, out: &output{File: out}, errs: errs, lang: languageOf(args, os.Getenv), machineOptions: opts}
	cmd := a.command()
	cmd.SetArgs(args)
	cmd.SetIn(in)
	cmd.SetOut(a.out)
	cmd.SetErr(errs)
	err := cmd.ExecuteContext(a.asking(ctx))
	for _, e := range a.engines {
		_ = e.Close() // what there was to say of those machines has been said
	}
	if err == nil {
		err = a.out.failure()
	}
	a.tell(err)
	return exitCode(err)
}

// stopped is why a context was cancelled, in words.
type stopped struct{ text lang.Text }

func (s stopped) Error() string        { return s.text.EN }
func (s stopped) Text() lang.Text      { return s.text }
func (s stopped) Is(target error) bool { return target == context.Canceled }

// signalled cancels ctx when the person, the system or the line wants us to
// stop; a second Ctrl-C or SIGTERM kills. SIGHUP must not, nor the SIGTERM that
// often follows it: a cut serial line would leave an operation half done.
func signalled(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		switch s, ok := <-c; {
		case !ok:
		case s == syscall.SIGHUP:
			cancel(stopped{lang.T("the terminal is gone", "终端已断开")})
		case s == syscall.SIGINT:
			signal.Reset(syscall.SIGINT, syscall.SIGTERM)
			cancel(stopped{lang.T("interrupted", "已被中断")})
		default:
			signal.Reset(syscall.SIGINT, syscall.SIGTERM)
			cancel(stopped{lang.T("told to stop", "收到停止信号")})
		}
	}()
	return ctx, func() { signal.Stop(c); cancel(nil) }
}

// languageOf is what --lang says, looked for before anything is parsed, since
// mistakes in the command line are told in it too; else Chinese where the locale
// is, in UTF-8, English otherwise.
func languageOf(args []string, getenv func(string) string) lang.Lang {
	for i, a := range args {
		v, ok := strings.CutPrefix(a, "--lang=")
		if !ok && a == "--lang" && i+1 < len(args) {
			v, ok = args[i+1], true
		}
		if ok && (v == "zh" || v == "en") {
			return lang.Lang(v)
		}
	}
	for _, k := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(k); v != "" {
			if !strings.HasPrefix(v, "zh") || !tui.Advice(tui.Env{Locale: localeOf(getenv)}).Empty() {
				return lang.EN
			}
			return lang.ZH
		}
	}
	return lang.EN
}

// tell prints an error that has not been told, with what to do about it.
func (a *app) tell(err error) {
	var code exitError
	if err == nil || errors.As(err, &code) {
		return
	}
	a.printError(err)
}
