package machine

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
)

// The members of a captured machine's archive, a tar.gz. Others are passed over.
const (
	RecordedTree     = "root"          // the file tree
	RecordedFacts    = "machine.json"  // a RecordedMachine
	RecordedCommands = "commands.json" // a list of RecordedCommand; may be missing
)

// RecordedMachine is what a captured machine says of itself beyond its files.
type RecordedMachine struct {
	Name   string           `json:"name"`
	Kernel Kernel           `json:"kernel"`
	Space  map[string]Space `json:"space"`        // by directory; the longest that holds a name counts
	Now    time.Time        `json:"now,omitzero"` // its clock, standing still; absent: this host's
}

// RecordedCommand is what a program once printed (both streams) and exited with.
type RecordedCommand struct {
	Argv  []string `json:"argv"`
	Lines []string `json:"lines"`
	Code  int      `json:"code"`
}

// recorded is a captured machine: a tree that remembers what it was like to run.
type recorded struct {
	*tree
	about    RecordedMachine
	commands []RecordedCommand
}

// OpenRecorded unpacks the archive of a captured machine into dir, which must
// be empty or not there, and is for this user alone. The machine it returns,
// "sim:NAME", can be changed like a tree of Root; its kernel, its clock, the
// room on its disks and what its programs print are what was recorded. A program
// that was not is exec.ErrNotFound; the network is ErrNotRunning. WriteKernel
// writes to files of /proc and /sys that were captured. Owners are kept only if
// goxin runs as root; else directories are also left open to its user. The archive may be hostile: what climbs, is too large
// (512 MiB, 64 MiB a file, 100000 entries) or is no file, directory or link
// makes it an error. Who opened a machine removes dir when done, and also after
// an error.
func OpenRecorded(name string, archive io.Reader, dir string, opts ...Option) (Machine, error) {
	m, err := openRecorded(name, archive, dir, archiveLimits, opts)
	if err != nil {
		return nil, lang.Errorf(err, "cannot open captured machine %s", "无法打开采集的机器 %s", name)
	}
	return m, nil
}

func openRecorded(name string, archive io.Reader, dir string, lim limits, opts []Option) (*recorded, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := unpack(archive, dir, lim); err != nil {
		return nil, err
	}
	t := newTree(ID("sim:"+name), filepath.Join(dir, RecordedTree), false, opts)
	m := &recorded{tree: t}
	if err := readJSON(filepath.Join(dir, RecordedFacts), &m.about); err != nil {
		return nil, err
	}
	err = readJSON(filepath.Join(dir, RecordedCommands), &m.commands)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return m, nil
}

// mostJSON bounds what is said of a captured machine, in bytes: read, it may take
// fifty times as much. A machine with 5,000 packages comes to a tenth of it.
const mostJSON = 4 << 20

func readJSON(file string, v any) error {
	fi, err := os.Stat(file)
	if err != nil {
		return err
	}
	if fi.Size() > mostJSON {
		return lang.Because(errTooLarge, "%s cannot be read", "无法解析 %s", filepath.Base(file))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return lang.Because(err, "%s cannot be read", "无法解析 %s", filepath.Base(file))
	}
	return nil
}

func (m *recorded) Kernel() (Kernel, error) { return m.about.Kernel, nil }

func (m *recorded) Now() time.Time {
	if m.about.Now.IsZero() {
		return time.Now()
	}
	return m.about.Now
}

func (m *recorded) Space(name string) (Space, error) {
	for at := path.Clean("/" + name); ; at = path.Dir(at) {
		if s, ok := m.about.Space[at]; ok {
			return s, nil
		}
		if at == "/" {
			return Space{}, wrap("statfs", name, lang.Because(nil, "not recorded", "采集时没有记录"))
		}
	}
}

func (m *recorded) WriteKernel(name string, data []byte) error {
	return wrap("write", name, m.writeInPlace(name, data))
}

func (m *recorded) Run(ctx context.Context, c Command, out func(line string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	i := slices.IndexFunc(m.commands, func(r RecordedCommand) bool { return slices.Equal(r.Argv, c.Argv) })
	if i < 0 {
		return &exec.Error{Name: strings.Join(c.Argv, " "), Err: exec.ErrNotFound}
	}
	if err := m.effect("run", c.Argv[0]); err != nil {
		return err
	}
	r := m.commands[i]
	tail := &lineWriter{keep: stderrTail}
	for _, line := range r.Lines {
		if out != nil {
			out(line)
		}
		tail.remember(line)
	}
	if r.Code == 0 {
		return nil
	}
	return &ExitError{Argv: c.Argv, Code: r.Code, Stderr: string(tail.last)}
}

func (m *recorded) Dial(_ context.Context, _, address string) (net.Conn, error) {
	return nil, notRunning(dialling(address), m.id)
}
