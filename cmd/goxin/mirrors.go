package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/mirror"
	"goxin/steps/race"
)

func (a *app) mirrorsCommand() *cobra.Command {
	var asJSON bool
	var catalogue string
	c := &cobra.Command{
		Use:   "mirrors [URL]",
		Short: a.s("Which package mirror is fastest, fresh, complete and signed, seen from here", "从本机看，哪个软件源最快且新鲜、完整、签名有效"),
		Long: a.s("Asks every candidate for this machine's own repositories: the vendor's site, the mirrors of the catalogue, and URL, a site of yours.\n"+
			"Takes six seconds and 24 MiB at most, and changes nothing.",
			"以本机实际使用的软件仓库询问每个候选：官方站点、目录中的镜像，以及您给出的网址。\n"+
				"最多六秒、24 MiB，不做任何改动。"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			v := engine.Values{}
			if catalogue != "" {
				v["catalogue"] = catalogue
				if abs, err := filepath.Abs(catalogue); err == nil && a.root == "" {
					v["catalogue"] = abs
				}
			}
			if len(args) == 1 {
				if !strings.Contains(args[0], "://") {
					return usageError{lang.Errorf(nil, "cannot ask %q: it is no URL", "无法询问 %q：它不是网址", args[0]).
						WithHint("give one that stands for the vendor's site, or none: https://mirror.example.com/openeuler/", "请给出用来代替官方站点的网址，或不填：https://mirror.example.com/openeuler/")}
				}
				v["source"] = args[0]
			}
			for _, f := range (mirror.Step{}).Fields() {
				if err := check(mirror.Step{}, f, v); err != nil {
					return usageError{err}
				}
			}
			return a.mirrors(c, v, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	c.Flags().StringVar(&catalogue, "catalogue", "", a.s("the site's own catalogue of mirrors", "本单位自有的镜像目录文件"))
	return c
}

func (a *app) mirrors(c *cobra.Command, v engine.Values, asJSON bool) error {
	e, err := a.engine(nil)
	if err != nil {
		return err
	}
	h, err := e.Detect(c.Context())
	if err != nil {
		return err
	}
	sv, err := e.Survey(c.Context(), mirror.Step{}, v, nil)
	if err != nil {
		return err
	}
	id, _ := h.First()
	seen, err := mirror.SeenOn(sv, id)
	if err != nil {
		return err
	}
	if !seen.Raced {
		for _, n := range (mirror.Step{}).Notes(h, sv, v) {
			a.say("%s", "%s", n.Text)
		}
		return lang.Errorf(nil, "cannot compare mirrors: there is nobody to ask", "无法比较软件源：没有可询问的对象").
			WithHint("this needs a running machine of a system the catalogue knows, with package sources of its vendor", "需要在运行中的机器上执行，且目录认识该系统、其软件源来自厂商")
	}
	if asJSON {
		err = a.json(struct {
			Version int    `json:"version"`
			Product string `json:"product"`
			race.Report
		}{1, seen.Product, seen.Race})
	} else {
		a.printTable(seen.Table(seen.Race.Results, true))
		a.say("%d candidates, %.1f s, %.1f MiB", "%d 个候选，用时 %.1f 秒，流量 %.1f MiB", len(seen.Race.Results), seen.Race.Took.Seconds(), float64(seen.Race.Bytes)/(1<<20))
	}
	if err == nil && (len(seen.Race.Results) == 0 || !seen.Race.Results[0].Usable) {
		err = exitError(exitFailed)
	}
	return err
}
