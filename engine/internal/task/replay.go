package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"penstock/dlq"
	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/logsample"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/waits"
)

// replays is the input of a task through which dead letters come back. It
// is read like any other: its offset is the sequence of a request in the stream
// of replays, its position is part of every commit, and so a replay takes
// effect exactly once. A request counts only as long as the very letter that it
// asks for is kept. When its effect is committed the letter is deleted, and
// then the request.
type replays struct {
	input   *Input
	task    *Task
	Idle    atomic.Bool   // everything that was asked for has been delivered
	hints   chan struct{} // there may be more
	settled chan struct{} // some were committed

	before []*Input // of the loop: they were served since the last replay, while another one waited

	mu       sync.Mutex
	requests map[uint64]dlq.Replay // that are peeked and not settled
}

// replayPoll is how often the stream of replays is looked at besides hints,
// which a connection that was away may have missed.
const replayPoll = 30 * time.Second

// How soon they are read again when that has failed: a stage does not end before it has read them.
const (
	replayRetry     = 100 * time.Millisecond // at first
	replayRetryMost = 5 * time.Second
)

func newReplays(in *Task) *replays {
	r := &replays{
		task:     in,
		hints:    make(chan struct{}, 1),
		settled:  make(chan struct{}, 1),
		requests: map[uint64]dlq.Replay{},
	}
	r.input = &Input{
		Edge:    replayEdge(in.Definition, in.ID),
		index:   -1,
		taken:   new(atomic.Uint64),
		Ahead:   NewReadAhead(aheadBytes, aheadPerFrame, in.replayWaits()),
		Replays: r,
	}
	r.input.head.Input = r.input
	return r
}

// orReplay takes turns: an input that was served since the last replay lets the
// next one go first. Otherwise an input that always has messages, and what they
// wait for, would keep replays back without end.
func (t *Task) orReplay(ctx context.Context, i *Input) *Input {
	r := t.Inbox.Replays
	if r == nil || i == r.input || !slices.Contains(r.before, i) || !t.offers(ctx, r.input) {
		return i
	}
	return r.input
}

// served notes that a message of an input was handled, or of none.
func (r *replays) served(i *Input) {
	switch {
	case r == nil || !r.input.hasHead && len(r.before) == 0:
	case i == r.input:
		r.before = r.before[:0]
	case i != nil && !slices.Contains(r.before, i):
		r.before = append(r.before, i)
	}
}

// request returns what a peeked offset asks for.
func (r *replays) request(sequence uint64) dlq.Replay {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests[sequence]
}

// settle is told that requests below a sequence are committed.
func (r *replays) settle(below uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for sequence := range r.requests {
		if sequence < below {
			delete(r.requests, sequence)
		}
	}
	signal(r.settled)
}

// serve peeks the requests for the stage, and cleans up behind those that are
// committed, until ctx is done. What fails is tried again.
func (r *replays) serve(ctx context.Context) {
	poll := time.NewTicker(replayPoll)
	defer poll.Stop()
	next, delay := r.input.Committed.Offset, replayRetry
	for ctx.Err() == nil {
		var again <-chan time.Time
		err := r.clean(ctx, r.input.taken.Load())
		if err == nil {
			next, err = r.fetch(ctx, next)
		}
		if err != nil && ctx.Err() == nil {
			r.task.logOften(slog.LevelWarn, logsample.Alike(err.Error()), "cannot read the replays of dead letters; retrying", "error", err)
			r.task.replayWaits().Begin(waits.Replays, r.task.Run.Explain(err))
			again = time.After(delay)
			delay = min(2*delay, replayRetryMost)
		}
		if err == nil {
			delay = replayRetry
			r.Idle.Store(true)
			r.task.replayWaits().End(waits.Replays)
			r.task.poke()
		}
		select {
		case <-r.hints:
			r.Idle.Store(false)
		case <-r.settled:
		case <-again:
		case <-poll.C:
		case <-ctx.Done():
		}
	}
}

// isIdle says that everything that was asked for is in the input's queue. What
// is just arriving came before it was idle.
func (r *replays) isIdle() bool { return r.Idle.Load() && len(r.task.Inbox.arrivals) == 0 }

