package libs

import (
	"context"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Proofs look again: every required library is found, and of what programs lacked,
// what was promised.
func (Step) Proofs(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Proof {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	var out []engine.Proof
	for _, id := range hs.Order {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil
		}
		out = append(out, engine.Proof{On: id, Title: lang.T("every library is found", "所需的库都能找到"), Prove: h.prove})
	}
	return out
}

func (h *host) prove(ctx context.Context, m machine.Machine) (lang.Text, error) {
	if !h.runs() && len(h.lacks()) > 0 {
		return lang.T("not proved here: no package manager runs", "此处未验证：包管理器无法运行"), nil
	}
	r := elf.NewResolver(m)
	var found, missing []string
	for _, q := range required(h.facts, h.a) {
		soname, at, ok := q.Find(r)
		if !ok && h.seen.Found[q.Name] != "" && !h.runs() {
			soname, at, ok = q.Name, h.seen.Found[q.Name], true // of a captured machine
		}
		if ok {
			found = append(found, soname+" "+op.Visible(at))
		} else {
			missing = append(missing, q.Name)
		}
	}
	there, _, err := present(m, h.a.Paths)
	if err != nil {
		return lang.Text{}, err
	}
	objects := 0
	if len(there) > 0 {
		rep, err := r.Check(ctx, there...)
		if err != nil {
			return lang.Text{}, unreadable(err)
		}
		objects = rep.Objects
		for _, l := range h.lacks() {
			if l.Need != nil && l.comes() && slices.ContainsFunc(rep.Missing, func(f elf.Finding) bool { return f.Library == l.Name && f.Problem == elf.NotFound }) {
				missing = append(missing, op.Visible(l.Name))
			}
		}
	}
	if len(missing) > 0 {
		return lang.Text{}, lang.Errorf(nil, "cannot find %s", "找不到 %s", strings.Join(missing, ", ")).
			WithHint("goxin libs shows who needs it and which package has it; ldconfig -p shows what the loader knows", "goxin libs 可显示谁需要它、由哪个软件包提供；ldconfig -p 显示加载器已知的库")
	}
	text := lang.Same(strings.Join(found, ", "))
	if objects > 0 {
		text = lang.F("%s; %d programs and libraries looked at", "%s；共检查 %d 个程序和库", text, objects)
	}
	return text, nil
}
