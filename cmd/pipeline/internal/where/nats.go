package where

import (
	"errors"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
	"penstock/engine/broker"
)

// PasswordVariable may hold the password: unlike a flag it does not show in
// the list of processes.
const PasswordVariable = "PENSTOCK_NATS_PASSWORD"

// NATS say which NATS to use and how to log in.
type NATS struct {
	NATS     string `name:"nats" placeholder:"URL" group:"nats" help:"Use this NATS server or cluster: nats://host:port, several separated by commas. It needs JetStream."`
	Creds    string `name:"nats-creds" type:"existingfile" placeholder:"FILE" group:"nats" help:"Log in with the user JWT and key in this file."`
	NKey     string `name:"nats-nkey" type:"existingfile" placeholder:"FILE" group:"nats" help:"Log in with the NKey seed in this file."`
	User     string `name:"nats-user" placeholder:"NAME" group:"nats" help:"Log in as this user."`
	Password string `name:"nats-password" placeholder:"TEXT" group:"nats" help:"The password of that user; the environment variable PENSTOCK_NATS_PASSWORD is safer."`
	Token    string `name:"nats-token" placeholder:"TEXT" group:"nats" help:"Log in with this token."`
	CA       string `name:"tls-ca" type:"existingfile" placeholder:"FILE" group:"nats" help:"Trust the certificate authorities in this PEM file instead of the system's."`
	Cert     string `name:"tls-cert" type:"existingfile" placeholder:"FILE" group:"nats" help:"Show this certificate (PEM) to the server."`
	Key      string `name:"tls-key" type:"existingfile" placeholder:"FILE" group:"nats" help:"The key (PEM) of --tls-cert."`
	Inbox    string `name:"nats-inbox-prefix" placeholder:"PREFIX" group:"nats" help:"Prefix of the subjects on which the server answers, for a user who may subscribe only to those. Default: _INBOX."`
	Replicas int    `default:"1" placeholder:"N" group:"nats" help:"How many servers of the cluster keep each stream, 1 to 5. Default: 1."`
}

// Config checks what does not fit together, by the names of the flags.
func (f NATS) Config(getenv func(string) string) (engine.NATS, error) {
	if err := f.check(); err != nil {
		return engine.NATS{}, err
	}
	password := f.Password
	if password == "" && f.User != "" {
		password = getenv(PasswordVariable)
	}
	return engine.NATS{
		URL:         f.NATS,
		Credentials: f.Creds,
		NKeySeed:    f.NKey,
		User:        f.User,
		Password:    password,
		Token:       f.Token,
		CA:          f.CA,
		Cert:        f.Cert,
		Key:         f.Key,
		Replicas:    f.Replicas,
		InboxPrefix: f.Inbox,
	}, nil
}

func (f NATS) check() error {
	var logins []string
	for _, flag := range []struct{ name, value string }{
		{"--nats-creds", f.Creds}, {"--nats-nkey", f.NKey}, {"--nats-user", f.User}, {"--nats-token", f.Token},
		{"--nats-password", f.Password}, {"--tls-ca", f.CA}, {"--tls-cert", f.Cert}, {"--tls-key", f.Key}, {"--nats-inbox-prefix", f.Inbox},
	} {
		if flag.value == "" {
			continue
		}
		if f.NATS == "" {
			return flags.Usage("%s needs a server: name one with --nats", flag.name)
		}
		if len(logins) < 2 && flag.name != "--nats-password" && flag.name != "--nats-inbox-prefix" && flag.name[:5] != "--tls" {
			logins = append(logins, flag.name)
		}
	}
	switch {
	case f.Replicas < 1 || f.Replicas > 5:
		return flags.Usage("--replicas: %d is not between 1 and 5", f.Replicas)
	case f.Replicas > 1 && f.NATS == "":
		return flags.Usage("--replicas: %d needs a NATS cluster, and the embedded server is a single one: name the cluster with --nats", f.Replicas)
	case len(logins) > 1:
		return flags.Usage("%s and %s are both given: log in one way", logins[0], logins[1])
	case f.Password != "" && f.User == "":
		return flags.Usage("--nats-password needs a user: add --nats-user")
	case f.Cert != "" && f.Key == "":
		return flags.Usage("--tls-cert needs its key: add --tls-key")
	case f.Key != "" && f.Cert == "":
		return flags.Usage("--tls-key needs its certificate: add --tls-cert")
	}
	return nil
}

// Unsaid says where a command finds the secret of the login, which no hint shows; "" if nothing is missing.
func (f NATS) Unsaid(getenv func(string) string) string {
	password, isLogin, isToken := f.Password != "", false, f.Token != ""
	if login := broker.LoginIn(f.NATS); login != nil {
		_, isLogin = login.Password()
		isToken = isToken || !isLogin
	}
	switch {
	case isToken:
		return "the token: add --nats-token"
	case (password || isLogin) && getenv(PasswordVariable) == "":
		return "the password: they read it from $" + PasswordVariable
	}
	return ""
}

// Blame names the flags for what only the broker finds out.
func (f NATS) Blame(err error) error {
	if rejected := (*broker.LoginError)(nil); errors.As(err, &rejected) {
		return &flags.UsageError{Err: err}
	}
	if errors.Is(err, broker.ErrConfig) {
		return flags.Usage("check the flags --nats, --nats-…, --tls-… and --replicas: %w", err)
	}
	return err
}
