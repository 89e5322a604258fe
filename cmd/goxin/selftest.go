package main

import (
	"github.com/spf13/cobra"

	"goxin/assets/selftest"
)

// selftestCommand tries the runtime that goxin was built with: what goxin capture
// --oldworld runs in a process of its own, and what that starts in turn.
func (a *app) selftestCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "selftest [PART]",
		Hidden: true,
		Args:   cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if code := selftest.Run([]string{"/proc/self/exe", "selftest"}, args); code != exitOK {
				return exitError(code)
			}
			return nil
		},
	}
}
