// Package steps is the list of everything goxin does to a machine, in the order
// in which it does it. Read it top to bottom: it is the wizard.
package steps

import (
	"goxin/steps/engine"
	"goxin/steps/kernel"
)

// All are the steps in their order. A step runs if and only if its ID is in the
// answers.
func All() []engine.Step {
	return []engine.Step{
		kernel.Step{}, // kernel parameters and limits, with who would overrule them
	}
}
