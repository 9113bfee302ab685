package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/internal/jscode"
)

// rights are those to write, and with ExpectLast to read the end.
func (p *publisher) rights() []broker.Right {
	if p.config.Mode == ExpectLast {
		return readRights(p.config.Stream)
	}
	return readRights(p.config.Stream)[:2]
}

// answered is what became of one publish.
type answered struct {
	index int
	size  int
	msg   *nats.Msg
	err   error
}

// publish sends messages one behind the other, with some of them on their way at a time, and waits for all answers.
// expected is the end of the stream, with ExpectLast. conflict says that the end was another one: from there on
// nothing was stored. After any other error it is unknown what was.
func (p *publisher) publish(ctx context.Context, list []outgoing, expected uint64) (conflict, err error) {
	answers := make(chan answered, p.config.InFlight)
	sent, onWay, bytes := 0, 0, 0
	note := func(a answered) {
		onWay, bytes = onWay-1, bytes-a.size
		refusal, isConflict := p.outcome(a, &list[a.index], expected+uint64(a.index))
		switch {
		case refusal == nil:
		case isConflict && conflict == nil:
			conflict = refusal
		case !isConflict && err == nil:
			err = refusal
		}
	}
	for sent < len(list) && conflict == nil && err == nil && ctx.Err() == nil {
		o := &list[sent]
		size := len(o.Data) + headerRoom
		if onWay == p.config.InFlight || onWay > 0 && bytes+size > mostInFlight {
			note(<-answers)
			continue
		}
		index := sent
		sent, onWay, bytes = sent+1, onWay+1, bytes+size
		p.server.Ask(o.Subject, p.header(ctx, o, expected+uint64(index)), o.Data, askFor, func(msg *nats.Msg, err error) {
			answers <- answered{index, size, msg, err}
		})
	}
	for onWay > 0 {
		note(<-answers)
	}
	if err == nil && sent < len(list) && conflict == nil {
		err = ctx.Err()
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return conflict, err
}

// outcome reads the answer to one publish.
func (p *publisher) outcome(a answered, o *outgoing, expected uint64) (refusal error, isConflict bool) {
	if a.err != nil {
		return p.unanswered(a.err, o), false
	}
	var answer struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(a.msg.Data, &answer); err != nil {
		return engine.Unavailable(fmt.Errorf("publish to %s: unreadable answer: %w", o.Subject, err)), false
	}
	if answer.Error == nil {
		if p.config.Mode == ExpectLast && answer.Sequence != expected+1 {
			return fmt.Errorf("message %d of %s was stored as %d", expected+1, p.config.Stream, answer.Sequence), true
		}
		return nil, false
	}
	err := fmt.Errorf("publish to %s of the stream %s: %w", o.Subject, p.config.Stream, broker.ExplainLimit(answer.Error))
	switch answer.Error.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return err, true
	case jetstream.JSErrCodeStreamMessageExceedsMaximum:
		return engine.Reject(err), false
	case streamNotMatch:
		return engine.Fatal(fmt.Errorf("the subject %s belongs to another stream than %s: publish to a subject of that stream, or name the other one (SinkConfig.Stream)", o.Subject, p.config.Stream)), false
	case jscode.AccountStorage, jscode.ServerStorage, jscode.Memory, jscode.Reserved, jscode.StoreFailed:
		return engine.Unavailable(err), false
	}
	if answer.Error.Code >= 500 {
		return engine.Unavailable(err), false
	}
	return engine.Fatal(err), false
}

const streamNotMatch = 10060 // the stream that has the subject is not the expected one

// unanswered is for a publish whose outcome is not known, or that did not get to the server.
func (p *publisher) unanswered(err error, o *outgoing) error {
	var denied *broker.PermissionError
	switch {
	case errors.As(err, &denied):
		return engine.Fatal(rightsError(denied.User, p.server.Server(), broker.Right{Action: denied.Action, Subject: denied.Subject}))
	case errors.Is(err, broker.ErrNoResponders):
		return p.unheard(o)
	case errors.Is(err, nats.ErrMaxPayload):
		return engine.Reject(err)
	case errors.Is(err, nats.ErrBadSubject):
		return engine.Reject(fmt.Errorf("the subject %q: %w", o.Subject, err))
	}
	return engine.Unavailable(p.server.hide(fmt.Errorf("publish to %s on %s: %w", o.Subject, p.server.Server(), err)))
}

// unheard is for a subject that no stream listens on: for now, if the stream is away, or for good.
func (p *publisher) unheard(o *outgoing) error {
	ctx, cancel := context.WithTimeout(context.Background(), askFor)
	defer cancel()
	now, found, err := p.server.look(ctx)
	switch {
	case err != nil:
		return engine.Unavailable(p.server.hide(err))
	case !found:
		return p.missing()
	}
	for _, pattern := range now.config.Subjects {
		if covers(pattern, o.Subject) {
			return engine.Unavailable(fmt.Errorf("the stream %s on %s does not listen now", p.config.Stream, p.server.Server()))
		}
	}
	return engine.Fatal(fmt.Errorf("no stream has the subject %s: publish to a subject of the stream %s, or add it there", o.Subject, p.config.Stream))
}
