package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Account is a system user with a group of its own, without a password and without a
// home that is made. One that is there, or that a directory service knows, stays as it
// is: it is somebody's.
//
// useradd(8) and userdel(8) change the databases, under their locks. They also leave
// each file's predecessor beside it (/etc/shadow-); what stood there is kept on the
// machine, never in a journal, and put back with the rest.
type Account struct {
	Name   string    `json:"name"`
	Home   string    `json:"home,omitempty"`  // empty: /nonexistent
	Shell  string    `json:"shell,omitempty"` // empty: the machine's nologin
	Reason lang.Text `json:"reason"`
}

// entry is an account in /etc/passwd.
type entry struct {
	UID   int    `json:"uid"`
	GID   int    `json:"gid"`
	Home  string `json:"home,omitempty"`
	Shell string `json:"shell,omitempty"`
}

type accountState struct {
	Running   bool   `json:"running"`
	User      *entry `json:"user,omitempty"`
	Group     *int   `json:"group,omitempty"` // its number
	Members   string `json:"members,omitempty"`
	Elsewhere bool   `json:"elsewhere,omitempty"` // a directory service knows the name
}

const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
	passwdLock = "/etc/.pwd.lock" // lckpwdf(3) makes it
)

// database is a file that useradd and userdel write.
type database struct {
	file   string
	groups bool // its lines are of groups
}

func databases() []database {
	return []database{{passwdFile, false}, {"/etc/shadow", false}, {groupFile, true}, {"/etc/gshadow", true}, {"/etc/subuid", false}, {"/etc/subgid", false}}
}

// keptAccount says how the databases were.
type keptAccount struct {
	Digests map[string]string `json:"digests"` // by path; "" where there was no file
	Beside  map[string]*inode `json:"beside"`  // what is kept, by path; nil where there was no file
}

const keptList = "list.json"

// Kind is "account".
func (o *Account) Kind() string { return "account" }

// Target is the name.
func (o *Account) Target() string { return Visible(o.Name) }

// Why is the step's reason.
func (o *Account) Why() lang.Text { return o.Reason }

// ByHand is groupadd and useradd.
func (o *Account) ByHand() []string {
	shell := o.Shell
	if shell == "" {
		shell = "/usr/sbin/nologin"
	}
	var out []string
	for _, argv := range [][]string{o.groupadd(), o.useradd(shell)} {
		for i := range argv {
			argv[i] = Quote(argv[i])
		}
		out = append(out, strings.Join(argv, " "))
	}
	return out
}

func (o *Account) groupadd() []string { return []string{"groupadd", "--system", o.Name} }

func (o *Account) useradd(shell string) []string {
	return []string{
		"useradd", "--system", "--no-create-home", "--no-log-init",
		"--gid", o.Name, "--home-dir", o.home(), "--shell", shell, o.Name,
	}
}

func (o *Account) home() string {
	if o.Home == "" {
		return "/nonexistent"
	}
	return o.Home
}

func (o *Account) shell(m machine.Machine) string {
	if o.Shell != "" {
		return o.Shell
	}
	for _, s := range []string{"/usr/sbin/nologin", "/sbin/nologin"} {
		if _, err := m.Stat(s); err == nil {
			return s
		}
	}
	return "/bin/false"
}

// Observe looks the name up.
func (o *Account) Observe(ctx context.Context, m machine.Machine) (engine.State, error) {
	s, err := o.look(m)
	if err == nil && s.Running && s.User == nil {
		s.Elsewhere = known(ctx, m, o.Name)
	}
	if err != nil {
		return engine.State{}, cannotRead(err, passwdFile)
	}
	return engine.NewState(s, nil), nil
}

// known asks the machine's name services, which may have more than its files.
func known(ctx context.Context, m machine.Machine, name string) bool {
	found := false
	err := m.Run(ctx, machine.Command{Argv: []string{"getent", "passwd", name}, Timeout: 20 * time.Second}, func(line string) {
		found = found || strings.HasPrefix(line, name+":")
	})
	return err == nil && found
}

func (o *Account) look(m machine.Machine) (s accountState, err error) {
	s.Running = running(m)
	line, err := lineOf(m, passwdFile, o.Name)
	if err != nil {
		return s, err
	}
	if f := strings.Split(line, ":"); len(f) >= 7 {
		uid, err := strconv.Atoi(f[2])
		gid, err2 := strconv.Atoi(f[3])
		if err := errors.Join(err, err2); err != nil {
			return s, err
		}
		s.User = &entry{uid, gid, f[5], f[6]}
	}
	if line, err = lineOf(m, groupFile, o.Name); err != nil {
		return s, err
	}
	if f := strings.Split(line, ":"); len(f) >= 4 {
		gid, err := strconv.Atoi(f[2])
		if err != nil {
			return s, err
		}
		s.Group, s.Members = &gid, f[3]
	}
	return s, nil
}

