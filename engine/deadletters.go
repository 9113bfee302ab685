package engine

import (
	"context"
	"fmt"

	"penstock/dlq"
	"penstock/engine/internal/origins"
	"penstock/engine/internal/task"
)

// DeadLetters returns the dead letters of the running pipeline, to list,
// replay or discard them. It is of use until the run ends. Safe for concurrent
// use.
func (p *Pipeline) DeadLetters() (*dlq.Queue, error) {
	r, err := p.serving()
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	if r.queue == nil {
		return nil, fmt.Errorf("dead letters: %w: ask the memory for them", ErrInMemory)
	}
	return r.queue, nil
}

// openLetters opens the queue of dead letters, and sees to the requests for replays.
func (r *run) openLetters(ctx context.Context) (err error) {
	r.queue, err = dlq.Open(ctx, r.broker.JetStream(), dlq.Config{
		Pipeline:    r.Plan.Name,
		Identity:    r.identity.ID,
		Replicas:    r.broker.Replicas(),
		MaxBytes:    r.config.DeadLetterBytes,
		MaxMessages: r.config.DeadLetterCount,
		MaxAge:      r.config.DeadLetterAge,
		Logger:      r.Log,
		OnRetry:     r.LetterWaits,
	})
	if err != nil {
		return err
	}
	r.queue.Bind(letterRun{origins.On(r.broker, r.Plan.Name, r.keys), r})
	r.Letters = r.queue
	_, err = r.takeableReplays(ctx, r.queue)
	return err
}

// letterRun is what the queue of dead letters asks about the run.
type letterRun struct {
	*origins.Run
	run *run
}

// CheckReplay asks the declaration: a stage may not have read its inputs yet.
func (l letterRun) CheckReplay(_ context.Context, stage string, instance int, letter dlq.Letter) error {
	return origins.Takes(l.run.Plan, stage, instance, letter.Input)
}

// Address asks the declaration too.
func (l letterRun) Address(_ context.Context, stage string, instance int) (int, error) {
	if d := l.run.Plan.Stage(stage); d != nil {
		return max(instance, d.Layout().First), nil
	}
	return instance, nil
}

// CheckValue has the codec of the letter's input read the value.
func (l letterRun) CheckValue(stage string, letter dlq.Letter, value []byte) error {
	d := l.run.Plan.Stage(stage)
	if d == nil {
		return nil
	}
	for _, i := range d.Inputs {
		if i.Stream.String() != letter.Input {
			continue
		}
		if err := task.CannotDecode(i.Stream, value); err != nil {
			return fmt.Errorf("%w value: stage %s cannot decode it: %w", dlq.ErrInvalid, stage, err)
		}
	}
	return nil
}
