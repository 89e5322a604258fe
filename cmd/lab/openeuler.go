package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// dnfPackages make a container one that dnf rules, once it is told that it is
// openEuler (see becomeOpenEuler).
var dnfPackages = []string{"dnf", "rpm"}

// openEuler is the directory that openEuler 22.03 LTS SP4 has below a mirror.
const openEuler = "openEuler-22.03-LTS-SP4"

// rpm is a package with the files of .debs, so that a compiler of that name
// compiles; what depends on what is told by name, the way openEuler tells it.
type rpm struct {
	Name, Version      string
	Debs               []string // globs on the names of .debs; the first package that claims one has it
	Requires, Provides []string
	Links              map[string]string // target by path
}

// The compiler's parts are split as openEuler splits them. The last one takes
// what is left: libraries that the others need here and not there.
var rpms = []rpm{
	{Name: "glibc-devel", Version: "2.34", Debs: []string{"libc6-dev", "libc-dev-bin", "libcrypt-dev", "libnsl-dev", "libtirpc-dev", "rpcsvc-proto"}, Requires: []string{"kernel-headers"}},
	{Name: "kernel-headers", Version: "5.10.0", Debs: []string{"linux-libc-dev"}},
	{Name: "binutils", Version: "2.37", Debs: []string{"binutils*", "libbinutils", "libctf*", "libgprofng0"}, Requires: []string{"lab-libs"}},
	{Name: "cpp", Version: "10.3.1", Debs: []string{"cpp", "cpp-*"}, Requires: []string{"lab-libs"}},
	{
		Name: "gcc", Version: "10.3.1", Debs: []string{"gcc", "gcc-*", "libgcc-*-dev", "libcc1-0"},
		Requires: []string{"cpp", "binutils", "glibc-devel"}, Links: map[string]string{"/usr/bin/cc": "gcc"},
	},
	{
		Name: "gcc-c++", Version: "10.3.1", Debs: []string{"g++", "g++-*", "libstdc++-*-dev"},
		Requires: []string{"gcc"}, Links: map[string]string{"/usr/bin/c++": "g++"},
	},
	{Name: "make", Version: "4.3", Debs: []string{"make"}},
	{Name: "git", Version: "2.33.0", Debs: []string{"git", "git-man"}, Requires: []string{"lab-libs"}},
	{Name: "zlib-devel", Version: "1.2.11", Debs: []string{"zlib1g-dev"}, Requires: []string{"zlib"}},
	{Name: "zlib", Version: "1.2.11", Provides: []string{"libz.so.1()(64bit)"}},
	{Name: "libaio", Version: "0.3.113", Debs: []string{"libaio1"}, Provides: []string{"libaio.so.1()(64bit)", "libaio.so.1(LIBAIO_0.1)(64bit)"}},
	{Name: "libaio-devel", Version: "0.3.113", Debs: []string{"libaio-dev"}, Requires: []string{"libaio"}},
	{Name: "pkgconf", Version: "1.8.0", Debs: []string{"pkg-config", "pkgconf*", "libpkgconf*"}, Provides: []string{"pkgconfig"}},
	{Name: "curl", Version: "7.79.1", Debs: []string{"curl", "libcurl4"}, Requires: []string{"lab-libs"}},
	{Name: "nginx", Version: "1.21.5", Debs: []string{"nginx*", "libnginx-*"}, Requires: []string{"lab-libs"}},
	{Name: "keepalived", Version: "2.2.4", Debs: []string{"keepalived"}, Requires: []string{"lab-libs"}},
	{Name: "nftables", Version: "1.0.0", Debs: []string{"nftables"}, Requires: []string{"lab-libs"}},
	{Name: "iptables", Version: "1.8.7", Debs: []string{"iptables"}, Requires: []string{"lab-libs"}},
	{Name: "iputils", Version: "20210722", Debs: []string{"iputils-arping"}, Requires: []string{"lab-libs"}},
	{Name: "sudo", Version: "1.9.8", Debs: []string{"sudo"}},
	{Name: "goxin-lab-small", Version: "1.0"},
	{Name: "goxin-lab-big", Version: "1.0"},
	{Name: "lab-libs", Version: "1.0", Debs: []string{"*"}},
}

