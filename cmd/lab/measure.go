package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/spf13/cobra"
)

// pairs is how often two things are measured, turn and turn about, so that
// whatever else the machine does hits both.
const pairs = 11

// measured is what `lab measure` finds inside a machine: medians of pairs runs.
type measured struct {
	Version    time.Duration `json:"version"`     // goxin --version on a terminal that answers nothing
	FirstFrame time.Duration `json:"first_frame"` // until the wizard's first page stands
	Detect     time.Duration `json:"detect"`
	Plan       time.Duration `json:"plan"`    // plan --only kernel, converged, detection included
	Ansible    time.Duration `json:"ansible"` // the same tasks, converged
	Ratio      float64       `json:"ratio"`   // median of the pairs' own ratios
	Memory     int64         `json:"memory"`  // bytes, the largest resident set of all runs
}

// measure runs inside the machine: answers and playbook are converged already.
func measure(answers, playbook string) (m measured, err error) {
	var version, frame, detect, plan, ansible []time.Duration
	var ratios []float64
	quick := func(out *[]time.Duration, argv ...string) error {
		d, mem, err := timed(argv...)
		*out = append(*out, d)
		m.Memory = max(m.Memory, mem)
		return err
	}
	for range pairs {
		for _, err := range []error{
			onSilentTerminal(&version, &m.Memory, "goxin dev", "", program, "--version"),
			onSilentTerminal(&frame, &m.Memory, "enter", "q", program, "--state", "/run/goxin-bench"),
			quick(&detect, program, "detect", "--json"),
			quick(&plan, program, "plan", "-f", answers, "--only", "kernel"),
		} {
			if err != nil {
				return m, err
			}
		}
		if playbook == "" {
			continue
		}
		d, _, err := timed("ansible-playbook", "-i", "localhost,", "-c", "local", playbook)
		if err != nil {
			return m, err
		}
		ansible = append(ansible, d)
		ratios = append(ratios, float64(d)/float64(plan[len(plan)-1]))
	}
	m.Version, m.FirstFrame, m.Detect, m.Plan = median(version), median(frame), median(detect), median(plan)
	if len(ansible) > 0 {
		m.Ansible, m.Ratio = median(ansible), median(ratios)
	}
	return m, nil
}

const program = "/usr/local/bin/goxin"

func median[T int | time.Duration | float64](v []T) T {
	s := slices.Clone(v)
	slices.Sort(s)
	return s[len(s)/2]
}

// timed runs a program that must succeed: how long it took, and its largest
// resident set in bytes.
func timed(argv ...string) (time.Duration, int64, error) {
	c := exec.Command(argv[0], argv[1:]...)
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	start := time.Now()
	err := c.Run()
	took := time.Since(start)
	if err != nil {
		return took, 0, fmt.Errorf("cannot measure %s: %w\n%s", strings.Join(argv, " "), err, out.String())
	}
	return took, resident(c.ProcessState), nil
}

func resident(p *os.ProcessState) int64 {
	if ru, ok := p.SysUsage().(*syscall.Rusage); ok {
		return ru.Maxrss << 10
	}
	return 0
}

// onSilentTerminal runs a program on a pty whose far end answers no query, and
// measures until text has come. Then it sends keys and waits for the end.
func onSilentTerminal(out *[]time.Duration, memory *int64, text, keys string, argv ...string) error {
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=en_US.UTF-8")
	start := time.Now()
	t, err := pty.StartWithSize(c, &pty.Winsize{Cols: 80, Rows: 24})
	if err != nil {
		return err
	}
	defer t.Close()
	var seen strings.Builder
	b := make([]byte, 32<<10)
	done := false
	for {
		n, err := t.Read(b)
		seen.Write(b[:n])
		if !done && strings.Contains(seen.String(), text) {
			done = true
			*out = append(*out, time.Since(start))
			if keys != "" {
				if _, err := t.WriteString(keys); err != nil {
					return err
				}
			}
		}
		if err != nil {
			break // EIO: the program has ended
		}
	}
	err = c.Wait()
	*memory = max(*memory, resident(c.ProcessState))
	if !done {
		err = errors.Join(err, fmt.Errorf("%q never came: %q", text, seen.String()))
	}
	return err
}

// measureCommand is the half of bench that runs inside the machine.
func measureCommand() *cobra.Command {
	return &cobra.Command{
		Use: "measure ANSWERS PLAYBOOK", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := measure(args[0], args[1])
			if err != nil {
				return err
			}
			return json.NewEncoder(os.Stdout).Encode(m)
		},
	}
}

