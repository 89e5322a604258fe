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

// suite is a release of Debian for one architecture.
type suite struct{ Release, Arch string }

// debianVersions are what releases call themselves by number.
var debianVersions = map[string]string{"bullseye": "11", "bookworm": "12", "trixie": "13"}

// makeDebian makes the partial mirror of Debian below each variant of dir.
func makeDebian(ctx context.Context, s signer, tree, dir string, now time.Time) error {
	pool := filepath.Join(dir, Good, "debian/pool/main")
	if err := os.MkdirAll(pool, 0o755); err != nil {
		return err
	}
	bookworm := suite{"bookworm", "amd64"}
	if err := bookworm.download(ctx, tree, pool, wantedDebs); err != nil {
		return err
	}
	if err := labDebs(ctx, pool); err != nil {
		return err
	}
	for _, variant := range variants {
		if err := bookworm.make(ctx, s, filepath.Join(dir, variant, "debian"), variant, now); err != nil {
			return err
		}
	}
	return nil
}

// download gets the wanted packages and what they need beside what the tree
// has, by the host's own apt and proxies, but with a state of its own.
func (d suite) download(ctx context.Context, tree, pool string, wanted []string) error {
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
	source := fmt.Sprintf("deb [arch=%s signed-by=%s] %s %s main\n", d.Arch, debianKeyring, mirror, d.Release)
	if err := os.WriteFile(tmp+"/sources.list", []byte(source), 0o644); err != nil {
		return err
	}
	apt := []string{
		"apt-get", "-qq", "-y", "-o", "Dir::State=" + tmp + "/state", "-o", "Dir::State::status=" + tree + "/var/lib/dpkg/status",
		"-o", "Dir::Cache=" + tmp + "/cache", "-o", "Dir::Etc::sourcelist=" + tmp + "/sources.list", "-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::Etc::preferences=-", "-o", "Dir::Etc::preferencesparts=-",
		"-o", "APT::Sandbox::User=root", "-o", "APT::Architecture=" + d.Arch, "-o", "APT::Architectures=" + d.Arch, "-o", "Acquire::Languages=none",
	}
	if err := quietly(ctx, "", nil, append(apt, "update")...); err != nil {
		return err
	}
	if err := quietly(ctx, "", nil, append(append(apt, "install", "--no-install-recommends", "--download-only"), wanted...)...); err != nil {
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

// make makes one variant's indexes and signatures; its packages are those of the
// good one.
func (d suite) make(ctx context.Context, s signer, root, variant string, now time.Time) error {
	arch := d.Arch
	if variant == Foreign {
		arch = "arm64"
	}
	dist, binary := filepath.Join(root, "dists", d.Release), "main/binary-"+arch
	if err := os.MkdirAll(filepath.Join(dist, binary), 0o755); err != nil {
		return err
	}
	if variant != Good {
		if err := os.Symlink("../../"+Good+"/debian/pool", filepath.Join(root, "pool")); err != nil {
			return err
		}
	}
	script := `apt-ftparchive --arch "$2" packages pool >"$1/Packages"; cd "$1"; gzip -9nk Packages; xz -k Packages`
	if variant == Foreign {
		script = `apt-ftparchive --arch "$2" packages pool | sed "s/^Architecture: $2/Architecture: arm64/" >"$1/Packages"; cd "$1"; gzip -9nk Packages; xz -k Packages`
	}
	if err := quietly(ctx, root, nil, "sh", "-ec", script, "sh", "dists/"+d.Release+"/"+binary, d.Arch); err != nil {
		return err
	}
	id, published := signedBy(variant, now)
	var sums strings.Builder
	for _, name := range []string{"Packages", "Packages.gz", "Packages.xz"} {
		b, err := os.ReadFile(filepath.Join(dist, binary, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, " %x %d %s/%s\n", sha256.Sum256(b), len(b), binary, name)
	}
	const format = "Mon, 02 Jan 2006 15:04:05 UTC"
	release := "Origin: Debian\nLabel: Debian\nSuite: " + d.Release + "\nVersion: " + debianVersions[d.Release] + "\nCodename: " + d.Release + "\n" +
		"Date: " + published.UTC().Format(format) + "\nValid-Until: " + now.AddDate(1, 0, 0).UTC().Format(format) + "\n" +
		"Architectures: " + arch + "\nComponents: main\nDescription: a partial mirror in the lab\nSHA256:\n" + sums.String()
	plain := filepath.Join(dist, "Release")
	if err := os.WriteFile(plain, []byte(release), 0o644); err != nil {
		return err
	}
	if err := s.detached(ctx, id, plain, plain+".gpg"); err != nil {
		return err
	}
	return s.clearsign(ctx, id, plain, filepath.Join(dist, "InRelease"))
}
