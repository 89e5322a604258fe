package op

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// aptLists is where apt keeps what its sources offer.
const aptLists = "/var/lib/apt/lists"

// Lists are apt's package lists, of the sources there are. dnf reads its own when
// it wants them, apt does not. They are a cache: Undo takes away what was not
// there and leaves what is only newer.
type Lists struct {
	Reason lang.Text `json:"reason"`
}

type listsState struct {
	Runs    bool     `json:"runs"`
	Missing []string `json:"missing,omitempty"` // the sources of which nothing is there, as names of files
	Files   []string `json:"files,omitempty"`
}

// Kind is "lists".
func (o *Lists) Kind() string { return "lists" }

// Target is their directory.
func (o *Lists) Target() string { return aptLists }

// Why is the step's reason.
func (o *Lists) Why() lang.Text { return o.Reason }

// ByHand is apt-get update.
func (o *Lists) ByHand() []string { return []string{"apt-get update"} }

// Observe asks apt which lists its sources need.
func (o *Lists) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(ctx, m)
	if err != nil {
		return engine.State{}, err
	}
	return engine.NewState(s, nil), nil
}

func (o *Lists) look(ctx context.Context, m machine.Machine) (s listsState, err error) {
	var wanted []string
	err = m.Run(ctx, machine.Command{Argv: []string{"apt-get", "--print-uris", "update"}, Timeout: time.Minute}, func(line string) {
		// 'http://…/dists/bookworm/InRelease' …_dists_bookworm_InRelease 0
		// The other lists it names are guesses: binary-all and translations are
		// not everywhere, and apt does not mind.
		if f := strings.Fields(line); len(f) >= 2 && strings.HasPrefix(f[0], "'") && strings.HasSuffix(f[1], "InRelease") {
			wanted = append(wanted, f[1])
		}
	})
	switch {
	case machine.MissingProgram(err), errors.Is(err, machine.ErrNotRunning):
		return s, nil
	case err != nil:
		return s, cannot(exited(err), "cannot ask apt what its sources are", "无法向 apt 查询软件源").
			WithHint("apt-get update says what is wrong with them", "apt-get update 会指出软件源的问题")
	}
	s.Runs = true
	names, err := m.ReadDir(aptLists)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, cannotRead(err, aptLists)
	}
	for _, n := range names {
		if info, err := m.Lstat(path.Join(aptLists, n)); err == nil && info.Mode.IsRegular() && n != "lock" {
			s.Files = append(s.Files, n)
		}
	}
	for _, w := range wanted {
		// A source without InRelease has Release and its signature apart.
		if !slices.Contains(s.Files, w) && !slices.Contains(s.Files, strings.TrimSuffix(w, "InRelease")+"Release") {
			s.Missing = append(s.Missing, w)
		}
	}
	return s, nil
}

// Diff is the sources of which nothing is there.
func (o *Lists) Diff(s engine.State) engine.Diff {
	was, _, err := decode[listsState](o, s)
	switch {
	case err != nil:
		return engine.Diff{Action: engine.Update, Note: lang.F("%s", "%s", err)}
	case !was.Runs:
		return engine.Diff{Action: engine.None, Note: atNextBoot()}
	case len(was.Missing) == 0:
		return engine.Diff{Action: engine.None}
	}
	return engine.Diff{Action: engine.Update, Note: lang.F("read anew, not there yet: %d", "重新读取，尚缺：%d 个", len(was.Missing))}
}

// Do reads them.
func (o *Lists) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	if err := ReadLists(ctx, m, say, "apt-get", "update"); err != nil {
		return engine.Outcome{}, lang.Errorf(err, "cannot read the package lists", "无法读取软件包列表").
			WithHint("see apt-get update; goxin mirrors shows which sources answer", "请查看 apt-get update 的输出；goxin mirrors 显示哪些源可用")
	}
	return engine.OK, nil
}

// Undo removes the lists that were not there.
func (o *Lists) Undo(ctx context.Context, m machine.Machine, before, _ engine.State) error {
	was, _, err := decode[listsState](o, before)
	if err != nil {
		return err
	}
	now, err := o.look(ctx, m)
	if err != nil {
		return err
	}
	for _, n := range now.Files {
		if slices.Contains(was.Files, n) {
			continue
		}
		if err := m.Remove(path.Join(aptLists, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return cannot(err, "cannot remove %s", "无法删除 %s", path.Join(aptLists, n))
		}
	}
	return nil
}

// ReadLists runs a package manager that reads its package lists. apt-get exits
// with 0 where a list could not be had, or its signature is wrong, and says so in
// a line: that is an error here. The error quotes the first such line, or the
// last that was printed.
func ReadLists(ctx context.Context, m machine.Machine, say func(lang.Text), argv ...string) error {
	var wrong, last string
	if path.Base(argv[0]) == "apt-get" { // whoever tries again later is the person
		argv = append(argv, "-q", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20")
	}
	err := m.Run(ctx, machine.Command{Argv: argv, Env: []string{"DEBIAN_FRONTEND=noninteractive"}, Timeout: 5 * time.Minute}, func(line string) {
		if s := strings.TrimSpace(line); s != "" {
			last = s
		}
		if say != nil {
			say(lang.Same(Visible(line)))
		}
		for _, p := range []string{"Err:", "E: ", "W: Failed to fetch", "W: GPG error", "W: An error occurred during the signature"} {
			// "Err:4 http://…" only names it; what went wrong follows.
			if argv[0] == "apt-get" && strings.HasPrefix(line, p) && (wrong == "" || strings.HasPrefix(wrong, "Err:")) {
				wrong = line
			}
		}
	})
	switch {
	case machine.MissingProgram(err) && argv[0] == "dnf":
		return ReadLists(ctx, m, say, append([]string{"yum"}, argv[1:]...)...)
	case machine.MissingProgram(err), ctx.Err() != nil:
		return err
	case wrong != "":
		return lang.Quote(Visible(wrong))
	case err != nil && last != "":
		return lang.Quote(Visible(last))
	}
	return err
}
