package memory

import (
	"context"
	"sync"

	"penstock/engine/channel"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
)

// Log is the channel of an instance on a stream. Safe for concurrent use.
type Log struct {
	pipeline string
	of       plan.InstanceID

	mu      sync.Mutex
	stream  *Stream
	changed chan struct{} // closed and replaced when something is stored or deleted
}

var _ ports.Log = (*Log)(nil)

func newLog(pipeline string, of plan.InstanceID) *Log {
	return &Log{pipeline: pipeline, of: of, stream: NewStream(), changed: make(chan struct{})}
}

// Publish has stored the commit, or refused it, when it returns. So have Claim and Seal.
func (l *Log) Publish(data []byte, expected uint64, _ channel.Trace) *channel.Pending {
	return l.store(Commits, data, Expectation{Commits, expected})
}

// Claim is Publish of an entry in the register.
func (l *Log) Claim(data []byte, expected uint64) *channel.Pending {
	return l.store(Register, data, Expectation{Register, expected})
}

// Seal is Publish of a seal.
func (l *Log) Seal(data []byte, claim uint64) *channel.Pending {
	return l.store(Commits, data, Expectation{Register, claim})
}

func (l *Log) store(subject Subject, data []byte, e Expectation) *channel.Pending {
	pending, settle := channel.NewPending()
	l.mu.Lock()
	sequence, err := l.stream.Store(subject, append([]byte(nil), data...), e)
	l.stream.Sync()
	l.wake()
	l.mu.Unlock()
	settle(sequence, err)
	return pending
}

// Own does nothing: a run in memory is found by its own process only.
func (l *Log) Own(context.Context, channel.Owner) error { return nil }

func (l *Log) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Last is the last commit.
func (l *Log) Last(context.Context) (channel.Record, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stream.LastCommit()
}

// End is the last commit or seal.
func (l *Log) End(context.Context) (channel.Record, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stream.End()
}

// Newest is the newest entry in the register.
func (l *Log) Newest(context.Context) (channel.Record, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stream.Newest()
}

// Replay calls fn for each commit from a sequence on that there is as it begins.
func (l *Log) Replay(ctx context.Context, from uint64, fn func(channel.Record) error) error {
	var list []channel.Record
	l.mu.Lock()
	err := l.stream.Replay(from, func() {}, func(rec channel.Record) error {
		list = append(list, rec)
		return nil
	})
	l.mu.Unlock()
	for _, rec := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
	return err
}

// Info tells how much is stored.
func (l *Log) Info(context.Context) (channel.Info, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stream.Info(), nil
}

// Trim removes what is before a sequence, but neither the last commit nor the newest entry.
func (l *Log) Trim(_ context.Context, before uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stream.Trim(before)
	return nil
}

// Cut takes commits behind a sequence back.
func (l *Log) Cut(_ context.Context, after uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		last, found, err := l.stream.End()
		if err != nil || !found || last.Sequence <= after {
			return err
		}
		l.stream.TakeBack(last.Sequence)
	}
}

// Restore finds nothing to put right.
func (l *Log) Restore(context.Context) (bool, error) { return false, nil }

// Reader returns one that is fed by the stream.
func (l *Log) Reader(cfg channel.ReaderConfig) *channel.Reader {
	return channel.Follow(channel.Spec{Pipeline: l.pipeline, Stage: l.of.Stage, Instance: l.of.Number}, &feed{log: l}, cfg)
}

// feed is a consumer.
type feed struct {
	log  *Log
	next uint64 // sequence to deliver
}

var _ channel.Feed = (*feed)(nil)

func (f *feed) Last(ctx context.Context) (channel.Record, bool, error) { return f.log.Last(ctx) }

func (f *feed) Bounds(context.Context) (first, last uint64, err error) {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	return f.log.stream.First(), f.log.stream.Last(), nil
}

func (f *feed) Consume(_ context.Context, start uint64) (uint64, error) {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	f.next = max(start, f.log.stream.First())
	return f.log.stream.Pending(f.next), nil
}

func (f *feed) Next() (m channel.FeedMessage, found bool, changed <-chan struct{}) {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	s := f.log.stream
	f.next = s.NextOnCommits(f.next)
	if f.next > s.Last() {
		return m, false, f.log.changed
	}
	m = channel.FeedMessage{Sequence: f.next, Pending: s.Pending(f.next + 1), IsCommit: !s.IsForeign(f.next), Data: s.Data(f.next)}
	f.next++
	return m, true, nil
}
