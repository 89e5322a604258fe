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
	"syscall"

	// First, so that importing the user interface asks the terminal nothing.
	"goxin/tui/quiet"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

func main() {
	quiet.Restore()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program but for the exit. The options are for tests, which
// let the machine die at an effect of their choice.
func run(args []string, in, out, errs *os.File, opts ...machine.Option) int {
	ctx, stop := signalled(context.Background())
	defer stop()
	a := &app{in: in, out: out, errs: errs, lang: languageOf(os.Getenv), machineOptions: opts}
	cmd := a.command()
	cmd.SetArgs(args)
	cmd.SetIn(in)
	cmd.SetOut(out)
	cmd.SetErr(errs)
	err := cmd.ExecuteContext(ctx)
	a.tell(err)
	return exitCode(err)
}

// errHangup and errTerminated are why a context was cancelled, in words.
var (
	errHangup     = lang.Errorf(context.Canceled, "the terminal is gone", "终端已断开")
	errTerminated = lang.Errorf(context.Canceled, "told to stop", "收到停止信号")
)

// signalled cancels ctx when the person, the system or the line wants us to
// stop; a second signal kills. SIGHUP must not: a cut serial line would leave an
// operation half done.
func signalled(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		s, ok := <-c
		if !ok {
			return
		}
		signal.Reset(syscall.SIGINT, syscall.SIGTERM)
		if s == syscall.SIGHUP {
			cancel(errHangup)
			return
		}
		cancel(errTerminated)
	}()
	return ctx, func() { signal.Stop(c); cancel(nil) }
}

// languageOf is Chinese where the locale is, English otherwise.
func languageOf(getenv func(string) string) lang.Lang {
	for _, k := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(k); v != "" {
			if len(v) >= 2 && v[:2] == "zh" {
				return lang.ZH
			}
			return lang.EN
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
