package dlq

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// A message of the stream that is no letter, or not one that this build can
// read, is shown beside the letters, where Filter.Unreadable says so: it can be
// looked at and discarded, and nothing else. Others with the right to publish
// into the stream may have put it there.

const unreadablePrefix = "unreadable:"

// unreadable makes a Letter of a message that cannot be read, of which size bytes
// are the payload.
func (q *Queue) unreadable(m *jetstream.RawStreamMsg, size int, err error) Letter {
	l := Letter{
		Origin:     Origin{Pipeline: q.pipeline},
		Content:    Content{Time: m.Time, ValueBytes: size, ValueOmitted: size > 0},
		Cause:      Cause{Reason: ReasonUnreadable, Error: err.Error()},
		Rounds:     Rounds{Round: 1},
		Write:      Write{At: m.Time, Sequence: m.Sequence},
		Unreadable: true,
	}
	if part := strings.SplitN(m.Subject, ".", 3); len(part) > 1 && validName.MatchString(part[1]) {
		l.Stage = part[1]
	}
	return l
}

// withValue adds the payload.
func (l Letter) withValue(data []byte) Letter {
	l.Value, l.ValueOmitted = data, false
	return l
}

// unreadableSequence reads the ID of a message that cannot be read.
func unreadableSequence(id string) (sequence uint64, ok bool) {
	text, ok := strings.CutPrefix(id, unreadablePrefix)
	if !ok {
		return 0, false
	}
	sequence, err := strconv.ParseUint(text, 10, 64)
	return sequence, err == nil && sequence > 0 && unreadablePrefix+strconv.FormatUint(sequence, 10) == id
}

// unreadableAt gets the message that cannot be read and was written as sequence,
// if it still is there.
func (q *Queue) unreadableAt(ctx context.Context, sequence uint64) (Letter, bool, error) {
	msg, err := q.stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Letter{}, false, nil
	}
	if err != nil {
		return Letter{}, false, fmt.Errorf("read stream %s, sequence %d: %w", q.name, sequence, err)
	}
	if _, err = decode(msg); err == nil {
		return Letter{}, false, nil // it is a letter
	}
	return q.unreadable(msg, len(msg.Data), err).withValue(msg.Data), true, nil
}

// mayReplace says that a message which cannot be read may be replaced by the
// letter that belongs in its place: another client put it there. What a
// newer version wrote is not.
func mayReplace(m *jetstream.RawStreamMsg) bool {
	return !errors.Is(checkFormat(m.Header.Get(headerFormat)), ErrNewerVersion)
}
