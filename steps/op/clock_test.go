package op

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"goxin/detect/machine"
	"goxin/steps/engine"
)

// noon is the true time wherever a world is.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (w *world) Now() time.Time { return noon.Add(-w.behind) }

func (w *world) setClock(argv []string) error {
	if w.fixed {
		return &machine.ExitError{Argv: argv, Code: 1, Stderr: "date: cannot set date: Operation not permitted\n"}
	}
	var s, ms int64
	if _, err := fmt.Sscanf(argv[3], "@%d.%d", &s, &ms); err != nil {
		return err
	}
	w.behind = noon.Sub(time.UnixMilli(s*1000 + ms))
	return nil
}

func (w *world) Dial(_ context.Context, network, address string) (net.Conn, error) {
	if site := w.sites[address]; site != nil {
		return serve(site), nil
	}
	if w.offline || network != "tcp" || !strings.HasSuffix(address, ":80") && !strings.HasSuffix(address, ":8080") {
		return nil, errors.New("connection refused")
	}
	return says(http.StatusNotFound, "Date: "+noon.Format(http.TimeFormat)), nil
}

// says is a server that answers one request.
func says(status int, header ...string) net.Conn {
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		if r, err := http.ReadRequest(bufio.NewReader(there)); err == nil && r.Method == http.MethodHead && r.Host != "" {
			fmt.Fprintf(there, "HTTP/1.1 %d x\r\n%s\r\n\r\n", status, strings.Join(header, "\r\n"))
		}
	}()
	return here
}

// network is a world with servers of its own.
type network struct {
	*world
	hosts map[string]func() net.Conn // by address
	env   map[string]string
}

func (n network) Dial(_ context.Context, _, address string) (net.Conn, error) {
	if h := n.hosts[address]; h != nil {
		return h(), nil
	}
	return nil, errors.New("connection refused")
}

func (n network) Getenv(name string) string { return n.env[name] }

func TestHostsAreAskedForTheTime(t *testing.T) {
	date := func(d time.Duration) string { return "date: " + noon.Add(d).Format(http.TimeFormat) }
	answer := func(header ...string) func() net.Conn {
		return func() net.Conn { return says(http.StatusOK, header...) }
	}
	raw := func(text string) func() net.Conn {
		return func() net.Conn {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				if _, err := http.ReadRequest(bufio.NewReader(there)); err == nil {
					_, _ = there.Write([]byte(text))
				}
			}()
			return here
		}
	}
	hosts := map[string]func() net.Conn{
		"right:80":    answer("Server: x", date(0), "Age: 0"),
		"cached:80":   answer("Age: 3600", date(-time.Hour)),
		"port:8080":   answer(date(0)),
		"[::1]:80":    answer(date(0)),
		"late:80":     answer(date(-time.Hour)),
		"dateless:80": answer("Server: x"),
		"nonsense:80": answer("Date: yesterday"),
		"ssh:80":      raw("SSH-2.0-OpenSSH_9.6\r\n"),
		"silent:80":   raw(""),
		"cut:80":      raw("HTTP/1.0 200 OK\r\n" + date(0)),
		"endless:80":  raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 64<<10)),
	}
	for name, c := range map[string]struct {
		ask   []string
		proxy string
		want  string
	}{
		"those that answer, in order":      {[]string{"right", "gone", "port:8080", "[::1]", "cached"}, "", "right 500ms port:8080 500ms [::1] 500ms cached 500ms"},
		"those that speak something else":  {[]string{"dateless", "nonsense", "ssh", "silent", "endless"}, "", ""},
		"an answer that is cut short":      {[]string{"cut"}, "", "cut 500ms"},
		"a host that only a proxy reaches": {[]string{"far"}, "http://port:8080/", "far 500ms"},
		"a proxy that wants a password":    {[]string{"far"}, "http://me:secret@port:8080/", ""},
		"nobody":                           {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := network{newWorld(t), hosts, map[string]string{"http_proxy": c.proxy}}
			var got []string
			for _, told := range AskTime(context.Background(), n, c.ask) {
				got = append(got, told.Host, told.Behind.String())
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
		})
	}
}

func TestAHostThatHangsIsNotWaitedForLong(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	hang := func() net.Conn {
		here, _ := net.Pipe()
		cancel() // as the time limit would
		return here
	}
	n := network{newWorld(t), map[string]func() net.Conn{"hang:80": hang}, nil}
	if told := AskTime(ctx, n, []string{"hang"}); len(told) != 0 {
		t.Errorf("got %v", told)
	}
}

