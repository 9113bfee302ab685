package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"penstock/dlq"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/wall"
)

// Letters are the dead letters of a pipeline, and the requests to replay some. Safe for concurrent use.
type Letters struct {
	pipeline string

	mu        sync.Mutex
	letters   []dlq.Letter // in the order they were written
	requests  []dlq.Replay // in the order they were made
	reached   uint64       // sequence of the last letter that was written
	requested uint64       // and of the last request
	listeners map[int]func(stage string, instance int)
	listened  int
}

var _ ports.DeadLetters = (*Letters)(nil)

// NewLetters returns a queue that is empty.
func NewLetters(pipeline string) *Letters {
	return &Letters{pipeline: pipeline, listeners: map[int]func(string, int){}}
}

func (q *Letters) find(id string) int {
	return slices.IndexFunc(q.letters, func(l dlq.Letter) bool { return l.ID() == id })
}

// Put keeps a letter, once. One of a later round takes the place of an earlier one.
func (q *Letters) Put(_ context.Context, l dlq.Letter) (written bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.Pipeline, l.Round, l.ValueBytes = cmp.Or(l.Pipeline, q.pipeline), max(l.Round, 1), len(l.Value)
	if l.At.IsZero() {
		l.At = wall.Now()
	}
	if k := q.find(l.ID()); k >= 0 {
		switch old := q.letters[k]; {
		case old.Round == l.Round && (old.Key != l.Key || !bytes.Equal(old.Value, l.Value)):
			return false, fmt.Errorf("dlq: put %s: %w", l.ID(), dlq.ErrConflict)
		case old.Round >= l.Round:
			return false, nil
		}
		q.letters = slices.Delete(q.letters, k, k+1)
	}
	q.reached++
	l.Sequence = q.reached
	q.letters = append(q.letters, l)
	return true, nil
}

// Reached is the sequence of the last letter that was written.
func (q *Letters) Reached() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.reached
}

// Discard deletes a letter, unless one of a later round has taken its place.
func (q *Letters) Discard(_ context.Context, l dlq.Letter) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.letters = slices.DeleteFunc(q.letters, func(kept dlq.Letter) bool { return kept.Sequence == l.Sequence })
	return nil
}

// List returns the letters in the order they were written.
func (q *Letters) List() []dlq.Letter {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.letters)
}

// Replay asks the stage that gave up on a message to take it again, with another value unless value is nil.
func (q *Letters) Replay(id string, value []byte) error {
	q.mu.Lock()
	k := q.find(id)
	switch {
	case k < 0:
		q.mu.Unlock()
		return fmt.Errorf("replay %s: %w", id, dlq.ErrStale)
	case slices.ContainsFunc(q.requests, func(r dlq.Replay) bool { return r.Letter.ID() == id }):
		q.mu.Unlock()
		return fmt.Errorf("replay %s: %w", id, dlq.ErrPending)
	}
	l := q.letters[k]
	r := dlq.Replay{Letter: l, Stage: cmp.Or(l.To, l.Stage), Instance: l.Instance, LetterSequence: l.Sequence}
	if value != nil {
		r.Letter.Value, r.Letter.Edited = value, true
	}
	q.ask(r)
	return nil
}

// NextReplay is the first request to a stage from a sequence on.
func (q *Letters) NextReplay(_ context.Context, stage string, instance int, from uint64) (dlq.Replay, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.requests {
		if r.Stage == stage && r.Instance == instance && r.Sequence >= from {
			return r, true, nil
		}
	}
	return dlq.Replay{}, false, nil
}

// IsCurrent says whether the letter is still there that a request was made of.
func (q *Letters) IsCurrent(_ context.Context, r dlq.Replay) (bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	k := q.find(r.Letter.ID())
	return k >= 0 && q.letters[k].Sequence == r.LetterSequence, nil
}

// Withdraw deletes a request.
func (q *Letters) Withdraw(_ context.Context, r dlq.Replay) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests = slices.DeleteFunc(q.requests, func(other dlq.Replay) bool { return other.Sequence == r.Sequence })
	return nil
}

// PassOn makes a request one to another instance of its stage.
func (q *Letters) PassOn(ctx context.Context, r dlq.Replay, instance int) error {
	if err := q.Withdraw(ctx, r); err != nil {
		return err
	}
	q.mu.Lock()
	r.Instance = instance
	q.ask(r)
	return nil
}

// ask makes a request, and releases the lock before it tells of it.
func (q *Letters) ask(r dlq.Replay) {
	q.requested++
	r.Sequence = q.requested
	q.requests = append(q.requests, r)
	var listeners []func(string, int)
	for _, fn := range q.listeners {
		listeners = append(listeners, fn)
	}
	q.mu.Unlock()
	for _, fn := range listeners {
		fn(r.Stage, r.Instance)
	}
}

// Pending counts the requests.
func (q *Letters) Pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.requests)
}

// OnReplay has fn told of each request, until stop.
func (q *Letters) OnReplay(fn func(stage string, instance int)) (stop func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.listened
	q.listened++
	q.listeners[n] = fn
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.listeners, n)
	}, nil
}
