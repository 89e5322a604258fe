package op

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"goxin/detect/machine"
	"goxin/steps/engine"
)

func TestADiffShowsNoSecretThatStandsBesideTheChange(t *testing.T) {
	for line, want := range map[string]string{
		"password=hunter22":                           "password=********",
		"proxy_password = hunter 22":                  "proxy_password = ********",
		"# Passwd: hunter22":                          "# Passwd: ********",
		"api-token: hunter22":                         "api-token: ********",
		"baseurl=https://me:hunter22@repo/x":          "baseurl=https://********@repo/x",
		"baseurl=https://hunter22@repo/x":             "baseurl=https://********@repo/x",
		"deb http://a/ b http://u:hunter22@c/ hunter": "deb http://a/ b http://********@c/ hunter",
		"export GITHUB_TOKEN=hunter22":                "export GITHUB_TOKEN=********",
		"set -gx GITHUB_TOKEN hunter22":               "set -gx GITHUB_TOKEN ********",
		"        auth_pass hunter22":                  "        auth_pass ********",
		`Environment="DB_PASSWORD=hunter22"`:          `Environment="DB_PASSWORD=********`,
		"machine a login me password hunter22":        "machine a login me password ********",
		"password hunter22":                           "password ********",
		"PrivateKey = hunter22":                       "PrivateKey = ********",
		"aws_secret_access_key = hunter22":            "aws_secret_access_key = ********",
		"api_key: hunter22":                           "api_key: ********",
		"baseurl=https://me:hu@hunter22@repo/x":       "baseurl=https://********@repo/x",
		"password required pam_unix.so":               "password required pam_unix.so",
		"server_tokens off;":                          "server_tokens off;",
		"password=":                                   "password=",
		"name=Kylin":                                  "name=Kylin",
		"PasswordAuthentication no":                   "PasswordAuthentication no",
		"baseurl=https://repo/x@y":                    "baseurl=https://repo/x@y",
	} {
		if got := engine.MaskFile(line); got != want {
			t.Errorf("%q: %q", line, got)
		}
		before := "[a]\n" + line + "\nenabled=1\n"
		all := fmt.Sprint(hunks(before, before+"gpgcheck=1\n"), hunks(before, "x\n"))
		if strings.Contains(all, "hunter22") || !strings.Contains(all, want) {
			t.Errorf("%q: %s", line, all)
		}
	}
}

// The diff of a plan left a repository's password out, and its JSON had it in the whole
// content of the file, and in the commands to type.
func TestAPlanInJSONShowsNoSecretOfTheSite(t *testing.T) {
	w := newWorld(t)
	w.write("/etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://me:hunter22@old/\npassword=hunter22\n", 0o600)
	o := &File{Path: "/etc/yum.repos.d/a.repo", Content: "[a]\nbaseurl=https://me:hunter22@new/\npassword=hunter22\n", Mode: 0o600, Owner: machine.Keep, Reason: why}
	p := engine.StepPlan{Items: []engine.Planned{{Op: o, Diff: o.Diff(observe(t, o, w)), ByHand: o.ByHand()}}}
	b, err := json.Marshal(p) // what `goxin plan --json` prints
	if err != nil || strings.Contains(string(b), "hunter22") {
		t.Errorf("%v %s", err, b)
	}
}
