package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/tui"
	"goxin/tui/cast"
)

func (a *app) recordCommand() *cobra.Command {
	var idle time.Duration
	c := &cobra.Command{
		Use:   "record FILE [ARGS | demo MACHINE]",
		Short: a.s("Record a session of the wizard or of the demo, for asciinema to play", "录制一次向导或演示过程，可用 asciinema 播放"),
		Long: a.s("Runs the wizard with ARGS, or the demo, and writes what the screen shows to FILE (asciicast v2). What is typed is not recorded; secrets are masked.",
			"以 ARGS 运行向导或演示，把屏幕上显示的内容写入 FILE（asciicast v2 格式）。不录键盘输入，机密会被遮盖。"),
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if idle < 0 {
				return usageError{lang.Errorf(nil, "cannot shorten waits to %s", "无法把停顿缩短为 %s", idle).WithHint("--idle takes a time such as 2s; without it waits are kept", "--idle 取时间，如 2s；不加则保留停顿")}
			}
			rest := args[1:]
			if len(rest) > 0 && rest[0] == "--" {
				rest = rest[1:]
			}
			return a.record(c.Context(), args[0], append(given(c.InheritedFlags()), rest...), idle)
		},
	}
	c.Flags().SetInterspersed(false) // what follows FILE is the flags of what is recorded
	c.Flags().DurationVar(&idle, "idle", 0, a.s("shorten longer waits to this", "把更长的停顿缩短到此时长"))
	return c
}

// given are the flags that were given. It is never nil: cobra would read the
// command line itself.
func given(fs *pflag.FlagSet) []string {
	out := []string{}
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			out = append(out, "--"+f.Name+"="+f.Value.String())
		}
	})
	return out
}

// record runs the wizard, or the demo, as args say, and writes what it shows.
func (a *app) record(ctx context.Context, name string, args []string, idle time.Duration) (err error) {
	cmd := a.command()
	sub, _, err := cmd.Find(args)
	if err != nil || sub != cmd && sub.Name() != "demo" {
		return usageError{lang.Errorf(nil, "cannot record this: only the wizard and the demo have a session to record", "无法录制：只能录制向导和演示").
			WithHint("`goxin record FILE`, or `goxin record FILE demo`", "`goxin record FILE` 或 `goxin record FILE demo`")}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		e := lang.Errorf(err, "cannot record to %s", "无法录制到 %s", name)
		if errors.Is(err, fs.ErrExist) {
			return e.WithHint("what is there is not overwritten: choose another name", "不会覆盖已有文件：请另选文件名")
		}
		return e.WithHint("choose another place", "请另选位置")
	}
	tty := terminal(a.out.File)
	h := cast.Header{Width: tty.Width, Height: tty.Height, Env: map[string]string{"TERM": tty.Term, "LANG": tty.Locale}}
	if h.Width <= 0 || h.Height <= 0 {
		h.Width, h.Height = 80, 24
	}
	a.cast, err = cast.New(&wholeLines{f: f}, h, cast.Options{Idle: idle, Secrets: passwordsIn(os.Environ())})
	if err == nil {
		cmd.SetArgs(args)
		cmd.SetIn(a.in)
		cmd.SetOut(a.out)
		cmd.SetErr(a.errs)
		err = cmd.ExecuteContext(ctx)
	}
	broke := a.cast.Close()
	if cerr := f.Close(); broke == nil {
		broke = cerr
	}
	switch {
	case a.cast.Empty():
		_ = os.Remove(name) // nothing was shown
	case broke != nil:
		a.tell(err)
		return lang.Errorf(broke, "cannot record all of it to %s", "未能完整录制到 %s", name).WithHint("what was recorded until then can be played; free some room", "此前录下的部分可以播放；请腾出空间")
	default:
		a.say("recorded: `asciinema play %s` shows it", "已录制：可用 `asciinema play %s` 播放", name)
	}
	return err
}

// wholeLines is a recording's file. What a full disk took of an event is taken out
// again: a player stops at half a line.
type wholeLines struct {
	f interface {
		io.Writer
		Truncate(size int64) error
	}
	at int64 // bytes of whole events
}

func (w *wholeLines) Write(b []byte) (int, error) {
	n, err := w.f.Write(b)
	if err != nil {
		return n, errors.Join(err, w.f.Truncate(w.at))
	}
	w.at += int64(n)
	return n, nil
}

// recorded is c with the recording that is under way, if one is, looking on.
func (a *app) recorded(c tui.Config) tui.Config {
	w := a.cast
	if w == nil {
		return c
	}
	w.Mask(secretsIn(c.Answers, c.Steps)...)
	c.Watch, c.Resized = w.Output, w.Resize
	if c.Tier == tui.Line { // the terminal makes the line ends, and no program sees them
		c.Watch = func(b []byte) { w.Output(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))) }
	}
	save := c.Save
	c.Save = func(ans engine.Answers) (string, error) {
		w.Mask(secretsIn(ans, c.Steps)...)
		if save == nil {
			return "", nil
		}
		return save(ans)
	}
	return c
}

// typed is the input of a talk in lines. A terminal shows what is typed, which a
// recording does not; it shows where a line ended.
func (a *app) typed() io.Reader {
	if a.cast == nil || !isTerminal(a.in) {
		return a.in
	}
	return lineEnds{a.in, a.cast}
}

type lineEnds struct {
	io.Reader
	w *cast.Writer
}

func (l lineEnds) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b)
	for range bytes.Count(b[:n], []byte("\n")) {
		l.w.Output([]byte("\r\n"))
	}
	return n, err
}
