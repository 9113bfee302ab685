package task

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

// Fault is a Fault without its type, and how to find its state.
type Fault struct {
	supervise.Fault
	Call    string
	Message *faultMessage
	Attempt int
	timer   int // -1 when it was none
	due     int64
	Key     string
	HasKey  bool
}

// Verdict is a Recovery without its type.
type Verdict struct {
	Decision supervise.Decision
	Replace  func(state.Keeper) error
	Handler  func(ctx context.Context, log *slog.Logger) error
	Drop     bool
	fault    Fault
}

type RecoverFunc func(ctx context.Context, in *Instance, f Fault) (Verdict, error)

// recovery is the recovery function of an instance and its last answer. Safe
// for concurrent use.
type recovery struct {
	mu     sync.Mutex
	fn     RecoverFunc
	answer *Verdict
}

func (r *recovery) Set(fn RecoverFunc) {
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
func (r *recovery) verdict() *Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answer
}

func (r *recovery) take() *Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := r.answer
	r.answer = nil
	return answer
}

// decide asks the recovery function. The stage is down, or abandoned.
func (in *Instance) decide(ctx context.Context, f supervise.Fault) supervise.Decision {
	in.Fault.Recovery.mu.Lock()
	fn := in.Fault.Recovery.fn
	in.Fault.Recovery.answer = nil
	in.Fault.Recovery.mu.Unlock()
	var limit *AtLimitError
	if errors.As(f.Err, &limit) {
		if in.Definition.StopsBy() == plan.EscalateStage {
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
	if v.Drop && described.Message == nil && described.timer < 0 {
		v.Drop = false
	}
	in.Fault.Recovery.mu.Lock()
	defer in.Fault.Recovery.mu.Unlock()
	if ctx.Err() == nil {
		in.Fault.Recovery.answer = &v
	}
	return v.Decision
}

// describe says what the stage was doing when it failed.
func (in *Instance) describe(f supervise.Fault) Fault {
	d := Fault{Fault: f, timer: -1}
	if call := in.Fault.overdue.Load(); call != nil {
		in.describeOverdue(&d, call)
		return d
	}
	s := in.Task.Load()
	if s == nil || f.Abandoned {
		return d
	}
	var of *faulted
	if errors.As(f.Err, &of) && of.task == s { // else a function ran another pipeline
		d.Call, d.Message, d.Attempt, d.timer = of.call, of.message, of.attempt, of.timer
		d.due, d.Key, d.HasKey = of.due, of.key, of.hasKey
	}
	return d
}

func (in *Instance) describeOverdue(d *Fault, c *watchedCall) {
	d.Call, d.Key, d.HasKey = in.callName(c), c.key, c.unit == ""
	d.timer = timerOf(c.unit)
	if c.unit == "" && c.batched <= 1 {
		edge := in.edge(c.input)
		d.Message = &faultMessage{ID: edge.ID(c.offset), Stream: edge.String(), Offset: c.offset, Key: c.key}
	}
	s := in.Task.Load()
	if s == nil {
		s = in.Fault.left
	}
	d.Attempt = s.nextTryOf(c)
}

// faulted is the error of a call that ended a life, with the call.
type faulted struct {
	err     error
	task    *Task
	call    string
	message *faultMessage
	attempt int
	timer   int
	due     int64 // when the timer was due
	key     string
	hasKey  bool
}

func (f *faulted) Error() string { return f.err.Error() }

func (f *faulted) Unwrap() error { return f.err }

// faultOf adds to the error of the call at hand what the recovery function may want to know.
func (t *Task) faultOf(err error) error {
	c := &t.call
	f := &faulted{err: err, task: t, call: named(c.unit), attempt: t.nextTry(c.unit), timer: -1}
	i := c.input
	if i == nil {
		f.timer, f.due = timerOf(c.unit), c.due
		return f
	}
	f.call, f.attempt = "message "+i.Message(c.offset), t.nextAttempt(c.place())
	f.key, f.hasKey = c.Key, true
	if c.count > 1 {
		return f
	}
	f.message = &faultMessage{
		ID:     i.ID(c.offset),
		Stream: i.String(),
		Offset: c.offset,
		Key:    c.Key,
	}
	if i.hasHead && i.head.Offset == c.offset {
		m := i.head.Message
		f.message.Time, f.message.Value = time.Unix(0, m.Time), append([]byte(nil), m.Value...)
		if f.message.Key == "" {
			f.message.Key = string(m.Key)
		}
	}
	return f
}

// nextAttempt is the number of the next try of a message.
func (t *Task) nextAttempt(at Place) int {
	if f := t.Failures.of(at); f != nil {
		return f.Count + 1
	}
	return 1
}

// nextTryOf is the number of the try that a watched call is.
func (t *Task) nextTryOf(c *watchedCall) int {
	if c.unit != "" {
		return t.nextTry(c.unit)
	}
	if c.batched > 1 {
		return 1
	}
	edge := t.edge(c.input)
	return t.nextAttempt(Place{edge.String(), c.offset})
}

// handle runs the user's own handler, if the recovery function gave one.
func (t *Task) handle(ctx context.Context) error {
	v := t.Fault.Recovery.verdict()
	if v == nil || v.Handler == nil {
		return nil
	}
	err := t.unlessAway(ctx, handlerUnit, func() error { return v.Handler(ctx, t.Log) })
	if err == nil || errors.Is(err, errAbandoned) || errors.Is(err, errStopsWaiting) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return supervise.Escalate(fmt.Errorf("recovery handler of stage %s: %w", t.Definition.Name, err))
}

// amend changes what the last commit says, as the recovery function decided.
// It becomes durable with the next commit, which it asks for.
func (t *Task) amend() error {
	v := t.Fault.Recovery.take()
	if v == nil {
		return nil
	}
	if v.Replace != nil {
		err := v.Replace(t.Processor.Keeper())
		if err == nil {
			err = encoding(t.Processor.Keeper().Check)
		}
		if err != nil {
			return supervise.Escalate(fmt.Errorf("restart stage %s with another state: %w", t.Definition.Name, err))
		}
		t.Batch.Calls++
	}
	if k := v.fault.timer; v.Drop && k >= 0 && t.skipTick(k, v.fault.due) {
		t.Batch.Calls++
	}
	t.Batch.closed = t.Batch.Calls > 0 // whatever comes next may fail
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
