package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps"
	"goxin/steps/engine"
	"goxin/steps/report"
)

// reportFlags are those of `goxin report`.
type reportFlags struct {
	out    string
	format string
	sign   string
}

func (a *app) reportCommand() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report [RUN]",
		Short: a.s("Write the acceptance report of the newest run (or RUN)", "生成最近一次运行（或 RUN）的验收报告"),
		Long: a.s("What the machine was, what was decided, every change with what was there before, what was proved, how long it took, what was left alone and what failed.\n"+
			"The machine is compared with what goxin left once more; nothing is changed. --lang chooses the language, whichever the run was made in.",
			"机器情况、各项决定、每处改动及改动前的内容、验证结果、用时、未改动的内容和失败原因。\n"+
				"生成时会再核对一次机器现状，不做任何改动。--lang 选择报告语言，与运行时所用语言无关。"),
		Args: cobra.MaximumNArgs(1),
		RunE: a.onRun(func(c *cobra.Command, e *engine.Engine, id engine.RunID) error {
			return a.report(c.Context(), e, id, f)
		}),
	}
	c.Flags().StringVarP(&f.out, "output", "o", "", a.s("the file; - is standard output (default: a new one in the state directory)", "输出文件；- 表示标准输出（默认：状态目录中的新文件）"))
	c.Flags().StringVar(&f.format, "format", "", a.s("html, md or json (default: as the file's name ends, else html)", "html、md 或 json（默认按文件名后缀，否则 html）"))
	c.Flags().StringVar(&f.sign, "sign", "", a.s("sign it with this SSH key; a .pub is asked of the SSH agent", "用此 SSH 密钥签名；.pub 文件则请求 SSH agent 签名"))
	c.AddCommand(a.reportVerifyCommand())
	return c
}

func (a *app) report(ctx context.Context, e *engine.Engine, id engine.RunID, f reportFlags) error {
	format, err := f.as()
	if err != nil {
		return err
	}
	if f.out == "-" && f.sign != "" {
		return usageError{lang.Errorf(nil, "cannot sign standard output: a signature is a file beside another", "无法为标准输出签名：签名是与报告并列的文件").WithHint("name a file with -o", "用 -o 指定文件")}
	}
	if err := f.free(); err != nil {
		return err
	}
	data, err := a.makeReport(ctx, e, id, format, a.lang)
	if err != nil {
		return err
	}
	if f.out == "-" {
		_, err := a.out.Write(data)
		return err
	}
	var sig []byte
	if f.sign != "" {
		if sig, err = a.signReport(ctx, f.sign, data); err != nil {
			return err
		}
	}
	if f.out == "" {
		p, err := a.keepReport(e, id, format, data, sig)
		if err == nil {
			a.result(p)
		}
		return err
	}
	if err := writeReport(f.out, data, sig); err != nil {
		return err
	}
	a.result(f.out)
	return nil
}

// reportFormats are the formats, by the endings of the names they go by.
var reportFormats = map[string]string{".html": "html", ".htm": "html", ".md": "md", ".markdown": "md", ".json": "json"}

// as is the format that was asked for, or that the file's name tells.
func (f reportFlags) as() (string, error) {
	switch f.format {
	case "html", "md", "json":
		return f.format, nil
	case "":
	default:
		return "", usageError{lang.Errorf(nil, "cannot write a report as %q", "无法写成 %q 格式的报告", f.format).WithHint("html, md or json", "可用：html、md、json")}
	}
	if f.out == "" || f.out == "-" {
		return "html", nil
	}
	format, ok := reportFormats[strings.ToLower(filepath.Ext(f.out))]
	if !ok {
		return "", usageError{lang.Errorf(nil, "cannot tell the report's format from the name %s", "无法从文件名 %s 判断报告格式", f.out).
			WithHint("end it in .html, .md or .json, or say --format", "请以 .html、.md 或 .json 结尾，或用 --format 指定")}
	}
	return format, nil
}

