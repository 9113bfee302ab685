package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/stages/connector"
)

const (
	connectFor = 3 * time.Second // then the stage is told that the server is away, and tries again
	askFor     = 5 * time.Second // one request
)

// server is the connection of one stage to the server that has a stream.
type server struct {
	*broker.Broker
	stream  string
	name    string // of this stage, for people who look at connections and consumers
	secrets []string
}

// connect returns Unavailable when the server does not answer soon, and Fatal when trying again cannot help.
func connect(ctx context.Context, n engine.NATS, stream string, needs []broker.Right) (*server, error) {
	s := &server{stream: stream, name: nameOf(ctx), secrets: connector.Secrets(n)}
	if n.URL == "" {
		return nil, engine.Fatal(fmt.Errorf("the stream %s: no URL of a NATS server", stream))
	}
	config := n.Config(s.name, "", 0, engine.Logger(ctx))
	config.Name, config.ConnectTimeout, config.Needs = s.name, 0, needs
	within, cancel := context.WithTimeoutCause(ctx, connectFor, errors.New("no answer yet"))
	defer cancel()
	b, err := broker.Open(within, config)
	if err != nil {
		return nil, s.refused(ctx, err)
	}
	b.Started() // a right that goes missing from now on may be given back
	s.Broker = b
	return s, nil
}

// nameOf is what the server's tools show.
func nameOf(ctx context.Context) string {
	at := engine.InfoOf(ctx)
	return "penstock-" + at.Pipeline + "-" + at.Stage
}

// consumerName is that of a consumer that no other client has.
func (s *server) consumerName() string { return s.name + "-" + nuid.Next() }

// refused sorts what went wrong: for good, or for now.
func (s *server) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var missing *broker.MissingError
	var denied *broker.PermissionError
	switch {
	case errors.As(err, &missing):
		return engine.Fatal(s.hide(rightsError(missing.User, missing.Server, missing.Rights...)))
	case errors.As(err, &denied): // it was there at the start, and may be given back
		return engine.Unavailable(s.hide(rightsError(denied.User, s.Server(), broker.Right{Action: denied.Action, Subject: denied.Subject})))
	case errors.Is(err, broker.ErrConfig), errors.Is(err, broker.ErrNoJetStream):
		return engine.Fatal(s.hide(err))
	}
	return engine.Unavailable(s.hide(err))
}

// away is Unavailable while the server cannot be reached, and nil otherwise.
func (s *server) away() error {
	if !s.Connected() {
		return engine.Unavailable(s.hide(fmt.Errorf("no connection to %s: %s", s.Server(), s.Failure())))
	}
	if since, is := s.Unanswered(); is {
		return engine.Unavailable(fmt.Errorf("%s has not answered since %s", s.Server(), since.Format(time.TimeOnly)))
	}
	return nil
}

// hide keeps secrets out of a text that others have made.
func (s *server) hide(err error) error { return connector.Hide(err, s.secrets) }

// rightsError says what to grant. It wraps broker.ErrPermission.
func rightsError(user, server string, rights ...broker.Right) error {
	who := "this user"
	if user != "" {
		who = "user " + user
	}
	var texts []string
	for _, r := range rights {
		texts = append(texts, r.String())
	}
	return fmt.Errorf("%w: %s may not %s on %s: grant it", broker.ErrPermission, who, strings.Join(texts, ", nor "), server)
}

// publishes is the right to send to a subject, with one that is really used.
func publishes(use, subject, probe string) broker.Right {
	return broker.Right{Action: broker.Publish, Subject: subject, Use: use, Probes: []string{probe}}
}

const api = jetstream.DefaultAPIPrefix

// readRights are those to read a stream.
func readRights(stream string) []broker.Right {
	none := "penstock-" + nuid.Next()
	return []broker.Right{
		publishes("look at the account", api+"INFO", api+"INFO"),
		publishes("look at the stream", api+"STREAM.INFO."+stream, api+"STREAM.INFO."+stream),
		publishes("read the stream", api+"CONSUMER.CREATE."+stream+".*", api+"CONSUMER.CREATE."+stream+"."+none),
		publishes("read the stream", api+"CONSUMER.MSG.NEXT."+stream+".*", api+"CONSUMER.MSG.NEXT."+stream+"."+none),
	}
}

// state is a stream as it is now.
type state struct {
	jetstream.StreamState
	config  jetstream.StreamConfig
	created time.Time
}

// look asks for the stream. found is false if there is none.
func (s *server) look(ctx context.Context) (st state, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	ctx, leave := s.WhileConnected(ctx)
	defer leave()
	stream, err := s.JetStream().Stream(ctx, s.stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return st, false, nil
	}
	if err != nil {
		return st, false, fmt.Errorf("look at the stream %s on %s: %w", s.stream, s.Server(), err)
	}
	info := stream.CachedInfo()
	return state{info.State, info.Config, info.Created}, true, nil
}

// deleteConsumer removes one that is not needed any more. If that fails the server does it later.
func (s *server) deleteConsumer(name string) {
	if !s.Connected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.JetStream().DeleteConsumer(ctx, s.stream, name)
}

// isGone says that the server ended a consumer, or never had it.
func isGone(msg *nats.Msg) bool {
	code, text := msg.Header.Get("Status"), msg.Header.Get("Description")
	return code == "503" || code == "409" && strings.Contains(text, "Consumer Deleted")
}
