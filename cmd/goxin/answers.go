package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"goxin/steps"
	"goxin/steps/answers"
)

func (a *app) answersCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "answers",
		Short: a.s("The answers file: schema, check, new, upgrade", "应答文件：schema、check、new、upgrade"),
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		&cobra.Command{
			Use: "schema", Short: a.s("Its JSON Schema", "其 JSON Schema"), Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := a.out.Write(answers.Schema(steps.All(), a.lang))
				return err
			},
		},
		&cobra.Command{
			Use: "check FILE", Short: a.s("Everything that is wrong with it, by line", "逐行指出其中所有问题"), Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				if _, err := a.readAnswers(args[0]); err != nil {
					return err
				}
				a.say("%s is in order", "%s 没有问题", args[0])
				return nil
			},
		},
		&cobra.Command{
			Use: "new", Short: a.s("A template with every field, for this machine", "适合本机的完整模板"), Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				e, err := a.engine(nil)
				if err != nil {
					return err
				}
				h, err := e.Detect(c.Context())
				if err != nil {
					return err
				}
				_, err = a.out.Write(answers.New(steps.All(), h, a.lang))
				return err
			},
		},
		&cobra.Command{
			Use: "upgrade FILE", Short: a.s("It as this goxin writes it, on standard output", "按本版本格式输出到标准输出"), Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				data, err := os.ReadFile(args[0])
				if err != nil {
					return badFile(err)
				}
				out, changed, err := answers.Upgrade(args[0], data)
				if err != nil {
					return err
				}
				if !changed {
					a.say("%s is of the current version", "%s 已是当前版本", args[0])
				}
				_, err = fmt.Fprint(a.out, string(out))
				return err
			},
		},
	)
	return c
}
