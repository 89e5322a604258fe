package answers

import (
	"path"
	"strings"

	"goxin/assets/lang"
)

// SecretKind is where a secret is found.
type SecretKind string

// The places there are.
const (
	FromEnv    SecretKind = "env"    // the environment of goxin
	FromFile   SecretKind = "file"   // the first line of a file on the machine goxin runs on
	FromPrompt SecretKind = "prompt" // a person, when it is needed
)

// Secret says where a secret is, never what it is.
type Secret struct {
	Kind SecretKind
	Name string // the variable's name, the file's absolute path; "" for a prompt
}

func (s Secret) String() string { return string(s.Kind) + ":" + s.Name }

// ParseSecret reads a reference: env:NAME, file:/PATH or prompt:. Its error is
// a *lang.Error and never repeats ref, which may be the secret itself.
func ParseSecret(ref string) (Secret, error) {
	kind, name, _ := strings.Cut(ref, ":")
	switch {
	case kind == string(FromEnv) && strings.HasPrefix(ref, "env:"):
		if !variable(name) {
			return Secret{}, lang.Errorf(nil, "what follows env: is not the name of a variable", "env: 之后不是变量名").
				WithHint("write env:NAME: letters, digits and _, such as env:DB_PASSWORD", "请写成 env:NAME：字母、数字和 _，如 env:DB_PASSWORD")
		}
		return Secret{FromEnv, name}, nil
	case kind == string(FromFile) && strings.HasPrefix(ref, "file:"):
		if !path.IsAbs(name) || path.Clean(name) != name || name == "/" || control(name) {
			return Secret{}, lang.Errorf(nil, "what follows file: is not the absolute path of a file", "file: 之后不是文件的绝对路径").
				WithHint("write file:/PATH, such as file:/root/db.password", "请写成 file:/PATH，如 file:/root/db.password")
		}
		return Secret{FromFile, name}, nil
	case ref == "prompt:":
		return Secret{FromPrompt, ""}, nil
	}
	return Secret{}, lang.Errorf(nil, "a secret is not written into answers, only where to find it", "应答文件中不写机密本身，只写到哪里取").
		WithHint(`write env:NAME (a variable), file:/PATH (a file) or "prompt:" (ask)`, `请写 env:NAME（环境变量）、file:/PATH（文件）或 "prompt:"（运行时询问）`)
}

func variable(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
