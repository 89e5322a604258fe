// Command pictures makes the README's pictures from the wizard's real screens: it
// runs the demo on a terminal, types, and draws what stands there. It draws nothing
// that the program has not.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/creack/pty"

	"goxin/cmd/lab/screen"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: pictures GOXIN DIRECTORY [NAME…]")
		os.Exit(2)
	}
	for _, p := range pictures() {
		if only := os.Args[3:]; len(only) > 0 && !slices.Contains(only, p.name) {
			continue
		}
		if err := p.make(context.Background(), os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintf(os.Stderr, "cannot make picture %s: %v\n", p.name, err)
			os.Exit(1)
		}
	}
}

// picture is a screen and the way to it: what is waited for, and then pressed.
type picture struct {
	name       string
	machine    string
	term, lang string
	cols, rows int
	way        []turn
	until      []string // what stands on the picture
}

type turn struct {
	see   string
	press []string
}

const patience = 3 * time.Minute // a drill takes its time

func (p picture) make(ctx context.Context, goxin, dir string) error {
	goxin, err := filepath.Abs(goxin)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, goxin, "demo", p.machine)
	cmd.Env = []string{"TERM=" + p.term, "LANG=" + p.lang, "PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(p.cols), Rows: uint16(p.rows)})
	if err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	t := screen.New(line{f}, p.cols, p.rows, screen.Answers)
	defer t.Close()
	for _, step := range p.way {
		if err := t.WaitFor(patience, step.see); err != nil {
			return err
		}
		time.Sleep(600 * time.Millisecond) // what has popped up is not answered at once
		if err := t.Key(step.press...); err != nil {
			return err
		}
	}
	if err := t.WaitFor(patience, p.until...); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, p.name+".svg"), t.SVG(), 0o644)
}

// line is the terminal's end of a pseudo-terminal.
type line struct{ *os.File }

func (l line) Resize(cols, rows int) error {
	return pty.Setsize(l.File, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
}
