package simulation

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/task"
)

// simStream is a stage's stream on the simulated server.
type simStream struct {
	*memory.Stream
	stage *simStage
}

// request is a publish on its way.
type request struct {
	process  *simProcess
	stream   *simStream
	subject  memory.Subject
	data     []byte
	expected memory.Expectation
	settle   func(sequence uint64, err error)

	arrived  bool
	answered bool // the publisher knows, or has given up
	sequence uint64
	err      error
}

// arrive is the server's part of a publish.
func (w *world) arrive(q *request) {
	q.arrived = true
	s := q.stream
	q.sequence, q.err = s.Store(q.subject, q.data, q.expected)
	switch {
	case errors.Is(q.err, channel.ErrConflict):
		w.counts[conflicts]++
		w.say("%s: publish of %s is refused: %v", q.process, s.stage, q.err)
		return
	case q.err != nil:
		w.violate("%s published a frame that cannot be read: %v", q.process, q.err)
		return
	}
	if w.syncAlways {
		s.Sync()
	}
	f := s.Frame(q.sequence)
	if w.tracing {
		w.say("%s: %s stores sequence %d: %s", q.process, s.stage, q.sequence, describe(f))
	}
	if q.subject == memory.Commits && f.Kind.IsCommit() {
		w.oracle.stored(s, f)
	}
}

func (w *world) answer(q *request) {
	q.answered = true
	w.say("%s: answer of %s: sequence %d, error %v", q.process, q.stream.stage, q.sequence, q.err)
	q.settle(q.sequence, q.err)
}

// giveUp answers a publish whose answer does not come.
func (w *world) giveUp(q *request) {
	q.answered = true
	w.counts[noAnswers]++
	w.say("%s: no answer of %s (stored: %v)", q.process, q.stream.stage, q.arrived && q.err == nil)
	q.settle(0, fmt.Errorf("%w: no answer", channel.ErrUnknown))
}

// settle answers what a process has under way.
func (w *world) settle(p *simProcess) {
	for _, q := range w.requests {
		if q.process != p {
			continue
		}
		if !q.arrived {
			w.arrive(q)
		}
		if !q.answered {
			w.answer(q)
		}
	}
	w.sweep()
}

// sweep forgets requests that are over.
func (w *world) sweep() {
	kept := w.requests[:0]
	for _, q := range w.requests {
		if !q.arrived || !q.answered && !q.process.dead {
			kept = append(kept, q)
		}
	}
	clear(w.requests[len(kept):])
	w.requests = kept
}

// loseTail is a cut of the server's power: what was not synced is gone, or the
// end of it.
func (w *world) loseTail(s *simStream) {
	if s.Last() <= s.Synced() {
		return
	}
	keep := s.Synced() + w.choose(s.Last()-s.Synced()+1)
	if keep >= s.Last() {
		s.Sync()
		return
	}
	keep = max(keep, s.First()-1)
	w.say("%s loses the sequences %d to %d", s.stage, keep+1, s.Last())
	w.lost = true
	w.counts[tailsLost]++
	w.oracle.lose(s, s.CommitsBehind(keep))
	s.Lose(keep)
}

// purge removes what is before a sequence, but never the last message.
func (w *world) purge(s *simStream, before uint64) {
	before = min(before, s.Last())
	if s.Purge(before) {
		w.counts[trims]++
		w.say("%s is trimmed below %d", s.stage, before)
	}
}

// simLink is the channel of an instance, as its process sees it. The tests of
// package channel see to it that the real one behaves like it.
type simLink struct {
	process *simProcess
	stream  *simStream
}

var _ ports.Log = (*simLink)(nil)

func (l *simLink) Own(context.Context, channel.Owner) error { return nil }

func (l *simLink) Publish(data []byte, expected uint64, _ channel.Trace) *channel.Pending {
	return l.send(memory.Commits, data, memory.Expectation{On: memory.Commits, Last: expected})
}

func (l *simLink) Claim(data []byte, expected uint64) *channel.Pending {
	return l.send(memory.Register, data, memory.Expectation{On: memory.Register, Last: expected})
}

func (l *simLink) Seal(data []byte, claim uint64) *channel.Pending {
	return l.send(memory.Commits, data, memory.Expectation{On: memory.Register, Last: claim})
}

func (l *simLink) send(subject memory.Subject, data []byte, e memory.Expectation) *channel.Pending {
	l.process.mustLive()
	w := l.process.world
	pending, settle := channel.NewPending()
	q := &request{process: l.process, stream: l.stream, subject: subject, data: append([]byte(nil), data...), expected: e, settle: settle}
	w.requests = append(w.requests, q)
	return pending
}

func (l *simLink) Last(context.Context) (channel.Record, bool, error) {
	l.process.mayYield()
	defer l.process.mayYield()
	return l.stream.LastCommit()
}

func (l *simLink) End(context.Context) (channel.Record, bool, error) {
	l.process.mayYield()
	defer l.process.mayYield()
	return l.stream.End()
}

func (l *simLink) Newest(context.Context) (channel.Record, bool, error) {
	l.process.mayYield()
	defer l.process.mayYield()
	return l.stream.Newest()
}

func (l *simLink) Replay(_ context.Context, from uint64, fn func(channel.Record) error) error {
	return l.stream.Replay(from, l.process.mayYield, fn)
}

