package main

import (
	"context"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/wire"
	"goxin/steps/wire/link"
)

// wireCommand is how goxin asks the wire of a machine, its own or a peer's: it opens the
// sockets there, and prints JSON lines for steps/wire to read.
func (a *app) wireCommand() *cobra.Command {
	c := &cobra.Command{Use: "wire", Hidden: true, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.wireProbe(), a.wireListen(), a.wireSend(), a.wireReceive(), a.wireAsk())
	for _, sub := range c.Commands() {
		do := sub.RunE
		sub.RunE = func(c *cobra.Command, args []string) error {
			err := do(c, args)
			if err == nil || c.Context().Err() != nil {
				return err
			}
			// For who runs it, in whatever language that speaks.
			both := func(in func(error, lang.Lang) string) lang.Text { return lang.T(in(err, lang.EN), in(err, lang.ZH)) }
			a.jsonLine(wire.Failure{Error: both(lang.Message), Hint: both(lang.Hint)})
			return exitError(exitCode(err))
		}
	}
	return c
}

// addr is an IPv4 address of the command line.
type addr struct{ netip.Addr }

func (v *addr) Type() string { return "address" }

func (v *addr) String() string {
	if !v.IsValid() {
		return ""
	}
	return v.Addr.String()
}

func (v *addr) Set(s string) error {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return lang.Because(nil, "it is no IPv4 address", "不是 IPv4 地址")
	}
	v.Addr = a
	return nil
}

func hidden(use string, required []string, run func(c *cobra.Command) error) *cobra.Command {
	return &cobra.Command{Use: use, Hidden: true, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		for _, f := range required {
			if !c.Flags().Changed(f) {
				return usageError{lang.Errorf(nil, "cannot go on without --%s", "缺少 --%s", f)}
			}
		}
		return run(c)
	}}
}

// lines prints JSON lines for as long as somebody reads them: what would go on for hours
// ends with its reader.
func (a *app) lines(ctx context.Context) (context.Context, func(v any)) {
	ctx, cancel := context.WithCancel(ctx)
	return ctx, func(v any) {
		a.jsonLine(v)
		if a.out.err != nil {
			cancel()
		}
	}
}

func (a *app) wireProbe() *cobra.Command {
	var iface string
	var ip addr
	c := hidden("arp-probe", []string{"interface", "address"}, func(c *cobra.Command) error {
		f, err := link.Probe(c.Context(), iface, ip.Addr)
		if err == nil {
			a.jsonLine(f)
		}
		return err
	})
	c.Flags().StringVar(&iface, "interface", "", "")
	c.Flags().Var(&ip, "address", "")
	return c
}

func (a *app) wireListen() *cobra.Command {
	var iface string
	var ip addr
	var d, every time.Duration
	c := hidden("listen", []string{"interface", "for"}, func(c *cobra.Command) error {
		ctx, line := a.lines(c.Context())
		return link.Listen(ctx, iface, d, every, ip.Addr, func(h wire.Heard) { line(h) })
	})
	c.Flags().StringVar(&iface, "interface", "", "")
	c.Flags().Var(&ip, "address", "")
	c.Flags().DurationVar(&d, "for", 0, "")
	c.Flags().DurationVar(&every, "every", 0, "")
	return c
}

func (a *app) wireSend() *cobra.Command {
	var from, to addr
	var count int
	var every time.Duration
	c := hidden("send112", []string{"from", "to"}, func(c *cobra.Command) error {
		return link.Send(c.Context(), from.Addr, to.Addr, count, every)
	})
	c.Flags().Var(&from, "from", "")
	c.Flags().Var(&to, "to", "")
	c.Flags().IntVar(&count, "count", 1, "")
	c.Flags().DurationVar(&every, "every", 100*time.Millisecond, "")
	return c
}

func (a *app) wireReceive() *cobra.Command {
	var iface string
	var from addr
	var count int
	var d time.Duration
	c := hidden("recv112", []string{"interface", "from", "for"}, func(c *cobra.Command) error {
		return link.Receive(c.Context(), iface, from.Addr, count, d, func(got wire.Arrived) { a.jsonLine(got) })
	})
	c.Flags().StringVar(&iface, "interface", "", "")
	c.Flags().Var(&from, "from", "")
	c.Flags().IntVar(&count, "count", 1, "")
	c.Flags().DurationVar(&d, "for", 0, "")
	return c
}

func (a *app) wireAsk() *cobra.Command {
	var ip addr
	var q wire.Question
	c := hidden("ask", []string{"address", "port"}, func(c *cobra.Command) error {
		q.VIP = ip.Addr
		ctx, line := a.lines(c.Context())
		return link.Ask(ctx, q, func(b wire.Batch) { line(b) })
	})
	c.Flags().Var(&ip, "address", "")
	c.Flags().IntVar(&q.Port, "port", 0, "")
	c.Flags().StringVar(&q.Path, "path", "", "")
	c.Flags().StringVar(&q.Host, "host", "", "")
	c.Flags().StringVar(&q.Interface, "interface", "", "")
	c.Flags().DurationVar(&q.Every, "every", 10*time.Millisecond, "")
	c.Flags().DurationVar(&q.For, "for", 10*time.Minute, "")
	return c
}
