// Package steptest is what the tests of steps have in common: captured machines, facts
// made by hand, what a person sees of a plan, and goldens. It is in no program.
package steptest

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// Fact is a fact that is known.
func Fact[T any](v T) detect.Fact[T] {
	return detect.Fact[T]{Value: v, Known: true, From: lang.Same("test")}
}

// Hosts is a run on one machine.
func Hosts(m machine.Machine, f *detect.Facts) engine.Hosts {
	return engine.Hosts{Order: []machine.ID{m.ID()}, Facts: map[machine.ID]*detect.Facts{m.ID(): f}}
}

// Dir is an empty directory that goes with the test: in memory where that can be had,
// since trees are written durably and fsync costs nothing there.
func Dir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "goxin-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Tree is an empty tree, with files in it: path → content.
func Tree(t *testing.T, files map[string]string) (m machine.Machine, root string) {
	t.Helper()
	root = Dir(t)
	for name, content := range files {
		host := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(host, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return machine.Root(root), root
}

// Captured runs test on each captured machine, on a tree of its own.
func Captured(t *testing.T, test func(t *testing.T, name string, m machine.Machine, h engine.Hosts)) {
	t.Helper()
	if len(assets.Machines()) == 0 {
		t.Fatal("no captured machines")
	}
	for _, name := range assets.Machines() {
		t.Run(name, func(t *testing.T) {
			r, err := assets.OpenMachine(name)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			m, err := machine.OpenRecorded(name, r, filepath.Join(Dir(t), name))
			if err != nil {
				t.Fatal(err)
			}
			f, err := detect.Detect(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			test(t, name, m, Hosts(m, f))
		})
	}
}

// Survey is what the step finds on m; nil of a step that looks nothing up.
func Survey(t *testing.T, s engine.Step, m machine.Machine, h engine.Hosts, v engine.Values) engine.Survey {
	t.Helper()
	sv, ok := s.(engine.Surveyor)
	if !ok {
		return nil
	}
	found, err := sv.Survey(context.Background(), map[machine.ID]machine.Machine{m.ID(): m}, h, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Plan is everything a person sees of a plan, in both languages.
func Plan(t *testing.T, s engine.Step, m machine.Machine, h engine.Hosts, sv engine.Survey, v engine.Values) string {
	t.Helper()
	var b strings.Builder
	both := func(mark string, text lang.Text) {
		fmt.Fprintf(&b, "%s %s\n  %s\n", mark, indent(text.EN), indent(text.ZH))
	}
	for _, q := range s.Questions(h, sv, v) {
		both(fmt.Sprintf("? %s (default %v):", q.Key, q.Default), q.Why)
	}
	if n, ok := s.(engine.Noter); ok {
		for _, n := range n.Notes(h, sv, v) {
			both(map[bool]string{true: "!", false: "-"}[n.Warn], n.Text)
		}
	}
	items, err := s.Ops(h, sv, v)
	if err != nil {
		both("error:", lang.T(lang.Message(err, lang.EN), lang.Message(err, lang.ZH)))
		return b.String()
	}
	for _, it := range items {
		if it.Unknown != "" {
			fmt.Fprintf(&b, "known after %s\n", it.Unknown)
			continue
		}
		state, err := it.Op.Observe(context.Background(), m)
		if err != nil {
			both("error:", lang.T(lang.Message(err, lang.EN), lang.Message(err, lang.ZH)))
			continue
		}
		draw(&b, it.Op, it.Op.Diff(state))
		both("   ", it.Op.Why())
	}
	if p, ok := s.(engine.Prover); ok {
		for _, p := range p.Proofs(h, sv, v) {
			both(map[bool]string{true: "trial:", false: "proof:"}[p.First], p.Title)
		}
	}
	return b.String()
}

func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n    ") }

func draw(b *strings.Builder, o engine.Op, d engine.Diff) {
	fmt.Fprintf(b, "%c %s %s  %s\n", rune(d.Action), o.Kind(), o.Target(), d.Note.EN)
	for _, h := range d.Hunks {
		for _, l := range h.Lines {
			mark := " "
			if l.Action != engine.None {
				mark = string(rune(l.Action))
			}
			fmt.Fprintf(b, "    %s%s\n", mark, l.Text)
		}
	}
	for _, r := range d.Rows {
		fmt.Fprintf(b, "    %c %s: %q → %q  %s\n", rune(r.Action), r.Name, r.Now, r.Then, r.Note.EN)
	}
}

// Wanted are the ops as they go into a plan's digest, without their reasons.
func Wanted(t *testing.T, items []engine.Item) string {
	t.Helper()
	var b strings.Builder
	for _, it := range items {
		if it.Op == nil {
			fmt.Fprintf(&b, "known after %s\n", it.Unknown)
			continue
		}
		var op map[string]json.RawMessage
		data, err := json.Marshal(it.Op)
		if err == nil {
			err = json.Unmarshal(data, &op)
		}
		if err != nil {
			t.Fatal(err)
		}
		delete(op, "reason")
		data, err = json.Marshal(op)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", it.Op.Kind(), data)
	}
	return b.String()
}

// Do does what differs, and returns what still does.
func Do(t *testing.T, m machine.Machine, items []engine.Item) (still []string) {
	t.Helper()
	look := func(o engine.Op) engine.Action {
		state, err := o.Observe(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		return o.Diff(state).Action
	}
	for _, it := range items {
		if it.Op == nil || look(it.Op) == engine.None {
			continue
		}
		if _, err := it.Op.Do(context.Background(), m, nil); err != nil {
			t.Fatal(err)
		}
		if a := look(it.Op); a != engine.None {
			still = append(still, fmt.Sprintf("%c %s %s", rune(a), it.Op.Kind(), it.Op.Target()))
		}
	}
	return still
}

// Golden compares got with testdata/NAME.golden, or writes it with -update.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	GoldenFile(t, filepath.Join("testdata", name+".golden"), got)
}

// GoldenFile is Golden for a file of any name.
func GoldenFile(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gl, wl := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gl), len(wl)) {
		if gl[i] != wl[i] {
			t.Errorf("%s:%d differs (-update writes it anew, to be read in the diff)\n got %q\nwant %q", file, i+1, gl[i], wl[i])
			return
		}
	}
	t.Errorf("%s: %d lines, want %d (-update writes it anew)", file, len(gl), len(wl))
}