// free refuses to put a report where it would not be one: in place of something that
// is no file, or beside a signature of what was there before.
func (f reportFlags) free() error {
	if f.out == "" || f.out == "-" {
		return nil
	}
	if fi, err := os.Lstat(f.out); err == nil && !fi.Mode().IsRegular() {
		return usageError{lang.Errorf(nil, "cannot write the report to %s: it is no file", "无法把报告写到 %s：它不是普通文件", f.out).WithHint("name a file with -o; - is standard output", "用 -o 指定文件；- 表示标准输出")}
	}
	if _, err := os.Lstat(f.out + ".sig"); err == nil && f.sign == "" {
		return usageError{lang.Errorf(nil, "cannot write the report to %s: %s.sig beside it signs another one", "无法把报告写到 %[1]s：旁边的 %[1]s.sig 是另一份报告的签名", f.out, f.out).
			WithHint("sign this one too with --sign, or choose another name", "用 --sign 一并签名，或另选文件名")}
	}
	return nil
}

// makeReport makes the report of a run in a language, comparing the machine with what
// goxin left once more.
func (a *app) makeReport(ctx context.Context, e *engine.Engine, id engine.RunID, format string, l lang.Lang) ([]byte, error) {
	rec, err := e.Record(id)
	if err != nil {
		return nil, err
	}
	drift, err := e.Check(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r := report.Make(rec, report.Options{Steps: steps.All(), Drift: drift, Checked: err, Now: e.Now(), Goxin: version})
	switch format {
	case "md":
		return r.Markdown(l), nil
	case "json":
		return r.JSON()
	}
	return r.HTML(l)
}

// keepReport puts a report into the state directory and says where it is for a
// person, who does not live in the tree.
func (a *app) keepReport(e *engine.Engine, id engine.RunID, format string, data, sig []byte) (string, error) {
	if id == 0 {
		rec, err := e.Record(0)
		if err != nil {
			return "", err
		}
		id = rec.Info.ID
	}
	name := fmt.Sprintf("%s-run-%d.%s", e.Now().Local().Format("2006-01-02-1504"), id, format)
	p, err := e.KeepReport(name, data, sig)
	if a.root != "" && a.state == "" {
		p = filepath.Join(a.root, p)
	}
	return p, err
}

func writeReport(name string, data, sig []byte) error {
	err := replaceFile(name, data)
	if err == nil && sig != nil {
		err = replaceFile(name+".sig", sig)
	}
	if err != nil {
		err = lang.Errorf(err, "cannot write the report to %s", "无法把报告写到 %s", name).WithHint("choose another place with -o", "用 -o 另选位置")
	}
	return err
}

// replaceFile puts a new file in the place of name: nobody else's, and read by nobody
// else, whatever stands there. What a link there leads to is left alone: where
// everybody may write, it is not ours.
func replaceFile(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".goxin-report-") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// reportWriter is how the wizard has a report written: to the state directory, in the
// language of the screen.
func (a *app) reportWriter(e *engine.Engine) func(context.Context, engine.RunID, lang.Lang) (string, error) {
	return func(ctx context.Context, id engine.RunID, l lang.Lang) (string, error) {
		data, err := a.makeReport(ctx, e, id, "html", l)
		if err != nil {
			return "", err
		}
		return a.keepReport(e, id, "html", data, nil)
	}
}

// mostReport is the largest report that is verified, in bytes. The largest that goxin
// makes are a hundredth of it.
const mostReport = 512 << 20

func (a *app) reportVerifyCommand() *cobra.Command {
	var signers string
	c := &cobra.Command{
		Use:   "verify FILE",
		Short: a.s("Who signed this report, and whether it is as it was signed; exit 5 if not", "核对报告由谁签名、签名后是否改动过；不符时退出码为 5"),
		Long: a.s("Holds FILE against FILE.sig, and the key that made it against an allowed_signers file of OpenSSH:\n"+
			"lines with a name and a public key. Without one, the key is shown and trusted by nobody.",
			"将 FILE 与 FILE.sig 核对，并在 OpenSSH 的 allowed_signers 文件中查找签名密钥：\n"+
				"该文件每行为名字和公钥。没有此文件时只显示密钥，不予信任。"),
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.verifyReport(args[0], signers) },
	}
	c.Flags().StringVar(&signers, "signers", "", a.s("the allowed_signers file", "allowed_signers 文件"))
	return c
}

