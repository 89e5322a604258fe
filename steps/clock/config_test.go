package clock

import (
	"strings"
	"testing"

	"goxin/steps/steptest"
)

func TestEditedConfigurationKeepsItsBytes(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"as it should be":          {"server a\nmakestep 1 3\n", "server a\nmakestep 1 3\n"},
		"no final newline":         {"server a\nmakestep 1 3", "server a\nmakestep 1 3"},
		"added after no newline":   {"makestep 1 3", "makestep 1 3\nserver a iburst\n"},
		"CRLF":                     {"pool b iburst\r\nrtcsync\r\n", "# goxin: pool b iburst\r\nrtcsync\r\nserver a iburst\r\nmakestep 1.0 3\r\n"},
		"empty":                    {"", "server a iburst\nmakestep 1.0 3\n"},
		"blanks and case":          {"  SERVER\tA  iburst\nMakeStep 1 3\n", "  SERVER\tA  iburst\nMakeStep 1 3\n"},
		"a reference clock, peers": {"refclock PHC /dev/ptp0\npeer c\nserver a\nmakestep 1 3\n", "refclock PHC /dev/ptp0\npeer c\nserver a\nmakestep 1 3\n"},
		"bytes that are not UTF-8": {"# \xd6\xd0\xce\xc4\nserver \xff\nserver a\nmakestep 1 3\n", "# \xd6\xd0\xce\xc4\n# goxin: server \xff\nserver a\nmakestep 1 3\n"},
		"comments of every kind":   {"!server b\n;server b\n%server b\n#server b\nserver a\nmakestep 1 3\n", "!server b\n;server b\n%server b\n#server b\nserver a\nmakestep 1 3\n"},
		"a line without a name":    {"server\nserver a\nmakestep 1 3\n", "server\nserver a\nmakestep 1 3\n"},
	} {
		if got := editChrony(c.in, []string{"a"}); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestTimesyncdsServersAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string // configured
	}{
		"nothing":                     {nil, ""},
		"the main file":               {map[string]string{timesyncdConf: "[Time]\nNTP=a b\nFallbackNTP=c\n"}, "a b c"},
		"another section":             {map[string]string{timesyncdConf: "NTP=x\n[Other]\nNTP=a\n"}, ""},
		"drop-ins add":                {map[string]string{timesyncdConf: "[Time]\nNTP=a\n", "/etc/systemd/timesyncd.conf.d/b.conf": "[Time]\r\nServers=b\r\n"}, "a b"},
		"an empty assignment forgets": {map[string]string{timesyncdConf: "[Time]\nNTP=a\n", "/etc/systemd/timesyncd.conf.d/b.conf": "[Time]\nNTP=\nNTP=b\n"}, "b"},
		"one in /etc hides another":   {map[string]string{"/usr/lib/systemd/timesyncd.conf.d/b.conf": "[Time]\nNTP=a\n", "/etc/systemd/timesyncd.conf.d/b.conf": "[Time]\nNTP=b\n"}, "b"},
		"goxin's own come first":      {map[string]string{timesyncdConf: "[Time]\nNTP=a\n", timesyncdOwn: timesyncdDropIn([]string{"z"})}, "z a"},
	} {
		w := world{facts: debian, files: debHost(map[string]string{timesyncdConf: "absent"})}
		for k, v := range c.files {
			w.files[k] = v
		}
		_, m, h := w.build(t)
		seen, err := seenOn(steptest.Survey(t, Step{}, m, h, nil), m.ID())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(seen.Services[timesyncd].configured(), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestIncludesThatGoRoundEnd(t *testing.T) {
	w := world{files: rpmHost(map[string]string{
		"/etc/chrony.conf":   "include /etc/chrony.d/*\ninclude /etc/chrony.conf\nserver a\n",
		"/etc/chrony.d/a":    "include /etc/chrony.d/b\nserver b\nsourcedir /run/x relative\n",
		"/etc/chrony.d/b":    "include /etc/chrony.d/a\nserver c\ninclude [\n",
		"/run/x/y.sources":   "server d\n",
		"/run/x/y.something": "server e\n",
	})}
	_, m, h := w.build(t)
	seen, err := seenOn(steptest.Survey(t, Step{}, m, h, nil), m.ID())
	if err != nil {
		t.Fatal(err)
	}
	s := seen.Services[chrony]
	if got := strings.Join(s.configured(), " "); got != "c b d a" || s.DropIn != "" {
		t.Errorf("%q, drop-in %q", got, s.DropIn)
	}
}

func TestTheHostOfAURLIsFound(t *testing.T) {
	for url, want := range map[string]string{
		"http://A.example.com/x/y":          "a.example.com",
		"https://b.example.com:8443/y":      "b.example.com",
		"http://10.0.0.1:8080":              "10.0.0.1:8080",
		"https://m.example.com?u=http://x/": "m.example.com",
		"http://user:p@ss@c.example.com/d":  "c.example.com",
		"http://[fd00::1]:81/d":             "[fd00::1]:81",
		"https://[fd00::2]:82/d":            "[fd00::2]",
		"file:///etc/pki/key":               "",
		"mirror+http://m.example.com/list":  "",
		"http://$host/":                     "",
		"http://":                           "",
		"":                                  "",
		"http://a_b/":                       "",
		"http://x:port/":                    "",
		"http://x:/":                        "",
		"http://evil\r\nX: y/":              "",
		"http://fd00::1/":                   "",
		"http://[fd00::1/":                  "",
	} {
		got, ok := urlHost(url)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q %v, want %q", url, got, ok, want)
		}
	}
}

func TestTheMachinesOwnSourcesAreAskedFirst(t *testing.T) {
	for name, c := range map[string]struct {
		world world
		want  string
	}{
		"dnf":                  {world{files: rpmHost(nil)}, "repo.example.com tls.example.com mirrors.aliyun.com"},
		"apt":                  {world{facts: debian, files: debHost(nil)}, "deb.example.com:8080 deb2.example.com mirrors.aliyun.com"},
		"what asks as well":    {world{files: rpmHost(map[string]string{"/etc/yum.repos.d/site.repo": "[a]\nname=a\nbaseurl=https://mirrors.aliyun.com/x\n"})}, "mirrors.aliyun.com repo.huaweicloud.com"},
		"sources switched off": {world{files: rpmHost(map[string]string{"/etc/yum.repos.d/site.repo": "[a]\nname=a\nenabled=0\nbaseurl=http://off.example.com/x\n"})}, "mirrors.aliyun.com repo.huaweicloud.com"},
	} {
		_, m, h := c.world.build(t)
		seen, err := seenOn(steptest.Survey(t, Step{}, m, h, nil), m.ID())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(seen.Asked, " "); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s first", name, got, c.want)
		}
	}
}