func TestTheMedianOfHostsThatAgreeIsBelieved(t *testing.T) {
	for _, c := range []struct {
		told []int // seconds
		want int
		ok   bool
	}{
		{nil, 0, false},
		{[]int{-7}, -7, true},
		{[]int{10, 12}, 10, true},
		{[]int{0, 90000}, 0, false}, // which of them?
		{[]int{90000, 1, 0}, 1, true},
		{[]int{90000, -90000, 0}, 0, false},
		{[]int{90001, 90002, 90000, 5}, 90000, true},
	} {
		var told []Told
		for _, s := range c.told {
			told = append(told, Told{"h", time.Duration(s) * time.Second})
		}
		got, ok := Behind(told)
		if ok != c.ok || ok && got != time.Duration(c.want)*time.Second {
			t.Errorf("%v: %v %v", c.told, got, ok)
		}
	}
}

func TestAPlanOfTheClockIsNotStaleASecondLater(t *testing.T) {
	for _, c := range []struct{ planned, first, then int64 }{
		{93000, 93784, 93790}, {300, 299, 312}, {-300, -310, -290}, {61, 61, 70},
	} {
		o := &Clock{Hosts: []string{"a.example"}, Limit: 60, Behind: c.planned}
		w := newWorld(t)
		w.behind = time.Duration(c.first) * time.Second
		a := observe(t, o, w)
		w.behind = time.Duration(c.then) * time.Second
		if b := observe(t, o, w); !a.Equal(b) {
			t.Errorf("%d: %s, then %s", c.planned, a.Meta, b.Meta)
		}
	}
	o := &Clock{Hosts: []string{"a.example"}, Limit: 60, Behind: 300}
	w := newWorld(t)
	w.behind = 300 * time.Second
	a := observe(t, o, w)
	for _, other := range []int64{-300, 10, 900} {
		w.behind = time.Duration(other) * time.Second
		if b := observe(t, o, w); a.Equal(b) {
			t.Errorf("%d s behind looks like 300", other)
		}
	}
}

func TestTheClockIsSetToTheSecond(t *testing.T) {
	for _, behind := range []time.Duration{93784 * time.Second, -48 * time.Hour, 61 * time.Second} {
		w := newWorld(t)
		w.behind = behind
		o := &Clock{Hosts: []string{"a.example"}, Limit: 60, Behind: int64(behind / time.Second)}
		d := o.Diff(observe(t, o, w))
		if d.Action != engine.CannotUndo || d.Rows[0].Then != "±1s" || (behind > 0) != strings.HasPrefix(d.Rows[0].Now, "-") {
			t.Errorf("%+v", d)
		}
		if _, err := o.Do(context.Background(), w, nil); err != nil {
			t.Fatal(err)
		}
		if w.behind.Abs() > time.Second {
			t.Errorf("was %v behind, is %v", behind, w.behind)
		}
	}
}

func TestAClockThatCannotBeSetSaysWhatToDo(t *testing.T) {
	o := &Clock{Hosts: []string{"a.example"}, Limit: 60, Behind: 300}
	w := newWorld(t)
	w.behind, w.offline = 300*time.Second, true
	if _, err := o.Do(context.Background(), w, nil); err == nil || !strings.Contains(err.Error(), "too few hosts") {
		t.Errorf("got %v", err)
	}
}

// A file changed by hand after goxin wrote it stays; the unit that goxin had
// stopped for it was found down after an undo.
func TestAUnitRunsAgainEvenIfItsFileIsNoLongerOurs(t *testing.T) {
	w := newWorld(t)
	w.systemd()
	w.units["nginx.service"] = &fakeUnit{load: "loaded", file: "enabled", active: "active"}
	w.write("/etc/nginx.conf", "old\n", 0o644)
	f := &File{Path: "/etc/nginx.conf", Content: "new\n", Mode: 0o644, Owner: machine.RootOwner, Restart: "nginx.service", Reason: why}
	u := &Unit{Name: "nginx.service", Active: "yes", Reason: why}
	ctx := context.Background()
	before := observe(t, f, w)
	if note := f.Diff(before).Note.EN; !strings.Contains(note, "restarts nginx.service") {
		t.Errorf("the plan does not say that the unit is restarted: %q", note)
	}
	if _, err := f.Do(ctx, w, nil); err != nil {
		t.Fatal(err)
	}
	after := observe(t, f, w)
	down := observe(t, u, w)
	if u.Diff(down).Action == engine.None {
		t.Fatal("a unit that has not read its file looks right")
	}
	if _, err := u.Do(ctx, w, nil); err != nil {
		t.Fatal(err)
	}
	if now := observe(t, f, w); !now.Equal(after) {
		t.Errorf("once the unit runs the file looks changed: %s, %s", after.Meta, now.Meta)
	}
	w.write("/etc/nginx.conf", "mine\n", 0o644)
	if err := u.Undo(ctx, w, down, observe(t, u, w)); err != nil {
		t.Fatal(err)
	}
	if err := f.Undo(ctx, w, before, after); !errors.Is(err, engine.ErrNotOurs) {
		t.Errorf("got %v", err)
	}
	if w.read("/etc/nginx.conf") != "mine\n" || w.units["nginx.service"].active != "active" {
		t.Errorf("left: %s, %s", w.read("/etc/nginx.conf"), w.units["nginx.service"].active)
	}
}
