package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// makeDebian makes the partial mirror of Debian below each variant of dir.
func makeDebian(ctx context.Context, s signer, tree, dir string, now time.Time) error {
	pool := filepath.Join(dir, Good, "debian/pool/main")
	if err := os.MkdirAll(pool, 0o755); err != nil {
		return err
	}
	if err := downloadDebs(ctx, tree, pool); err != nil {
		return err
	}
	if err := labDebs(ctx, pool); err != nil {
		return err
	}
	for _, variant := range variants {
		if err := makeSuite(ctx, s, filepath.Join(dir, variant, "debian"), variant, now); err != nil {
			return err
		}
	}
	return nil
}

// downloadDebs gets the wanted packages and what they need beside what the tree
// has, by the host's own apt and proxies, but with a state of its own.
func downloadDebs(ctx context.Context, tree, pool string) error {
	mirror, err := hostMirror()
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "lab-apt-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, sub := range []string{"/cache/archives/partial", "/state/lists/partial"} {
		if err := os.MkdirAll(tmp+sub, 0o755); err != nil {
			return err
		}
	}
	source := fmt.Sprintf("deb [arch=amd64 signed-by=%s] %s bookworm main\n", debianKeyring, mirror)
	if err := os.WriteFile(tmp+"/sources.list", []byte(source), 0o644); err != nil {
		return err
	}
	apt := []string{
		"apt-get", "-qq", "-y", "-o", "Dir::State=" + tmp + "/state", "-o", "Dir::State::status=" + tree + "/var/lib/dpkg/status",
		"-o", "Dir::Cache=" + tmp + "/cache", "-o", "Dir::Etc::sourcelist=" + tmp + "/sources.list", "-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::Etc::preferences=-", "-o", "Dir::Etc::preferencesparts=-",
		"-o", "APT::Sandbox::User=root", "-o", "APT::Architecture=amd64", "-o", "Acquire::Languages=none",
	}
	if err := quietly(ctx, "", nil, append(apt, "update")...); err != nil {
		return err
	}
	if err := quietly(ctx, "", nil, append(append(apt, "install", "--no-install-recommends", "--download-only"), wantedDebs...)...); err != nil {
		return err
	}
	debs, _ := filepath.Glob(tmp + "/cache/archives/*.deb")
	for _, deb := range debs {
		// A pool's names have no epoch, apt's have.
		name, version, _ := strings.Cut(filepath.Base(deb), "_")
		if _, rest, ok := strings.Cut(version, "%3a"); ok {
			version = rest
		}
		if err := copyFile(deb, filepath.Join(pool, name+"_"+version), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// labDebs makes the packages that are nobody's: one to install, one to measure.
func labDebs(ctx context.Context, pool string) error {
	for name, size := range map[string]int{"goxin-lab-small": 64, "goxin-lab-big": bigPackage} {
		root, err := os.MkdirTemp("", "lab-deb-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(root)
		control := "Package: " + name + "\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: " + labKey + "\nDescription: a package of the lab\n"
		data := filepath.Join(root, "usr/share", name)
		for _, sub := range []string{data, root + "/DEBIAN"} {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return err
			}
		}
		if err := os.Chmod(root, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(root+"/DEBIAN/control", []byte(control), 0o644); err != nil {
			return err
		}
		if err := noise(data+"/noise", size); err != nil {
			return err
		}
		if err := quietly(ctx, "", nil, "dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", root, filepath.Join(pool, name+"_1.0-1_amd64.deb")); err != nil {
			return err
		}
	}
	return nil
}

// makeSuite makes one variant's indexes and signatures; its packages are those
// of the good one.
func makeSuite(ctx context.Context, s signer, root, variant string, now time.Time) error {
	arch := "amd64"
	if variant == Foreign {
		arch = "arm64"
	}
	suite, binary := filepath.Join(root, "dists/bookworm"), "main/binary-"+arch
	if err := os.MkdirAll(filepath.Join(suite, binary), 0o755); err != nil {
		return err
	}
	if variant != Good {
		if err := os.Symlink("../../"+Good+"/debian/pool", filepath.Join(root, "pool")); err != nil {
			return err
		}
	}
	script := `apt-ftparchive --arch amd64 packages pool >"$1/Packages"; cd "$1"; gzip -9nk Packages; xz -k Packages`
	if variant == Foreign {
		script = `apt-ftparchive --arch amd64 packages pool | sed 's/^Architecture: amd64/Architecture: arm64/' >"$1/Packages"; cd "$1"; gzip -9nk Packages; xz -k Packages`
	}
	if err := quietly(ctx, root, nil, "sh", "-ec", script, "sh", "dists/bookworm/"+binary); err != nil {
		return err
	}
	id, published := signedBy(variant, now)
	var sums strings.Builder
	for _, name := range []string{"Packages", "Packages.gz", "Packages.xz"} {
		b, err := os.ReadFile(filepath.Join(suite, binary, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, " %x %d %s/%s\n", sha256.Sum256(b), len(b), binary, name)
	}
	const format = "Mon, 02 Jan 2006 15:04:05 UTC"
	release := "Origin: Debian\nLabel: Debian\nSuite: bookworm\nVersion: 12\nCodename: bookworm\n" +
		"Date: " + published.UTC().Format(format) + "\nValid-Until: " + now.AddDate(1, 0, 0).UTC().Format(format) + "\n" +
		"Architectures: " + arch + "\nComponents: main\nDescription: a partial mirror in the lab\nSHA256:\n" + sums.String()
	plain := filepath.Join(suite, "Release")
	if err := os.WriteFile(plain, []byte(release), 0o644); err != nil {
		return err
	}
	if err := s.detached(ctx, id, plain, plain+".gpg"); err != nil {
		return err
	}
	return s.clearsign(ctx, id, plain, filepath.Join(suite, "InRelease"))
}
