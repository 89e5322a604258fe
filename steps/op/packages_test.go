package op

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

func packageMachine(t *testing.T, set func(*world)) *world {
	t.Helper()
	w := newWorld(t)
	set(w)
	return w
}

func TestANameOfAPackageIsNeverTakenForAnythingElse(t *testing.T) {
	for _, c := range []struct{ manager, name string }{
		{"apt", "-o=Dpkg::Pre-Invoke::=reboot"},
		{"apt", "--purge"},
		{"apt", "bash-"},
		{"apt", "@dev"},
		{"apt", "lib.*"},
		{"apt", "bash=1"},
		{"apt", ""},
		{"apt", "a\nb"},
		{"dnf", "-y"},
		{"dnf", "http://x/y.rpm"},
		{"dnf", "@-y"},
		{"dnf", "a b"},
		{"pacman", "gcc"},
	} {
		w := packageMachine(t, debs(func(*packageWorld) {}))
		o := &Packages{Manager: c.manager, Names: []string{c.name}}
		_, err := o.Observe(context.Background(), w)
		_, done := o.Do(context.Background(), w, nil)
		_, asked := Available(context.Background(), w, c.manager, c.name)
		for _, err := range []error{err, done, asked} {
			if lang.Hint(err, lang.ZH) == "" {
				t.Errorf("%s %q: %v", c.manager, c.name, err)
			}
		}
	}
}

func TestATransactionThatWouldRemoveAPackageIsRefused(t *testing.T) {
	for manager, set := range map[string]func(*world){"apt": debs(func(*packageWorld) {}), "dnf": rpms(func(*packageWorld) {})} {
		w := packageMachine(t, set)
		o, before := &Packages{Manager: manager, Names: []string{"rival"}}, w.sum()
		_, err := o.Observe(context.Background(), w)
		_, done := o.Do(context.Background(), w, nil)
		for _, err := range []error{err, done} {
			if err == nil || !strings.Contains(err.Error(), "would remove bash") || lang.Hint(err, lang.EN) == "" {
				t.Errorf("%s: %v", manager, err)
			}
		}
		if w.sum() != before {
			t.Errorf("%s: changed all the same", manager)
		}
	}
}

func TestANameThatTheListsDoNotKnowSaysWhatToDo(t *testing.T) {
	for manager, set := range map[string]func(*world){"apt": debs(func(*packageWorld) {}), "dnf": rpms(func(*packageWorld) {})} {
		_, err := (&Packages{Manager: manager, Names: []string{"bash", "fio", "nosuch"}}).Observe(context.Background(), packageMachine(t, set))
		if err == nil || err.Error() != "cannot install nosuch: the package lists do not know it" || !strings.Contains(lang.Hint(err, lang.EN), "mirror step") {
			t.Errorf("%s: %v", manager, err)
		}
	}
}

