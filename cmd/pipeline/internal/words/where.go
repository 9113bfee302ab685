package words

import (
	"cmp"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/internal/hint"
)

// Where are the flags by which another command finds what this one used, each
// with a space before it.
func Where(config engine.Config) string {
	n := config.NATS
	return hint.Place{
		Dir: config.Dir, Servers: broker.Addresses(n.URL), User: cmp.Or(n.User, userIn(n.URL)), Credentials: n.Credentials, NKeySeed: n.NKeySeed, CA: n.CA,
		InboxPrefix: n.InboxPrefix,
	}.Flags()
}

// In is Where for other data directories.
func In(config engine.Config) func(dir string) string {
	return func(dir string) string {
		config.Dir = dir
		return Where(config)
	}
}

// userIn is the user of a login within the address of a server. A name without a password is a token: it is not shown.
func userIn(servers string) string {
	login := broker.LoginIn(servers)
	if _, isLogin := login.Password(); !isLogin { // nil has none
		return ""
	}
	return login.Username()
}
