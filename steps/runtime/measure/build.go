package measure

import (
	"context"
	_ "embed"
	"errors"
	"path"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

//go:embed load/main.go
var source string

// Tool is a Go that compiles on one machine.
type Tool struct {
	GOROOT string
	// Mark is called with each program that was built: where execution control is
	// on, nothing runs that was not marked. Nil: nothing to do.
	Mark func(ctx context.Context, m machine.Machine, program string) error
}

// env is what keeps a build inside dir: no cache of anybody's, no network, no other Go.
// Without a home the go command has nowhere to count its use (telemetry), which it does
// from a process of its own that would still write when dir is being cleared away.
func env(dir string) []string {
	return []string{
		"GOCACHE=" + path.Join(dir, "cache"), "GOPATH=" + path.Join(dir, "gopath"), "TMPDIR=" + dir, "HOME=", "XDG_CONFIG_HOME=",
		"GOENV=off", "GOTOOLCHAIN=local", "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off", "GO111MODULE=on", "CGO_ENABLED=0",
	}
}

// Build compiles a program of one file and no dependencies in dir, which is there, and
// returns its path. The variables of more (GOAMD64=v3) come on top.
func (t Tool) Build(ctx context.Context, m machine.Machine, dir, name, text string, more []string) (string, error) {
	src, program := path.Join(dir, name+".src"), path.Join(dir, name)
	err := m.Mkdir(src, 0o700, machine.Keep)
	if err == nil {
		err = m.WriteFile(path.Join(src, "main.go"), []byte(text), 0o600, machine.Keep)
	}
	if err == nil {
		err = m.WriteFile(path.Join(src, "go.mod"), []byte("module "+name+"\n\ngo 1.13\n"), 0o600, machine.Keep)
	}
	if err != nil {
		return "", lang.Errorf(err, "cannot write the program to compile", "无法写出待编译的程序").
			WithHint("make room on the disk: df -h", "请腾出磁盘空间：df -h")
	}
	var said []string
	c := machine.Command{Argv: []string{path.Join(t.GOROOT, "bin/go"), "build", "-o", program, "."}, Dir: src, Env: append(env(dir), more...)}
	if err := m.Run(ctx, c, func(line string) { said = append(said, line) }); err != nil {
		if machine.MissingProgram(err) {
			return "", lang.Errorf(err, "cannot compile with %s", "无法用 %s 编译", t.GOROOT).
				WithHint("name the top directory of a Go, the one with bin/go in it: --go /usr/local/go", "请指定 Go 的顶层目录，其中应有 bin/go：--go /usr/local/go")
		}
		if ctx.Err() == nil && len(said) > 0 {
			err = errors.Join(err, lang.Quote(strings.Join(said[:min(len(said), 3)], "\n")))
		}
		return "", lang.Errorf(err, "cannot compile with %s", "无法用 %s 编译", t.GOROOT).
			WithHint("the compiler's own words say why; is that Go whole? goxin verify %s", "原因见编译器的输出；这份 Go 完整吗？可执行 goxin verify %s", t.GOROOT)
	}
	if t.Mark != nil {
		return program, t.Mark(ctx, m, program)
	}
	return program, nil
}

// runLimit is for one run; the load takes half a second.
const runLimit = 2 * time.Minute
