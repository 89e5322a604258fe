package toolchain

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/op"
	"goxin/steps/verify"
)

// shelf is a directory with archives: what a person brought, a neighbour shares, or a
// file system that holds a GOPROXY's tree.
type shelf struct {
	m     machine.Machine
	dir   string
	files []string // paths of what looks like a release, archives before modules
	err   error    // of reading the directory
}

// moduleDir is where a GOPROXY's tree has the toolchain's module.
const moduleDir = verify.ToolchainModule + "/@v"

var releaseFile = regexp.MustCompile(`^(?:go1[0-9a-z.]*?\.(?:src|[a-z0-9]+-[a-z0-9]+)\.tar\.gz|v0\.0\.1-go1[0-9a-z.]*\.[a-z0-9]+-[a-z0-9]+\.zip)$`)

// openShelf looks at a directory, or at one archive that is named itself.
func openShelf(m machine.Machine, dir string) *shelf {
	s := &shelf{m: m, dir: dir}
	if info, err := m.Stat(dir); err == nil && info.Mode.IsRegular() && releaseFile.MatchString(path.Base(dir)) {
		s.dir, s.files = path.Dir(dir), []string{dir}
		return s
	}
	var modules []string
	for _, sub := range []string{"", moduleDir} {
		at := path.Join(dir, sub)
		names, err := m.ReadDir(at)
		if err != nil {
			if sub == "" {
				s.err = err
			}
			continue
		}
		for _, n := range names {
			switch {
			case !releaseFile.MatchString(n):
			case strings.HasSuffix(n, ".zip"):
				modules = append(modules, path.Join(at, n))
			default:
				s.files = append(s.files, path.Join(at, n))
			}
		}
	}
	s.files = append(s.files, modules...)
	return s
}

// versions are those of which there is something for a platform: an archive or a
// module, or, to build from, the source.
func (s *shelf) versions(arch string, source bool) []string {
	var out []string
	for _, f := range s.files {
		if v := versionOf(f, arch, source); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// versionOf is the version that a file has for a platform; "" where it is for another.
// To build from, every platform's will do: all of them have the same source.
func versionOf(file, arch string, source bool) string {
	n := path.Base(file)
	if v, ok := strings.CutSuffix(n, ".src.tar.gz"); ok {
		if source {
			return v
		}
		return ""
	}
	for _, ext := range []string{".tar.gz", ".zip"} {
		n = strings.TrimSuffix(n, ext)
	}
	v, of, ok := strings.Cut(n, ".linux-")
	if !ok || of != arch && !source {
		return ""
	}
	return strings.TrimPrefix(v, "v0.0.1-")
}

// find is the file of a version, and its format; "" where there is none. To build from,
// the source alone comes before what else has it, and this platform's before another's.
func (s *shelf) find(v, arch string, source bool) (file, format string) {
	best := 0
	for _, f := range s.files {
		rank := 1
		switch {
		case versionOf(f, arch, source) != v:
			continue
		case strings.HasSuffix(f, ".src.tar.gz"):
			rank = 3
		case versionOf(f, arch, false) != "":
			rank = 2
		}
		if rank > best {
			best, file, format = rank, f, formatOf(f)
		}
	}
	return file, format
}

func formatOf(file string) string {
	if strings.HasSuffix(file, ".zip") {
		return formatZip
	}
	return formatTar
}

// lacks says that what is asked for is not in the directory, and what is.
func (s *shelf) lacks(asked, arch string, source bool) *lang.Error {
	dir := op.Visible(s.dir)
	if info, err := s.m.Stat(s.dir); err == nil && info.Mode.IsRegular() {
		return lang.Errorf(nil, "cannot install Go from %s: its name does not say what it is", "无法从 %s 安装 Go：从文件名看不出是什么", dir).
			WithHint("give it the name that go.dev/dl gives it, like go1.26.8.linux-%s.tar.gz, or name the directory", "请用 go.dev/dl 的原名，如 go1.26.8.linux-%s.tar.gz，或填写所在目录", arch)
	}
	if s.err != nil {
		return lang.Errorf(s.err, "cannot read the directory %s", "无法读取目录 %s", dir).
			WithHint("is the stick mounted there? mount shows what is where", "U 盘是否已挂载在此处？用 mount 查看")
	}
	if asked == latest {
		asked = "Go"
	}
	err := lang.Errorf(nil, "cannot install %s: %s has no archive of it for linux/%s", "无法安装 %s：%s 中没有适用于 linux/%s 的安装包", asked, dir, arch)
	if source {
		err = lang.Errorf(nil, "cannot build %s: %s has neither its source nor an archive of it", "无法编译 %s：%s 中既没有它的源码，也没有它的安装包", asked, dir)
	}
	if len(s.files) == 0 {
		example := verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: arch}
		return err.WithHint("put files there under the names that go.dev/dl gives them: %s, with %s.asc beside it", "请放入与 go.dev/dl 同名的文件：%s，并附上 %s.asc", example.Archive(), example.Archive())
	}
	var names []string
	for _, f := range s.files[:min(5, len(s.files))] {
		names = append(names, op.Visible(path.Base(f)))
	}
	return err.WithHint("these are there: %s", "其中有：%s", lang.List(names...))
}

// beside is a small file next to an archive, such as its signature; nil where there
// is none.
func (s *shelf) beside(name string, limit int64) []byte {
	info, err := s.m.Stat(name)
	if err != nil || !info.Mode.IsRegular() || info.Size > limit {
		return nil
	}
	b, err := s.m.ReadFile(name)
	if err != nil {
		return nil
	}
	return b
}
