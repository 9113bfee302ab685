package words

import (
	"penstock/engine"
	"penstock/engine/broker"
	"penstock/internal/hint"
)

// Where are the flags by which another command finds what this one used, each
// with a space before it.
func Where(config engine.Config) string {
	n := config.NATS
	return hint.Place{
		Dir: config.Dir, Servers: broker.Addresses(n.URL), User: n.User, Credentials: n.Credentials, NKeySeed: n.NKeySeed, CA: n.CA,
	}.Flags()
}
