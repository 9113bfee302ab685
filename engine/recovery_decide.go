package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/state"
	"penstock/engine/supervise"
)

// fault is a Fault without its type, and how to find its state.
type fault struct {
	supervise.Fault
	call    string
	message *faultMessage
	attempt int
	timer   int // -1 when it was none
	due     int64
	key     string
	hasKey  bool
}

// verdict is a Recovery without its type.
type verdict struct {
	decision supervise.Decision
	replace  func(state.Keeper) error
	handler  func(ctx context.Context, log *slog.Logger) error
	drop     bool
	fault    fault
}

type recoverFunc func(ctx context.Context, in *instance, f fault) (verdict, error)

// recovery is the recovery function of an instance and its last answer. Safe
// for concurrent use.
type recovery struct {
	mu     sync.Mutex
	fn     recoverFunc
	answer *verdict
}

func (r *recovery) set(fn recoverFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fn = fn
}

func (r *recovery) isSet() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fn != nil
}

// verdict returns the answer to the last fault, until it is taken.
func (r *recovery) verdict() *verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answer
}

func (r *recovery) take() *verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := r.answer
	r.answer = nil
	return answer
}

// decide asks the recovery function. The stage is down, or abandoned.
func (in *instance) decide(ctx context.Context, f supervise.Fault) supervise.Decision {
	in.fault.recovery.mu.Lock()
	fn := in.fault.recovery.fn
	in.fault.recovery.answer = nil
	in.fault.recovery.mu.Unlock()
	var limit *AtLimitError
	if errors.As(f.Err, &limit) {
		if in.definition.StopsBy() == plan.EscalateStage {
			return supervise.PassUp
		}
		return supervise.GiveUp
	}
	if fn == nil {
		return supervise.ByPolicy
	}
	described := in.describe(f)
	v, err := fn(ctx, in, described)
	if err != nil {
		panic(err) // contained, counted and escalated like one of the function itself
	}
	v.fault = described
	if v.drop && described.message == nil && described.timer < 0 {
		v.drop = false
	}
	in.fault.recovery.mu.Lock()
	defer in.fault.recovery.mu.Unlock()
	if ctx.Err() == nil {
		in.fault.recovery.answer = &v
	}
	return v.decision
}

// describe says what the stage was doing when it failed.
func (in *instance) describe(f supervise.Fault) fault {
	d := fault{Fault: f, timer: -1}
	if call := in.fault.overdue.Load(); call != nil {
		in.describeOverdue(&d, call)
		return d
	}
	s := in.task.Load()
	if s == nil || f.Abandoned {
		return d
	}
	if s.failures.last != nil && errors.Is(f.Err, s.failures.last.err) {
		faulted := *s.failures.last
		d.call, d.message, d.attempt, d.timer = faulted.call, faulted.message, faulted.attempt, faulted.timer
		d.due, d.key, d.hasKey = faulted.due, faulted.key, faulted.hasKey
	}
	return d
}

func (in *instance) describeOverdue(d *fault, c *watchedCall) {
	d.call, d.key, d.hasKey = in.callName(c), c.key, c.unit == ""
	d.timer = timerOf(c.unit)
	if c.unit == "" && c.batched <= 1 {
		stream := in.inputDefinition(c.input).Stream
		d.message = &faultMessage{ID: stream.Message(c.offset), Stream: stream.String(), Offset: c.offset, Key: c.key}
	}
	s := in.task.Load()
	if s == nil {
		s = in.fault.left
	}
	d.attempt = s.nextTryOf(c)
}

// faulted is the call that ended a life.
type faulted struct {
	err     error
	call    string
	message *faultMessage
	attempt int
	timer   int
	due     int64 // when the timer was due
	key     string
	hasKey  bool
}

// note keeps what the recovery function may want to know.
func (t *task) note(err error) {
	c := &t.call
	f := &faulted{err: err, call: named(c.unit), attempt: t.nextTry(c.unit), timer: -1}
	t.failures.last = f
	i := c.input
	if i == nil {
		f.timer, f.due = timerOf(c.unit), c.due
		return
	}
	f.call, f.attempt = "message "+messageUnit(i.definition, c.offset), t.nextAttempt(c.place())
	f.key, f.hasKey = c.key, true
	if c.count > 1 {
		return
	}
	f.message = &faultMessage{
		ID:     i.definition.Stream.Message(c.offset),
		Stream: i.definition.Stream.String(),
		Offset: c.offset,
		Key:    c.key,
	}
	if i.hasHead && i.head.offset == c.offset {
		m := i.head.message
		f.message.Time, f.message.Value = time.Unix(0, m.Time), append([]byte(nil), m.Value...)
		if f.message.Key == "" {
			f.message.Key = string(m.Key)
		}
	}
}

// nextAttempt is the number of the next try of a message.
func (t *task) nextAttempt(at place) int {
	if f := t.failures.of(at); f != nil {
		return f.Count + 1
	}
	return 1
}

// nextTryOf is the number of the try that a watched call is.
func (t *task) nextTryOf(c *watchedCall) int {
	if c.unit != "" {
		return t.nextTry(c.unit)
	}
	if c.batched > 1 {
		return 1
	}
	return t.nextAttempt(place{t.inputDefinition(c.input).Stream.String(), c.offset})
}

// handle runs the user's own handler, if the recovery function gave one.
func (t *task) handle(ctx context.Context) error {
	v := t.fault.recovery.verdict()
	if v == nil || v.handler == nil {
		return nil
	}
	err := t.unlessAway(ctx, handlerUnit, func() error { return v.handler(ctx, t.log) })
	if err == nil || errors.Is(err, errAbandoned) || errors.Is(err, errStopsWaiting) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return supervise.Escalate(fmt.Errorf("recovery handler of stage %s: %w", t.definition.Name, err))
}

// amend changes what the last commit says, as the recovery function decided.
// It becomes durable with the next commit, which it asks for.
func (t *task) amend() error {
	v := t.fault.recovery.take()
	if v == nil {
		return nil
	}
	if v.replace != nil {
		err := v.replace(t.processor.keeper())
		if err == nil {
			err = encoding(t.processor.keeper().Check)
		}
		if err != nil {
			return supervise.Escalate(fmt.Errorf("restart stage %s with another state: %w", t.definition.Name, err))
		}
		t.batch.calls++
	}
	if k := v.fault.timer; v.drop && k >= 0 && t.skipTick(k, v.fault.due) {
		t.batch.calls++
	}
	t.batch.closed = t.batch.calls > 0 // whatever comes next may fail
	return nil
}

// faultMessage is a message that a stage failed at.
type faultMessage struct {
	ID     string
	Stream string
	Offset uint64
	Key    string
	Time   time.Time
	Value  []byte
}
