package engine

import (
	"encoding/json"
	"fmt"

	"penstock/engine/internal/shape"
	"penstock/engine/internal/task"
	"penstock/engine/internal/view"
)

// ErrNoState says that there is no such stage, or no such key.
var ErrNoState = shape.ErrNoState

// State gives the committed state of a stage of the running pipeline as JSON:
// once with the key "" for a stage with one state, and for a keyed stage once
// for each key, in order. fn's error stops it. Safe for concurrent use.
//
// CBOR is shown as package cborjson does it. A state whose codec is not known is
// given as an object with the codec's name and the bytes in base64.
func (p *Pipeline) State(stage string, fn func(key string, state json.RawMessage) error) error {
	view, s, err := p.view(stage)
	if err != nil {
		return err
	}
	return s.Each(view, fn)
}

// StateOf gives the committed state of one key of a keyed stage of the
// running pipeline; see State.
func (p *Pipeline) StateOf(stage, key string) (json.RawMessage, error) {
	view, s, err := p.view(stage)
	if err != nil {
		return nil, err
	}
	return s.One(view, key)
}

func (p *Pipeline) view(stage string) (*view.View, shape.Shape, error) {
	in, err := p.running(stage)
	if err != nil {
		return nil, shape.Shape{}, err
	}
	return in.Committed, in.Shape(), nil
}

// running returns the instance of a stage of the pipeline, which must run.
func (p *Pipeline) running(stage string) (*task.Instance, error) {
	r, err := p.serving()
	if err != nil {
		return nil, err
	}
	d := p.plan.Stage(stage)
	if d == nil {
		return nil, fmt.Errorf("%w: pipeline %s has no stage %q", ErrNoState, p.plan.Name, stage)
	}
	return r.ByStage[d], nil
}
