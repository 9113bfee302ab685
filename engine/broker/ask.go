package broker

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// What [Broker.Ask] can find out instead of an answer. After each of them it is unknown whether the message took
// effect, ErrNoResponders excepted.
var (
	ErrNoAnswer     = errors.New("no answer in time")
	ErrDisconnected = errors.New("connection to NATS lost")
	ErrNoResponders = errors.New("no server listens on the subject")
)

// asker publishes messages that are answered, all on one subscription. nats.go's own asynchronous publisher repeats a
// message by itself and waits for the timeout after a disconnect; a fenced commit needs neither.
type asker struct {
	conn     *nats.Conn
	prefix   string
	refusals *refusals

	mu      sync.Mutex
	next    uint64
	pending map[string]*question
}

type question struct {
	subject string
	done    func(*nats.Msg, error)
	timer   *time.Timer
}

func newAsker(refusals *refusals) *asker {
	return &asker{refusals: refusals, pending: make(map[string]*question)}
}

// end is called once, by who took the question out of pending.
func (q *question) end(msg *nats.Msg, err error) {
	q.timer.Stop()
	q.done(msg, err)
}

func (a *asker) listen(conn *nats.Conn) error {
	a.conn, a.prefix = conn, conn.NewInbox()+"."
	sub, err := conn.Subscribe(a.prefix+"*", a.answer)
	if err != nil {
		return fmt.Errorf("subscribe to answers: %w", err)
	}
	// There are never more answers than questions, so a limit could only drop what a caller waits for.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return fmt.Errorf("subscribe to answers: %w", err)
	}
	return nil
}

// Ask publishes one message, once, and returns at once; done is called exactly once with the answer or an error, from
// another goroutine or, when the message could not even be sent, before Ask returns. It must not block. The data must
// stay unchanged only until Ask returns.
func (b *Broker) Ask(subject string, header nats.Header, data []byte, timeout time.Duration, done func(*nats.Msg, error)) {
	if !b.Connected() {
		done(nil, ErrDisconnected)
		return
	}
	b.asker.ask(&nats.Msg{Subject: subject, Header: header, Data: data}, timeout, done)
}

func (a *asker) ask(msg *nats.Msg, timeout time.Duration, done func(*nats.Msg, error)) {
	a.mu.Lock()
	a.next++
	token := strconv.FormatUint(a.next, 36)
	a.pending[token] = &question{subject: msg.Subject, done: done, timer: time.AfterFunc(timeout, func() { a.settle(token, nil, ErrNoAnswer) })}
	a.mu.Unlock()

	if refused := a.refusals.subscription(a.prefix); refused != nil {
		a.settle(token, nil, refused)
		return
	}
	msg.Reply = a.prefix + token
	err := a.conn.PublishMsg(msg)
	switch {
	case err == nil:
	case errors.Is(err, nats.ErrReconnectBufExceeded):
		a.settle(token, nil, sent(err))
	case errors.Is(err, nats.ErrConnectionClosed):
		a.settle(token, nil, fmt.Errorf("%w: %w", ErrDisconnected, err))
	default:
		a.settle(token, nil, err)
	}
}

func (a *asker) answer(msg *nats.Msg) {
	token := msg.Subject[len(a.prefix):]
	if len(msg.Data) == 0 && msg.Header.Get("Status") == "503" {
		a.settle(token, nil, ErrNoResponders)
		return
	}
	a.settle(token, msg, nil)
}

func (a *asker) settle(token string, msg *nats.Msg, err error) {
	a.mu.Lock()
	q := a.pending[token]
	delete(a.pending, token)
	a.mu.Unlock()
	if q != nil {
		q.end(msg, err)
	}
}

// refused settles the questions that the server did not take, or whose answers it does not deliver. Rights may have
// been given back since a question was asked, so it may have taken effect.
func (a *asker) refused(refused *PermissionError) {
	var over []*question
	a.mu.Lock()
	for token, q := range a.pending {
		if refused.concerns(q.subject, a.prefix) {
			delete(a.pending, token)
			over = append(over, q)
		}
	}
	a.mu.Unlock()
	for _, q := range over {
		q.end(nil, refused)
	}
}

// lost settles every open question: an answer that was under way when the connection broke will not come.
func (a *asker) lost() {
	a.mu.Lock()
	pending := a.pending
	a.pending = make(map[string]*question)
	a.mu.Unlock()
	for _, q := range pending {
		q.end(nil, ErrDisconnected)
	}
}