// lineOf is the line of a name in a database; "" where there is none.
func lineOf(m machine.Machine, file, name string) (string, error) {
	data, err := m.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, name+":") {
			return strings.TrimRight(line, "\n"), err
		}
	}
	return "", err
}

// Diff is a new account, or nothing.
func (o *Account) Diff(s engine.State) engine.Diff {
	was, _, err := decode[accountState](o, s)
	switch {
	case err != nil:
		return engine.Diff{Action: engine.Update, Note: lang.F("%s", "%s", err)}
	case was.User != nil, was.Elsewhere:
		return engine.Diff{Action: engine.None}
	case !was.Running:
		return engine.Diff{Action: engine.None, Note: lang.T("to be made on the running machine", "需在运行中的机器上创建")}
	case was.Group != nil:
		return engine.Diff{Action: engine.Create, Note: lang.T("new system user, in the group of that name", "新建系统用户，加入现有同名组")}
	}
	return engine.Diff{Action: engine.Create, Note: lang.T("new system user and group, no login", "新建系统用户与组，不可登录")}
}

// Do makes the group and the user.
func (o *Account) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	if err := o.do(ctx, m, say); err != nil {
		told := cannot(exited(err), "cannot make the account %s", "无法创建账户 %s", o.Target())
		if machine.MissingProgram(err) {
			told = told.WithHint("install the package that brings useradd: passwd (Debian), shadow-utils or shadow (RPM)", "请安装提供 useradd 的软件包：passwd（Debian 系）、shadow-utils 或 shadow（RPM 系）")
		}
		return engine.Outcome{}, told
	}
	return engine.OK, nil
}

func (o *Account) do(ctx context.Context, m machine.Machine, say func(lang.Text)) error {
	now, err := o.look(m)
	if err != nil || now.User != nil || !now.Running {
		return err
	}
	if err := o.keepOld(m, now); err != nil {
		return err
	}
	if now.Group == nil {
		if err := m.Run(ctx, machine.Command{Argv: o.groupadd(), Timeout: time.Minute}, quoting(say)); err != nil {
			return err
		}
	}
	return m.Run(ctx, machine.Command{Argv: o.useradd(o.shell(m)), Timeout: time.Minute}, quoting(say))
}

func (o *Account) keep() string { return path.Join(keptDir, "account-"+o.Name) }

