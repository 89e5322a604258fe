package toolchain

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
	"goxin/steps/steptest"
	"goxin/steps/stock"
	"goxin/steps/verify"
)

// internet is sites on one server, told apart by their names; a name that it does not
// have does not answer.
type internet struct {
	machine.Machine
	server *httptest.Server
	mu     sync.Mutex
	sites  map[string]http.Handler
	asked  []string
	env    map[string]string
}

func (n *internet) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network == "udp" {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sites[strings.TrimSuffix(address, ":80")] == nil {
		return nil, &net.OpError{Op: "dial", Err: errors.New("no route to host")}
	}
	return new(net.Dialer).DialContext(ctx, network, n.server.Listener.Addr().String())
}

func (n *internet) Now() time.Time                      { return time.Now() }
func (n *internet) Space(string) (machine.Space, error) { return machine.Space{Free: 80 << 30}, nil }
func (n *internet) Getenv(name string) string           { return n.env[name] }
func (n *internet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	h := n.sites[r.Host]
	n.asked = append(n.asked, r.Host+r.URL.Path)
	n.mu.Unlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h.ServeHTTP(w, r)
}

func (n *internet) was(part string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.asked {
		if strings.Contains(a, part) {
			return true
		}
	}
	return false
}

// serves hands out files by path, as a mirror does.
func serves(files map[string][]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, path.Base(r.URL.Path), time.Unix(1_780_000_000, 0), bytes.NewReader(b))
	}
}

// proxy is a GOPROXY that carries the checksum database.
func proxy(log http.Handler, versions ...string) http.Handler {
	files := map[string][]byte{}
	var list strings.Builder
	for _, v := range versions {
		t := linux(v, "amd64")
		list.WriteString(t.ModuleVersion() + "\n")
		files[moduleDir+"/"+t.ModuleVersion()+".zip"] = module(t, goFiles(t))
	}
	files[moduleDir+"/list"] = []byte(list.String())
	mux := http.NewServeMux()
	mux.Handle("/sumdb/sum.example.com/", http.StripPrefix("/sumdb/sum.example.com", log))
	mux.Handle("/", serves(files))
	return mux
}

func mirror(files func(verify.Toolchain) map[string]string, versions ...string) http.Handler {
	out := map[string][]byte{}
	for _, v := range versions {
		t := linux(v, "amd64")
		out["golang/"+t.Archive()] = archive(files(t))
	}
	return serves(out)
}

// online puts a machine into that internet, and a catalogue that knows the sites and
// not one release.
func internetOf(t *testing.T, sites map[string]http.Handler, sources ...golang.Source) (*internet, Step, engine.Hosts) {
	t.Helper()
	m, root := steptest.Tree(t, map[string]string{"/etc/hostname": "board\n"})
	if err := os.MkdirAll(root+"/usr/local", 0o755); err != nil {
		t.Fatal(err)
	}
	n := &internet{Machine: m, sites: sites}
	n.server = httptest.NewServer(n)
	t.Cleanup(n.server.Close)
	a := Real()
	a.Key = testKey
	a.Catalogue = func() (*golang.Catalogue, error) { return &golang.Catalogue{Sources: sources}, nil }
	a.Packages = stock.Ask{}
	f := &detect.Facts{Running: true}
	f.Arch.GOARCH = steptest.Fact("amd64")
	return n, Step{&a}, steptest.Hosts(n, f)
}

func site(id, kind string) golang.Source {
	url := "http://" + id
	if kind == kindArchive {
		url += "/golang"
	}
	return golang.Source{ID: id, Name: lang.Same(id), Kind: kind, URL: url}
}

func install(t *testing.T, s Step, m machine.Machine, h engine.Hosts, v engine.Values) ([]engine.Item, error) {
	t.Helper()
	sv := steptest.Survey(t, s, m, h, v)
	items, err := s.Ops(h, sv, v)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		if _, err := it.Op.Do(context.Background(), m, nil); err != nil {
			return items, err
		}
	}
	return items, nil
}

