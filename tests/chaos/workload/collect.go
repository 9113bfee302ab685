package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
)

// Collect reads what a pipeline that does not run any more has left.
func Collect(ctx context.Context, s Spec, config engine.Config, place Place) (r Result, err error) {
	r = Result{States: map[string]map[string]Rich{}, Files: map[string][]byte{}, Published: map[string][]Published{}}
	for _, stage := range s.Stages {
		switch stage.Kind {
		case File:
			r.Files[stage.Name], err = os.ReadFile(FileOf(place.Output, stage))
		case Publish:
			r.Published[stage.Name], err = place.Outside.Read(ctx, stage.Name)
		}
		if err != nil {
			return r, err
		}
	}
	i, err := inspect.Open(ctx, config.ToInspect())
	if err != nil {
		return r, err
	}
	err = r.look(ctx, s, i)
	return r, errors.Join(err, i.Close())
}

// look reads states and dead letters.
func (r *Result) look(ctx context.Context, s Spec, i *inspect.Inspector) error {
	for _, stage := range s.Stages {
		if stage.Kind == File {
			continue
		}
		states := map[string]Rich{}
		err := i.State(ctx, stage.Name, func(key string, data json.RawMessage) error {
			state, err := anyType().Decode(data)
			if err != nil {
				return fmt.Errorf("state of %s, key %q: %w", stage.Name, key, err)
			}
			states[key] = state
			return nil
		})
		if err != nil { // each stage has committed something, and be it that it ended
			return err
		}
		r.States[stage.Name] = states
	}
	queue, found, err := i.DeadLetters(ctx)
	if err != nil || !found { // no stream, no letters: the oracle knows how many there should be
		return err
	}
	return queue.Each(ctx, func(l dlq.Letter) error {
		r.Letters = append(r.Letters, l)
		return nil
	})
}
