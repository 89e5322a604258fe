package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Variants are the states of the package repositories that a mirror serves: what
// a handler cannot make out of a good one, since only the holder of the key can.
// All are directories of Repository; packages are shared.
const (
	Good     = "good"
	Stale    = "stale"    // signed well, but 45 days behind
	Stranger = "stranger" // signed well by a key nobody trusts
	Foreign  = "foreign"  // signed well, for another processor alone
)

var variants = []string{Good, Stale, Stranger, Foreign}

// repositoryRecipe is all that decides what the repositories hold.
type repositoryRecipe struct {
	Trees   []string // whose packages the .debs fit, and whose files no .rpm has
	Debs    []string
	Rpms    []rpm
	Comps   string
	Version int // of how they are made
}

// wantedDebs are what steps install on Debian 12, with what they depend on.
var wantedDebs = append([]string{"build-essential", "git", "zlib1g-dev", "libaio1", "libaio-dev", "pkg-config", "curl", "chrony"}, pairDebs...)

// pairDebs are what a pair of machines gets, and what a person may have on one
// of them before.
var pairDebs = []string{"nginx-light", "keepalived", "nftables", "iptables", "iputils-arping", "sudo"}

// signer holds the two keys of the lab while repositories are being made. The
// secret halves are gone afterwards: nobody can sign what was tampered with.
type signer struct{ home string }

const (
	labKey      = "goxin lab <lab@goxin.invalid>"
	strangerKey = "a stranger <stranger@goxin.invalid>"
)

func newSigner(ctx context.Context) (signer, error) {
	home, err := os.MkdirTemp("", "lab-keys-") // its sockets need a short path
	if err != nil {
		return signer{}, err
	}
	s := signer{home}
	for _, id := range []string{labKey, strangerKey} {
		if err := s.gpg(ctx, "--passphrase", "", "--quick-gen-key", id, "rsa3072", "sign", "never"); err != nil {
			s.close()
			return s, err
		}
	}
	return s, nil
}

func (s signer) close() {
	_ = exec.Command("gpgconf", "--homedir", s.home, "--kill", "all").Run()
	_ = os.RemoveAll(s.home)
}

func (s signer) gpg(ctx context.Context, args ...string) error {
	return quietly(ctx, "", nil, append([]string{"gpg", "--homedir", s.home, "--batch", "--yes", "--quiet"}, args...)...)
}

func (s signer) clearsign(ctx context.Context, id, in, out string) error {
	return s.gpg(ctx, "--local-user", id, "--digest-algo", "sha256", "--output", out, "--clear-sign", in)
}

func (s signer) detached(ctx context.Context, id, in, out string) error {
	return s.gpg(ctx, "--local-user", id, "--digest-algo", "sha256", "--armor", "--output", out, "--detach-sign", in)
}

// export writes the key of the lab, armoured.
func (s signer) export(ctx context.Context, out string) error {
	return s.gpg(ctx, "--armor", "--output", out, "--export", labKey)
}

// rpms signs the packages in a directory.
func (s signer) rpms(ctx context.Context, dir string) error {
	built, _ := filepath.Glob(dir + "/*.rpm")
	argv := append([]string{"rpmsign", "--define", "_gpg_name " + labKey, "--define", "__gpg /usr/bin/gpg", "--addsign"}, built...)
	return quietly(ctx, "", []string{"GNUPGHOME=" + s.home}, argv...)
}

// quietly runs one program, whose output matters only if it fails.
func quietly(ctx context.Context, dir string, env []string, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "LC_ALL=C"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv[:min(len(argv), 8)], " "), err, tail(out))
	}
	return nil
}

// Repository gives the directory of the package repositories, made once:
//
//	lab.asc                           the key that signs, armoured
//	VARIANT/debian/                   a partial mirror of Debian bookworm
//	VARIANT/openEuler-22.03-LTS-SP4/  packages that call themselves openEuler's
//
// The .debs are Debian's own, from the archive that the base tree is from; the
// .rpms hold the same files under the names that openEuler has for them.
func (l *Lab) Repository(ctx context.Context) (string, error) {
	tree, err := l.tree(ctx, base{kind: SystemContainer, release: "bookworm"})
	if err != nil {
		return "", err
	}
	ruled, err := l.tree(ctx, base{kind: SystemContainer, release: "bookworm", packages: dnfPackages})
	if err != nil {
		return "", err
	}
	r := repositoryRecipe{Trees: []string{filepath.Base(tree), filepath.Base(ruled)}, Debs: wantedDebs, Rpms: rpms, Comps: comps, Version: 1}
	return l.cache.once("repositories", key(r), func(tmp string) error {
		l.say("building the package repositories: a partial mirror of Debian and one of openEuler, about a minute")
		s, err := newSigner(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		if err := os.MkdirAll(tmp, 0o755); err != nil {
			return err
		}
		if err := s.export(ctx, filepath.Join(tmp, "lab.asc")); err != nil {
			return err
		}
		now := time.Now()
		if err := makeDebian(ctx, s, tree, tmp, now); err != nil {
			return err
		}
		return makeOpenEuler(ctx, s, ruled, tmp, now)
	})
}

// signedBy is who signs a variant, and when it says it was published.
func signedBy(variant string, now time.Time) (id string, published time.Time) {
	switch variant {
	case Stale:
		return labKey, now.Add(-45 * 24 * time.Hour)
	case Stranger:
		return strangerKey, now
	}
	return labKey, now
}

// noise makes a file that no compression makes smaller, the same every time.
func noise(name string, size int) error {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // it never fails
	return os.WriteFile(name, b, 0o644)
}

// bigPackage is how much the package holds that throughput is measured with.
const bigPackage = 8 << 20
