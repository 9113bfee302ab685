package hint

import (
	"runtime"
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
	InboxPrefix string // of the subjects of answers
}

// Flags are those by which another command finds the place, each with a space
// before it.
func (p Place) Flags() string {
	flags := " --dir " + Word(p.Dir)
	if len(p.Servers) == 0 {
		return flags
	}
	flags += " --nats " + Word(strings.Join(p.Servers, ","))
	for _, login := range [][2]string{{" --nats-user ", p.User}, {" --nats-creds ", p.Credentials}, {" --nats-nkey ", p.NKeySeed}, {" --tls-ca ", p.CA}, {" --nats-inbox-prefix ", p.InboxPrefix}} {
		if login[1] != "" {
			flags += login[0] + Word(login[1])
		}
	}
	return flags
}

// Word quotes a text for a shell, where that is needed. Each command that people are shown has its words from here.
func Word(text string) string {
	plain := "/._-+:,"
	if runtime.GOOS == "windows" { // whose shells take it as it is
		plain += `\`
	}
	if text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(plain, c)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", Apostrophe) + "'"
}

// Apostrophe is one within a quoted word.
const Apostrophe = `'\''`
