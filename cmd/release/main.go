// Command release builds goxin's static binaries for every architecture, with the very
// release of Go that go.mod names and, for loong64, with goxin's overlay, so that one
// binary starts in both of LoongArch's worlds. It makes the overlay for anybody's Go too:
//
//	release [-o DIR] [-version V] [linux/ARCH …]     DIR/goxin-ARCH for each
//	release overlay [-goarch ARCH] GOROOT DIR        DIR/overlay.json, for go build -overlay
//
// It refuses to release a loong64 binary that does not ask the kernel which world it is
// of. It installs nothing and changes no GOROOT.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"goxin/assets/lang"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		if hint := lang.Hint(err, lang.EN); hint != "" {
			fmt.Fprintln(os.Stderr, "hint:", hint)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "overlay" {
		return overlayFor(args[1:])
	}
	f := flag.NewFlagSet("release", flag.ContinueOnError)
	dir := f.String("o", "dist", "where the binaries go")
	version := f.String("version", "dev", "what they call themselves")
	if err := f.Parse(args); err != nil {
		return err
	}
	platforms := f.Args()
	if len(platforms) == 0 {
		platforms = []string{"linux/amd64", "linux/arm64", "linux/loong64", "linux/mips64le", "linux/riscv64"}
	}
	return build(ctx, *dir, *version, platforms)
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
