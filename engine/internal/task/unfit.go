package task

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/plan"
)

// unfit is a value that a source's call could not send, or that it rejected.
type unfit struct {
	stream string
	codec  string
	key    string
	time   time.Time
	value  []byte // the first bytes
	isCut  bool   // there were more
	err    error  // a *answer.Rejection where the function rejected it
}

// Bounds of what is kept of one value that is not sent, and of all such values of one call.
const (
	unfitKept = 64 << 10
	unfitMost = 8 << 20
)

// unfits are the unfit values of the present call.
type unfits struct {
	list    []unfit
	bytes   int
	dropped uint64 // what the function dropped itself
}

func (u *unfits) some() bool { return len(u.list) > 0 || u.dropped > 0 }

// CountDropped adds what a source's function dropped on purpose.
func (t *Task) CountDropped(n uint64) { t.role.dropped(n) }

func (u *unfits) add(v unfit) {
	total := len(v.value)
	keep := min(total, unfitKept, unfitMost-u.bytes)
	v.value, v.isCut = append([]byte(nil), v.value[:keep]...), keep < total
	u.bytes += keep
	u.list = append(u.list, v)
}

// told is the error in its dead letter.
func (u *unfit) told() error {
	if !u.isCut {
		return u.err
	}
	keeps := func(err error) error {
		return fmt.Errorf("%w; the dead letter keeps the first %d bytes", err, len(u.value))
	}
	if r, is := u.err.(*answer.Rejection); is {
		return &answer.Rejection{Err: keeps(r.Err)}
	}
	return keeps(u.err)
}

func (u *unfits) clear() { *u = unfits{} }

func unfitOf(stream *plan.Stream, e *Emission, data []byte, err error) unfit {
	u := unfit{stream: stream.String(), codec: stream.CodecName(), value: data, err: err}
	if e != nil {
		u.key, u.time = e.Key, e.Time
	}
	return u
}

// PassesUnfit reports whether the stage goes on without a value that cannot be sent.
func (t *Task) PassesUnfit() bool { return t.role.passesUnfit() }

// reject notes what a source's call rejected. It returns nil if the call counts as a success.
func (t *Task) reject(err error) error {
	if err == nil { // as most calls do: the rest allocates
		return nil
	}
	var r *answer.Rejection
	if IsFatal(err) || !errors.As(err, &r) {
		return err
	}
	t.Batch.unfit.add(unfit{stream: t.Definition.Name, codec: "bytes", value: r.Value, err: r})
	return nil
}

// passUnfit makes dead letters of what the source's call could not send, or drops it, before the call counts. After a
// crash in between the same call is made again, and with it the same letters.
func (t *Task) passUnfit(ctx context.Context, unit string) error {
	if !t.Batch.unfit.some() {
		return nil
	}
	dropped := 0
	own := t.Batch.unfit.dropped
	var first error
	for n := range t.Batch.unfit.list {
		u := &t.Batch.unfit.list[n]
		if _, rejected := u.err.(*answer.Rejection); !rejected && *t.Definition.Options.Unfit == plan.DropMessage {
			if dropped++; first == nil {
				first = u.err
			}
			continue
		}
		if err := t.keepUnfit(ctx, t.unfitLetter(unit, n, u)); err != nil {
			return err
		}
	}
	t.Batch.unfit.clear()
	if dropped > 0 {
		t.Log.Warn("dropped values that are too large to be sent", "call", toldOf(unit), "values", dropped, "error", brief(first))
	}
	t.Batch.passed.Dropped += own + uint64(dropped)
	return nil
}

// A call that is made again after a crash may have other values, if the source does not repeat itself. Then there are
// letters of both tries.
const (
	unfitTries  = 100
	unfitStride = 1 << 20
)

func (t *Task) keepUnfit(ctx context.Context, l dlq.Letter) error {
	for try := 1; ; try++ {
		err := t.putLetter(ctx, l)
		if err == nil {
			t.diverted(l)
			t.Batch.passed.AddLetters(string(l.Reason), 1)
			return nil
		}
		if !errors.Is(err, dlq.ErrConflict) || try == unfitTries {
			return err
		}
		l.InputInstance += unfitStride
	}
}

// Values of hooks are numbered apart from those of the source's function.
const (
	unfitOfStart = 1 << 28
	unfitOfEnd   = 1 << 29
)

// unfitLetter names a value by its stream, the source's call and its number in that call. No stage reads its own
// stream, so no other letter has this name. A hook is called once for each commit, or again after a crash.
func (t *Task) unfitLetter(unit string, n int, u *unfit) dlq.Letter {
	now, offset := t.Run.Clock.Now(), t.steps
	control, _ := t.Committed.Last()
	switch unit {
	case t.step():
	case startUnit:
		offset, n = control.Commit, n+unfitOfStart
	default:
		offset, n = control.Commit, n+unfitOfEnd
	}
	var a attempts
	a.count(unit, u.told(), now, t.Run.Settings.Words)
	if u.time.IsZero() {
		u.time = now
	}
	return dlq.Letter{
		Origin: dlq.Origin{
			Pipeline: t.Definition.Pipeline.Name, Stage: t.Definition.Name, Instance: t.ID.Number,
			Input: u.stream, InputInstance: n, Offset: offset,
		},
		Content: dlq.Content{Key: strings.Clone(u.key), Value: u.value, Codec: u.codec, Time: u.time},
		Cause:   a.cause(),
		Write:   dlq.Write{Version: binaryVersion(), At: time.Now()},
	}
}
