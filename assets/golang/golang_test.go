package golang_test

import (
	"strings"
	"testing"

	"goxin/assets/golang"
)

func load(t *testing.T) *golang.Catalogue {
	t.Helper()
	c, err := golang.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatTheCatalogueKnows(t *testing.T) {
	c := load(t)
	for line, want := range map[string]string{"": "go1.27.4", "1.27": "go1.27.4", "1.26": "go1.26.11", "go1.25": "go1.25.14", "1.19": "go1.19.8"} {
		if r, ok := c.Newest(line); !ok || r.Version != want {
			t.Errorf("newest of %q: %s", line, r.Version)
		}
	}
	if r, ok := c.Newest("1.4"); ok {
		t.Errorf("newest of 1.4: %s", r.Version)
	}
	for _, want := range []struct{ version, os, arch, sha256, h1 string }{
		// As measured on a release that was there.
		{"go1.26.8", "linux", "amd64", "d0f743b33e8d8945e6b1f432edd15785c70507121d6e2a723b21285eddf8b57b", "h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM="},
		{"go1.26.8", "linux", "arm64", "211ffced9dcb9633a55eac6364816ec0ddd951389a740e88fa8b3337971bdda0", "h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc="},
		{"go1.26.8", "linux", "loong64", "64fb507c00d6f830f71a342feb80b05641b4da5d5ca1d5e06896d5572f8a458c", ""},
		{"go1.19.8", "", "", "1d7a67929dccafeaf8a29e55985bc2b789e0499cb1a17100039f084e3238da2f", ""},
	} {
		f, ok := c.Find(want.version, want.os, want.arch)
		if !ok || f.SHA256 != want.sha256 || f.H1 != want.h1 || f.From.EN == "" || f.From.ZH == "" || f.Source != (want.os == "") {
			t.Errorf("%s %s/%s: %+v", want.version, want.os, want.arch, f)
		}
	}
	for _, v := range c.Vendor {
		if len(v.SHA256) != 64 || v.URL == "" || v.From.EN == "" || v.From.ZH == "" || !strings.HasSuffix(v.URL, "/abi1.0/"+v.Version+".linux-loong64.tar.gz") {
			t.Errorf("incomplete: %+v", v)
		}
	}
	if len(c.Vendor) == 0 || c.Vendor[0].Version != "go1.26.4" {
		t.Errorf("of Loongson's: %+v", c.Vendor)
	}
	for _, s := range c.Sources {
		if s.ID == "" || s.Name.EN == "" || s.Name.ZH == "" || s.URL == "" || s.From == "" || s.Kind != "archive" && s.Kind != "goproxy" {
			t.Errorf("incomplete: %+v", s)
		}
	}
}
