package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"goxin/assets/lang"
)

// understood is what pflag and cobra say of a command line, in both languages. What
// they say that is not known here stays as it is.
func understood(err error) error {
	var none *pflag.NotExistError
	var lacks *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &none):
		return lang.Because(nil, "unknown flag: %s", "没有参数 %s", flagAs(none.GetSpecifiedName(), none.GetSpecifiedShortnames()))
	case errors.As(err, &lacks):
		return lang.Because(nil, "flag needs an argument: %s", "参数 %s 需要一个值", flagAs(lacks.GetSpecifiedName(), lacks.GetSpecifiedShortnames()))
	case errors.As(err, &invalid):
		return lang.Because(wanted(invalid), "invalid argument %q for %s", "%[2]s 的值 %[1]q 无效", invalid.GetValue(), flagAs(invalid.GetFlag().Name, ""))
	case errors.As(err, &syntax):
		return lang.Because(nil, "bad flag syntax: %s", "参数写法不对：%s", syntax.GetSpecifiedFlag())
	}
	for _, k := range arguments {
		if m := k.said.FindStringSubmatch(err.Error()); m != nil {
			return k.meant(m[1:])
		}
	}
	return err
}

// flagAs is a flag as it was written: --name, or -n among short ones.
func flagAs(name, among string) string {
	switch among {
	case "":
		return "--" + name
	case name:
		return "-" + name
	}
	return "-" + name + " (-" + among + ")"
}

// wanted is why a flag does not take a value: of switches and numbers, what it takes.
func wanted(e *pflag.InvalidValueError) error {
	switch e.GetFlag().Value.Type() {
	case "bool":
		return lang.Because(nil, "it is true or false", "应为 true 或 false")
	case "int":
		if !errors.Is(e, strconv.ErrRange) {
			return lang.Because(nil, "it is a whole number", "应为整数")
		}
	}
	return errors.Unwrap(e)
}

// arguments are cobra's errors about what is no flag, which have no types
// (spf13/cobra, args.go).
var arguments = []struct {
	said  *regexp.Regexp
	meant func(m []string) error
}{
	{regexp.MustCompile(`^unknown command (".*") for "(.*)"`), func(m []string) error {
		word, err := strconv.Unquote(m[0])
		if err != nil {
			word = strings.Trim(m[0], `"`)
		}
		return lang.Because(nil, "unknown command %q for %s", "%[2]s 之后不能是 %[1]q：没有这个子命令", word, m[1])
	}},
	{regexp.MustCompile(`^requires at least (\d+) arg\(s\), only received (\d+)`), func(m []string) error {
		return lang.Because(nil, "it takes at least %s argument(s), and got %s", "至少需要 %s 个位置参数，给了 %s 个", m[0], m[1])
	}},
	{regexp.MustCompile(`^accepts at most (\d+) arg\(s\), received (\d+)`), func(m []string) error {
		return lang.Because(nil, "it takes at most %s argument(s), and got %s", "至多接受 %s 个位置参数，给了 %s 个", m[0], m[1])
	}},
	{regexp.MustCompile(`^accepts (\d+) arg\(s\), received (\d+)`), func(m []string) error {
		return lang.Because(nil, "it takes %s argument(s), and got %s", "需要 %s 个位置参数，给了 %s 个", m[0], m[1])
	}},
}

// typeNames are pflag's names of what a flag takes, in Chinese.
var typeNames = map[string]string{
	"string": "文本", "strings": "列表", "stringArray": "文本", "duration": "时长", "int": "数",
}

// typed is the first of a flag's line in a help, up to the name of its type.
var typed = regexp.MustCompile(`(?m)^( +(?:-\w, )?--[\w-]+ )(string|strings|stringArray|duration|int)(\[="[^"]*"\])?( +)`)

// translateTypes names the types of a help's flags in Chinese, and leaves its columns
// where they are.
func translateTypes(flags string) string {
	return typed.ReplaceAllStringFunc(flags, func(s string) string {
		m := typed.FindStringSubmatch(s)
		zh := typeNames[m[2]]
		wide := 2 * len([]rune(zh))
		return m[1] + zh + m[3] + strings.Repeat(" ", max(2, len(m[4])+len(m[2])-wide))
	})
}
