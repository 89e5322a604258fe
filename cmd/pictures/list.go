package main

import (
	"fmt"
	"slices"
)

// pictures are those that README and its pages show.
func pictures() []picture {
	const kylin = "kylin-v10-sp3-kunpeng920"
	enter := []string{"enter"}
	next := func(see string) turn { return turn{see, enter} }
	skip := func(see string) turn { return turn{see, []string{"s"}} }
	past := func(see string) turn { return turn{see, []string{"ctrl+n"}} } // where an s could be an answer
	through := func(from, to int) (ts []turn) {
		for i := from; i <= to; i++ {
			ts = append(ts, next(fmt.Sprintf("question %d of %d", i, to)))
		}
		return ts
	}
	return []picture{
		{
			name: "machine", machine: kylin, term: "xterm-256color", lang: "C.UTF-8", cols: 80, rows: 24,
			until: []string{"To know before we start"},
		},
		{
			name: "mirrors", machine: kylin, term: "xterm-256color", lang: "zh_CN.UTF-8", cols: 80, rows: 24,
			way:   []turn{next("开始之前须知"), next("Go 服务主机"), skip("由哪个服务校时")},
			until: []string{"签名无效", "落后 12 天", "软件包从哪里获取"},
		},
		{
			name: "diff", machine: kylin, term: "xterm-256color", lang: "C.UTF-8", cols: 80, rows: 24,
			way: []turn{
				next("To know before we start"), next("Go service host"), skip("Which service keeps"), skip("Where do packages come from"), skip("Which libraries"),
				next("What is the machine for"), next("Further kernel parameters"),
				{"hard limit", []string{"enter", "enter", "enter"}},
			},
			until: []string{"nothing written yet", "# goxin: net.core.somaxconn = 1024"},
		},
		{
			name: "drill", machine: "openeuler-22.03", term: "xterm-256color", lang: "C.UTF-8", cols: 80, rows: 24,
			way: slices.Concat([]turn{
				next("To know before we start"),
				{"What shall this machine become", []string{"down", "down", "enter"}},
				next("Which is the other machine of the pair"),
			}, through(2, 6), []turn{
				{"I have not compared it", []string{"down"}},
				next("▸ SHA256:"),
			}, through(3, 6), []turn{
				next("already as wanted"),
				skip("Which service keeps"), skip("Where do packages come from"), skip("Which libraries"), skip("What is the machine for"),
				past("Which versions of Go"), past("Which shells"), past("How far may the heap"), past("What is the service called"),
				next("Which address do the two share"),
			}, through(2, 11), []turn{
				{"nothing written yet", []string{"w"}},
				next("Each can be undone"),
			}),
			until: []string{"6 of 9"},
		},
		{
			name: "wide", machine: "uos-server-20d", term: "xterm-256color", lang: "zh_CN.UTF-8", cols: 160, rows: 36,
			way: []turn{
				next("开始之前须知"), next("Go 服务主机"), skip("由哪个服务校时"),
				{"软件包从哪里获取", []string{"enter", "enter"}},
			},
			until: []string{"尚未写入"},
		},
		{
			name: "serial", machine: kylin, term: "vt100", lang: "C", cols: 80, rows: 24,
			way: []turn{
				next("To know before we start"), next("Go service host"), skip("Which service keeps"), skip("Where do packages come from"), skip("Which libraries"),
				next("What is the machine for"), next("Further kernel parameters"),
				{"hard limit", []string{"enter", "enter", "enter"}},
			},
			until: []string{"nothing written yet", "# goxin: net.core.somaxconn = 1024"},
		},
	}
}
