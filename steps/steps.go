// Package steps is the list of everything goxin does to a machine, in the order
// in which it does it. Read it top to bottom: it is the wizard.
package steps

import (
	"goxin/steps/build"
	"goxin/steps/clock"
	"goxin/steps/devtools"
	"goxin/steps/engine"
	"goxin/steps/environment"
	"goxin/steps/ha"
	"goxin/steps/kernel"
	"goxin/steps/libs"
	"goxin/steps/mirror"
	"goxin/steps/peer"
	"goxin/steps/runtime"
	"goxin/steps/service"
	"goxin/steps/toolchain"
)

// All are the steps in their order. A step runs if and only if its ID is in the
// answers.
func All() []engine.Step {
	return []engine.Step{
		peer.New(),         // the other machine of a pair: reached by SSH, its key pinned
		clock.Step{},       // the right time: signatures and TLS judge by it
		mirror.Step{},      // where packages come from: the fastest that is fresh, complete and signed
		libs.Step{},        // the libraries that programs here need and that are missing
		devtools.Step{},    // compiler, make, git
		kernel.Step{},      // kernel parameters and limits, with who would overrule them
		toolchain.Step{},   // Go itself, its origin proved by the transparency log
		environment.Step{}, // PATH, GOPROXY and which of several versions a project gets
		runtime.Step{},     // what Go programs run with: collector, memory limit, huge pages
		build.Step{},       // native or cross compilation, and a program for each target
		service.Step{},     // a program as a hardened unit that stays up
		ha.Step{},          // the shared address that moves when its owner fails, proved by a drill
	}
}