func (a *app) verifyReport(name, signers string) error {
	data, err := readBounded(name, mostReport)
	if err != nil {
		return usageError{lang.Errorf(err, "cannot read the report %s", "无法读取报告 %s", name).WithHint(thereHint(name))}
	}
	var trusted report.Signers
	if signers != "" {
		b, err := readBounded(signers, mostReport)
		if err == nil {
			trusted, err = report.ParseSigners(b, a.machine().Now().Location())
		}
		if err != nil {
			return usageError{lang.Errorf(err, "cannot read the signers in %s", "无法读取 %s 中的签名人", signers).
				WithHint("one a line: NAME ssh-ed25519 AAAA…; see ALLOWED SIGNERS in ssh-keygen(1)", "每行一个：名字 ssh-ed25519 AAAA…；见 ssh-keygen(1) 的 ALLOWED SIGNERS")}
		}
	}
	sig, err := readBounded(name+".sig", report.MostSignature)
	if errors.Is(err, fs.ErrNotExist) {
		return engine.Refusal{Err: lang.Errorf(nil, "cannot trust %s: it is not signed", "%s 不可信：没有签名", name).
			WithHint("its signature would be %s.sig; `goxin report --sign KEY` makes one", "其签名应为 %s.sig；可用 `goxin report --sign 密钥` 生成", name)}
	}
	if err != nil {
		return engine.Refusal{Err: lang.Errorf(err, "cannot read the signature %s.sig", "无法读取签名 %s.sig", name)}
	}
	key, err := report.Verify(data, sig)
	switch {
	case errors.Is(err, report.ErrChanged):
		return engine.Refusal{Err: lang.Errorf(nil, "cannot trust %s: it was changed after it was signed, or %s.sig is of another file", "%[1]s 不可信：签名之后被改动过，或 %[1]s.sig 属于另一个文件", name, name).
			WithHint("get both files again from whoever made the report", "请向出具报告的人重新索取这两个文件")}
	case err != nil:
		return engine.Refusal{Err: lang.Errorf(err, "cannot trust %s", "%s 不可信", name).
			WithHint("get both files again from whoever made the report", "请向出具报告的人重新索取这两个文件")}
	}
	print := report.Fingerprint(key)
	if who := trusted.Who(key, a.machine().Now()); who != nil {
		a.result(visible(lang.F("good: signed by %s, %s (%s)", "可信：由 %s 签名，%s（%s）", strings.Join(who, ","), print, key.Type()).In(a.lang)))
		return nil
	}
	why := lang.Errorf(nil, "cannot trust %s: signed by an unknown key %s, not in %s", "%s 不可信：由未知密钥 %s 签名，不在 %s 中", name, print, signers)
	if signers == "" {
		why = lang.Errorf(nil, "cannot trust %s: signed by an unknown key %s, and nobody was named who may sign", "%s 不可信：由未知密钥 %s 签名，且未指定可信的签名人", name, print)
	}
	return engine.Refusal{Err: why.WithHint("it is unchanged since that key signed it. Ask the engineer for the key's fingerprint; where it is the same, `--signers FILE` with this line trusts it: NAME %s",
		"自该密钥签名以来内容未变。请向实施工程师核对密钥指纹；一致时，可用 `--signers 文件` 信任它，文件内容为：名字 %s", report.Line(key))}
}

// readBounded reads a regular file of at most most bytes.
func readBounded(name string, most int64) ([]byte, error) {
	fi, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !fi.Mode().IsRegular():
		return nil, lang.Errorf(nil, "it is no file", "它不是普通文件")
	case fi.Size() > most:
		return nil, lang.Errorf(nil, "it is too large", "它过大")
	}
	return os.ReadFile(name)
}
