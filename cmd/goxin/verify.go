package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/fetch"
	"goxin/steps/origin"
	"goxin/steps/verify"
)

// verifyFlags are those of `goxin verify`.
type verifyFlags struct {
	sig     string
	keys    []string
	json    bool
	offline bool
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify FILE|DIR",
		Short: a.s("What a Go tree, a Go archive or a signed file is, and what proves it; exit 5 if nothing does", "判定 Go 目录树、Go 归档或已签名文件的真伪及依据；无法证明时退出码为 5"),
		Long: a.s("A Go tree (GOROOT), an archive of Go (tar.gz, or a module proxy's zip) is held against Go's transparency log, whatever mirror it is from.\n"+
			"Any other file needs a signature: --sig, or FILE.asc, FILE.sig, FILE.sign beside it; linux-6.6.tar.sign is taken for linux-6.6.tar.xz.\n"+
			"Keys other than Google's for Go come by --key. Nothing is changed.",
			"Go 目录树（GOROOT）或 Go 归档（tar.gz 或模块代理的 zip）会与 Go 的透明日志比对，与来自哪个镜像无关。\n"+
				"其他文件需要签名：--sig 指定，或旁边的 FILE.asc、FILE.sig、FILE.sign；linux-6.6.tar.sign 适用于 linux-6.6.tar.xz。\n"+
				"除 Google 的 Go 签名密钥外，其他密钥用 --key 给出。不做任何改动。"),
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.verify(c.Context(), args[0], f) },
	}
	c.Flags().StringVar(&f.sig, "sig", "", a.s("the detached signature", "分离签名文件"))
	c.Flags().StringArrayVar(&f.keys, "key", nil, a.s("a file of OpenPGP public keys that may sign (may be repeated)", "可用于签名的 OpenPGP 公钥文件（可重复）"))
	c.Flags().BoolVar(&f.json, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	c.Flags().BoolVar(&f.offline, "offline", false, a.s("ask nobody: use what goxin carries and what lies beside", "不联网：只用内置的和旁边的证据"))
	return c
}

func (a *app) verify(ctx context.Context, name string, flags verifyFlags) error {
	m := a.machine()
	file, err := a.inTree(name)
	if err != nil {
		return err
	}
	info, err := m.Stat(file)
	if err != nil {
		err = lang.Errorf(err, "cannot verify %s", "无法验证 %s", name).WithHint(thereHint(name))
		if errors.Is(err, fs.ErrNotExist) {
			return usageError{err}
		}
		return err
	}
	if info.Mode.IsDir() && (flags.sig != "" || len(flags.keys) > 0) {
		return usageError{lang.Errorf(nil, "cannot verify %s: --sig and --key are for files, and it is a directory", "无法验证 %s：--sig 与 --key 用于文件，而它是目录", name).
			WithHint("leave them out: a Go tree is held against Go's transparency log", "请去掉它们：Go 目录树与 Go 的透明日志比对")}
	}
	o, done, err := a.evidence(m, flags)
	if err != nil {
		return err
	}
	defer done()
	look := origin.File
	if info.Mode.IsDir() {
		look = origin.Tree
	}
	f, err := look(ctx, m, file, o)
	if err != nil {
		return err
	}
	if flags.json {
		err = a.json(struct {
			Version int `json:"version"`
			*origin.Finding
		}{1, f})
		if err != nil {
			return err
		}
	} else {
		a.printFinding(f)
	}
	switch f.Verdict {
	case origin.Authentic, origin.Overlaid, origin.Recorded:
		return nil
	}
	return exitError(exitRefused)
}

// inTree is a path as the machine names it.
func (a *app) inTree(name string) (string, error) {
	if a.root == "" {
		return filepath.Abs(name)
	}
	return filepath.Join("/", name), nil
}

