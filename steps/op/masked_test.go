package op

import (
	"fmt"
	"strings"
	"testing"
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
		"password=":                 "password=",
		"name=Kylin":                "name=Kylin",
		"PasswordAuthentication no": "PasswordAuthentication no",
		"baseurl=https://repo/x@y":  "baseurl=https://repo/x@y",
	} {
		if got := masked(line); got != want {
			t.Errorf("%q: %q", line, got)
		}
		before := "[a]\n" + line + "\nenabled=1\n"
		all := fmt.Sprint(hunks(before, before+"gpgcheck=1\n"), hunks(before, "x\n"))
		if strings.Contains(all, "hunter22") || !strings.Contains(all, want) {
			t.Errorf("%q: %s", line, all)
		}
	}
}
