package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"penstock/engine/broker"
	"penstock/engine/internal/rule"
	"penstock/internal/jscode"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	answerTimeout  = 5 * time.Second // at most
	answerSpeed    = 2 << 20         // bytes a second that a slow connection still takes
	headerOverhead = 128             // more than the header of a publish takes
)

// Pending is a publish under way.
type Pending struct {
	done     chan struct{}
	sequence uint64
	err      error
}

// Done is closed when the outcome is known: after 5 seconds at the latest.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Result waits for Done and returns the frame's sequence, or why it has none: [ErrConflict], [ErrFull] and
// [ErrTooLarge] mean that the frame is not stored, [ErrUnknown] that it may be.
func (p *Pending) Result() (sequence uint64, err error) {
	<-p.done
	return p.sequence, p.err
}

// NewPending is a publish for a stand-in of a channel, which calls settle once.
func NewPending() (p *Pending, settle func(sequence uint64, err error)) {
	p = &Pending{done: make(chan struct{})}
	return p, p.settle
}

func (p *Pending) settle(sequence uint64, err error) {
	p.sequence, p.err = sequence, err
	close(p.done)
}

// Publish sends a frame, once, and does not wait. It is stored only if expected is the sequence of the instance's last
// frame, 0 if there is none. Several may be under way at once as long as each expects what the one before will get. The
// data may be used again when Publish has returned. Readers get the trace together with the frame.
func (c *Channel) Publish(data []byte, expected uint64, trace Trace) *Pending {
	header := nats.Header{}
	if rule.Fencing {
		header[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(expected, 10)}
	}
	return c.send(c.subject, header, data, expected, trace)
}

// send publishes a frame to one of the channel's subjects. The header tells the server what to expect.
func (c *Channel) send(subject string, header nats.Header, data []byte, expected uint64, trace Trace) *Pending {
	p := &Pending{done: make(chan struct{})}
	data, release, err := c.signed(data, subject, strconv.FormatUint(expected, 10))
	if err != nil {
		p.settle(0, fmt.Errorf("publish to stream %s: %w", c.name, err))
		return p
	}
	defer release()
	limit := c.broker.MaxPayload() - headerOverhead - int64(trace.addTo(header))
	if int64(len(data)) > limit {
		p.settle(0, fmt.Errorf("publish to stream %s: %w: %d bytes, the limit is %d", c.name, ErrTooLarge, len(data), limit))
		return p
	}
	written := func() {}
	if c.broker.Embedded() {
		c.writing.RLock()
		written = c.writing.RUnlock
	}
	patience := c.publishes.get()
	c.broker.Ask(subject, header, data, c.answerTime(patience, len(data)), func(msg *nats.Msg, err error) {
		written()
		if errors.Is(err, broker.ErrNoAnswer) {
			c.publishes.learn(patience, context.DeadlineExceeded)
		} else {
			c.publishes.learn(patience, err)
		}
		sequence, err := c.outcome(msg, err)
		if err != nil {
			err = fmt.Errorf("publish to stream %s: %w", c.name, err)
		} else if c.signatures.keys != nil && subject == c.subject {
			c.signatures.begin(sequence)
		}
		p.settle(sequence, err)
	})
	return p
}

// answerTime is how long an answer is waited for: a short time at first, because it is safe to look and to send again.
func (c *Channel) answerTime(patience time.Duration, size int) time.Duration {
	if c.broker.Embedded() { // which answers, or ends
		return answerTimeout
	}
	return min(2*patience+time.Duration(size)*time.Second/answerSpeed, answerTimeout)
}

func (c *Channel) outcome(msg *nats.Msg, err error) (uint64, error) {
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return 0, fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, broker.ErrNoResponders):
		return 0, fmt.Errorf("%w: no stream listens on %s", ErrUnknown, c.subject)
	case err != nil:
		return 0, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	var answer struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return 0, fmt.Errorf("%w: unreadable answer: %w", ErrUnknown, err)
	}
	switch {
	case answer.Error != nil:
		return 0, refusal(answer.Error)
	case answer.Stream != c.name:
		return 0, fmt.Errorf("stream %s stored it, but the subject %s belongs to this pipeline's stream", strconv.Quote(answer.Stream), c.subject)
	}
	return answer.Sequence, nil
}

// refusal sorts the server's reasons into ours.
func refusal(err *jetstream.APIError) error {
	var kind error
	switch err.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		kind = ErrConflict
	case jetstream.JSErrCodeStreamMessageExceedsMaximum:
		kind = ErrTooLarge
	case jscode.AccountStorage, jscode.ServerStorage, jscode.Memory, jscode.Reserved:
		kind = ErrFull
	case jscode.StoreFailed:
		kind = storeFailure(err.Description)
	default:
		if err.Code != 503 {
			return err
		}
		kind = ErrUnknown
	}
	return fmt.Errorf("%w: %w", kind, broker.ExplainLimit(err))
}

// storeFailure tells limits from broken disks by the text: the server has one code for both.
func storeFailure(text string) error {
	switch {
	case strings.Contains(text, "message too large"):
		return ErrTooLarge
	case strings.Contains(text, "maximum"), strings.Contains(text, "no space left"):
		return ErrFull
	}
	return ErrUnknown
}