// bench measures goxin beside what a person would do instead, in a container
// that has both.
func bench(ctx context.Context, l *Lab, _ []string) (err error) {
	dir, err := os.MkdirTemp("", "goxin-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, args := range [][]string{
		{"build", "-trimpath", "-ldflags", "-s -w", "-o", dir + "/goxin", "./cmd/goxin"},
		{"build", "-trimpath", "-ldflags", "-s -w", "-o", dir + "/lab", "./cmd/lab"},
	} {
		c := exec.CommandContext(ctx, "go", args...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	fi, err := os.Stat(dir + "/goxin")
	if err != nil {
		return err
	}
	m, err := l.Start(ctx, Spec{Name: "bench", Packages: []string{"ansible"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Down(context.WithoutCancel(ctx))) }()
	do := func(ok int, argv ...string) (string, error) {
		r, err := m.Exec(ctx, argv...)
		if err == nil && r.Code != 0 && r.Code != ok {
			err = fmt.Errorf("%s: exit code %d\n%s%s", strings.Join(argv, " "), r.Code, r.Out, r.Err)
		}
		return strings.TrimSpace(r.Out), err
	}
	for _, p := range [][2]string{{"/goxin", program}, {"/lab", "/root/lab"}} {
		if err := m.Put(ctx, dir+p[0], p[1], 0o755); err != nil {
			return err
		}
	}
	answers, playbook, err := tasks(do)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"/root/answers.yaml": answers, "/root/playbook.yaml": playbook} {
		if err := m.WriteFile(ctx, name, []byte(text), 0o600); err != nil {
			return err
		}
	}
	if _, err := do(6, program, "apply", "-f", "/root/answers.yaml", "--yes"); err != nil {
		return err
	}
	for range 2 { // the second run changes nothing
		if _, err := do(0, "ansible-playbook", "-i", "localhost,", "-c", "local", "/root/playbook.yaml"); err != nil {
			return err
		}
	}
	out, err := do(0, "/root/lab", "measure", "/root/answers.yaml", "/root/playbook.yaml")
	if err != nil {
		return err
	}
	var got measured
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		return err
	}
	report(got, fi.Size())
	return nil
}

// tasks are the same settings for both, those of the web profile. What belongs to
// the host in a container goxin is asked to leave as it is; the playbook, which
// would fail on it, is spared it: goxin does a little more.
func tasks(do func(int, ...string) (string, error)) (answers, playbook string, err error) {
	set := map[string]string{
		"net.core.somaxconn": "65535", "net.ipv4.ip_local_port_range": "10240 60999",
		"net.ipv4.tcp_max_syn_backlog": "8192", "net.ipv4.tcp_slow_start_after_idle": "0",
	}
	a := &strings.Builder{}
	fmt.Fprint(a, "version: 1\nsteps:\n  kernel:\n    profile: web\n    set:\n")
	for _, k := range []string{"vm.swappiness", "net.core.rmem_max", "net.core.wmem_max"} {
		if set[k], err = do(0, "sysctl", "-n", k); err != nil {
			return "", "", err
		}
		fmt.Fprintf(a, "      %s: %s\n", k, set[k])
	}
	p := &strings.Builder{}
	fmt.Fprint(p, "- hosts: localhost\n  gather_facts: true\n  tasks:\n  - ansible.posix.sysctl: {name: '{{ item.k }}', value: '{{ item.v }}', sysctl_file: /etc/sysctl.d/zz-ansible.conf, sysctl_set: true}\n    loop:\n")
	for _, k := range []string{"net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_slow_start_after_idle"} {
		fmt.Fprintf(p, "    - {k: %s, v: '%s'}\n", k, set[k])
	}
	fmt.Fprint(p, `  - community.general.pam_limits: {domain: '{{ item }}', limit_type: hard, limit_item: nofile, value: 20000, dest: /etc/security/limits.d/zz-ansible.conf}
    loop: ['*', root]
  - file: {path: /etc/systemd/system.conf.d, state: directory}
  - copy: {dest: /etc/systemd/system.conf.d/zz-ansible.conf, content: "[Manager]\nDefaultLimitNOFILE=1024:1048576\n"}
    register: dropin
  - systemd: {daemon_reload: true}
    when: dropin.changed
`)
	return a.String(), p.String(), nil
}

func report(m measured, size int64) {
	mib := func(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
	fmt.Printf("medians of %d runs, in a container of this machine, on a terminal that answers no query\n\n", pairs)
	for _, r := range [][3]string{
		{"goxin --version", ms(m.Version), "15 ms"},
		{"first frame of the wizard", ms(m.FirstFrame), "50 ms"},
		{"goxin detect", ms(m.Detect), "20 ms"},
		{"goxin plan --only kernel, converged", ms(m.Plan), "28 ms"},
		{"peak memory", mib(m.Memory), "30 MB"},
		{"stripped binary", mib(size), "12 MB"},
	} {
		fmt.Printf("  %-38s %10s   goal at most %s\n", r[0], r[1], r[2])
	}
	fmt.Printf("  %-38s %10s\n", "ansible-playbook, the same tasks", ms(m.Ansible))
	fmt.Printf("\n  goxin is %.0f times faster (median of the pairs' ratios; goal 100)\n", m.Ratio)
}
