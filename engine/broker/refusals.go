package broker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	tellAgain = time.Minute // of the same right
	maxTold   = 1024
)

// refusals hands a violation to those who wait for an answer on its subject: the server reports it to the connection,
// not to the request.
type refusals struct {
	mu      sync.Mutex
	next    int
	waiting map[int]refusalWatch
	denied  map[string]*PermissionError // subscriptions that the server does not have, since the connection was made
	started bool
	told    map[string]time.Time // when a right was logged last

	again resubscriber
}

type refusalWatch struct {
	concerns func(*PermissionError) bool
	fn       func(*PermissionError)
}

func newRefusals() *refusals {
	return &refusals{waiting: make(map[int]refusalWatch), denied: make(map[string]*PermissionError), told: make(map[string]time.Time)}
}

// watch has fn called for every refusal that concerns the caller, in a goroutine of the connection, until remove is
// called. A subscription that was refused before counts. fn must not block.
func (r *refusals) watch(concerns func(*PermissionError) bool, fn func(*PermissionError)) (remove func()) {
	r.mu.Lock()
	id := r.next
	r.next++
	r.waiting[id] = refusalWatch{concerns, fn}
	before := slices.Collect(maps.Values(r.denied))
	r.mu.Unlock()
	for _, refused := range before {
		if concerns(refused) {
			fn(refused)
			break
		}
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.waiting, id)
	}
}

// subscription returns why there is none to subjects that begin with prefix, nil when there is.
func (r *refusals) subscription(prefix string) *PermissionError {
	r.mu.Lock()
	defer r.mu.Unlock()
	for subject, refused := range r.denied {
		if strings.HasPrefix(subject, prefix) {
			return refused
		}
	}
	return nil
}

// refuse passes a refusal on. A subscription is asked for again from time to time once the start is over: nothing else
// tells that it is permitted.
func (r *refusals) refuse(conn *nats.Conn, refused *PermissionError) {
	r.mu.Lock()
	refused.early = !r.started
	if refused.Action == Subscribe {
		r.denied[refused.Subject] = refused
		if r.started {
			r.again.soon(conn.ForceReconnect) // which subscribes to everything; a closed connection needs nothing
		}
	}
	watches := slices.Collect(maps.Values(r.waiting))
	r.mu.Unlock()
	for _, w := range watches {
		if w.concerns(refused) {
			w.fn(refused)
		}
	}
}

// reconnected forgets the subscriptions that were refused: the server is asked for all of them again.
func (r *refusals) reconnected() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.denied)
}

// Started says that the start is over: a right that is missing from now on is waited for.
func (b *Broker) Started() {
	b.connection.refusals.mu.Lock()
	defer b.connection.refusals.mu.Unlock()
	b.connection.refusals.started = true
}

// WhilePermitted returns a context that also ends, with a [PermissionError] as its cause, when the server refuses to
// take a message on subject or to deliver answers. Call cancel when it is done.
func (b *Broker) WhilePermitted(ctx context.Context, subject string) (_ context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	remove := b.connection.refusals.watch(
		func(refused *PermissionError) bool { return refused.concerns(subject, b.inbox) },
		func(refused *PermissionError) { end(refused) })
	return ctx, func() {
		remove()
		end(nil)
	}
}

// OnRefused has fn called when the server refuses to take a message on subject, or to deliver to subjects that begin
// with inbox, until remove is called. fn must not block.
func (b *Broker) OnRefused(subject, inbox string, fn func(*PermissionError)) (remove func()) {
	return b.connection.refusals.watch(func(refused *PermissionError) bool { return refused.concerns(subject, inbox) }, fn)
}

// concerns tells whether this is the end of a request on subject, whose answer comes to a subject that begins with
// inbox.
func (e *PermissionError) concerns(subject, inbox string) bool {
	if e.Action == Subscribe {
		return inbox != "" && strings.HasPrefix(e.Subject, inbox)
	}
	return e.Subject == subject
}

// refusedBy returns the refusal, or the loss of the connection, that ended ctx, or else err, in words that say what is
// the matter.
func refusedBy(ctx context.Context, err error) error {
	var refused *PermissionError
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return nil
	case errors.As(cause, &refused):
		return refused
	case errors.Is(err, context.Canceled) && errors.Is(cause, ErrDisconnected):
		return cause
	}
	return sent(err)
}

// sent is an error of a request. Without a connection nats.go says that a buffer is full: this package lets it have
// none.
func sent(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) {
		return &notSentError{err}
	}
	return err
}

// notSentError is ErrDisconnected of a request that was not sent.
type notSentError struct{ cause error }

func (e *notSentError) Error() string { return "there is no connection to the NATS server" }

// Unwrap gives ErrDisconnected, and what nats.go says.
func (e *notSentError) Unwrap() []error { return []error{ErrDisconnected, e.cause} }

// tellRefused logs a refusal that no call waits for, such as that of an acknowledgement, once in a while.
func (l *connection) tellRefused(refused *PermissionError) {
	if refused.early {
		return // it is the reason why the start is refused
	}
	l.refusals.mu.Lock()
	last := l.refusals.told[refused.key()]
	tell := time.Since(last) >= tellAgain
	if tell {
		if len(l.refusals.told) >= maxTold {
			clear(l.refusals.told)
		}
		l.refusals.told[refused.key()] = time.Now()
	}
	l.refusals.mu.Unlock()
	if tell {
		l.logger.Warn("the NATS server denies a permission", "server", l.target, "error", refused)
	}
}
