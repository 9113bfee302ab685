package broker

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second

	firstReport = time.Second
	lastReport  = time.Minute
)

// connection follows the state of the connection: nats.go reports every change to it, one at a time.
type connection struct {
	logger *slog.Logger
	target string // redacted
	user   string // who is logged in, when that is known
	lost   hooks
	again  hooks // called when it is restored
	conn   atomic.Pointer[nats.Conn]

	refusals  *refusals
	pulls     *Pulls
	onRefused func(*PermissionError) // besides those who watch refusals

	mu           sync.Mutex
	changed      chan struct{} // closed and replaced at every change
	closing      bool          // what happens from now on is our doing
	closed       bool
	connected    bool
	server       string // the id of the one that is, or was last, connected to
	wasConnected bool
	payload      int64 // the largest the server takes
	reconnects   uint64
	refusal      error // no server takes the login: there was no connection, and will be none
	outage
}

// outage is what is known of the attempts to connect while there is no connection.
type outage struct {
	down     time.Time // when the connection was lost, or first wanted
	report   time.Time // when to log the next failed attempt
	interval time.Duration
	failure  string // the last attempt's, redacted
	login    error  // why a server refused the login, before the first connection
	refused  int    // rounds since then
	told     error  // what onError heard last
}

func newConnection(logger *slog.Logger, target string) *connection {
	l := &connection{
		logger: logger, target: target, refusals: newRefusals(),
		changed: make(chan struct{}), outage: outage{down: time.Now(), interval: firstReport},
	}
	l.pulls = &Pulls{logger: logger.With("server", target), maxPayload: l.maxPayload}
	return l
}

type condition struct {
	connected, closed bool
	refusal           error
}

// watch returns the state, and a channel that is closed at its next change. It is kept here because nats.go holds its
// lock for seconds while it connects.
func (l *connection) watch() (condition, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return condition{l.connected, l.closed, l.refusal}, l.changed
}

func (l *connection) waitClosed(ctx context.Context) bool {
	for {
		now, changed := l.watch()
		if now.closed {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// signal must be called with mu held.
func (l *connection) signal() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// close reports nothing of how the connection ends.
func (l *connection) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
}

func (l *connection) onLost(_ *nats.Conn, err error) {
	l.mu.Lock()
	l.connected, l.down, l.report, l.interval, l.failure = false, time.Now(), time.Time{}, firstReport, l.reasonOf(err)
	closing := l.closing
	l.signal()
	l.mu.Unlock()
	l.refusals.reconnected()
	l.pulls.lost()
	l.lost.call()
	if closing || err == nil { // Close drops the connection without an error
		return
	}
	l.logger.Warn("connection to NATS lost; reconnecting", "server", l.target, "error", redact(err.Error()))
}

// onFailed is told about an attempt that failed; it logs the first and then ever fewer.
func (l *connection) onFailed(err error) {
	if errors.Is(err, errLater) {
		return
	}
	l.mu.Lock()
	now := time.Now()
	failure := l.reasonOf(err)
	l.failure = failure
	if l.closing || now.Before(l.report) {
		l.mu.Unlock()
		return
	}
	l.report = now.Add(l.interval)
	l.interval = min(2*l.interval, lastReport)
	since := now.Sub(l.down)
	l.mu.Unlock()
	l.logger.Warn("waiting for "+l.target, "error", failure, "for", since.Round(time.Millisecond))
}

// onRound is asked for a delay when every server was tried once more. An attempt that got as far as the login and
// failed there is reported nowhere else.
func (l *connection) onRound(round int) time.Duration {
	conn := l.conn.Load()
	if conn == nil {
		return time.Millisecond // Open is about to let the first dial through
	}
	if err := conn.LastError(); err != nil {
		l.onFailed(err)
		l.noteLogin(err)
	}
	l.refuseLogin()
	return retryDelay(round)
}

// noteLogin keeps that a server refused the login, before there was a connection.
func (l *connection) noteLogin(err error) {
	if !isLogin(err) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.wasConnected {
		l.login = err
	}
}

// refuseLogin gives up when every server was tried since one refused the login: the same login will not be taken later.
func (l *connection) refuseLogin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.login == nil || l.wasConnected || l.refusal != nil {
		return
	}
	if l.refused++; l.refused < 2 { // the round may have begun before
		return
	}
	l.refusal = &LoginError{Server: l.target, User: l.user, Cause: l.login}
	l.signal()
}

// reasonOf is the text of an error of the connection, without credentials. A login that is not taken is named.
func (l *connection) reasonOf(err error) string {
	switch {
	case err == nil:
		return ""
	case isLogin(err):
		return "the server rejects " + loginOf(l.user) + ": " + redact(err.Error())
	}
	return redact(err.Error())
}

// noteTold lets settled know how far the news of the connection have come.
func (l *connection) noteTold(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = err
	l.signal()
}

// isLogin tells whether a server has refused to let this client in for who it is.
func isLogin(err error) bool {
	for _, refused := range []error{
		nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked,
		nats.ErrAccountAuthExpired, nats.ErrNkeysNotSupported,
	} {
		if errors.Is(err, refused) {
			return true
		}
	}
	return false
}

// lastFailure is the end of an error text about a connection that did not come about.
func (l *connection) lastFailure() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == "" {
		return ""
	}
	return " (last attempt: " + l.failure + ")"
}

func (l *connection) onConnected(conn *nats.Conn) {
	payload, server := conn.MaxPayload(), conn.ConnectedServerId()
	l.mu.Lock()
	isSame := server == l.server
	l.connected, l.wasConnected, l.payload, l.server = true, true, payload, server
	l.report, l.interval = time.Time{}, firstReport
	l.signal()
	l.mu.Unlock()
	l.pulls.restored(isSame)
}

func (l *connection) maxPayload() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.payload
}

func (l *connection) onReconnected(conn *nats.Conn) {
	l.mu.Lock()
	l.reconnects++
	since := time.Since(l.down)
	l.mu.Unlock()
	l.onConnected(conn)
	l.logger.Info("connection to NATS restored", "server", l.target, "after", since.Round(time.Millisecond))
	l.again.call()
}

func (l *connection) onClosed(*nats.Conn) {
	l.mu.Lock()
	l.connected, l.closed = false, true
	l.signal()
	l.mu.Unlock()
	l.lost.call()
}

// onError hears what belongs to no call: permissions, slow consumers, a login that was refused.
func (l *connection) onError(conn *nats.Conn, sub *nats.Subscription, err error) {
	l.noteLogin(err)
	defer l.noteTold(err)
	if refused := violationOf(err, l.user); refused != nil {
		l.refusals.refuse(conn, refused)
		if l.onRefused != nil {
			l.onRefused(refused)
		}
		l.tellRefused(refused)
		return
	}
	args := []any{"server", l.target, "error", redact(err.Error())}
	if sub != nil {
		args = append(args, "subject", sub.Subject)
	}
	l.logger.Warn("error reported by NATS", args...)
}

// retryDelay doubles from 50 ms to 5 s, give or take a fifth so that many clients do not return at the same instant.
func retryDelay(attempt int) time.Duration {
	delay := lastRetry
	if shift := attempt - 1; shift < 7 {
		delay = min(firstRetry<<max(shift, 0), lastRetry)
	}
	return time.Duration(float64(delay) * (0.8 + 0.4*rand.Float64()))
}