// comps is the one group there is, as openEuler calls it.
const comps = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>development</id>
    <name>Development Tools</name>
    <description>A basic development environment.</description>
    <default>false</default>
    <uservisible>true</uservisible>
    <packagelist>
      <packagereq type="mandatory">gcc</packagereq>
      <packagereq type="mandatory">gcc-c++</packagereq>
      <packagereq type="mandatory">make</packagereq>
      <packagereq type="mandatory">binutils</packagereq>
      <packagereq type="mandatory">glibc-devel</packagereq>
      <packagereq type="mandatory">pkgconf</packagereq>
      <packagereq type="default">git</packagereq>
    </packagelist>
  </group>
</comps>
`

// makeOpenEuler makes the repository of openEuler below each variant of dir,
// out of the .debs that are there.
func makeOpenEuler(ctx context.Context, s signer, tree, dir string, now time.Time) error {
	work, err := os.MkdirTemp("", "lab-rpm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	packages := filepath.Join(dir, Good, openEuler, "OS/x86_64/Packages")
	if err := os.MkdirAll(packages, 0o755); err != nil {
		return err
	}
	left, _ := filepath.Glob(filepath.Join(dir, Good, "debian/pool/main/*.deb"))
	for _, r := range rpms {
		var mine, others []string
		for _, deb := range left {
			if r.takes(deb) {
				mine = append(mine, deb)
			} else {
				others = append(others, deb)
			}
		}
		left = others
		if err := r.build(ctx, work, tree, packages, "x86_64", mine); err != nil {
			return err
		}
	}
	if err := s.rpms(ctx, packages); err != nil {
		return err
	}
	if err := os.WriteFile(work+"/comps.xml", []byte(comps), 0o644); err != nil {
		return err
	}
	for _, variant := range variants {
		if err := makeRepodata(ctx, s, work, tree, dir, variant, now); err != nil {
			return err
		}
	}
	return nil
}

func (r rpm) takes(deb string) bool {
	name, _, _ := strings.Cut(filepath.Base(deb), "_")
	if strings.HasPrefix(name, "goxin-lab-") {
		return false
	}
	for _, glob := range r.Debs {
		if ok, _ := filepath.Match(glob, name); ok {
			return true
		}
	}
	return false
}

// build makes the package out of the .debs' files that the tree does not have,
// directories too: what was there before stays, and nothing else, when it goes.
func (r rpm) build(ctx context.Context, work, tree, packages, arch string, debs []string) error {
	root := filepath.Join(work, r.Name)
	if err := os.MkdirAll(root+"/usr", 0o755); err != nil {
		return err
	}
	for _, deb := range debs {
		if err := quietly(ctx, "", nil, "dpkg-deb", "-x", deb, root); err != nil {
			return err
		}
	}
	// The tree has its programs and libraries below /usr alone.
	const merge = `for d in bin sbin lib lib64; do [ ! -d $d ] || { mkdir -p usr/$d; cp -al $d/. usr/$d/; rm -r $d; }; done; rm -rf usr/share/doc usr/share/man usr/share/lintian usr/share/locale`
	if err := quietly(ctx, root, nil, "sh", "-ec", merge); err != nil {
		return err
	}
	own := filepath.Join(root, "usr/share", "lab-"+r.Name)
	if err := os.MkdirAll(own, 0o755); err != nil {
		return err
	}
	size := 64
	if r.Name == "goxin-lab-big" {
		size = bigPackage
	}
	if err := noise(own+"/noise", size); err != nil {
		return err
	}
	for name, target := range r.Links {
		if err := os.Symlink(target, root+name); err != nil {
			return err
		}
	}
	files, err := rpmFiles(root, tree)
	if err != nil {
		return err
	}
	spec := fmt.Sprintf("Name: %s\nVersion: %s\nRelease: 1.oe2203sp4\nSummary: %s of the lab\nLicense: GPL\nAutoReqProv: no\n", r.Name, r.Version, r.Name)
	for _, name := range r.Requires {
		spec += "Requires: " + name + "\n"
	}
	for _, name := range r.Provides {
		spec += "Provides: " + name + "\n"
	}
	spec += "%description\nFor tests.\n%install\nmkdir -p %{buildroot}\ncp -al " + root + "/. %{buildroot}/\n%files\n%defattr(-,root,root,-)\n" + files
	name := filepath.Join(work, r.Name+".spec")
	if err := os.WriteFile(name, []byte(spec), 0o644); err != nil {
		return err
	}
	return quietly(ctx, work, nil, "rpmbuild", "--quiet", "-bb", "--target", arch,
		"--define", "_topdir "+work+"/top", "--define", "_rpmdir "+packages, "--define", "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm",
		"--define", "debug_package %{nil}", "--define", "__os_install_post %{nil}", "--define", "_build_id_links none", "--define", "_unpackaged_files_terminate_build 0",
		"--define", "_binary_payload w1.gzdio", "--define", "_dbpath "+work+"/db", name)
}

// rpmFiles is the %files list of what is below root.
func rpmFiles(root, tree string) (string, error) {
	var list strings.Builder
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		path := strings.TrimPrefix(name, root)
		if _, err := os.Lstat(tree + path); err == nil {
			return nil
		}
		prefix := ""
		if d.IsDir() {
			prefix = "%dir "
		}
		// Quoted, or some signs would be a pattern's.
		fmt.Fprintf(&list, "%s%q\n", prefix, strings.NewReplacer("[", "?", "]", "?", "%", "%%").Replace(path))
		return nil
	})
	return list.String(), err
}

var repomdTimes = regexp.MustCompile(`<(timestamp|revision)>\d+<`)

// makeRepodata makes one variant's metadata and its signature.
func makeRepodata(ctx context.Context, s signer, work, tree, dir, variant string, now time.Time) error {
	good, base := filepath.Join(dir, Good, openEuler, "OS/x86_64"), filepath.Join(dir, variant, openEuler, "OS/x86_64")
	if err := os.MkdirAll(base, 0o755); err != nil {
		return err
	}
	create := []string{"createrepo_c", "-q", "-g", work + "/comps.xml", "--revision", "0", base}
	var err error
	switch variant {
	case Good:
		err = quietly(ctx, "", nil, create...)
	case Foreign:
		small := rpm{Name: "goxin-lab-small", Version: "1.0"}
		if err = small.build(ctx, work+"/foreign", tree, base+"/Packages", "aarch64", nil); err == nil {
			err = s.rpms(ctx, base+"/Packages")
		}
		if err == nil {
			err = quietly(ctx, "", nil, create...)
		}
	default:
		if err = copyTree(good+"/repodata", base+"/repodata"); err == nil {
			err = os.Symlink("../../../../"+Good+"/"+openEuler+"/OS/x86_64/Packages", base+"/Packages")
		}
	}
	if err != nil {
		return err
	}
	if err := copyFile(dir+"/lab.asc", base+"/RPM-GPG-KEY-openEuler", 0o644); err != nil {
		return err
	}
	repomd := base + "/repodata/repomd.xml"
	b, err := os.ReadFile(repomd)
	if err != nil {
		return err
	}
	id, published := signedBy(variant, now)
	b = repomdTimes.ReplaceAll(b, fmt.Appendf(nil, "<$1>%d<", published.Unix()))
	if err := os.WriteFile(repomd, b, 0o644); err != nil {
		return err
	}
	return s.detached(ctx, id, repomd, repomd+".asc")
}
