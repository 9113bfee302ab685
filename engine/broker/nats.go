package broker

import (
	"log/slog"
	"time"
)

// NATS names an external server or cluster and how to log in. All fields but
// URL are optional.
type NATS struct {
	URL         string // nats://host:port, several separated by commas; "" is the embedded server
	Credentials string // file with a user JWT and NKey seed
	NKeySeed    string // file with an NKey seed
	User        string
	Password    string
	Token       string
	CA          string // file with the root certificates to trust
	Cert        string // file with the client's certificate
	Key         string // file with its key
	Replicas    int    // of each stream; default 1
	InboxPrefix string // of the subjects of answers; default _INBOX

	// ConnectTimeout is how long the first connection may take, until JetStream answers; then the error is
	// [ErrNoServer]. Default: no limit. An outage later is waited out in any case.
	ConnectTimeout time.Duration
}

// Config is that of the connection of a pipeline. dir is where the files of the embedded server are, and sync how often
// it syncs them.
func (n NATS) Config(pipeline, dir string, sync time.Duration, logger *slog.Logger) Config {
	return Config{
		Dir:         dir,
		Sync:        sync,
		URL:         n.URL,
		Credentials: n.Credentials,
		NKeySeed:    n.NKeySeed,
		User:        n.User,
		Password:    n.Password,
		Token:       n.Token,
		CA:          n.CA,
		Cert:        n.Cert,
		Key:         n.Key,
		Name:        "penstock-" + pipeline,
		Replicas:    n.Replicas,
		InboxPrefix: n.InboxPrefix,
		Logger:      logger,

		ConnectTimeout: n.ConnectTimeout,
	}
}