func read(t *testing.T, m machine.Machine, name string) string {
	t.Helper()
	b, err := m.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFromNothingToTwoVersionsOverAnyMirror(t *testing.T) {
	n, s, h := internetOf(t, map[string]http.Handler{
		"proxy.example":  proxy(checksums(), "go1.25.14", "go1.26.8"),
		"mirror.example": mirror(goFiles, "go1.25.14", "go1.26.8"),
	}, site("mirror.example", kindArchive), site("proxy.example", kindProxy), site("gone.example", kindArchive))
	if _, err := install(t, s, n, h, engine.Values{"versions": []string{"latest", "1.25"}}); err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	here, err := Here(n)
	if err != nil || len(here.Installed) != 2 {
		t.Fatalf("%+v, %v", here, err)
	}
	for _, i := range here.Installed {
		if i.Current != (i.Version == "go1.26.8") || !i.Linked {
			t.Errorf("%+v", i)
		}
		if by := ProvedBy(n, i.Dir); len(by) == 0 || by[0] != "log" {
			t.Errorf("%s is proved by %v", i.Version, by)
		}
		if got := read(t, n, goroot.Link(i.Version)); got != goFiles(linux(i.Version, "amd64"))["bin/go"] {
			t.Errorf("%s leads to %q", goroot.Link(i.Version), got)
		}
	}
	if got := read(t, n, goroot.Current+"/VERSION"); !strings.HasPrefix(got, "go1.26.8\n") {
		t.Error(got)
	}

	// It is so: a second plan changes nothing, and fetches nothing.
	n.asked = nil
	v := engine.Values{"versions": []string{"1.26.8", "1.25.14"}}
	sv := steptest.Survey(t, s, n, h, v)
	items, err := s.Ops(h, sv, v)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		state, err := it.Op.Observe(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		if d := it.Op.Diff(state); d.Action != engine.None {
			t.Errorf("%c %s %s", d.Action, it.Op.Kind(), it.Op.Target())
		}
	}
	if n.was(".zip") || n.was(".tar.gz") || n.was("/list") || n.was("/lookup/") {
		t.Errorf("asked for %v", n.asked)
	}

	// A switch is one link; the other tree stays as it is.
	if _, err := install(t, s, n, h, engine.Values{"versions": []string{}, "use": "1.25.14"}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, n, goroot.Current+"/VERSION"); !strings.HasPrefix(got, "go1.25.14\n") {
		t.Error(got)
	}
	// The one that is not in use goes, link and all.
	if _, err := install(t, s, n, h, engine.Values{"versions": []string{}, "use": "keep", "remove": []string{"1.26.8"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Lstat(goroot.Link("go1.26.8")); err == nil {
		t.Error("its link is still there")
	}
	waste, err := FindWaste(context.Background(), n)
	if err != nil || len(waste) != 1 || waste[0].Size == 0 || path.Dir(waste[0].Path) != goroot.Removed {
		t.Errorf("%+v, %v", waste, err)
	}
}

func TestALyingMirrorInstallsNothing(t *testing.T) {
	altered := func(t verify.Toolchain) map[string]string {
		files := goFiles(t)
		files["bin/go"] += "echo gotcha\n"
		return files
	}
	n, s, h := internetOf(t, map[string]http.Handler{
		"proxy.example":  proxy(checksums()), // has the database, and no toolchain
		"mirror.example": mirror(altered, "go1.26.8"),
	}, site("mirror.example", kindArchive), site("proxy.example", kindProxy))
	_, err := install(t, s, n, h, engine.Values{"versions": []string{"1.26.8"}})
	var refused engine.Refusal
	if !errors.As(err, &refused) {
		t.Fatalf("%v", err)
	}
	here, _ := Here(n)
	names, _ := n.ReadDir(goroot.Base)
	if len(here.Installed) > 0 || len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestAProxyThatForgesTheDatabaseIsPassedOver(t *testing.T) {
	forged := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/lookup/") {
			// Another record of the very log: right signature, wrong module version.
			b, _ := asked(checksums())(r.Context(), "/lookup/"+verify.ToolchainModule+"@"+linux("go1.25.14", "amd64").ModuleVersion())
			_, _ = w.Write(b)
			return
		}
		http.NotFound(w, r)
	})
	n, s, h := internetOf(t, map[string]http.Handler{
		"evil.example": proxy(forged, "go1.26.8"),
		"good.example": proxy(checksums(), "go1.26.8"),
	}, site("evil.example", kindProxy), site("good.example", kindProxy))
	if _, err := install(t, s, n, h, engine.Values{"versions": []string{"1.26.8"}}); err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
}

func TestAnswersOfTheDatabaseWithoutTheLineAreRefused(t *testing.T) {
	without := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := asked(checksums())(r.Context(), strings.Replace(r.URL.Path, "go1.26.8", "go1.25.14", 1))
		_, _ = w.Write(b)
	})
	n, s, h := internetOf(t, map[string]http.Handler{"evil.example": proxy(without, "go1.26.8")}, site("evil.example", kindProxy))
	_, err := install(t, s, n, h, engine.Values{"versions": []string{"1.26.8"}})
	var refused engine.Refusal
	if !errors.As(err, &refused) || lang.Hint(err, lang.EN) == "" {
		t.Errorf("%v", err)
	}
}

