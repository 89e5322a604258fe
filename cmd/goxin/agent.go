package main

import (
	"errors"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/detect/machine/peer"
)

// agentCommand is what goxin on another machine starts here by SSH. It copies between
// that line and the session process, which outlives the line.
func (a *app) agentCommand() *cobra.Command {
	var session string
	c := &cobra.Command{
		Use:    "agent",
		Short:  a.s("Work for goxin on another machine, over standard input and output", "通过标准输入输出，为另一台机器上的 goxin 工作"),
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.checkSession(session); err != nil {
				return err
			}
			program, err := os.Executable()
			if err != nil {
				return err
			}
			return peer.Relay(c.Context(), a.machine(), session, program, a.in, a.out)
		},
	}
	c.PersistentFlags().StringVar(&session, "session", "", a.s("the session process to work through", "所用的会话进程"))
	lease := 90 * time.Second
	serve := &cobra.Command{
		Use:    "serve",
		Short:  a.s("Be the session process", "作为会话进程运行"),
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.checkSession(session); err != nil {
				return err
			}
			unix.Umask(0o022)
			l, release, err := peer.Listen(a.machine(), session)
			var held *machine.LockedError
			if errors.As(err, &held) {
				return nil // another one was quicker
			}
			if err != nil {
				return err
			}
			err = peer.ServeAll(c.Context(), a.machine(), l, peer.ServeOptions{Lease: lease})
			return errors.Join(err, release())
		},
	}
	serve.Flags().DurationVar(&lease, "lease", lease, a.s("how long a client may be away before what it left is ended", "客户端断开多久后结束其遗留的操作"))
	c.AddCommand(serve)
	return c
}

// checkSession takes no name that is a path.
func (a *app) checkSession(name string) error {
	if !regexp.MustCompile(`^[0-9a-z-]{1,64}$`).MatchString(name) {
		return usageError{lang.Errorf(nil, "cannot use the session name %q", "无法使用会话名 %q", name).
			WithHint("goxin on another machine starts this command; it is not for people", "本命令由另一台机器上的 goxin 启动，不供人使用")}
	}
	return nil
}