// keepOld keeps the predecessors of the databases. What an interrupted Do kept is as it
// was while the databases are, and while the group it made shows that it had begun.
func (o *Account) keepOld(m machine.Machine, now accountState) error {
	digests, err := o.digests(m)
	if err != nil {
		return err
	}
	if had, err := o.kept(m); err == nil && (now.Group != nil && had.Digests[groupFile] != digests[groupFile] || sameDigests(had.Digests, digests)) {
		return nil
	}
	if err := makeKept(m); err != nil {
		return err
	}
	if err := m.RemoveAll(o.keep()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	k := keptAccount{Digests: digests, Beside: map[string]*inode{}}
	return staged(m, o.keep(), func(s machine.Stage) error {
		for _, file := range append(predecessors(), groupFile, "/etc/gshadow") { // userdel may take a group along that was there
			info, err := m.Lstat(file)
			if errors.Is(err, fs.ErrNotExist) {
				k.Beside[file] = nil
				continue
			}
			if err != nil {
				return err
			}
			i := inodeOf(info)
			k.Beside[file] = &i
			if _, err := put(context.Background(), m, file, s, path.Base(file), 0o600); err != nil {
				return err
			}
		}
		b, err := json.Marshal(k)
		if err != nil {
			return err
		}
		out, err := s.Create(keptList, 0o600)
		if err != nil {
			return err
		}
		_, err = out.Write(b)
		return errors.Join(err, out.Close())
	})
}

// predecessors are the files that the programs leave beside the databases, and the one
// that they lock.
func predecessors() []string {
	out := []string{passwdLock}
	for _, d := range databases() {
		out = append(out, d.file+"-")
	}
	return out
}

func (o *Account) digests(m machine.Machine) (map[string]string, error) {
	out := map[string]string{}
	for _, d := range databases() {
		data, err := m.ReadFile(d.file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			out[d.file] = ""
		case err != nil:
			return nil, err
		default:
			out[d.file] = digest(data)
		}
	}
	return out, nil
}

func sameDigests(a, b map[string]string) bool {
	for _, d := range databases() {
		if a[d.file] != b[d.file] {
			return false
		}
	}
	return true
}

func (o *Account) kept(m machine.Machine) (k keptAccount, err error) {
	data, err := m.ReadFile(path.Join(o.keep(), keptList))
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	return k, err
}

// Undo removes the account if it was made here and is as it was made.
func (o *Account) Undo(ctx context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[accountState](o, before)
	if err != nil || !was.Running || was.User != nil || was.Elsewhere {
		return err
	}
	ours, seen, err := decode[accountState](o, after)
	if err != nil {
		return err
	}
	now, err := o.look(m)
	if err != nil || !now.Running {
		return err
	}
	if err := o.mine(m, now, was, ours, seen); err != nil {
		return err
	}
	if err := o.remove(ctx, m, now, was); err != nil {
		return cannot(exited(err), "cannot remove the account %s", "无法删除账户 %s", o.Target()).
			WithHint("see what still runs as it: ps -u %s", "请查看仍以该账户运行的进程：ps -u %s", Quote(o.Name))
	}
	return nil
}

// Forget destroys the databases' predecessors, unless another run made the account too:
// what that kept stands under the same name.
func (o *Account) Forget(_ context.Context, m machine.Machine, before engine.State, needed []engine.State) error {
	made := func(s engine.State) (bool, error) {
		was, _, err := decode[accountState](o, s)
		return was.Running && was.User == nil && !was.Elsewhere, err
	}
	if here, err := made(before); err != nil || !here {
		return err
	}
	for _, s := range needed {
		if elsewhere, err := made(s); err != nil || elsewhere {
			return err
		}
	}
	return dropKept(m, o.keep())
}

func (o *Account) mine(m machine.Machine, now, was, ours accountState, seen bool) error {
	u := now.User
	switch {
	case seen && ours.User == nil && u != nil,
		seen && was.Group == nil && ours.Group == nil && now.Group != nil:
		return notOurs("somebody made it since", "之后被他人创建")
	case seen && ours.User != nil && u != nil && *u != *ours.User,
		!seen && u != nil && (u.Home != o.home() || u.Shell != o.shell(m)):
		return notOurs("it was changed since", "之后被他人修改过")
	case was.Group == nil && now.Members != "":
		return notOurs("its group has members since: %s", "其组之后有了成员：%s", Visible(now.Members))
	}
	return nil
}

func (o *Account) remove(ctx context.Context, m machine.Machine, now, was accountState) error {
	withGroup := was.Group == nil
	run := func(program string) error {
		return m.Run(ctx, machine.Command{Argv: []string{program, o.Name}, Timeout: time.Minute}, nil)
	}
	if now.User != nil {
		if err := run("userdel"); err != nil { // it takes the group along, if it may
			return err
		}
		var err error
		if now, err = o.look(m); err != nil {
			return err
		}
	}
	if now.Group != nil && withGroup {
		if err := run("groupdel"); err != nil {
			return err
		}
	}
	k, err := o.kept(m)
	if err == nil {
		err = o.putBack(m, k, withGroup)
	}
	if errors.Is(err, fs.ErrNotExist) { // it is back already, or was never touched
		return nil
	}
	return err
}

// putBack makes each database byte for byte what it was, where nobody else changed it
// since, and then its predecessor too.
func (o *Account) putBack(m machine.Machine, k keptAccount, withGroup bool) error {
	all := true
	for _, d := range databases() {
		same, err := o.without(m, d.file, k.Digests[d.file])
		if err == nil && !same && d.groups && !withGroup {
			same, err = o.groupBack(m, k, d.file)
		}
		if err == nil && same {
			err = o.putKept(m, k, d.file+"-")
		}
		if err != nil {
			return err
		}
		all = all && same
	}
	if all {
		return o.putKept(m, k, passwdLock)
	}
	return nil
}

// groupBack puts a file of groups back that only lacks the one that was there.
func (o *Account) groupBack(m machine.Machine, k keptAccount, file string) (bool, error) {
	data, err := m.ReadFile(file)
	if err != nil {
		return false, err
	}
	was, err := m.ReadFile(path.Join(o.keep(), path.Base(file)))
	if err != nil || o.less(was) != string(data) {
		return false, err
	}
	return true, o.putKept(m, k, file)
}

// less is a database without the lines of the account.
func (o *Account) less(data []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, o.Name+":") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// without says whether a database is as it was, once a line that userdel left, or a file
// that was not there, is gone.
func (o *Account) without(m machine.Machine, file, want string) (bool, error) {
	info, err := m.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return want == "", nil
	}
	if err != nil {
		return false, err
	}
	data, err := m.ReadFile(file)
	if err != nil || digest(data) == want {
		return err == nil, err
	}
	rest := o.less(data)
	switch {
	case want == "" && rest == "":
		return true, m.Remove(file)
	case digest([]byte(rest)) != want:
		return false, nil // others changed it since; the account is gone from it
	}
	i := inodeOf(info)
	return true, m.WriteFile(file, []byte(rest), fs.FileMode(i.Mode), i.owner())
}

func (o *Account) putKept(m machine.Machine, k keptAccount, file string) error {
	was := k.Beside[file]
	if was == nil {
		if err := m.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := m.ReadFile(path.Join(o.keep(), path.Base(file)))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if now, err := m.ReadFile(file); err == nil && string(now) == string(data) {
		if info, err := m.Lstat(file); err == nil && inodeOf(info) == *was {
			return nil
		}
	}
	return m.WriteFile(file, data, fs.FileMode(was.Mode), was.owner())
}