func (l *simLink) Info(context.Context) (channel.Info, error) {
	l.process.mustLive()
	return l.stream.Info(), nil
}

func (l *simLink) Trim(_ context.Context, before uint64) error {
	l.process.mayYield()
	w := l.process.world
	if l.stream.Trim(before) {
		w.oracle.trimmed(l.process, l.stream)
		w.counts[trims]++
		w.say("%s is trimmed below %d", l.stream.stage, l.stream.First())
	}
	return nil
}

func (l *simLink) Cut(_ context.Context, after uint64) error {
	s := l.stream
	for {
		last, found, err := s.End()
		if err != nil || !found || last.Sequence <= after {
			return err
		}
		l.process.mayYield()
		l.process.world.say("%s: %s takes sequence %d back", l.process, s.stage, last.Sequence)
		if last.Frame.Kind.IsCommit() {
			l.process.world.counts[takenBack]++
			l.process.world.oracle.lose(s, 1)
		}
		s.TakeBack(last.Sequence)
	}
}

func (l *simLink) Restore(context.Context) (bool, error) { return false, nil }

func (l *simLink) Reader(channel.ReaderConfig) *channel.Reader {
	panic("a simulated session is fed by its world")
}

// simFeed is a consumer with the reader that it feeds.
type simFeed struct {
	session *simSession
	input   *task.Input
	stream  *simStream
	reader  *channel.Manual
	joined  bool
	refused bool
	cursor  uint64 // next sequence to deliver
}

var _ channel.Source = (*simFeed)(nil)

func (w *world) newFeed(s *simSession, i *task.Input) *simFeed {
	f := &simFeed{session: s, input: i, stream: w.streams[i.From]}
	var err error
	f.reader, err = channel.NewManual(channel.Spec{Pipeline: "sim", Stage: i.From.Stage, Instance: i.From.Number}, f, channel.ReaderConfig{
		Name:      i.Consumer(),
		Branch:    i.Branch(),
		Partition: i.Partition(),
		Position:  channel.Position{Offset: i.Committed.Offset, Sequence: i.Committed.Sequence},
	})
	if err != nil {
		panic(err)
	}
	i.Reader = f.reader.Reader
	return f
}

func (f *simFeed) Last(context.Context) (channel.Record, bool, error) {
	f.session.process.world.meanwhile()
	return f.stream.LastCommit()
}

func (f *simFeed) Bounds(context.Context) (first, last uint64, err error) {
	f.session.process.world.meanwhile()
	return f.stream.First(), f.stream.Last(), nil
}

func (f *simFeed) Consume(_ context.Context, start uint64) (uint64, error) {
	f.session.process.world.meanwhile()
	f.cursor = max(start, f.stream.First())
	return f.pending(), nil
}

func (f *simFeed) pending() uint64 {
	return f.stream.Pending(f.cursor)
}

// canDeliver says whether there is something for the task, and room.
func (f *simFeed) canDeliver() bool {
	if f.refused || f.session.co.ended {
		return false
	}
	if _, waits := f.reader.Peek(); waits {
		return f.hasRoom()
	}
	return !f.joined || f.pending() > 0
}

func (f *simFeed) hasRoom() bool {
	d, _ := f.reader.Peek()
	if !f.input.Ahead.TryAcquire(d) {
		return false
	}
	f.input.Ahead.Release(d)
	return true
}

// deliver hands one frame to the reader, and what that lets through to the
// task.
func (f *simFeed) deliver(ctx context.Context) {
	w := f.session.process.world
	if !f.joined {
		f.joined = true
		f.check(false, f.reader.Join(ctx))
	} else if f.pending() > 0 {
		sequence := f.stream.NextOnCommits(f.cursor)
		f.cursor = sequence + 1
		w.say("%s gets sequence %d of %s", f.session, sequence, f.stream.stage)
		f.check(f.reader.Look(ctx, sequence, f.pending(), !f.stream.IsForeign(sequence), f.stream.Data(sequence)))
	}
	f.handOver()
}

// redeliver hands a frame to the reader that the consumer has delivered.
func (f *simFeed) redeliver(ctx context.Context) {
	w := f.session.process.world
	if !f.joined || f.cursor <= f.stream.First() || f.stream.Len() == 0 {
		return
	}
	sequence := f.stream.First() + w.choose(min(f.cursor, f.stream.Last()+1)-f.stream.First())
	w.counts[redeliveries]++
	w.say("%s gets sequence %d of %s again", f.session, sequence, f.stream.stage)
	f.check(f.reader.Look(ctx, sequence, f.pending(), !f.stream.IsForeign(sequence), f.stream.Data(sequence)))
	f.handOver()
}

func (f *simFeed) check(again bool, err error) {
	f.joined = f.joined && !again
	if err != nil {
		f.handOver()
		f.refused = true
		f.session.process.world.say("%s cannot go on reading: %v", f.session, err)
		f.session.session.Inbox.Refusals <- fmt.Errorf("read %s: %w", f.input, err)
		f.session.poke()
	}
}

func (f *simFeed) handOver() {
	for d, ok := f.reader.Peek(); ok && f.input.Ahead.TryAcquire(d); d, ok = f.reader.Peek() {
		f.reader.Pop()
		f.session.session.Arrived(task.Arrival{Input: f.input, Delivery: d})
		f.session.poke()
	}
}