func TestADeadNetworkIsNoRefusal(t *testing.T) {
	n, s, h := internetOf(t, nil, site("gone.example", kindArchive), site("away.example", kindProxy))
	_, err := install(t, s, n, h, engine.Values{"versions": []string{"1.26.8"}})
	var refused engine.Refusal
	if err == nil || errors.As(err, &refused) || lang.Hint(err, lang.ZH) == "" {
		t.Errorf("%v", err)
	}
}

// shelfOf is a tree with a directory of archives, and no network.
func shelfOf(t *testing.T, files map[string][]byte) (machine.Machine, Step, engine.Hosts) {
	t.Helper()
	m, root := steptest.Tree(t, map[string]string{"/etc/hostname": "board\n"})
	for _, d := range []string{"/usr/local", "/mnt/usb/" + moduleDir} {
		if err := os.MkdirAll(root+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range files {
		if err := os.WriteFile(root+"/mnt/usb/"+name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a := Real()
	a.Key, a.Catalogue = testKey, catalogue
	f := &detect.Facts{}
	f.Arch.GOARCH = steptest.Fact("arm64")
	return m, Step{&a}, steptest.Hosts(m, f)
}

func TestAStickInstallsWithoutANetwork(t *testing.T) {
	t8, t9 := linux("go1.26.8", "arm64"), linux("go1.26.9", "arm64")
	proof, _, err := verify.Prove(context.Background(), asked(checksums()), testKey, t9, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]map[string][]byte{
		"an archive that the catalogue knows": {t8.Archive(): archive(goFiles(t8)), "readme.txt": []byte("hello")},
		"a proxy's tree":                      {moduleDir + "/" + t8.ModuleVersion() + ".zip": module(t8, goFiles(t8))},
		"a newer one with its proof":          {t9.Archive(): archive(goFiles(t9)), t9.Archive() + ".proof": proof.Text()},
	} {
		m, s, h := shelfOf(t, files)
		if _, err := install(t, s, m, h, engine.Values{"source": "/mnt/usb"}); err != nil {
			t.Errorf("%s: %s", name, lang.Message(err, lang.EN))
			continue
		}
		here, err := Here(m)
		if err != nil || len(here.Installed) != 1 || !here.Installed[0].Current || len(ProvedBy(m, here.Installed[0].Dir)) == 0 {
			t.Errorf("%s: %+v, %v", name, here, err)
		}
	}
}

func TestAnArchiveMayBeNamedItself(t *testing.T) {
	t8, t25 := linux("go1.26.8", "arm64"), linux("go1.25.14", "arm64")
	m, s, h := shelfOf(t, map[string][]byte{t8.Archive(): archive(goFiles(t8)), t25.Archive(): archive(goFiles(t25)), "go.tar.gz": archive(goFiles(t8))})
	if _, err := install(t, s, m, h, engine.Values{"source": "/mnt/usb/" + t25.Archive()}); err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	if here, err := Here(m); err != nil || len(here.Installed) != 1 || here.Installed[0].Version != "go1.25.14" {
		t.Errorf("latest of one archive: %+v, %v", here, err)
	}
	v := engine.Values{"source": "/mnt/usb/go.tar.gz", "versions": []string{"1.26.8"}}
	_, err := s.Ops(h, steptest.Survey(t, s, m, h, v), v)
	if err == nil || !strings.Contains(err.Error(), "its name does not say what it is") || !strings.Contains(lang.Hint(err, lang.ZH), t8.Archive()) {
		t.Errorf("a name that says nothing: %v; %s", err, lang.Hint(err, lang.ZH))
	}
}

func TestToBuildAStickMayBringTheSource(t *testing.T) {
	m, s, h := shelfOf(t, nil)
	v := engine.Values{"source": "/mnt/usb", "how": "build", "versions": []string{"1.26.8"}}
	_, err := s.Ops(h, steptest.Survey(t, s, m, h, v), v)
	if err == nil || !strings.Contains(err.Error(), "neither its source nor an archive of it") {
		t.Error(err)
	}
}

// What an engineer's own notebook has is of another platform, and has the same source.
func TestToBuildAnotherPlatformsReleaseWillDo(t *testing.T) {
	other := linux("go1.26.9", "arm64")
	proof, _, err := verify.Prove(context.Background(), asked(checksums()), testKey, other, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, brought := range map[string]map[string]string{
		"a module":   {other.ModuleVersion() + ".zip": string(module(other, goFiles(other))), other.ModuleVersion() + ".proof": string(proof.Text())},
		"an archive": {other.Archive(): string(archive(goFiles(other))), other.Archive() + ".proof": string(proof.Text())},
	} {
		n, s, h := internetOf(t, nil)
		files := map[string]string{"/usr/lib/go-1.24/bin/go": "", "/usr/lib/go-1.24/VERSION": "go1.24.4\n"}
		for f, text := range brought {
			files["/mnt/usb/"+f] = text
		}
		put(t, rootOf(t, n), files)
		m := runner{internet: n}
		if _, err := install(t, s, m, h, engine.Values{"versions": []string{"1.26.9"}, "how": "build", "source": "/mnt/usb"}); err != nil {
			t.Errorf("%s: %s", name, lang.Message(err, lang.EN))
			continue
		}
		here, err := Here(m)
		if err != nil || len(here.Installed) != 1 || !here.Installed[0].Built || here.Installed[0].Arch != "amd64" {
			t.Errorf("%s: %+v, %v", name, here, err)
			continue
		}
		if got := read(t, m, here.Installed[0].Dir+"/bin/go"); !strings.Contains(got, "GOARCH=amd64") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAStickThatIsNotRightIsToldBeforeAnythingIsDone(t *testing.T) {
	t8, t9 := linux("go1.26.8", "arm64"), linux("go1.26.9", "arm64")
	good := archive(goFiles(t8))
	altered := goFiles(t8)
	altered["bin/go"] = "#!/bin/sh\necho gotcha\n"
	for name, c := range map[string]struct {
		files   map[string][]byte
		asked   string
		refused bool
		says    string
	}{
		"truncated":         {map[string][]byte{t8.Archive(): good[:len(good)-20]}, "1.26.8", true, "usb/go1.26.8.linux-arm64.tar.gz"},
		"altered":           {map[string][]byte{t8.Archive(): archive(altered)}, "latest", true, "not go1.26.8"},
		"nothing proves it": {map[string][]byte{t9.Archive(): archive(goFiles(t9))}, "latest", true, "nothing proves"},
		"empty file":        {map[string][]byte{t8.Archive(): nil}, "1.26.8", true, "usb/go1.26.8"},
		"another version":   {map[string][]byte{t8.Archive(): good}, "1.25.14", false, "no archive of it for linux/arm64"},
		"another processor": {map[string][]byte{linux("go1.26.8", "loong64").Archive(): good}, "latest", false, "no archive of it for linux/arm64"},
		"nothing":           {nil, "latest", false, "no archive of it"},
	} {
		m, s, h := shelfOf(t, c.files)
		v := engine.Values{"source": "/mnt/usb", "versions": []string{c.asked}}
		_, err := s.Ops(h, steptest.Survey(t, s, m, h, v), v)
		var r engine.Refusal
		if err == nil || errors.As(err, &r) != c.refused || !strings.Contains(err.Error(), c.says) || lang.Hint(err, lang.EN) == "" || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%s: %v; hint %s", name, err, lang.Hint(err, lang.EN))
		}
	}
	m, s, h := shelfOf(t, nil)
	v := engine.Values{"source": "/mnt/none"}
	if _, err := s.Ops(h, steptest.Survey(t, s, m, h, v), v); err == nil || !strings.Contains(err.Error(), "cannot read the directory /mnt/none") {
		t.Error(err)
	}
}

// runner is a tree on which programs run: those that are scripts there.
type runner struct {
	*internet
	says map[string][]string // by the program's base name
}

func (r runner) Run(_ context.Context, c machine.Command, out func(string)) error {
	r.mu.Lock()
	r.asked = append(r.asked, "run "+strings.Join(c.Argv, " ")+" in "+path.Base(c.Dir))
	r.mu.Unlock()
	if len(c.Argv) == 2 && c.Argv[1] == "make.bash" {
		top := path.Dir(c.Dir)
		for _, d := range []string{"/bin", "/pkg", "/pkg/obj"} {
			if err := r.Mkdir(top+d, 0o755, machine.Keep); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		if out != nil {
			out("Building Go cmd/dist using /usr/lib/go-1.24.")
		}
		return r.WriteFile(top+"/bin/go", []byte("built with "+strings.Join(c.Env, " ")), 0o755, machine.Keep)
	}
	for _, l := range r.says[path.Base(c.Argv[0])] {
		out(l)
	}
	return nil
}

// put makes files below root.
func put(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.MkdirAll(path.Dir(root+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAToolchainIsBuiltFromProvedSource(t *testing.T) {
	n, s, h := internetOf(t, map[string]http.Handler{"proxy.example": proxy(checksums(), "go1.26.8")}, site("proxy.example", kindProxy))
	put(t, rootOf(t, n), map[string]string{"/usr/lib/go-1.24/bin/go": "", "/usr/lib/go-1.24/VERSION": "go1.24.4\n"})
	m := runner{internet: n}
	items, err := install(t, s, m, h, engine.Values{"versions": []string{"1.26.8"}, "how": "build"})
	if err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	here, err := Here(m)
	if err != nil || len(here.Installed) != 1 || !here.Installed[0].Built {
		t.Fatalf("%+v, %v", here, err)
	}
	dir := here.Installed[0].Dir
	got := read(t, m, dir+"/bin/go")
	for _, want := range []string{"GOROOT_BOOTSTRAP=/usr/lib/go-1.24", "GOTOOLCHAIN=local", "GOHOSTARCH=amd64", "GOARCH=amd64"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	for _, gone := range []string{"/bin/gofmt", "/pkg/obj", "/pkg/tool"} {
		if _, err := m.Lstat(dir + gone); err == nil {
			t.Errorf("%s was not built and is there", gone)
		}
	}
	for _, it := range items {
		if it.Op.Kind() != "tree" {
			continue
		}
		state, err := it.Op.Observe(context.Background(), m)
		if err != nil || it.Op.Diff(state).Action != engine.None {
			t.Errorf("%v, %v", it.Op.Diff(state), err)
		}
		if it.Op.(*op.Tree).Want.Proof == "" {
			t.Error("its source is not proved by the log")
		}
	}
	// Asked for again, it stays.
	if items, err = install(t, s, m, h, engine.Values{"versions": []string{"1.26.8"}, "how": "build"}); err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.Op.Kind() == "tree" {
			t.Error("it would be built again")
		}
	}
}

func rootOf(t *testing.T, n *internet) string {
	t.Helper()
	return strings.TrimPrefix(string(n.ID()), "root:")
}

func TestAPasswordOfTheEnvironmentStaysThere(t *testing.T) {
	n, s, h := internetOf(t, map[string]http.Handler{"proxy.example": proxy(checksums(), "go1.26.8")}, site("proxy.example", kindProxy))
	n.env = map[string]string{"GOPROXY": "http://me:swordfish@proxy.example/go,direct"}
	sv := steptest.Survey(t, s, n, h, nil)
	if strings.Contains(string(sv), "swordfish") {
		t.Errorf("the survey, which is kept, has it: %s", sv)
	}
	said := steptest.Plan(t, s, n, h, sv, nil)
	if strings.Contains(said, "swordfish") || !strings.Contains(said, "carries a password") {
		t.Error(said)
	}
}

func TestTheEnvironmentsProxyIsAskedFirst(t *testing.T) {
	n, s, h := internetOf(t, map[string]http.Handler{
		"proxy.example": proxy(checksums(), "go1.26.8"), "site.example": proxy(checksums(), "go1.25.14"),
	}, site("proxy.example", kindProxy))
	n.env = map[string]string{"GOPROXY": "http://site.example,direct"}
	if _, err := install(t, s, n, h, nil); err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	if got := read(t, n, goroot.Current+"/VERSION"); !strings.HasPrefix(got, "go1.25.14\n") {
		t.Errorf("latest is what the site's own proxy has: %s", got)
	}
}
