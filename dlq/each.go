package dlq

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine/remedy"
)

// Each calls fn with every letter that is there at the time of the call, oldest first, one in memory at a time. fn may
// use the queue. An error of fn ends it and is returned as it is.
//
// Messages that are no readable letters do not hide the others: Each passes over them and returns ErrDamaged with their
// sequences at the end.
func (q *Queue) Each(ctx context.Context, fn func(Letter) error) error {
	info, err := q.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("dlq: read stream %s: %w", q.name, err)
	}
	var bad damage
	for next := info.State.FirstSeq; info.State.Msgs > 0 && next <= info.State.LastSeq; {
		msg, err := q.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return fmt.Errorf("dlq: read stream %s from sequence %d: %w", q.name, next, err)
		}
		if msg.Sequence > info.State.LastSeq {
			break
		}
		next = msg.Sequence + 1
		l, err := q.decode(msg)
		if err != nil {
			bad.add(msg.Sequence, err)
			continue
		}
		if err := fn(l); err != nil {
			return err
		}
	}
	return bad.err(q.name)
}

// Get finds a letter by its ID, or a message that is no letter by that of [Letter.Unreadable]. It returns false when
// there is none.
func (q *Queue) Get(ctx context.Context, id string) (Letter, bool, error) {
	l, sequence, err := q.byID(ctx, id, false)
	if err != nil {
		return Letter{}, false, fmt.Errorf("dlq: get: %w", err)
	}
	return l, sequence > 0, nil
}

// damage gathers what Each passed over, in bounded memory.
type damage struct {
	count     int
	sequences []string // the first few
	first     error

	newer      int // not damaged
	firstNewer error
}

func (d *damage) add(sequence uint64, err error) {
	const listed = 10
	if errors.Is(err, ErrNewerVersion) {
		if d.newer++; d.newer == 1 {
			d.firstNewer = err
		}
		return
	}
	if d.count == 0 {
		d.first = err
	}
	if d.count++; d.count <= listed {
		d.sequences = append(d.sequences, fmt.Sprint(sequence))
	}
}

func (d *damage) err(stream string) error {
	if d.count == 0 && d.newer == 0 {
		return nil
	}
	if d.newer > 0 {
		newer := fmt.Errorf("dlq: %d of the messages in stream %s cannot be read by this build: the first is %w", d.newer, stream, d.firstNewer)
		d.newer = 0
		return errors.Join(newer, d.err(stream))
	}
	list := strings.Join(d.sequences, ", ")
	if d.count > len(d.sequences) {
		list += " …"
	}
	first := unreadablePrefix + d.sequences[0]
	return remedy.Errorf("dlq: %d of the messages in stream %s cannot be read, of sequence %s: look at the first with `%v`, remove it with `%v`: it is %w",
		d.count, stream, list, remedy.GetLetter.For(first), remedy.DiscardLetter.For(first), d.first)
}
