package main

import (
	"os"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
)

func (a *app) captureCommand() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "capture",
		Short: a.s("Write what goxin sees of this machine to a file, without names, addresses and serials", "把 goxin 所见的本机情况写成文件，不含主机名、地址和序列号"),
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			m := a.machine()
			f, err := detect.Detect(c.Context(), m)
			if err != nil {
				return err
			}
			w, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				return lang.Errorf(err, "cannot write the capture", "无法写入采集文件").WithHint("choose another name with -o", "请用 -o 另选文件名")
			}
			err = detect.Capture(c.Context(), m, f, w)
			if cerr := w.Close(); err == nil {
				err = cerr
			}
			if err != nil {
				_ = os.Remove(name) // half a capture is none
				return lang.Errorf(err, "cannot write the capture", "无法写入采集文件")
			}
			a.say("written to %s; look through it before you pass it on", "已写入 %s；转交他人之前请先过目", name)
			return nil
		},
	}
	c.Flags().StringVarP(&name, "output", "o", "goxin-capture.tar.gz", a.s("the file", "输出文件"))
	return c
}