func TestTheDiffTellsWhatWasAskedForFirst(t *testing.T) {
	w := packageMachine(t, debs(oldLibc))
	w.packages.repo["libc"] = w.packages.repo["libc"][1:] // nobody has the old one any more
	w.packages.interrupt(w, true)
	o := &Packages{Manager: "apt", Names: []string{"gcc"}}
	s, err := o.Observe(context.Background(), w)
	if err != nil {
		t.Fatal(err)
	}
	const want = `+ gcc  4 packages, 4 MB to fetch, 8.2 MB on disk
! dpkg | interrupted | dpkg --configure -a | dpkg was interrupted: that is finished first, and not undone
+ gcc |  | 12 | 
+ cpp |  | 12 | 
! libc | 2.36 | 2.37 | the version that is installed is no longer to be had
+ libc-dev |  | 2.37 | 
`
	d := o.Diff(s)
	got := string(rune(d.Action)) + " gcc  " + d.Note.EN + "\n"
	for _, r := range d.Rows {
		got += strings.Join([]string{string(rune(r.Action)) + " " + r.Name, r.Now, r.Then, r.Note.EN}, " | ") + "\n"
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := o.Do(context.Background(), w, nil); err != nil || w.packages.journal {
		t.Errorf("%v, interrupted still: %v", err, w.packages.journal)
	}
}

func TestALockIsWaitedForWithItsHolderAndAClock(t *testing.T) {
	for manager, set := range map[string]func(*world){"apt": debs(func(*packageWorld) {}), "dnf": rpms(func(*packageWorld) {})} {
		synctest.Test(t, func(t *testing.T) {
			w := packageMachine(t, set)
			w.write("/proc/1184/comm", "packagekitd\n", 0o444)
			o := &Packages{Manager: manager, Names: []string{"fio"}}
			var said []string
			w.packages.locked = 3
			if _, err := o.Do(context.Background(), w, func(t lang.Text) { said = append(said, t.EN) }); err != nil {
				t.Fatal(err)
			}
			if manager == "apt" { // dnf's lock held up the simulation, which has nobody to tell
				if len(said) < 3 || said[0] != "waiting for packagekitd (pid 1184), 0:00" || said[2] != "waiting for packagekitd (pid 1184), 0:06" {
					t.Errorf("said %q", said)
				}
			}

			w = packageMachine(t, set)
			w.write("/proc/1184/comm", "packagekitd\n", 0o444)
			w.packages.locked = -1
			start := time.Now()
			_, err := o.Do(context.Background(), w, nil)
			if err == nil || !strings.Contains(err.Error(), "after 10:00 the lock is still held by packagekitd (pid 1184)") || lang.Hint(err, lang.ZH) == "" {
				t.Errorf("%s: %v", manager, err)
			}
			if d := time.Since(start); d < lockWait || d > lockWait+lockPause {
				t.Errorf("%s gave up after %v", manager, d)
			}
		})
	}
}

func TestWaitingForALockEndsWhenThePersonStopsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := packageMachine(t, debs(func(*packageWorld) {}))
		w.write("/proc/1184/comm", "packagekitd\n", 0o444)
		w.packages.locked = -1
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		time.AfterFunc(time.Minute, cancel)
		_, err := (&Packages{Manager: "apt", Names: []string{"fio"}}).Do(engine.Uncut(ctx), w, nil)
		if err == nil || !strings.Contains(err.Error(), "stopped while waiting for packagekitd") || time.Since(start) > time.Minute+lockPause {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestTheHolderOfALockIsFoundInTheKernelsTable(t *testing.T) {
	w := newWorld(t)
	w.write("/proc/locks", "1: POSIX  ADVISORY  WRITE 77 fe:00:99 0 EOF\n2: POSIX  ADVISORY  WRITE 1184 fe:00:4242 0 EOF\n2: -> POSIX  ADVISORY  WRITE 78 fe:00:4242 0 EOF\n", 0o444)
	w.write("/proc/1184/comm", "unattended-upgr\n", 0o444)
	m := inodes{w}
	exit := &machine.ExitError{Argv: []string{"apt-get"}, Code: 100}
	old := []string{"E: Could not get lock /var/lib/dpkg/lock-frontend - open (11: Resource temporarily unavailable)"}
	if who, held := lockHolder(context.Background(), m, aptLocks, old, exit); !held || who.EN != "unattended-upgr (pid 1184)" {
		t.Errorf("%q, %v", who, held)
	}
	if who, held := lockHolder(context.Background(), m, aptLocks, []string{"E: Unable to locate package x"}, exit); held {
		t.Errorf("a failure that is none of a lock is laid to %q", who)
	}
}

// inodes is a world whose lock files have an inode.
type inodes struct{ *world }

func (inodes) Run(_ context.Context, _ machine.Command, out func(string)) error {
	out("4242")
	return nil
}

func TestUndoLeavesWhatSomethingInstalledSinceNeeds(t *testing.T) {
	for manager, set := range map[string]func(*world){"apt": debs(oldLibc), "dnf": rpms(oldLibc)} {
		w := packageMachine(t, set)
		o := &Packages{Manager: manager, Names: []string{"aio-t64", "cpp"}}
		before := observe(t, o, w)
		if _, err := o.Do(context.Background(), w, nil); err != nil {
			t.Fatal(err)
		}
		after := observe(t, o, w)
		w.packages.have["fio"] = fakeInstalled{w.packages.repo["fio"][0], "installed", true}
		err := o.Undo(context.Background(), w, before, after)
		if !errors.Is(err, engine.ErrNotOurs) || !strings.Contains(err.Error(), "aio-t64 (fio") {
			t.Errorf("%s: %v", manager, err)
		}
		if _, there := w.packages.have["aio-t64"]; !there {
			t.Errorf("%s: removed all the same", manager)
		}
		if _, there := w.packages.have["cpp"]; there {
			t.Errorf("%s: cpp stayed", manager)
		}
	}
}

func TestUndoLeavesWhatSomebodyHasAskedForSince(t *testing.T) {
	for manager, set := range map[string]func(*world){"apt": debs(oldLibc), "dnf": rpms(oldLibc)} {
		w := packageMachine(t, set)
		o := &Packages{Manager: manager, Names: []string{"fio"}}
		before := observe(t, o, w)
		if _, err := o.Do(context.Background(), w, nil); err != nil {
			t.Fatal(err)
		}
		after := observe(t, o, w)
		aio := w.packages.have["aio-t64"]
		aio.manual = true
		w.packages.have["aio-t64"] = aio
		err := o.Undo(context.Background(), w, before, after)
		if !errors.Is(err, engine.ErrNotOurs) || !strings.Contains(err.Error(), "aio-t64 (somebody has asked for it since)") {
			t.Errorf("%s: %v", manager, err)
		}
		if _, there := w.packages.have["fio"]; there {
			t.Errorf("%s: fio stayed", manager)
		}
	}
}

func TestAFailedTransactionIsToldPackageByPackage(t *testing.T) {
	w := packageMachine(t, debs(func(p *packageWorld) { p.fails = "fio" }))
	start := w.sum()
	o := &Packages{Manager: "apt", Names: []string{"fio"}}
	before := observe(t, o, w)
	_, err := o.Do(context.Background(), w, nil)
	if err == nil || !strings.Contains(err.Error(), "installed: aio-t64\nnot installed: fio (post-installation script returned error exit status 1)\n") {
		t.Errorf("%v", err)
	}
	if lang.Hint(err, lang.EN) == "" || !strings.Contains(lang.Message(err, lang.ZH), "未安装：fio") {
		t.Errorf("%s", lang.Message(err, lang.ZH))
	}
	if err := o.Undo(context.Background(), w, before, engine.State{}); err != nil || w.sum() != start {
		t.Errorf("undo: %v", err)
	}
}

func TestATreeTellsWhatItsDpkgKnows(t *testing.T) {
	w := newWorld(t)
	w.write(dpkgStatus, "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5\nConffiles:\n /etc/bash.bashrc 89269e1298235f1b12b4c16e4065ad0d\nDescription: shell\n Version: of text\n\n"+
		"Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\nPackage: mawk\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\nProvides: awk (= 2), other\n", 0o644)
	m := machine.Root(w.dir)
	for names, want := range map[string]string{"bash awk": "", "bash gone": "installed when goxin runs there"} {
		o := &Packages{Manager: "apt", Names: strings.Fields(names)}
		s, err := o.Observe(context.Background(), m)
		if d := o.Diff(s); err != nil || d.Action != engine.None || d.Note.EN != want {
			t.Errorf("%s: %+v, %v", names, d, err)
		}
		if out, err := o.Do(context.Background(), m, nil); err != nil || out != engine.OK {
			t.Errorf("%s: %+v, %v", names, out, err)
		}
	}
	o := &Packages{Manager: "dnf", Names: []string{"bash"}}
	if s, err := o.Observe(context.Background(), m); err != nil || o.Diff(s).Note.ZH == "" {
		t.Errorf("an rpm tree: %v", err)
	}
	for _, manager := range []string{"apt", "dnf"} {
		_, a := Installed(context.Background(), m, manager, "bash")
		_, b := Available(context.Background(), m, manager, "bash")
		for _, err := range []error{a, b} {
			if !errors.Is(err, machine.ErrNotRunning) {
				t.Errorf("%s: %v", manager, err)
			}
		}
	}
}

func TestAMachineWithoutItsPackageManagerIsNoTree(t *testing.T) {
	_, err := (&Packages{Manager: "apt", Names: []string{"gcc"}}).Observe(context.Background(), missing{newWorld(t)})
	if !machine.MissingProgram(err) {
		t.Errorf("it says %v, and would be passed over", err)
	}
}

type missing struct{ *world }

func (missing) Run(context.Context, machine.Command, func(string)) error { return exec.ErrNotFound }

func TestDnfsTableIsReadHoweverItWraps(t *testing.T) {
	const table = `Last metadata expiration check: 0:00:01 ago on Fri Nov 27 11:40:26 2026.
Dependencies resolved.
=======================================================================
 Package                             Arch    Version             Repo
                                                                   Size
=======================================================================
Installing:
 gx-a-package-with-a-very-long-name-indeed
                                     noarch  1.0.20240101-1      gx  6.3 k
 gx-tool                             noarch  1:1.0-1             gx  512  
     replacing  gx-old.noarch 1.0-1
Upgrading:
 gx-base                             noarch  2.0-1               gx  5.9 k
Installing dependencies:
 gx-lib                              x86_64  1.0-1               gx  5.9 k
Enabling module streams:
 nginx                                       1.20                         
Installing Groups:
 GX Development                                                           
Removing dependent packages:
 gx-big                              noarch  1.0-1               @gx 2.9 M

Transaction Summary
=======================================================================
Install  3 Packages
`
	plan, ok := dnfPlan(strings.Split(table, "\n"))
	var got []string
	for _, c := range plan.Changes {
		got = append(got, c.Name+"."+c.Arch+"="+c.Version+c.From)
	}
	const want = "gx-a-package-with-a-very-long-name-indeed.noarch=1.0.20240101-1 gx-base.noarch=2.0-1? gx-lib.x86_64=1.0-1 gx-tool.noarch=1:1.0-1"
	if !ok || strings.Join(got, " ") != want || strings.Join(plan.removes, " ") != "gx-old.noarch gx-big.noarch" || strings.Join(plan.Modules, " ") != "nginx" {
		t.Errorf("%v %q, removes %q, modules %q", ok, got, plan.removes, plan.Modules)
	}
	if _, ok := dnfPlan([]string{"Error: Failed to download metadata for repo 'gx'"}); ok {
		t.Error("an error is taken for a plan")
	}
}

func TestAptsSimulationIsRead(t *testing.T) {
	plan := aptPlan([]string{
		"Inst libaio1 (0.3.113-4 Debian:12.15/oldstable [amd64])",
		"Inst libc6:i386 [2.36-9] (2.36-10 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [i386]) []",
		"Conf libaio1 (0.3.113-4 Debian:12.15/oldstable [amd64])",
		"Remv vim [9]",
		"Purg nano [7]",
	})
	if len(plan.Changes) != 2 || plan.Changes[0] != (change{Name: "libaio1", Arch: "amd64", Version: "0.3.113-4"}) ||
		plan.Changes[1] != (change{Name: "libc6:i386", Arch: "i386", Version: "2.36-10", From: "2.36-9"}) || strings.Join(plan.removes, " ") != "vim nano" {
		t.Errorf("%+v", plan)
	}
}

func TestProgressIsToldInWordsWithoutControlCharacters(t *testing.T) {
	var said []string
	see := aptProgress(func(t lang.Text) { said = append(said, t.EN) }, 31)
	for _, l := range []string{
		"Reading package lists...", "dlstatus:1:39.9539:Retrieving file 1 of 31", "dlstatus:2:40.1:Retrieving file 2 of 31",
		"pmstatus:cpp:3:Preparing cpp (amd64)", "pmstatus:cpp:3:Unpacking cpp (amd64)", "pmstatus:gcc:38.5:Unpacking gcc (amd64)",
		"pmstatus:gcc:80:Configuring gcc (amd64)", "W: \x1b[31mred", "pmerror:gcc:80:failed: badly",
	} {
		see(l)
	}
	const want = `downloading 40 %|unpacking cpp (1 of 31)|unpacking gcc (2 of 31)|configuring gcc (1 of 31)|W: \x1b[31mred|gcc: failed: badly`
	if got := strings.Join(said, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSizesAreToldAsPackageManagersDo(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 9949: "9.9 kB", 9951: "10 kB", 47_600_000: "48 MB", 999_600_000: "1 GB"} {
		if got := size(n); got != want {
			t.Errorf("%d is %s, not %s", n, got, want)
		}
	}
}

// Seen on Debian 12: apt-get was killed while it unpacked; apt-get purge then
// unpacked the package again, so dpkg had to remove it, and apt's marks stayed.
func TestMarksOfWhatDpkgRemovedAreDropped(t *testing.T) {
	w := newWorld(t)
	const theirs = "Package: git-man-old\nArchitecture: amd64\nAuto-Installed: 1\n\n"
	w.write(aptMarks, "Package: git-man\nArchitecture: amd64\nAuto-Installed: 1\n\n"+theirs+"Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\n", 0o644)
	if err := (apt{}).unmark(w, []change{{Name: "git-man", Arch: "all"}, {Name: "libc6:i386", Arch: "i386"}}); err != nil {
		t.Fatal(err)
	}
	if got := w.read(aptMarks); got != theirs+"Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\n" {
		t.Errorf("%s", got)
	}
}

// An installation failed for want of a network; what was installed by hand once it was back
// was purged by the undo.
func TestPackagesThatSomebodyInstalledAfterTheFailureAreHis(t *testing.T) {
	for name, begin := range map[string]func(func(*packageWorld)) func(*world){"apt": debs, "dnf": rpms} {
		w := newWorld(t)
		begin(func(*packageWorld) {})(w)
		o := &Packages{name, []string{"fio"}, why}
		before := observe(t, o, w)
		after := observe(t, o, w)                                            // Do could not download: nothing was installed
		must(w.packages.put(w, []string{"aio-t64", "fio"}, []string{"fio"})) // the person does it by hand, once the network is back
		err := o.Undo(context.Background(), w, before, after)
		if _, there := w.packages.have["fio"]; !there {
			t.Errorf("%s: %v, have %v", name, err, w.packages)
		}
	}
}
