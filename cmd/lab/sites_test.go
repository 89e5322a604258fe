//go:build e2e

package main

import (
	"context"
	"fmt"
	"testing"
)

// GoSites is the machine that is all sites with Go on them.
func (l *TestLab) GoSites(t *testing.T) *Mirrors {
	t.Helper()
	ctx := context.Background()
	dir, err := run.lab.Releases(ctx)
	ok(t, err)
	program, err := run.lab.program(ctx, "mirrorsd")
	ok(t, err)
	m := &Mirrors{repo: dir, Box: l.startSpec(t, Spec{
		Name: "sites", Uses: []string{dir, program},
		Binds: []string{dir + ":/srv/mirror", program + ":/srv/mirrorsd"},
	})}
	for i, s := range []leg{{Name: "proxy-a", Root: "proxy", rate: 120}, {Name: "proxy-b", Root: "proxy", rate: 240}, {Name: "archives", Root: "archives", rate: 400}} {
		s.Address, s.Device, s.Root = fmt.Sprintf("10.9.0.%d", 10+i), fmt.Sprintf("m%d", 10+i), "/srv/mirror/"+s.Root
		m.Legs = append(m.Legs, s)
	}
	m.serve()
	m.throttle()
	return m
}
