package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine/remedy"
	"penstock/internal/counted"
)

// Right is what a user of an external server has to be allowed.
type Right struct {
	Action  Action
	Subject string // as it stands in a server's configuration, with wildcards
	Use     string // what it is needed for, for people

	// Probes are subjects without wildcards that are really used, and covered by Subject. They are how the server is
	// asked whether it grants the right. A message that goes there for that has no effect.
	Probes []string
}

func (r Right) String() string { return string(r.Action) + " " + r.Subject }

// MissingError lists the rights that a user lacks. It wraps [ErrPermission].
type MissingError struct {
	User   string // "" when it is not known here
	Server string
	Rights []Right
}

// mostNamed is how many rights the text of an error names: it is one line. The remedy lists all.
const mostNamed = 3

func (e *MissingError) Error() string {
	user := "this user"
	if e.User != "" {
		user = "user " + e.User
	}
	var text strings.Builder
	shown := e.Rights[:min(len(e.Rights), mostNamed)]
	for i, r := range shown {
		switch {
		case i == 0:
			fmt.Fprint(&text, r)
		case r.Action == e.Rights[i-1].Action:
			fmt.Fprint(&text, ", ", r.Subject)
		default:
			fmt.Fprint(&text, "; nor ", r)
		}
	}
	if more := len(e.Rights) - len(shown); more > 0 {
		fmt.Fprintf(&text, ", and lacks %s", counted.Things(more, "more right"))
	}
	return fmt.Sprintf("%v: %s may not %s on %s: grant it (%v lists everything that the pipeline needs)%s",
		ErrPermission, user, &text, e.Server, remedy.Rights, ownPrefix(e.lacksAnswers()))
}

// ownPrefix says what else helps a user who may get answers only at a prefix of its own: to grant all answers of the
// account would be more than it needs.
func ownPrefix(lacksAnswers bool) string {
	if !lacksAnswers {
		return ""
	}
	return fmt.Sprintf("; if this user has a prefix of its own for answers, name it with %v", remedy.InboxPrefix)
}

func (e *MissingError) lacksAnswers() bool {
	return slices.ContainsFunc(e.Rights, func(r Right) bool { return r.Action == Subscribe && r.Subject == nats.InboxPrefix+">" })
}

// Unwrap returns ErrPermission.
func (e *MissingError) Unwrap() error { return ErrPermission }

// Remedies is what tells the rights, and the prefix of answers where that is the one that lacks.
func (e *MissingError) Remedies() []remedy.Remedy { return rightsRemedies(e.lacksAnswers()) }

func rightsRemedies(lacksAnswers bool) []remedy.Remedy {
	if lacksAnswers {
		return []remedy.Remedy{remedy.Rights, remedy.InboxPrefix}
	}
	return []remedy.Remedy{remedy.Rights}
}

// checkRights asks an external server for each right. A server speaks of a violation before it answers the ping that
// follows, so nothing is waited for but that answer.
func (b *Broker) checkRights(ctx context.Context) error {
	if b.Embedded() || len(b.cfg.Needs) == 0 {
		return nil
	}
	var refused refusedProbes
	remove := b.connection.refusals.watch(func(*PermissionError) bool { return true }, refused.note)
	before := b.conn.LastError()
	err := b.probe(ctx)
	if err == nil && b.conn.LastError() != before {
		err = b.connection.settled(ctx, b.conn)
	}
	remove()
	if err != nil {
		return fmt.Errorf("read the permissions of the user from %s: %w", b.connection.target, err)
	}
	missing := &MissingError{User: b.connection.user, Server: b.connection.target}
	for _, r := range b.cfg.Needs {
		for _, subject := range r.Probes {
			if refused.has(r.Action, subject) {
				missing.Rights = append(missing.Rights, r)
				break
			}
		}
	}
	if missing.Rights == nil {
		return nil
	}
	return missing
}

// refusedProbes are what the server refused. The connection may still tell of a refusal while they are read.
type refusedProbes struct {
	mu   sync.Mutex
	keys map[string]bool
}

func (r *refusedProbes) note(e *PermissionError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys == nil {
		r.keys = make(map[string]bool)
	}
	r.keys[string(e.Action)+" "+e.Subject] = true
}

func (r *refusedProbes) has(action Action, subject string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys[string(action)+" "+subject]
}

// probe sends what has no effect wherever it arrives: no request has this content, no server that knows the first
// header serves it, and no stream is the one of the second.
func (b *Broker) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	for _, r := range b.cfg.Needs {
		for _, subject := range r.Probes {
			var err error
			if r.Action == Subscribe {
				var sub *nats.Subscription
				if sub, err = b.conn.SubscribeSync(subject); err == nil {
					defer func() { _ = sub.Unsubscribe() }()
				}
			} else {
				err = b.conn.PublishMsg(&nats.Msg{Subject: subject, Data: []byte("?"), Header: nats.Header{
					"Nats-Required-Api-Level":      {"1000000"},
					jetstream.ExpectedStreamHeader: {"none"},
				}})
			}
			if err != nil {
				return err
			}
		}
	}
	return b.conn.FlushWithContext(ctx)
}

// settled waits until what the connection has met was told to onError, which comes later.
func (l *connection) settled(ctx context.Context, conn *nats.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	for {
		l.mu.Lock()
		told, changed := l.told, l.changed
		l.mu.Unlock()
		if last := conn.LastError(); told == last || !errors.Is(last, nats.ErrPermissionViolation) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
