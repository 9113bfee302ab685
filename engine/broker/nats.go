package broker

import (
	"log/slog"
	"time"
)

// NATS names an external server or cluster and how to log in. All fields but
// URL are optional.
type NATS struct {
	URL         string `doc:"nats://host:port, several separated by commas" secret:"login"` // "" is the embedded server
	Credentials string `doc:"file with a user JWT and NKey seed"`
	NKeySeed    string `doc:"file with an NKey seed"`
	User        string `doc:"name of a user"`
	Password    string `doc:"password of the user" secret:"value"`
	Token       string `doc:"token to log in with" secret:"value"`
	CA          string `doc:"file with the root certificates to trust" default:"those of the system"`
	Cert        string `doc:"file with the client's certificate"`
	Key         string `doc:"file with its key"`
	Replicas    int    // of each stream; default 1
	InboxPrefix string `doc:"what the subjects of answers begin with" default:"_INBOX"`

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
