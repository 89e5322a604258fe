package machine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const factsJSON = `{"name":"kylin","kernel":{"release":"4.19.90","machine":"aarch64","page_size":65536},
"space":{"/":{"free":10,"total":20},"/var":{"free":1,"total":2}},"now":"2024-05-06T07:08:09Z"}`

const commandsJSON = `[{"argv":["rpm","-q","bash"],"lines":["bash-5"],"code":0},
{"argv":["rpm","-q","x"],"lines":["package x is not installed"],"code":1}]`

func dirEntry(name string, mode int64) tar.Header {
	return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}
}

func linkEntry(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}
}

// member is an entry with its content.
type member struct {
	tar.Header
	data string
}

func file(name, data string) member {
	return member{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))}, data}
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if os.Geteuid() != 0 {
			m.Uid, m.Gid = 0, 0
		}
		if err := w.WriteHeader(&m.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(t testing.TB, data []byte) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func facts() member { return file("machine.json", factsJSON) }

func openKylin(t *testing.T, opts ...Option) (Machine, string) {
	t.Helper()
	owned := file("root/etc/kylin-release", "Kylin")
	owned.Uid, owned.Gid, owned.Mode = 12, 34, 0o4640
	dir := filepath.Join(t.TempDir(), "new", "dir")
	m, err := OpenRecorded("kylin", gz(t, tarOf(t,
		member{dirEntry("./", 0o755), ""}, facts(), file("./commands.json", commandsJSON), file("provenance.txt", "composed"),
		member{dirEntry("root/", 0o755), ""}, member{dirEntry("root/secret/", 0o500), ""}, file("root/secret/in", "x"), owned,
		member{linkEntry("root/etc/release", "/etc/kylin-release"), ""},
		member{linkEntry("root/out", "../../../../../../../etc/passwd"), ""},
		file("root/proc/sys/vm/swappiness", "60\n"), file("root/sys/bus/pci/devices/0000:00:00.0/class", "0x06\n"),
		member{tar.Header{Typeflag: tar.TypeLink, Name: "root/hard", Linkname: "root/etc/kylin-release"}, ""},
	)), dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return m, dir
}

func TestACapturedMachineIsWhatItWas(t *testing.T) {
	m, dir := openKylin(t)
	if m.ID() != "sim:kylin" || !m.Now().Equal(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)) {
		t.Error(m.ID(), m.Now())
	}
	if k, err := m.Kernel(); err != nil || k.Release != "4.19.90" || k.PageSize != 65536 {
		t.Errorf("%+v, %v", k, err)
	}
	for name, want := range map[string]Space{"/": {10, 20}, "/etc/x": {10, 20}, "/var": {1, 2}, "/var/lib/x": {1, 2}, "/variable": {10, 20}} {
		if s, err := m.Space(name); err != nil || s != want {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	for name, want := range map[string]string{
		"/etc/release": "Kylin", "/hard": "Kylin", "/secret/in": "x",
		"/sys/bus/pci/devices/0000:00:00.0/class": "0x06\n",
	} {
		if b, err := m.ReadFile(name); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if b, err := m.ReadFile("/out"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link out of the tree reads %q, %v", b, err)
	}
	i, err := m.Stat("/etc/release")
	if err != nil || i.Mode != 0o640|fs.ModeSetuid || os.Geteuid() == 0 && (i.UID != 12 || i.GID != 34) {
		t.Errorf("%+v, %v", i, err)
	}
	mode := fs.ModeDir | 0o500
	if os.Geteuid() != 0 {
		mode |= 0o200
	}
	if i, err := m.Stat("/secret"); err != nil || i.Mode != mode {
		t.Errorf("%+v, %v", i, err)
	}
	if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("others may enter: %v, %v", fi.Mode(), err)
	}
	if got := m.(Rooted).HostPath("/etc/release"); got != dir+"/root/etc/kylin-release" {
		t.Error(got)
	}
	if got := names(t, dir); got != "commands.json machine.json root" {
		t.Error(got)
	}
}

func TestACapturedMachineAnswersItsCommands(t *testing.T) {
	m, _ := openKylin(t)
	var lines []string
	say := func(l string) { lines = append(lines, l) }
	if err := m.Run(t.Context(), Command{Argv: []string{"rpm", "-q", "bash"}}, say); err != nil {
		t.Error(err)
	}
	err := m.Run(t.Context(), Command{Argv: []string{"rpm", "-q", "x"}}, say)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 1 || !slices.Equal(lines, []string{"bash-5", "package x is not installed"}) {
		t.Errorf("%v, %q", err, lines)
	}
	for _, argv := range [][]string{{"rpm", "-q"}, {"sh", "-c", "true"}, nil} {
		if err := m.Run(t.Context(), Command{Argv: argv}, nil); !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("%q: %v", argv, err)
		}
	}
	if _, err := m.Dial(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
}

func TestACapturedMachineCanBeChanged(t *testing.T) {
	var effects []string
	m, dir := openKylin(t, WithEffects(func(e, name string) error { effects = append(effects, e); return nil }))
	if err := m.WriteKernel("/proc/sys/vm/swappiness", []byte("1\n")); err != nil {
		t.Error(err)
	}
	if b, err := m.ReadFile("/proc/sys/vm/swappiness"); err != nil || string(b) != "1\n" {
		t.Errorf("%q, %v", b, err)
	}
	if !slices.Equal(effects, []string{"kernel"}) {
		t.Errorf("%q", effects)
	}
	if err := m.WriteKernel("/proc/sys/vm/none", []byte("1\n")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := m.WriteKernel("/etc/release", []byte("1\n")); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := m.WriteFile("/etc/new", []byte("x"), 0o644, Keep); err != nil {
		t.Error(err)
	}
	if got := content(t, filepath.Join(dir, "root/etc/new")); got != "x" {
		t.Errorf("%q", got)
	}
}

func TestAHostileArchiveIsRefusedAndEscapesNowhere(t *testing.T) {
	many := []member{facts()}
	for range 30 {
		many = append(many, file("root/"+strings.Repeat("a", len(many)), ""))
	}
	small := limits{entries: 25, file: 1 << 10, total: 4 << 10, depth: 8}
	big := strings.Repeat("x", 1<<10)
	odd := func(kind byte) member {
		return member{tar.Header{Typeflag: kind, Name: "root/odd", Linkname: "root/x", Mode: 0o600}, ""}
	}
	for name, members := range map[string][]member{
		"climbs":                 {facts(), file("../x", "out")},
		"climbs from the tree":   {facts(), file("root/../../x", "out")},
		"dots inside":            {facts(), file("root/a/../b", "out")},
		"absolute":               {facts(), file("/x", "out")},
		"through a link":         {facts(), {linkEntry("root/l", "../.."), ""}, file("root/l/x", "out")},
		"over a link":            {facts(), {linkEntry("root/l", "../../x"), ""}, file("root/l", "out")},
		"a directory for a link": {facts(), {linkEntry("root/l", "../.."), ""}, {dirEntry("root/l", 0o777), ""}, file("root/l/x", "out")},
		"the tree is a link":     {facts(), {linkEntry("root", ".."), ""}, file("root/x", "out")},
		"facts are a link":       {{linkEntry("machine.json", "/etc/passwd"), ""}},
		"facts twice":            {facts(), facts()},
		"no facts":               {file("root/f", "x")},
		"facts are not JSON":     {file("machine.json", "{")},
		"commands are not JSON":  {facts(), file("commands.json", "{}")},
		"a hard link out":        {facts(), {tar.Header{Typeflag: tar.TypeLink, Name: "root/h", Linkname: "../canary"}, ""}},
		"a hard link to nothing": {facts(), odd(tar.TypeLink)},
		"a hard link over one":   {facts(), {linkEntry("root/l", "/"), ""}, {tar.Header{Typeflag: tar.TypeLink, Name: "root/h", Linkname: "root/l/etc/passwd"}, ""}},
		"a device":               {facts(), odd(tar.TypeChar)},
		"a disk":                 {facts(), odd(tar.TypeBlock)},
		"a pipe":                 {facts(), odd(tar.TypeFifo)},
		"a file twice":           {facts(), file("root/f", "1"), file("root/f", "2")},
		"a file as directory":    {facts(), file("root/f", "1"), file("root/f/g", "2")},
		"too many":               many,
		"too large a file":       {facts(), file("root/f", big+"x")},
		"too large in all":       {facts(), file("root/1", big), file("root/2", big), file("root/3", big), file("root/4", big)},
		"too large passed over":  {facts(), file("a", big+big+big), file("b", big+big+big), file("c", big+big+big)},
		"too deep":               {facts(), file("root/1/2/3/4/5/6/7/8/9", "")},
	} {
		top := t.TempDir()
		plant(t, top, "f canary x")
		dir := filepath.Join(top, "dir")
		_, err := openRecorded("x", gz(t, tarOf(t, members...)), dir, small, nil)
		if err == nil {
			t.Errorf("%s: opened", name)
		}
		if got := names(t, top); got != "canary dir" {
			t.Errorf("%s: left %s", name, got)
		}
	}
}

// Twenty million commands fit into an archive of 70 kB, and into 3 GB of memory.
func TestAnArchiveOfMoreCommandsThanAMachineHasIsRefused(t *testing.T) {
	bomb := "[" + strings.Repeat("{},", mostJSON/3) + "{}]"
	_, err := OpenRecorded("x", gz(t, tarOf(t, facts(), file("commands.json", bomb))), filepath.Join(t.TempDir(), "x"))
	if !errors.Is(err, errTooLarge) {
		t.Errorf("%v", err)
	}
}

func TestADamagedArchiveIsRefused(t *testing.T) {
	whole := gz(t, tarOf(t, facts(), file("root/f", strings.Repeat("data", 2000)))).Bytes()
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for name, data := range map[string][]byte{
		"empty": nil, "no gzip": []byte("hello"), "no tar": gz(t, bytes.Repeat([]byte("x"), 2000)).Bytes(),
		"cut": whole[:len(whole)/2], "cut at the end": whole[:len(whole)-4], "flipped": flipped,
	} {
		if _, err := OpenRecorded("x", bytes.NewReader(data), t.TempDir()); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestACapturedMachineIsNotUnpackedOverSomething(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f mine x")
	if _, err := OpenRecorded("x", gz(t, tarOf(t, facts())), dir); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if got := names(t, dir); got != "mine" {
		t.Error(got)
	}
}

// FuzzOpenRecorded opens whatever tar stream comes: nothing may appear outside
// the directory, and what opens must not lead out of it.
func FuzzOpenRecorded(f *testing.F) {
	f.Add(tarOf(f, facts(), file("commands.json", commandsJSON), file("root/a:b", "x"), member{linkEntry("root/l", "/a:b"), ""}))
	f.Add(tarOf(f, facts(), member{linkEntry("root/l", "../../.."), ""}, file("root/l/x", "out")))
	f.Add(tarOf(f, facts(), member{dirEntry("root/d", 0), ""}, file("../x", "out"), file("root/d/../../../x", "out")))
	f.Add(tarOf(f, facts(), file("root/f", "x"), member{tar.Header{Typeflag: tar.TypeLink, Name: "root/h", Linkname: "root/f"}, ""}))
	lim := limits{entries: 100, file: 64 << 10, total: 256 << 10, depth: 16}
	f.Fuzz(func(t *testing.T, data []byte) {
		top, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(top, "dir")
		m, err := openRecorded("x", gz(t, data), dir, lim, nil)
		if got := names(t, top); got != "dir" {
			t.Fatalf("left %s", got)
		}
		if err != nil {
			return
		}
		for _, name := range strings.Split(names(t, dir+"/root"), " ") {
			if name == "" {
				continue
			}
			_, _ = m.ReadFile("/" + name)
			if host, err := m.resolve("/"+name, true); err == nil && host != dir+"/root/" {
				real, err := filepath.EvalSymlinks(filepath.Dir(host))
				if err != nil || real != filepath.Dir(host) || !strings.HasPrefix(real+"/", dir+"/root/") {
					t.Fatalf("%q leads to %q, %q, %v", name, host, real, err)
				}
			}
		}
	})
}
