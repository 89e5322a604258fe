package engine

import (
	"context"

	"goxin/assets/lang"
)

type askKey struct{}

// Asker asks the person for a secret that nothing keeps: what says which.
type Asker func(ctx context.Context, what lang.Text) (string, error)

// WithAsker is ctx for work that may ask the person for secrets (prompt:).
func WithAsker(ctx context.Context, f Asker) context.Context {
	return context.WithValue(ctx, askKey{}, f)
}

// Ask asks for a secret. Where there is nobody to ask it is an error.
func Ask(ctx context.Context, what lang.Text) (string, error) {
	f, ok := ctx.Value(askKey{}).(Asker)
	if !ok {
		return "", lang.Errorf(nil, "cannot ask for %s: nobody is at the terminal", "无法询问%s：终端前没有人", what).
			WithHint("refer to a file or a variable instead: file:/PATH, env:NAME", "请改用文件或环境变量引用：file:/路径、env:变量名")
	}
	return f(ctx, what)
}
