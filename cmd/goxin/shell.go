package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	tea "github.com/charmbracelet/bubbletea"
)

// shell is the person's shell, for a look at what failed. What it exits with is its
// own affair.
type shell struct {
	*exec.Cmd
	say string
}

// shell is nil where goxin works on a tree: a shell would be on another machine.
func (a *app) shell() func() tea.ExecCommand {
	if a.root != "" {
		return nil
	}
	return func() tea.ExecCommand {
		name := os.Getenv("SHELL")
		if name == "" {
			name = "/bin/sh"
		}
		c := exec.Command(name)
		c.Stdin, c.Stdout, c.Stderr = a.in, a.out.File, a.errs
		return shell{c, a.s("exit comes back to goxin", "输入 exit 返回 goxin")}
	}
}

func (s shell) Run() error {
	fmt.Fprintln(s.Stdout, s.say)
	err := s.Cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// What the wizard would lend it is no terminal: the shell takes the real one.

func (shell) SetStdin(io.Reader)  {}
func (shell) SetStdout(io.Writer) {}
func (shell) SetStderr(io.Writer) {}
