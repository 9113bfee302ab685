package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Config says which NATS a pipeline uses. Either Dir (a server inside the process) or URL (a server elsewhere) is
// needed; when both are given, URL counts.
type Config struct {
	// Dir is the directory of the embedded server's files. It is created when missing. Two processes cannot use the same.
	Dir string

	// Sync is how long the embedded server may keep a write to itself. 0, the default, brings each write to the disk
	// before it is acknowledged. Anything above lets a power cut take away up to that much; a killed process loses
	// nothing either way. An external server has its own setting.
	Sync time.Duration

	// URL is the address of an external server, or of several of a cluster, separated by commas: nats://host:port,
	// tls://, ws:// or wss://. A user, password or token in it is used, and never shown.
	URL string

	// How to log in to an external server; at most one way, or none. Credentials is a file with a user's JWT and
	// key, NKeySeed a file with an NKey seed.
	Credentials string
	NKeySeed    string
	User        string
	Password    string
	Token       string

	// CA, Cert and Key are PEM files: the authorities to trust (default: those of the system), and the client's own
	// certificate with its key. Any of them makes the connection use TLS.
	CA, Cert, Key string

	// InboxPrefix is what the subjects begin with on which an external server answers, in the place of _INBOX: a user
	// who may subscribe only to a prefix of its own sees no answers to others.
	InboxPrefix string

	// ConnectTimeout is how long Open waits for an external server, until JetStream answers; then its error is
	// [ErrNoServer]. After a second Open logs what it waits for. Default: as long as its context lives.
	ConnectTimeout time.Duration

	// Needs are the rights without which an external server is of no use: Open refuses one that does not grant them.
	Needs []Right

	// Name is what the server's tools show for this connection. Default: penstock.
	Name string

	// Replicas is how many servers of a cluster keep each stream. Default: 1.
	Replicas int

	// StartingOver says that streams are being deleted, and that a process may have died of it: what the embedded server
	// left of one goes away. Otherwise a stream without settings is a damaged one, which keeps its messages until it
	// is created once more.
	StartingOver bool

	// Logger receives what happens to the connection and, at level debug, what the embedded server says. Default:
	// nothing is logged.
	Logger *slog.Logger
}

// ErrConfig is wrapped by every error that only a change of the [Config], or of a file it names, can mend.
var ErrConfig = errors.New("unusable broker configuration")

func configError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrConfig, fmt.Errorf(format, args...))
}

func (c *Config) complete() error {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Name == "" {
		c.Name = "penstock"
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.Replicas < 1 || c.Replicas > 5 {
		return configError("%d replicas: JetStream keeps 1 to 5", c.Replicas)
	}
	if c.Sync < 0 {
		return configError("a sync interval of %v: use 0 (every write) or more", c.Sync)
	}
	if c.URL == "" {
		return c.checkEmbedded()
	}
	return c.checkExternal()
}

func (c *Config) checkEmbedded() error {
	if c.Dir == "" {
		return configError("no server: set a directory for the embedded server or the URL of another one")
	}
	if c.Replicas > 1 {
		return configError("%d replicas need a NATS cluster, and the embedded server is a single one: give the URL of the cluster", c.Replicas)
	}
	if c.Credentials+c.NKeySeed+c.User+c.Password+c.Token+c.CA+c.Cert+c.Key != "" {
		return configError("a login or certificate needs the URL of a server")
	}
	return nil
}

func (c *Config) checkExternal() error {
	if err := checkURLs(c.URL); err != nil {
		return err
	}
	ways := 0
	for _, way := range []string{c.Credentials, c.NKeySeed, c.User, c.Token} {
		if way != "" {
			ways++
		}
	}
	switch {
	case strings.ContainsAny(c.InboxPrefix, "*> \t\r\n") || strings.HasPrefix(c.InboxPrefix, ".") || strings.HasSuffix(c.InboxPrefix, ".") || strings.Contains(c.InboxPrefix, ".."):
		return configError("the inbox prefix %q must be a subject without wildcards, such as _INBOX_orders", c.InboxPrefix)
	case ways > 1:
		return configError("more than one of credentials file, NKey seed, user and token: choose one")
	case c.Password != "" && c.User == "":
		return configError("a password without a user")
	case c.Cert != "" && c.Key == "":
		return configError("the certificate %s without its key", c.Cert)
	case c.Key != "" && c.Cert == "":
		return configError("the key %s without its certificate", c.Key)
	}
	return nil
}
