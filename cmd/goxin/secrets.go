package main

import (
	"bufio"
	"io"
	"net/url"
	"os"
	"strings"
	"syscall"

	"goxin/steps/answers"
	"goxin/steps/engine"
)

// secretsIn are the secrets that answers refer to, as far as they can be had
// without asking anybody: what leaves the machine must not have them in it.
func secretsIn(ans engine.Answers, all []engine.Step) []string {
	var out []string
	for _, s := range all {
		for _, f := range s.Fields() {
			if f.Kind != engine.Secret {
				continue
			}
			if x := secretAt(ans[s.ID()].Text(f.Key, "")); x != "" {
				out = append(out, x)
			}
		}
	}
	return out
}

// secretAt is what a reference refers to; "" where that cannot be told.
func secretAt(ref string) string {
	s, err := answers.ParseSecret(ref)
	switch {
	case err != nil:
		return ref // no reference, so perhaps the secret itself
	case s.Kind == answers.FromEnv:
		return os.Getenv(s.Name)
	case s.Kind == answers.FromFile:
		f, err := os.OpenFile(s.Name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return ""
		}
		defer f.Close()
		// A pipe can be read once only, and that is not for us to do.
		if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
			return ""
		}
		line, _ := bufio.NewReader(io.LimitReader(f, 4096)).ReadString('\n')
		return strings.TrimRight(line, "\r\n")
	}
	return ""
}

// passwordsIn are the passwords of the proxies that an environment names.
func passwordsIn(env []string) []string {
	var out []string
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasSuffix(strings.ToLower(name), "proxy") {
			continue
		}
		for _, u := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '|' }) {
			at, err := url.Parse(strings.TrimSpace(u))
			if err != nil || at.User == nil {
				continue
			}
			if p, ok := at.User.Password(); ok {
				_, asWritten, _ := strings.Cut(at.User.String(), ":")
				out = append(out, p, asWritten)
			} else { // a token, perhaps: where it stands alone it may be anybody's name
				out = append(out, at.User.String()+"@")
			}
		}
	}
	return out
}
