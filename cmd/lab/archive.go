package main

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

type archiveRecipe struct {
	Tree    string // whose packages the .debs fit
	Suite   suite
	Debs    []string
	Version int // of how it is made
}

// archiveDebs are what a pair gets, nginx by the name that goxin asks for: bullseye has
// several, and the package of that name stands for one of them.
var archiveDebs = []string{"nginx", "keepalived", "nftables", "iptables", "iputils-arping", "sudo"}

// Archive gives the directory of a repository that a machine of a release and
// architecture gets the pair's packages from, made once:
//
//	lab.asc       the key that signs, armoured
//	good/debian/  a partial mirror of Debian
//
// That of bookworm on the host's own architecture is in Repository.
func (l *Lab) Archive(ctx context.Context, release, arch string) (string, error) {
	if release == "bookworm" && arch == "" {
		return l.Repository(ctx)
	}
	tree, err := l.tree(ctx, base{kind: SystemContainer, release: release, arch: arch})
	if err != nil {
		return "", err
	}
	d := suite{release, "amd64"}
	if arch != "" {
		d.Arch = arch
	}
	r := archiveRecipe{Tree: filepath.Base(tree), Suite: d, Debs: archiveDebs, Version: 1}
	return l.cache.once("repositories", key(r), func(tmp string) error {
		l.say("building a partial mirror of Debian %s for %s", d.Release, d.Arch)
		s, err := newSigner(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		root := filepath.Join(tmp, Good, "debian")
		pool := filepath.Join(root, "pool/main")
		if err := os.MkdirAll(pool, 0o755); err != nil {
			return err
		}
		if err := s.export(ctx, filepath.Join(tmp, "lab.asc")); err != nil {
			return err
		}
		if err := d.download(ctx, tree, pool, r.Debs); err != nil {
			return err
		}
		return d.make(ctx, s, root, Good, time.Now())
	})
}
