package telemetry

import (
	"log/slog"
	"time"

	"penstock/engine/remedy"
	"penstock/telemetry/internal/web"
	"penstock/telemetry/record"
)

// DefaultAddress is where a Server listens unless it is told otherwise.
const DefaultAddress = "127.0.0.1:9900"

// Config says where and how a Server serves. The zero value serves to this
// machine only.
type Config struct {
	// Address is host:port to listen on. "" is DefaultAddress, or the next free
	// port after it; another one that is taken is an error. One that other
	// machines can reach needs a Token.
	Address string
	// Token has to come with every request, as "Authorization: Bearer …", or once
	// in the page. "" asks for none: that is for this machine only, where a user who
	// has an account may look. Actions always need a proof that no other page on
	// the web sent them.
	Token string
	// Hosts are further names under which the server may be called, without
	// ports: what a proxy in front of it passes on. The address itself,
	// localhost, 127.0.0.1 and ::1 need not be named.
	Hosts []string
	// Interval is how often the pipeline is looked at; default 1 s.
	Interval time.Duration
	// Peek is how many of the newest messages of each stream are shown; default
	// 0: none, since they may be confidential.
	Peek int
	// Triggers color what is out of bounds; see Trigger.
	Triggers []record.Trigger
	// Drain is what the page's "drain and stop" calls: it has the run's context
	// done. nil: that is not offered.
	Drain func()
	// Words are what the program calls the remedies that answers name, for who has
	// no Go code; see package remedy. nil: what the library calls them.
	Words remedy.Words
	// Logger gets what happens; default slog.Default().
	Logger *slog.Logger
}

// What mends errors of this package.
var (
	SetToken = remedy.Remedy{Name: "telemetry.Config.Token"} // name a token
	AddHost  = remedy.Remedy{Name: "telemetry.Config.Hosts"} // name a host
	SetPeek  = remedy.Remedy{Name: "telemetry.Config.Peek"}  // let messages be shown
)

func (c Config) withDefaults() Config {
	if c.Interval <= 0 {
		c.Interval = time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// access is what every request to the server passes.
func (c Config) access() *web.Access {
	misdirected := remedy.Errorf("the request names a host that this server does not know: allow that name with %v", AddHost)
	return web.NewAccess(c.Address, c.Hosts, c.Token, remedy.Explain(misdirected, c.Words))
}
