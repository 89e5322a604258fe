package main

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
)

// translate puts the words that cobra brings into the person's language.
func (a *app) translate(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	each(root, func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.Flags().Lookup("help").Usage = a.s("this help", "显示帮助")
		if c.Name() == "help" {
			c.Use, c.Short, c.Long = a.s("help [command]", "help [命令]"), a.s("Help about any command", "查看任一命令的帮助"), ""
			c.Run, c.RunE = nil, func(_ *cobra.Command, topic []string) error { return helpAbout(root, topic) }
		}
	})
	root.InitDefaultVersionFlag()
	root.Flags().Lookup("version").Usage = a.s("which goxin this is", "显示版本")
	if a.lang != lang.ZH {
		return
	}
	cobra.AddTemplateFunc("zh", func(said string) string {
		return strings.Replace(translateTypes(defaults.ReplaceAllString(said, "（默认 $1）")), "[flags]", "[参数]", 1)
	})
	root.SetUsageTemplate(strings.NewReplacer(
		".FlagUsages | trimTrailingWhitespaces", ".FlagUsages | zh | trimTrailingWhitespaces",
		"{{.UseLine}}", "{{.UseLine | zh}}", "{{.CommandPath}} [command]{{", "{{.CommandPath}} [命令]{{",
		"Usage:", "用法：", "Aliases:", "别名：", "Examples:", "示例：", "Available Commands:", "命令：", "Additional Commands:", "其他命令：",
		"Global Flags:", "通用参数：", "Additional help topics:", "其他帮助：", "Flags:", "参数：",
		`Use "{{.CommandPath}} [command] --help" for more information about a command.`, `“{{.CommandPath}} 命令 --help” 查看该命令的详细说明。`,
	).Replace(root.UsageTemplate()))
}

// helpAbout shows a command's help; cobra's own shows the root's for one that is none.
func helpAbout(root *cobra.Command, topic []string) error {
	c, rest, err := root.Find(topic)
	if err != nil || len(rest) > 0 {
		e := lang.Errorf(nil, "cannot find help about %q: there is no such command", "找不到 %q 的帮助：没有这个命令", strings.Join(topic, " "))
		if near := root.SuggestionsFor(strings.Join(topic, " ")); len(near) > 0 {
			return usageError{e.WithHint("did you mean `%s help %s`?", "是否想用 `%s help %s`？", root.Name(), near[0])}
		}
		return usageError{e.WithHint("see `%s --help`", "请看 `%s --help`", root.Name())}
	}
	return c.Help()
}

// defaults are those that pflag writes behind a flag's usage.
var defaults = regexp.MustCompile(`(?m) \(default (.*)\)$`)

func each(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		each(sub, do)
	}
}
