package origins

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
)

// Run is the run of a pipeline as its channels tell it: a [dlq.Run] that needs neither the program nor the data
// directory. It keeps what it has read, and reads again before it refuses. Safe for concurrent use.
type Run struct {
	broker   *broker.Broker
	pipeline string
	keys     *frame.Keys

	mu    sync.Mutex
	known map[plan.InstanceID]stage
}

var _ dlq.Run = (*Run)(nil)

// stage is what the last frame of one of its instances says.
type stage struct {
	there    bool
	layout   plan.Layout // its instances
	hidden   error       // the key of its authenticated frames is not at hand: nothing is known of it
	isSource bool        // it has made calls of its own
	inputs   []frame.Position
	replayed uint64 // the requests for replays below this sequence have had their effect
}

// On is the run of a pipeline on a server. Without keys it knows only the names of stages
// whose frames are authenticated; with keys that are not theirs it refuses to judge.
func On(b *broker.Broker, pipeline string, keys *frame.Keys) *Run {
	return &Run{broker: b, pipeline: pipeline, keys: keys, known: map[plan.InstanceID]stage{}}
}

// CheckLetter refuses what cannot be a letter of the run.
func (r *Run) CheckLetter(ctx context.Context, l dlq.Letter) error {
	if err := r.look(ctx, plan.InstanceID{Stage: l.Stage, Number: l.Instance}, func(s stage) error { return s.gaveUp(l) }); err != nil {
		return err
	}
	if l.To == "" || !l.CanReplay() {
		return nil
	}
	return r.CheckReplay(ctx, l.To, 0, l)
}

// CheckReplay refuses a stage that does not take the message.
func (r *Run) CheckReplay(ctx context.Context, name string, instance int, l dlq.Letter) error {
	err := r.look(ctx, plan.InstanceID{Stage: name, Number: instance}, func(s stage) error { return s.takes(name, instance, l) })
	if errors.Is(err, dlq.ErrInvalid) {
		return mended(err, l.Input)
	}
	return err
}

// Address is the instance that there is: what is asked of one that was retired, partition 0 passes on to the one that
// has the key.
func (r *Run) Address(ctx context.Context, name string, instance int) (int, error) {
	s, err := r.read(ctx, plan.InstanceID{Stage: name, Number: instance})
	if err != nil {
		return 0, fmt.Errorf("look which instances stage %s has: %w", name, err)
	}
	return max(instance, s.layout.First), nil
}

// CheckValue knows no types.
func (r *Run) CheckValue(string, dlq.Letter, []byte) error { return nil }

// HasReplayed says that an instance, which the pipeline may have no more, has committed the effect of a request.
func (r *Run) HasReplayed(ctx context.Context, of plan.InstanceID, request uint64) (bool, error) {
	s, err := r.read(ctx, of)
	return request < s.replayed, err
}

// look lets check judge a stage. What is known of it may be old, but only grows: so a refusal is judged anew.
func (r *Run) look(ctx context.Context, id plan.InstanceID, check func(stage) error) error {
	r.mu.Lock()
	s, isKnown := r.known[id]
	r.mu.Unlock()
	if isKnown && check(s) == nil {
		return nil
	}
	s, err := r.read(ctx, id)
	if err == nil && r.keys != nil {
		err = s.hidden // who gives a key wants the check: with another key there would be none
	}
	if err != nil {
		return fmt.Errorf("look what stage %s has taken: %w", id.Stage, err)
	}
	r.mu.Lock()
	r.known[id] = s
	r.mu.Unlock()
	if !s.there {
		stages, err := channel.Stages(ctx, r.broker, r.pipeline)
		if err != nil {
			return err
		}
		return noStage(r.pipeline, id.Stage, stages)
	}
	return check(s)
}

func (r *Run) read(ctx context.Context, id plan.InstanceID) (stage, error) {
	ch, found, err := channel.Find(ctx, r.broker, channel.Spec{Pipeline: r.pipeline, Stage: id.Stage, Instance: id.Number, Keys: r.keys})
	if err != nil || !found {
		return hiddenBy(err, stage{there: err != nil})
	}
	last, _, err := ch.Last(ctx)
	if err != nil {
		return hiddenBy(err, stage{there: true, layout: laid(ch)})
	}
	s := stage{there: true, layout: laid(ch)}
	if last.Frame == nil {
		return s, nil
	}
	s.isSource = last.Frame.Steps > 0
	for _, p := range last.Frame.Inputs {
		if p.Stream == plan.ReplayStream {
			s.replayed = p.Offset
			continue
		}
		s.inputs = append(s.inputs, p)
	}
	return s, nil
}

func laid(ch *channel.Channel) plan.Layout {
	p, _ := ch.Partitions()
	return plan.Layout{First: p.First, Count: p.Count}
}

// hiddenBy passes over a key that is not at hand: what it hides is not known, and nothing is wrong.
func hiddenBy(err error, s stage) (stage, error) {
	if errors.Is(err, channel.ErrKey) {
		s.hidden = err
		return s, nil
	}
	return s, err
}

// gaveUp says why the stage cannot have given up this message.
func (s stage) gaveUp(l dlq.Letter) error {
	if s.hidden == nil && isNone(s.layout, l.Instance) {
		return noInstance(l.Stage, l.Instance)
	}
	if s.hidden != nil || !l.CanReplay() { // a source's own value has no offset
		return nil
	}
	for _, p := range s.inputs {
		if p.Stream != l.Input || int(p.Instance) != l.InputInstance {
			continue
		}
		if !p.Consumed(l.Offset) {
			return fmt.Errorf("%w offset: stage %s has not taken message %d of %s, it has taken those below %d: the letter is of another run, or was changed: "+
				"import it where it was exported", dlq.ErrInvalid, l.Stage, l.Offset, l.Input, p.End())
		}
		return nil
	}
	if s.isOfRetired(l) {
		return nil
	}
	return s.noInput(l.Stage, l)
}

// isOfRetired says that the message is of an instance of the input that wrote before those that there are, and of
// which all was taken.
func (s stage) isOfRetired(l dlq.Letter) bool {
	isRead := false
	for _, p := range s.inputs {
		if p.Stream != l.Input {
			continue
		}
		if int(p.Instance) < l.InputInstance {
			return false
		}
		isRead = true
	}
	return isRead
}

// takes says why the stage does not take a message from the letter's input. One that has committed nothing yet says
// nothing of its inputs.
func (s stage) takes(name string, instance int, l dlq.Letter) error {
	switch {
	case s.hidden == nil && isNone(s.layout, instance):
		return noInstance(name, instance)
	case s.isSource:
		return noReader(name, l.Input, nil)
	case s.hidden != nil || len(s.inputs) == 0:
		return nil
	}
	for _, p := range s.inputs {
		if p.Stream == l.Input {
			return nil
		}
	}
	return s.noInput(name, l)
}

func (s stage) noInput(name string, l dlq.Letter) error {
	if len(s.inputs) == 0 {
		return fmt.Errorf("%w input: stage %s has taken nothing from %s", dlq.ErrInvalid, name, l.Input)
	}
	var reads []string
	for _, p := range s.inputs {
		if !slices.Contains(reads, p.Stream) { // once, although several instances write it
			reads = append(reads, p.Stream)
		}
		if p.Stream == l.Input {
			return fmt.Errorf("%w input: %s has no instance %d", dlq.ErrInvalid, l.Input, l.InputInstance)
		}
	}
	return noReader(name, l.Input, reads)
}
