package peer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/overlay"
)

// bothWorlds refuses, of what is to be sent to a LoongArch peer, a goxin that does not
// ask the kernel which of LoongArch's worlds it is in: on an old-world one it would die
// at its start, and nobody could say why.
func bothWorlds(release func(goarch string) (io.ReadCloser, string, error)) func(string) (io.ReadCloser, string, error) {
	return func(goarch string) (io.ReadCloser, string, error) {
		f, sum, err := release(goarch)
		if err != nil || goarch != overlay.Arch {
			return f, sum, err
		}
		defer f.Close()
		program, err := io.ReadAll(f) // some 25 MB
		if err != nil {
			return nil, "", err
		}
		got := sha256.Sum256(program)
		p, err := overlay.Inspect(bytes.NewReader(program))
		switch {
		case err != nil:
		case hex.EncodeToString(got[:]) != sum:
			err = lang.Because(nil, "it changed while it was read", "读取过程中发生了变化")
		case !p.LoongArch:
			err = lang.Because(nil, "it is for another processor", "它适用于其他处理器")
		case !p.Probes:
			err = lang.Because(nil, "it does not ask which of LoongArch's worlds it is in, and would die without a word in the old one", "它不会探测龙架构新旧世界，在旧世界内核上会直接段错误退出")
		}
		if err != nil {
			return nil, "", engine.Refusal{Err: lang.Errorf(err, "cannot bring goxin to a LoongArch machine", "无法将 goxin 传到龙架构机器").
				WithHint("take goxin-%s of a release, or build it by `make build-all`", "请使用发布目录中的 goxin-%s，或用 `make build-all` 编译", overlay.Arch)}
		}
		return io.NopCloser(bytes.NewReader(program)), sum, nil
	}
}
