package demo

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// The lines that goxin's own profile consists of, as far as they change something.
var (
	profilePath    = regexp.MustCompile(`^(?:\*\) )?PATH=(/[^":]+):?"`)
	profileDefault = regexp.MustCompile(`^goxin_default ([A-Z]+) '(.*)'$`)
	profileLevel   = regexp.MustCompile(`^(GOAMD64|GOARM64)=(.+)$`)
)

// shell starts as a login does and shows its environment, or runs a script that says what
// to do. Of the files it reads it understands goxin's own.
func (c *call) shell() error {
	if !strings.HasSuffix(c.args[len(c.args)-1], "exec env") {
		return c.script(c.args[len(c.args)-1])
	}
	if err := c.wait(60 * time.Millisecond); err != nil {
		return err
	}
	search := []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"}
	env := map[string]string{"HOME": "/root", "USER": "root", "LC_ALL": "C", "SHELL": "/bin/bash"}
	profile := c.read("/etc/profile.d/goxin.sh")
	for line := range strings.Lines(profile) {
		line = strings.TrimSpace(line)
		if g := profilePath.FindStringSubmatch(line); g != nil && !slices.Contains(search, g[1]) {
			search = append([]string{g[1]}, search...)
		} else if g := profileDefault.FindStringSubmatch(line); g != nil && env[g[1]] == "" {
			env[g[1]] = g[2]
		}
	}
	if profile != "" {
		search = append(search, "/root/go/bin")
		for line := range strings.Lines(c.read("/etc/goxin/build.env")) {
			if g := profileLevel.FindStringSubmatch(strings.TrimSpace(line)); g != nil && env[g[1]] == "" {
				env[g[1]] = g[2]
			}
		}
	}
	env["PATH"] = strings.Join(search, ":")
	names := keysOf(env)
	slices.Sort(names)
	for _, n := range names {
		c.say("%s=%s", n, env[n])
	}
	return nil
}
