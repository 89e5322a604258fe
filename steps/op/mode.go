package op

import (
	"fmt"
	"io/fs"
	"strconv"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Mode is a file's permission bits with setuid, setgid and sticky. Its text and
// JSON form is octal, as chmod(1) takes it: "0644", "4755".
type Mode fs.FileMode

const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

func (m Mode) String() string {
	mode := fs.FileMode(m)
	n := uint32(mode.Perm())
	if mode&fs.ModeSetuid != 0 {
		n |= 0o4000
	}
	if mode&fs.ModeSetgid != 0 {
		n |= 0o2000
	}
	if mode&fs.ModeSticky != 0 {
		n |= 0o1000
	}
	return fmt.Sprintf("%04o", n)
}

// MarshalText gives the octal form.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads it back.
func (m *Mode) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 8, 12)
	if err != nil {
		return lang.Because(err, "%q is no mode of a file", "%q 不是文件权限", b)
	}
	mode := fs.FileMode(n & 0o777)
	if n&0o4000 != 0 {
		mode |= fs.ModeSetuid
	}
	if n&0o2000 != 0 {
		mode |= fs.ModeSetgid
	}
	if n&0o1000 != 0 {
		mode |= fs.ModeSticky
	}
	*m = Mode(mode)
	return nil
}

// inode is who may do what with a file or directory.
type inode struct {
	Mode Mode `json:"mode"`
	UID  int  `json:"uid"`
	GID  int  `json:"gid"`
}

func inodeOf(i machine.Info) inode { return inode{Mode(i.Mode & modeBits), i.UID, i.GID} }

func (n inode) owner() machine.Owner { return machine.Owner{UID: n.UID, GID: n.GID} }

// with is n as an op with this mode and owner would leave it.
func (n inode) with(mode Mode, o machine.Owner) inode {
	n.Mode = mode
	if o.UID >= 0 {
		n.UID = o.UID
	}
	if o.GID >= 0 {
		n.GID = o.GID
	}
	return n
}

// ownerName is how ls -l would show it, as far as that needs no user database.
func ownerName(uid, gid int) string {
	name := func(id int) string {
		if id == 0 {
			return "root"
		}
		return strconv.Itoa(id)
	}
	if uid == gid {
		return name(uid)
	}
	return name(uid) + ":" + name(gid)
}
