package channel

import (
	"context"
	"strconv"

	"penstock/engine/internal/rule"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// registerToken ends the subject on which the owners of an instance enter themselves.
const registerToken = "own"

// Claim sends an entry to the register, once, and does not wait. It is stored only if expected is the sequence of the
// last message there, 0 if there is none. See [Channel.Publish].
func (c *Channel) Claim(data []byte, expected uint64) *Pending {
	header := nats.Header{}
	if rule.Fencing {
		header[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(expected, 10)}
	}
	return c.send(c.register, header, data, expected, Trace{})
}

// Seal sends a seal to the subject of commits, once, and does not wait. It is stored only if the last message in the
// register is the entry with the sequence of the claim, whatever the last commit is. See [Channel.Publish].
func (c *Channel) Seal(data []byte, claim uint64) *Pending {
	header := nats.Header{}
	if rule.Fencing && rule.SealExpectation {
		header[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(claim, 10)}
		header[jetstream.ExpectedLastSubjSeqSubjHeader] = []string{c.register}
	}
	return c.send(c.subject, header, data, claim, Trace{})
}

// Newest returns the newest entry of the register, as the stream's leader has it, whatever others have put behind it.
// Record.Tail counts also when none is found.
func (c *Channel) Newest(ctx context.Context) (rec Record, found bool, err error) {
	err = persist(ctx, c.broker, c.logger, "read the register "+c.register, func(ctx context.Context) error {
		rec, found, err = c.newest(ctx)
		return err
	})
	return rec, found && err == nil, err
}

func (c *Channel) newest(ctx context.Context) (Record, bool, error) {
	msg, found, err := c.lastMessage(ctx, c.register)
	if err != nil || !found {
		return Record{}, false, err
	}
	rec, isEntry, err := c.recordOn(c.register, msg.Sequence, msg.Time, msg.Header, msg.Data)
	if err == nil && !isEntry { // the register is short, so all of it is read
		rec, err = c.lastIn(ctx, entries, 1, msg.Sequence)
	}
	rec.Tail = msg.Sequence
	return rec, rec.Frame != nil && err == nil, err
}
