package op

import "regexp"

var (
	// secretLine is a setting whose value is a secret, by its name: a repository's
	// password, a proxy's token.
	secretLine = regexp.MustCompile(`(?i)^(\s*[#;]?\s*[\w.-]*(?:passw(?:or)?d|passphrase|secret|token)[\w.-]*\s*[=:]\s*)\S.*`)
	// login is what stands before the host in an address: a name and a password, or a
	// token alone.
	login = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#"'<>@]+@`)
)

const mask = "********"

// masked is a line of a file as it may be shown: what a site wrote beside what we
// change goes to screens, recordings and reports.
func masked(line string) string {
	line = secretLine.ReplaceAllString(line, "${1}"+mask)
	return login.ReplaceAllString(line, "${1}"+mask+"@")
}
