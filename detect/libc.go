package detect

import (
	"bytes"
	"io"
	"path"
	"strings"

	"goxin/assets/lang"
)

// probeLibc reads the C library's version off the name that libc.so.6 or the
// loader is a link to (up to 2.33), or off the banner inside it. Nothing is run:
// an old world's library could not be on a new kernel.
func probeLibc(h *host, f *Facts) {
	l := &f.Libc
	if ldso := h.muslLoader(); ldso != "" {
		l.Name = known("musl", ldso)
		l.Version = unknown[string](lang.T("musl tells its version only when run", "musl 只有运行时才显示版本"))
		return
	}
	for _, dir := range libDirs(f.Arch.GOARCH.Value) {
		file := dir + "/libc.so.6"
		target, err := h.m.Readlink(file)
		if err == nil {
			if v, ok := versionIn(path.Base(target), "libc-"); ok {
				l.Name, l.Version = known("glibc", file), known(v, file+" -> "+target)
				return
			}
		}
		if err != nil && !h.exists(file) {
			continue
		}
		l.Name = known("glibc", file)
		if v := h.banner(file); v != "" {
			l.Version = known(v, lang.F("%s: its banner", "%s 内的版本信息", file))
			return
		}
		l.Version = unknown[string](lang.F("%s has no banner", "%s 内没有版本信息", file))
		return
	}
	for _, ld := range []string{"/lib64/ld.so.1", "/lib64/ld-linux-loongarch-lp64d.so.1", "/lib/ld-linux-aarch64.so.1", "/lib64/ld-linux-x86-64.so.2"} {
		if target, err := h.m.Readlink(ld); err == nil {
			if v, ok := versionIn(path.Base(target), "ld-"); ok {
				l.Name, l.Version = known("glibc", ld), known(v, ld+" -> "+target)
				return
			}
		}
	}
	l.Name = unknown[string](lang.T("neither libc.so.6 nor musl's loader", "既没有 libc.so.6，也没有 musl 的加载器"))
	l.Version = unknown[string](l.Name.From)
}

func (h *host) muslLoader() string {
	for _, name := range h.list("/lib") {
		if strings.HasPrefix(name, "ld-musl-") {
			return "/lib/" + name
		}
	}
	return ""
}

// versionIn reads 2.28 off "libc-2.28.so".
func versionIn(name, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	v, so, hasSO := strings.Cut(rest, ".so")
	return v, ok && hasSO && so == "" && v != "" && strings.Trim(v, "0123456789.") == ""
}

const bannerMark = "stable release version "

// banner finds "GNU C Library (…) stable release version 2.36." in the library.
func (h *host) banner(file string) string {
	r, err := h.m.Open(file)
	if err != nil {
		return ""
	}
	defer r.Close()
	const keep = 64
	buf := make([]byte, 256<<10)
	have := 0
	for {
		n, err := io.ReadFull(r, buf[have:])
		chunk := buf[:have+n]
		if i := bytes.Index(chunk, []byte(bannerMark)); i >= 0 && (i+keep <= len(chunk) || err != nil) {
			return bannerVersion(string(chunk[i+len(bannerMark):]))
		}
		if err != nil {
			return ""
		}
		have = copy(buf, chunk[max(0, len(chunk)-keep):])
	}
}

func bannerVersion(s string) string {
	if len(s) > 16 {
		s = s[:16]
	}
	if end := strings.IndexFunc(s, func(c rune) bool { return c != '.' && (c < '0' || c > '9') }); end >= 0 {
		s = s[:end]
	}
	return strings.Trim(s, ".")
}
