package sysctl

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"goxin/detect/machine"
)

// blind cannot read one file, under whichever name, or list one directory.
type blind struct {
	machine.Machine
	names map[string]bool
}

func (b blind) ReadFile(name string) ([]byte, error) {
	if b.names[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
	}
	return b.Machine.ReadFile(name)
}

func (b blind) ReadDir(name string) ([]string, error) {
	if b.names[name] {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: syscall.EACCES}
	}
	return b.Machine.ReadDir(name)
}

func TestAFileThatCannotBeReadIsNotTakenForAbsent(t *testing.T) {
	link := map[string]string{"/etc/sysctl.conf": "vm.swappiness=60\n", "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf"}
	for _, c := range []struct {
		name  string
		files map[string]string
		blind map[string]bool
		want  string // "name: why"; "": all can be read
	}{
		{"readable", link, nil, ""},
		{"forbidden, by two names", link, map[string]bool{"/etc/sysctl.conf": true, "/etc/sysctl.d/99-sysctl.conf": true}, "/etc/sysctl.conf: permission denied"},
		{"sysctl.conf is a directory", map[string]string{"/etc/sysctl.conf/x": ""}, nil, "/etc/sysctl.conf: is a directory"},
		{"a link leads to a directory", map[string]string{"/etc/x/y": "", "/etc/sysctl.d/99-sysctl.conf": "-> ../x"}, nil, "/etc/x: is a directory"},
		{"links lead round", map[string]string{"/etc/sysctl.d/a.conf": "-> a.conf"}, nil, "/etc/sysctl.d/a.conf: too many levels of symbolic links"},
		{"a link leads nowhere", map[string]string{"/etc/sysctl.d/a.conf": "-> /no"}, nil, ""},
		{"a directory among the drop-ins", map[string]string{"/etc/sysctl.d/a.conf/x": ""}, nil, ""},
		{"masked", map[string]string{"/etc/sysctl.d/a.conf": "-> /dev/null"}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := Read(blind{plant(t, c.files), c.blind})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, u := range config.Unreadable {
				got += u.Name + ": " + u.Err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestADirectoryThatCannotBeListedIsNamedOnce(t *testing.T) {
	_, err := Read(blind{plant(t, nil), map[string]bool{"/etc/sysctl.d": true}})
	if !errors.Is(err, fs.ErrPermission) || err.Error() != "/etc/sysctl.d: permission denied" {
		t.Error(err)
	}
}
