// Package op holds the kinds of operation: what can be done to a machine and
// undone again. Each is plain data with a JSON form, so that another process
// can finish or undo what one began. The package refuses to decide what a
// machine should look like (the steps do) and when to act (the engine does).
//
// Undo is given the states before and after. Where the process died within Do
// nobody saw an "after"; then it is an empty State, and what is there counts as
// ours as far as each part of it is as before or as wanted.
package op

import "goxin/steps/engine"

// Kinds is the registry of every kind of operation there is.
func Kinds() engine.Kinds {
	return engine.Kinds{
		"file":     func() engine.Op { return new(File) },
		"dir":      func() engine.Op { return new(Dir) },
		"clock":    func() engine.Op { return new(Clock) },
		"comment":  func() engine.Op { return new(Comment) },
		"sysctl":   func() engine.Op { return new(Sysctl) },
		"sysfs":    func() engine.Op { return new(Sysfs) },
		"limit":    func() engine.Op { return new(Limit) },
		"unit":     func() engine.Op { return new(Unit) },
		"link":     func() engine.Op { return new(Link) },
		"label":    func() engine.Op { return new(Label) },
		"tree":     func() engine.Op { return new(Tree) },
		"block":    func() engine.Op { return new(Block) },
		"lists":    func() engine.Op { return new(Lists) },
		"packages": func() engine.Op { return new(Packages) },
		"account":  func() engine.Op { return new(Account) },
		"copy":     func() engine.Op { return new(Copy) },
		"port":     func() engine.Op { return new(Port) },
		"boolean":  func() engine.Op { return new(Boolean) },
	}
}
