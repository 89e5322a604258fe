// Lab makes throwaway Linux machines with a real systemd on a Debian host, for
// end-to-end tests and for training: containers that are up in seconds, and
// fully emulated virtual machines for what a container only pretends. It keeps
// everything in a cache outside the repository, and leaves the host's own
// sysctls, services and network alone; the one thing it changes on the host
// itself is that `lab prepare` installs packages, after saying so.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// exitCode carries the exit code of a program in a machine.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := command().ExecuteContext(ctx)
	stop()
	var code exitCode
	switch {
	case errors.As(err, &code):
		os.Exit(int(code))
	case err != nil:
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "lab: "+format+"\n", args...) }

func command() *cobra.Command {
	root := &cobra.Command{
		Use: "lab", Short: "throwaway machines with a real systemd",
		SilenceUsage: true, SilenceErrors: true,
	}
	// use runs a command with the lab open.
	use := func(do func(ctx context.Context, l *Lab, args []string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error {
			l, err := Open(false, say)
			if err != nil {
				return err
			}
			return do(cmd.Context(), l, args)
		}
	}
	// machine runs a command on the machine that the first argument names.
	machine := func(do func(ctx context.Context, m Machine, args []string) error) func(*cobra.Command, []string) error {
		return use(func(ctx context.Context, l *Lab, args []string) error {
			m, err := l.Machine(args[0])
			if err != nil {
				return err
			}
			return do(ctx, m, args[1:])
		})
	}

	var spec Spec
	up := &cobra.Command{
		Use: "up NAME", Short: "make a machine and boot it", Args: cobra.ExactArgs(1),
		RunE: use(func(ctx context.Context, l *Lab, args []string) error {
			spec.Name = args[0]
			m, err := l.Start(ctx, spec)
			if err == nil {
				say("%s is up: lab shell %s", m.Name(), m.Name())
			}
			return err
		}),
	}
	up.Flags().StringVar((*string)(&spec.Kind), "kind", string(SystemContainer), "container or vm")
	up.Flags().StringVar(&spec.Release, "release", "bookworm", "Debian release")
	up.Flags().StringVar(&spec.Arch, "arch", "", "a container's architecture, if another than the host's: arm64")
	up.Flags().StringVar(&spec.Group, "group", "lab", "containers of one group are on one bridge")

	var release string
	prepare := &cobra.Command{
		Use: "prepare", Short: "install the lab's tools and build the base trees", Args: cobra.NoArgs,
		RunE: use(func(ctx context.Context, l *Lab, _ []string) error { return l.Prepare(ctx, release) }),
	}
	prepare.Flags().StringVar(&release, "release", "bookworm", "Debian release")

	var all, dropCache bool
	clean := &cobra.Command{
		Use: "clean", Short: "remove the machines, also what a crash left", Args: cobra.NoArgs,
		RunE: use(func(ctx context.Context, l *Lab, _ []string) error {
			err := l.Clean(ctx, all)
			if dropCache {
				err = errors.Join(err, l.Prune(0))
			}
			return err
		}),
	}
	clean.Flags().BoolVar(&all, "all", false, "also those of test runs that are going on")
	clean.Flags().BoolVar(&dropCache, "cache", false, "also the base trees and images")

	root.AddCommand(prepare, up, clean, measureCommand(),
		&cobra.Command{Use: "bench-go", Short: "measure how Go is installed and verified", Args: cobra.NoArgs, RunE: use(benchGo)},
		&cobra.Command{Use: "bench-ha", Short: "measure what a pair loses when it is broken", Args: cobra.NoArgs, RunE: use(benchHA)},
		&cobra.Command{Use: "bench", Short: "measure goxin beside what a person would do instead", Args: cobra.NoArgs, RunE: use(bench)},
		&cobra.Command{
			Use: "tree", Short: "say where a container's base tree is, which is to be copied and not written", Args: cobra.NoArgs,
			RunE: use(func(ctx context.Context, l *Lab, _ []string) error {
				dir, err := l.tree(ctx, base{kind: SystemContainer, release: "bookworm"})
				if err == nil {
					fmt.Println(dir)
				}
				return err
			}),
		},
		&cobra.Command{Use: "list", Short: "show the machines", Args: cobra.NoArgs, RunE: use(list)},
		&cobra.Command{Use: "exec NAME -- CMD…", Short: "run a program in a machine", Args: cobra.MinimumNArgs(2), RunE: machine(execute)},
		&cobra.Command{Use: "shell NAME [CMD…]", Short: "a root shell on a terminal of the machine", Args: cobra.MinimumNArgs(1), RunE: machine(shell)},
		&cobra.Command{Use: "console NAME", Short: "a virtual machine's serial line; Ctrl-] leaves it", Args: cobra.ExactArgs(1), RunE: machine(console)},
		&cobra.Command{Use: "cp SRC NAME:DST | NAME:SRC DST", Short: "copy a file into a machine or out of it", Args: cobra.ExactArgs(2), RunE: use(copyArgs)},
		&cobra.Command{
			Use: "reboot NAME", Short: "shut down, boot, wait", Args: cobra.ExactArgs(1),
			RunE: machine(func(ctx context.Context, m Machine, _ []string) error { return m.Reboot(ctx) }),
		},
		&cobra.Command{
			Use: "cut NAME", Short: "take the power away, boot, wait", Args: cobra.ExactArgs(1),
			RunE: machine(func(ctx context.Context, m Machine, _ []string) error { return m.Cut(ctx) }),
		},
		&cobra.Command{
			Use: "snapshot NAME SNAPSHOT", Short: "remember a machine as it is", Args: cobra.ExactArgs(2),
			RunE: machine(func(ctx context.Context, m Machine, args []string) error { return m.Snapshot(ctx, args[0]) }),
		},
		&cobra.Command{
			Use: "restore NAME SNAPSHOT", Short: "bring a machine back; \"fresh\" is always there", Args: cobra.ExactArgs(2),
			RunE: machine(func(ctx context.Context, m Machine, args []string) error { return m.Restore(ctx, args[0]) }),
		},
		&cobra.Command{
			Use: "down NAME", Short: "remove a machine", Args: cobra.ExactArgs(1),
			RunE: machine(func(ctx context.Context, m Machine, _ []string) error { return m.Down(ctx) }),
		},
	)
	root.AddCommand(partsOfBenchGo()...)
	return root
}

func list(_ context.Context, l *Lab, _ []string) error {
	for _, s := range l.all() {
		status := "stopped"
		if s.alive() {
			status = "running"
		}
		owner := "-"
		if s.Owner.PID != 0 {
			owner = fmt.Sprintf("process %d", s.Owner.PID)
			if !s.Owner.alive() {
				owner += " (gone)"
			}
		}
		fmt.Printf("%-24s %-10s %-10s %-8s %-10s %s\n", s.Name, s.Kind, s.Release, status, s.Group, owner)
	}
	return nil
}

// copyArgs copies between the host and a machine, whichever side has a name
// before a colon.
func copyArgs(ctx context.Context, l *Lab, args []string) error {
	from, to := args[0], args[1]
	if name, remote, ok := strings.Cut(to, ":"); ok && !strings.Contains(name, "/") {
		m, err := l.Machine(name)
		if err != nil {
			return err
		}
		info, err := os.Stat(from)
		if err != nil {
			return err
		}
		return m.Put(ctx, from, remote, info.Mode())
	}
	if name, remote, ok := strings.Cut(from, ":"); ok && !strings.Contains(name, "/") {
		m, err := l.Machine(name)
		if err != nil {
			return err
		}
		return m.Get(ctx, remote, to)
	}
	return errors.New("cannot copy: one side must be NAME:PATH")
}