// fetch queues every request from a sequence on that is still wanted.
func (r *replays) fetch(ctx context.Context, from uint64) (uint64, error) {
	letters, id := r.task.Run.Letters, r.task.ID
	for {
		request, found, err := letters.NextReplay(ctx, id.Stage, id.Number, from)
		if errors.Is(err, dlq.ErrDamaged) {
			r.task.logOften(slog.LevelError, logsample.Alike(err.Error()), "withdrew a replay request that cannot be read", "sequence", request.Sequence, "error", err)
			if err := letters.Withdraw(ctx, request); err != nil {
				return from, err
			}
			from = request.Sequence + 1
			continue
		}
		if err != nil || !found {
			return from, err
		}
		wanted, err := letters.IsCurrent(ctx, request)
		switch {
		case err == nil && wanted:
			err = r.keepRequest(ctx)
		case err == nil:
			err = letters.Withdraw(ctx, request)
		}
		if err != nil {
			return from, err
		}
		from = request.Sequence + 1
		faultpoint.Hit(faultpoint.ReplayFound, id.Stage)
		if wanted && !r.deliver(ctx, request) {
			return from, ctx.Err()
		}
	}
}

func (r *replays) deliver(ctx context.Context, request dlq.Replay) bool {
	d := deliveryOf(request)
	if r.input.Ahead.acquire(ctx, d) != nil {
		return false
	}
	r.mu.Lock()
	r.requests[request.Sequence] = request
	r.mu.Unlock()
	select {
	case r.task.Inbox.arrivals <- Arrival{r.input, d}:
		return true
	case <-ctx.Done():
		return false
	}
}

// deliveryOf makes a frame of a request, as the cursor knows them.
func deliveryOf(request dlq.Replay) channel.Delivery {
	d := channel.Delivery{Sequence: request.Sequence, Size: len(request.Letter.Value)}
	d.Section.Reset(request.Sequence)
	d.Section.Append(frame.Message{Key: []byte(request.Letter.Key), Time: request.Letter.Time.UnixNano()})
	return d
}

// callReplay handles a replayed message like the one of the input that it came
// from.
func (t *Task) callReplay(ctx context.Context, i *Input) error {
	at := i.head.Offset
	request := i.Replays.request(at)
	origin := t.OriginOf(&request.Letter)
	current, err := t.Run.Letters.IsCurrent(ctx, request)
	if err != nil {
		return err
	}
	if !current { // discarded meanwhile
		i.take()
		t.moved(i)
		return nil
	}
	if origin == nil || origin.Replays != nil {
		return answer.Reject(nil, fmt.Errorf("it comes from %s, which stage %s does not read", request.Letter.Input, t.Definition.Name))
	}
	if refused, err := t.refuseEdited(ctx, request, origin); refused || err != nil {
		if refused {
			i.take()
			t.moved(i)
		}
		return err
	}
	if isGone, err := t.passOn(ctx, i, request, origin); isGone || err != nil {
		return err
	}
	p := Peeked{
		Input:   origin,
		Message: frame.Message{Key: i.head.Message.Key, Time: i.head.Message.Time, Value: request.Letter.Value},
		Offset:  request.Letter.Offset,
		Attempt: t.call.Attempt,
		Replay:  at,
		Past:    t.pastOf(&request.Letter, origin),
	}
	if len(p.Message.Key) == 0 {
		p.Message.Key = nil
	}
	t.traceCall(i)
	t.mark()
	t.Batch.begin(p.Message.Time)
	err = t.invoke(ctx, func() error {
		if origin.Input.Batch {
			t.Inbox.gathered = append(t.Inbox.gathered[:0], p)
			return t.check(i, t.Processor.CallBatch(ctx, origin.Input.Index, t.Inbox.gathered))
		}
		return t.check(i, t.Processor.CallMessage(ctx, &p))
	})
	return t.conclude(ctx, i, err)
}

// HintReplay is told that there may be a request for a stage.
func (r *Run) HintReplay(stage string, instance int) {
	in := r.InstanceOf(plan.InstanceID{Stage: stage, Number: instance})
	if in == nil {
		return
	}
	if s := in.Task.Load(); s != nil && s.Inbox.Replays != nil {
		signal(s.Inbox.Replays.hints)
	}
}