// evidence is what the catalogue knows and whom to ask. done ends the asking.
func (a *app) evidence(m machine.Machine, flags verifyFlags) (o origin.Options, done func(), err error) {
	o = origin.Options{Now: m.Now(), Records: a.root == "", Say: func(t lang.Text) { a.say("%s", "%s", t) }}
	done = func() {}
	if flags.sig != "" {
		if o.Sig, err = a.inTree(flags.sig); err != nil {
			return o, done, err
		}
	}
	for _, name := range flags.keys { // the person's, not the tree's
		key, err := os.ReadFile(name)
		if err != nil {
			return o, done, usageError{lang.Errorf(err, "cannot read the key %s", "无法读取公钥 %s", name).WithHint(thereHint(name))}
		}
		o.Keys = append(o.Keys, key)
	}
	catalogue, err := golang.Load()
	if err != nil {
		return o, done, err
	}
	if !flags.offline {
		m := machine.Local(a.machineOptions...) // a tree has no network of its own
		client := fetch.New(m, fetch.Options{FirstByte: 10 * time.Second, PerHost: 4})
		done = client.Close
		remote := origin.Online(client, proxies(m, catalogue), verify.LogKey)
		remote.Know(origin.Heads(catalogue)...)
		o.Lookup, o.Module = remote.Lookup, remote.Module
	}
	return o.With(catalogue), done, nil
}

// proxies are the module proxies this machine uses, or those of the catalogue.
func proxies(m machine.Machine, c *golang.Catalogue) []string {
	if set := m.Getenv("GOPROXY"); set != "" {
		return origin.Proxies(set)
	}
	var all []string
	for _, s := range c.Sources {
		if s.Kind == "goproxy" {
			all = append(all, s.URL)
		}
	}
	return all
}

// marksOfEvidence are how a piece of evidence stands.
var marksOfEvidence = map[verify.Verdict]string{verify.Good: "+", verify.Bad: "-", verify.Unknown: "?"}

func (a *app) printFinding(f *origin.Finding) {
	a.result(visible(f.Text().In(a.lang)))
	for _, e := range f.Evidence {
		parts := []string{a.kind(e.Kind)}
		if !e.RestsOn.Empty() {
			parts = append(parts, e.RestsOn.In(a.lang))
		} else if e.Key != "" {
			parts = append(parts, e.Key)
		}
		if !e.Signed.IsZero() {
			parts = append(parts, lang.F("signed %s", "签名于 %s", e.Signed.UTC().Format(time.DateOnly)).In(a.lang))
		}
		if !e.Note.Empty() {
			parts = append(parts, e.Note.In(a.lang))
		}
		a.result(visible("  " + marksOfEvidence[e.Verdict] + " " + strings.Join(parts, a.s("; ", "；"))))
	}
	if f.H1 != "" {
		a.result("    " + f.H1)
	}
	if f.SHA256 != "" {
		a.result("    sha256 " + f.SHA256)
	}
	const most = 20
	for _, d := range f.Differs[:min(most, len(f.Differs))] {
		a.result(visible("  " + a.how(d.How) + " " + d.Name))
	}
	if more := len(f.Differs) - most; more > 0 {
		a.result("  " + lang.F("and %d more; --json has them all", "另有 %d 个；--json 列出全部", more).In(a.lang))
	}
	for _, n := range f.Notes {
		a.say("%s", "%s", n)
	}
}

func (a *app) kind(k verify.Kind) string {
	t, ok := map[verify.Kind]lang.Text{
		verify.Log:      lang.T("log", "日志"),
		verify.Detached: lang.T("signature", "签名"),
		verify.Digest:   lang.T("digest", "摘要"),
	}[k]
	if !ok {
		return string(k)
	}
	return t.In(a.lang)
}

func (a *app) how(h origin.How) string {
	return map[origin.How]lang.Text{
		origin.Changed: lang.T("changed", "已改动"),
		origin.Missing: lang.T("missing", "缺失  "),
		origin.Added:   lang.T("added  ", "多出  "),
	}[h].In(a.lang)
}
