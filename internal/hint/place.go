package hint

import (
	"strings"
	"unicode"
)

// Place is where a pipeline is: its data directory, and the NATS server with the
// login. A password or a token is not shown.
type Place struct {
	Dir         string
	Servers     []string // none: the login does not matter either
	User        string
	Credentials string // file
	NKeySeed    string // file
	CA          string // file
}

// Flags are those by which another command finds the place, each with a space
// before it.
func (p Place) Flags() string {
	flags := " --dir " + Word(p.Dir)
	if len(p.Servers) == 0 {
		return flags
	}
	flags += " --nats " + Word(strings.Join(p.Servers, ","))
	for _, login := range [][2]string{{" --nats-user ", p.User}, {" --nats-creds ", p.Credentials}, {" --nats-nkey ", p.NKeySeed}, {" --tls-ca ", p.CA}} {
		if login[1] != "" {
			flags += login[0] + Word(login[1])
		}
	}
	return flags
}

// Word quotes a text for a shell, where that is needed.
func Word(text string) string {
	if strings.ContainsFunc(text, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("/._-+:,\\", c)
	}) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}
