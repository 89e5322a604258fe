package peer

import (
	"strings"
	"time"

	"goxin/assets/lang"
)

// LostError says that the line to a peer was cut and could not be had back in time.
// What runs there goes on until the agent's lease is over.
type LostError struct {
	Host     string
	Patience time.Duration // how long it was tried
	Cause    error         // what the last try met
}

// Lost is true: see machine.Lost.
func (e *LostError) Lost() bool { return true }

// Text is the error for people.
func (e *LostError) Text() lang.Text {
	if e.Cause == nil {
		return lang.F("the connection to %s is lost, and did not come back within %s", "与 %s 的连接已断开，%s 内未能恢复", e.Host, e.Patience)
	}
	return lang.F("the connection to %s is lost, and did not come back within %s: %s", "与 %s 的连接已断开，%s 内未能恢复：%s", e.Host, e.Patience, e.Cause)
}

// Hint is what to do about it.
func (e *LostError) Hint() lang.Text {
	return lang.T("when it can be reached again: `goxin resume` or `goxin undo`", "待其恢复连通后，运行 `goxin resume` 或 `goxin undo`")
}

func (e *LostError) Error() string { return e.Text().EN }

// Unwrap gives the cause.
func (e *LostError) Unwrap() error { return e.Cause }

// RestartedError says that the agent that was spoken to is no more: its machine was
// rebooted, or it was ended. Whether what was asked last was done is not known.
type RestartedError struct {
	Host     string
	Rebooted bool
}

// Text is the error for people.
func (e *RestartedError) Text() lang.Text {
	if e.Rebooted {
		return lang.F("%s was rebooted meanwhile; what was under way there is not known to be done", "%s 在此期间重启过，正在进行的操作是否完成无从得知", e.Host)
	}
	return lang.F("goxin's agent on %s was ended meanwhile; what was under way there is not known to be done", "%s 上的 goxin 代理在此期间被终止，正在进行的操作是否完成无从得知", e.Host)
}

// Hint is what to do about it.
func (e *RestartedError) Hint() lang.Text {
	return lang.T("`goxin resume` looks at what is there and goes on, `goxin undo` puts it back", "`goxin resume` 查看现状并继续，`goxin undo` 撤销")
}

func (e *RestartedError) Error() string { return e.Text().EN }

// VersionError says that the agent there speaks another version of the protocol.
type VersionError struct {
	Host         string
	Ours, Theirs int
}

// Text is the error for people.
func (e *VersionError) Text() lang.Text {
	return lang.F("the agent on %s speaks version %d of the protocol, this goxin version %d", "%s 上的代理使用协议版本 %d，本机 goxin 使用版本 %d", e.Host, e.Theirs, e.Ours)
}

// Hint is what to do about it.
func (e *VersionError) Hint() lang.Text {
	return lang.T("use the same release of goxin for both architectures", "两种架构请使用同一发布版本的 goxin")
}

func (e *VersionError) Error() string { return e.Text().EN }

// UnknownHostError says that nobody vouches for a host's key: it is neither pinned nor in
// known_hosts.
type UnknownHostError struct {
	Host        string
	KeyType     string // ssh-ed25519
	Fingerprint string // SHA256:…
}

// Text is the error for people.
func (e *UnknownHostError) Text() lang.Text {
	return lang.F("%s is not known here; it shows the key %s (%s)", "本机没有 %s 的主机密钥记录；它出示的密钥是 %s（%s）", e.Host, e.Fingerprint, e.KeyType)
}

// Hint is what to do about it.
func (e *UnknownHostError) Hint() lang.Text {
	return lang.F("compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub` says on that host's own console; if it is the same, answer host_key: %s",
		"请在该主机的控制台上运行 `ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub` 对照；一致则填写 host_key: %s", fileType(e.KeyType), e.Fingerprint)
}

func (e *UnknownHostError) Error() string { return e.Text().EN }

// ChangedHostError says that a host shows another key than the one it is known by.
type ChangedHostError struct {
	Host    string
	KeyType string
	Got     string   // SHA256:…
	Want    []string // those it is known by
	Where   string   // FILE:LINE of known_hosts; "": pinned
	Revoked bool     // known_hosts says that this key is not to be trusted any more
}

// Text is the error for people.
func (e *ChangedHostError) Text() lang.Text {
	where := lang.T("pinned", "已指定")
	if e.Where != "" {
		where = lang.Same(e.Where)
	}
	if e.Revoked {
		return lang.F("the key of %s, %s, is revoked (%s)", "%s 的主机密钥 %s 已被吊销（%s）", e.Host, e.Got, where)
	}
	return lang.F("%[1]s shows another host key: %[2]s (%[3]s), where %[4]s is expected (%[5]s)", "%[1]s 的主机密钥已改变：出示 %[2]s（%[3]s），应为 %[4]s（%[5]s）",
		e.Host, e.Got, e.KeyType, strings.Join(e.Want, " "), where)
}

// Hint is what to do about it.
func (e *ChangedHostError) Hint() lang.Text {
	return lang.F("either it was installed anew, or somebody stands between: `ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub` on that host's own console tells which; goxin does not go on by itself",
		"要么该主机重装过，要么有人冒充：请在其控制台上运行 `ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub` 查明；goxin 不会自行继续", fileType(e.KeyType))
}

func (e *ChangedHostError) Error() string { return e.Text().EN }

// fileType is what the name of a host key's file has for its type.
func fileType(keyType string) string {
	for _, t := range []string{"ed25519", "ecdsa"} {
		if strings.Contains(keyType, t) {
			return t
		}
	}
	return "rsa"
}

// Refused is goxin's own no, rather than something that went wrong: waiting and trying
// again do not help. Its text is that of the error it wraps.
type Refused struct{ Err error }

func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap gives the error.
func (r *Refused) Unwrap() error { return r.Err }

func refuse(en, zh string, args ...any) *Refused {
	return &Refused{lang.Errorf(nil, en, zh, args...)}
}

// hint says what to do about it.
func (r *Refused) hint(en, zh string, args ...any) *Refused {
	if e, ok := r.Err.(*lang.Error); ok { //nolint:errorlint // as refuse made it
		_ = e.WithHint(en, zh, args...)
	}
	return r
}
