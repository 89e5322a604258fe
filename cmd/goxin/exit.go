package main

import (
	"context"
	"errors"

	"goxin/steps/answers"
	"goxin/steps/engine"
	"goxin/tui"
)

// The exit codes are a contract with scripts.
const (
	exitOK        = 0   // done, or nothing to do
	exitFailed    = 1   // what stands is shown; a full disk, also where it was undone
	exitUsage     = 2   // bad usage or bad answers; nothing was touched
	exitDiffers   = 3   // something would change, or has drifted
	exitUndone    = 4   // failed or cancelled, and undone
	exitRefused   = 5   // verification, policy, unsafe input; nothing left behind
	exitDeviates  = 6   // done, but something was clamped, refused, overridden or left alone
	exitBusy      = 7   // another run, a moved machine, a confirmation that is due
	exitTimeout   = 124 // before anything changed
	exitInterrupt = 130 // before anything changed
)

// exitError is a command's end that has been told already.
type exitError int

func (e exitError) Error() string { return "exit" }

// usageError is a wrong command line.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

// exitCode is what err means to a script.
func exitCode(err error) int {
	var code exitError
	var usage usageError
	var problems *answers.Problems
	var stale *engine.StaleError
	var busy *engine.BusyError
	var refusal engine.Refusal
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage), errors.As(err, &problems):
		return exitUsage
	case errors.As(err, &stale), errors.As(err, &busy):
		return exitBusy
	case errors.As(err, &refusal):
		return exitRefused
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case errors.Is(err, context.Canceled), errors.Is(err, tui.ErrHangup):
		return exitInterrupt
	}
	return exitFailed
}
